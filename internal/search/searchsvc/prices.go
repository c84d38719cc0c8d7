package searchsvc

import (
	"math"
	"math/bits"
	"slices"
)

// priceRange is a range of prices with how many are in it. Both ends belong to it.
type priceRange struct{ min, max, count int64 }

// priceCount is the prices in one currency: how many there are from one round number to the next,
// and some of them.
type priceCount struct {
	from  [maxRounds + 1]int64 // from[i] are at least rounds[i-1], and less than rounds[i]
	some  []int64
	total int64
	least int64
	most  int64
	next  int // how many more come before the next that is kept
}

// somePrices are enough to say where ranges should begin.
const somePrices = 2048

// countPrices counts prices by currency, each for so many. Of each currency one price of each so many is kept, the first one always.
func countPrices(out []priceCount, some []known, times int64, each int) {
	for i := range some {
		of, price := &out[some[i].money], some[i].price
		if of.total == 0 {
			of.least, of.most = price, price
		}
		of.least, of.most = min(of.least, price), max(of.most, price)
		of.from[bucketOf(price)] += times
		of.total += times
		if of.next == 0 {
			of.some = append(of.some, price)
			of.next = each
		}
		of.next--
	}
}

// bucketOf is how many round numbers are no greater than a price.
func bucketOf(price int64) int {
	of := &buckets[bits.Len64(uint64(price))] //nolint:gosec // no price is negative
	n := of.below
	if uint64(price) > of.last { //nolint:gosec // as above
		n++
	}
	return n
}

type bucket struct {
	below int    // round numbers
	last  uint64 // before the next round number
}

// buckets have, by how many bits a price has, how many round numbers have fewer bits, and what comes before the only one that has
// as many. So the bucket of a price is found without a branch that nobody can foresee.
var buckets = func() (all [65]bucket) {
	for i := range all {
		all[i].last = math.MaxUint64
		for _, r := range rounds {
			switch has := bits.Len64(uint64(r)); { //nolint:gosec // positive
			case has < i:
				all[i].below++
			case has == i:
				all[i].last = uint64(r) - 1 //nolint:gosec // as above
			}
		}
	}
	return all
}()

// between is how many prices are counted from one round number, or 0, up to before another.
func (c *priceCount) between(from, to int64) int64 {
	n := int64(0)
	for i := bucketOf(from); i < bucketOf(to); i++ {
		n += c.from[i]
	}
	return n
}

// ranges divides prices into at most five ranges with round ends and about as many prices
// in each. Every price is in exactly one of them.
func (c *priceCount) ranges() []priceRange {
	if c.total == 0 {
		return nil
	}
	slices.Sort(c.some)
	var starts []int64
	for i := 1; i < ranges; i++ {
		at := round(c.some[len(c.some)*i/ranges])
		if at > c.least && at <= c.most && (len(starts) == 0 || at > starts[len(starts)-1]) {
			starts = append(starts, at)
		}
	}
	out := make([]priceRange, 0, len(starts)+1)
	from := int64(0)
	for i := range len(starts) + 1 {
		r := priceRange{min: from}
		if i < len(starts) {
			r.max, r.count = starts[i]-1, c.between(from, starts[i])
		} else {
			r.max, r.count = roundUp(c.most), c.total
			for _, before := range out {
				r.count -= before.count
			}
		}
		if r.count > 0 {
			out = append(out, r)
			from = r.max + 1
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

// maxRounds is how many round numbers there are.
const maxRounds = 54

// rounds are the round numbers, in order.
var rounds = func() []int64 {
	var all []int64
	for unit := int64(1); unit <= 1e17; unit *= 10 {
		all = append(all, unit, 2*unit, 5*unit)
	}
	return all
}()
