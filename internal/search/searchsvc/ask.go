package searchsvc

import (
	"slices"

	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/words"
)

// Bounds of a query.
const (
	usualPage, maxPage       = 24, 100
	usualSuggest, maxSuggest = 8, 20
	maxChosen                = 100 // brands or sellers in a filter, or values of attributes
	maxAttributes            = 20
)

// ask is a query that is in order.
type ask struct {
	text    string      // as typed
	words   words.Query // of the text
	exact   bool        // nothing else is looked for
	filter  search.Filter
	sort    search.Sort
	size    int
	facets  bool
	explain bool // each hit
	values  int  // of a facet
	after   *mark
	hash    any // what a cursor belongs to
}

// askOf checks r. The text is never wrong; a sort that is not known is relevance.
func askOf(r search.QueryRequest) (ask, error) {
	if r.Explain != nil && !r.Explain.IsOperator() && !r.Explain.IsSystem() {
		return ask{}, search.ErrForbidden.With("explanations are for operators; ask without explain")
	}
	var p errs.Problems
	f := r.Filter
	p.Check(len(f.Brands) <= maxChosen, "filter.brands", "may be %d", maxChosen)
	p.Check(len(f.Sellers) <= maxChosen, "filter.sellers", "may be %d", maxChosen)
	checkAttributes(&p, f.ByAttributes())
	p.Check(f.PriceMin == nil || *f.PriceMin >= 0, "filter.price_min", "should not be negative")
	p.Check(f.PriceMax == nil || *f.PriceMax >= 0, "filter.price_max", "should not be negative")
	p.Check(f.PriceMin == nil || f.PriceMax == nil || *f.PriceMin <= *f.PriceMax, "filter.price_max", "should not be less than price_min")
	p.Check(f.Currency == "" || f.Currency.Valid(), "filter.currency", "is not a currency that souk knows")
	p.Check(f.Currency != "" || f.PriceMin == nil && f.PriceMax == nil, "filter.currency", "is needed to narrow by price")
	if err := p.Err(search.ErrInvalid); err != nil {
		return ask{}, err
	}
	a := ask{text: r.Text, words: words.Parse(r.Text), exact: r.Exact != nil && *r.Exact, filter: f, sort: r.Sort, size: r.Page.Size(usualPage, maxPage), facets: r.Facets, explain: r.Explain != nil, values: usualValues}
	if r.FacetValues != nil {
		a.values = int(min(max(*r.FacetValues, 1), search.MaxFacetValues))
	}
	if !slices.Contains([]search.Sort{search.SortPriceUp, search.SortPriceDown, search.SortNewest, search.SortBestSelling}, a.sort) {
		a.sort = search.SortRelevance
	}
	if a.sort == search.SortRelevance && len(a.words.Terms) == 0 {
		a.sort = search.SortNewest
	}
	a.hash = []any{"search", r.Text, hashed(a.filter), a.sort}
	var after mark
	more, err := r.Page.After(a.hash, &after)
	if err != nil {
		return ask{}, err
	}
	if more {
		if after.unread() {
			after.Taken = nil
		}
		if !after.sound() {
			return ask{}, page.ErrCursor
		}
		a.after = &after
	}
	return a, nil
}

// A filter and its attributes as the hash of a cursor has them: what no range is asked of, as before there were ranges, so that
// a cursor is good for the release before and after.
type (
	hashedFilter struct {
		search.Filter
		Attributes *[]hashedAttribute `json:"attributes"`
	}
	hashedAttribute struct {
		search.AttributeFilter
		Range *string `json:"range,omitempty"`
	}
)

func hashed(f search.Filter) hashedFilter {
	h := hashedFilter{Filter: f}
	if f.Attributes != nil {
		all := mapped(*f.Attributes, func(a search.AttributeFilter) hashedAttribute { return hashedAttribute{a, a.Range} })
		h.Attributes = &all
	}
	return h
}

// next is the cursor of the page that ends at last; "" without one.
func (a ask) next(last *mark) (string, error) {
	if last == nil {
		return "", nil
	}
	return page.Cursor(a.hash, last)
}

// checkAttributes checks what narrows by attributes.
func checkAttributes(p *errs.Problems, all []search.AttributeFilter) {
	p.Check(len(together(all)) <= maxAttributes, "filter.attributes", "may be %d", maxAttributes)
	values, ranged := 0, map[string]bool{}
	for _, a := range all {
		p.Check(a.Name != "", "filter.attributes", "should have names")
		p.Check(len(a.Values) > 0 || a.Range != nil, "filter.attributes", "should have values")
		values += len(a.Values)
		if a.Range != nil {
			_, ok := search.ParseRange(*a.Range)
			p.Check(ok, "filter.attributes", "has a range that is not like 10..20 kg")
			p.Check(!ranged[foldFact(a.Name)], "filter.attributes", "may have one range of each")
			ranged[foldFact(a.Name)] = true
		}
	}
	p.Check(values <= maxChosen, "filter.attributes", "may have %d values", maxChosen)
	p.Check(len(ranged) <= search.MaxRanges, "filter.attributes", "may have %d ranges", search.MaxRanges)
}
