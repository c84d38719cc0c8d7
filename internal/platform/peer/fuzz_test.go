package peer_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/peer"
)

// FuzzProof: nobody is let in by a header that was not made with the secret for this very request, and
// whoever is turned away hears why in a way that souk reads.
func FuzzProof(f *testing.F) {
	now := clock.NewManual(1_700_000_000_000)
	// One header that is true, for another request than any that is tried.
	var signed string
	keep := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { signed = r.Header.Get(peer.Header) })
	c := peer.Client(peer.Transport(handed{keep}, peer.Signer{Caller: "orders", Secrets: secrets(f, oldSecret), Now: now.Now}))
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, "http://souk.test/other", strings.NewReader("x"))
	require.NoError(f, err)
	res, err := c.Do(r)
	require.NoError(f, err)
	require.NoError(f, res.Body.Close())
	require.NotEmpty(f, signed)
	f.Add(signed, "x")
	f.Add("tls orders", "")
	let := false
	inside := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { let = true })
	h := peer.Require(peer.Rules{
		Secrets: secrets(f, oldSecret), Callers: []string{"orders"}, Now: now.Now, Log: zerolog.New(io.Discard), MaxBody: 1000,
	})(inside)
	f.Fuzz(func(t *testing.T, header, body string) {
		let = false
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://souk.test/souk/v1/rpc/payments/Authorize", strings.NewReader(body))
		r.Header[peer.Header] = strings.Split(header, "\n")
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		require.False(t, let, "%q was let in", header)
		assert.GreaterOrEqual(t, out.Code, 400)
		assert.Less(t, out.Code, 500)
		assert.True(t, json.Valid(out.Body.Bytes()), out.Body)
		require.Error(t, peer.ReadError(out.Result()))
	})
}

// handed gives requests to a handler without a network.
type handed struct{ h http.Handler }

func (d handed) RoundTrip(r *http.Request) (*http.Response, error) {
	out := httptest.NewRecorder()
	d.h.ServeHTTP(out, r)
	return out.Result(), nil
}
