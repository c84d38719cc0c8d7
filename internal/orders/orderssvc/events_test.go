package orderssvc_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/store"
)

// TestACancellationSaysWhatOfEachVariant holds what a subscriber needs to count sales without asking back.
func TestACancellationSaysWhatOfEachVariant(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.purchase("sandbox_ok")
	which := h.checkout(p)
	require.NoError(t, h.runDue(t.Context()))
	so := h.order(which).SellerOrders[0]
	for range 2 {
		_, err := h.svc.Cancel(t.Context(), orders.CancelRequest{
			By: p.request.By, Key: orderstest.Key(), SellerOrder: so.ID, Items: []orders.ParcelItem{{Line: so.Lines[0].ID, Quantity: 1}},
		})
		require.NoError(t, err)
	}
	var bodies []string
	require.NoError(t, h.db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&bodies, `SELECT body FROM event_log WHERE name = ? ORDER BY position`, orders.Cancelled{}.EventName())
	}))
	require.Len(t, bodies, 2)
	for i, body := range bodies {
		var e orders.Cancelled
		require.NoError(t, json.Unmarshal([]byte(body), &e))
		assert.Equal(t, []orders.CancelledLine{{
			ListingID: p.offers[0].Listing, VariantID: p.offers[0].Variant, Quantity: 1, Cancelled: int64(i + 1),
		}}, e.Lines)
	}
}
