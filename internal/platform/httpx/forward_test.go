package httpx_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/peer"
)

type echoIn struct {
	Body struct {
		Text string `json:"text"`
	}
}

type echoOut struct {
	Body struct {
		Text string `json:"text"`
	}
}

// echo is a module with one route.
func echo(api httpx.API) {
	httpx.Route(api, httpx.Op{Method: http.MethodPost, Path: "/api/v1/shop/echo", Who: httpx.Anyone, Summary: "Say it again"},
		func(_ context.Context, _ actor.Actor, in echoIn) (echoOut, error) {
			var out echoOut
			out.Body.Text = in.Body.Text
			return out, nil
		})
}

// twoProcesses are a front whose module shop is behind another process's private side, and what stands there.
func twoProcesses(t *testing.T, between func(next http.Handler) http.Handler) (front *httpx.Server, arrived *http.Request) {
	t.Helper()
	arrived = new(http.Request)
	back := httpx.New(httpx.Config{})
	echo(back.API(door.New("shop", 0, zerolog.Nop())))
	public := back.Handler()
	private := httptest.NewServer(between(http.StripPrefix(peer.PublicPath, httpx.Forwarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*arrived = *r.Clone(r.Context())
		public.ServeHTTP(w, r)
	})))))
	t.Cleanup(private.Close)
	at, err := url.Parse(private.URL + peer.PublicPath)
	require.NoError(t, err)

	front = httpx.New(httpx.Config{})
	there := front.Forward("shop", at, http.DefaultTransport)
	there.Pages("/shop-pages/")
	echo(there.API(front.API(door.New("shop", 0, zerolog.Nop()))))
	return front, arrived
}

func asItIs(next http.Handler) http.Handler { return next }

func send(front *httpx.Server, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://souk.example"+path, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.9:1234"
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	front.Handler().ServeHTTP(w, r)
	return w
}

func TestWhatAnotherProcessServesComesBackAsItIs(t *testing.T) {
	t.Parallel()
	front, arrived := twoProcesses(t, asItIs)
	w := send(front, http.MethodPost, "/api/v1/shop/echo", `{"text":"hello"}`, "X-Request-Id", "request-1", "X-Forwarded-For", "198.51.100.1",
		"Souk-Forwarded-For", "198.51.100.2")
	assert.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.JSONEq(t, `{"text":"hello"}`, w.Body.String())
	assert.Equal(t, []string{"request-1"}, w.Header().Values("X-Request-Id"))
	assert.Len(t, w.Header().Values("Strict-Transport-Security"), 1)
	assert.Equal(t, "souk.example", arrived.Host, "as whom it was asked")
	assert.Equal(t, "203.0.113.9:0", arrived.RemoteAddr, "who asks is found out here, whatever a client says of itself")
	assert.NotNil(t, arrived.TLS)
	assert.Equal(t, "/api/v1/shop/echo", arrived.URL.Path)

	w = send(front, http.MethodPost, "/api/v1/shop/echo", `{"txt":"hello"}`)
	assert.Equal(t, http.StatusBadRequest, w.Code, "an error comes back as it is too")
	assert.Contains(t, w.Body.String(), "txt")
	w = send(front, http.MethodPost, "/api/v1/shop/echo", `{"text":"x"}`, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, w.Code, "another site may not")
	w = send(front, http.MethodGet, "/api/v1/shop/newer", "")
	assert.Equal(t, http.StatusNotFound, w.Code, "what this release does not know is asked there")
	assert.Equal(t, "/api/v1/shop/newer", arrived.URL.Path)
	w = send(front, http.MethodGet, "/shop-pages/one?x=1", "")
	assert.Equal(t, "/shop-pages/one?x=1", arrived.URL.RequestURI())
	assert.Equal(t, http.StatusNotFound, w.Code)
}

func TestTheDocumentIsTheSameWhereverAModuleIs(t *testing.T) {
	t.Parallel()
	front, _ := twoProcesses(t, asItIs)
	whole := httpx.New(httpx.Config{})
	echo(whole.API(door.New("shop", 0, zerolog.Nop())))
	want, err := whole.OpenAPI()
	require.NoError(t, err)
	got, err := front.OpenAPI()
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestAProcessThatDoesNotAnswerIsToldKindly(t *testing.T) {
	t.Parallel()
	cut := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	}
	notLetIn := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { peer.WriteError(w, peer.ErrBadSignature) })
	}
	copied := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { peer.WriteError(w, peer.ErrReplayed) })
	}
	tests := map[string]struct {
		between func(http.Handler) http.Handler
		method  string
		status  int
		code    string
	}{
		"a write that may have arrived":    {between: cut, method: http.MethodPost, status: http.StatusGatewayTimeout, code: "souk.reply_lost"},
		"a read that got no answer":        {between: cut, method: http.MethodGet, status: http.StatusServiceUnavailable, code: "souk.unavailable"},
		"a write that was not let in":      {between: notLetIn, method: http.MethodPost, status: http.StatusServiceUnavailable, code: "souk.unavailable"},
		"a copy of one that was let in":    {between: copied, method: http.MethodPost, status: http.StatusGatewayTimeout, code: "souk.reply_lost"},
		"a copy of a read":                 {between: copied, method: http.MethodGet, status: http.StatusServiceUnavailable, code: "souk.unavailable"},
		"a read that was let in elsewhere": {between: notLetIn, method: http.MethodGet, status: http.StatusServiceUnavailable, code: "souk.unavailable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front, _ := twoProcesses(t, tt.between)
			w := send(front, tt.method, "/api/v1/shop/echo", "")
			assert.Equal(t, tt.status, w.Code, w.Body)
			assert.Contains(t, w.Body.String(), tt.code)
			assert.NotContains(t, w.Body.String(), "peer.")
		})
	}
}

// What never got a connection was never sent, however long that took.
func TestAProcessThatIsNotReachedInTimeHasDoneNothing(t *testing.T) {
	t.Parallel()
	front := httpx.New(httpx.Config{})
	there := front.Forward("shop", &url.URL{Scheme: "http", Host: "shop.test"}, &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, context.DeadlineExceeded },
	})
	echo(there.API(front.API(door.New("shop", 0, zerolog.Nop()))))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		w := send(front, method, "/api/v1/shop/echo", "")
		assert.Equal(t, http.StatusServiceUnavailable, w.Code, w.Body)
		assert.Contains(t, w.Body.String(), "souk.unavailable")
	}
}

// broken is a body that does not come.
type broken struct{ why error }

func (b broken) Read([]byte) (int, error) { return 0, b.why }

func TestABodyThatDoesNotArriveIsTheSameWhereverAModuleIs(t *testing.T) {
	t.Parallel()
	front, _ := twoProcesses(t, asItIs)
	whole := httpx.New(httpx.Config{})
	echo(whole.API(door.New("shop", 0, zerolog.Nop())))
	for why, status := range map[error]int{
		io.ErrUnexpectedEOF: http.StatusBadRequest, os.ErrDeadlineExceeded: http.StatusRequestTimeout,
	} {
		for at, server := range map[string]*httpx.Server{"here": whole, "there": front} {
			w := httptest.NewRecorder()
			server.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/shop/echo", broken{why}))
			assert.Equal(t, status, w.Code, "%s %v: %s", at, why, w.Body)
		}
	}
}

func TestTooMuchIsNotPassedOn(t *testing.T) {
	t.Parallel()
	front, _ := twoProcesses(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	})
	r := httptest.NewRequest(http.MethodPost, "/api/v1/shop/echo", io.LimitReader(zeros{}, 9<<20))
	w := httptest.NewRecorder()
	front.Handler().ServeHTTP(w, r)
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code, w.Body)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestWhatIsPassedOnSaysForWhom(t *testing.T) {
	t.Parallel()
	h := httpx.Forwarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it came through") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x", nil))
	assert.Equal(t, http.StatusBadRequest, w.Code)
}
