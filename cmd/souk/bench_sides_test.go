package main

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// httpSide is a souk in processes of its own, which is measured over HTTP.
type httpSide struct {
	name     string
	url      string
	variants []string
	pids     []int
	rates    []float64 // checkouts a second, of each round
	cpu      []float64 // milliseconds of processor for each
}

// visitors are all that came to any side: limits count each by an address of its own.
var visitors atomic.Int64

// carts fills so many carts with goods of two sorts, and quotes them.
func (s *httpSide) carts(b *testing.B, n, clients int, open *http.Transport) ([]*shopper, []quoteSeen) {
	b.Helper()
	carts, quotes, failures := make([]*shopper, n), make([]quoteSeen, n), make([]error, n)
	var filling sync.WaitGroup
	for part := range clients {
		filling.Go(func() {
			for i := part; i < n; i += clients {
				k := visitors.Add(1)
				g, err := guest(b.Context(), s.url, visitor(k, open))
				for j := range int64(2) {
					if err == nil {
						_, err = g.add(b.Context(), s.variants[(2*k+j)%int64(len(s.variants))], 1)
					}
				}
				if err == nil {
					quotes[i], err = g.quote(b.Context())
				}
				carts[i], failures[i] = g, err
			}
		})
	}
	filling.Wait()
	for _, err := range failures {
		require.NoError(b, err, s.name)
	}
	return carts, quotes
}

// measure has so many clients check out carts that are ready.
func (s *httpSide) measure(b *testing.B, n, clients int, open *http.Transport) {
	b.Helper()
	carts, quotes := s.carts(b, n, clients, open)
	cpu := s.processor(b)
	var buying sync.WaitGroup
	began := time.Now()
	for part := range clients {
		buying.Go(func() {
			for i := part; i < n; i += clients {
				body := checkoutBody(quotes[i], "sandbox_ok")
				body["contact"] = map[string]any{"email": fmt.Sprintf("guest%d@example.com", visitors.Add(1)), "name": "Ada Example"}
				body["wait_millis"] = 20_000
				a, err := carts[i].do(b.Context(), http.MethodPost, "/api/v1/orders/checkouts", key(), body)
				if err != nil || a.status != http.StatusCreated {
					b.Errorf("%s: checkout: %v %d %s", s.name, err, a.status, a.body)
				}
			}
		})
	}
	buying.Wait()
	s.rates = append(s.rates, float64(n)/time.Since(began).Seconds())
	s.cpu = append(s.cpu, float64((s.processor(b)-cpu).Microseconds())/1000/float64(n))
}

// processor is what its processes have used.
func (s *httpSide) processor(b *testing.B) (all time.Duration) {
	b.Helper()
	for _, pid := range s.pids {
		all += cpuOf(b, pid)
	}
	return all
}

// ratios are those of one side's rates to another's, round by round.
func ratios(of, to []float64) []float64 {
	var all []float64
	for i := range of {
		all = append(all, of[i]/to[i])
	}
	return all
}

// stocked are variants on sale of which there are at least so many, one of each listing.
func (s *httpSide) stocked(b *testing.B, least int64) (all []string) {
	b.Helper()
	cursor := ""
	for {
		var page struct {
			Listings []listingSeen `json:"listings"`
			Next     string        `json:"next_cursor"`
		}
		path := "/api/v1/catalog/listings?limit=100"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		(&shopper{url: s.url}).must(b, http.MethodGet, path, "", nil, &page)
		for _, l := range page.Listings {
			if len(l.Variants) > 0 && l.Variants[0].Stock.Available >= least {
				all = append(all, l.Variants[0].ID)
			}
		}
		if cursor = page.Next; cursor == "" {
			require.NotEmpty(b, all)
			return all
		}
	}
}
