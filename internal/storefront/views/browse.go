package views

import "souk/internal/platform/money"

// Home is the front of the shop.
type Home struct {
	Page
	Listings int // on offer, in all
	Sellers  int // who offer them
	Tiles    []Department
	Shelves  []Shelf
	Shops    []Link // sellers, with the number of their listings
}

// Template says which template shows it.
func (Home) Template() string { return "home" }

// Department is a category with a picture.
type Department struct {
	Link
	About bool // its count is an estimate
	Tile  Tile
}

// Shelf is a row of listings under a heading.
type Shelf struct {
	Title string
	Link  *Link // to all of them
	Cards []Card
}

// Card is a listing in a list.
type Card struct {
	URL       string
	Title     string
	Highlight []Run // the title with the words searched for marked; empty for the plain title
	Picture   Picture
	Price     money.Money
	From      bool // variants differ in price, and this is the lowest
	Seller    Link
	Stock     Status // only what a reader must know: "Sold out", "Only 2 left"; else empty
	Options   string // "4 sizes, 3 colours"; may be empty
	Why       string // for an operator: address of why it stands here; else empty
	Reasons   *Reasons
}

// Run is a piece of text, marked where it is what was searched for.
type Run struct {
	Text   string
	Marked bool
}

// Results is a list of listings that can be narrowed: a search, a category, a seller's shop.
// The part "results" is what changes when a filter does.
type Results struct {
	Page
	Kind     ResultsKind
	Heading  string // "“toner”", "Notebooks", "Atelier Nord"
	Intro    string // a sentence or two under the heading; may be empty
	Legal    string // who stands behind a seller's shop: name and address
	Keep     []Hidden
	Children []Link // categories below this one
	Facets   []Facet
	Chips    []Chip
	ClearURL string // without any filter
	Sorts    []Choice
	Cards    []Card
	Pager    Pager
	Empty    Empty // used when there are no cards
	// DidYouMean leads to a search with a better spelling; nil for none.
	DidYouMean *Link
	Instead    *Instead // these are results for another text than was typed; nil when they are not
	Then       *Then    // what comes behind the results for what was typed; nil for nothing
	Offers     []Offer  // ways to go on, beside Empty
	Reasons    *Choice  // for an operator: to the same with or without the reasons of every result
}

// Instead says that results are for another text than was typed.
type Instead struct {
	Text  string // that they are for
	Shown string // address of a search for it
	Typed Link   // to results for what was typed
}

// Then says that results for another text come behind these.
type Then struct {
	First Link // to the first alone
	Then  Link // to the others alone
}

// Offer is a way to go on from nothing.
type Offer struct {
	Before string // "Search for"
	Link
}

// ResultsKind says what a list of listings is a list of.
type ResultsKind string

// The kinds of results.
const (
	ResultsSearch   ResultsKind = "search"
	ResultsCategory ResultsKind = "category"
	ResultsShop     ResultsKind = "shop"
)

// Template says which template shows it.
func (Results) Template() string { return "results" }

// Suggestions is what may be meant by the beginning of a search; it is the part "suggestions"
// of its template, read by the search box's own script.
type Suggestions struct {
	Items []Suggestion
}

// Template says which template shows it.
func (Suggestions) Template() string { return "suggestions" }

// Suggestion is one line under the search box.
type Suggestion struct {
	Text    string // what the box says when it is chosen
	URL     string
	Note    string       // "brand", "category in Notebooks"; empty for a search or a listing
	Picture *Picture     // of a listing
	Price   *money.Money // of a listing
}

// Listing is one thing on offer. The part "offer" is what changes with the variant.
type Listing struct {
	Page
	URL         string // of the listing, without a variant
	Heading     string
	Brand       *Link
	Pictures    []Picture // at least one; the first is the large one
	Description []string  // paragraphs
	Attributes  []Pair
	Options     []Option // empty when there is one variant
	Variant     string   // id of the variant shown; empty when the choice is not complete
	SKU         string
	GTIN        string
	Price       money.Money
	PriceFrom   bool
	Was         *money.Money // struck out beside the price
	TaxNote     string       // "including VAT", "plus tax at checkout"
	Stock       Status       // a sentence: "In stock, 12 left"
	Buyable     bool
	Max         int    // how many may be added at most
	Quantity    int    // what stands in the field
	Ships       string // "Ships from Lyon; delivery to France from €4.90"
	Seller      Link
	SellerNote  string // "Selling here since May 2025, 120 listings"
	Problem     string // why adding did not work
	Key         string // idempotency key of the form
	Similar     *Shelf
	Withdrawn   bool // no longer on offer; the page says so and offers Similar
}

// Template says which template shows it.
func (Listing) Template() string { return "listing" }

// Option is something to choose: a size, a colour. Its values are links to the best variant
// with that value.
type Option struct {
	Label  string
	Values []OptionValue
}

// OptionValue is one of an option's values.
type OptionValue struct {
	Text    string
	URL     string
	Chosen  bool
	SoldOut bool // every variant with it is sold out; it can be looked at
	None    bool // there is no variant with it and the other choices
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }
