package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgcluster"
	"souk/internal/platform/store/pgtest"
)

// handSchema is a shop as somebody would write it for this one purpose.
const handSchema = `
CREATE TABLE carts (id TEXT PRIMARY KEY, version BIGINT NOT NULL, state TEXT NOT NULL);
CREATE TABLE cart_lines (cart TEXT NOT NULL, variant TEXT NOT NULL, quantity BIGINT NOT NULL, PRIMARY KEY (cart, variant));
CREATE TABLE variants (id TEXT PRIMARY KEY, seller TEXT NOT NULL, price BIGINT NOT NULL, on_hand BIGINT NOT NULL CHECK (on_hand >= 0), version BIGINT NOT NULL);
CREATE TABLE stock_journal (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, variant TEXT NOT NULL, change BIGINT NOT NULL, why TEXT NOT NULL);
CREATE TABLE reservations (order_id TEXT NOT NULL, variant TEXT NOT NULL, quantity BIGINT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (order_id, variant));
CREATE TABLE orders (id TEXT PRIMARY KEY, cart TEXT NOT NULL, status TEXT NOT NULL, total BIGINT NOT NULL, contact TEXT NOT NULL, version BIGINT NOT NULL);
CREATE TABLE seller_orders (id TEXT PRIMARY KEY, order_id TEXT NOT NULL, seller TEXT NOT NULL, status TEXT NOT NULL, total BIGINT NOT NULL);
CREATE TABLE order_lines (seller_order TEXT NOT NULL, variant TEXT NOT NULL, quantity BIGINT NOT NULL, price BIGINT NOT NULL, PRIMARY KEY (seller_order, variant));
CREATE TABLE payments (id TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, amount BIGINT NOT NULL, version BIGINT NOT NULL);
CREATE TABLE ledger (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment TEXT NOT NULL, account TEXT NOT NULL, amount BIGINT NOT NULL);
CREATE TABLE keys (key TEXT PRIMARY KEY, answer TEXT NOT NULL);
CREATE TABLE events (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL);`

// handCheckout is what a checkout writes, by hand: $1 is the order and its cart, $2 and $3 its two variants.
var handCheckout = []string{
	`SELECT answer FROM keys WHERE key = $1 OR key = $2 || $3`,
	`INSERT INTO keys (key, answer) SELECT $1, 'pending' WHERE $2 <> $3`,
	`INSERT INTO carts (id, version, state) SELECT $1, 1, 'open' WHERE $2 <> $3`,
	`INSERT INTO cart_lines (cart, variant, quantity) VALUES ($1, $2, 1), ($1, $3, 1)`,
	`SELECT l.variant FROM cart_lines l JOIN variants v ON v.id = l.variant WHERE l.cart = $1 AND l.variant IN ($2, $3)`,
	`UPDATE carts SET state = 'claimed', version = version + 1 WHERE id = $1 AND state = 'open' AND $2 <> $3`,
	`INSERT INTO orders (id, cart, status, total, contact, version) SELECT $1, $1, 'pending', sum(price), repeat('x', 300), 1 FROM variants WHERE id IN ($2, $3)`,
	`INSERT INTO seller_orders (id, order_id, seller, status, total) SELECT $1 || v.seller, $1, v.seller, 'pending', sum(v.price) FROM variants v WHERE v.id IN ($2, $3) GROUP BY v.seller`,
	`INSERT INTO order_lines (seller_order, variant, quantity, price) SELECT $1 || v.seller, v.id, 1, v.price FROM variants v WHERE v.id IN ($2, $3)`,
	`UPDATE variants SET on_hand = on_hand - 1, version = version + 1 WHERE id = $2 AND on_hand >= 1 AND $1 <> $3`,
	`UPDATE variants SET on_hand = on_hand - 1, version = version + 1 WHERE id = $3 AND on_hand >= 1 AND $1 <> $2`,
	`INSERT INTO stock_journal (variant, change, why) VALUES ($2, -1, $1), ($3, -1, $1)`,
	`INSERT INTO reservations (order_id, variant, quantity, state) VALUES ($1, $2, 1, 'held'), ($1, $3, 1, 'held')`,
	`INSERT INTO payments (id, order_id, status, amount, version) SELECT 'pay_' || $1, $1, 'authorised', total, 1 FROM orders WHERE id = $1 AND $2 <> $3`,
	`UPDATE reservations SET state = 'confirmed' WHERE order_id = $1 AND variant IN ($2, $3)`,
	`UPDATE orders SET status = 'placed', version = version + 1 WHERE id = $1 AND status = 'pending' AND $2 <> $3`,
	`UPDATE payments SET status = 'captured', version = version + 1 WHERE order_id = $1 AND $2 <> $3`,
	`INSERT INTO ledger (payment, account, amount) SELECT 'pay_' || $1, a.name, a.sign * o.total FROM orders o, (VALUES ('buyer', -1), ('platform', 1), ($2, -1), ($3, 1)) a (name, sign) WHERE o.id = $1`,
	`INSERT INTO events (name, key, body) SELECT n.name, $1, repeat('x', 400) FROM (VALUES ('orders.placed.v1'), ('payments.captured.v1'), ($2), ($3)) n (name)`,
	`UPDATE carts SET state = 'closed', version = version + 1 WHERE id = $1 AND $2 <> $3`,
	`UPDATE keys SET answer = 'placed' WHERE key = $1 AND $2 <> $3`,
}

// BenchmarkPostgres compares checkouts of one full process on PostgreSQL with those of three behind a balancer, and with what is
// written by hand with pgx: the same statements in the same transactions, the same statements in one transaction, and a
// shop of fewer statements that was made for it. The server syncs each commit to the disk.
func BenchmarkPostgres(b *testing.B) {
	const rounds, checkouts, byHand, clients, goodsOf = 5, 128, 64, 64, 32
	pgtest.Installed(b)
	dir, err := os.MkdirTemp("", "souk-bench-") //nolint:usetesting // nobody but its owner passes through that one
	require.NoError(b, err)
	cluster, err := pgcluster.Start(b.Context(), pgcluster.Config{
		Dir: dir, Settings: "max_connections = 900\nshared_buffers = 128MB\njit = off\n" + statementLog, Remove: true,
	})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, cluster.Stop()) })

	modules := []string{"accounts", "cart", "catalog", "orders", "payments"}
	each := recorded(b, cluster, dir, (rounds+3)*byHand, goodsOf, "twin", "merged")
	same := &hand{name: "the same transactions", todo: each, do: asTheyAre(b, cluster.Address("twin"), clients, modules)}
	merged := &hand{name: "the same statements in one", todo: each, do: asOne(b, cluster.Address("merged"), clients, modules)}
	transactions, statements := 0, 0
	for _, t := range each[0] {
		statements += len(t.Statements)
		if !t.Reads {
			transactions++
		}
	}

	var sides []*httpSide
	for name, n := range map[string]int{"one process": 1, "three processes": 3} {
		database := strings.ReplaceAll(name, " ", "_")
		require.NoError(b, cluster.Create(b.Context(), database))
		address := cluster.Address(database)
		side := &httpSide{name: name}
		setupOn(b, b.TempDir(), address, func(a *app) {
			by := operator(b, a, "olive@example.com")
			lamps, mugs := seller(b, a, by, "Lamps", goodsOf/2, 1_000_000), seller(b, a, by, "Mugs", goodsOf/2, 1_000_000)
			for i := range lamps.listings {
				side.variants = append(side.variants, string(lamps.listings[i].Variants[0].ID), string(mugs.listings[i].Variants[0].ID))
			}
		})
		var urls []string
		for range n {
			c := spawnBuilt(b, b.TempDir(), "--db", address, "--proxies", "127.0.0.0/8")
			defer c.gone(b)
			defer c.kill()
			urls, side.pids = append(urls, c.url), append(side.pids, c.cmd.Process.Pid)
		}
		side.url = frontOf(b, urls...).url
		if n == 1 {
			sides = append([]*httpSide{side}, sides...)
		} else {
			sides = append(sides, side)
		}
	}

	require.NoError(b, cluster.Create(b.Context(), "hand"))
	small := smallShop(b, cluster.Address("hand"), clients)
	open := connections(clients)
	defer open.CloseIdleConnections()
	one, three := sides[0], sides[1]
	small.measure(b, checkouts, clients)
	for _, h := range []*hand{same, merged} {
		h.warm(b, byHand, 4, 16, clients)
	}
	for b.Loop() {
		for round := range rounds + 1 {
			if round == 1 { // the one before only warmed
				one.rates, one.cpu, three.rates, three.cpu = nil, nil, nil, nil
			}
			for _, side := range sides {
				side.measure(b, checkouts, clients, open)
			}
			if round == 0 {
				continue
			}
			same.rates = append(same.rates, same.measure(b, byHand, same.atOnce))
			merged.rates = append(merged.rates, merged.measure(b, byHand, merged.atOnce))
			small.rates = append(small.rates, small.measure(b, 4*byHand, clients))
		}
	}
	f := found(b, "checkouts on PostgreSQL at %d clients over HTTP (medians of %d interleaved rounds of %d, %d by hand; every commit synced)", clients, rounds, checkouts, byHand)
	for _, side := range sides {
		f.line("%-40s %7.1f checkouts/s, %5.2f ms of souk's processor each", side.name, median(side.rates), median(side.cpu))
	}
	f.line("by hand, %d statements, %d transactions    %7.1f checkouts/s, %d at once, %d of the statements found nothing to change", statements, transactions,
		median(same.rates), same.atOnce, same.missed.Load())
	f.line("by hand, %d statements in one transaction %7.1f checkouts/s, %d at once, %d of the statements found nothing to change", statements,
		median(merged.rates), merged.atOnce, merged.missed.Load())
	f.line("by hand, a shop of %d statements in one   %7.1f checkouts/s", len(handCheckout), median(small.rates))
	f.atLeast("one process / by hand, the same transactions", "one/same", 0.5, ratios(one.rates, same.rates)...)
	f.atLeast("one process / by hand, the same statements in one", "one/merged", 0.5, ratios(one.rates, merged.rates)...)
	f.line("one process / by hand, the small shop: %.2f (medians of ratios of a round)", median(ratios(one.rates, small.rates)))
	f.line("three processes / one: %.2f", median(ratios(three.rates, one.rates)))
	f.print()
}

// smallShop is the shop of handSchema.
func smallShop(b *testing.B, address string, connections int32) *hand {
	b.Helper()
	db := pgtest.NewByHand(b, address, connections)
	require.NoError(b, db.Exec(b.Context(), handSchema))
	require.NoError(b, db.Exec(b.Context(), `INSERT INTO variants SELECT 'var_' || n, 'seller_' || n % 2, 1000 + n, 1000000, 1 FROM generate_series(0, 31) n`))
	return &hand{name: "the small shop", todo: make([][]pgtest.Transaction, 1<<16), do: func(ctx context.Context, _ []pgtest.Transaction) (int, error) {
		k, t := visitors.Add(1), pgtest.Transaction{}
		args := []any{"ord_" + key(), variantNamed(2 * k), variantNamed(2*k + 1)}
		for _, text := range handCheckout {
			t.Statements = append(t.Statements, pgtest.Statement{SQL: text, Args: args})
		}
		return db.Do(ctx, t)
	}}
}

// variantNamed are 32 sorts of goods, the even ones of one seller.
func variantNamed(n int64) string { return fmt.Sprintf("var_%d", n%32) }
