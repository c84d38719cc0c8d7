package orderssvc_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
	"souk/internal/platform/store/storetest"
)

// working runs the module's jobs until the test ends, as the program does.
func (h *house) working() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.svc.Module().Jobs.Run(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		require.NoError(h.t, <-done)
	})
}

// all are everyone's orders.
func (h *house) all(status orders.Status) []orders.Summary {
	h.t.Helper()
	reply, err := h.svc.ListOrders(h.t.Context(), orders.ListOrdersRequest{By: actor.System(""), All: true, Status: status, Page: page.Request{Limit: 100}})
	require.NoError(h.t, err)
	return reply.Orders
}

func TestTenTabsWithTenKeysMakeOneOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.working()
	p := h.purchase(paymentstest.OK)
	var tabs sync.WaitGroup
	for range 10 {
		tabs.Go(func() {
			r := p.request
			r.Key, r.WaitMillis = orderstest.Key(), 20_000
			reply, err := h.svc.Checkout(t.Context(), r)
			switch {
			case errors.Is(err, orders.ErrCheckoutOpen):
			case err != nil:
				t.Error(err)
			case reply.Status == orders.StatusRejected:
				assert.Equal(t, orders.ReasonCartTaken, reply.Reason)
			default:
				assert.Equal(t, orders.StatusPlaced, reply.Status)
			}
		})
	}
	tabs.Wait()
	require.NoError(t, h.runDue(t.Context()))
	assert.Len(t, h.all(orders.StatusPlaced), 1)
	assert.Empty(t, h.all(orders.StatusPending))
	assert.Equal(t, 1, h.Carts.Claims(p.quote.Cart))
}

func TestOneKeyFromTenClientsIsOneOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.working()
	p := h.purchase(paymentstest.OK)
	p.request.WaitMillis = 20_000
	answers := make([]orders.CheckoutReply, 10)
	var clients sync.WaitGroup
	for i := range answers {
		clients.Go(func() {
			var err error
			answers[i], err = h.svc.Checkout(t.Context(), p.request)
			assert.NoError(t, err)
		})
	}
	clients.Wait()
	for _, a := range answers {
		assert.Equal(t, answers[0], a)
		assert.Equal(t, orders.StatusPlaced, a.Status)
	}
	require.NoError(t, h.runDue(t.Context()))
	assert.Len(t, h.payments(answers[0].Order), 1)
	assert.Len(t, h.all(orders.StatusPlaced), 1)
}

func TestTenHandsOnOnePart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.purchase(paymentstest.OK)
	which := h.checkout(p)
	require.NoError(t, h.runDue(t.Context()))
	so := h.order(which).SellerOrders[0] // three pieces
	one := []orders.ParcelItem{{Line: so.Lines[0].ID, Quantity: 1}}
	var done sync.Map
	var hands sync.WaitGroup
	for i := range 10 {
		hands.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = h.svc.Ship(t.Context(), orders.ShipRequest{By: orderstest.Staff(so.Seller), Key: orderstest.Key(), SellerOrder: so.ID, Items: one})
			} else {
				_, err = h.svc.Cancel(t.Context(), orders.CancelRequest{By: p.request.By, Key: orderstest.Key(), SellerOrder: so.ID, Items: one})
			}
			if err == nil {
				done.Store(i, true)
				return
			}
			assert.ErrorIs(t, err, orders.ErrQuantity)
		})
	}
	hands.Wait()
	n := 0
	done.Range(func(any, any) bool { n++; return true })
	assert.Equal(t, 3, n)
	require.NoError(t, h.runDue(t.Context()))
	assert.Zero(t, h.stock(p.offers[0]).Allocated)
	assert.Zero(t, h.fact(which).Due)
}

// TestWhatACheckoutCosts holds the statements and commits of one checkout of two sellers in the
// database of orders, so that nobody adds one unseen.
func TestWhatACheckoutCosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil, storetest.Once(), storetest.SQLite()) // a published event costs one less on PostgreSQL
	p := h.purchase(paymentstest.OK)
	jobs := h.svc.Module().Jobs
	_, err := jobs.RunDue(t.Context()) // takes up what a crash has left, once
	require.NoError(t, err)
	before := h.db.Stats()
	h.checkout(p)
	began := h.db.Stats()
	_, err = jobs.RunDue(t.Context())
	require.NoError(t, err)
	after := h.db.Stats()

	start, drive := began.Sub(before), after.Sub(began)
	assert.Equal(t, int64(1), start.Commits)
	assert.Equal(t, int64(6), start.Statements, "the key twice, the order, its saga, its job; where it stands")
	assert.Equal(t, int64(5), drive.Commits, "the job taken, frozen, placed, finished, the job done")
	assert.Equal(t, int64(25), drive.Statements)
}

func TestJobsOfOthersThatAreAwayAreNotGivenUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.purchase(paymentstest.OK)
	which := h.checkout(p)
	require.NoError(t, h.runDue(t.Context()))
	require.NoError(t, h.Payments.Pause(t.Context()))
	so := h.order(which).SellerOrders[0]
	_, err := h.svc.Cancel(t.Context(), orders.CancelRequest{By: p.request.By, Key: orderstest.Key(), SellerOrder: so.ID})
	require.NoError(t, err)
	for range 100 {
		h.pass(5 * time.Minute)
	}
	stats, err := h.svc.Module().Jobs.Stats(t.Context())
	require.NoError(t, err)
	for _, kind := range stats {
		assert.Zero(t, kind.Dead, kind.Kind)
	}
	require.NoError(t, h.Payments.Resume(t.Context()))
	h.pass(5 * time.Minute)
	assert.Zero(t, h.fact(which).Due)
}
