package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
	"souk/internal/platform/job"
)

// basket is a guest's cart that is quoted and ready to be checked out.
type basket struct {
	n     int64 // which one, for an address of its own
	token string
	by    actor.Actor
	quote cart.Quote
}

var baskets atomic.Int64

// basket fills a cart from two shops, in process.
func (l *live) basket(t testing.TB, shops []shopOf) basket {
	t.Helper()
	b := basket{n: baskets.Add(1), token: httpx.NewCartToken()}
	b.by = httpx.GuestOf(b.token)
	for i := range 2 {
		listings := shops[(b.n+int64(i))%int64(len(shops))].listings
		_, err := l.ask.cart.ChangeLine(t.Context(), cart.ChangeLineRequest{
			By: b.by, Key: key(), Variant: listings[b.n%int64(len(listings))].Variants[0].ID, Quantity: 1, Add: true,
		})
		require.NoError(t, err)
	}
	reply, err := l.ask.cart.Quote(t.Context(), cart.QuoteRequest{By: b.by, Destination: cart.Destination{Country: "DE", PostalCode: "24103"}})
	require.NoError(t, err)
	require.Empty(t, reply.Quote.Problems)
	b.quote = reply.Quote
	return b
}

func (b basket) email() string { return fmt.Sprintf("guest%d@example.com", b.n) }

// body is the checkout as it goes over HTTP.
func (b basket) body(wait int64) map[string]any {
	body := checkoutBody(quoteSeen{Cart: string(b.quote.Cart), CartVersion: b.quote.CartVersion, Hash: b.quote.Hash}, "sandbox_ok")
	body["contact"] = map[string]any{"email": b.email(), "name": "Ada Example"}
	body["wait_millis"] = wait
	return body
}

// request is the same checkout as one module asks another.
func (b basket) request(wait int64) orders.CheckoutRequest {
	return orders.CheckoutRequest{
		By: b.by, Key: key(), Cart: b.quote.Cart, CartVersion: b.quote.CartVersion, QuoteHash: b.quote.Hash, Method: "sandbox_ok", WaitMillis: wait,
		Contact:  orders.Contact{Email: b.email(), Name: "Ada Example"},
		Delivery: accounts.Postal{Name: "Ada Example", Line1: "Hafenstraße 1", PostalCode: "24103", City: "Kiel", Country: "DE"},
	}
}

// shops makes a market of so many sellers with plenty of everything.
func shops(t testing.TB, dir string, n int) []shopOf {
	t.Helper()
	var all []shopOf
	setup(t, dir, func(a *app) {
		by := operator(t, a, "olive@example.com")
		for i := range n {
			all = append(all, seller(t, a, by, fmt.Sprintf("Shop%d", i), 8, 1_000_000))
		}
	})
	return all
}

// atRest waits until no checkout is under way.
func (l *live) atRest(t testing.TB) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		stats, err := job.StatsOf(t.Context(), l.dbs["orders"])
		require.NoError(t, err)
		busy := int64(0)
		for _, s := range stats {
			busy += s.Due + s.Running
		}
		if busy == 0 {
			return
		}
		<-tick.C
	}
}

// together has so many clients check out all baskets, and says how long it took until the last
// order was paid for and its cart closed.
func (l *live) together(b *testing.B, clients int, all []basket, checkout func(ctx context.Context, one basket) error) time.Duration {
	b.Helper()
	queue := make(chan basket, len(all))
	for _, one := range all {
		queue <- one
	}
	close(queue)
	var buying sync.WaitGroup
	began := time.Now()
	for range clients {
		buying.Go(func() {
			for one := range queue {
				if err := checkout(b.Context(), one); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	buying.Wait()
	l.atRest(b)
	return time.Since(began)
}

// BenchmarkCheckout compares whole checkouts over HTTP with the same called in process.
func BenchmarkCheckout(b *testing.B) {
	const clients, each = 64, 256
	dir := b.TempDir()
	sellers := shops(b, dir, 4)
	l := goLive(b, dir, true)
	open := connections(clients)
	overHTTP := func(ctx context.Context, one basket) error {
		s := &shopper{url: l.url, cart: one.token, http: visitor(one.n, open)}
		a, err := s.do(ctx, http.MethodPost, "/api/v1/orders/checkouts", key(), one.body(20_000))
		if err == nil && a.status != http.StatusCreated {
			err = fmt.Errorf("checkout: %d %s", a.status, a.body)
		}
		return err
	}
	inProcess := func(ctx context.Context, one basket) error {
		reply, err := l.ask.orders.Checkout(ctx, one.request(20_000))
		if err == nil && reply.Status != orders.StatusPlaced {
			err = fmt.Errorf("checkout: %s %s", reply.Status, reply.Message)
		}
		return err
	}
	fill := func() []basket {
		all := make([]basket, each)
		var filling sync.WaitGroup
		for part := range clients {
			filling.Go(func() {
				for i := part; i < each; i += clients {
					all[i] = l.basket(b, sellers)
				}
			})
		}
		filling.Wait()
		return all
	}
	l.together(b, clients, fill(), overHTTP) // warm
	l.together(b, clients, fill(), inProcess)
	var ratios, remote, direct, cgo, commits []float64
	for b.Loop() {
		for range benchRounds {
			one, other := fill(), fill()
			l.atRest(b)
			called, were := runtime.NumCgoCall(), l.costs()
			over := l.together(b, clients, one, overHTTP)
			cgo = append(cgo, float64(runtime.NumCgoCall()-called)/each)
			commits = append(commits, float64(l.costs().sub(were).sum().Commits)/each)
			in := l.together(b, clients, other, inProcess)
			ratios = append(ratios, float64(in)/float64(over))
			remote, direct = append(remote, each/over.Seconds()), append(direct, each/in.Seconds())
		}
	}
	f := found(b, "checkout at %d clients (medians of %d interleaved rounds of %d)", clients, len(ratios), each)
	f.line("over HTTP %.0f/s, in process %.0f/s; over HTTP %.0f cgo calls and %.2f commits per checkout", median(remote), median(direct), median(cgo), median(commits))
	f.atLeast("checkouts a second, over HTTP / in process", "http/direct", 0.5, ratios...)
	b.ReportMetric(median(remote), "checkouts/s")
	b.ReportMetric(median(cgo), "cgo-calls/checkout")
	f.print()
}
