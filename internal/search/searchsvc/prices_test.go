package searchsvc

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/money"
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
	w := &walk{shelf: sh, limits: usualLimits, marks: marks{Docs: docs}}
	prices := w.countPrices(sh.visible, 1)
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
