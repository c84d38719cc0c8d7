package docset_test

import (
	"math/rand/v2"
	"testing"

	"souk/internal/search/searchsvc/internal/docset"
)

// BenchmarkTop finds the best 1,200 of 300,000 among a million by 22 bits.
func BenchmarkTop(b *testing.B) {
	const size, planes = 1_000_000, 22
	r := rand.New(rand.NewPCG(1, 2))
	base := make([]uint64, docset.Words(size))
	var p docset.Planes
	p.Change(size-1, 0, 1<<planes-1)
	p.Change(size-1, 1<<planes-1, 0)
	for doc := range uint32(size) {
		if r.IntN(10) < 3 {
			base[doc/64] |= 1 << (doc % 64)
		}
		p.Change(doc, 0, r.Uint64N(1<<planes))
	}
	for b.Loop() {
		top, _ := p.Top(base, 1200)
		docset.Free(top)
	}
}
