package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// envBefore names the built souk of an earlier commit: make bench-before REF=… builds it.
const envBefore = "SOUK_BENCH_BEFORE"

// BenchmarkBefore compares checkouts and pages of search of the built souk, in one process on files, with those of the
// souk of an earlier commit, in turn.
func BenchmarkBefore(b *testing.B) {
	const rounds, checkouts, searches, clients = 25, 24, 100, 4 // medians of nine rounds differed by a tenth for the same souk
	paths := []string{os.Getenv(envBefore), os.Getenv(envBinary)}
	if paths[0] == "" || paths[1] == "" {
		b.Skip("skipped: make bench-before REF=… builds both sides")
	}
	open := connections(clients)
	defer open.CloseIdleConnections()
	var sides []*httpSide
	var pages [2][]float64
	for i, path := range paths {
		c := launch(b, exec.Command(path, serveArgs(b.TempDir(), []string{"--demo", "--proxies", "127.0.0.0/8"})...))
		defer c.gone(b)
		defer c.kill()
		side := &httpSide{name: []string{"before", "now"}[i], url: c.url, pids: []int{c.cmd.Process.Pid}}
		side.variants = side.stocked(b, 6)
		sides = append(sides, side)
	}
	search := func(i int) {
		began := time.Now()
		for range searches {
			who := &shopper{url: sides[i].url, http: visitor(visitors.Add(1), open)}
			a, err := who.do(b.Context(), http.MethodGet, "/search?q=lamp", "", nil)
			require.NoError(b, err)
			require.Equal(b, http.StatusOK, a.status)
		}
		pages[i] = append(pages[i], searches/time.Since(began).Seconds())
	}
	for b.Loop() {
		for round := range rounds + 1 {
			for turn := range sides {
				i := (turn + round) % len(sides) // who is first pays for what the one before left behind
				sides[i].measure(b, checkouts, clients, open)
				search(i)
			}
			if round == 0 { // only warms
				for i, side := range sides {
					side.rates, side.cpu, pages[i] = nil, nil, nil
				}
			}
		}
	}
	f := found(b, "one process on files, now against before, %d clients (medians of %d interleaved rounds of %d checkouts and %d pages of search)", clients, rounds, checkouts, searches)
	for i, side := range sides {
		f.line("%-7s %7.1f checkouts/s, %5.2f ms of processor each; %7.1f pages of search/s", side.name, median(side.rates), median(side.cpu), median(pages[i]))
	}
	f.atLeast("checkouts a second, now / before", "checkouts-now/before", 0.95, ratios(sides[1].rates, sides[0].rates)...)
	f.atLeast("processor for a checkout, before / now", "cpu-before/now", 0.95, ratios(sides[0].cpu, sides[1].cpu)...)
	f.atLeast("pages of search a second, now / before", "search-now/before", 0.95, ratios(pages[1], pages[0])...)
	f.print()
	if b.Failed() {
		fmt.Fprintln(os.Stderr, "something failed: the figures are worth nothing")
	}
}
