package main

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
)

// TestAClockThatIsWrongIsNamed: nothing is let in, the log says whose clock says what, and once the clock is
// right everything goes on without a restart.
func TestAClockThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	var fast atomic.Int64
	fast.Store(int64(2 * time.Minute))
	s := filled(t, mustTopology(t, "payments-out"))
	log := &safeText{}
	s.serveOverLanes(t, s.dir, log, map[int]probes{1: {now: func() clock.Time { return clock.Now().Add(time.Duration(fast.Load())) }}})

	line := lineOf(t, log, "peer.clock_skew", "the clock of", "and the one here", "may by 1m0s")
	assert.GreaterOrEqual(t, len(regexp.MustCompile(`\d{4}-\d\d-\d\dT`).FindAllString(line, -1)), 2, "both times are there: %s", line)
	status, body := s.get(t, "/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, body, "souk.not_connected")
	s.othersWork(t)
	g := s.withCart(t)
	assert.Contains(t, tillOf(t, s, g), paymentsSilent)

	fast.Store(0)
	s.ready(t)
	assert.NotContains(t, tillOf(t, s, g), paymentsSilent)
	c := g.buy(t, "sandbox_ok", seen(s.mugs.listings[0]))
	assert.Equal(t, "placed", c.Status, c.Message)
	s.sound(t)
}

// ofAnotherRelease has the lane answer with a contract of the module that no release before or after this has.
func (l *lane) ofAnotherRelease(module string) {
	other := contracts()[module]
	other.Hash, other.Previous = "0123456789abcdef", "fedcba9876543210"
	other.Text = strings.Replace(other.Text, "command Capture ", "command Seize ", 1)
	l.obey(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.URL.Path != peer.ContractsPath(module) {
			pass.ServeHTTP(w, r)
			return
		}
		rpc.ContractsHandler(other).ServeHTTP(w, r)
	})
}

// TestProcessesWhoseContractsDoNotMatchRefuse: at the start, and when the other one comes later, with the
// lines that differ.
func TestProcessesWhoseContractsDoNotMatchRefuse(t *testing.T) {
	t.Parallel()
	s, lanes, _ := openOverLanes(t, "payments-out", nil)
	differ := []string{"the contract of payments there (01234567) is neither", "- command Capture ", "+ command Seize "}
	lanes[1].ofAnotherRelease("payments")
	s.stop()
	require.Equal(t, exitOK, <-s.status, s.stderr)
	until(t, "it was never open", func() bool { // a neighbour that does not answer within half a second is met once souk is open
		got := souk(t, nil, append([]string{"serve", "--data", s.dir, "--listen", "localhost:0"}, s.laneArguments(0, lanes)...)...)
		require.Equal(t, exitFailed, got.status)
		for _, part := range differ {
			require.Contains(t, got.stderr, part)
		}
		return got.stdout == ""
	})

	lanes[1].cut()
	log := &safeText{}
	s.running = startProbed(t, s.dir, log, probes{}, s.laneArguments(0, lanes)...)
	s.othersWork(t)
	lanes[1].heal()
	assert.Equal(t, exitFailed, <-s.status)
	for _, part := range differ {
		assert.Contains(t, log.String(), part)
	}
}

// TestANeighbourOfAnotherReleaseIsUnavailable: one that comes while this process runs may be part of a rolling
// upgrade, so nobody ends for it; what needs it says so, and goes on when it is right.
func TestANeighbourOfAnotherReleaseIsUnavailable(t *testing.T) {
	t.Parallel()
	s, lanes, log := openOverLanes(t, "payments-out", nil)
	secrets, err := peer.LoadSecrets(s.secret, "")
	require.NoError(t, err)
	lanes[1].obey(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Header.Get("Souk-Contracts") == "" {
			pass.ServeHTTP(w, r)
			return
		}
		caller := strings.Fields(r.Header.Get(peer.Header))[1]
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		out := r.Clone(r.Context())
		out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", lanes[1].to
		out.Header.Set("Souk-Contracts", "0123456789abcdef fedcba9876543210")
		out.Header.Del(peer.Header)
		out.Body = io.NopCloser(bytes.NewReader(body))
		res, err := peer.Transport(lanes[1].outgoing, peer.Signer{Caller: caller, Secrets: secrets}).RoundTrip(out)
		if err != nil { // who asked may have given up, or stopped
			panic(http.ErrAbortHandler)
		}
		defer res.Body.Close()
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	})
	g := s.withCart(t)
	assert.Contains(t, tillOf(t, s, g), paymentsSilent)
	lineOf(t, log, "checkout shown without ways to pay", "the contracts of payments do not match: one side is more than a release older")
	s.othersWork(t)
	s.ready(t) // whom it can serve it serves

	lanes[1].obey(nil)
	until(t, "payments is asked again", func() bool { return !strings.Contains(tillOf(t, s, g), paymentsSilent) })
}

// edgeCalls says whether the figures have calls to a module that ended so.
func edgeCalls(figures, to, code string) bool {
	for line := range strings.Lines(figures) {
		if strings.HasPrefix(line, "souk_edge_calls_total{") && strings.Contains(line, `to="`+to+`"`) && strings.Contains(line, `code="`+code+`"`) {
			return true
		}
	}
	return false
}
