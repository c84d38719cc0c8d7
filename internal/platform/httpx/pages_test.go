package httpx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
)

func pagesWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.server.Pages(w.door, func(r chi.Router) {
		r.Get("/who/{name}", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(chi.URLParam(r, "name") + " is " + httpx.ActorFrom(r).Owner()))
		})
		r.Post("/form", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.PostFormValue("field"))) })
		r.Get("/echo", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(r.URL.Query().Get("q") + "|" + r.URL.Query().Get("other")))
		})
		r.Get("/fail", func(w http.ResponseWriter, r *http.Request) {
			httpx.PageError(w, r, errs.Refusal(errs.NotFound, "shop.gone").With("it is <gone>"))
		})
		lost := func(w http.ResponseWriter, r *http.Request) {
			httpx.PageError(w, r, fmt.Errorf("ask the shop: %w", errs.Refusal(errs.Unknown, "souk.reply_lost").With("the shop did not answer")))
		}
		r.Get("/lost", lost)
		r.Head("/lost", lost)
		r.Post("/lost", lost)
		r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
		r.With(httpx.Throttle(httpx.Limit{Max: 1, Per: time.Minute}, w.clock.Now)).
			Get("/limited", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	})
	w.server.Assets(w.door, func(r chi.Router) {
		r.Get("/assets/*", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(httpx.ActorFrom(r).Kind)) })
	})
	w.start()
	return w
}

func TestAssetsAreForEverybodyAndKept(t *testing.T) {
	t.Parallel()
	w := pagesWorld(t)
	got := w.do("GET", "/assets/souk.css", "", "Cookie", "souk_session=buyer")
	assert.Equal(t, "nobody", string(got.body), "nobody asked who is asking")
	assert.Equal(t, "public, max-age=300", got.Header.Get("Cache-Control"))
	assert.Equal(t, 404, w.do("GET", "/nowhere", "").StatusCode)
	assert.Equal(t, 200, w.do("HEAD", "/assets/souk.css", "").StatusCode)
}

func TestAPageKnowsItsCallerAndIsGuardedInTheBrowser(t *testing.T) {
	t.Parallel()
	w := pagesWorld(t)
	got := w.do("GET", "/who/she", "", "Cookie", "souk_session=buyer")
	assert.Equal(t, "she is per_buyer", string(got.body))
	csp := got.Header.Get("Content-Security-Policy")
	assert.Contains(t, csp, "default-src 'none'")
	assert.NotContains(t, csp, "unsafe")
	assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
	assert.Equal(t, "private, no-cache", got.Header.Get("Cache-Control"))
	assert.Equal(t, "/who/{name}", w.lines("request")[0]["route"], "the pattern is logged, not the path")
}

// A neighbour that takes a connection and drops it leaves unknown whether it has done what it was asked; a
// page that was only looked at asked it to do nothing.
func TestAPageWithoutAnAnswerCanBeLookedAtAgain(t *testing.T) {
	t.Parallel()
	w := pagesWorld(t)
	for _, method := range []string{"GET", "HEAD"} {
		got := w.do(method, "/lost", "")
		assert.Equal(t, 503, got.StatusCode, method)
		assert.Equal(t, "1", got.Header.Get("Retry-After"), method)
	}
	line := w.lines("request")[0]
	assert.Equal(t, "souk.reply_lost", line["code"], "the log still says what happened")
	form := w.do("POST", "/lost", url.Values{}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	assert.Equal(t, 504, form.StatusCode, "a form may have been done: its key settles that")
	assert.Empty(t, form.Header.Get("Retry-After"))
}

func TestAFormIsTakenFromTheSameSiteOnly(t *testing.T) {
	t.Parallel()
	w := pagesWorld(t)
	form := url.Values{"field": {"value"}}.Encode()
	kind := []string{"Content-Type", "application/x-www-form-urlencoded"}
	assert.Equal(t, "value", string(w.do("POST", "/form", form, append(kind, "Sec-Fetch-Site", "same-origin")...).body))
	got := w.do("POST", "/form", form, append(kind, "Sec-Fetch-Site", "cross-site")...)
	assert.Equal(t, 403, got.StatusCode)
	assert.Contains(t, got.Header.Get("Content-Type"), "text/html")
}

func TestAPagesFailureIsAPage(t *testing.T) {
	t.Parallel()
	w := pagesWorld(t)
	got := w.do("GET", "/fail", "")
	assert.Equal(t, 404, got.StatusCode)
	assert.Contains(t, string(got.body), "it is &lt;gone&gt;")
	got = w.do("GET", "/panic", "")
	assert.Equal(t, 500, got.StatusCode)
	assert.Contains(t, string(got.body), got.Header.Get("X-Request-Id"))
	assert.EqualValues(t, 1, w.door.Stats().Panics)
	assert.Equal(t, 204, w.do("GET", "/limited", "").StatusCode)
	got = w.do("GET", "/limited", "")
	assert.Equal(t, 429, got.StatusCode)
	assert.Equal(t, "60", got.Header.Get("Retry-After"))
}

func TestTheReferenceIsCompleteAndLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	type in struct {
		httpx.Page
		ID string `path:"id" doc:"Which one."`
	}
	type listingOut struct {
		Body struct {
			Items []struct {
				Title string `json:"title" maxLength:"80" doc:"What it is." example:"A lamp"`
			} `json:"items"`
		}
	}
	list := func(context.Context, actor.Actor, in) (listingOut, error) { return listingOut{}, nil }
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/things/{id}", Who: httpx.People, Summary: "List <things>", AlsoStatus: []int{202}}, list)
	// Another module may have types of the same names.
	type otherIn struct {
		Body struct {
			Items []struct {
				Price int64 `json:"price"`
			} `json:"items"`
		}
	}
	other := w.server.API(door.New("other", 0, zerolog.Nop()))
	httpx.Route(other, httpx.Op{Method: "POST", Path: "/api/v1/other/things", Who: httpx.Anyone, Summary: "Make"},
		func(context.Context, actor.Actor, otherIn) (listingOut, error) { return listingOut{}, nil })
	require.NoError(t, w.server.MountReference())
	w.start()

	got := w.do("GET", "/api/openapi.json", "")
	require.Equal(t, 200, got.StatusCode)
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string                     `json:"operationId"`
			Responses   map[string]json.RawMessage `json:"responses"`
			Security    []map[string][]string      `json:"security"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(got.body, &doc))
	assert.Regexp(t, `^3\.1`, doc.OpenAPI)
	op := doc.Paths["/api/v1/shop/things/{id}"]["get"]
	assert.Equal(t, "get-shop-things-by-id", op.OperationID)
	assert.Contains(t, op.Responses, "200")
	assert.Contains(t, op.Responses, "202")
	assert.Contains(t, string(op.Responses["default"]), "application/problem+json")
	assert.NotContains(t, string(got.body), "ErrorModel")

	page := w.do("GET", "/api/docs", "")
	require.Equal(t, 200, page.StatusCode)
	assert.Contains(t, string(page.body), "items[].title")
	assert.Contains(t, string(page.body), "List &lt;things&gt;")
	assert.NotContains(t, string(page.body), "https://")
	assert.NotContains(t, string(page.body), "<script")
	assert.Equal(t, 304, w.do("GET", "/api/docs", "", "If-None-Match", page.Header.Get("ETag")).StatusCode)
	assert.Equal(t, 200, w.do("GET", "/api/docs.css", "").StatusCode)

	assert.Equal(t, []httpx.RouteInfo{
		{Module: "shop", Method: "GET", Path: "/api/v1/shop/things/{id}", ID: "get-shop-things-by-id", Who: httpx.People, Scope: actor.ScopeRead},
		{Module: "other", Method: "POST", Path: "/api/v1/other/things", ID: "post-other-things", Who: httpx.Anyone},
	}, w.server.Routes())
}

func TestOnlyATrustedProxyIsBelieved(t *testing.T) {
	t.Parallel()
	s := httpx.New(httpx.Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	tests := map[string]struct {
		peer, forwarded, want string
	}{
		"nobody between":              {peer: "203.0.113.7:1", forwarded: "", want: "203.0.113.7"},
		"a client that lies":          {peer: "203.0.113.7:1", forwarded: "198.51.100.1", want: "203.0.113.7"},
		"through a proxy":             {peer: "10.0.0.1:1", forwarded: "198.51.100.1", want: "198.51.100.1"},
		"through a proxy, with a lie": {peer: "10.0.0.1:1", forwarded: "1.2.3.4, 198.51.100.1", want: "198.51.100.1"},
		"through two proxies":         {peer: "10.0.0.1:1", forwarded: "198.51.100.1, 10.0.0.2", want: "198.51.100.1"},
		"a proxy's nonsense":          {peer: "10.0.0.1:1", forwarded: "unknown", want: "10.0.0.1"},
	}
	for name, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = tt.peer
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		assert.Equal(t, netip.MustParseAddr(tt.want), s.ClientAddr(r), name)
	}
}

func TestCookiesAreOutOfReach(t *testing.T) {
	t.Parallel()
	c := httpx.Cookie(t.Context(), httpx.SessionCookie, "token", time.Hour)
	assert.True(t, c.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
	assert.Equal(t, 3600, c.MaxAge)
	assert.Negative(t, httpx.Cookie(t.Context(), httpx.SessionCookie, "", -1).MaxAge)
}
