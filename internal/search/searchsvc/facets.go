package searchsvc

import (
	"cmp"
	"slices"
	"strconv"

	"souk/internal/platform/money"
	"souk/internal/search"
)

// maxValues is how many values of a facet are told.
const maxValues = 50

// tally counts for every facet what passes all filters but its own.
type tally struct {
	nodes, brands, sellers []int64
	prices                 [][]int64 // by currency
	inStock, soldOut       int64
}

func newTally(s *shelf) tally {
	return tally{
		nodes: make([]int64, len(s.nodes)), brands: make([]int64, len(s.brands)), sellers: make([]int64, len(s.sellers)),
		prices: make([][]int64, len(s.money)),
	}
}

// add counts d, which fails these filters.
func (t *tally) add(d *doc, fails dims) {
	if fails&^byPath == 0 {
		t.nodes[d.node]++
	}
	if fails&^byBrand == 0 {
		t.brands[d.brand]++
	}
	if fails&^bySeller == 0 {
		t.sellers[d.seller]++
	}
	if fails&^byPrice == 0 {
		t.prices[d.currency] = append(t.prices[d.currency], d.from)
	}
	if fails&^byStock == 0 {
		if d.inStock {
			t.inStock++
		} else {
			t.soldOut++
		}
	}
}

// told are the facets, always the same five in the same order.
func (w *walk) told() []search.Facet {
	return []search.Facet{w.categoryFacet(), w.brandFacet(), w.sellerFacet(), w.priceFacet(), w.stockFacet()}
}

// categoryFacet tells the roots, and on the way down to the selected category the children of
// each category passed, upper levels first.
func (w *walk) categoryFacet() search.Facet {
	counts := slices.Clone(w.tally.nodes)
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
	return limited(search.FacetCategory, values)
}

func mostFirst(a, b search.FacetValue) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value))
}

func (w *walk) brandFacet() search.Facet {
	var values []search.FacetValue
	for i := 1; i < len(w.tally.brands); i++ {
		selected := w.brands != nil && w.brands[i]
		if w.tally.brands[i] > 0 || selected {
			name := w.shelf.brands[i]
			values = append(values, search.FacetValue{Value: name, Label: name, Count: w.tally.brands[i], Selected: selected})
		}
	}
	slices.SortFunc(values, mostFirst)
	return limited(search.FacetBrand, values)
}

func (w *walk) sellerFacet() search.Facet {
	var values []search.FacetValue
	for i := 1; i < len(w.tally.sellers); i++ {
		selected := w.sellers != nil && w.sellers[i]
		if w.tally.sellers[i] > 0 || selected {
			s := w.shelf.sellers[i]
			values = append(values, search.FacetValue{Value: string(s.id), Label: s.name, Count: w.tally.sellers[i], Selected: selected})
		}
	}
	slices.SortFunc(values, mostFirst)
	return limited(search.FacetSeller, values)
}

// limited keeps the first values, and those that are selected.
func limited(kind search.FacetKind, values []search.FacetValue) search.Facet {
	kept := slices.Clone(values)
	if len(values) > maxValues {
		kept = slices.Clone(values[:maxValues])
		for _, v := range values[maxValues:] {
			if v.Selected {
				kept = append(kept, v)
			}
		}
	}
	return search.Facet{Kind: kind, Values: kept, More: len(kept) < len(values)}
}

// priceFacet tells ranges of prices in one currency, cheapest first.
func (w *walk) priceFacet() search.Facet {
	facet := search.Facet{Kind: search.FacetPrice}
	at, currency := w.rangeCurrency()
	if at < 0 || int(at) >= len(w.tally.prices) {
		return facet
	}
	for _, r := range rangesOf(w.tally.prices[at]) {
		low, high := money.Money{Minor: r.min, Currency: currency}, money.Money{Minor: r.max, Currency: currency}
		facet.Values = append(facet.Values, search.FacetValue{
			Value: strconv.FormatInt(r.min, 10) + "-" + strconv.FormatInt(r.max, 10),
			Label: low.Decimal() + "–" + high.Decimal() + " " + string(currency),
			Count: r.count, Min: r.min, Max: r.max, Selected: w.selects(r),
		})
	}
	return facet
}

func (w *walk) selects(r priceRange) bool {
	low, high := w.filter.PriceMin, w.filter.PriceMax
	return low != nil && high != nil && *low == r.min && *high == r.max
}

// stockFacet tells how many are in stock, and how many are not.
func (w *walk) stockFacet() search.Facet {
	facet := search.Facet{Kind: search.FacetStock}
	for _, v := range []search.FacetValue{
		{Value: "true", Label: "In stock", Count: w.tally.inStock, Selected: w.filter.InStock},
		{Value: "false", Label: "Sold out", Count: w.tally.soldOut},
	} {
		if v.Count > 0 || v.Selected {
			facet.Values = append(facet.Values, v)
		}
	}
	return facet
}
