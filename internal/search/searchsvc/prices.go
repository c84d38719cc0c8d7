package searchsvc

import (
	"math"
	"math/bits"
	"slices"
)

// priceRange is a range of prices with how many are in it. Both ends belong to it.
type priceRange struct{ min, max, count int64 }

// priceCount is the prices in one currency: each of them, or one of so many.
type priceCount struct {
	prices []int64
	step   int64
	total  int64
}

// countPrices are the prices of what is set in docs, by currency.
func (w *walk) countPrices(docs []uint64, step int) []priceCount {
	out := make([]priceCount, len(w.moneys))
	for i := range out {
		out[i].step = int64(step)
	}
	for i := 0; i < len(docs); i += step {
		for word := docs[i]; word != 0; word &= word - 1 {
			doc := i*64 + bits.TrailingZeros64(word)
			of := &out[w.columns.money[doc]]
			of.prices = append(of.prices, w.from[doc])
			of.total += of.step
		}
	}
	return out
}

// ranges are the ranges of the prices counted.
func (c priceCount) ranges() []priceRange {
	all := rangesOf(c.prices)
	for i := range all {
		all[i].count *= c.step
	}
	return all
}

// rangesOf divides prices into at most five ranges with round ends and about as many prices
// in each. Every price is in exactly one of them. It sorts prices.
func rangesOf(prices []int64) []priceRange {
	if len(prices) == 0 {
		return nil
	}
	slices.Sort(prices)
	least, most := prices[0], prices[len(prices)-1]
	var starts []int64
	for i := 1; i < ranges; i++ {
		at := round(prices[len(prices)*i/ranges])
		if at > least && at <= most && (len(starts) == 0 || at > starts[len(starts)-1]) {
			starts = append(starts, at)
		}
	}
	out := make([]priceRange, 0, len(starts)+1)
	from := int64(0)
	for _, next := range append(starts, roundUp(most)+1) {
		r := priceRange{min: from, max: next - 1}
		low, _ := slices.BinarySearch(prices, r.min)
		high, _ := slices.BinarySearch(prices, next)
		if r.count = int64(high - low); r.count > 0 {
			out = append(out, r)
			from = next
		} // else the next range begins where this one did
	}
	return out
}

const ranges = 5

// round is the round number nearest to n: 1, 2 or 5 and zeros.
func round(n int64) int64 {
	down, up := int64(1), int64(1)
	for _, r := range rounds {
		if r <= n {
			down = r
		}
		if up = r; r >= n {
			break
		}
	}
	if n-down <= up-n {
		return down
	}
	return up
}

// roundUp is the least round number that is not less than n, or n if there is none.
func roundUp(n int64) int64 {
	for _, r := range rounds {
		if r >= n {
			return r
		}
	}
	return min(n, math.MaxInt64-1)
}

// rounds are the round numbers, in order.
var rounds = func() []int64 {
	var all []int64
	for unit := int64(1); unit <= 1e17; unit *= 10 {
		all = append(all, unit, 2*unit, 5*unit)
	}
	return all
}()
