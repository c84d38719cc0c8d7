package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
)

var inBraces = regexp.MustCompile(`\{[a-z]+\}`)

// FuzzRequests sends any path value, query and body to every route of the API, as an operator
// who is staff of a seller too: whatever it is, it is answered, and never as a defect of souk's.
func FuzzRequests(f *testing.F) {
	var errs strings.Builder
	w := &world{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &errs, stderr: &errs}
	a, err := w.openApp(f.Context(), f.TempDir())
	require.NoError(f, err, errs.String())
	f.Cleanup(func() { require.NoError(f, a.close(), errs.String()) })
	who := operator(f, a, "olive@example.com")
	staff := seller(f, a, who, "Lamps", 1, 5).owner
	// Senders differ, so that limits do not answer for the decoders.
	a.http.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	server := httpx.New(a.http)
	require.NoError(f, a.modules.Mount(server, nil))
	handler, routes := server.Handler(), server.Routes()

	bodies := []string{
		``, `{}`, `[]`, `null`, `"x"`, `{"quantity":1e400}`, `{"quantity":-1,"variant":"var_x"}`, `{"variants":[{"price":{"minor":9223372036854775807,"currency":"EUR"}}],"title":"x"}`,
		`{"code":"\ud800"}`, "\x00\xff", `{"zones":[{"kind":"flat","steps":[{}]}]}`, `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
		`{"email":"a@b.example","password":"` + strings.Repeat("p", 300) + `"}`, `{"items":[{"line":"oln_x","quantity":0}]}`, `{"until":"9999-99-99T00:00:00Z"}`,
	}
	for _, body := range bodies {
		f.Add(uint8(0), id.New("ord_"), "", body)
	}
	f.Add(uint8(0), "x", "limit=1&cursor=x", `{}`)
	f.Add(uint8(1), "../..", "limit=-1", `{}`)
	f.Add(uint8(2), "%00", "q=%ff&country=de", `{}`)
	f.Fuzz(func(t *testing.T, pick uint8, value, query, body string) {
		tries := routes[int(pick)%len(routes):][:1]
		if pick == 0 {
			tries = routes // what is kept as a corpus is tried on all
		}
		for i, r := range tries {
			req := httptest.NewRequest(r.Method, "http://souk.example/", strings.NewReader(body))
			req.URL.Path = inBraces.ReplaceAllLiteralString(r.Path, strings.ReplaceAll(value, "/", "_"))
			req.URL.RawQuery = query
			req.RemoteAddr = "192.0.2.1:1"
			req.Header.Set("X-Forwarded-For", "198.51.100."+string(rune('1'+i%9)))
			token := who.token
			if r.Who == httpx.Sellers {
				token = staff.token
			}
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Idempotency-Key", key())
			req.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, req)
			if answer.Code == http.StatusInternalServerError {
				t.Errorf("%s %s?%q with %q: %s", r.Method, req.URL.Path, query, body, answer.Body)
			}
		}
	})
}
