package orderssvc_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/orders/orderssvc"
	"souk/internal/orders/orderstest"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// benchOrders is how many orders the full database of BenchmarkGrowth has; the other has a
// quarter. The goal is meant for SOUK_BENCH_ORDERS=2000000, which needs some 7 GB under the
// temporary folder and several minutes; the default is for every day.
func benchOrders(b *testing.B) int64 {
	b.Helper()
	text := os.Getenv("SOUK_BENCH_ORDERS")
	if text == "" {
		return 200_000
	}
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(b, err)
	return n
}

// The buyer whose history is paged through, and how long it is.
const (
	pageSize   = 20
	deepPage   = 1000
	regularID  = "per_00000000000000000regular"
	regularHas = pageSize * (deepPage + 1)
)

// fills are the statements that make the orders from ?1 to ?2 of a database of ?3: placed, paid,
// of one seller and one line each, as a checkout leaves them. Numbers are scattered as random
// ones are, and every so many orders are of one buyer.
var fills = func() []string {
	const each = `WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2),
		o (i, oid, sid, number, at) AS (SELECT i, printf('ord_00%024d', i), printf('sor_00%024d', i),
			printf('%04X-%04X', (i * 2654435761 & 4294967295) >> 16, i * 2654435761 & 65535), 1600000000000 + i * 1000 FROM n) `
	const postal = `'{"name":"Ada Byron","line1":"Lindenstr. 7","line2":"","postal_code":"10969","city":"Berlin","region":"","country":"DE","phone":""}'`
	return []string{
		`INSERT INTO orders (id, buyer_id, number, guest, status, contact_email, contact_name, delivery, invoice, currency, goods,
			tax_contained, total, pieces, shown, method, payment_id, captured, created_at, placed_at, version) ` + each + `
		SELECT oid, CASE i % max(?3 / ` + strconv.Itoa(regularHas) + `, 1) WHEN 0 THEN '` + regularID + `' ELSE printf('per_00%024d', i % 300000) END,
			number, 0, 'placed', 'ada@example.com', 'Ada Byron', ` + postal + `, ` + postal + `, 'EUR', 1999, 319, 1999, 1,
			'{"titles":["A lamp of brass"],"image":"https://img.example/1.jpg","sellers":["Acme"]}', 'sandbox_ok', printf('pay_00%024d', i), 1, at, at, 4
		FROM o`,
		`INSERT INTO seller_orders (id, order_id, place, seller_id, number, seller_name, legal, fulfilment, currency, goods, discount,
			shipping, tax_added, tax_contained, total, commission, shipping_label, shipping_rule, paid, placed_at, pieces, to_ship, titles, country) ` + each + `
		SELECT sid, oid, 0, printf('sel_00%024d', i % 500), number || '-1', 'Acme',
			'{"name":"Acme","line1":"Weg 1","postal_code":"24103","city":"Kiel","country":"DE","email":"acme@example.com"}', 'open', 'EUR',
			1999, 0, 0, 0, 319, 1999, 200, 'Parcel', 'standard', 1, at, 1, 1, '["A lamp of brass"]', 'DE'
		FROM o`,
		`INSERT INTO order_lines (id, order_id, seller_order_id, place, variant_id, listing_id, title, options, sku, image, currency,
			unit_price, goods, discount, shipping, tax_added, tax_contained, total, adjustments, tax_rate, tax_included, tax_goods,
			tax_shipping, commission_rate, commission_base, commission, quantity) ` + each + `
		SELECT printf('oln_00%024d', i), oid, sid, 0, printf('var_00%024d', i % 19406), printf('lst_00%024d', i % 19406), 'A lamp of brass',
			'[]', 'LAMP-1', 'https://img.example/1.jpg', 'EUR', 1999, 1999, 0, 0, 0, 319, 1999, '[]', 1900, 1, 319, 0, 1000, 1999, 200, 1
		FROM o`,
		`INSERT INTO timeline (order_id, seq, at, what, seller_order_id, who, detail) ` + each + `
		SELECT oid, seq, at, what, '', who, detail FROM o, (SELECT 1 AS seq, 'placed' AS what, 'buyer' AS who, 'The order was placed.' AS detail
			UNION ALL SELECT 2, 'paid', 'souk', 'The payment was taken.')`,
		`INSERT INTO sagas (order_id, state, step, cart_owner, cart_id, cart_version, quote_hash, deadline, reservation, reserved_until) ` + each + `
		SELECT oid, 'finished', '', printf('per_00%024d', i % 300000), printf('crt_00%024d', i), 3, '9f2c4a1be07d3358', at, 'reserve', at FROM o`,
	}
}()

// fillOrders makes n orders by plain SQL, many to a transaction.
func fillOrders(b *testing.B, db *store.DB, n int64) {
	b.Helper()
	const step = 20_000
	for from := int64(1); from <= n; from += step {
		require.NoError(b, db.Write(b.Context(), func(tx *store.Tx) error {
			for _, fill := range fills {
				args := []any{from, min(from+step-1, n)}
				if fill == fills[0] {
					args = append(args, n)
				}
				if _, err := tx.Exec(fill, args...); err != nil {
					return fmt.Errorf("fill orders from %d: %w", from, err)
				}
			}
			return nil
		}))
	}
}

// shelf is orders with many orders, among fakes that answer at once: what grows is orders.
type shelf struct {
	*house
	orders int64
	offers []catalog.Offer
}

// newShelf opens a database with n orders on the real disk, with its jobs running.
func newShelf(b *testing.B, n int64) *shelf {
	b.Helper()
	s := &shelf{orders: n}
	s.house = newHouse(b, nil, storetest.Once(), storetest.With(func(o *store.Options) {
		o.NoSync, o.Path = false, filepath.Join(b.TempDir(), "orders.db")
	}))
	s.svc = orderssvc.New(orderssvc.Config{
		DB: s.db, Cart: s.Carts, Catalog: s.Catalog, Payments: s.Payments, Accounts: s.Guests, Now: s.Clock.Now,
	})
	began := time.Now()
	fillOrders(b, s.db, n)
	b.Logf("%d orders filled in %v", n, time.Since(began).Round(time.Second))
	s.offers = []catalog.Offer{s.goods("Acme", "Lamp", 1999, 1_000_000), s.goods("Bolt", "Chair", 4500, 1_000_000)}
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.svc.Module().Jobs.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && ctx.Err() == nil {
			b.Error(err)
		}
	})
	return s
}

// checkouts is how long so many checkouts take at eight clients.
func (s *shelf) checkouts(b *testing.B, n int) time.Duration {
	b.Helper()
	requests := make(chan orders.CheckoutRequest, n)
	for range n {
		by := orderstest.Person()
		q := s.Carts.Put(by.Owner(), orderstest.Item{Offer: s.offers[0], Quantity: 3, Shipping: 490, TaxRate: 1900},
			orderstest.Item{Offer: s.offers[1], Quantity: 1, TaxRate: 1900})
		requests <- orders.CheckoutRequest{
			By: by, Key: orderstest.Key(), Cart: q.Cart, CartVersion: q.CartVersion, QuoteHash: q.Hash, Contact: orderstest.Contact(),
			Delivery: orderstest.Address(), Method: paymentstest.OK, WaitMillis: 20_000,
		}
	}
	close(requests)
	var clients sync.WaitGroup
	began := time.Now()
	for range 8 {
		clients.Go(func() {
			for r := range requests {
				reply, err := s.svc.Checkout(b.Context(), r)
				if err != nil || reply.Status != orders.StatusPlaced {
					b.Errorf("checkout: %v %s %s", err, reply.Status, reply.Message)
					return
				}
			}
		})
	}
	clients.Wait()
	return time.Since(began)
}

// page reads a page of the regular buyer's history.
func (s *shelf) page(b *testing.B, cursor string) (next string) {
	b.Helper()
	reply, err := s.svc.ListOrders(b.Context(), orders.ListOrdersRequest{
		By:   actor.Actor{Kind: actor.KindPerson, Person: id.Ref(regularID), Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeShop}},
		Page: page.Request{Cursor: cursor, Limit: pageSize},
	})
	require.NoError(b, err)
	require.Len(b, reply.Orders, pageSize)
	return reply.Next
}

// BenchmarkGrowth compares checkouts at many orders with those at a quarter of them, and the
// thousandth page of a buyer's history with the first, in interleaved rounds.
func BenchmarkGrowth(b *testing.B) {
	n := benchOrders(b)
	few, many := newShelf(b, n/4), newShelf(b, n)
	deep := ""
	for range deepPage - 1 {
		deep = many.page(b, deep)
	}
	const each = 400
	for _, s := range []*shelf{few, many} {
		s.checkouts(b, each) // warm
	}
	var growth, depth, rate []float64
	for b.Loop() {
		for range 7 {
			quarter, whole := few.checkouts(b, each), many.checkouts(b, each)
			growth = append(growth, float64(quarter)/float64(whole))
			rate = append(rate, each/whole.Seconds())
			var first, last time.Duration
			for range 100 {
				began := time.Now()
				many.page(b, "")
				middle := time.Now()
				many.page(b, deep)
				first, last = first+middle.Sub(began), last+time.Since(middle)
			}
			depth = append(depth, float64(last)/float64(first))
		}
	}
	b.ReportMetric(median(growth), "whole/quarter")
	b.ReportMetric(median(depth), "page1000/page1")
	b.ReportMetric(median(rate), "checkouts/s")
	fmt.Printf("\ngrowth of orders: %d orders beside %d (medians of %d interleaved rounds; %.0f checkouts/s at the larger)\n", n, n/4, len(growth), median(rate))
	fmt.Printf("  %-52s ≥ %6.2f %8.2f  (%.2f to %.2f)\n", "checkouts a second, whole / quarter", 0.85, median(growth), slices.Min(growth), slices.Max(growth))
	fmt.Printf("  %-52s ≤ %6.2f %8.2f  (%.2f to %.2f)\n", "time of a history's page 1000 / page 1", 1.2, median(depth), slices.Min(depth), slices.Max(depth))
}

func median[T cmp.Ordered](of []T) T {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
