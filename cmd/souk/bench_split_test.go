package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc"
)

// splitSide is a souk in one of the topologies, and what was measured of it.
type splitSide struct {
	*street
	shops               []shopOf
	calls, bytes        atomic.Int64 // between processes
	checkouts, searches measured
}

// measured are requests of one kind: what each took, and what they took together.
type measured struct {
	took             []time.Duration
	cpu, calls, wire float64
}

func (m *measured) line() string {
	n := float64(len(m.took))
	return fmt.Sprintf("p50 %6.1f ms, p99 %6.1f ms, %5.1f ms of processor, %4.1f calls with %6.0f B between processes",
		float64(quantile(m.took, 0.5).Microseconds())/1000, float64(quantile(m.took, 0.99).Microseconds())/1000,
		m.cpu/n*1000, m.calls/n, m.wire/n)
}

// processor is the time that this process has computed for, which has all processes of a topology in it.
func processor(b *testing.B) float64 {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// measure has so many clients do n things, and adds what they took.
func (s *splitSide) measure(b *testing.B, m *measured, clients, n int, do func(i int) error) {
	b.Helper()
	took := make([]time.Duration, n)
	cpu, calls, bytes := processor(b), s.calls.Load(), s.bytes.Load()
	var doing sync.WaitGroup
	for part := range clients {
		doing.Go(func() {
			for i := part; i < n; i += clients {
				began := time.Now()
				if err := do(i); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(began)
			}
		})
	}
	doing.Wait()
	m.took = append(m.took, took...)
	m.cpu += processor(b) - cpu
	m.calls += float64(s.calls.Load() - calls)
	m.wire += float64(s.bytes.Load() - bytes)
}

// BenchmarkSplit compares checkouts and pages of search in one process, with payments out, and with every
// module apart; in turn within one run. All processes of a topology run in this one, so what the
// processor did is of all of them and of the clients, and the socket is this machine's.
func BenchmarkSplit(b *testing.B) {
	const rounds, checkouts, searches, clients = 7, 16, 60, 4
	var sides []*splitSide
	for _, name := range []string{"one", "payments-out", "apart"} {
		as, ok := topologyNamed(name)
		require.True(b, ok)
		side := &splitSide{street: &street{running: &running{dir: b.TempDir()}, topology: as, more: []string{"--proxies", "127.0.0.0/8"}}}
		side.shops = shops(b, side.dir, 4)
		side.probes.edge = func(o *rpc.RemoteOptions) {
			was := o.OnCall
			o.OnCall = func(ctx context.Context, m rpc.Method, c rpc.Called) {
				side.calls.Add(1)
				side.bytes.Add(c.Sent + c.Received)
				was(ctx, m, c)
			}
		}
		side.serve(b, side.dir)
		sides = append(sides, side)
	}
	open := connections(clients)
	var visitors atomic.Int64
	for b.Loop() {
		for round := range rounds + 1 {
			for _, side := range sides {
				if round == 1 { // the first only warms
					side.checkouts, side.searches = measured{}, measured{}
				}
				carts, quotes := make([]*shopper, checkouts), make([]quoteSeen, checkouts)
				for i := range carts {
					g, err := guest(b.Context(), side.url, visitor(visitors.Add(1), open))
					require.NoError(b, err)
					for shop := range 2 {
						a, err := g.add(b.Context(), string(side.shops[(i+shop)%4].listings[i%8].Variants[0].ID), 1)
						require.NoError(b, err)
						require.Less(b, a.status, 300, string(a.body))
					}
					quotes[i], err = g.quote(b.Context())
					require.NoError(b, err)
					carts[i] = g
				}
				side.measure(b, &side.checkouts, clients, checkouts, func(i int) error {
					body := checkoutBody(quotes[i], "sandbox_ok")
					body["contact"] = map[string]any{"email": fmt.Sprintf("guest%d@example.com", visitors.Add(1)), "name": "Ada Example"}
					body["wait_millis"] = 20_000
					a, err := carts[i].do(b.Context(), http.MethodPost, "/api/v1/orders/checkouts", key(), body)
					if err == nil && a.status != http.StatusCreated {
						err = fmt.Errorf("checkout: %d %s", a.status, a.body)
					}
					return err
				})
				side.measure(b, &side.searches, clients, searches, func(int) error {
					who := &shopper{url: side.url, http: visitor(visitors.Add(1), open)}
					a, err := who.do(b.Context(), http.MethodGet, "/search?q=thing", "", nil)
					if err == nil && a.status != http.StatusOK {
						err = fmt.Errorf("search: %d", a.status)
					}
					return err
				})
			}
		}
	}
	f := found(b, "in several processes, %d clients (%d interleaved rounds of %d checkouts and %d pages of search)", clients, rounds, checkouts, searches)
	for _, side := range sides {
		f.line("%-13s checkout: %s", side.topology.Name, side.checkouts.line())
	}
	for _, side := range sides {
		f.line("%-13s search:   %s", side.topology.Name, side.searches.line())
	}
	f.print()
}
