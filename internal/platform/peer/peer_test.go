package peer_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/reqid"
	"souk/internal/platform/telemetry/telemetrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	oldSecret = "Zk3vYx0q8Wm2Rt7Lp5Nc1Hb9Js4Dg6Fa"
	newSecret = "b7Qe2Xr5Tz8Uk1Oi4Pa9Sl3Mf6Cv0WyG"
)

func secrets(t testing.TB, text string) []peer.Secret {
	t.Helper()
	s, err := peer.ParseSecrets(text)
	require.NoError(t, err)
	return s
}

// world is a private listener that echoes what it was asked, and a connection to it.
type world struct {
	t     *testing.T
	clock *clock.Manual
	url   string
	log   *telemetrytest.Canary
	asked int // requests that came through
	last  http.Header
	ctx   context.Context // what the last handler saw
}

func newWorld(t *testing.T, change func(*peer.Rules)) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(1_700_000_000_000), log: telemetrytest.NewCanary(t, oldSecret, newSecret)}
	rules := peer.Rules{
		Secrets: secrets(t, oldSecret), Callers: []string{"orders", "search"}, Now: w.clock.Now, Log: zerolog.New(w.log), MaxBody: 1000,
	}
	if change != nil {
		change(&rules)
	}
	mux := peer.NewMux()
	echo := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.asked, w.last, w.ctx = w.asked+1, r.Header, r.Context()
		body, _ := io.ReadAll(r.Body)
		_, _ = out.Write(append([]byte(peer.From(r.Context())+" "+r.Proto+" "), body...))
	})
	mux.RPC("payments", []string{"orders"}, echo)
	mux.Events("payments", nil, echo)
	w.url = serve(t, peer.Server(peer.ServerConfig{Handler: peer.Require(rules)(mux)}))
	return w
}

func serve(t testing.TB, server *http.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error)
	go func() {
		if server.TLSConfig != nil {
			done <- server.ServeTLS(listener, "", "")
			return
		}
		done <- server.Serve(listener)
	}()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		<-done
	})
	return listener.Addr().String()
}

func (w *world) client(s peer.Signer) *http.Client {
	if s.Now == nil {
		s.Now = w.clock.Now
	}
	pool := peer.Pool(peer.PoolConfig{})
	w.t.Cleanup(pool.CloseIdleConnections)
	return peer.Client(peer.Transport(pool, s))
}

func (w *world) orders() *http.Client {
	return w.client(peer.Signer{Caller: "orders", Secrets: secrets(w.t, oldSecret)})
}

const pay = "/souk/v1/rpc/payments/Authorize?x=%2F1"

func (w *world) request(body string) *http.Request {
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.url+pay, strings.NewReader(body))
	require.NoError(w.t, err)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// say sends r and returns the text of the answer, or its error.
func say(t *testing.T, c *http.Client, r *http.Request) (string, error) {
	t.Helper()
	res, err := c.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		assert.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		return "", peer.ReadError(res)
	}
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(body), nil
}

func TestAProvenCallerIsLetInAndNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	got, err := say(t, w.orders(), w.request(`{"amount":1}`))
	require.NoError(t, err)
	assert.Equal(t, `orders HTTP/2.0 {"amount":1}`, got)

	t.Run("also with a body that can be read only once", func(t *testing.T) {
		r := w.request("")
		r.Body, r.GetBody, r.ContentLength = io.NopCloser(io.LimitReader(strings.NewReader("streamed and more"), 8)), nil, -1
		got, err := say(t, w.orders(), r)
		require.NoError(t, err)
		assert.Equal(t, "orders HTTP/2.0 streamed", got)
	})
	t.Run("also without a body", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.url+peer.EventsPath("payments"), nil)
		require.NoError(t, err)
		got, err := say(t, w.orders(), r)
		require.NoError(t, err)
		assert.Equal(t, "orders HTTP/2.0 ", got)
	})
	t.Run("with the request's id and trace", func(t *testing.T) {
		span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		ctx := trace.ContextWithSpanContext(reqid.With(t.Context(), "request-1"), span)
		_, err := say(t, w.orders(), w.request("").WithContext(ctx))
		require.NoError(t, err)
		assert.Equal(t, "request-1", reqid.From(w.ctx))
		assert.Equal(t, span.TraceID(), trace.SpanContextFromContext(w.ctx).TraceID())
	})
}

// recorded is a request as it went over the wire, to be sent again or changed.
func (w *world) recorded(body string) *http.Request {
	var kept *http.Request
	through := roundTrip(func(r *http.Request) (*http.Response, error) {
		kept = r
		return httptest.NewRecorder().Result(), nil
	})
	_, err := peer.Transport(through, peer.Signer{Caller: "orders", Secrets: secrets(w.t, oldSecret), Now: w.clock.Now}).RoundTrip(w.request(body))
	require.NoError(w.t, err)
	return kept
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// plain sends a request as it is.
func (w *world) plain() *http.Client {
	pool := peer.Pool(peer.PoolConfig{})
	w.t.Cleanup(pool.CloseIdleConnections)
	return peer.Client(pool)
}

func withBody(r *http.Request, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.GetBody = nil
}

func TestWhatIsNotProvenIsTurnedAway(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(r *http.Request)
		want  *errs.Error
	}{
		"no proof":             {func(r *http.Request) { r.Header.Del(peer.Header) }, peer.ErrBadSignature},
		"two proofs":           {func(r *http.Request) { r.Header.Add(peer.Header, r.Header.Get(peer.Header)) }, peer.ErrBadSignature},
		"another scheme":       {func(r *http.Request) { reword(r, 0, "v2") }, peer.ErrBadSignature},
		"no signature at all":  {func(r *http.Request) { r.Header.Set(peer.Header, "tls orders") }, peer.ErrBadSignature},
		"another caller":       {func(r *http.Request) { reword(r, 1, "search") }, peer.ErrBadSignature},
		"another time":         {func(r *http.Request) { reword(r, 2, "1700000000001") }, peer.ErrBadSignature},
		"another nonce":        {func(r *http.Request) { reword(r, 3, "AAAAAAAAAAAAAAAAAAAAAA") }, peer.ErrBadSignature},
		"a short nonce":        {func(r *http.Request) { reword(r, 3, "AAAA") }, peer.ErrBadSignature},
		"another body hash":    {func(r *http.Request) { reword(r, 4, strings.Repeat("A", 43)) }, peer.ErrBadSignature},
		"another signature":    {func(r *http.Request) { reword(r, 5, strings.Repeat("A", 43)) }, peer.ErrBadSignature},
		"another body":         {func(r *http.Request) { withBody(r, `{"amount":2}`) }, peer.ErrBadSignature},
		"another method":       {func(r *http.Request) { r.Method = http.MethodPut }, peer.ErrBadSignature},
		"another path":         {func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/souk/v1/rpc/payments/Refund", "" }, peer.ErrBadSignature},
		"another query":        {func(r *http.Request) { r.URL.RawQuery = "x=/1" }, peer.ErrBadSignature},
		"another host":         {func(r *http.Request) { r.Host = "elsewhere:1" }, peer.ErrBadSignature},
		"another deadline":     {func(r *http.Request) { r.Header.Set("Souk-Timeout", "1") }, peer.ErrBadSignature},
		"another request id":   {func(r *http.Request) { r.Header.Set(reqid.Header, "request-2") }, peer.ErrBadSignature},
		"another content type": {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, peer.ErrBadSignature},
		"a body that is longer than said to be allowed": {func(r *http.Request) { withBody(r, strings.Repeat("x", 1001)) }, peer.ErrTooLarge},
		"a body of unsaid length that is too long": {func(r *http.Request) {
			withBody(r, strings.Repeat("x", 1001))
			r.ContentLength = -1
		}, peer.ErrTooLarge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			r := w.recorded(`{"amount":1}`)
			tt.spoil(r)
			_, err := say(t, w.plain(), r)
			require.ErrorIs(t, err, tt.want)
			assert.Equal(t, tt.want.Kind, errs.KindOf(err))
			assert.Zero(t, w.asked, "nothing of it reaches a module")

			_, err = say(t, w.plain(), w.recorded(`{"amount":1}`))
			require.NoError(t, err, "and nothing is the worse for it")
		})
	}
}

// reword replaces one word of the proof.
func reword(r *http.Request, i int, by string) {
	words := strings.Split(r.Header.Get(peer.Header), " ")
	words[i] = by
	r.Header.Set(peer.Header, strings.Join(words, " "))
}

func TestTheWrongSecretIsTurnedAwayAndNeverLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, err := say(t, w.client(peer.Signer{Caller: "orders", Secrets: secrets(t, newSecret)}), w.request(""))
	require.ErrorIs(t, err, peer.ErrBadSignature)
	assert.Contains(t, w.log.String(), "peer.bad_signature")
}

func TestRotatingTheSecretRefusesNobody(t *testing.T) {
	t.Parallel()
	both := newWorld(t, func(r *peer.Rules) { r.Secrets = secrets(t, oldSecret+"\n"+newSecret) })
	for _, text := range []string{oldSecret, newSecret, newSecret + " " + oldSecret} {
		_, err := say(t, both.client(peer.Signer{Caller: "orders", Secrets: secrets(t, text)}), both.request(""))
		require.NoError(t, err)
	}
	dropped := newWorld(t, func(r *peer.Rules) { r.Secrets = secrets(t, newSecret) })
	_, err := say(t, dropped.client(peer.Signer{Caller: "orders", Secrets: secrets(t, oldSecret)}), dropped.request(""))
	require.ErrorIs(t, err, peer.ErrBadSignature)
}

func TestClocksThatDifferAreBothNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.clock.Advance(10 * time.Minute)
	for off, fine := range map[time.Duration]bool{
		-60_001 * time.Millisecond: false, -time.Minute: true, time.Minute: true, 60_001 * time.Millisecond: false,
	} {
		theirs := func() clock.Time { return w.clock.Now().Add(off) }
		_, err := say(t, w.client(peer.Signer{Caller: "orders", Secrets: secrets(t, oldSecret), Now: theirs}), w.request(""))
		if fine {
			require.NoError(t, err, "%s", off)
			continue
		}
		require.ErrorIs(t, err, peer.ErrClockSkew, "%s", off)
		assert.Contains(t, err.Error(), theirs().String())
		assert.Contains(t, err.Error(), w.clock.Now().String())
	}
}

func TestAReplayIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.clock.Advance(time.Hour)
	r := w.recorded("once")
	for i, after := range []time.Duration{0, 0, 59 * time.Second, time.Second, 0} {
		w.clock.Advance(after)
		withBody(r, "once")
		_, err := say(t, w.plain(), r)
		if i == 0 {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, peer.ErrReplayed)
		assert.Equal(t, errs.Unknown, errs.KindOf(err), "this copy did nothing, but the first may have")
	}
	w.clock.Advance(time.Millisecond)
	withBody(r, "once")
	_, err := say(t, w.plain(), r)
	require.ErrorIs(t, err, peer.ErrClockSkew, "then it is too old anyway")
	assert.Equal(t, 1, w.asked)
}

func TestAProcessThatHasJustStartedTakesNoReplayEither(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := w.recorded("once")
	w.clock.Advance(time.Second)
	restarted := newWorld(t, func(r *peer.Rules) { r.Now = w.clock.Now })
	r.Host = w.url // as it was signed
	r.URL.Host = restarted.url
	withBody(r, "once")
	_, err := say(t, w.plain(), r)
	require.ErrorIs(t, err, peer.ErrStale)
	assert.Equal(t, errs.Unavailable, errs.KindOf(err), "signed anew it will do")
	assert.Zero(t, restarted.asked)
}

func TestWhoMayNotAskIsTurnedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ask := func(caller, path string) error {
		r := w.request("")
		r.URL.Path, r.URL.RawPath = path, ""
		_, err := say(t, w.client(peer.Signer{Caller: caller, Secrets: secrets(t, oldSecret)}), r)
		return err
	}
	require.ErrorIs(t, ask("gardeners", pay), peer.ErrUnknownCaller, "no such module")
	require.ErrorIs(t, ask("search", peer.RPCPath("payments", "Authorize")), peer.ErrUnknownCaller, "search may not ask payments")
	require.NoError(t, ask("orders", peer.RPCPath("payments", "Authorize")))
	require.ErrorIs(t, ask("orders", peer.RPCPath("cart", "Get")), peer.ErrNotHere)
	require.ErrorIs(t, ask("orders", "/api/v1/orders"), peer.ErrNotHere)
	require.ErrorIs(t, ask("orders", peer.EventsPath("payments")), peer.ErrNotHere, "a log is read, not posted to")
}

func TestWhatIsPassedOnKeepsItsAddress(t *testing.T) {
	t.Parallel()
	mux := peer.NewMux()
	mux.Public("edge", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.EscapedPath()) }))
	known := secrets(t, oldSecret)
	url := serve(t, peer.Server(peer.ServerConfig{Handler: peer.Require(peer.Rules{Secrets: known, Callers: []string{"edge", "orders"}})(mux)}))
	pool := peer.Calls(peer.PoolConfig{})
	defer pool.CloseIdleConnections()
	ask := func(caller, path string) (string, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+url, nil)
		require.NoError(t, err)
		r.URL.Path = peer.PublicPath + path
		return say(t, peer.Client(peer.Transport(pool, peer.Signer{Caller: caller, Secrets: known})), r)
	}
	for _, path := range []string{"/", "/p/one", "//p//one", "/p/../one", "/../rpc/orders/Get", "/p/./one/"} {
		got, err := ask("edge", path)
		require.NoError(t, err, path)
		assert.Equal(t, path, got)
	}
	_, err := ask("orders", "/p/one")
	require.ErrorIs(t, err, peer.ErrUnknownCaller)
}

func TestTheMuxAloneLetsNobodyIn(t *testing.T) {
	t.Parallel()
	mux := peer.NewMux()
	mux.Contracts(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it came through") }))
	out := httptest.NewRecorder()
	mux.ServeHTTP(out, httptest.NewRequest(http.MethodGet, peer.ContractsPath("catalog"), nil))
	assert.Equal(t, http.StatusForbidden, out.Code)
}

func TestNothingToKnowPeersByLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(r *peer.Rules) { r.Secrets = nil })
	_, err := say(t, w.orders(), w.request(""))
	require.ErrorIs(t, err, peer.ErrBadSignature)
	_, err = say(t, w.client(peer.Signer{Caller: "orders"}), w.request(""))
	require.ErrorIs(t, err, peer.ErrBadSignature)
}

func TestABodyThatNeverArrivesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(r *peer.Rules) { r.BodyTime = time.Millisecond })
	r := w.recorded("")
	reader, writer := io.Pipe()
	defer writer.Close()
	r.Body, r.ContentLength = reader, -1
	_, err := say(t, w.plain(), r)
	require.ErrorIs(t, err, peer.ErrBody)
	assert.Zero(t, w.asked)
}

func TestAnswersThatAreNotSouksAreUnderstoodWithCare(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]errs.Kind{502: errs.Unknown, 504: errs.Unknown, 500: errs.Unknown, 503: errs.Unavailable, 404: errs.Unavailable} {
		res := &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader([]byte("<html>")))}
		assert.Equal(t, want, peer.ReadError(res).Kind, "%d", status)
	}
}

func TestOwn(t *testing.T) {
	t.Parallel()
	assert.True(t, peer.Own(peer.ErrReplayed.Code))
	assert.False(t, peer.Own("payments.key_reused"))
}
