package orderstest

import (
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
)

func auditRequest() audit.Request { return audit.Request{} }

// ship books a parcel as the seller's staff.
func (w *world) ship(so orders.SellerOrder, items ...orders.ParcelItem) orders.SellerOrder {
	w.Helper()
	reply, err := w.Ship(w.Context(), orders.ShipRequest{By: Staff(so.Seller), Key: Key(), SellerOrder: so.ID, Items: items, Carrier: "Parcel Post"})
	require.NoError(w, err)
	w.due()
	return reply.SellerOrder
}

func (w *world) deliver(so orders.SellerOrder, parcel int) orders.SellerOrder {
	w.Helper()
	reply, err := w.Deliver(w.Context(), orders.DeliverRequest{By: Staff(so.Seller), Key: Key(), SellerOrder: so.ID, Parcel: so.Parcels[parcel].ID})
	require.NoError(w, err)
	w.due()
	return reply.SellerOrder
}

func (w *world) cancel(so orders.SellerOrder, items ...orders.ParcelItem) orders.SellerOrder {
	w.Helper()
	reply, err := w.Cancel(w.Context(), orders.CancelRequest{By: Staff(so.Seller), Key: Key(), SellerOrder: so.ID, Items: items})
	require.NoError(w, err)
	w.due()
	return reply.SellerOrder
}

func of(l orders.Line, n int64) orders.ParcelItem {
	return orders.ParcelItem{Line: l.ID, Quantity: n}
}

var actTests = []test{
	{"a part ships in parcels and arrives", func(w *world) {
		o := w.buy(Person(), w.two()...)
		so := o.SellerOrders[0]
		line := so.Lines[0]

		so = w.ship(so, of(line, 1))
		assert.Equal(w, orders.FulfilmentPartlyShipped, so.Fulfilment)
		require.Len(w, so.Parcels, 1)
		assert.Equal(w, "Parcel Post", so.Parcels[0].Carrier)
		assert.Equal(w, []orders.ParcelItem{of(line, 1)}, so.Parcels[0].Items)
		assert.Equal(w, w.Clock.Now(), so.Parcels[0].ShippedAt)

		so = w.ship(so) // the rest
		assert.Equal(w, orders.FulfilmentShipped, so.Fulfilment)
		assert.Equal(w, []orders.ParcelItem{of(line, 2)}, so.Parcels[1].Items)

		so = w.deliver(so, 0)
		assert.Equal(w, orders.FulfilmentShipped, so.Fulfilment)
		assert.Equal(w, int64(1), so.Lines[0].Delivered)
		so = w.deliver(so, 1)
		assert.Equal(w, orders.FulfilmentDelivered, so.Fulfilment)
		assert.Equal(w, orders.StatusPlaced, w.order(o.ID).Status)

		w.deliver(w.ship(o.SellerOrders[1]), 0)
		done := w.order(o.ID)
		assert.Equal(w, orders.StatusCompleted, done.Status)
		assert.Equal(w, orders.WhatCompleted, done.Timeline[len(done.Timeline)-1].What)
	}},
	{"no more ships than is left", func(w *world) {
		o := w.buy(Person(), w.two()...)
		so := o.SellerOrders[0]
		by, line := Staff(so.Seller), so.Lines[0]
		ship := func(items ...orders.ParcelItem) error {
			_, err := w.Ship(w.Context(), orders.ShipRequest{By: by, Key: Key(), SellerOrder: so.ID, Items: items})
			return err
		}
		over := ship(of(line, 4))
		w.refused(orders.ErrQuantity, over)
		assert.Equal(w, "only 3 are left to ship", errs.As(over).Fields[string(line.ID)])
		w.refused(orders.ErrInvalid, ship(of(line, 0)))
		w.refused(orders.ErrInvalid, ship(of(line, -1)))
		w.refused(orders.ErrInvalid, ship(of(line, 1), of(line, 1)))
		w.refused(orders.ErrNotFound, ship(of(o.SellerOrders[1].Lines[0], 1)))
		require.NoError(w, ship())
		w.refused(orders.ErrQuantity, ship())
		w.refused(orders.ErrQuantity, ship(of(line, 1)))
	}},
	{"who may ship and deliver", func(w *world) {
		o := w.buy(Person(), w.two()...)
		so := o.SellerOrders[0]
		buyer := Person()
		buyer.Person = id.RefOf(o.Buyer)
		others := []actor.Actor{Staff(o.SellerOrders[1].Seller), buyer, actor.Nobody(), Guest()}
		for _, who := range others {
			_, err := w.Ship(w.Context(), orders.ShipRequest{By: who, Key: Key(), SellerOrder: so.ID})
			w.refused(orders.ErrNotFound, err)
		}
		_, err := w.Ship(w.Context(), orders.ShipRequest{By: Operator(), Key: Key(), SellerOrder: so.ID})
		w.refused(orders.ErrForbidden, err)
		so = w.ship(so)
		for _, who := range others {
			_, err := w.Deliver(w.Context(), orders.DeliverRequest{By: who, Key: Key(), SellerOrder: so.ID, Parcel: so.Parcels[0].ID})
			w.refused(orders.ErrNotFound, err)
		}
		_, err = w.Deliver(w.Context(), orders.DeliverRequest{By: Operator(), Key: Key(), SellerOrder: so.ID, Parcel: so.Parcels[0].ID})
		require.NoError(w, err)
		_, err = w.Deliver(w.Context(), orders.DeliverRequest{By: Operator(), Key: Key(), SellerOrder: so.ID, Parcel: so.Parcels[0].ID})
		w.refused(orders.ErrStatus, err)
		_, err = w.Deliver(w.Context(), orders.DeliverRequest{By: Operator(), Key: Key(), SellerOrder: so.ID, Parcel: orders.ParcelIDs.New()})
		w.refused(orders.ErrNotFound, err)
	}},
	{"acts say what is wrong with them", func(w *world) {
		so := w.buy(Person(), w.two()...).SellerOrders[0]
		by := Staff(so.Seller)
		_, err := w.Ship(w.Context(), orders.ShipRequest{By: by, SellerOrder: so.ID})
		w.invalid(err, "key")
		for _, address := range []string{"http://track.example/1", "javascript:alert(1)", "track"} {
			_, err = w.Ship(w.Context(), orders.ShipRequest{By: by, Key: Key(), SellerOrder: so.ID, TrackingURL: address})
			w.invalid(err, "tracking_url")
		}
		_, err = w.Deliver(w.Context(), orders.DeliverRequest{By: by, Key: Key(), SellerOrder: so.ID, Parcel: "x"})
		w.invalid(err, "parcel")
		_, err = w.Cancel(w.Context(), orders.CancelRequest{By: by, Key: Key(), SellerOrder: so.ID, Why: strings.Repeat("x", 1001)})
		w.invalid(err, "why")
		_, err = w.Cancel(w.Context(), orders.CancelRequest{By: by, SellerOrder: so.ID})
		w.invalid(err, "key")
	}},
	{"acts take effect once per key", func(w *world) {
		so := w.buy(Person(), w.two()...).SellerOrders[0]
		by, line := Staff(so.Seller), so.Lines[0]
		ship := orders.ShipRequest{By: by, Key: Key(), SellerOrder: so.ID, Items: []orders.ParcelItem{of(line, 1)}}
		first, err := w.Ship(w.Context(), ship)
		require.NoError(w, err)
		again, err := w.Ship(w.Context(), ship)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		ship.Items[0].Quantity = 2
		_, err = w.Ship(w.Context(), ship)
		w.refused(orders.ErrKeyReused, err)

		deliver := orders.DeliverRequest{By: by, Key: Key(), SellerOrder: so.ID, Parcel: first.SellerOrder.Parcels[0].ID}
		arrived, err := w.Deliver(w.Context(), deliver)
		require.NoError(w, err)
		again, err = w.Deliver(w.Context(), deliver)
		require.NoError(w, err)
		assert.Equal(w, arrived, again)

		cancel := orders.CancelRequest{By: by, Key: Key(), SellerOrder: so.ID, Items: []orders.ParcelItem{of(line, 1)}}
		_, err = w.Cancel(w.Context(), cancel)
		require.NoError(w, err)
		twice, err := w.Cancel(w.Context(), cancel)
		require.NoError(w, err)
		assert.Equal(w, int64(1), twice.SellerOrder.Lines[0].Cancelled)
		cancel.Why = "other"
		_, err = w.Cancel(w.Context(), cancel)
		w.refused(orders.ErrKeyReused, err)

		refused := orders.ShipRequest{By: by, Key: Key(), SellerOrder: so.ID, Items: []orders.ParcelItem{of(line, 9)}}
		for range 2 {
			_, err = w.Ship(w.Context(), refused)
			w.refused(orders.ErrQuantity, err)
		}
	}},
	{"parts that are cancelled sum to the whole", func(w *world) {
		o := w.buy(Person(), w.two()...)
		so := o.SellerOrders[0] // three for 19.99 each and 4.90 of shipping
		for range 3 {
			so = w.cancel(so, of(so.Lines[0], 1))
		}
		assert.Equal(w, orders.FulfilmentCancelled, so.Fulfilment)
		assert.Equal(w, so.Sums.Total, so.Refunded)
		assert.Equal(w, so.Sums.Total, so.Lines[0].Refunded)
		assert.Equal(w, so.Sums.Total, w.order(o.ID).Refunded)
		_, err := w.Cancel(w.Context(), orders.CancelRequest{By: Staff(so.Seller), Key: Key(), SellerOrder: so.ID})
		w.refused(orders.ErrQuantity, err)
		w.cancel(o.SellerOrders[1])
		assert.Equal(w, orders.StatusCompleted, w.order(o.ID).Status)
		assert.Equal(w, o.Sums.Total, w.order(o.ID).Refunded)
	}},
	{"what has shipped cannot be cancelled", func(w *world) {
		so := w.buy(Person(), w.two()...).SellerOrders[0]
		so = w.ship(so, of(so.Lines[0], 2))
		_, err := w.Cancel(w.Context(), orders.CancelRequest{By: Operator(), Key: Key(), SellerOrder: so.ID, Items: []orders.ParcelItem{of(so.Lines[0], 2)}})
		w.refused(orders.ErrQuantity, err)
		so = w.cancel(so)
		assert.Equal(w, orders.FulfilmentShipped, so.Fulfilment)
		assert.Equal(w, int64(1), so.Lines[0].Cancelled)
		assert.Equal(w, orders.FulfilmentDelivered, w.deliver(so, 0).Fulfilment)
	}},
	{"who may cancel", func(w *world) {
		by := Person()
		o := w.buy(by, w.two()...)
		so := o.SellerOrders[0]
		one := []orders.ParcelItem{of(so.Lines[0], 1)}
		for _, who := range []actor.Actor{Person(), Staff(o.SellerOrders[1].Seller), actor.Nobody(), Guest()} {
			_, err := w.Cancel(w.Context(), orders.CancelRequest{By: who, Key: Key(), SellerOrder: so.ID, Items: one})
			w.refused(orders.ErrNotFound, err)
			_, err = w.Cancel(w.Context(), orders.CancelRequest{By: who, Key: Key(), SellerOrder: so.ID, Items: one, Link: "guessed"})
			w.refused(orders.ErrNotFound, err)
		}
		said := map[string]actor.Actor{"buyer": by, "seller": Staff(so.Seller), "operator": Operator()}
		for who, actor := range said {
			reply, err := w.Cancel(w.Context(), orders.CancelRequest{By: actor, Key: Key(), SellerOrder: so.ID, Items: one})
			require.NoError(w, err)
			timeline := reply.SellerOrder.Timeline
			assert.Equal(w, who, timeline[len(timeline)-1].Who)
			assert.Equal(w, orders.WhatCancelled, timeline[len(timeline)-1].What)
		}
	}},
	{"staff of another seller buys and cancels as a buyer", func(w *world) {
		items := w.two()
		by := Staff(items[1].Offer.Seller)
		o := w.buy(by, items[0])
		reply, err := w.Cancel(w.Context(), orders.CancelRequest{By: by, Key: Key(), SellerOrder: o.SellerOrders[0].ID})
		require.NoError(w, err)
		timeline := reply.SellerOrder.Timeline
		assert.Equal(w, "buyer", timeline[len(timeline)-1].Who)
		assert.Zero(w, reply.SellerOrder.Commission.Minor)
	}},
	{"a guest cancels by the link", func(w *world) {
		by := Guest()
		reply := w.checkout(request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.OK))
		so := w.order(reply.Order).SellerOrders[0]
		r := orders.CancelRequest{By: actor.Nobody(), Key: Key(), SellerOrder: so.ID, Link: reply.Link}
		got, err := w.Cancel(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, orders.FulfilmentCancelled, got.SellerOrder.Fulfilment)
		assert.Zero(w, got.SellerOrder.Commission.Minor)
		again, err := w.Cancel(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, got.SellerOrder.Refunded, again.SellerOrder.Refunded)
	}},
}
