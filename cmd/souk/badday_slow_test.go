package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc"
)

// holdUp has the lane hold every call of that method, and says how many it holds. They go on, if anyone
// still waits for them, when release is called.
func (l *lane) holdUp(module, method string) (held *atomic.Int64, release func()) {
	held = &atomic.Int64{}
	gate := make(chan struct{})
	l.obey(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if isCall(r, module, method) {
			body, err := io.ReadAll(r.Body) // only then does the server notice that nobody waits any more
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			held.Add(1)
			defer held.Add(-1)
			select {
			case <-gate:
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
		pass.ServeHTTP(w, r)
	})
	return held, func() { l.obey(nil); close(gate) }
}

const paymentsSilent = "Payments are not answering just now. Your cart is kept"

// tillOf is a guest's page at the till, whose ways to pay come from payments.
func tillOf(t *testing.T, s *street, g *shopper) string {
	t.Helper()
	a, err := g.do(t.Context(), http.MethodGet, "/checkout", "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	return string(a.body)
}

// others fails the test unless pages and routes that do not need payments are as ever.
func (s *street) othersWork(t *testing.T) {
	t.Helper()
	status, body := s.get(t, "/search?q=lamp")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "Lamps")
	g := newGuest(t, s.url)
	a, err := g.add(t.Context(), string(s.mugs.listings[0].Variants[0].ID), 1)
	require.NoError(t, err)
	assert.Less(t, a.status, 300, string(a.body))
}

// withCart is a guest with something in the cart.
func (s *street) withCart(t *testing.T) *shopper {
	t.Helper()
	g := newGuest(t, s.url)
	a, err := g.add(t.Context(), string(s.lamps.listings[0].Variants[0].ID), 1)
	require.NoError(t, err)
	require.Less(t, a.status, 300, string(a.body))
	return g
}

// TestASlowModuleEndsItsCallsAndIsLeftAlone: no call takes longer than it may, after a few that did the
// breaker answers at once, and when the module is quick again it is asked again.
func TestASlowModuleEndsItsCallsAndIsLeftAlone(t *testing.T) {
	t.Parallel()
	hasty := func(o *rpc.RemoteOptions) {
		if o.From == "storefront" { // who pays afterwards, on a machine that may be slow itself, has all the time that there usually is
			o.TryFor, o.Timeout = 100*time.Millisecond, 400*time.Millisecond
		}
	}
	s, lanes, log := openOverLanes(t, "payments-out", map[int]probes{0: {edge: hasty}})
	held, release := lanes[1].holdUp("payments", "Methods")
	g := s.withCart(t)
	assert.Contains(t, tillOf(t, s, g), paymentsSilent)
	lineOf(t, log, "checkout shown without ways to pay", "payments did not answer")
	until(t, "the breaker opens", func() bool {
		assert.Contains(t, tillOf(t, s, g), paymentsSilent)
		_, figures := s.get(t, "/metrics")
		return edgeCalls(figures, "payments", string(rpc.ErrUnavailable.Code))
	})
	lineOf(t, log, "payments cannot be reached just now", "it has not answered for a while")
	s.othersWork(t)
	until(t, "what nobody waits for is given up there too", func() bool { return held.Load() == 0 })

	release()
	until(t, "payments is asked again", func() bool { return !strings.Contains(tillOf(t, s, g), paymentsSilent) })
	c := g.buy(t, "sandbox_ok", seen(s.mugs.listings[1]))
	assert.Equal(t, "placed", c.Status, c.Message)
	s.sound(t)
}

// TestWhatWaitsForASlowModuleIsBounded: beyond the bound nobody waits, so what waits cannot take the place of
// what could be done.
func TestWhatWaitsForASlowModuleIsBounded(t *testing.T) {
	t.Parallel()
	const bound = 4
	narrow := func(o *rpc.RemoteOptions) { o.MaxInFlight, o.TryFor = bound, patience }
	s, lanes, log := openOverLanes(t, "payments-out", map[int]probes{0: {edge: narrow}})
	held, release := lanes[1].holdUp("payments", "Methods")
	g := s.withCart(t)
	pages := make(chan answer, bound)
	for range bound {
		go func() {
			a, _ := g.do(t.Context(), http.MethodGet, "/checkout", "", nil)
			pages <- a
		}()
	}
	until(t, "all that may wait do", func() bool { return held.Load() == bound })
	assert.Contains(t, tillOf(t, s, g), paymentsSilent, "one more does not wait")
	lineOf(t, log, "checkout shown without ways to pay", "too many calls to it are under way")
	assert.Equal(t, int64(bound), held.Load(), "all the others wait still")
	s.othersWork(t)

	release()
	for range bound {
		a := <-pages
		assert.Equal(t, http.StatusOK, a.status)
		assert.NotContains(t, string(a.body), paymentsSilent)
	}
	assert.NotContains(t, tillOf(t, s, g), paymentsSilent)
}
