package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/httpx"
	"souk/internal/platform/telemetry"
)

// benchRounds are interleaved: each measures every side once, and ratios are of the same round.
const benchRounds = 5

// findings are what a benchmark prints: goals beside what was measured.
type findings struct {
	b    *testing.B
	text strings.Builder
}

func found(b *testing.B, title string, args ...any) *findings {
	f := &findings{b: b}
	fmt.Fprintf(&f.text, "\n"+title+"\n", args...)
	return f
}

func (f *findings) line(format string, args ...any) {
	fmt.Fprintf(&f.text, "  "+format+"\n", args...)
}

// atLeast and atMost say a goal, and the median of what was measured with its extremes.
func (f *findings) atLeast(what, unit string, goal float64, got ...float64) {
	f.goal(what, unit, "≥", goal, got, median(got) >= goal)
}

func (f *findings) atMost(what, unit string, goal float64, got ...float64) {
	f.goal(what, unit, "≤", goal, got, median(got) <= goal)
}

func (f *findings) goal(what, unit, sign string, goal float64, got []float64, met bool) {
	f.b.Helper()
	verdict := ""
	if !met {
		verdict = "  MISSED"
	}
	f.line("%-58s %s %8.2f %9.2f  (%.2f to %.2f)%s", what, sign, goal, median(got), slices.Min(got), slices.Max(got), verdict)
	f.b.ReportMetric(median(got), unit)
}

func (f *findings) print() { fmt.Fprint(os.Stdout, f.text.String()) }

func median[T cmp.Ordered](of []T) T { return quantile(of, 0.5) }

func quantile[T cmp.Ordered](of []T, q float64) T {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(int(float64(len(sorted))*q), len(sorted)-1)]
}

// live is a souk within this process: its modules can be asked directly and over HTTP.
type live struct {
	*app
	handler http.Handler
	url     string
}

// goLive opens the souk in dir as serve does, logging as usual to nowhere. Without work nothing
// happens by itself.
func goLive(t testing.TB, dir string, work bool) *live {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Out: io.Discard, Level: "info", Version: soukVersion()})
	require.NoError(t, err)
	a, err := wire(t.Context(), dir, tel, wireOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, a.close())
		require.NoError(t, tel.Stop(context.WithoutCancel(t.Context())))
	})
	require.NoError(t, a.modules.Start(t.Context()))
	a.http.Log, a.http.Tracer, a.http.Meter = tel.Log, tel.Tracer, tel.Meter()
	a.http.Version, a.http.Proxies = soukVersion(), []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	server := httpx.New(a.http)
	require.NoError(t, a.modules.Mount(server, tel.Metrics()))
	l := &live{app: a, handler: server.Handler()}
	if work {
		a.serving.Store(true)
		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		ended := make(chan error, 1)
		go func() { ended <- a.work(ctx) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	l.url = listenHere(t, l.handler)
	return l
}

// listenHere serves h on a free port with souk's own settings.
func listenHere(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config = httpx.HTTPServer(h)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// atAddress sends requests as a proxy does for a client at some address, since souk counts tries by address.
type atAddress struct {
	address string
	next    http.RoundTripper
}

func (a atAddress) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", a.address)
	return a.next.RoundTrip(r)
}

// visitor is a client at the n-th address.
func visitor(n int64, connections http.RoundTripper) *http.Client {
	return &http.Client{Transport: atAddress{fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255), connections}}
}

// connections keeps as many connections open as there are clients.
func connections(clients int) *http.Transport {
	return &http.Transport{MaxIdleConns: clients, MaxIdleConnsPerHost: clients}
}

// catalogueFeed is the feed of the real catalogue, which is not part of the repo.
func catalogueFeed(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SOUK_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path, err := filepath.Abs(filepath.Join(dir, "icecat", "products.tsv.gz"))
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: the real catalogue is not at %s; set SOUK_SHARED_DATA to the folder that has icecat/products.tsv.gz", path)
	}
	return path
}
