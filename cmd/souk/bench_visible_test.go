package main

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/control"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// BenchmarkVisible is how long it takes until a search shows what a seller has changed, from the
// acknowledgement on, while the real catalogue is imported as fast as it goes.
func BenchmarkVisible(b *testing.B) {
	feed := catalogueFeed(b)
	first := partOf(b, feed, 200)
	var took []float64
	changes, importing := 0, time.Duration(0)
	for b.Loop() {
		for range 3 {
			l := goLive(b, b.TempDir(), true)
			quiet := control.Say(func(string, ...any) {})
			_, err := importFeed(b.Context(), l.app, importIn{Path: first, Create: true}, quiet)
			require.NoError(b, err)
			var done atomic.Bool
			go func() {
				defer done.Store(true)
				began := time.Now()
				if _, err := importFeed(b.Context(), l.app, importIn{Path: feed, Create: true}, quiet); err != nil {
					b.Error(err)
				}
				importing += time.Since(began)
			}()
			goods := someGoods(b, l.app)
			for i := 0; !done.Load(); i++ {
				took = append(took, untilSeen(b, l.app, goods[i%len(goods)], int64(i)))
				changes++
			}
		}
	}
	f := found(b, "a change of stock until it shows, while %d products are imported (%d changes in %s)", 19_406, changes, importing.Round(time.Millisecond))
	f.line("%-58s   %8s %9.1f", "p50, ms", "", quantile(took, .5))
	f.atMost("p99, ms", "p99-ms", 200, quantile(took, .99))
	f.print()
}

// someGoods are listings to change.
func someGoods(b *testing.B, a *app) []catalog.Listing {
	b.Helper()
	reply, err := a.ask.catalog.ListListings(b.Context(), catalog.ListListingsRequest{
		By: actor.System(""), Status: catalog.ListingActive, Page: page.Request{Limit: 20},
	})
	require.NoError(b, err)
	require.NotEmpty(b, reply.Listings)
	return reply.Listings
}

// untilSeen sells a listing out, or has it again, and says how many milliseconds after that was
// acknowledged a search says so.
func untilSeen(b *testing.B, a *app, l catalog.Listing, i int64) float64 {
	b.Helper()
	seen := func() bool {
		reply, err := a.ask.search.Query(b.Context(), search.QueryRequest{
			Text: l.Title, Exact: new(true), Filter: search.Filter{Sellers: []catalog.SellerID{l.Seller}}, Page: page.Request{Limit: 100},
		})
		require.NoError(b, err)
		for _, h := range reply.Hits {
			if h.Listing == l.ID {
				return h.InStock
			}
		}
		return false
	}
	quantity := int64(0)
	if !seen() {
		quantity = 1 + i
	}
	_, err := a.ask.catalog.AdjustStock(b.Context(), catalog.AdjustStockRequest{
		By: actor.System(""), Key: id.New("key_"), Variant: l.Variants[0].ID, Kind: catalog.MoveCount, Quantity: quantity, Why: "counted",
	})
	require.NoError(b, err)
	for began := time.Now(); ; {
		if seen() == (quantity > 0) {
			return float64(time.Since(began).Microseconds()) / 1000
		}
		require.Less(b, time.Since(began), time.Minute)
	}
}
