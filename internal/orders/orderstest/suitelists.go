package orderstest

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
)

func idsOf(list []orders.Summary) []orders.OrderID {
	var out []orders.OrderID
	for _, o := range list {
		out = append(out, o.ID)
	}
	return out
}

// several places n orders, a second apart, newest first.
func (w *world) several(by actor.Actor, n int, item Item) []orders.Order {
	out := make([]orders.Order, n)
	for i := range out {
		out[n-1-i] = w.buy(by, item)
		w.Clock.Advance(time.Second)
	}
	return out
}

var listTests = []test{
	{"a buyer's orders, newest first, page by page", func(w *world) {
		by, item := Person(), Item{Offer: w.goods(w.seller("Acme"), "Lamp", 1999, 100), Quantity: 2}
		all := w.several(by, 5, item)
		w.buy(Person(), item) // somebody else's
		var got []orders.OrderID
		r := orders.ListOrdersRequest{By: by, Page: page.Request{Limit: 2}}
		for pages := 1; ; pages++ {
			reply, err := w.ListOrders(w.Context(), r)
			require.NoError(w, err)
			got = append(got, idsOf(reply.Orders)...)
			if reply.Next == "" {
				assert.Equal(w, 3, pages)
				break
			}
			r.Page.Cursor = reply.Next
			if pages == 1 {
				w.buy(by, item) // a new one moves nothing
			}
		}
		var want []orders.OrderID
		for _, o := range all {
			want = append(want, o.ID)
		}
		assert.Equal(w, want, got)

		r.Text = "X" // another list
		_, err := w.ListOrders(w.Context(), r)
		w.refused(page.ErrCursor, err)
	}},
	{"a list shows an order", func(w *world) {
		by := Person()
		o := w.buy(by, w.two()...)
		assert.True(w, w.alike(by, o.ID).Captured)
		reply, err := w.ListOrders(w.Context(), orders.ListOrdersRequest{By: by})
		require.NoError(w, err)
		require.Len(w, reply.Orders, 1)
		s := reply.Orders[0]
		assert.Equal(w, o.Number, s.Number)
		assert.Equal(w, o.Sums.Total, s.Total)
		assert.Equal(w, int64(4), s.Pieces)
		assert.Equal(w, []string{"Lamp", "Chair"}, s.Titles)
		assert.Equal(w, []string{"Acme", "Bolt"}, s.Sellers)
		assert.Equal(w, []orders.Fulfilment{orders.FulfilmentOpen, orders.FulfilmentOpen}, s.Fulfilment)
		assert.NotEmpty(w, s.Image)
	}},
	{"filters of a history", func(w *world) {
		by, item := Person(), Item{Offer: w.goods(w.seller("Acme"), "Lamp", 1999, 100), Quantity: 2}
		all := w.several(by, 3, item)
		r := request(by, w.Carts.Put(by.Owner(), item), paymentstest.OK)
		r.QuoteHash = "another"
		rejected := w.checkout(r)
		list := func(r orders.ListOrdersRequest) []orders.OrderID {
			r.By = by
			reply, err := w.ListOrders(w.Context(), r)
			require.NoError(w, err)
			return idsOf(reply.Orders)
		}
		assert.Len(w, list(orders.ListOrdersRequest{}), 3, "rejected ones only by name")
		assert.Equal(w, []orders.OrderID{rejected.Order}, list(orders.ListOrdersRequest{Status: orders.StatusRejected}))
		assert.Len(w, list(orders.ListOrdersRequest{Status: orders.StatusPlaced}), 3)
		assert.Empty(w, list(orders.ListOrdersRequest{Status: orders.StatusCompleted}))
		assert.Empty(w, list(orders.ListOrdersRequest{Status: orders.StatusPending}))
		one := all[1]
		plain := strings.ToLower(strings.ReplaceAll(one.Number, "-", ""))
		for _, text := range []string{one.Number, " " + plain + " "} {
			assert.Equal(w, []orders.OrderID{one.ID}, list(orders.ListOrdersRequest{Text: text}))
		}
		assert.Contains(w, list(orders.ListOrdersRequest{Text: plain[2:6]}), one.ID, "a part across the dash")
		assert.Empty(w, list(orders.ListOrdersRequest{Text: "%"}))
		assert.Equal(w, []orders.OrderID{one.ID}, list(orders.ListOrdersRequest{From: one.CreatedAt, Until: one.CreatedAt + 1}))
	}},
	{"whose orders are listed", func(w *world) {
		o := w.buy(Person(), w.two()...)
		for _, who := range []actor.Actor{Operator(), actor.System("")} {
			reply, err := w.ListOrders(w.Context(), orders.ListOrdersRequest{By: who, All: true})
			require.NoError(w, err)
			assert.Equal(w, []orders.OrderID{o.ID}, idsOf(reply.Orders))
		}
		reply, err := w.ListOrders(w.Context(), orders.ListOrdersRequest{By: Person()})
		require.NoError(w, err)
		assert.Empty(w, reply.Orders)
		for _, r := range []orders.ListOrdersRequest{
			{By: Person(), All: true}, {By: Staff(o.SellerOrders[0].Seller), All: true}, {By: Guest()}, {By: actor.Nobody()},
		} {
			_, err := w.ListOrders(w.Context(), r)
			w.refused(orders.ErrForbidden, err)
		}
	}},
	{"a list may begin with the oldest", func(w *world) {
		by, item := Person(), Item{Offer: w.goods(w.seller("Acme"), "Lamp", 1999, 100), Quantity: 1}
		all := w.several(by, 3, item)
		oldest, odd := orders.SortOldest, orders.Sort("size")
		var buyers, sellers []orders.OrderID
		r := orders.ListOrdersRequest{By: by, Sort: &oldest, Page: page.Request{Limit: 2}}
		for {
			reply, err := w.ListOrders(w.Context(), r)
			require.NoError(w, err)
			buyers = append(buyers, idsOf(reply.Orders)...)
			if r.Page.Cursor = reply.Next; reply.Next == "" {
				break
			}
		}
		q := orders.ListSellerOrdersRequest{By: Staff(item.Offer.Seller), Seller: item.Offer.Seller, Sort: &oldest, Page: page.Request{Limit: 2}}
		for {
			reply, err := w.ListSellerOrders(w.Context(), q)
			require.NoError(w, err)
			for _, so := range reply.SellerOrders {
				sellers = append(sellers, so.Order)
			}
			if q.Page.Cursor = reply.Next; reply.Next == "" {
				break
			}
		}
		assert.Equal(w, []orders.OrderID{all[2].ID, all[1].ID, all[0].ID}, buyers)
		assert.Equal(w, buyers, sellers)
		newest, err := w.ListOrders(w.Context(), orders.ListOrdersRequest{By: by, Page: page.Request{Limit: 1}})
		require.NoError(w, err)
		_, err = w.ListOrders(w.Context(), orders.ListOrdersRequest{By: by, Sort: &oldest, Page: page.Request{Cursor: newest.Next}})
		w.refused(page.ErrCursor, err)
		_, err = w.ListOrders(w.Context(), orders.ListOrdersRequest{By: by, Sort: &odd})
		assert.Equal(w, errs.Invalid, errs.KindOf(err))
		_, err = w.ListSellerOrders(w.Context(), orders.ListSellerOrdersRequest{By: q.By, Seller: q.Seller, Sort: &odd})
		assert.Equal(w, errs.Invalid, errs.KindOf(err))
	}},
	{"who may ask for what stopped", func(w *world) {
		w.buy(Person(), w.two()...)
		assert.Empty(w, w.stopped(), "nothing did")
		yes := true
		_, err := w.ListOrders(w.Context(), orders.ListOrdersRequest{By: Person(), Stopped: &yes})
		w.refused(orders.ErrInvalid, err)
		_, err = w.ListOrders(w.Context(), orders.ListOrdersRequest{By: Person(), All: true, Stopped: &yes})
		w.refused(orders.ErrForbidden, err)
	}},
	{"a seller's orders and their counts", func(w *world) {
		items := w.two()
		acme := items[0].Offer.Seller
		first := w.buy(Person(), items...)
		w.Clock.Advance(time.Second)
		second := w.buy(Person(), items[0])
		w.ship(first.SellerOrders[0], of(first.SellerOrders[0].Lines[0], 1))
		by := Staff(acme)
		list := func(r orders.ListSellerOrdersRequest) []orders.SellerOrderSummary {
			r.By, r.Seller = by, acme
			reply, err := w.ListSellerOrders(w.Context(), r)
			require.NoError(w, err)
			return reply.SellerOrders
		}
		all := list(orders.ListSellerOrdersRequest{})
		require.Len(w, all, 2)
		assert.Equal(w, second.SellerOrders[0].ID, all[0].ID)
		assert.Equal(w, orders.FulfilmentPartlyShipped, all[1].Fulfilment)
		assert.Equal(w, int64(3), all[1].Pieces)
		assert.Equal(w, int64(2), all[1].ToShip)
		assert.Equal(w, "DE", all[1].Country)
		assert.Equal(w, []string{"Lamp"}, all[1].Titles)
		assert.True(w, all[1].Paid)
		assert.Len(w, list(orders.ListSellerOrdersRequest{Fulfilment: orders.FulfilmentOpen}), 1)
		assert.Len(w, list(orders.ListSellerOrdersRequest{Text: strings.ToLower(second.SellerOrders[0].Number)}), 1)
		assert.Len(w, list(orders.ListSellerOrdersRequest{From: second.PlacedAt}), 1)
		assert.Len(w, list(orders.ListSellerOrdersRequest{Until: second.PlacedAt}), 1)

		reply, err := w.ListSellerOrders(w.Context(), orders.ListSellerOrdersRequest{By: by, Seller: acme, Page: page.Request{Limit: 1}})
		require.NoError(w, err)
		require.NotEmpty(w, reply.Next)
		reply, err = w.ListSellerOrders(w.Context(), orders.ListSellerOrdersRequest{By: by, Seller: acme, Page: page.Request{Limit: 1, Cursor: reply.Next}})
		require.NoError(w, err)
		assert.Equal(w, first.SellerOrders[0].ID, reply.SellerOrders[0].ID)
		assert.Empty(w, reply.Next)

		counts, err := w.CountSellerOrders(w.Context(), orders.CountSellerOrdersRequest{By: by, Seller: acme})
		require.NoError(w, err)
		assert.Equal(w, []orders.FulfilmentCount{
			{Fulfilment: orders.FulfilmentOpen, Count: 1}, {Fulfilment: orders.FulfilmentPartlyShipped, Count: 1},
		}, counts.Counts)

		for _, who := range []actor.Actor{Person(), Staff(items[1].Offer.Seller), actor.Nobody()} {
			_, err := w.ListSellerOrders(w.Context(), orders.ListSellerOrdersRequest{By: who, Seller: acme})
			w.refused(orders.ErrNotFound, err)
			_, err = w.CountSellerOrders(w.Context(), orders.CountSellerOrdersRequest{By: who, Seller: acme})
			w.refused(orders.ErrNotFound, err)
		}
	}},
	{"a seller is told what may ship", func(w *world) {
		item := Item{Offer: w.goods(w.seller("Acme"), "Lamp", 1999, 100), Quantity: 2}
		acme, by := item.Offer.Seller, Person()
		var placed []orders.SellerOrder // the oldest first
		for _, o := range slices.Backward(w.several(by, 5, item)) {
			placed = append(placed, o.SellerOrders[0])
		}
		w.ship(placed[0], of(placed[0].Lines[0], 1)) // the rest is still to ship
		w.ship(placed[1])
		w.deliver(w.ship(placed[2]), 0)
		w.cancel(placed[3])
		want := []orders.SellerOrderID{placed[0].ID, placed[4].ID}
		assert.Equal(w, want, w.shippable(acme))
		yes, no := true, false
		list := func(r orders.ListSellerOrdersRequest) (found []orders.SellerOrderID) {
			r.By, r.Seller = Staff(acme), acme
			reply, err := w.ListSellerOrders(w.Context(), r)
			require.NoError(w, err)
			for _, so := range reply.SellerOrders {
				found = append(found, so.ID)
			}
			return found
		}
		assert.Equal(w, []orders.SellerOrderID{placed[4].ID, placed[0].ID}, list(orders.ListSellerOrdersRequest{Shippable: &yes}), "the newest first")
		assert.Equal(w, want[:1], list(orders.ListSellerOrdersRequest{Shippable: &yes, Fulfilment: orders.FulfilmentPartlyShipped}))
		assert.Equal(w, want[1:], list(orders.ListSellerOrdersRequest{Shippable: &yes, From: placed[4].PlacedAt}))
		assert.Equal(w, want[:1], list(orders.ListSellerOrdersRequest{Shippable: &yes, Text: placed[0].Number}))
		assert.Len(w, list(orders.ListSellerOrdersRequest{Shippable: &no}), 5, "it narrows nothing")
		first, err := w.ListSellerOrders(w.Context(), orders.ListSellerOrdersRequest{By: Staff(acme), Seller: acme, Page: page.Request{Limit: 1}})
		require.NoError(w, err)
		_, err = w.ListSellerOrders(w.Context(), orders.ListSellerOrdersRequest{By: Staff(acme), Seller: acme, Shippable: &yes, Page: page.Request{Cursor: first.Next}})
		w.refused(page.ErrCursor, err)
		for _, so := range placed { // whatever is told, Ship decides
			_, err := w.Ship(w.Context(), orders.ShipRequest{By: Staff(acme), Key: Key(), SellerOrder: so.ID})
			if slices.Contains(want, so.ID) {
				require.NoError(w, err)
			} else {
				w.refused(orders.ErrQuantity, err)
			}
		}
		assert.Empty(w, w.shippable(acme))
	}},
}

// alike says that every list shows of an order's money what the order itself says, and returns the order.
func (w *world) alike(by actor.Actor, which orders.OrderID) orders.Order {
	w.Helper()
	o := w.order(which)
	for _, r := range []orders.ListOrdersRequest{{By: by, Text: o.Number}, {By: Operator(), All: true, Text: o.Number}} {
		reply, err := w.ListOrders(w.Context(), r)
		require.NoError(w, err)
		require.Len(w, reply.Orders, 1)
		assert.Equal(w, o.Captured, reply.Orders[0].Captured)
		assert.Equal(w, o.Case, reply.Orders[0].Case)
	}
	for _, so := range o.SellerOrders {
		staff := Staff(so.Seller)
		assert.Equal(w, o.Captured, so.Paid)
		assert.Equal(w, o.Case, so.Case)
		got, err := w.GetSellerOrder(w.Context(), orders.GetSellerOrderRequest{By: staff, SellerOrder: so.ID})
		require.NoError(w, err)
		assert.Equal(w, o.Captured, got.SellerOrder.Paid)
		assert.Equal(w, o.Case, got.SellerOrder.Case)
		reply, err := w.ListSellerOrders(w.Context(), orders.ListSellerOrdersRequest{By: staff, Seller: so.Seller, Text: so.Number})
		require.NoError(w, err)
		require.Len(w, reply.SellerOrders, 1)
		assert.Equal(w, o.Captured, reply.SellerOrders[0].Paid)
		assert.Equal(w, o.Case, reply.SellerOrders[0].Case)
		if left := reply.SellerOrders[0].ToShip; o.Captured && left > 0 {
			assert.Contains(w, w.shippable(so.Seller), so.ID)
		} else {
			assert.NotContains(w, w.shippable(so.Seller), so.ID, "captured %t, %d left", o.Captured, left)
		}
	}
	return o
}

// shippable are a seller's orders that are told to be ready to ship, the oldest first, page by page and as they are counted.
func (w *world) shippable(seller catalog.SellerID) (found []orders.SellerOrderID) {
	w.Helper()
	yes, oldest := true, orders.SortOldest
	r := orders.ListSellerOrdersRequest{By: Staff(seller), Seller: seller, Shippable: &yes, Sort: &oldest, Page: page.Request{Limit: 1}}
	for {
		reply, err := w.ListSellerOrders(w.Context(), r)
		require.NoError(w, err)
		for _, so := range reply.SellerOrders {
			found = append(found, so.ID)
		}
		if r.Page.Cursor = reply.Next; reply.Next == "" {
			break
		}
	}
	counts, err := w.CountSellerOrders(w.Context(), orders.CountSellerOrdersRequest{By: r.By, Seller: seller})
	require.NoError(w, err)
	assert.Equal(w, int64(len(found)), counts.Shippable)
	return found
}

// stopped is what operators see of checkouts that go on no more by themselves.
func (w *world) stopped() []orders.OrderID {
	w.Helper()
	yes := true
	reply, err := w.ListOrders(w.Context(), orders.ListOrdersRequest{By: Operator(), All: true, Stopped: &yes})
	require.NoError(w, err)
	return idsOf(reply.Orders)
}
