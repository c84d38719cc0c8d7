package searchsvc

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
)

// TestARareCurrencyHasPrices counts prices of which only some are kept, where nearly all are in another currency.
func TestARareCurrencyHasPrices(t *testing.T) {
	t.Parallel()
	sh := newShelf(1)
	sh.takeSeller(sellerRow{ID: "sel_1", Name: "North", Approved: true})
	const docs = 10 * somePrices
	for i := int64(1); i <= docs; i++ {
		row := shelfRow{Doc: i, ID: catalog.ListingIDs.New(), Seller: "sel_1", Shown: true, Title: "lamp", Currency: "EUR", From: i}
		if i == docs/2 {
			row.Currency = "USD"
		}
		sh.takeListing(&row)
	}
	w := &walk{shelf: sh, limits: limits{counted: docs}, marks: marks{Docs: docs}}
	prices := w.count(sh.visible, search.FacetPrice).prices
	for currency, total := range map[money.Currency]int64{"EUR": docs - 1, "USD": 1} {
		c := &prices[sh.moneyAt[currency]]
		require.Equal(t, total, c.total, currency)
		for name, ranges := range map[string][]priceRange{"ranges": c.ranges(), "bars": c.bars()} {
			sum := int64(0)
			for _, r := range ranges {
				sum += r.count
			}
			assert.InDelta(t, total, sum, 1, "%s in %s", name, currency)
		}
	}
}

func TestABucketIsWhatRoundNumbersAreBelow(t *testing.T) {
	t.Parallel()
	prices := []int64{0, math.MaxInt64}
	for _, r := range rounds {
		prices = append(prices, r-1, r, r+1)
	}
	for _, price := range prices {
		want := 0
		for _, r := range rounds {
			if r <= price {
				want++
			}
		}
		require.Equal(t, want, bucketOf(price), "of %d", price)
	}
}

func TestARangeIsWhatAPlainLookFinds(t *testing.T) {
	t.Parallel()
	lot := rand.New(rand.NewPCG(1, 2))
	w := &walk{shelf: newShelf(1), marks: marks{Docs: 130}}
	w.grow(130) // the last word is not full
	w.moneyAt["EUR"], w.moneyAt["USD"] = 1, 2
	prices := []int64{0, 1, 5, 50, 99, 100, 101, math.MaxInt64}
	for range 2000 {
		w.setPrice(uint32(lot.IntN(131)), prices[lot.IntN(len(prices))], uint8(lot.IntN(3)))
		w.base = []uint64{lot.Uint64(), lot.Uint64() & lot.Uint64() & lot.Uint64(), lot.Uint64() & 7}
		low, high, currency := prices[lot.IntN(len(prices))], prices[lot.IntN(len(prices))], money.Currency([]string{"EUR", "USD"}[lot.IntN(2)])
		w.narrow, w.filter = nil, search.Filter{Currency: currency, PriceMin: &low, PriceMax: &high}
		w.prepare()
		for doc := range uint32(131) {
			want := docset.Test(w.base, doc) && w.traits[doc].money == w.moneyAt[currency] && w.from[doc] >= low && w.from[doc] <= high
			require.Equal(t, want, docset.Test(w.narrow[0].pass, doc), "%d of %s from %d to %d", w.from[doc], currency, low, high)
		}
	}
}
