package searchsvc

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"

	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
)

// usualValues is how many values of a facet are told if nobody asks for more.
const usualValues = 50

// tally is how many listings have each value. One tally is of what passes all filters but one, and
// facets that have no filter share theirs.
type tally struct {
	of               traitCounts
	prices           []priceCount // by currency
	inStock, soldOut int64
	rough            map[search.FacetKind]bool // estimates
}

// count counts every value of what is set in docs. If there are too many it counts some, a word of
// the bitmap out of so many, and takes them for all.
func (w *walk) count(docs []uint64, by ...search.FacetKind) *tally {
	n := docset.Count(docs)
	step := stepOf(n, w.counted)
	t := &tally{rough: map[search.FacetKind]bool{}}
	for _, kind := range by {
		switch kind {
		case search.FacetCategory:
			t.of.nodes = make([]int64, len(w.nodes))
		case search.FacetBrand:
			t.of.brands = make([]int64, len(w.shelf.brands))
		case search.FacetSeller:
			t.of.sellers = make([]int64, len(w.shelf.sellers))
		case search.FacetPrice:
			t.prices = make([]priceCount, len(w.moneys))
		case search.FacetStock: // exactly, since that is no more work
			for i, word := range docs {
				t.inStock += int64(bits.OnesCount64(word & w.inStock[i]))
				t.soldOut += int64(bits.OnesCount64(word &^ w.inStock[i]))
			}
		default: // attributes are counted by themselves, and a histogram is of the prices
		}
	}
	counted := t.of.wanted() && w.countByDifference(t, docs, n)
	t.countEach(w, docs, step, counted)
	for _, kind := range by {
		trait := kind == search.FacetCategory || kind == search.FacetBrand || kind == search.FacetSeller
		if step > 1 && (trait && !counted || kind == search.FacetPrice) {
			t.rough[kind], w.rough = true, true
		}
	}
	return t
}

// countByDifference counts categories, brands and sellers as the shelf has them counted of all that can be seen, and what docs,
// of which there are n, have besides or lack. It says whether it did: it does not where the difference is more work than docs are
// themselves, or too much. So the whole catalogue is counted exactly at any size.
func (w *walk) countByDifference(t *tally, docs []uint64, n int) bool {
	if most := min(n-1, w.counted); w.inView.all-n > most { // so many are lacking at least
		return false
	}
	more, less := docset.Scratch(len(docs)), docset.Scratch(len(w.visible))
	defer docset.Free(more, less)
	copy(less, w.visible)
	for i := range docs {
		seen := uint64(0)
		if i < len(less) {
			seen = less[i]
			less[i] &^= docs[i]
		}
		more[i] = docs[i] &^ seen
	}
	if others := docset.Count(more) + docset.Count(less); others >= n || others > w.counted {
		return false
	}
	for _, c := range []struct{ to, from []int64 }{
		{t.of.nodes, w.inView.nodes}, {t.of.brands, w.inView.brands}, {t.of.sellers, w.inView.sellers},
	} {
		copy(c.to, c.from) // to is as long as there are values, or nil
	}
	t.of.countAll(w.traits, more, 1)
	t.of.countAll(w.traits, less, -1)
	return true
}

// countEach counts what differs from listing to listing, of one word of the bitmap out of step.
func (t *tally) countEach(w *walk, docs []uint64, step int, traitsCounted bool) {
	traits, prices := t.of.wanted() && !traitsCounted, t.prices != nil
	if !traits && !prices {
		return
	}
	each := max(1, docset.Count(docs)/step/somePrices)
	var some [2 * fetchedAtOnce]known
	n := 0
	count := func() {
		if traits {
			t.of.countSome(some[:n], int64(step))
		}
		if prices {
			countPrices(t.prices, some[:n], int64(step), each)
		}
		n = 0
	}
	for i := 0; i < len(docs); i += step {
		for word := docs[i]; word != 0; word &= word - 1 {
			doc := i*64 + bits.TrailingZeros64(word)
			some[n] = known{w.traits[doc], w.from[doc]}
			if n++; n == len(some) {
				count()
			}
		}
	}
	count()
}

// known is what is counted of one listing. Some are put side by side before any is counted: they are far apart in memory, and the processor waits
// for them together where nothing that it does depends on one of them.
type known struct {
	traits
	price int64
}

// traitCounts are how many listings are of each category, brand and seller, by their numbers; nil of what is not wanted.
type traitCounts struct {
	nodes, brands, sellers []int64
	all                    int // of put
}

// wanted says whether any of them is.
func (c traitCounts) wanted() bool { return c.nodes != nil || c.brands != nil || c.sellers != nil }

// countAll counts what is set in docs, each for so many.
func (c traitCounts) countAll(all []traits, docs []uint64, times int64) {
	docset.Each(docs, func(doc uint32) { c.countOne(&all[doc], times) })
}

// countSome counts listings, each for so many.
func (c traitCounts) countSome(some []known, times int64) {
	for i := range some {
		c.countOne(&some[i].traits, times)
	}
}

func (c traitCounts) countOne(of *traits, times int64) {
	if c.nodes != nil {
		c.nodes[of.node] += times
	}
	if c.brands != nil {
		c.brands[of.brand] += times
	}
	if c.sellers != nil {
		c.sellers[of.seller] += times
	}
}

// put counts one listing that comes into view, or one that goes.
func (c *traitCounts) put(of traits, times int) {
	c.all += times
	for _, one := range []struct {
		counts *[]int64
		at     int32
	}{{&c.nodes, of.node}, {&c.brands, of.brand}, {&c.sellers, of.seller}} {
		*one.counts = grown(*one.counts, max(len(*one.counts), int(one.at)+1))
		(*one.counts)[one.at] += int64(times)
	}
}

// step is how many words of a bitmap one that is looked at stands for.
// Up to most listings each is looked at.
func (w *walk) step(docs []uint64, most int) int {
	step := stepOf(docset.Count(docs), most)
	w.rough = w.rough || step > 1
	return step
}

func stepOf(n, most int) int {
	if n > most {
		return (2*n + most - 1) / most
	}
	return 1
}

// kinds are the facets, in the order in which they are told.
var kinds = []search.FacetKind{search.FacetCategory, search.FacetBrand, search.FacetSeller, search.FacetPrice, search.FacetStock}

// tell counts and tells every facet.
func (w *walk) tell() {
	tallies := map[search.FacetKind]*tally{}
	free := slices.Clone(kinds)
	for _, n := range w.narrow {
		if !slices.Contains(kinds, n.by) {
			continue // an attribute
		}
		docs := w.except(n.by)
		tallies[n.by] = w.count(docs, n.by)
		docset.Free(docs)
		free = slices.DeleteFunc(free, func(k search.FacetKind) bool { return k == n.by })
	}
	together := w.count(w.all, free...)
	for _, k := range free {
		tallies[k] = together
	}
	prices := tallies[search.FacetPrice]
	w.facets = []search.Facet{
		w.categoryFacet(tallies[search.FacetCategory].of.nodes), w.brandFacet(tallies[search.FacetBrand].of.brands),
		w.sellerFacet(tallies[search.FacetSeller].of.sellers), w.priceFacet(prices.prices), w.stockFacet(tallies[search.FacetStock]),
	}
	for i, kind := range kinds {
		w.facets[i].Approximate = tallies[kind].rough[kind]
	}
	w.facets = append(append(w.facets, w.histogram(prices.prices)), w.attributeFacets()...)
}

// categoryFacet tells the roots, and on the way down to the selected category the children of
// each category passed, upper levels first.
func (w *walk) categoryFacet(counts []int64) search.Facet {
	for i := len(counts) - 1; i > 0; i-- { // children add to parents, which come first
		if parent := w.nodes[i].parent; parent > 0 {
			counts[parent] += counts[i]
		}
	}
	open := map[int32]bool{0: true}
	for _, path := range above(w.filter.Path) {
		if at, ok := w.nodeAt[path]; ok {
			open[at] = true
		}
	}
	var values []search.FacetValue
	depths := map[string]int32{}
	for i := 1; i < len(w.nodes); i++ {
		n, at := w.nodes[i], int32(i) //nolint:gosec // an index into nodes
		if !open[n.parent] || counts[i] == 0 && !open[at] {
			continue
		}
		depths[n.path] = n.depth
		values = append(values, search.FacetValue{Value: n.path, Label: n.name, Count: counts[i], Selected: open[at]})
	}
	slices.SortFunc(values, func(a, b search.FacetValue) int {
		return cmp.Or(cmp.Compare(depths[a.Value], depths[b.Value]), mostFirst(a, b))
	})
	return w.limited(search.FacetCategory, values)
}

func mostFirst(a, b search.FacetValue) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value))
}

func (w *walk) brandFacet(counts []int64) search.Facet {
	chosen := map[int32]bool{}
	for _, name := range w.filter.Brands {
		if at, ok := w.brandAt[foldBrand(name)]; ok {
			chosen[at] = true
		}
	}
	var values []search.FacetValue
	for i := 1; i < len(counts); i++ {
		selected := chosen[int32(i)] //nolint:gosec // an index into brands
		if counts[i] > 0 || selected {
			name := w.shelf.brands[i]
			values = append(values, search.FacetValue{Value: name, Label: name, Count: counts[i], Selected: selected})
		}
	}
	slices.SortFunc(values, mostFirst)
	return w.limited(search.FacetBrand, values)
}

func (w *walk) sellerFacet(counts []int64) search.Facet {
	var values []search.FacetValue
	for i := 1; i < len(counts); i++ {
		s := w.shelf.sellers[i]
		selected := slices.Contains(w.filter.Sellers, s.id)
		if counts[i] > 0 || selected {
			values = append(values, search.FacetValue{Value: string(s.id), Label: s.name, Count: counts[i], Selected: selected})
		}
	}
	slices.SortFunc(values, mostFirst)
	return w.limited(search.FacetSeller, values)
}

// limited keeps the first values, and those that are selected.
func (w *walk) limited(kind search.FacetKind, values []search.FacetValue) search.Facet {
	kept := slices.Clone(values)
	if len(values) > w.values {
		kept = slices.Clone(values[:w.values])
		for _, v := range values[w.values:] {
			if v.Selected {
				kept = append(kept, v)
			}
		}
	}
	return search.Facet{Kind: kind, Values: kept, More: len(kept) < len(values)}
}

// priceFacet tells ranges of prices in one currency, cheapest first.
func (w *walk) priceFacet(prices []priceCount) search.Facet {
	facet := search.Facet{Kind: search.FacetPrice}
	at, currency, known := w.rangeCurrency(prices)
	if !known {
		return facet
	}
	facet.Currency = currency
	for _, r := range prices[at].ranges() {
		facet.Values = append(facet.Values, r.value(currency, w.selects(r)))
	}
	return facet
}

// value is a range as a facet's value.
func (r priceRange) value(currency money.Currency, selected bool) search.FacetValue {
	low, high := money.Money{Minor: r.min, Currency: currency}, money.Money{Minor: r.max, Currency: currency}
	return search.FacetValue{
		Value: strconv.FormatInt(r.min, 10) + "-" + strconv.FormatInt(r.max, 10),
		Label: low.Decimal() + "–" + high.Decimal() + " " + string(currency),
		Count: r.count, Min: r.min, Max: r.max, Selected: selected,
	}
}

func (w *walk) selects(r priceRange) bool {
	low, high := w.filter.PriceMin, w.filter.PriceMax
	return low != nil && high != nil && *low == r.min && *high == r.max
}

// stockFacet tells how many are in stock, and how many are not.
func (w *walk) stockFacet(t *tally) search.Facet {
	facet := search.Facet{Kind: search.FacetStock}
	for _, v := range []search.FacetValue{
		{Value: "true", Label: "In stock", Count: t.inStock, Selected: w.filter.InStock},
		{Value: "false", Label: "Sold out", Count: t.soldOut},
	} {
		if v.Count > 0 || v.Selected {
			facet.Values = append(facet.Values, v)
		}
	}
	return facet
}
