package searchsvc

import (
	"context"
	"net/http"
	"strings"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/search"
)

const base = "/api/v1/search/"

func (s *Service) routes(api httpx.API) {
	s.ruleRoutes(api)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "listings", Who: httpx.Anyone, Summary: "Find listings",
		Description: "Any text is a valid search. Listings that have all its words are found; if there are few or none, then also those that have most of them or at least some, and any_word says so. " +
			"Values of one filter are alternatives, filters narrow together.",
	}, s.getListings)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "suggestions", Who: httpx.Anyone, Summary: "Complete what is being typed",
		Description: "Searches, categories, brands and listings that have a word beginning with the text, best first.",
	}, s.getSuggestions)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "rebuilds", Who: httpx.Operators, Summary: "Build the index anew from the catalogue",
		Description: "Searches go on meanwhile. It answers when the new index is in use; one that is broken off is taken up by repeating it with its key.",
		Status:      http.StatusCreated, Timeout: 55 * time.Second, Limit: httpx.Limit{Max: 6, Per: time.Minute},
	}, s.postRebuild)
	s.insightRoutes(api)
	s.previewRoutes(api)
	s.rulesFileRoutes(api)
}

// Narrowing is what narrows results, in an address.
type Narrowing struct {
	Category string             `query:"category" maxLength:"500" example:"home/lighting" doc:"Path of a category: listings in it and below."`
	Brands   []string           `query:"brand,explode" maxItems:"100" doc:"Any of these brands; may be repeated."`
	Sellers  []catalog.SellerID `query:"seller,explode" maxItems:"100" doc:"Any of these sellers, by id; may be repeated."`
	Currency money.Currency     `query:"currency" example:"EUR" doc:"Of the price range. Nothing is converted: listings in other currencies are left out when a price is given."`
	PriceMin int64              `query:"price_min" minimum:"0" example:"1000" doc:"Least price of the cheapest variant, in whole minor units."`
	PriceMax int64              `query:"price_max" minimum:"0" example:"5000" doc:"Highest price of the cheapest variant, in whole minor units. 0 is no limit."`
	Attrs    []string           `query:"attr,explode" maxItems:"100" example:"Colour:Red" doc:"An attribute or option and its value, a colon between them; may be repeated. Several values of one attribute are alternatives."`
	Ranges   []string           `query:"range,explode" maxItems:"4" example:"Weight:0.5..2 kg" doc:"An attribute and a range of its numbers, with their unit if they have one; either end may be left out. May be repeated, once for each attribute; beside values of the same attribute it is an alternative."`
	InStock  bool               `query:"in_stock" doc:"Only what can be bought now."`
}

// filter is what it says.
func (in *Narrowing) filter() search.Filter {
	f := search.Filter{Path: in.Category, Brands: in.Brands, Sellers: in.Sellers, Currency: in.Currency, InStock: in.InStock}
	if attributes := attributesIn(in.Attrs, in.Ranges); len(attributes) > 0 {
		f.Attributes = &attributes
	}
	if in.PriceMin > 0 {
		f.PriceMin = &in.PriceMin
	}
	if in.PriceMax > 0 {
		f.PriceMax = &in.PriceMax
	}
	return f
}

type listingsIn struct {
	httpx.Page
	Narrowing
	Text    string      `query:"q" maxLength:"10000" example:"desk lamp" doc:"What to find: any text, of which the first 24 words count. Without it everything is found that the filters let through."`
	Sort    search.Sort `query:"sort" enum:"relevance,price_up,price_down,newest,bestselling" doc:"Relevance if left out, or the newest first when there is no text. bestselling: most pieces sold, where a piece counts half after 30 days."`
	Exact   bool        `query:"exact" doc:"Search for the text as it is, even if another was probably meant."`
	Facets  bool        `query:"facets" doc:"Also count what the filters could narrow to."`
	Values  int32       `query:"facet_values" minimum:"1" maximum:"500" default:"50" doc:"Values of a facet that are told, beside those that are selected."`
	Explain bool        `query:"explain" doc:"Also say of every hit why it stands where it does. Operators only."`
}

type moneyWire struct {
	Minor    int64          `json:"minor" example:"1250" doc:"Whole minor units: 1250 is 12.50 of a currency with two decimals."`
	Currency money.Currency `json:"currency" example:"EUR" minLength:"3" maxLength:"3" doc:"ISO 4217."`
}

type pieceWire struct {
	Text  string `json:"text" example:"lamp"`
	Match bool   `json:"match" doc:"This stretch is what was searched for."`
}

type hitWire struct {
	Listing    catalog.ListingID `json:"listing" example:"lst_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Title      string            `json:"title" example:"Brass desk lamp"`
	Marked     []pieceWire       `json:"marked" doc:"The title in pieces, matches marked."`
	Snippet    []pieceWire       `json:"snippet" doc:"Of the description, around matches."`
	Brand      string            `json:"brand" example:"Anglepoise"`
	Seller     catalog.SellerID  `json:"seller" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	SellerName string            `json:"seller_name" example:"North Lamp Works"`
	SellerSlug string            `json:"seller_slug" example:"north-lamp-works"`
	Category   string            `json:"category" example:"home/lighting" doc:"Path of its category; empty for none."`
	Image      string            `json:"image" doc:"Address of its first picture; empty for none."`
	PriceFrom  moneyWire         `json:"price_from" doc:"Of the cheapest variant."`
	PriceTo    moneyWire         `json:"price_to" doc:"Of the dearest variant."`
	InStock    bool              `json:"in_stock" doc:"Some variant can be bought now."`
	Variants   int32             `json:"variants" example:"1"`
	CreatedAt  clock.Time        `json:"created_at" example:"2026-03-01T12:00:00.000Z"`

	Explanation *explanationWire `json:"explanation,omitempty" doc:"When it is asked for."`
}

type facetWire struct {
	Kind        search.FacetKind `json:"kind" enum:"category,brand,seller,price,stock,histogram,attribute" example:"brand" doc:"A histogram counts prices in even steps. Attributes are the few that most results have and that divide them best."`
	Name        string           `json:"name" example:"Colour" doc:"Of an attribute."`
	Values      []facetValueWire `json:"values" doc:"Most first; prices in order; categories level by level."`
	More        bool             `json:"more" doc:"There are further values."`
	Approximate bool             `json:"approximate" doc:"The counts are estimates, since so much was found."`
	Currency    money.Currency   `json:"currency" example:"EUR" doc:"Of prices: the currency in which they are counted, which is the one of most results unless one is asked for. Empty for other kinds."`
	Numbers     *numbersWire     `json:"numbers,omitempty" doc:"Of an attribute whose values are nearly all numbers with one unit, so that a range of it says something."`
}

type numbersWire struct {
	Unit  string `json:"unit" example:"kg" doc:"Empty for none."`
	Least string `json:"least" example:"0.5" doc:"Of what was counted."`
	Most  string `json:"most" example:"12"`
}

type facetValueWire struct {
	Value    string `json:"value" example:"Anglepoise" doc:"As the filter wants it; of a price range its two ends."`
	Label    string `json:"label" example:"Anglepoise"`
	Count    int64  `json:"count" example:"12" doc:"Listings with this value that pass all other filters."`
	Selected bool   `json:"selected"`
	Min      int64  `json:"min" doc:"Of a price range: minor units."`
	Max      int64  `json:"max" doc:"Of a price range: minor units, itself included."`
}

type offerWire struct {
	Kind  search.OfferKind `json:"kind" enum:"query,fewer_words,unfiltered,category" example:"fewer_words"`
	Text  string           `json:"text" example:"desk lamp" doc:"To search for; empty for everything there."`
	Path  string           `json:"path" doc:"Of a category."`
	Label string           `json:"label" example:"desk lamp"`
	Count int64            `json:"count" example:"12" doc:"Listings that it leads to."`
}

func toOffer(o search.Offer) offerWire { return offerWire(o) }

type listingsOut struct {
	Body struct {
		Hits        []hitWire   `json:"hits"`
		Total       int64       `json:"total" example:"214" doc:"Listings on all pages."`
		Facets      []facetWire `json:"facets" doc:"Each counted with every filter but its own. Empty unless asked for."`
		AnyWord     bool        `json:"any_word" doc:"Few listings have all the words, or none; the others, which come after them, have some."`
		Approximate bool        `json:"approximate" doc:"Counts of some facet, which says so too, are estimates: there are too many results to count each. The total is exact."`
		Corrected   string      `json:"corrected" doc:"What these results are for, when nothing has all words of the text and another was probably meant; exact=true asks for the text as it is."`
		Also        string      `json:"also" doc:"What was searched for besides, one word apart from that: what has its words comes behind the rest. Told when the words as typed stand in no title, or what these results are for is little and this was perhaps meant; exact=true leaves it out."`
		Meant       string      `json:"meant" doc:"What was perhaps meant: it has many more results."`
		Offers      []offerWire `json:"offers" doc:"Ways to go on when nothing was found."`
		Search      string      `json:"search" example:"4t9w2m6x1zqa" doc:"Names the search, to say what was chosen (POST /api/v1/search/clicks). Empty for one that is not counted."`
		NextCursor  string      `json:"next_cursor" doc:"Of the next page; empty on the last."`
	}
}

func (s *Service) getListings(ctx context.Context, by actor.Actor, in listingsIn) (listingsOut, error) {
	r := search.QueryRequest{Exact: &in.Exact, Text: in.Text, Filter: in.filter(), Sort: in.Sort, Facets: in.Facets, Page: in.Request(), Count: countedFor(by)}
	if in.Values > 0 {
		r.FacetValues = &in.Values
	}
	if in.Explain {
		if !by.SignedIn() {
			return listingsOut{}, httpx.ErrUnauthenticated
		}
		r.Explain = &by
	}
	reply, err := s.Query(ctx, r)
	if err != nil {
		return listingsOut{}, err
	}
	var out listingsOut
	out.Body.Hits, out.Body.Facets = mapped(reply.Hits, toHit), mapped(reply.Facets, toFacet)
	out.Body.Corrected, out.Body.Also, out.Body.Meant, out.Body.Offers = reply.Corrected, reply.Also, reply.Meant, mapped(reply.Offers, toOffer)
	out.Body.Total, out.Body.AnyWord, out.Body.NextCursor = reply.Total, reply.AnyWord, reply.Next
	out.Body.Approximate = reply.Approximate
	out.Body.Search = reply.Search
	return out, nil
}

// attributesIn are filters written as name:value, and ranges of them.
func attributesIn(attrs, ranges []string) []search.AttributeFilter {
	var all []search.AttributeFilter
	for _, attr := range attrs {
		name, value, _ := strings.Cut(attr, ":")
		all = append(all, search.AttributeFilter{Name: name, Values: []string{value}})
	}
	all = together(all)
	for _, one := range ranges {
		name, text, _ := strings.Cut(one, ":")
		all = append(all, search.AttributeFilter{Name: name, Range: &text})
	}
	return all
}

// mapped is each of in through fn; never nil.
func mapped[In, Out any](in []In, fn func(In) Out) []Out {
	out := make([]Out, 0, len(in))
	for _, v := range in {
		out = append(out, fn(v))
	}
	return out
}

func toPiece(p search.Piece) pieceWire { return pieceWire(p) }

func toHit(h search.Hit) hitWire {
	out := hitWire{
		Listing: h.Listing, Title: h.Title, Marked: mapped(h.Marked, toPiece), Snippet: mapped(h.Snippet, toPiece), Brand: h.Brand,
		Seller: h.Seller, SellerName: h.SellerName, SellerSlug: h.SellerSlug, Category: h.Path, Image: h.Image,
		PriceFrom: moneyWire(h.PriceFrom), PriceTo: moneyWire(h.PriceTo), InStock: h.InStock, Variants: h.Variants, CreatedAt: h.CreatedAt,
	}
	if h.Explanation != nil {
		why := toExplanation(*h.Explanation)
		out.Explanation = &why
	}
	return out
}

func toFacet(f search.Facet) facetWire {
	return facetWire{Kind: f.Kind, Name: f.Name, More: f.More, Approximate: f.Approximate, Currency: f.Currency, Values: mapped(f.Values, func(v search.FacetValue) facetValueWire { return facetValueWire(v) }), Numbers: (*numbersWire)(f.Numbers)}
}

type suggestionsIn struct {
	Text  string `query:"q" maxLength:"10000" example:"des" doc:"What has been typed so far, of which the first 100 letters count."`
	Limit int32  `query:"limit" minimum:"1" maximum:"20" default:"8" doc:"Suggestions, at most."`
}

type suggestionWire struct {
	Kind    search.SuggestionKind `json:"kind" enum:"query,category,brand,listing" example:"query" doc:"What it leads to: a search for the text, a category, a search for the brand, a listing."`
	Text    string                `json:"text" example:"desk lamp"`
	Path    string                `json:"path" doc:"Of a category, or of the one that a listing is in."`
	Listing catalog.ListingID     `json:"listing" doc:"Of a listing: its id."`
	Image   string                `json:"image" doc:"Of a listing: address of its first picture."`
	Price   *moneyWire            `json:"price" doc:"Of a listing: its cheapest variant."`
}

type suggestionsOut struct {
	Body struct {
		Suggestions []suggestionWire `json:"suggestions"`
	}
}

func (s *Service) getSuggestions(ctx context.Context, _ actor.Actor, in suggestionsIn) (suggestionsOut, error) {
	reply, err := s.Suggest(ctx, search.SuggestRequest{Text: in.Text, Limit: in.Limit})
	if err != nil {
		return suggestionsOut{}, err
	}
	var out suggestionsOut
	out.Body.Suggestions = mapped(reply.Suggestions, func(v search.Suggestion) suggestionWire {
		w := suggestionWire{Kind: v.Kind, Text: v.Text, Path: v.Path, Listing: v.Listing, Image: v.Image}
		if v.Price != nil {
			price := moneyWire(*v.Price)
			w.Price = &price
		}
		return w
	})
	return out, nil
}

type rebuildIn struct{ httpx.Keyed }

type rebuildOut struct {
	Body struct {
		Listings int64 `json:"listings" example:"19406" doc:"Listings in the new index."`
		Millis   int64 `json:"millis" example:"3200" doc:"Time that it took."`
	}
}

func (s *Service) postRebuild(ctx context.Context, by actor.Actor, in rebuildIn) (rebuildOut, error) {
	reply, err := s.Rebuild(ctx, search.RebuildRequest{By: by, Key: in.Key})
	if err != nil {
		return rebuildOut{}, err
	}
	var out rebuildOut
	out.Body.Listings, out.Body.Millis = reply.Listings, reply.Millis
	return out, nil
}
