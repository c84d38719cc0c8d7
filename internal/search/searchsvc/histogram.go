package searchsvc

import (
	"math"
	"slices"

	"souk/internal/search"
)

// bars is how many steps a histogram has at most.
const bars = 20

// histogram tells prices in steps, those that the filter leaves out included. What the filter's
// range touches is selected.
func (w *walk) histogram(prices []priceCount) search.Facet {
	facet := search.Facet{Kind: search.FacetHistogram}
	at, currency, known := w.rangeCurrency(prices)
	if !known {
		return facet
	}
	c := &prices[at]
	facet.Currency = currency
	facet.Approximate = c.total > int64(len(c.some))
	w.rough = w.rough || facet.Approximate
	low, high := w.filter.PriceMin, w.filter.PriceMax
	for _, r := range c.bars() {
		selected := (low != nil || high != nil) && (low == nil || r.max >= *low) && (high == nil || r.min <= *high)
		facet.Values = append(facet.Values, r.value(currency, selected))
	}
	return facet
}

// bars are steps of one width, or where the dearest costs a hundred times the cheapest steps that
// each are so many times the one before. Every price is in exactly one. Of many prices some are
// taken for all.
func (c *priceCount) bars() []priceRange {
	if c.total == 0 {
		return nil
	}
	slices.Sort(c.some)
	starts := barsFrom(c.least, c.most)
	out := make([]priceRange, len(starts))
	before := 0
	for i, start := range starts {
		out[i] = priceRange{min: start, max: c.most}
		to := len(c.some)
		if i+1 < len(starts) {
			out[i].max = starts[i+1] - 1
			to, _ = slices.BinarySearch(c.some, starts[i+1])
		}
		out[i].count = int64(math.Round(float64(to-before) * float64(c.total) / float64(len(c.some))))
		before = to
	}
	return out
}

// barsFrom is where the steps from least to most begin.
func barsFrom(least, most int64) []int64 {
	starts := []int64{least}
	for i := 1; i < bars; i++ {
		start := least + int64(math.Round(float64(most-least)*float64(i)/bars))
		if most/100 > least {
			first := float64(max(least, 1))
			start = int64(math.Round(first * math.Pow(float64(most)/first, float64(i)/bars)))
		}
		if start > starts[len(starts)-1] && start <= most {
			starts = append(starts, start)
		}
	}
	return starts
}
