package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgcluster"
	"souk/internal/platform/store/pgtest"
)

// statementLog has a server write down the statements of connections that ask for it (log_statement=all), where
// statementsIn finds them.
const statementLog = "logging_collector = on\nlog_destination = 'jsonlog'\nlog_directory = 'log'\nlog_filename = 'statements'\nlog_rotation_size = 0\nlog_rotation_age = 0\n"

func statementsIn(dir string) string { return filepath.Join(dir, "data", "log", "statements.json") }

// recorded are the statements of n checkouts as souk makes them, one after the other with nothing else going on (those that
// TestOneCheckoutCosts counts), and databases in which nobody has done them yet.
func recorded(b *testing.B, cluster *pgcluster.Cluster, dir string, n, goodsOf int, copies ...string) [][]pgtest.Transaction {
	b.Helper()
	require.NoError(b, cluster.Create(b.Context(), "pattern"))
	address := cluster.Address("pattern")
	all := make([]basket, n+1) // the last one only ends the one before
	setupOn(b, b.TempDir(), address, func(a *app) {
		by, l := operator(b, a, "olive@example.com"), &live{app: a}
		shops := []shopOf{seller(b, a, by, "Lamps", goodsOf/2, 1_000_000), seller(b, a, by, "Mugs", goodsOf/2, 1_000_000)}
		var filling sync.WaitGroup
		for part := range 4 {
			filling.Go(func() {
				for i := part; i < len(all); i += 4 {
					all[i] = l.basket(b, shops)
				}
			})
		}
		filling.Wait()
	})
	server := pgtest.NewByHand(b, cluster.Address("postgres"), 1)
	for _, name := range copies {
		require.NoError(b, server.Exec(b.Context(), `CREATE DATABASE `+name+` TEMPLATE pattern`))
	}
	setupOn(b, b.TempDir(), address+"&log_statement=all", func(a *app) {
		for _, one := range all {
			_, err := a.ask.orders.Checkout(b.Context(), one.request(0))
			require.NoError(b, err)
			for _, m := range a.modules.Modules() {
				if m.Name == "orders" {
					ran, err := m.Jobs.RunDue(b.Context())
					require.NoError(b, err)
					require.Equal(b, 1, ran)
				}
			}
		}
	})
	tick := time.NewTicker(100 * time.Millisecond) // the server's log is written by a process of its own
	defer tick.Stop()
	for {
		if found := checkoutsIn(b, statementsIn(dir)); len(found) > n {
			return found[:n]
		}
		select {
		case <-tick.C:
		case <-b.Context().Done():
			b.Fatal(b.Context().Err())
		}
	}
}

// checkoutsIn reads checkouts from a server's log. Each begins with the guest, whom accounts writes down.
func checkoutsIn(b *testing.B, path string) (all [][]pgtest.Transaction) {
	b.Helper()
	f, err := os.Open(path) //nolint:gosec // of the cluster that the benchmark has made
	require.NoError(b, err)
	defer f.Close()
	lines := bufio.NewReader(f)
	open := map[int]int{} // by the server's process: which transaction of the checkout it is in
	for {
		text, err := lines.ReadString('\n')
		if err == io.EOF {
			return all
		}
		require.NoError(b, err)
		var line pgtest.Recorded
		require.NoError(b, json.Unmarshal([]byte(text), &line))
		module, use, _ := strings.Cut(strings.TrimPrefix(line.Application, "souk "), " ")
		s, ok := line.Statement()
		if !ok || use != "write" && use != "read" {
			continue
		}
		if strings.HasPrefix(s.SQL, "BEGIN") {
			if module == "accounts" && use == "write" {
				all = append(all, nil)
				clear(open)
			}
			if len(all) > 0 {
				one := &all[len(all)-1]
				open[line.PID] = len(*one)
				*one = append(*one, pgtest.Transaction{Schema: module, Reads: use == "read"})
			}
			continue
		}
		if at, ok := open[line.PID]; ok && !isControl(s.SQL) {
			t := &all[len(all)-1][at]
			t.Statements = append(t.Statements, s)
		}
	}
}

// isControl says whether a statement is only about its transaction.
func isControl(text string) bool {
	verb, _, _ := strings.Cut(text, " ")
	return slices.Contains([]string{"COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}, strings.TrimSuffix(verb, ";"))
}

// hand does recorded checkouts.
type hand struct {
	name   string
	atOnce int // with which it is fastest
	todo   [][]pgtest.Transaction
	do     func(ctx context.Context, one []pgtest.Transaction) (missed int, err error)
	missed atomic.Int64
	rates  []float64
}

// asTheyAre does each transaction of a checkout by itself, each module's on its own connections.
func asTheyAre(b *testing.B, address string, connections int32, modules []string) func(context.Context, []pgtest.Transaction) (int, error) {
	b.Helper()
	pools := map[string]*pgtest.ByHand{}
	for _, m := range modules {
		pools[m] = pgtest.NewByHand(b, address+"&search_path="+m, connections)
	}
	return func(ctx context.Context, one []pgtest.Transaction) (all int, err error) {
		for _, t := range one {
			missed, err := pools[t.Schema].Do(ctx, t)
			if err != nil {
				return all, fmt.Errorf("%s: %w", t.Schema, err)
			}
			all += missed
		}
		return all, nil
	}
}

var tableNamed = regexp.MustCompile(`(?i)\b(FROM|JOIN|INTO|UPDATE)(\s+)([a-z_]+)\b`)

// asOne puts all statements of a checkout into one transaction, each table with its schema's name.
func asOne(b *testing.B, address string, connections int32, modules []string) func(context.Context, []pgtest.Transaction) (int, error) {
	b.Helper()
	pool := pgtest.NewByHand(b, address+"&search_path="+strings.Join(modules, ","), connections)
	tables := map[string]bool{}
	named, err := pool.Tables(b.Context())
	require.NoError(b, err)
	for _, t := range named {
		tables[t] = true
	}
	var known sync.Map
	return func(ctx context.Context, one []pgtest.Transaction) (int, error) {
		var whole pgtest.Transaction
		for _, t := range one {
			for _, s := range t.Statements {
				text, ok := known.Load(t.Schema + s.SQL)
				if !ok {
					text = tableNamed.ReplaceAllStringFunc(s.SQL, func(found string) string {
						parts := tableNamed.FindStringSubmatch(found)
						if !tables[t.Schema+"."+parts[3]] {
							return found
						}
						return parts[1] + parts[2] + t.Schema + "." + parts[3]
					})
					known.Store(t.Schema+s.SQL, text)
				}
				whole.Statements = append(whole.Statements, pgtest.Statement{SQL: text.(string), Args: s.Args}) //nolint:forcetypeassert // only strings are kept
			}
		}
		return pool.Do(ctx, whole)
	}
}

// measure does the next n checkouts, at most so many at once, and says how many were done a second.
func (h *hand) measure(b *testing.B, n, atOnce int) float64 {
	b.Helper()
	queue := make(chan []pgtest.Transaction, n)
	for _, one := range h.todo[:n] {
		queue <- one
	}
	close(queue)
	h.todo = h.todo[n:]
	var working sync.WaitGroup
	began := time.Now()
	for range atOnce {
		working.Go(func() {
			for one := range queue {
				missed, err := h.do(b.Context(), one)
				if err != nil {
					b.Errorf("%s: %v", h.name, err)
				}
				h.missed.Add(int64(missed))
			}
		})
	}
	working.Wait()
	return float64(n) / time.Since(began).Seconds()
}

// warm finds out with how many at once it is fastest: whoever writes by hand chooses that.
func (h *hand) warm(b *testing.B, n int, of ...int) {
	b.Helper()
	best := 0.0
	for _, atOnce := range of {
		if rate := h.measure(b, n, atOnce); rate > best {
			best, h.atOnce = rate, atOnce
		}
	}
	h.missed.Store(0)
}
