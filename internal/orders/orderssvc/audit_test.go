package orderssvc_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/audit"
	"souk/internal/platform/store"
)

// TestPlantedViolations breaks each invariant that the module checks of itself.
func TestPlantedViolations(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"orders.shares_add_up":    `UPDATE seller_orders SET total = total + 1, goods = goods + 1`,
		"orders.refunds_add_up":   `UPDATE orders SET refunded = 1`,
		"orders.placed_has_parts": `UPDATE orders SET status = 'placed'`,
		"orders.parcels_add_up":   `UPDATE order_lines SET shipped = 1`,
		"orders.has_saga":         `DELETE FROM sagas`,
	}
	for name, plant := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			p := h.purchase(paymentstest.OK)
			h.checkout(p)
			if name != "orders.placed_has_parts" {
				require.NoError(t, h.runDue(t.Context()))
			}
			reply, err := h.svc.Audit(t.Context(), auditAll)
			require.NoError(t, err)
			require.Empty(t, reply.Problems)
			require.NoError(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(plant)
				return err
			}))
			reply, err = h.svc.Audit(t.Context(), auditAll)
			require.NoError(t, err)
			var found []string
			for _, problem := range reply.Problems {
				found = append(found, problem.Invariant)
			}
			assert.Contains(t, found, name)
		})
	}
}

func TestFactsComeInPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	want := map[orders.OrderID]bool{}
	for range 5 {
		want[h.checkout(h.purchase(paymentstest.Redirect))] = true
	}
	require.NoError(t, h.runDue(t.Context()))
	r, pages := audit.Request{Limit: 2}, 0
	for {
		reply, err := h.svc.Audit(t.Context(), r)
		require.NoError(t, err)
		pages++
		for _, f := range reply.Orders {
			assert.True(t, want[f.ID])
			delete(want, f.ID)
			assert.Equal(t, orders.SagaParked, f.Saga)
			assert.Equal(t, "authorise", f.Step)
			assert.Equal(t, orderstest.Start.Add(15*time.Minute), f.Deadline)
			assert.Equal(t, f.Deadline, f.Due)
			assert.Equal(t, fmt.Sprintf("%s:claim", f.ID), f.Claim)
		}
		if reply.Next == "" {
			break
		}
		r.Cursor = reply.Next
	}
	assert.Empty(t, want)
	assert.Equal(t, 3, pages)
}

func TestStaffAndOperatorsLeaveAnAuditRow(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.purchase(paymentstest.OK)
	which := h.checkout(p)
	require.NoError(t, h.runDue(t.Context()))
	so := h.order(which).SellerOrders[0]
	one := []orders.ParcelItem{{Line: so.Lines[0].ID, Quantity: 1}}
	_, err := h.svc.Ship(t.Context(), orders.ShipRequest{By: orderstest.Staff(so.Seller), Key: orderstest.Key(), SellerOrder: so.ID, Items: one})
	require.NoError(t, err)
	_, err = h.svc.Cancel(t.Context(), orders.CancelRequest{By: orderstest.Operator(), Key: orderstest.Key(), SellerOrder: so.ID, Items: one, Why: "broken"})
	require.NoError(t, err)
	_, err = h.svc.Cancel(t.Context(), orders.CancelRequest{By: p.request.By, Key: orderstest.Key(), SellerOrder: so.ID, Items: one})
	require.NoError(t, err)
	var actions []string
	require.NoError(t, h.db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&actions, `SELECT action || ' ' || subject || ' ' || why FROM audit_log`)
	}))
	assert.ElementsMatch(t, []string{
		"orders.ship " + string(so.ID) + " ", "orders.cancel " + string(so.ID) + " broken",
	}, actions)
}
