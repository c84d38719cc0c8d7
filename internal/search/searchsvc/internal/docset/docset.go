// Package docset has sets of documents, which are small numbers without large gaps: bitmaps
// for what many documents have, sorted lists for what few have.
package docset

import (
	"math/bits"
	"slices"
	"sync"
)

// sparse is the share of all documents, one in so many, below which a set is a list: a list
// has 32 bits for each of its own, a bitmap one for each that there is.
const sparse = 32

// Set is a set of documents. It never changes once made, so many may read it at once.
type Set struct {
	words []uint64 // a bitmap, or
	list  []uint32 // what is in it, in order
	count int
}

// Of is the set of a sorted list without repetitions, among documents below size.
func Of(list []uint32, size int) Set {
	if len(list) <= size/sparse {
		return Set{list: list, count: len(list)}
	}
	words := make([]uint64, Words(size))
	for _, doc := range list {
		if int(doc) < size {
			words[doc/64] |= 1 << (doc % 64)
		}
	}
	return Set{words: words, count: Count(words)}
}

// OfBits is the set of a bitmap, which is the set's from now on.
func OfBits(words []uint64) Set {
	count := Count(words)
	if count > len(words)*64/sparse {
		return Set{words: words, count: count}
	}
	list := make([]uint32, 0, count)
	Each(words, func(doc uint32) { list = append(list, doc) })
	return Set{list: list, count: count}
}

// Words is how many words a bitmap of size documents has.
func Words(size int) int { return (size + 63) / 64 }

// Count is how many bits of a bitmap are set.
func Count(words []uint64) int {
	n := 0
	for _, w := range words {
		n += bits.OnesCount64(w)
	}
	return n
}

// Each calls fn for every bit that is set, in order.
func Each(words []uint64, fn func(doc uint32)) {
	for i, w := range words {
		for base := uint32(i) * 64; w != 0; w &= w - 1 { //nolint:gosec // documents are numbered in 32 bits
			fn(base + uint32(bits.TrailingZeros64(w))) //nolint:gosec // below 64
		}
	}
}

// Test says whether a bitmap has doc.
func Test(words []uint64, doc uint32) bool {
	return int(doc/64) < len(words) && words[doc/64]>>(doc%64)&1 != 0
}

// Len is how many documents are in the set.
func (s Set) Len() int { return s.count }

// Bytes is about how much memory the set has.
func (s Set) Bytes() int { return 8*len(s.words) + 4*len(s.list) + 64 }

// CountIn is how many of the set's documents a bitmap has.
func (s Set) CountIn(words []uint64) int {
	n := 0
	if s.words == nil {
		for _, doc := range s.list {
			if Test(words, doc) {
				n++
			}
		}
		return n
	}
	for i, w := range s.words[:min(len(words), len(s.words))] {
		n += bits.OnesCount64(w & words[i])
	}
	return n
}

// IsList says whether the set is a list.
func (s Set) IsList() bool { return s.words == nil }

// Bits is the set's bitmap; nil if it is a list. It is read only.
func (s Set) Bits() []uint64 { return s.words }

// List is the set's list; nil if it is a bitmap. It is read only.
func (s Set) List() []uint32 { return s.list }

// Has says whether doc is in the set.
func (s Set) Has(doc uint32) bool {
	if s.words != nil {
		return Test(s.words, doc)
	}
	_, found := slices.BinarySearch(s.list, doc)
	return found
}

// Each calls fn for every document of the set, in order.
func (s Set) Each(fn func(doc uint32)) {
	if s.words != nil {
		Each(s.words, fn)
		return
	}
	for _, doc := range s.list {
		fn(doc)
	}
}

// EachAfter calls fn for every document of the set above after, in order.
func (s Set) EachAfter(after int64, fn func(doc uint32)) {
	if s.words == nil {
		i, _ := slices.BinarySearchFunc(s.list, after, func(doc uint32, after int64) int {
			if int64(doc) <= after {
				return -1
			}
			return 1
		})
		for _, doc := range s.list[i:] {
			fn(doc)
		}
		return
	}
	first := (after + 1) / 64
	if first >= int64(len(s.words)) {
		return
	}
	base := uint32(first) * 64 //nolint:gosec // documents are numbered in 32 bits
	Each(s.words[first:], func(doc uint32) {
		if doc += base; int64(doc) > after {
			fn(doc)
		}
	})
}

// With is the set with further documents, which come after all of its own, among documents
// below size.
func (s Set) With(more []uint32, size int) Set {
	if s.words == nil {
		return Of(append(slices.Clip(s.list), more...), size)
	}
	words := make([]uint64, max(Words(size), len(s.words)))
	copy(words, s.words)
	for _, doc := range more {
		words[doc/64] |= 1 << (doc % 64)
	}
	return Set{words: words, count: s.count + len(more)}
}

// And takes out of a bitmap what is not in the set.
func (s Set) And(words []uint64) {
	if s.words == nil {
		s.andList(words)
		return
	}
	n := min(len(words), len(s.words))
	for i, w := range s.words[:n] {
		words[i] &= w
	}
	clear(words[n:])
}

func (s Set) andList(words []uint64) {
	next := 0
	for i := range words {
		mask := uint64(0)
		for next < len(s.list) && int(s.list[next]/64) == i {
			mask |= 1 << (s.list[next] % 64)
			next++
		}
		words[i] &= mask
	}
}

// Or puts the set into a bitmap, as far as that goes.
func (s Set) Or(words []uint64) {
	if s.words != nil {
		n := min(len(words), len(s.words))
		for i, w := range s.words[:n] {
			words[i] |= w
		}
		return
	}
	for _, doc := range s.list {
		if int(doc/64) < len(words) {
			words[doc/64] |= 1 << (doc % 64)
		}
	}
}

// Union is what is in any of the sets, among documents below size.
func Union(sets []Set, size int) Set {
	if len(sets) == 1 {
		return sets[0]
	}
	total, lists := 0, true
	for _, s := range sets {
		total += s.count
		lists = lists && s.IsList()
	}
	if lists && total <= size/sparse {
		all := make([]uint32, 0, total)
		for _, s := range sets {
			all = append(all, s.list...)
		}
		slices.Sort(all)
		all = slices.Compact(all)
		return Set{list: all, count: len(all)}
	}
	words := make([]uint64, Words(size))
	for _, s := range sets {
		s.Or(words)
	}
	return OfBits(words)
}

// Intersection is what is in every one of the sets.
func Intersection(sets []Set) Set {
	if len(sets) == 0 {
		return Set{}
	}
	least := slices.MinFunc(sets, func(a, b Set) int { return a.count - b.count })
	if least.IsList() {
		list := make([]uint32, 0, least.count)
	next:
		for _, doc := range least.list {
			for i := range sets {
				if !sets[i].Has(doc) {
					continue next
				}
			}
			list = append(list, doc)
		}
		return Set{list: list, count: len(list)}
	}
	words := slices.Clone(least.words)
	for _, s := range sets {
		s.And(words)
	}
	return OfBits(words)
}

var spare sync.Pool

// Scratch is a bitmap of n words with nothing in it, for a while.
func Scratch(n int) []uint64 {
	if got, ok := spare.Get().(*[]uint64); ok && cap(*got) >= n {
		words := (*got)[:n]
		clear(words)
		return words
	}
	return make([]uint64, n, n+n/8)
}

// Free gives bitmaps from Scratch back.
func Free(all ...[]uint64) {
	for _, words := range all {
		if words != nil {
			spare.Put(&words)
		}
	}
}
