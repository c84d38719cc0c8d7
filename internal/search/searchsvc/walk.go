package searchsvc

import (
	"cmp"
	"slices"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/ranking"
)

// match is a listing that has the words, and how well they fit.
type match struct {
	doc   int64
	words int64
}

// dims are what can be narrowed by, as bits.
type dims uint8

const (
	byPath dims = 1 << iota
	byBrand
	bySeller
	byPrice
	byStock
)

// spot is where a listing stands in an order: lower comes first.
type spot struct {
	Group string            `json:"g"` // of prices: their currency
	N     int64             `json:"n"`
	ID    catalog.ListingID `json:"i"`
}

// mark is a spot as a cursor keeps it.
type mark struct {
	Spot    spot  `json:"s"`
	Doc     int64 `json:"d"`
	Edition int64 `json:"e"`
	AnyWord bool  `json:"a"`
}

// ranked is a listing of the page with its spot.
type ranked struct {
	doc  int64
	spot spot
}

// walk is one walk over candidates.
type walk struct {
	*shelf
	query  ranking.Query
	rank   ranking.Func
	filter search.Filter
	sort   search.Sort
	after  *mark // the page before ended there
	size   int
	facets bool

	under   []bool // by node: at or below the path
	brands  []bool
	sellers []bool
	prices  int32 // the currency of the range

	total int64
	best  []ranked // one more than a page, if there are more
	tally tally
}

// prepare makes the filter quick to ask.
func (w *walk) prepare() {
	if w.filter.Path != "" {
		w.under = make([]bool, len(w.nodes))
		if at, ok := w.nodeAt[w.filter.Path]; ok {
			w.under[at] = true
		}
		for i := 1; i < len(w.nodes); i++ { // parents come first
			w.under[i] = w.under[i] || w.nodes[i].parent > 0 && w.under[w.nodes[i].parent]
		}
	}
	if len(w.filter.Brands) > 0 {
		w.brands = make([]bool, len(w.shelf.brands))
		for _, name := range w.filter.Brands {
			if at, ok := w.brandAt[foldBrand(name)]; ok && at > 0 {
				w.brands[at] = true
			}
		}
	}
	if len(w.filter.Sellers) > 0 {
		w.sellers = make([]bool, len(w.shelf.sellers))
		for _, id := range w.filter.Sellers {
			if at, ok := w.sellerAt[id]; ok {
				w.sellers[at] = true
			}
		}
	}
	w.prices = -1
	if at, ok := w.moneyAt[w.filter.Currency]; ok && w.filter.Currency != "" {
		w.prices = at
	}
	if w.facets {
		w.tally = newTally(w.shelf)
	}
}

// fails are the filters that d does not pass.
func (w *walk) fails(d *doc) dims {
	var f dims
	if w.under != nil && !w.under[d.node] {
		f |= byPath
	}
	if w.brands != nil && !w.brands[d.brand] {
		f |= byBrand
	}
	if w.sellers != nil && !w.sellers[d.seller] {
		f |= bySeller
	}
	if w.filter.PriceMin != nil && (d.currency != w.prices || d.from < *w.filter.PriceMin) ||
		w.filter.PriceMax != nil && (d.currency != w.prices || d.from > *w.filter.PriceMax) {
		f |= byPrice
	}
	if w.filter.InStock && !d.inStock {
		f |= byStock
	}
	return f
}

// over walks over what has the words.
func (w *walk) over(matches []match) {
	w.prepare()
	w.settle(matches)
	for _, m := range matches {
		if m.doc < int64(len(w.docs)) {
			w.see(m)
		}
	}
}

// overAll walks over everything.
func (w *walk) overAll() {
	w.prepare()
	for i := range w.docs {
		w.see(match{doc: int64(i)})
	}
}

// settle takes the spot where the page before ended from this ranking, if the listing there
// is still what it was: scores may have moved since.
func (w *walk) settle(matches []match) {
	if w.after == nil || w.sort != search.SortRelevance || w.after.Doc <= 0 || w.after.Doc >= int64(len(w.docs)) {
		return
	}
	d := &w.docs[w.after.Doc]
	if d.id != w.after.Spot.ID || d.edition != w.after.Edition {
		return
	}
	for _, m := range matches {
		if m.doc == w.after.Doc {
			w.after.Spot = w.spot(m, d)
			return
		}
	}
}

func (w *walk) see(m match) {
	d := &w.docs[m.doc]
	if !w.visible(d) {
		return
	}
	fails := w.fails(d)
	if w.facets {
		w.tally.add(d, fails)
	}
	if fails != 0 {
		return
	}
	w.total++
	at := ranked{doc: m.doc, spot: w.spot(m, d)}
	if w.after != nil && w.compare(at.spot, w.after.Spot) <= 0 {
		return
	}
	w.keep(at)
}

// keep keeps the best of what it is given, in order, one more than a page.
func (w *walk) keep(r ranked) {
	n := len(w.best)
	if n > w.size && w.compare(r.spot, w.best[n-1].spot) > 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(w.best, r, func(a, b ranked) int { return w.compare(a.spot, b.spot) })
	w.best = slices.Insert(w.best, i, r)
	if len(w.best) > w.size+1 {
		w.best = w.best[:w.size+1]
	}
}

// spot is where d stands in the order asked for.
func (w *walk) spot(m match, d *doc) spot {
	at := spot{ID: d.id}
	switch w.sort {
	case search.SortPriceUp, search.SortPriceDown:
		at.Group, at.N = w.group(d.currency), d.from
		if w.sort == search.SortPriceDown {
			at.N = -d.from
		}
	case search.SortNewest:
		at.N = -int64(d.created)
	default:
		at.N = -w.rank(w.query, ranking.Candidate{Words: m.words, InStock: d.inStock, Title: d.title})
	}
	return at
}

// group keeps the prices of each currency together, since they do not compare: first the
// currency asked for, then the others by name.
func (w *walk) group(currency int32) string {
	if currency == w.prices {
		return ""
	}
	return string(w.money[currency])
}

// compare says which spot comes first. Of equally new listings it is the one made last.
func (w *walk) compare(a, b spot) int {
	c := cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.N, b.N))
	if c != 0 {
		return c
	}
	if w.sort == search.SortNewest {
		return cmp.Compare(b.ID, a.ID)
	}
	return cmp.Compare(a.ID, b.ID)
}

// page is the page, and the mark of its last row if there are more.
func (w *walk) page() ([]ranked, *mark) {
	if len(w.best) <= w.size {
		return w.best, nil
	}
	page := w.best[:w.size]
	last := page[w.size-1]
	return page, &mark{Spot: last.spot, Doc: last.doc, Edition: w.docs[last.doc].edition, AnyWord: w.query.AnyWord}
}

// rangeCurrency is the currency in which price ranges are counted: the one asked for, or else
// the one that most listings have.
func (w *walk) rangeCurrency() (int32, money.Currency) {
	if w.filter.Currency != "" {
		return w.prices, w.filter.Currency
	}
	most := int32(0)
	for i := range w.tally.prices {
		if len(w.tally.prices[i]) > len(w.tally.prices[most]) {
			most = int32(i) //nolint:gosec // few currencies
		}
	}
	return most, w.money[most]
}
