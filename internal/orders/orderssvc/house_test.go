package orderssvc_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/accounts/accountstest"
	"souk/internal/cart"
	"souk/internal/cart/carttest"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/orders/ordersrpc"
	"souk/internal/orders/orderssvc"
	"souk/internal/orders/orderstest"
	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/id"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/rpctest"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// house is orders on a real database among fakes, each behind its strict wrapper; what payments
// publishes arrives over a log of its own.
type house struct {
	orderstest.Env
	t        testing.TB
	db       *store.DB
	log      *store.DB // of payments
	bus      *bus.Bus
	svc      *orderssvc.Service
	at       func(point string, order orders.OrderID)
	faults   map[string]*rpc.Script // by module
	settings func(*orderssvc.Config)
}

func newHouse(t testing.TB, settings func(*orderssvc.Config), options ...storetest.Option) *house {
	t.Helper()
	h := &house{t: t, at: func(string, orders.OrderID) {}, settings: settings, faults: map[string]*rpc.Script{}}
	log := storetest.Open(t, "payments", storetest.With(func(o *store.Options) { o.Migrations = nil }))
	h.Env = orderstest.NewEnv(func(e paymentstest.Event) {
		require.NoError(t, log.Write(context.Background(), func(tx *store.Tx) error { return tx.Publish(e) }))
	})
	for _, m := range []string{"cart", "catalog", "payments", "accounts"} {
		h.faults[m] = rpc.NewScript(nil)
	}
	options = append([]storetest.Option{storetest.Clock(h.Clock.Now)}, options...)
	h.db = storetest.Open(t, "orders", options...)
	h.log = log
	h.svc = h.service()
	h.Hooks.RunDue = h.runDue
	return h
}

// service is the module anew on the same database, as after a restart.
func (h *house) service() *orderssvc.Service {
	strict := func(m string) rpc.StrictOptions {
		return rpc.StrictOptions{Faults: h.faults[m], OnFailure: func(_ context.Context, method rpc.Method, err error) {
			h.t.Errorf("%s.%s: %v", m, method.Name, err)
		}}
	}
	h.bus = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{payments.Log: bus.LocalSource(h.log)}, Now: h.Clock.Now})
	c := orderssvc.Config{
		DB: h.db, Bus: h.bus, Cart: carttest.Strict(h.Carts, strict("cart")), Catalog: catalogtest.Strict(h.Catalog, strict("catalog")),
		Payments: paymentstest.Strict(h.Payments, strict("payments")), Accounts: accountstest.Strict(h.Guests, strict("accounts")), Now: h.Clock.Now,
		At: func(point string, order orders.OrderID) { h.at(point, order) },
	}
	if h.settings != nil {
		h.settings(&c)
	}
	return orderssvc.New(c)
}

// runDue does what is due here and at payments until nothing is.
func (h *house) runDue(ctx context.Context) error {
	for {
		if err := h.Payments.RunDue(ctx); err != nil {
			return err
		}
		h.Catalog.Expire()
		if err := h.bus.Drain(ctx); err != nil {
			return err
		}
		n, err := h.svc.Module().Jobs.RunDue(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// pass lets d go by in steps, doing what falls due on the way.
func (h *house) pass(d time.Duration) {
	h.t.Helper()
	for left := d; left > 0; {
		step := min(left, time.Minute)
		h.Clock.Advance(step)
		left -= step
		require.NoError(h.t, h.runDue(h.t.Context()))
	}
}

func (h *house) goods(seller, title string, price, stock int64) catalog.Offer {
	h.t.Helper()
	s := h.Catalog.AddSeller(catalog.Seller{Name: seller, Legal: catalogtest.Legal(seller), Commission: 1000})
	listing := h.Catalog.AddListing(s.ID, catalogtest.Draft(title, price, stock))
	offer, err := orderstest.Offer(h.t.Context(), h.Catalog, listing.Variants[0].ID)
	require.NoError(h.t, err)
	return offer
}

// purchase is a cart of two sellers to be bought by someone.
type purchase struct {
	request orders.CheckoutRequest
	quote   cart.Quote
	offers  []catalog.Offer
}

func (h *house) purchase(method string) purchase {
	h.t.Helper()
	by := orderstest.Person()
	offers := []catalog.Offer{h.goods("Acme", "Lamp", 1999, 10), h.goods("Bolt", "Chair", 4500, 10)}
	q := h.Carts.Put(by.Owner(),
		orderstest.Item{Offer: offers[0], Quantity: 3, Shipping: 490, TaxRate: 1900}, orderstest.Item{Offer: offers[1], Quantity: 1, TaxRate: 1900})
	return purchase{quote: q, offers: offers, request: orders.CheckoutRequest{
		By: by, Key: orderstest.Key(), Cart: q.Cart, CartVersion: q.CartVersion, QuoteHash: q.Hash, Contact: orderstest.Contact(),
		Delivery: orderstest.Address(), Method: method,
	}}
}

func (h *house) checkout(p purchase) orders.OrderID {
	h.t.Helper()
	reply, err := h.svc.Checkout(h.t.Context(), p.request)
	require.NoError(h.t, err)
	return reply.Order
}

func (h *house) order(which orders.OrderID) orders.Order {
	h.t.Helper()
	reply, err := h.svc.GetOrder(h.t.Context(), orders.GetOrderRequest{By: actor.System(""), Order: which})
	require.NoError(h.t, err)
	return reply.Order
}

func (h *house) fact(which orders.OrderID) orders.OrderFact {
	h.t.Helper()
	reply, err := h.svc.Audit(h.t.Context(), auditAll)
	require.NoError(h.t, err)
	require.Empty(h.t, reply.Problems)
	for _, f := range reply.Orders {
		if f.ID == which {
			return f
		}
	}
	h.t.Fatalf("no fact of %s", which)
	return orders.OrderFact{}
}

func (h *house) payments(which orders.OrderID) []payments.Payment {
	h.t.Helper()
	reply, err := h.Payments.GetPayments(h.t.Context(), payments.GetPaymentsRequest{By: actor.System(""), Orders: []id.Ref{id.RefOf(which)}})
	require.NoError(h.t, err)
	return reply.Payments
}

func (h *house) stock(o catalog.Offer) catalog.Stock {
	h.t.Helper()
	reply, err := h.Catalog.GetListings(h.t.Context(), catalog.GetListingsRequest{By: orderstest.Operator(), IDs: []catalog.ListingID{o.Listing}})
	require.NoError(h.t, err)
	return reply.Listings[0].Variants[0].Stock
}

func TestContract(t *testing.T) {
	t.Parallel()
	wrap := map[string]func(orders.Service) orders.Service{
		"direct": func(s orders.Service) orders.Service { return s },
		"strict": func(s orders.Service) orders.Service {
			return ordersrpc.Strict(s, rpc.StrictOptions{OnFailure: func(_ context.Context, m rpc.Method, err error) { t.Errorf("%s: %v", m.Name, err) }})
		},
		"in another process": func(s orders.Service) orders.Service {
			return rpctest.Remote(t, func(o rpc.ServerOptions) *rpc.Server { return ordersrpc.Server(s, o) }, ordersrpc.Remote)
		},
		"every call twice": func(s orders.Service) orders.Service {
			return ordersrpc.Strict(s, rpc.StrictOptions{Faults: rpc.Always{Repeat: true}, OnFailure: func(_ context.Context, m rpc.Method, err error) { t.Errorf("%s: %v", m.Name, err) }})
		},
	}
	for name, wrapped := range wrap {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orderstest.Run(t, func(t *testing.T) (orderstest.Env, orders.Service) {
				h := newHouse(t, nil)
				return h.Env, wrapped(h.svc)
			})
		})
	}
}

var auditAll = audit.Request{Limit: 1000}
