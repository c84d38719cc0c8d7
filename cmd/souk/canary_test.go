package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/httpx"
	"souk/internal/platform/telemetry/telemetrytest"
)

// What nobody may find in a log: made up so that it cannot be there by chance.
const (
	canaryEmail    = "wilhelmine.canary@birds.example"
	canaryGuest    = "gustav.canary@birds.example"
	canaryOperator = "olga.canary@birds.example"
	canaryName     = "Wilhelmine Kanarienvogel"
	canaryStreet   = "Geheime Gasse 7731"
	canaryPhone    = "+49 431 77315501"
	canaryPassword = "piep-piep-zwitscher-piep"
	canaryWrong    = "krah-krah-krah-krah"
	canaryWhy      = "because my budgerigar died"
)

// bird does what leaves traces, and keeps what must not be among them.
type bird struct {
	*shopper
	t       *testing.T
	secrets map[string]string
}

// tries sends a request that may fail: what counts is what is logged of it.
func (b *bird) tries(s *shopper, method, path string, body any) answer {
	b.t.Helper()
	k := ""
	if method != http.MethodGet {
		k = key()
	}
	a, err := s.do(b.t.Context(), method, path, k, body)
	require.NoError(b.t, err)
	assert.Less(b.t, a.status, 500, "%s %s: %s", method, path, a.body)
	return a
}

func TestNothingSecretOrPersonalIsLogged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var lamps shopOf
	setup(t, dir, func(a *app) { lamps = seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 1, 20) })
	log := telemetrytest.NewCanary(t, canaryEmail, canaryGuest, canaryOperator, canaryName, canaryStreet, canaryPhone, canaryPassword, canaryWrong, canaryWhy)
	r := startSaying(t, dir, log, "--log-level", "debug")
	b := &bird{shopper: &shopper{url: r.url}, t: t, secrets: map[string]string{}}
	b.buysAsGuest(seen(lamps.listings[0]))
	b.approves(seen(lamps.listings[0]))
	b.registers()
	b.mistypes()
	b.fillsForms()
	b.searches()
	got := souk(t, nil, "admin", "create", "--data", dir, "--email", canaryOperator, "--name", canaryName)
	require.Equal(t, exitOK, got.status, got.stderr)

	_, figures := r.get(t, "/metrics")
	r.stop()
	require.Equal(t, exitOK, <-r.status, log)
	said := log.String()
	require.Contains(t, said, `"level":"debug"`, "everything is logged that could be")
	for _, route := range []string{
		"/api/v1/accounts/register", "/api/v1/accounts/sign-in", "/api/v1/accounts/tokens", "/api/v1/accounts/addresses",
		"/api/v1/orders/checkouts", "/api/v1/orders/orders/{order}", "/sandbox/approve/{page}", "/sign-in", "/sign-up",
	} {
		assert.Contains(t, said, fmt.Sprintf(`"route":%q`, route), "nothing was logged of %s", route)
	}
	for _, what := range slices.Sorted(maps.Keys(b.secrets)) {
		secret := b.secrets[what]
		require.GreaterOrEqual(t, len(secret), 8, what)
		assert.NotContains(t, said, secret, "the log has the %s", what)
		assert.NotContains(t, figures, secret, "the figures have the %s", what)
	}
	for _, secret := range []string{canaryEmail, canaryGuest, canaryName, canaryStreet, canaryPassword} {
		assert.NotContains(t, figures, secret)
	}
	b.isNotCounted(dir)
	for line := range strings.Lines(said) {
		serving := strings.Contains(line, `"message":"serving"`)
		assert.True(t, serving || !strings.Contains(line, "127.0.0.1") && !strings.Contains(line, "::1"), "the log has the address of a client: %s", line)
	}
}

// wanted is a checkout with everything personal in it.
func (b *bird) wanted(q quoteSeen, method string) map[string]any {
	body := checkoutBody(q, method)
	body["contact"] = map[string]any{"email": canaryGuest, "name": canaryName}
	body["delivery"] = map[string]any{
		"name": canaryName, "line1": canaryStreet, "postal_code": "24103", "city": "Kiel", "country": "DE", "phone": canaryPhone,
	}
	return body
}

func (b *bird) checksOut(g *shopper, lamp listingSeen, method string) checkoutSeen {
	b.t.Helper()
	_, err := g.add(b.t.Context(), lamp.Variants[0].ID, 1)
	require.NoError(b.t, err)
	q, err := g.quote(b.t.Context())
	require.NoError(b.t, err)
	var c checkoutSeen
	repeated := key()
	until(b.t, "a checkout comes to rest", func() bool {
		g.must(b.t, http.MethodPost, "/api/v1/orders/checkouts", repeated, b.wanted(q, method), &c)
		return c.Status != "pending" || c.ActionURL != ""
	})
	return c
}

// buysAsGuest buys, reads the order by its link and cancels it.
func (b *bird) buysAsGuest(lamp listingSeen) {
	g := newGuest(b.t, b.url)
	c := b.checksOut(g, lamp, "sandbox_ok")
	require.Equal(b.t, "placed", c.Status, c.Message)
	b.secrets["cart token"], b.secrets["order's link"] = g.cart, c.Link
	o := g.order(b.t, c.Order, c.Link)
	b.tries(g, http.MethodGet, "/orders/"+c.Order+"?link="+url.QueryEscape(c.Link), nil)
	b.tries(g, http.MethodGet, "/api/v1/orders/orders/"+c.Order+"?link=A"+url.QueryEscape(c.Link[1:]), nil)
	b.tries(g, http.MethodPost, "/api/v1/orders/seller-orders/"+o.SellerOrders[0].ID+"/cancellations?link="+url.QueryEscape(c.Link), map[string]any{"why": canaryWhy})
}

// approves pays on the provider's page.
func (b *bird) approves(lamp listingSeen) {
	c := b.checksOut(newGuest(b.t, b.url), lamp, "sandbox_redirect")
	require.NotEmpty(b.t, c.ActionURL)
	path := strings.TrimPrefix(c.ActionURL, b.url)
	b.secrets["payment's page"], b.secrets["second order's link"] = path[strings.LastIndex(path, "/")+1:], c.Link
	res, err := http.PostForm(b.url+path, url.Values{"decision": {"approve"}})
	require.NoError(b.t, err)
	res.Body.Close()
}

// registers makes an account with all that belongs to one, and uses it.
func (b *bird) registers() {
	t := b.t
	a := b.tries(b.shopper, http.MethodPost, "/api/v1/accounts/register", map[string]any{"email": canaryEmail, "name": canaryName, "password": canaryPassword})
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == httpx.SessionCookie {
			b.session, b.secrets["session"] = c.Value, c.Value
		}
	}
	require.NotEmpty(t, b.session)
	var token struct {
		Secret string `json:"secret"`
	}
	b.must(t, http.MethodPost, "/api/v1/accounts/tokens", key(), map[string]any{"name": "A program", "scopes": []string{"read", "shop"}}, &token)
	b.secrets["API token"] = token.Secret
	program := &shopper{url: b.url, bearer: token.Secret}
	program.must(t, http.MethodGet, "/api/v1/accounts/me", "", nil, nil)
	postal := map[string]any{"name": canaryName, "line1": canaryStreet, "city": "Kiel", "country": "DE", "phone": canaryPhone}
	b.must(t, http.MethodPost, "/api/v1/accounts/addresses", key(), map[string]any{"label": "Home", "postal": postal}, nil)
	b.tries(b.shopper, http.MethodGet, "/account/addresses", nil)
	b.tries(b.shopper, http.MethodGet, "/search?q="+url.QueryEscape(canaryName), nil)
	a = b.tries(b.shopper, http.MethodPost, "/api/v1/accounts/sessions/rotate", nil)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		b.session, b.secrets["second session"] = c.Value, c.Value
	}
}

// mistypes sends what is refused, at every stage at which it can be.
func (b *bird) mistypes() {
	stranger := &shopper{url: b.url}
	for range 6 { // the last has to wait
		b.tries(stranger, http.MethodPost, "/api/v1/accounts/sign-in", map[string]any{"email": canaryEmail, "password": canaryWrong})
	}
	b.tries(stranger, http.MethodPost, "/api/v1/accounts/sign-in", canaryPassword)
	b.tries(stranger, http.MethodPost, "/api/v1/accounts/sign-in", map[string]any{"email": canaryEmail, canaryPassword: 1})
	b.tries(stranger, http.MethodPost, "/api/v1/accounts/register", map[string]any{"email": canaryEmail, "name": canaryName, "password": canaryPassword})
	b.tries(stranger, http.MethodPost, "/api/v1/accounts/register", map[string]any{"email": canaryName, "name": canaryName, "password": canaryEmail})
	b.tries(b.shopper, http.MethodPut, "/api/v1/accounts/password", map[string]any{"old": canaryWrong, "new": canaryPassword})
	b.tries(b.shopper, http.MethodPost, "/api/v1/accounts/addresses", map[string]any{"postal": map[string]any{"name": canaryName, "line1": canaryStreet, "city": "", "country": canaryPhone}})
	b.tries(stranger, http.MethodGet, "/api/v1/catalog/listings?"+url.QueryEscape(canaryEmail)+"=1", nil)
	b.tries(stranger, http.MethodGet, "/nowhere/"+url.PathEscape(canaryEmail)+"?password="+canaryPassword, nil)
	b.tries(&shopper{url: b.url, bearer: canaryPassword}, http.MethodGet, "/api/v1/accounts/me", nil)
	b.tries(&shopper{url: b.url, session: canaryPassword, cart: canaryWrong}, http.MethodGet, "/api/v1/cart/cart", nil)
}

// canarySearch is what may be kept of what somebody searched for.
const canarySearch = "zwitscherlampe"

// searches types what belongs elsewhere into the search box, beside what belongs there.
func (b *bird) searches() {
	for _, text := range []string{canarySearch, canaryEmail, canaryPhone, "Where is " + canaryGuest + "?", "4111 1111 1111 1111"} {
		for _, who := range []*shopper{b.shopper, {url: b.url}} {
			b.tries(who, http.MethodGet, "/api/v1/search/listings?q="+url.QueryEscape(text), nil)
			b.tries(who, http.MethodGet, "/search?q="+url.QueryEscape(text), nil)
		}
	}
}

// isNotCounted reads everything that search has written, once souk has stopped.
func (b *bird) isNotCounted(dir string) {
	b.t.Helper()
	kept := ""
	for _, file := range []string{"search.db", "search.db-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if !errors.Is(err, fs.ErrNotExist) {
			require.NoError(b.t, err)
		}
		kept += string(content)
	}
	require.Contains(b.t, kept, canarySearch, "searches are counted, and written when souk stops")
	for _, secret := range []string{canaryEmail, canaryGuest, canaryPhone, "77315501", canaryStreet, canaryPassword, canaryWrong, canaryWhy, "4111 1111"} {
		assert.NotContains(b.t, kept, secret, "search keeps it")
	}
	for what, secret := range b.secrets {
		assert.NotContains(b.t, kept, secret, "search keeps the %s", what)
	}
}

// fillsForms signs up and in as a browser does.
func (b *bird) fillsForms() {
	jar, err := cookiejar.New(nil)
	require.NoError(b.t, err)
	browser := &http.Client{Jar: jar}
	for path, form := range map[string]url.Values{
		"/sign-up": {"email": {canaryGuest}, "name": {canaryName}, "password": {canaryPassword}},
		"/sign-in": {"email": {canaryGuest}, "password": {canaryWrong}},
	} {
		res, err := browser.PostForm(b.url+path, form)
		require.NoError(b.t, err)
		res.Body.Close()
		assert.Less(b.t, res.StatusCode, 500, path)
	}
	at, err := url.Parse(b.url)
	require.NoError(b.t, err)
	for i, c := range jar.Cookies(at) {
		b.secrets[fmt.Sprintf("browser's cookie %d, %s", i, c.Name)] = c.Value
	}
}
