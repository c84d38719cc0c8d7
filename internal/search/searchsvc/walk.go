package searchsvc

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/words"
)

// spot is where a listing stands in an order: lower comes first.
type spot struct {
	Group string            `json:"g"` // of prices: their currency; of relevance: what was looked at closely comes first
	N     int64             `json:"n"`
	ID    catalog.ListingID `json:"i"`
}

// mark is where a page ends, as a cursor keeps it, and what the order is made of that could be
// otherwise at the next page: so that where a listing stands depends on that listing alone.
type mark struct {
	Spot    spot    `json:"s"`
	AnyWord bool    `json:"a"`
	Least   uint64  `json:"l,omitempty"` // how much of what was asked for a listing says, then
	IDFs    []int32 `json:"w,omitempty"` // how much each word says
	Cut     uint64  `json:"c,omitempty"` // who has as much by first sight was looked at closely
	Text    string  `json:"t,omitempty"` // that was looked for instead of the one typed
	Also    string  `json:"o,omitempty"` // and the one behind it
	Seen    int     `json:"p,omitempty"` // listings so far, if some are pinned
	Pin     *pinned `json:"q,omitempty"` // the last pin among them

	Taken [][]words.Alt `json:"u,omitempty"` // by word, what the vocabulary had for it besides what was typed
}

// taken is what the page before was made of; nil for the first.
func (m *mark) taken() [][]words.Alt {
	if m == nil {
		return nil
	}
	return m.Taken
}

// unread says whether the cursor names all that the vocabulary had in a way that this release does not read, as the one before
// did: it is found anew then.
func (m *mark) unread() bool {
	all := slices.Concat(m.Taken...)
	return len(all) > 0 && !slices.ContainsFunc(all, func(a words.Alt) bool { return len(a.Terms) > 0 })
}

// sound says whether souk may have made the cursor that this was read from. Cursors are not signed: one that
// says something else gives another page, but must not be more work.
func (m *mark) sound() bool {
	if m.Seen < 0 || m.Seen > math.MaxInt32 || m.Pin != nil && !m.Pin.sound() || len(m.IDFs) > words.MaxTerms {
		return false
	}
	alternatives := 0
	for _, some := range m.Taken {
		alternatives += len(some)
		for _, a := range some {
			if len(a.Terms) == 0 || len(a.Terms) > mostOfOne || a.Weight <= 0 || a.Weight > 1 || slices.ContainsFunc(a.Terms, noTerm) {
				return false
			}
		}
	}
	if len(m.Taken) > words.MaxTerms || alternatives > maxTaken+4*words.MaxTerms { // three may come of each being written together or apart, one of a number's other form
		return false
	}
	most := idfOf(0, math.MaxUint32)
	return !slices.ContainsFunc(m.IDFs, func(idf int32) bool { return idf < 0 || idf > most })
}

// mostOfOne is how many terms in a row the vocabulary puts for one word at most: two that are written apart.
const mostOfOne = 2

// noTerm says whether a text cannot be a term.
func noTerm(text string) bool {
	return text == "" || len(text) > utf8.UTFMax*words.MaxLetter || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' })
}

// ranked is a listing of the page with its spot.
type ranked struct {
	doc   uint32
	n     int64
	group string
}

// limits bound the work of one query.
type limits struct {
	close   int // listings that are looked at closely: fifty pages
	counted int // listings that facets count one by one; of more they count half as many
	walked  int // listings that are looked at one by one for a range of an attribute; what else has it is remembered
	few     int // so many with all the words are enough: if there are less, those with most of them come after
}

var usualLimits = limits{close: 1200, counted: 16_000, walked: 8_000, few: 10}

// walk is one look at what was found.
type walk struct {
	*shelf
	limits
	marks   marks
	filter  search.Filter
	sort    search.Sort
	after   *mark // the page before ended there
	afterID listingKey
	size    int
	values  int // of a facet that are told
	asked   []asked
	anyWord bool
	least   uint64 // with anyWord: how much the words that a listing has say together

	base   []uint64 // what has the words and can be seen
	all    []uint64 // and passes every filter
	narrow []narrow
	prices uint8 // the currency of the range
	priced bool  // it is one that some listing has

	total  int64
	cut    uint64
	best   []ranked // one more than a page, if there are more
	whole  int      // listings that have all the words
	places places
	others int // of best, on the page
	pinned int // of places, on the page or before
	facets []search.Facet
	rough  bool // some of them are estimates
}

// narrow is one filter, and the listings of base that pass it.
type narrow struct {
	by   search.FacetKind
	pass []uint64
}

// scratch is an empty bitmap of all listings.
func (w *walk) scratch() []uint64 { return docset.Scratch(docset.Words(int(w.marks.Docs) + 1)) }

// free gives back what the walk had.
func (w *walk) free() {
	docset.Free(w.base, w.all)
	for _, n := range w.narrow {
		docset.Free(n.pass)
	}
}

// findAll sets base to what can be seen and has all the words, or any.
func (w *walk) findAll() {
	docset.Free(w.base)
	w.base = w.scratch()
	copy(w.base, w.visible)
	if last := len(w.base) - 1; last >= 0 { // nothing that the snapshot does not have
		w.base[last] &= 1<<(uint64(w.marks.Docs)%64) | (1<<(uint64(w.marks.Docs)%64) - 1) //nolint:gosec // numbers are positive
	}
	for i := len(w.former) - 1; i >= 0 && w.former[i].Change > w.marks.Listings; i-- { // what it still has
		if doc := uint32(w.former[i].Doc); int64(doc) <= w.marks.Docs && w.sellers[w.traits[doc].seller].approved { //nolint:gosec // as above
			setBit(w.base, doc, true)
		}
	}
	if len(w.asked) == 0 {
		return
	}
	if !w.anyWord {
		for i := range w.asked {
			w.asked[i].all.And(w.base)
		}
		return
	}
	some := w.scratch()
	for i := range w.asked {
		w.asked[i].all.Or(some)
	}
	for i := range w.base {
		w.base[i] &= some[i]
	}
	docset.Free(some)
	if w.least > 0 {
		w.atLeast()
	}
}

// prepare finds for each filter what passes it.
func (w *walk) prepare() {
	f := w.filter
	docs := w.marks.Docs
	if f.Path != "" {
		under := w.under(f.Path)
		w.narrowTo(search.FacetCategory, w.where(pathKey+f.Path, docs, func(doc int64) bool { return under[w.traits[doc].node] }))
	}
	if len(f.Brands) > 0 {
		var sets []docset.Set
		for _, name := range f.Brands {
			if at, ok := w.brandAt[foldBrand(name)]; ok && at > 0 {
				sets = append(sets, w.where(brandKey+foldBrand(name), docs, func(doc int64) bool { return w.traits[doc].brand == at }))
			}
		}
		w.narrowTo(search.FacetBrand, sets...)
	}
	if len(f.Sellers) > 0 {
		var sets []docset.Set
		for _, id := range f.Sellers {
			if at, ok := w.sellerAt[id]; ok {
				sets = append(sets, w.where(sellerKey+string(id), docs, func(doc int64) bool { return w.traits[doc].seller == at }))
			}
		}
		w.narrowTo(search.FacetSeller, sets...)
	}
	w.narrowToFacts()
	w.prices, w.priced = w.moneyAt[f.Currency], false
	if f.Currency != "" {
		_, w.priced = w.moneyAt[f.Currency]
	}
	if f.PriceMin != nil || f.PriceMax != nil {
		w.narrowToPrices()
	}
	if f.InStock {
		pass := w.scratch()
		copy(pass, w.inStock)
		w.narrow = append(w.narrow, narrow{search.FacetStock, pass})
	}
	w.all = w.except("")
	w.total = int64(docset.Count(w.all))
}

func (w *walk) narrowTo(by search.FacetKind, sets ...docset.Set) {
	pass := w.scratch()
	for _, s := range sets {
		s.Or(pass)
	}
	w.narrow = append(w.narrow, narrow{by, pass})
}

func (w *walk) narrowToPrices() {
	pass := w.scratch()
	if w.priced {
		low, high := int64(0), int64(1<<63-1)
		if w.filter.PriceMin != nil {
			low = *w.filter.PriceMin
		}
		if w.filter.PriceMax != nil {
			high = *w.filter.PriceMax
		}
		copy(pass, w.base)
		w.paid.Within(pass, uint64(w.prices), uint64(w.prices))
		w.costs.Within(pass, uint64(low), uint64(high)) //nolint:gosec // no price is negative
	}
	w.narrow = append(w.narrow, narrow{search.FacetPrice, pass})
}

// under says of every category whether it is the path's or below it.
func (w *walk) under(path string) []bool {
	under := make([]bool, len(w.nodes))
	if at, ok := w.nodeAt[path]; ok {
		under[at] = true
	}
	for i := 1; i < len(w.nodes); i++ { // parents come first
		under[i] = under[i] || w.nodes[i].parent > 0 && under[w.nodes[i].parent]
	}
	return under
}

// except is what passes every filter but one.
func (w *walk) except(by search.FacetKind) []uint64 {
	left := w.scratch()
	copy(left, w.base)
	for _, n := range w.narrow {
		if n.by == by {
			continue
		}
		for i := range left {
			left[i] &= n.pass[i]
		}
	}
	return left
}

// choose finds the page's listings in the order that was asked for.
func (w *walk) choose() {
	if w.sort == search.SortRelevance {
		w.chooseBest()
		return
	}
	groups := make([]string, len(w.moneys))
	if w.sort == search.SortPriceUp || w.sort == search.SortPriceDown {
		for i := range groups {
			groups[i] = w.group(uint8(i)) //nolint:gosec // few currencies
		}
	}
	by := w.by()
	// Backwards, since the newest are last, and come first.
	for i := len(w.all) - 1; i >= 0; i-- {
		word := w.all[i]
		if word == 0 || w.full() && by.least(i) > w.worst().n && len(w.moneys) <= 2 { // nobody in it comes before those that there are
			continue
		}
		for word != 0 {
			bit := 63 - bits.LeadingZeros64(word)
			word &^= 1 << bit
			doc := uint32(i*64 + bit) //nolint:gosec // documents are numbered in 32 bits
			w.see(ranked{doc: doc, n: by.sign * by.column[doc], group: groups[w.traits[doc].money]})
		}
	}
}

// byNumber is an order by a column, up or down, and what is the least in each word of a bitmap.
type byNumber struct {
	column []int64
	sign   int64
	bound  []int64
}

func (b byNumber) least(word int) int64 { return b.sign * b.bound[word] }

func (w *walk) by() byNumber {
	switch w.sort {
	case search.SortPriceUp:
		return byNumber{w.from, 1, w.cheapest}
	case search.SortPriceDown:
		return byNumber{w.from, -1, w.dearest}
	case search.SortBestSelling:
		return byNumber{w.sold, -1, w.selling}
	default:
		return byNumber{w.created, -1, w.latest}
	}
}

// full says whether there are as many as the page needs, and worst is the last of them.
func (w *walk) full() bool    { return len(w.best) > w.size }
func (w *walk) worst() ranked { return w.best[len(w.best)-1] }

// see considers one listing.
func (w *walk) see(r ranked) {
	if w.full() && w.compare(r, w.best[len(w.best)-1]) > 0 || w.after != nil && w.wasBefore(r) {
		return
	}
	i := sort.Search(len(w.best), func(i int) bool { return w.compare(w.best[i], r) > 0 })
	w.best = slices.Insert(w.best, i, r)
	if len(w.best) > w.size+1 {
		w.best = w.best[:w.size+1]
	}
}

// wasBefore says whether a listing was on a page before.
func (w *walk) wasBefore(r ranked) bool {
	switch at := &w.after.Spot; {
	case r.group != at.Group:
		return r.group < at.Group
	case r.n != at.N:
		return r.n < at.N
	}
	return w.compareIDs(w.ids[r.doc], w.afterID) <= 0
}

// group keeps the prices of each currency together, since they do not compare: first the
// currency asked for, then the others by name.
func (w *walk) group(currency uint8) string {
	if w.priced && currency == w.prices {
		return ""
	}
	return string(w.moneys[currency])
}

// compare says which of two comes first.
func (w *walk) compare(a, b ranked) int {
	switch {
	case a.group != b.group:
		return cmp.Compare(a.group, b.group)
	case a.n != b.n:
		return cmp.Compare(a.n, b.n)
	}
	return w.compareIDs(w.ids[a.doc], w.ids[b.doc])
}

// compareIDs says which of equals comes first. Of equally new listings, and of those that sell equally well, it is the one
// made last.
func (w *walk) compareIDs(a, b listingKey) int {
	c := slices.Compare(a[:], b[:])
	if w.sort == search.SortNewest || w.sort == search.SortBestSelling {
		return -c
	}
	return c
}

// page is the page, and the mark of its last row if there are more; the row's id, which other says
// where to find, is still to be read.
func (w *walk) page() (page []ranked, m *mark, other int) {
	page, other = w.withPins()
	if w.pinned == len(w.places.pins) && len(w.best) <= w.others {
		return page, nil, other
	}
	m = &mark{AnyWord: w.anyWord, Least: w.least, Cut: w.cut}
	switch {
	case other >= 0:
		m.Spot = spot{Group: page[other].group, N: page[other].n}
	case w.after != nil:
		m.Spot = w.after.Spot
	default:
		m.Spot = spot{N: math.MinInt64} // before all others
	}
	if len(w.places.pins) > 0 || w.seen() > 0 {
		m.Seen, m.Pin = w.seen()+len(page), w.lastPin()
	}
	if w.sort == search.SortRelevance {
		for i := range w.asked {
			m.IDFs = append(m.IDFs, w.asked[i].idf)
		}
	}
	return page, m, other
}

// rangeCurrency is the currency in which price ranges are counted: the one asked for, or else
// the one that most listings have.
func (w *walk) rangeCurrency(prices []priceCount) (uint8, money.Currency, bool) {
	if w.filter.Currency != "" {
		return w.prices, w.filter.Currency, w.priced
	}
	most := 0
	for i := range prices {
		if prices[i].total > prices[most].total {
			most = i
		}
	}
	return uint8(most), w.moneys[most], true //nolint:gosec // few currencies
}
