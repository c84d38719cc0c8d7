package orderssvc_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/orders/orderssvc"
	"souk/internal/orders/orderstest"
	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
	"souk/internal/platform/rpc"
	"souk/internal/platform/store"
)

// events counts what orders published of an order, by name.
func (h *house) events(which orders.OrderID) map[string]int {
	h.t.Helper()
	var names []string
	require.NoError(h.t, h.db.Read(h.t.Context(), func(q store.Queryer) error {
		return q.Select(&names, `SELECT name FROM event_log WHERE key = ?`, which)
	}))
	counts := map[string]int{}
	for _, name := range names {
		counts[name]++
	}
	return counts
}

// placedOnce says that a purchase became one order, with one of everything.
func (h *house) placedOnce(p purchase, which orders.OrderID) {
	h.t.Helper()
	o := h.order(which)
	require.Equal(h.t, orders.StatusPlaced, o.Status, "%s: %s", o.Reason, o.Message)
	assert.True(h.t, o.Captured)
	assert.Equal(h.t, map[string]int{"orders.placed.v1": 1}, h.events(which))
	got := h.payments(which)
	require.Len(h.t, got, 1)
	assert.Equal(h.t, payments.StatusCaptured, got[0].Status)
	assert.Equal(h.t, p.quote.Sums.Total, got[0].Captured)
	assert.Equal(h.t, got[0].ID, o.Payment)
	assert.Equal(h.t, cart.StatusClosed, h.Carts.Status(p.quote.Cart))
	assert.Equal(h.t, 1, h.Carts.Claims(p.quote.Cart))
	for i, wanted := range []int64{3, 1} {
		s := h.stock(p.offers[i])
		assert.Equal(h.t, catalog.Stock{OnHand: 10, Allocated: wanted, Available: 10 - wanted}, catalog.Stock{
			OnHand: s.OnHand, Held: s.Held, Allocated: s.Allocated, Available: s.Available,
		})
	}
	f := h.fact(which)
	assert.Equal(h.t, orders.SagaFinished, f.Saga)
	assert.Zero(h.t, f.Due)
}

// undone says that a purchase came to nothing and left nothing behind.
func (h *house) undone(p purchase, which orders.OrderID, why ...orders.Reason) {
	h.t.Helper()
	o := h.order(which)
	require.Equal(h.t, orders.StatusRejected, o.Status)
	assert.Contains(h.t, why, o.Reason)
	assert.NotEmpty(h.t, o.Message)
	assert.Equal(h.t, map[string]int{"orders.rejected.v1": 1}, h.events(which))
	assert.Equal(h.t, cart.StatusOpen, h.Carts.Status(p.quote.Cart))
	for _, offer := range p.offers {
		s := h.stock(offer)
		assert.Equal(h.t, int64(10), s.Available)
		assert.Zero(h.t, s.Held+s.Allocated)
	}
	for _, pay := range h.payments(which) {
		assert.Contains(h.t, []payments.Status{payments.StatusVoided, payments.StatusDeclined}, pay.Status)
		assert.True(h.t, pay.Undone || pay.Status == payments.StatusDeclined)
	}
	f := h.fact(which)
	assert.Equal(h.t, orders.SagaFinished, f.Saga)
	assert.Zero(h.t, f.Due)
}

// scenario is a purchase played to its end.
type scenario struct {
	method string
	play   func(h *house, p purchase, which orders.OrderID)
	check  func(h *house, p purchase, which orders.OrderID)
}

// approve is what the buyer does once he is asked.
func approve(yes bool) func(h *house, p purchase, which orders.OrderID) {
	return func(h *house, _ purchase, which orders.OrderID) {
		for range 10 {
			reply, err := h.svc.GetCheckout(h.t.Context(), orders.GetOrderRequest{By: actor.System(""), Order: which})
			require.NoError(h.t, err)
			if reply.ActionURL != "" {
				require.NoError(h.t, h.Payments.Approve(h.t.Context(), reply.ActionURL, yes))
				break
			}
			h.pass(10 * time.Second)
		}
	}
}

var scenarios = map[string]scenario{
	"bought": {method: paymentstest.OK, check: (*house).placedOnce},
	"declined": {method: paymentstest.Declined, check: func(h *house, p purchase, which orders.OrderID) {
		h.undone(p, which, orders.ReasonDeclined)
	}},
	"approved":     {method: paymentstest.Redirect, play: approve(true), check: (*house).placedOnce},
	"not approved": {method: paymentstest.Redirect, play: approve(false), check: func(h *house, p purchase, which orders.OrderID) { h.undone(p, which, orders.ReasonDeclined) }},
	"never approved": {method: paymentstest.Redirect, check: func(h *house, p purchase, which orders.OrderID) {
		h.undone(p, which, orders.ReasonTimeout, orders.ReasonDeclined)
	}},
	"approved while we were away": {
		method: paymentstest.Redirect,
		play: func(h *house, p purchase, which orders.OrderID) {
			approve(true)(h, p, which)
			h.Clock.Advance(time.Hour)
		},
		check: (*house).placedOnce,
	},
	"refused capture": {method: paymentstest.CaptureRefused, check: (*house).stopped},
	"refused capture, tried once more": {
		method: paymentstest.CaptureRefused, check: (*house).placedOnce,
		play: func(h *house, p purchase, which orders.OrderID) {
			h.pass(10 * time.Minute)
			h.stopped(p, which)
			_, err := h.svc.RetryCapture(h.t.Context(), orders.RetryCaptureRequest{By: orderstest.Operator(), Key: orderstest.Key(), Order: which, Why: "test"})
			require.NoError(h.t, err)
		},
	},
}

// stopped says that a purchase is a case.
func (h *house) stopped(p purchase, which orders.OrderID) {
	o := h.order(which)
	assert.Equal(h.t, orders.StatusPlaced, o.Status)
	assert.False(h.t, o.Captured)
	assert.Equal(h.t, orders.SagaCase, h.fact(which).Saga)
	assert.Equal(h.t, cart.StatusClosed, h.Carts.Status(p.quote.Cart))
	cases := 0
	for _, e := range o.Timeline {
		if e.What == orders.WhatCase {
			cases++
		}
	}
	assert.Equal(h.t, 1, cases)
}

// run plays a scenario; the checkout itself may be cut off, and is then repeated by its client.
func (h *house) run(s scenario) (purchase, orders.OrderID) {
	h.t.Helper()
	p := h.purchase(s.method)
	which, cut := h.cut(p)
	if cut {
		h.svc = h.service()
		which = h.checkout(p)
	}
	require.NoError(h.t, h.runDue(h.t.Context()))
	if s.play != nil {
		s.play(h, p, which)
	}
	h.pass(25 * time.Minute)
	return p, which
}

// cut is a checkout that may be cut off.
func (h *house) cut(p purchase) (which orders.OrderID, cut bool) {
	defer func() { cut = recover() != nil }()
	return h.checkout(p), false
}

func TestACheckoutIsCutOffAnywhere(t *testing.T) {
	t.Parallel()
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var points []string
			whole := newHouse(t, nil)
			whole.at = func(point string, _ orders.OrderID) {
				mu.Lock()
				defer mu.Unlock()
				if !slices.Contains(points, point) {
					points = append(points, point)
				}
			}
			p, which := whole.run(s)
			s.check(whole, p, which)
			require.NotEmpty(t, points)
			for _, point := range points {
				t.Run(point, func(t *testing.T) {
					h := newHouse(t, nil)
					var once sync.Once
					h.at = func(here string, _ orders.OrderID) {
						if here != point {
							return
						}
						once.Do(func() {
							defer func() { h.at = func(string, orders.OrderID) {} }()
							panic("cut off " + point)
						})
					}
					p, which := h.run(s)
					s.check(h, p, which)
				})
			}
		})
	}
}

// calls is what a checkout asks of others, forward and back.
var calls = []struct{ module, method string }{
	{"cart", "Claim"},
	{"catalog", "Reserve"},
	{"payments", "Authorize"},
	{"catalog", "Confirm"},
	{"payments", "Capture"},
	{"catalog", "Allocate"},
	{"cart", "Close"},
	{"payments", "Undo"},
	{"catalog", "Release"},
	{"cart", "Release"},
}

func TestAnswersAreLostAtEveryStep(t *testing.T) {
	t.Parallel()
	faults := map[string][]rpc.Fault{
		"it is lost three times":       {{LoseReply: true}, {LoseReply: true}, {LoseReply: true}},
		"it is asked twice and lost":   {{Repeat: true, LoseReply: true}},
		"it cannot be reached or lost": {{Unavailable: true}, {LoseReply: true}},
	}
	for _, name := range []string{"bought", "declined", "approved while we were away", "refused capture"} {
		s := scenarios[name]
		for fault, plan := range faults {
			t.Run(name+": "+fault, func(t *testing.T) {
				t.Parallel()
				for _, call := range calls {
					t.Run(call.module+"."+call.method, func(t *testing.T) {
						h := newHouse(t, nil)
						h.faults[call.module].Then(call.method, plan...)
						p, which := h.run(s)
						s.check(h, p, which)
					})
				}
			})
		}
	}
}

func TestAStepWhoseOutcomeStaysUnknownIsUndone(t *testing.T) {
	t.Parallel()
	for _, call := range calls[:4] {
		for name, fault := range map[string]rpc.Fault{"lost": {LoseReply: true}, "away": {Unavailable: true}} {
			t.Run(call.module+"."+call.method+" is "+name, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, nil)
				h.faults[call.module].Then(call.method, slices.Repeat([]rpc.Fault{fault}, 1000)...)
				p, which := h.run(scenarios["bought"])
				h.undone(p, which, orders.ReasonTimeout)
				assert.Less(t, 1000-h.faults[call.module].Left(), 40, "tries")
			})
		}
	}
	for _, call := range calls[4:7] {
		t.Run(call.module+"."+call.method+" is lost for a day", func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			h.faults[call.module].Then(call.method, slices.Repeat([]rpc.Fault{{LoseReply: true}}, 1000)...)
			_, which := h.run(scenarios["bought"])
			for range 24 {
				h.Clock.Advance(time.Hour)
				require.NoError(t, h.runDue(t.Context()))
			}
			assert.Equal(t, orders.SagaForward, h.fact(which).Saga)
			assert.NotZero(t, h.fact(which).Due, "its job is never given up")
		})
	}
}

func TestRandomFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			random := rpc.NewRandom(seed, rpc.Rates{Unavailable: 0.2, Repeat: 0.2, LoseReply: 0.2})
			for module := range h.faults {
				for _, call := range calls {
					if call.module == module {
						for range 50 {
							h.faults[module].Then(call.method, random.Next(rpc.Method{Name: module + call.method}))
						}
					}
				}
			}
			p, which := h.run(scenarios["bought"])
			h.placedOnce(p, which)
		})
	}
}

// eager approves every payment the moment that it is asked for, before orders has heard of it.
type eager struct {
	payments.Service
	h *house
}

func (e eager) Authorize(ctx context.Context, r payments.AuthorizeRequest) (payments.PaymentReply, error) {
	reply, err := e.Service.Authorize(ctx, r)
	if err == nil && reply.Payment.ActionURL != "" {
		if err := e.h.Payments.Approve(ctx, reply.Payment.ActionURL, true); err != nil {
			return reply, err
		}
		err = e.h.bus.Drain(ctx)
	}
	return reply, err
}

func TestABuyerWhoIsFasterThanTheSaga(t *testing.T) {
	t.Parallel()
	var h *house
	h = newHouse(t, func(c *orderssvc.Config) { c.Payments = eager{c.Payments, h} })
	h.settings = func(c *orderssvc.Config) { c.Payments = eager{c.Payments, h} }
	h.svc = h.service()
	p := h.purchase(paymentstest.Redirect)
	which := h.checkout(p)
	require.NoError(t, h.runDue(t.Context()))
	h.placedOnce(p, which)
	assert.Equal(t, orderstest.Start, h.Clock.Now())
}

func TestApprovedAtTheVeryDeadline(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.purchase(paymentstest.Redirect)
	which := h.checkout(p)
	require.NoError(t, h.runDue(t.Context()))
	h.Clock.Advance(15 * time.Minute)
	approve(true)(h, p, which)
	require.NoError(t, h.runDue(t.Context()))
	h.placedOnce(p, which)
	assert.Equal(t, string(which)+":reserve", h.fact(which).Reservation)
}

func TestMoneyThatCameWhileWeWereAway(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) (*house, purchase, orders.OrderID) {
		h := newHouse(t, nil)
		p := h.purchase(paymentstest.Redirect)
		which := h.checkout(p)
		require.NoError(t, h.runDue(t.Context()))
		approve(true)(h, p, which)
		h.Clock.Advance(3 * time.Hour)
		h.svc = h.service()
		h.Catalog.Expire()
		return h, p, which
	}
	t.Run("the goods can still be had", func(t *testing.T) {
		t.Parallel()
		h, p, which := begin(t)
		require.NoError(t, h.runDue(t.Context()))
		h.placedOnce(p, which)
		assert.Equal(t, string(which)+":reserve-late", h.fact(which).Reservation)

		so := h.order(which).SellerOrders[0]
		_, err := h.svc.Cancel(t.Context(), orders.CancelRequest{
			By: orderstest.Operator(), Key: orderstest.Key(), SellerOrder: so.ID, Items: []orders.ParcelItem{{Line: so.Lines[0].ID, Quantity: 1}},
		})
		require.NoError(t, err)
		_, err = h.svc.Ship(t.Context(), orders.ShipRequest{By: orderstest.Staff(so.Seller), Key: orderstest.Key(), SellerOrder: so.ID})
		require.NoError(t, err)
		require.NoError(t, h.runDue(t.Context()))
		assert.Zero(t, h.stock(p.offers[0]).Allocated)
		assert.Equal(t, int64(8), h.stock(p.offers[0]).OnHand)
	})
	t.Run("they are gone", func(t *testing.T) {
		t.Parallel()
		h, p, which := begin(t)
		_, err := h.Catalog.Reserve(t.Context(), catalog.ReserveRequest{
			By: actor.System(""), Key: "other", For: id.Ref(orders.OrderIDs.New()), Until: h.Clock.Now().Add(time.Hour),
			Items: []catalog.Item{{Variant: p.offers[0].Variant, Quantity: 9}},
		})
		require.NoError(t, err)
		require.NoError(t, h.runDue(t.Context()))
		_, err = h.Catalog.Release(t.Context(), catalog.ReleaseRequest{By: actor.System(""), Key: "other"})
		require.NoError(t, err)
		h.undone(p, which, orders.ReasonOutOfStock)
	})
	t.Run("the second term is over too", func(t *testing.T) {
		t.Parallel()
		h, p, which := begin(t)
		h.faults["catalog"].Then("Confirm", append([]rpc.Fault{{}}, slices.Repeat([]rpc.Fault{{Unavailable: true}}, 100)...)...)
		require.NoError(t, h.runDue(t.Context()))
		assert.Equal(t, orders.StatusPending, h.order(which).Status)
		h.pass(7 * time.Minute)
		h.undone(p, which, orders.ReasonTimeout)
	})
}

func TestAnOrderOfManySellers(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"before capture", "after capture", "after reserve", "after confirm"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			p := h.purchase(paymentstest.OK)
			var lines []orderstest.Item
			for i := range 12 {
				lines = append(lines, orderstest.Item{Offer: h.goods(fmt.Sprintf("Seller %d", i), fmt.Sprintf("Thing %d", i), 100+int64(i), 9), Quantity: 2})
			}
			q := h.Carts.Put(p.request.By.Owner(), lines...)
			p.request.Cart, p.request.QuoteHash = q.Cart, q.Hash
			h.at = func(here string, _ orders.OrderID) {
				if here == point {
					h.at = func(string, orders.OrderID) {}
					panic(point)
				}
			}
			which := h.checkout(p)
			h.pass(5 * time.Minute)
			o := h.order(which)
			assert.Equal(t, orders.StatusPlaced, o.Status, o.Message)
			assert.True(t, o.Captured)
			for i, so := range o.SellerOrders {
				assert.Equal(t, fmt.Sprintf("%s-%d", o.Number, i+1), so.Number)
				assert.Equal(t, q.Sellers[i].Seller, so.Seller)
			}
		})
	}
}

func TestDocumentedSaga(t *testing.T) {
	t.Parallel()
	type move struct{ from, to string }
	documented := map[move]bool{}
	for _, row := range orderssvc.Table(t, "saga") {
		documented[move{row["state"], row["becomes"]}] = false
	}
	for name, s := range scenarios {
		h := newHouse(t, nil)
		last := "running"
		look := func(which orders.OrderID) {
			var state string
			require.NoError(t, h.db.Read(context.Background(), func(q store.Queryer) error {
				return q.Get(&state, `SELECT state FROM sagas WHERE order_id = ?`, which)
			}))
			if state != last {
				_, ok := documented[move{last, state}]
				assert.True(t, ok, "%s: %s became %s", name, last, state)
				documented[move{last, state}] = true
				last = state
			}
		}
		h.at = func(_ string, which orders.OrderID) { look(which) }
		_, which := h.run(s)
		look(which)
	}
	for m, seen := range documented {
		assert.True(t, seen, "%s never became %s", m.from, m.to)
	}
}
