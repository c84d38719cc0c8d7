// Package bloom says which of many words were surely never seen: a Bloom filter (Burton H. Bloom,
// Space/Time Trade-offs in Hash Coding with Allowable Errors, CACM 13, 1970) of fixed size. One
// that it has not is not there; one that it has is, but for a chance of one in 1,800 with 60,000
// words in it, one in sixty with 200,000, one in eight with half a million.
package bloom

import "encoding/binary"

const (
	logBits = 21 // 256 KB
	hashes  = 3
)

// Filter remembers words by their hashes. The zero value has none, and is read as such.
type Filter struct{ bits []uint64 }

// Hash is the hash of a word, the same for ever (FNV-1a, folded to 32 bits): it is stored.
func Hash(word string) uint32 {
	h := uint64(14695981039346656037)
	for i := range len(word) {
		h = (h ^ uint64(word[i])) * 1099511628211
	}
	return uint32(h ^ h>>32) //nolint:gosec // folded on purpose
}

// mix spreads a hash over 64 bits, from which its places are cut (the finaliser of SplitMix64).
func mix(hash uint32) uint64 {
	z := uint64(hash) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func places(hash uint32) (at [hashes]uint32) {
	z := mix(hash)
	for i := range at {
		at[i] = uint32(z>>(logBits*i)) & (1<<logBits - 1) //nolint:gosec // masked
	}
	return at
}

// Add has the filter know a word, and says whether it seemed new.
func (f *Filter) Add(hash uint32) (fresh bool) {
	if f.bits == nil {
		f.bits = make([]uint64, 1<<logBits/64)
	}
	for _, at := range places(hash) {
		fresh = fresh || f.bits[at/64]&(1<<(at%64)) == 0
		f.bits[at/64] |= 1 << (at % 64)
	}
	return fresh
}

// Has says whether a word may have been added.
func (f *Filter) Has(hash uint32) bool {
	if f.bits == nil {
		return false
	}
	for _, at := range places(hash) {
		if f.bits[at/64]&(1<<(at%64)) == 0 {
			return false
		}
	}
	return true
}

// Append appends a hash to others as they are stored: four bytes each.
func Append(to []byte, hash uint32) []byte { return binary.BigEndian.AppendUint32(to, hash) }

// AddAll adds hashes that were stored.
func (f *Filter) AddAll(stored []byte) {
	for ; len(stored) >= 4; stored = stored[4:] {
		f.Add(binary.BigEndian.Uint32(stored))
	}
}
