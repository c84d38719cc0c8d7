package orderstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
)

// Run holds an implementation to the contract. make builds a fresh service that asks env's
// fakes, and fills in env.Hooks; payments' events reach it through NewEnv's listeners.
func Run(t *testing.T, make func(*testing.T) (Env, orders.Service)) {
	t.Helper()
	run(t, make, append(append([]group{}, forFakes...), group{"saga", sagaTests}))
}

// RunFake holds a fake to the part of the contract that can be relied on from one: all but how
// a checkout comes to its end.
func RunFake(t *testing.T, make func(*testing.T) (Env, orders.Service)) {
	t.Helper()
	run(t, make, forFakes)
}

type group struct {
	name  string
	tests []test
}

type test struct {
	name string
	run  func(w *world)
}

var forFakes = []group{{"checkout", checkoutTests}, {"acts", actTests}, {"lists", listTests}}

func run(t *testing.T, make func(*testing.T) (Env, orders.Service), groups []group) {
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range g.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					env, service := make(t)
					test.run(&world{Service: service, Env: env, T: t})
				})
			}
		})
	}
}

// world is one service under test with its environment.
type world struct {
	orders.Service
	Env
	*testing.T
}

// goods is a listing of an approved seller, with so many of it.
func (w *world) goods(seller catalog.Seller, title string, price, stock int64) catalog.Offer {
	w.Helper()
	listing := w.Env.Catalog.AddListing(seller.ID, catalogtest.Draft(title, price, stock))
	offer, err := Offer(w.Context(), w.Env.Catalog, listing.Variants[0].ID)
	require.NoError(w, err)
	return offer
}

func (w *world) seller(name string) catalog.Seller {
	return w.Env.Catalog.AddSeller(catalog.Seller{Name: name, Legal: catalogtest.Legal(name), Commission: 1000})
}

// request checks out a cart as it was quoted.
func request(by actor.Actor, q cart.Quote, method string) orders.CheckoutRequest {
	return orders.CheckoutRequest{
		By: by, Key: Key(), Cart: q.Cart, CartVersion: q.CartVersion, QuoteHash: q.Hash, Contact: Contact(), Delivery: Address(), Method: method,
	}
}

// two are lines of two sellers: two of one thing with shipping, one of another.
func (w *world) two() []Item {
	return []Item{
		{Offer: w.goods(w.seller("Acme"), "Lamp", 1999, 10), Quantity: 3, Shipping: 490, TaxRate: 1900},
		{Offer: w.goods(w.seller("Bolt"), "Chair", 4500, 10), Quantity: 1, TaxRate: 1900},
	}
}

// due does everything that is due.
func (w *world) due() {
	w.Helper()
	require.NoError(w, w.Hooks.RunDue(w.Context()))
}

// checkout checks out, does what is due, and says where it stands then.
func (w *world) checkout(r orders.CheckoutRequest) orders.CheckoutReply {
	w.Helper()
	began, err := w.Checkout(w.Context(), r)
	require.NoError(w, err)
	w.due()
	reply, err := w.GetCheckout(w.Context(), orders.GetOrderRequest{By: actor.System(""), Order: began.Order})
	require.NoError(w, err)
	reply.Link = began.Link
	return reply
}

// buy places an order of items and reads it as operators do.
func (w *world) buy(by actor.Actor, items ...Item) orders.Order {
	w.Helper()
	reply := w.checkout(request(by, w.Carts.Put(by.Owner(), items...), paymentstest.OK))
	require.Equal(w, orders.StatusPlaced, reply.Status, reply.Message)
	return w.order(reply.Order)
}

func (w *world) order(which orders.OrderID) orders.Order {
	w.Helper()
	reply, err := w.GetOrder(w.Context(), orders.GetOrderRequest{By: Operator(), Order: which})
	require.NoError(w, err)
	return reply.Order
}

// refused says that err is exactly that refusal.
func (w *world) refused(want *errs.Error, err error) {
	w.Helper()
	require.ErrorIs(w, err, want)
	assert.Equal(w, want.Kind, errs.KindOf(err))
}

// invalid says that err is the refusal of bad fields, these among them.
func (w *world) invalid(err error, fields ...string) {
	w.Helper()
	w.refused(orders.ErrInvalid, err)
	for _, field := range fields {
		assert.Contains(w, errs.As(err).Fields, field)
	}
}

func whats(entries []orders.Entry) []orders.What {
	var out []orders.What
	for _, e := range entries {
		out = append(out, e.What)
	}
	return out
}

var checkoutTests = []test{
	{"an order says what was agreed", func(w *world) {
		by, items := Person(), w.two()
		items[0].Discount = 300
		o := w.buy(by, items...)
		q := QuoteOf(items...)
		assert.Equal(w, q.Sums, o.Sums)
		assert.Equal(w, by.Person, id.RefOf(o.Buyer))
		assert.Equal(w, Contact(), o.Contact)
		assert.Equal(w, Address(), o.Delivery)
		assert.Equal(w, Address(), o.Invoice)
		assert.False(w, o.Guest)
		assert.True(w, o.Captured)
		assert.Equal(w, Start, o.CreatedAt)
		assert.Equal(w, Start, o.PlacedAt)
		assert.NotEmpty(w, o.Payment)
		assert.Equal(w, []orders.What{orders.WhatPlaced, orders.WhatPaid}, whats(o.Timeline))
		require.Len(w, o.SellerOrders, 2)
		for i, so := range o.SellerOrders {
			s := q.Sellers[i]
			assert.Equal(w, s.Sums, so.Sums)
			assert.Equal(w, s.Seller, so.Seller)
			assert.Equal(w, s.Legal, so.Legal)
			assert.Equal(w, s.Shipping, so.Shipping)
			assert.Equal(w, o.Number+[]string{"-1", "-2"}[i], so.Number)
			assert.Equal(w, orders.FulfilmentOpen, so.Fulfilment)
			assert.True(w, so.Paid)
			assert.Equal(w, Start, so.PlacedAt)
			require.Len(w, so.Lines, 1)
			l := so.Lines[0]
			assert.Equal(w, s.Lines[0].Sums, l.Sums)
			assert.Equal(w, s.Lines[0].Quantity, l.Quantity)
			assert.Equal(w, s.Lines[0].Offer.Title, l.Title)
			assert.Equal(w, s.Lines[0].Offer.SKU, l.SKU)
			assert.Equal(w, s.Lines[0].TaxGoods, l.TaxGoods)
			assert.Equal(w, int32(1000), l.CommissionRate)
			assert.Equal(w, l.Commission, so.Commission)
		}
		require.Len(w, o.SellerOrders[0].Lines[0].Adjustments, 1)
		assert.Equal(w, EUR(300), o.SellerOrders[0].Lines[0].Adjustments[0].Amount)
	}},
	{"the invoice may go elsewhere", func(w *world) {
		by := Person()
		r := request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.OK)
		invoice := Address()
		invoice.Name = "Analytical Engines"
		r.Invoice = &invoice
		assert.Equal(w, "Analytical Engines", w.order(w.checkout(r).Order).Invoice.Name)
	}},
	{"a checkout names every bad field", func(w *world) {
		_, err := w.Checkout(w.Context(), orders.CheckoutRequest{By: Person(), WaitMillis: -1})
		w.invalid(err, "key", "cart", "quote_hash", "method", "contact.email", "contact.name", "delivery.name", "delivery.line1",
			"delivery.city", "delivery.country", "wait_millis")
	}},
	{"a checkout is somebody's", func(w *world) {
		q := w.Carts.Put("x", w.two()...)
		for _, by := range []actor.Actor{actor.Nobody(), actor.System(""), actor.Guest("")} {
			_, err := w.Checkout(w.Context(), request(by, q, paymentstest.OK))
			w.refused(orders.ErrForbidden, err)
		}
	}},
	{"the same key is the same order", func(w *world) {
		by := Person()
		r := request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.OK)
		first := w.checkout(r)
		r.WaitMillis = 1
		again, err := w.Checkout(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first.Order, again.Order)
		assert.Equal(w, orders.StatusPlaced, again.Status)
		assert.Equal(w, first.Total, again.Total)

		r.Method = paymentstest.Declined
		_, err = w.Checkout(w.Context(), r)
		w.refused(orders.ErrKeyReused, err)

		r.By = Person() // somebody else's key is another
		other, err := w.Checkout(w.Context(), r)
		require.NoError(w, err)
		assert.NotEqual(w, first.Order, other.Order)
	}},
	{"a guest reads the order by its link", func(w *world) {
		by := Guest()
		r := request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.OK)
		reply := w.checkout(r)
		require.NotEmpty(w, reply.Link)
		again, err := w.Checkout(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, reply.Link, again.Link)
		assert.True(w, w.order(reply.Order).Guest)

		for _, who := range []actor.Actor{by, actor.Nobody(), Person()} {
			got, err := w.GetOrder(w.Context(), orders.GetOrderRequest{By: who, Order: reply.Order, Link: reply.Link})
			require.NoError(w, err)
			assert.Equal(w, reply.Number, got.Order.Number)
			_, err = w.GetOrder(w.Context(), orders.GetOrderRequest{By: who, Order: reply.Order, Link: reply.Link + "0"})
			w.refused(orders.ErrNotFound, err)
			_, err = w.GetOrder(w.Context(), orders.GetOrderRequest{By: who, Order: reply.Order})
			w.refused(orders.ErrNotFound, err)
		}
		other := w.checkout(request(by, w.Carts.Put(by.Owner(), w.two()...), paymentstest.OK))
		_, err = w.GetOrder(w.Context(), orders.GetOrderRequest{By: by, Order: reply.Order, Link: other.Link})
		w.refused(orders.ErrNotFound, err)
	}},
	{"who may read an order", func(w *world) {
		by := Person()
		o := w.buy(by, w.two()...)
		for name, r := range map[string]orders.GetOrderRequest{
			"by id": {Order: o.ID}, "by number": {Number: o.Number},
		} {
			for _, who := range []actor.Actor{by, Operator(), actor.System("")} {
				r.By = who
				reply, err := w.GetOrder(w.Context(), r)
				require.NoError(w, err, name)
				assert.Equal(w, o.ID, reply.Order.ID)
				standing, err := w.GetCheckout(w.Context(), r)
				require.NoError(w, err, name)
				assert.Equal(w, o.Sums.Total, standing.Total)
			}
			for _, who := range []actor.Actor{Person(), Staff(o.SellerOrders[0].Seller), Guest(), actor.Nobody()} {
				r.By = who
				_, err := w.GetOrder(w.Context(), r)
				w.refused(orders.ErrNotFound, err)
				_, err = w.GetCheckout(w.Context(), r)
				w.refused(orders.ErrNotFound, err)
			}
		}
		_, err := w.GetOrder(w.Context(), orders.GetOrderRequest{By: Operator()})
		w.refused(orders.ErrNotFound, err)
	}},
	{"what a buyer does not see", func(w *world) {
		by := Person()
		o := w.buy(by, w.two()...)
		require.NotZero(w, o.SellerOrders[0].Commission)
		reply, err := w.GetOrder(w.Context(), orders.GetOrderRequest{By: by, Order: o.ID})
		require.NoError(w, err)
		for _, so := range reply.Order.SellerOrders {
			assert.Zero(w, so.Commission.Minor)
			for _, l := range so.Lines {
				assert.Zero(w, l.Commission.Minor+l.CommissionBase.Minor+int64(l.CommissionRate))
			}
		}
	}},
	{"a seller's part", func(w *world) {
		o := w.buy(Person(), w.two()...)
		part := o.SellerOrders[0]
		for _, who := range []actor.Actor{Staff(part.Seller), Operator(), actor.System("")} {
			reply, err := w.GetSellerOrder(w.Context(), orders.GetSellerOrderRequest{By: who, SellerOrder: part.ID})
			require.NoError(w, err)
			assert.Equal(w, part, reply.SellerOrder)
			assert.Equal(w, Contact().Name, reply.SellerOrder.Buyer)
			assert.Equal(w, Address(), reply.SellerOrder.Delivery)
		}
		readOnly := Staff(part.Seller)
		readOnly.Scopes = []actor.Scope{actor.ScopeRead}
		buyer := Person()
		buyer.Person = id.RefOf(o.Buyer)
		for _, who := range []actor.Actor{Staff(o.SellerOrders[1].Seller), buyer, readOnly, actor.Nobody()} {
			_, err := w.GetSellerOrder(w.Context(), orders.GetSellerOrderRequest{By: who, SellerOrder: part.ID})
			w.refused(orders.ErrNotFound, err)
		}
	}},
	{"what the cart refuses rejects the order", func(w *world) {
		by := Person()
		q := w.Carts.Put(by.Owner(), w.two()...)
		for want, change := range map[orders.Reason]func(r *orders.CheckoutRequest){
			orders.ReasonQuoteChanged: func(r *orders.CheckoutRequest) { r.QuoteHash = "another" },
			orders.ReasonCartTaken:    func(r *orders.CheckoutRequest) { r.CartVersion++ },
		} {
			r := request(by, q, paymentstest.OK)
			change(&r)
			reply := w.checkout(r)
			assert.Equal(w, orders.StatusRejected, reply.Status)
			assert.Equal(w, want, reply.Reason)
			assert.NotEmpty(w, reply.Message)
		}
		assert.Equal(w, cart.StatusOpen, w.Carts.Status(q.Cart))
		w.Clock.Advance(time.Second)
		assert.Equal(w, orders.StatusPlaced, w.checkout(request(by, q, paymentstest.OK)).Status)
		assert.Equal(w, cart.StatusClosed, w.Carts.Status(q.Cart))
		taken := w.checkout(request(by, q, paymentstest.OK))
		assert.Equal(w, orders.ReasonCartTaken, taken.Reason)
	}},
	{"the report has every order", func(w *world) {
		o := w.buy(Person(), w.two()...)
		reply, err := w.Audit(w.Context(), auditRequest())
		require.NoError(w, err)
		assert.Empty(w, reply.Problems)
		require.Len(w, reply.Orders, 1)
		fact := reply.Orders[0]
		assert.Equal(w, o.ID, fact.ID)
		assert.Equal(w, o.Sums.Total, fact.Total)
		assert.Equal(w, o.Payment, fact.Payment)
		assert.Equal(w, orders.SagaFinished, fact.Saga)
		assert.Equal(w, int64(4), fact.ToShip)
		assert.Zero(w, fact.Due)
	}},
}
