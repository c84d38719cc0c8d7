package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/httpx"
)

// sent is a request as a browser or a proxy would send it, headers in pairs.
func (r *running) sent(t *testing.T, method, path, contentType, body string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Idempotency-Key", key())
	if body != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req) // no redirects
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

func TestCookiesAreOutOfReachOfScriptsAndOtherSites(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.stop()
	require.Equal(t, exitOK, <-s.status, s.stderr)
	r := start(t, s.dir, "--log-level", "error", "--proxies", "127.0.0.0/8,::1/128")
	line := url.Values{"variant": {string(s.lamps.listings[0].Variants[0].ID)}, "quantity": {"1"}}.Encode()
	for _, tls := range []bool{false, true} {
		proto := []string{}
		email := "plain@example.com"
		if tls {
			proto, email = []string{"X-Forwarded-Proto", "https"}, "tls@example.com"
		}
		registered := r.sent(t, http.MethodPost, "/api/v1/accounts/register", asJSON, `{"email":"`+email+`","name":"x","password":"a long enough password"}`, proto...)
		require.Equal(t, http.StatusCreated, registered.StatusCode)
		filled := r.sent(t, http.MethodPost, "/cart/lines", asForm, line, proto...)
		require.Equal(t, http.StatusSeeOther, filled.StatusCode)
		names := map[string]bool{}
		for _, c := range append(registered.Cookies(), filled.Cookies()...) {
			names[c.Name] = true
			assert.True(t, c.HttpOnly, c.Name)
			assert.Equal(t, http.SameSiteLaxMode, c.SameSite, c.Name)
			assert.Equal(t, tls, c.Secure, c.Name)
			assert.Empty(t, c.Domain, c.Name)
		}
		assert.True(t, names[httpx.SessionCookie] && names[httpx.CartCookie], "%v", names)
		assert.Equal(t, tls, filled.Header.Get("Strict-Transport-Security") != "")
	}
}

func TestWritesFromOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	session := httpx.SessionCookie + "=" + s.lamps.owner.session
	listing := string(s.lamps.listings[0].ID)
	elsewhere := [][]string{
		{"Cookie", session, "Sec-Fetch-Site", "cross-site"},
		{"Cookie", session, "Sec-Fetch-Site", "same-site"},
		{"Cookie", session, "Origin", "https://evil.example"},
		{"Cookie", session, "Origin", "null"},
	}
	for _, headers := range elsewhere {
		res := s.sent(t, http.MethodPut, "/api/v1/accounts/me", asJSON, `{"version":1,"name":"Evil"}`, headers...)
		assert.Equal(t, http.StatusForbidden, res.StatusCode, "%v", headers[2:])
		res = s.sent(t, http.MethodPost, "/account", asForm, "name=Evil", headers...)
		assert.Equal(t, http.StatusForbidden, res.StatusCode, "%v", headers[2:])
		res = s.sent(t, http.MethodPost, "/sell/listings/"+listing+"/archive", asForm, "x=1", headers...)
		assert.Equal(t, http.StatusForbidden, res.StatusCode, "%v", headers[2:])
		res = s.sent(t, http.MethodPost, "/sign-in", asForm, "email=x&password=y", headers...)
		assert.Equal(t, http.StatusForbidden, res.StatusCode, "somebody else's account is not slipped in: %v", headers[2:])
		res = s.sent(t, http.MethodGet, "/l/"+listing, "", "", headers...)
		assert.Less(t, res.StatusCode, 400, "a link from there is followed")
	}
	same := s.sent(t, http.MethodPost, "/account", asForm, "name=Same", "Cookie", session, "Sec-Fetch-Site", "same-origin", "Origin", s.url)
	assert.Equal(t, http.StatusSeeOther, same.StatusCode)
	// A program that shows a token has it from nobody's cookies.
	program := s.sent(t, http.MethodPost, "/api/v1/catalog/listings/"+listing+"/status", asJSON, `{"status":"archived"}`,
		"Authorization", "Bearer "+s.lamps.owner.token, "Origin", "https://erp.example")
	assert.Equal(t, http.StatusOK, program.StatusCode)
}

func TestPagesLoadNothingFromElsewhereAndRunNothingInline(t *testing.T) {
	t.Parallel()
	s := open(t)
	session := []string{"Cookie", httpx.SessionCookie + "=" + s.operator.session}
	for _, path := range []string{
		"/", "/search?q=lamps", "/cart", "/sign-in", "/account", "/orders", "/operator", "/nowhere", "/api/docs", "/l/" + string(s.lamps.listings[0].ID),
		"/sandbox/approve/nothing",
	} {
		res := s.sent(t, http.MethodGet, path, "", "", session...)
		rules := map[string]string{}
		for rule := range strings.SplitSeq(res.Header.Get("Content-Security-Policy"), ";") {
			name, sources, _ := strings.Cut(strings.TrimSpace(rule), " ")
			rules[name] = sources
		}
		assert.Equal(t, "'none'", rules["default-src"], path)
		assert.Equal(t, "'none'", rules["frame-ancestors"], path)
		assert.Equal(t, "'none'", rules["base-uri"], path)
		for _, name := range []string{"script-src", "style-src", "form-action"} {
			assert.Equal(t, "'self'", rules[name], "%s of %s", name, path)
		}
		assert.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"), path)
		assert.NotEmpty(t, res.Header.Get("Referrer-Policy"), path)
	}
	api := s.sent(t, http.MethodGet, "/api/v1/catalog/listings", "", "")
	assert.Contains(t, api.Header.Get("Content-Security-Policy"), "default-src 'none'")
}
