package docset_test

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/search/searchsvc/internal/docset"
)

// sorted draws documents below size, in order.
func sorted(t *rapid.T, size int, name string) []uint32 {
	all := rapid.SliceOfNDistinct(rapid.Uint32Range(0, uint32(size-1)), 0, size, rapid.ID[uint32]).Draw(t, name)
	if rapid.Bool().Draw(t, name+" few") {
		all = all[:min(len(all), size/40)]
	}
	slices.Sort(all)
	return all
}

func members(s docset.Set) []uint32 {
	all := []uint32{}
	s.Each(func(doc uint32) { all = append(all, doc) })
	return all
}

func of(words []uint64) []uint32 {
	all := []uint32{}
	docset.Each(words, func(doc uint32) { all = append(all, doc) })
	return all
}

func keep(list []uint32, in func(uint32) bool) []uint32 {
	all := []uint32{}
	for _, doc := range list {
		if in(doc) {
			all = append(all, doc)
		}
	}
	return all
}

// TestSetsAreWhatListsAre compares every operation with the same on plain lists.
func TestSetsAreWhatListsAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 400).Draw(t, "size")
		a, b := sorted(t, size, "a"), sorted(t, size, "b")
		one, two := docset.Of(a, size), docset.Of(b, size)
		inA := func(doc uint32) bool { return slices.Contains(a, doc) }
		inB := func(doc uint32) bool { return slices.Contains(b, doc) }
		require.Equal(t, append([]uint32{}, a...), members(one))
		require.Equal(t, len(a), one.Len())
		for doc := range uint32(size) + 70 {
			require.Equal(t, inA(doc), one.Has(doc))
		}
		both := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(a), b...))))
		require.Equal(t, append([]uint32{}, both...), members(docset.Union([]docset.Set{one, two}, size)))
		require.Equal(t, keep(a, inB), members(docset.Intersection([]docset.Set{one, two})))
		words := docset.Scratch(docset.Words(size))
		one.Or(words)
		require.Equal(t, append([]uint32{}, a...), of(words))
		two.And(words)
		require.Equal(t, keep(a, inB), of(words))
		require.Equal(t, keep(a, inB), members(docset.OfBits(slices.Clone(words))))
		docset.Free(words)

		after := rapid.Int64Range(-1, int64(size)).Draw(t, "after")
		later := []uint32{}
		one.EachAfter(after, func(doc uint32) { later = append(later, doc) })
		require.Equal(t, keep(a, func(doc uint32) bool { return int64(doc) > after }), later)

		more := make([]uint32, 0, len(b))
		for _, doc := range b {
			more = append(more, doc+uint32(size))
		}
		require.Equal(t, append(append([]uint32{}, a...), more...), members(one.With(more, 2*size)))
		require.Equal(t, append([]uint32{}, a...), members(one), "and it has not changed")
	})
}

// TestPlanesAreNumbers changes numbers, and compares what is within limits with a plain look.
func TestPlanesAreNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		numbers := make([]uint64, rapid.SampledFrom([]int{1, 64, 150, 40_000}).Draw(t, "size"))
		number := rapid.OneOf(rapid.Uint64Max(3), rapid.Uint64Max(100), rapid.Uint64(), rapid.Just(uint64(math.MaxUint64)))
		var planes docset.Planes
		for range rapid.IntRange(0, 200).Draw(t, "changes") {
			doc, is := rapid.IntRange(0, len(numbers)-1).Draw(t, "doc"), number.Draw(t, "is")
			planes.Change(uint32(doc), numbers[doc], is)
			numbers[doc] = is
		}
		low, high := number.Draw(t, "low"), number.Draw(t, "high")
		in := docset.Of(sorted(t, len(numbers), "in"), len(numbers))
		base := make([]uint64, docset.Words(len(numbers)))
		in.Or(base)
		planes.Within(base, low, high)
		for doc, n := range numbers {
			if is := in.Has(uint32(doc)) && n >= low && n <= high; planes.Of(uint32(doc)) != n || docset.Test(base, uint32(doc)) != is {
				t.Fatalf("document %d, which has %d: %d, within %d to %d: %t", doc, n, planes.Of(uint32(doc)), low, high, !is)
			}
		}
	})
}

// TestPlanesFindWhatSortingFinds compares the best of all with those of a plain look.
func TestPlanesFindWhatSortingFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 300).Draw(t, "size")
		in := sorted(t, size, "base")
		base := make([]uint64, docset.Words(size))
		docset.Of(in, size).Or(base)
		var sets []docset.Weighted
		want := map[uint32]uint64{}
		for range rapid.IntRange(0, 5).Draw(t, "sets") {
			list, weight := sorted(t, size, "set"), rapid.Uint32Range(0, 31).Draw(t, "weight")
			sets = append(sets, docset.Weighted{Set: docset.Of(list, size), Weight: weight})
			for _, doc := range list {
				want[doc] += uint64(weight)
			}
		}
		planes := docset.Sums(base, sets)
		for _, doc := range in {
			require.Equal(t, want[doc], planes.Of(doc))
		}
		k := rapid.IntRange(1, 50).Draw(t, "k")
		top, cut := planes.Top(base, k)
		require.LessOrEqual(t, bits.Len64(cut), len(planes))
		reach := keep(in, func(doc uint32) bool { return want[doc] >= cut })
		require.GreaterOrEqual(t, len(reach), min(k, len(in)))
		if len(in) <= k {
			require.Zero(t, cut)
		}
		above := 0
		for _, doc := range in {
			if want[doc] > cut {
				above++
			}
		}
		require.LessOrEqual(t, above, 2*k, "no more than ties let it")
		require.Equal(t, reach, of(top))
		planes.AtLeast(base, cut)
		require.Equal(t, reach, of(base))
	})
}

// TestTheBestOfMany finds them also where a sample says nothing about the rest: what is looked at first has the most, or nothing.
func TestTheBestOfMany(t *testing.T) {
	t.Parallel()
	const size = 60_000
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for name, number := range map[string]func(doc uint32) uint64{
		"by lot":               func(uint32) uint64 { return r.Uint64N(1 << 18) },
		"few different":        func(uint32) uint64 { return r.Uint64N(3) },
		"more towards the end": func(doc uint32) uint64 { return uint64(doc) + r.Uint64N(100) },
		"all alike":            func(uint32) uint64 { return 7 },
		"the sample has most":  func(doc uint32) uint64 { return r.Uint64N(1000) + 1000*uint64(1-min(doc/64%16, 1)) },
		"the sample has least": func(doc uint32) uint64 { return r.Uint64N(1000) + 1000*uint64(min(doc/64%16, 1)) },
	} {
		for _, share := range []int{2, 10, 100} {
			base := make([]uint64, docset.Words(size))
			var planes docset.Planes
			var numbers []uint64
			for doc := range uint32(size) {
				n := number(doc)
				planes.Change(doc, 0, n)
				if r.IntN(share) == 0 {
					base[doc/64] |= 1 << (doc % 64)
					numbers = append(numbers, n)
				}
			}
			for _, k := range []int{1, 10, 300} {
				top, cut := planes.Top(base, k)
				reach := slices.Clone(base)
				planes.AtLeast(reach, cut)
				what := fmt.Sprintf("%s, one of %d, the best %d", name, share, k)
				require.Equal(t, of(reach), of(top), what)
				require.GreaterOrEqual(t, len(of(top)), min(k, len(numbers)), what)
				above := 0
				for _, n := range numbers {
					if n > cut {
						above++
					}
				}
				require.LessOrEqual(t, above, 2*k, what)
				docset.Free(top)
			}
		}
	}
}
