package searchsvc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
	"souk/internal/search/searchtest"
)

// TestTheWholeCatalogueIsCountedExactlyAtAnySize has categories, brands and sellers counted of everything that can be seen,
// where counting one by one would be too much: after random changes, rebuilds and a start anew they are what a plain look counts.
func TestTheWholeCatalogueIsCountedExactlyAtAnySize(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(1_700_000_000_000)
	other := &another{}
	b := newBench(t, other, storetest.Once(), storetest.Clock(now.Now))
	rapid.Check(t, func(rt *rapid.T) {
		goods := newStock(t, now.Now)
		other.Service = catalogtest.NewFake(now.Now)
		_, err := b.Rebuild(rt.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
		require.NoError(rt, err, "forget the catalog before")
		b.Limit(20, 4)
		other.Service = goods
		plain := searchtest.NewFake(goods.Fake)
		heard := 0
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			for range rapid.IntRange(1, 20).Draw(rt, "changes") {
				now.Advance(1_000_000_000)
				goods.change(rt)
			}
			require.NoError(rt, b.hear(rt.Context(), goods.Events()[heard:]))
			heard = len(goods.Events())
			if rapid.IntRange(0, 4).Draw(rt, "rebuild") == 0 {
				_, err := b.Rebuild(rt.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
				require.NoError(rt, err)
			}
			r := search.QueryRequest{Facets: true, Sort: search.SortNewest, Page: pageOf(1)}
			exact := []search.FacetKind{search.FacetCategory, search.FacetBrand, search.FacetSeller}
			switch rapid.IntRange(0, 3).Draw(rt, "narrowed by") { // a facet is counted without its own filter
			case 1:
				r.Filter.Path, exact = "home", exact[:1]
			case 2:
				r.Filter.Brands, exact = []string{"Elm"}, exact[1:2]
			case 3:
				r.Filter.Sellers, exact = goods.sellers[:1], exact[2:]
			}
			want, err := plain.Query(rt.Context(), r)
			require.NoError(rt, err)
			got, err := b.Query(rt.Context(), r)
			require.NoError(rt, err)
			require.Equal(rt, want.Total, got.Total)
			for _, kind := range exact {
				f := facetOf(rt, got, kind)
				require.False(rt, f.Approximate, "%s of %d", kind, got.Total)
				require.Equal(rt, valuesOf(facetOf(rt, want, kind)), valuesOf(f), kind)
			}
		}
	})
}

// TestNearlyTheWholeCatalogueIsCountedByWhatItLacks has few listings filtered away, and then more than may be counted.
func TestNearlyTheWholeCatalogueIsCountedByWhatItLacks(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 600 {
		d := catalogtest.Draft("Lamp", 1000, int64(min(1, i%50))) // one of fifty is sold out
		d.Brand = []string{"Elm", "Oak", "Ash"}[i%3]
		goods.AddListing(by.ID, d)
	}
	b := newBench(t, goods, storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	brands := func(counted int) search.Facet {
		b.Limit(100, counted)
		reply, err := b.Query(t.Context(), search.QueryRequest{Facets: true, Sort: search.SortNewest, Filter: search.Filter{InStock: true}, Page: pageOf(1)})
		require.NoError(t, err)
		require.EqualValues(t, 588, reply.Total)
		return facetOf(t, reply, search.FacetBrand)
	}
	exact := brands(12)
	assert.False(t, exact.Approximate)
	assert.Equal(t, map[string]int64{"elm": 196, "oak": 196, "ash": 196}, valuesOf(exact))
	assert.True(t, brands(11).Approximate, "twelve are lacking")
}

func facetOf(t require.TestingT, r search.QueryReply, kind search.FacetKind) search.Facet {
	for _, f := range r.Facets {
		if f.Kind == kind {
			return f
		}
	}
	require.Fail(t, fmt.Sprintf("no facet %s", kind))
	return search.Facet{}
}

// valuesOf are the counts that are not nothing, by value however it is spelt.
func valuesOf(f search.Facet) map[string]int64 {
	out := map[string]int64{}
	for _, v := range f.Values {
		if v.Count > 0 {
			out[strings.ToLower(v.Value)] = v.Count
		}
	}
	return out
}
