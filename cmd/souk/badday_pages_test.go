package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/httpx"
)

// browser is somebody who looks at pages.
type browser struct{ session, cart string }

func (b browser) get(t *testing.T, url string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "text/html")
	if b.session != "" {
		req.AddCookie(&http.Cookie{Name: httpx.SessionCookie, Value: b.session})
	}
	if b.cart != "" {
		req.AddCookie(&http.Cookie{Name: httpx.CartCookie, Value: b.cart})
	}
	a, err := received((&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req))
	require.NoError(t, err)
	return a
}

// TestPagesSayKindlyWhatIsAway: with one module in a process that is down, pages that need it say so, with status 503 and when
// to come again, and all others work: search works while payments is down, a cart can be filled while orders is.
func TestPagesSayKindlyWhatIsAway(t *testing.T) {
	t.Parallel()
	s := filled(t, topologies()[0])
	s.serve(t, s.dir)
	g := s.withCart(t)
	s.halt(t)
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(key()+key()), 0o600))
	people := map[string]browser{
		"guest": {cart: g.cart}, "buyer": {session: s.buyer.session}, "operator": {session: s.operator.session}, "seller": {session: s.lamps.owner.session},
	}
	pages := map[string][]string{
		"guest":    {"/", "/search?q=lamp", "/l/" + string(s.lamps.listings[0].ID), "/cart", "/checkout", "/sign-in"},
		"buyer":    {"/", "/orders", "/account", "/cart"},
		"seller":   {"/sell", "/sell/orders", "/sell/listings"},
		"operator": {"/operator", "/operator/orders", "/operator/sellers", "/operator/modules"},
	}
	tests := map[string][]string{ // what cannot be shown
		"payments": {},
		"orders":   {"buyer /orders", "seller /sell", "seller /sell/orders", "operator /operator/orders"},
		"cart":     {"guest /cart", "guest /checkout", "buyer /cart"},
		"search":   {"guest /search?q=lamp"},
	}
	for _, out := range slices.Sorted(maps.Keys(tests)) { // in turn: all are on the same folder
		as := mustTopology(t, out+"-out")
		at := []string{freeAddress(t), freeAddress(t)}
		process := start(t, s.dir, append(as.arguments(0, at), "--log-level", "error", "--peer-secret-file", secret)...)
		for who, paths := range pages {
			for _, path := range paths {
				a := people[who].get(t, process.url+path)
				what := fmt.Sprintf("%s is out: %s %s", out, who, path)
				if !slices.Contains(tests[out], who+" "+path) {
					assert.Equal(t, http.StatusOK, a.status, what)
					continue
				}
				assert.Equal(t, http.StatusServiceUnavailable, a.status, what)
				assert.NotEmpty(t, a.header.Get("Retry-After"), what)
				assert.Contains(t, a.header.Get("Content-Type"), "text/html", what)
				assert.Contains(t, string(a.body), "<h1", what)
				assert.Contains(t, string(a.body), "To the front of the shop", "%s: there is a way on", what)
			}
		}
		if out != "cart" {
			other := newGuest(t, process.url)
			a, err := other.add(t.Context(), string(s.mugs.listings[0].Variants[0].ID), 1)
			require.NoError(t, err)
			assert.Less(t, a.status, 300, "a cart can be filled while %s is out: %s", out, a.body)
		}
		ended(t, process)
	}
}
