package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	errSoldOut = errors.New("nothing of it left")
	words      = []string{"toner", "notebook", "black", "usb", "hp", "cable", "keyboard", "wireless", "case", "monitor"}
)

// ask reads something that has to be there.
func (s *shopper) ask(ctx context.Context, path string, to any) error {
	a, err := s.do(ctx, http.MethodGet, path, "", nil)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, a.status, a.body)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(a.body, to)
}

// purchase is everything a guest does: search, look at a listing, put it into the cart, see the
// quote, check out, and look at the order until it is paid.
func purchase(ctx context.Context, at string, client *http.Client, random *rand.Rand) error {
	s := &shopper{url: at, http: client}
	var page struct {
		Hits []struct {
			Listing string `json:"listing"`
		} `json:"hits"`
	}
	if err := s.ask(ctx, "/api/v1/search/listings?in_stock=true&limit=50&q="+words[random.IntN(len(words))], &page); err != nil {
		return err
	}
	if len(page.Hits) == 0 {
		return errSoldOut
	}
	var l listingSeen
	if err := s.ask(ctx, "/api/v1/catalog/listings/"+page.Hits[random.IntN(len(page.Hits))].Listing, &l); err != nil {
		return err
	}
	s, err := guest(ctx, at, client)
	if err != nil {
		return err
	}
	a, err := s.add(ctx, l.Variants[0].ID, 1)
	if err != nil {
		return err
	}
	if a.status == http.StatusConflict {
		return errSoldOut
	}
	if a.status >= 300 {
		return fmt.Errorf("add: %d %s", a.status, a.body)
	}
	q, err := s.quote(ctx)
	if err != nil {
		return err
	}
	if len(q.Problems) > 0 {
		return fmt.Errorf("%w: %v", errSoldOut, q.Problems)
	}
	c, a, err := s.checkout(ctx, q, "sandbox_ok", key())
	switch {
	case err != nil:
		return err
	case c.Status == "rejected" && (c.Reason == "out_of_stock" || c.Reason == "quote_changed"):
		return errSoldOut
	case a.status >= 300 || c.Status == "rejected":
		return fmt.Errorf("checkout: %d %s", a.status, a.body)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var o orderSeen
		if err := s.ask(ctx, "/api/v1/orders/orders/"+c.Order+"?link="+url.QueryEscape(c.Link), &o); err != nil {
			return err
		}
		if len(o.SellerOrders) > 0 && o.SellerOrders[0].Paid {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cpuOf is how much processor time a process has had.
func cpuOf(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Skipf("SKIPPED: this system does not say what a process has used: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		require.NoError(t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // of which Linux has a hundred a second
}

// purchases is what so many clients got done in a while.
type purchases struct {
	took []time.Duration // each
	all  time.Duration
	cpu  time.Duration // of souk
	none int64         // had nothing to buy
}

func (c *child) purchases(b *testing.B, clients int, lasting time.Duration, visitors *atomic.Int64) purchases {
	b.Helper()
	open := connections(clients)
	defer open.CloseIdleConnections()
	var p purchases
	var mu sync.Mutex
	var buying sync.WaitGroup
	cpu, began := cpuOf(b, c.cmd.Process.Pid), time.Now()
	for range clients {
		buying.Go(func() {
			for time.Since(began) < lasting {
				n := visitors.Add(1)
				at := time.Now()
				err := purchase(b.Context(), c.url, visitor(n, open), rand.New(rand.NewPCG(1, uint64(n))))
				mu.Lock()
				switch {
				case err == nil:
					p.took = append(p.took, time.Since(at))
				case errors.Is(err, errSoldOut):
					p.none++
				default:
					b.Error(err)
				}
				mu.Unlock()
				if b.Failed() {
					return
				}
			}
		})
	}
	buying.Wait()
	p.all, p.cpu = time.Since(began), cpuOf(b, c.cmd.Process.Pid)-cpu
	return p
}

// envBinary names a built souk to measure. Without it, it is the test binary, which carries more.
const envBinary = "SOUK_BENCH_BINARY"

// spawnBuilt starts the souk that is measured.
func spawnBuilt(b *testing.B, dir string, more ...string) *child {
	b.Helper()
	if path := os.Getenv(envBinary); path != "" {
		return launch(b, exec.Command(path, serveArgs(dir, more)...))
	}
	return spawn(b, dir, "", more...)
}

// BenchmarkPurchase has guests buy from the real catalogue over HTTP, from a souk in a process
// of its own on the real disk, and looks at its memory afterwards.
func BenchmarkPurchase(b *testing.B) {
	const lasting = 3 * time.Second
	dir := b.TempDir()
	imported(b, dir, catalogueFeed(b))
	c := spawnBuilt(b, dir, "--log-level", "info", "--proxies", "127.0.0.0/8")
	var visitors atomic.Int64
	c.purchases(b, 8, lasting, &visitors) // warm
	at := []int{1, 8, 32}
	all := make([]purchases, len(at))
	for b.Loop() {
		for range 3 {
			for i, clients := range at {
				p := c.purchases(b, clients, lasting, &visitors)
				all[i].took, all[i].all = append(all[i].took, p.took...), all[i].all+p.all
				all[i].cpu, all[i].none = all[i].cpu+p.cpu, all[i].none+p.none
			}
		}
	}
	f := found(b, "whole purchases by guests over HTTP on the real catalogue (3 interleaved rounds of %v; real disk)", lasting)
	f.line("%8s %12s %10s %10s %14s %10s", "clients", "purchases/s", "p50", "p99", "CPU each", "in vain")
	for i, clients := range at {
		p := all[i]
		if len(p.took) == 0 {
			b.Fatal("nobody bought anything")
		}
		each := p.cpu / time.Duration(len(p.took))
		rate := float64(len(p.took)) / p.all.Seconds()
		f.line("%8d %12.1f %10v %10v %14v %10d", clients, rate, quantile(p.took, 0.5).Round(100*time.Microsecond),
			quantile(p.took, 0.99).Round(100*time.Microsecond), each.Round(10*time.Microsecond), p.none)
		b.ReportMetric(rate, fmt.Sprintf("purchases/s-at-%d", clients))
	}
	f.atMost("resident memory after the load, MB", "resident-MB", 150, resident(b, c.cmd.Process.Pid))
	f.print()
	report := verifyAt(b, dir)
	require.True(b, report.Sound(), broken(report))
	c.kill()
	c.gone(b)
}
