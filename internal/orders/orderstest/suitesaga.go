package orderstest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
)

// stock is what there is of a variant, as operators see it.
func (w *world) stock(o catalog.Offer) catalog.Stock {
	w.Helper()
	reply, err := w.Env.Catalog.GetListings(w.Context(), catalog.GetListingsRequest{By: Operator(), IDs: []catalog.ListingID{o.Listing}})
	require.NoError(w, err)
	return reply.Listings[0].Variants[0].Stock
}

// paid are the payments of an order and their refunds.
func (w *world) paid(o orders.OrderID) payments.GetPaymentsReply {
	w.Helper()
	reply, err := w.Payments.GetPayments(w.Context(), payments.GetPaymentsRequest{By: actor.System(""), Orders: []id.Ref{id.RefOf(o)}})
	require.NoError(w, err)
	return reply
}

// untouched says that nothing of a rejected checkout is left anywhere.
func (w *world) untouched(reply orders.CheckoutReply, q cart.Quote, offers ...catalog.Offer) {
	w.Helper()
	assert.Equal(w, orders.StatusRejected, reply.Status)
	assert.Empty(w, reply.ActionURL)
	assert.Equal(w, cart.StatusOpen, w.Carts.Status(q.Cart))
	for _, o := range offers {
		assert.Equal(w, o.Available, w.stock(o).Available, o.Title)
		assert.Zero(w, w.stock(o).Held)
	}
	for _, p := range w.paid(reply.Order).Payments {
		assert.True(w, p.Status == payments.StatusVoided || p.Status == payments.StatusDeclined, "payment %s", p.Status)
	}
}

// parked checks out by a method that has the saga wait.
func (w *world) parked(method string) (orders.CheckoutReply, cart.Quote, []Item) {
	w.Helper()
	by, items := Person(), w.two()
	q := w.Carts.Put(by.Owner(), items...)
	reply := w.checkout(request(by, q, method))
	require.Equal(w, orders.StatusPending, reply.Status, reply.Message)
	return reply, q, items
}

func (w *world) where(o orders.OrderID) orders.CheckoutReply {
	w.Helper()
	reply, err := w.GetCheckout(w.Context(), orders.GetOrderRequest{By: actor.System(""), Order: o})
	require.NoError(w, err)
	return reply
}

var sagaTests = []test{
	{"a placed order is paid and its goods are set aside", func(w *world) {
		by, items := Person(), w.two()
		q := w.Carts.Put(by.Owner(), items...)
		reply := w.checkout(request(by, q, paymentstest.OK))
		require.Equal(w, orders.StatusPlaced, reply.Status)
		got := w.paid(reply.Order)
		require.Len(w, got.Payments, 1)
		assert.Equal(w, payments.StatusCaptured, got.Payments[0].Status)
		assert.Equal(w, q.Sums.Total, got.Payments[0].Captured)
		assert.Equal(w, int64(3), w.stock(items[0].Offer).Allocated)
		assert.Equal(w, int64(1), w.stock(items[1].Offer).Allocated)
		assert.Equal(w, cart.StatusClosed, w.Carts.Status(q.Cart))
		assert.Equal(w, 1, w.Carts.Claims(q.Cart))
	}},
	{"shipping takes the goods off the shelf, and a settled part is divided", func(w *world) {
		items := w.two()
		o := w.buy(Person(), items...)
		so := w.ship(o.SellerOrders[0])
		assert.Zero(w, w.stock(items[0].Offer).Allocated)
		assert.Equal(w, int64(7), w.stock(items[0].Offer).OnHand)
		w.deliver(so, 0)
		balances, err := w.Payments.Balances(w.Context(), payments.BalancesRequest{By: Operator(), Seller: id.RefOf(so.Seller)})
		require.NoError(w, err)
		l := so.Lines[0]
		commission := o.SellerOrders[0].Commission.Minor
		tax := l.TaxGoods.Minor + l.TaxShipping.Minor
		for _, b := range balances.Balances {
			switch b.Account.Of {
			case payments.ToSeller:
				assert.Equal(w, so.Sums.Total.Minor-commission-tax, b.Amount.Minor)
			case payments.ToEscrow:
				assert.Zero(w, b.Amount.Minor)
			default:
			}
		}
	}},
	{"what is cancelled is paid back and for sale again", func(w *world) {
		items := w.two()
		o := w.buy(Person(), items...)
		so := w.cancel(o.SellerOrders[0], of(o.SellerOrders[0].Lines[0], 1))
		assert.Equal(w, int64(2), w.stock(items[0].Offer).Allocated)
		assert.Equal(w, int64(8), w.stock(items[0].Offer).Available)
		refunds := w.paid(o.ID).Refunds
		require.Len(w, refunds, 1)
		assert.Equal(w, so.Refunded, refunds[0].Amount)
		assert.Contains(w, whats(w.order(o.ID).Timeline), orders.WhatRefunded)
	}},
	{"nothing due is an order all the same", func(w *world) {
		items := w.two()[:1]
		items[0].Discount, items[0].Shipping, items[0].Funder = 3*1999, 0, cart.FunderPlatform
		o := w.buy(Person(), items...)
		assert.True(w, o.Sums.Total.IsZero())
		assert.True(w, o.Captured)
		assert.Equal(w, payments.StatusNothingDue, w.paid(o.ID).Payments[0].Status)
		so := w.ship(o.SellerOrders[0], of(o.SellerOrders[0].Lines[0], 2))
		so = w.cancel(so)
		assert.Empty(w, w.paid(o.ID).Refunds)
		w.deliver(so, 0)
		assert.Equal(w, orders.StatusCompleted, w.order(o.ID).Status)
	}},
	{"a decline gives everything back", func(w *world) {
		by, items := Person(), w.two()
		q := w.Carts.Put(by.Owner(), items...)
		reply := w.checkout(request(by, q, paymentstest.Declined))
		assert.Equal(w, orders.ReasonDeclined, reply.Reason)
		w.untouched(reply, q, items[0].Offer, items[1].Offer)
		assert.Equal(w, orders.StatusPlaced, w.checkout(request(by, q, paymentstest.OK)).Status, "the cart can be bought after all")
	}},
	{"what is not there is not sold", func(w *world) {
		by, items := Person(), w.two()
		items[1].Quantity = 11
		q := w.Carts.Put(by.Owner(), items...)
		reply := w.checkout(request(by, q, paymentstest.OK))
		assert.Equal(w, orders.ReasonOutOfStock, reply.Reason)
		w.untouched(reply, q, items[0].Offer, items[1].Offer)
	}},
	{"what cart says is passed on", func(w *world) {
		for _, tt := range []struct {
			err  error
			want orders.Reason
		}{
			{cart.ErrCoupon.With("used up"), orders.ReasonCoupon},
			{cart.ErrUnbuyable.WithField("problem", "not_for_sale"), orders.ReasonNotForSale},
			{cart.ErrUnbuyable.WithField("problem", "out_of_stock"), orders.ReasonOutOfStock},
			{cart.ErrUnbuyable.WithField("problem", "no_shipping"), orders.ReasonFailed},
			{cart.ErrClaimed, orders.ReasonCartTaken},
		} {
			by := Person()
			q := w.Carts.Put(by.Owner(), w.two()...)
			w.Carts.Refuse(q.Cart, tt.err)
			assert.Equal(w, tt.want, w.checkout(request(by, q, paymentstest.OK)).Reason)
		}
	}},
	{"a buyer sent away to approve comes back", func(w *world) {
		reply, _, _ := w.parked(paymentstest.Redirect)
		require.NotEmpty(w, reply.ActionURL)
		assert.Equal(w, w.Clock.Now().Add(15*time.Minute), reply.Until)
		w.Clock.Advance(14 * time.Minute)
		require.NoError(w, w.Payments.Approve(w.Context(), reply.ActionURL, true))
		w.due()
		assert.Equal(w, orders.StatusPlaced, w.where(reply.Order).Status)
	}},
	{"a buyer who does not approve", func(w *world) {
		reply, q, items := w.parked(paymentstest.Redirect)
		require.NoError(w, w.Payments.Approve(w.Context(), reply.ActionURL, false))
		w.due()
		got := w.where(reply.Order)
		assert.Equal(w, orders.ReasonDeclined, got.Reason)
		w.untouched(got, q, items[0].Offer, items[1].Offer)
	}},
	{"a buyer who never comes back", func(w *world) {
		reply, q, items := w.parked(paymentstest.Redirect)
		w.Clock.Advance(15*time.Minute - 1)
		w.due()
		assert.Equal(w, orders.StatusPending, w.where(reply.Order).Status)
		w.Clock.Advance(1)
		w.Clock.Advance(time.Millisecond)
		w.due()
		got := w.where(reply.Order)
		assert.Equal(w, orders.ReasonTimeout, got.Reason)
		w.due()
		w.untouched(got, q, items[0].Offer, items[1].Offer)
	}},
	{"a provider that answers later", func(w *world) {
		reply, _, _ := w.parked(paymentstest.Later)
		assert.Empty(w, reply.ActionURL)
		w.Clock.Advance(paymentstest.LaterAfter)
		w.due()
		assert.Equal(w, orders.StatusPlaced, w.where(reply.Order).Status)

		reply, q, items := w.parked(paymentstest.LaterDeclined)
		w.Clock.Advance(paymentstest.LaterAfter)
		w.due()
		got := w.where(reply.Order)
		assert.Equal(w, orders.ReasonDeclined, got.Reason)
		w.untouched(got, q, items[0].Offer)
	}},
	{"a provider whose answer was lost", func(w *world) {
		reply, _, _ := w.parked(paymentstest.LostReply)
		w.Clock.Advance(paymentstest.SettledAfter)
		w.due()
		assert.Equal(w, orders.StatusPlaced, w.where(reply.Order).Status)
	}},
	{"one cart has one checkout under way", func(w *world) {
		by, items := Person(), w.two()
		q := w.Carts.Put(by.Owner(), items...)
		reply := w.checkout(request(by, q, paymentstest.Redirect))
		r := request(by, q, paymentstest.OK)
		for range 2 {
			_, err := w.Checkout(w.Context(), r)
			w.refused(orders.ErrCheckoutOpen, err)
		}
		require.NoError(w, w.Payments.Approve(w.Context(), reply.ActionURL, false))
		w.due()
		assert.Equal(w, orders.StatusPlaced, w.checkout(request(by, q, paymentstest.OK)).Status)
	}},
	{"a capture refused for good is a case, and cancelling ends it", func(w *world) {
		by, items := Person(), w.two()
		q := w.Carts.Put(by.Owner(), items...)
		reply := w.checkout(request(by, q, paymentstest.CaptureRefused))
		require.Equal(w, orders.StatusPlaced, reply.Status)
		o := w.alike(by, reply.Order)
		assert.False(w, o.Captured)
		assert.True(w, o.Case)
		assert.Contains(w, whats(o.Timeline), orders.WhatCase)
		so := o.SellerOrders[0]
		_, err := w.Ship(w.Context(), orders.ShipRequest{By: Staff(so.Seller), Key: Key(), SellerOrder: so.ID})
		w.refused(orders.ErrUnpaid, err)
		w.buy(Person(), w.two()...) // one that goes well beside it
		assert.Equal(w, []orders.OrderID{o.ID}, w.stopped())
		w.cancel(o.SellerOrders[0])
		told := w.alike(by, o.ID)
		assert.True(w, told.Case)
		assert.NotContains(w, told.Timeline[len(told.Timeline)-1].Detail, "paid back", "nothing was paid")
		assert.Equal(w, []orders.OrderID{o.ID}, w.stopped(), "a part still waits for somebody")
		assert.Equal(w, int64(3), w.stock(items[0].Offer).Held)
		w.cancel(o.SellerOrders[1])
		w.Clock.Advance(time.Hour)
		w.due()
		o = w.alike(by, reply.Order)
		assert.Equal(w, orders.StatusCompleted, o.Status)
		assert.False(w, o.Case)
		assert.Empty(w, w.stopped(), "it is settled")
		assert.Equal(w, payments.StatusVoided, w.paid(reply.Order).Payments[0].Status)
		for _, item := range items {
			assert.Equal(w, item.Offer.Available, w.stock(item.Offer).Available)
		}
	}},
	{"a case is charged once more", func(w *world) {
		by, items := Person(), w.two()
		q := w.Carts.Put(by.Owner(), items...)
		o := w.order(w.checkout(request(by, q, paymentstest.CaptureRefused)).Order)
		require.True(w, o.Case)
		w.cancel(o.SellerOrders[0]) // what is cancelled meanwhile is taken with the rest, and given back
		r := orders.RetryCaptureRequest{By: Operator(), Key: Key(), Order: o.ID, Why: "the bank says it works now"}
		_, err := w.RetryCapture(w.Context(), r)
		require.NoError(w, err)
		for range 2 { // the charge, and then what of it goes back
			w.Clock.Advance(time.Minute)
			w.due()
		}
		again, err := w.RetryCapture(w.Context(), r)
		require.NoError(w, err, "the key is answered as before")
		o = w.alike(by, again.Order.ID)
		assert.True(w, o.Captured)
		assert.False(w, o.Case)
		assert.Empty(w, w.stopped())
		got := w.paid(o.ID)
		require.Len(w, got.Payments, 1)
		assert.Equal(w, q.Sums.Total, got.Payments[0].Captured)
		require.Len(w, got.Refunds, 1)
		assert.Equal(w, o.Refunded, got.Refunds[0].Amount)
		assert.Equal(w, items[0].Offer.Available, w.stock(items[0].Offer).Available)
		var seen []orders.What
		for _, e := range o.Timeline {
			if e.What == orders.WhatNoted {
				assert.Equal(w, "operator", e.Who)
			}
			seen = append(seen, e.What)
		}
		assert.Subset(w, seen, []orders.What{orders.WhatCase, orders.WhatNoted, orders.WhatPaid, orders.WhatRefunded})
		so := w.ship(o.SellerOrders[1])
		assert.Equal(w, orders.FulfilmentShipped, so.Fulfilment)

		r.Why = "another"
		_, err = w.RetryCapture(w.Context(), r)
		w.refused(orders.ErrKeyReused, err)
		r.Key = Key()
		_, err = w.RetryCapture(w.Context(), r)
		w.refused(orders.ErrStatus, err)
	}},
	{"what was cancelled whole is not charged any more", func(w *world) {
		by := Person()
		o := w.order(w.checkout(request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.CaptureRefused)).Order)
		for _, so := range o.SellerOrders {
			w.cancel(so)
		}
		_, err := w.RetryCapture(w.Context(), orders.RetryCaptureRequest{By: Operator(), Key: Key(), Order: o.ID})
		w.refused(orders.ErrStatus, err)
	}},
	{"who may have a charge tried again", func(w *world) {
		by := Person()
		o := w.order(w.checkout(request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.CaptureRefused)).Order)
		for _, who := range []actor.Actor{by, Staff(o.SellerOrders[0].Seller), actor.Nobody(), Guest()} {
			_, err := w.RetryCapture(w.Context(), orders.RetryCaptureRequest{By: who, Key: Key(), Order: o.ID})
			w.refused(orders.ErrForbidden, err)
		}
		_, err := w.RetryCapture(w.Context(), orders.RetryCaptureRequest{By: Operator(), Order: o.ID})
		w.invalid(err, "key")
		_, err = w.RetryCapture(w.Context(), orders.RetryCaptureRequest{By: Operator(), Key: Key(), Order: "x"})
		w.invalid(err, "order")
		_, err = w.RetryCapture(w.Context(), orders.RetryCaptureRequest{By: Operator(), Key: Key(), Order: orders.OrderIDs.New()})
		w.refused(orders.ErrNotFound, err)
	}},
	{"a refund that fails is said on the order", func(w *world) {
		by := Person()
		reply := w.checkout(request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.RefundFailed))
		require.Equal(w, orders.StatusPlaced, reply.Status)
		w.cancel(w.order(reply.Order).SellerOrders[0])
		w.Clock.Advance(time.Minute)
		w.due()
		o := w.order(reply.Order)
		got := whats(o.Timeline)
		assert.Equal(w, orders.WhatCase, got[len(got)-1])
		assert.NotContains(w, got, orders.WhatRefunded, "nothing is on its way")
		last := o.Timeline[len(got)-1]
		assert.Equal(w, o.SellerOrders[0].ID, last.SellerOrder)
		assert.Contains(w, last.Detail, o.Refunded.String())
	}},
	{"nothing ships while payments are paused, and then it goes on", func(w *world) {
		by := Person()
		reply := w.checkout(request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.Redirect))
		require.NoError(w, w.Payments.Approve(w.Context(), reply.ActionURL, true))
		require.NoError(w, w.Payments.Pause(w.Context()))
		w.due()
		require.Equal(w, orders.StatusPlaced, w.where(reply.Order).Status)
		o := w.alike(by, reply.Order)
		require.False(w, o.Captured)
		require.False(w, o.Case, "it only waits")
		so := o.SellerOrders[0]
		_, err := w.Ship(w.Context(), orders.ShipRequest{By: Staff(so.Seller), Key: Key(), SellerOrder: so.ID})
		w.refused(orders.ErrUnpaid, err)
		so = w.cancel(so) // a refund while the saga is still forward waits for the capture
		assert.Empty(w, w.paid(o.ID).Refunds)
		for range 30 {
			w.Clock.Advance(time.Hour)
			w.due()
		}
		require.NoError(w, w.Payments.Resume(w.Context()))
		w.Clock.Advance(time.Hour)
		w.due()
		w.Clock.Advance(time.Hour)
		w.due()
		o = w.order(o.ID)
		assert.True(w, o.Captured)
		require.Len(w, w.paid(o.ID).Refunds, 1)
		assert.Equal(w, so.Refunded, w.paid(o.ID).Refunds[0].Amount)
		w.ship(o.SellerOrders[1])
	}},
	{"a guest becomes one person", func(w *world) {
		by := Guest()
		r := request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.OK)
		w.checkout(r)
		_, err := w.Checkout(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, 1, w.Guests.Count())
		r.Contact.Name = "Somebody Else"
		_, err = w.Checkout(w.Context(), r)
		w.refused(orders.ErrKeyReused, err)
	}},
}
