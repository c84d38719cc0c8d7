// Package search finds listings. It is a read model, fed by catalog's events alone: what is
// found is what was last heard, and everything in it can be built again from catalog.
package search

import (
	"context"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
)

//go:generate go run souk/internal/platform/rpc/gen

// Service is what other modules may ask of search.
type Service interface {
	// Query finds listings. Any text is a valid query; "" finds everything that the filter
	// lets through.
	//
	//rpc:read
	Query(ctx context.Context, r QueryRequest) (QueryReply, error)

	// Suggest completes what is being typed: queries, categories, brands, listings.
	//
	//rpc:read
	Suggest(ctx context.Context, r SuggestRequest) (SuggestReply, error)

	// Rebuild builds the index again from catalog beside the one in use, and switches in one
	// step. Operators and the system only. ErrRebuilding while one is under way.
	Rebuild(ctx context.Context, r RebuildRequest) (RebuildReply, error)

	// Note counts that a result of a search was chosen, once per key. It says what people find
	// useful and nothing about them. It is counted in memory and written a little later: a crash may lose it.
	Note(ctx context.Context, r NoteRequest) (NoteReply, error)

	// Insights says what people search for, by day and by text: how often, how often in vain, what they
	// chose and what was bought after. Operators and the system only.
	//
	//rpc:read
	Insights(ctx context.Context, r InsightsRequest) (InsightsReply, error)

	// Explain says why a listing stands where it does in what a text finds, or why it is not found.
	// Operators and the system only. ErrNotFound for a listing that search has never heard of.
	//
	//rpc:read
	Explain(ctx context.Context, r ExplainRequest) (ExplainReply, error)

	// ListRules pages through what operators told search: synonyms, expansions, pins, burials,
	// words that do not count. Operators and the system only.
	//
	//rpc:read
	ListRules(ctx context.Context, r ListRulesRequest) (ListRulesReply, error)

	// PutRule makes a rule or, with its id and version, changes one. It applies to every search
	// that begins after it. Operators and the system only. ErrRuleExists for one that says the
	// same of the same, ErrVersion when it has changed meanwhile, ErrRuleLimit past MaxRules.
	PutRule(ctx context.Context, r PutRuleRequest) (PutRuleReply, error)

	// RemoveRule takes a rule away, and says what it was. Operators and the system only.
	// ErrNotFound if there is none.
	RemoveRule(ctx context.Context, r RemoveRuleRequest) (RemoveRuleReply, error)

	// Preview says what one change of the rules would move in what people search for most, and in what
	// the rule itself names. Nothing is changed. Operators and the system only. It refuses what PutRule
	// and RemoveRule would refuse: ErrNotFound, ErrRuleExists, ErrVersion, ErrRuleLimit.
	//
	//rpc:read
	Preview(ctx context.Context, r PreviewRequest) (PreviewReply, error)

	// ExportRules is all rules as a file. Operators and the system only.
	//
	//rpc:read
	ExportRules(ctx context.Context, r ExportRulesRequest) (ExportRulesReply, error)

	// ImportRules takes over the rules of a file, in one step. Operators and the system only. ErrInvalid says in a line each
	// which lines of the file are wrong; ErrVersion when the rules have changed since Edition, ErrRuleLimit past MaxRules.
	ImportRules(ctx context.Context, r ImportRulesRequest) (ImportRulesReply, error)

	// PreviewImport says what ImportRules would do, and what that would move in what people search for most and in what
	// the rules name that come or go. Nothing is changed. Operators and the system only. It refuses what ImportRules would.
	//
	//rpc:read
	PreviewImport(ctx context.Context, r PreviewImportRequest) (PreviewImportReply, error)

	// Audit counts what is in the index, and says what search finds wrong within itself.
	//
	//rpc:read
	Audit(ctx context.Context, r audit.Request) (AuditReply, error)
}

// Sort is the order of results.
//
//rpc:fallback relevance
type Sort string

// The sorts.
const (
	SortRelevance Sort = "relevance"
	SortPriceUp   Sort = "price_up"
	SortPriceDown Sort = "price_down"
	SortNewest    Sort = "newest"
	// SortBestSelling has what sold most first: a piece counts half after 30 days, and what was cancelled before it
	// shipped does not.
	SortBestSelling Sort = "bestselling"
)

// Filter narrows results. Values of one field are alternatives, fields narrow together.
type Filter struct {
	Path     string             `json:"path"` // category and below
	Brands   []string           `json:"brands"`
	Sellers  []catalog.SellerID `json:"sellers"`
	Currency money.Currency     `json:"currency"`  // of the price range
	PriceMin *int64             `json:"price_min"` // minor units
	PriceMax *int64             `json:"price_max"`
	InStock  bool               `json:"in_stock"`

	// Attributes narrow together; listings have any of an attribute's values.
	Attributes *[]AttributeFilter `json:"attributes"`
}

// ByAttributes are the attributes that f narrows by.
func (f Filter) ByAttributes() []AttributeFilter {
	if f.Attributes == nil {
		return nil
	}
	return *f.Attributes
}

// AttributeFilter narrows to what has any of these values of an attribute or option, or a number in
// the range. Names, values and units are compared without regard to case.
type AttributeFilter struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
	Range  *string  `json:"range"` // as ParseRange reads it; one of an attribute
}

// QueryRequest asks for results.
type QueryRequest struct {
	Text   string       `json:"text"`
	Filter Filter       `json:"filter"`
	Sort   Sort         `json:"sort"` // "" is relevance, or newest without text
	Facets bool         `json:"facets"`
	Page   page.Request `json:"page"`
	// Count says that a person asks this, whose search is to be counted by its text: once per Count, a key
	// made for the request. Pages but the first, and what is narrowed, sorted or exact, are of a search that was counted
	// already.
	Count *string `json:"count"`
	Exact *bool   `json:"exact"` // true: as typed, never corrected
	// Explain says for whom every hit is explained: an operator or the system. ErrForbidden for others.
	Explain *actor.Actor `json:"explain"`
	// FacetValues is how many values of a facet are told, beside those that are selected: 50 if it is nil, at most MaxFacetValues.
	FacetValues *int32 `json:"facet_values"`
}

// MaxFacetValues is how many values of a facet are told at most.
const MaxFacetValues = 500

// QueryReply is a page of results.
type QueryReply struct {
	Hits        []Hit   `json:"hits"`
	Total       int64   `json:"total"`
	Facets      []Facet `json:"facets"` // when asked for
	Next        string  `json:"next"`
	AnyWord     bool    `json:"any_word"`    // few listings have all words, or none; the others, which come after, have some
	Approximate bool    `json:"approximate"` // counts of some facet are estimates: there are too many results to count each; Total is exact

	// What was probably meant, if the text is not what was searched for: nothing has all its words.
	Corrected string `json:"corrected"` // what these results are for; "" for the text
	// Also is what was searched for besides, one word apart from that: what has its words comes behind what has the others. "" for
	// nothing. Either the words of the text stand in no title, or what was corrected found little and might have been this.
	Also   string  `json:"also"`
	Meant  string  `json:"meant"`  // has many more results; "" for nothing. On the first page
	Offers []Offer `json:"offers"` // ways to go on, when nothing was found
	Search string  `json:"search"` // names the text, for Note; "" for one that is not counted
}

// Hit is a listing that was found, with what a result shows of it.
type Hit struct {
	Listing    catalog.ListingID `json:"listing"`
	Title      string            `json:"title"`
	Marked     []Piece           `json:"marked"`  // the title in pieces, matches marked
	Snippet    []Piece           `json:"snippet"` // of the description, around matches
	Brand      string            `json:"brand"`
	Seller     catalog.SellerID  `json:"seller"`
	SellerName string            `json:"seller_name"`
	SellerSlug string            `json:"seller_slug"`
	Path       string            `json:"path"`
	Image      string            `json:"image"`
	PriceFrom  money.Money       `json:"price_from"` // of the cheapest variant
	PriceTo    money.Money       `json:"price_to"`
	InStock    bool              `json:"in_stock"` // some variant is
	Variants   int32             `json:"variants"`
	CreatedAt  clock.Time        `json:"created_at"`

	Explanation *ExplainReply `json:"explanation"` // when asked for: what Explain would say of the same sort and snapshot
}

// Piece is a stretch of text.
type Piece struct {
	Text  string `json:"text"`
	Match bool   `json:"match"`
}

// FacetKind is what a facet counts by.
//
//rpc:fallback other
type FacetKind string

// The facets.
const (
	FacetOther    FacetKind = "other"
	FacetCategory FacetKind = "category"
	FacetBrand    FacetKind = "brand"
	FacetSeller   FacetKind = "seller"
	FacetPrice    FacetKind = "price"
	FacetStock    FacetKind = "stock"

	// FacetHistogram counts prices in even steps; like FacetPrice as if no price were asked for.
	FacetHistogram FacetKind = "histogram"

	// FacetAttribute counts the values of one attribute. There are a few of them: those that are
	// selected, and then those that most results have and that divide these best.
	FacetAttribute FacetKind = "attribute"
)

// Facet is counts of results by one field, computed with every filter but its own.
type Facet struct {
	Kind        FacetKind      `json:"kind"`
	Name        string         `json:"name"`        // of an attribute, as in the filter
	Values      []FacetValue   `json:"values"`      // most first; prices in order
	More        bool           `json:"more"`        // there are further values
	Approximate bool           `json:"approximate"` // counts are estimates, since there is so much
	Currency    money.Currency `json:"currency"`    // that prices are counted in: the filter's, or else the one that most results have; "" without any
	Numbers     *Numbers       `json:"numbers"`     // of an attribute whose values are nearly all numbers with one unit, so that a range says something
}

// Numbers are what an attribute's numbers have in common.
type Numbers struct {
	Unit  string `json:"unit"`  // "" for none
	Least string `json:"least"` // of what was counted
	Most  string `json:"most"`
}

// FacetValue is one value with its count.
type FacetValue struct {
	Value    string `json:"value"` // as in the filter
	Label    string `json:"label"`
	Count    int64  `json:"count"`
	Selected bool   `json:"selected"`
	Min      int64  `json:"min"` // of a price range, minor units
	Max      int64  `json:"max"`
}

// SuggestRequest is what has been typed so far.
type SuggestRequest struct {
	Text  string `json:"text"`
	Limit int32  `json:"limit"`
}

// SuggestionKind is what a suggestion leads to.
//
//rpc:fallback query
type SuggestionKind string

// The kinds of suggestions.
const (
	SuggestQuery    SuggestionKind = "query"
	SuggestCategory SuggestionKind = "category"
	SuggestBrand    SuggestionKind = "brand"
	SuggestListing  SuggestionKind = "listing"
)

// Suggestion is a way to go on.
type Suggestion struct {
	Kind    SuggestionKind    `json:"kind"`
	Text    string            `json:"text"`
	Path    string            `json:"path"`    // of a category, or of the one that a listing is in
	Listing catalog.ListingID `json:"listing"` // of a listing
	Image   string            `json:"image"`
	Price   *money.Money      `json:"price"`
}

// SuggestReply has suggestions, best first.
type SuggestReply struct {
	Suggestions []Suggestion `json:"suggestions"`
}

// RebuildRequest asks for a new index.
type RebuildRequest struct {
	By  actor.Actor `json:"by"`
	Key string      `json:"key"`
}

// RebuildReply says what was built.
type RebuildReply struct {
	Listings int64 `json:"listings"`
	Millis   int64 `json:"millis"`
}

// AuditReply is search's report on itself.
type AuditReply struct {
	Listings int64           `json:"listings"` // in this page of the index
	Problems []audit.Problem `json:"problems"`
	Standing audit.Standing  `json:"standing"`
	Next     string          `json:"next"`
}
