package main

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/control"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
)

// shelled is a whole souk that fuzz tests send requests to, with what came of the fuzzer in them.
type shelled struct {
	app     *app
	handler http.Handler
	api     []place
	pages   []place
	boss    someone
	staff   someone
	log     lastLine
	things  *strings.Replacer // {listing} and the like stand for things that there are
	sent    atomic.Int64
}

// lastLine keeps the last line of a log: why a request failed.
type lastLine struct{ text atomic.Value }

func (l *lastLine) Write(line []byte) (int, error) {
	l.text.Store(string(line))
	return len(line), nil
}

// place is one that souk serves.
type place struct {
	method, path string
	who          httpx.Who
}

func (a place) String() string { return a.method + " " + a.path }

func shell(f *testing.F) *shelled {
	f.Helper()
	var errs strings.Builder
	w := &world{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &errs, stderr: &errs}
	a, err := w.openApp(f.Context(), f.TempDir())
	require.NoError(f, err, errs.String())
	f.Cleanup(func() { require.NoError(f, a.close(), errs.String()) })
	s := &shelled{app: a, boss: operator(f, a, "olive@example.com")}
	shop := seller(f, a, s.boss, "Lamps", 1, 5)
	s.staff = shop.owner
	lamp := shop.listings[0]
	s.things = strings.NewReplacer("{listing}", string(lamp.ID), "{variant}", string(lamp.Variants[0].ID), "{seller}", string(shop.seller.ID))
	require.NoError(f, a.bus.Drain(f.Context()))

	// Senders differ and time goes by, so that limits do not answer for the decoders.
	a.http.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	a.http.Log = zerolog.New(&s.log).Level(zerolog.ErrorLevel)
	a.http.Now = func() clock.Time { return clock.Now() + clock.Time(s.sent.Load()*time.Minute.Milliseconds()) }
	server := httpx.New(a.http)
	require.NoError(f, a.modules.Mount(server, nil))
	s.handler = server.Handler()
	for _, r := range server.Routes() {
		s.api = append(s.api, place{r.Method, r.Path, r.Who})
	}
	pages := chi.NewRouter()
	for _, m := range a.modules.Modules() {
		if m.Pages != nil {
			m.Pages(pages)
		}
		if m.Assets != nil {
			m.Assets(pages)
		}
	}
	require.NoError(f, chi.Walk(pages, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		s.pages = append(s.pages, place{method: method, path: route})
		return nil
	}))
	for _, path := range []string{"/healthz", "/readyz", "/api/openapi.json", "/api/docs"} {
		s.pages = append(s.pages, place{method: http.MethodGet, path: path})
	}
	require.Greater(f, len(s.pages), 100)
	return s
}

// meant are the addresses that a fuzzer's word means: the one of that name, all for none, and one by lot for
// anything else. A corpus goes on meaning what it did when routes are added.
func meant(all []place, word string) []place {
	if word == "" {
		return all
	}
	if i := slices.IndexFunc(all, func(a place) bool { return shape(a.String()) == shape(word) }); i >= 0 {
		return all[i : i+1]
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(word)) // a hash never fails
	i := int(h.Sum32()) % len(all)
	return all[i : i+1]
}

var inBraces = regexp.MustCompile(`\{[a-z]+\}|\*`)

// request is one to a, where {id} and the like are value.
func (s *shelled) request(a place, value, query, body string) *http.Request {
	if a.ends() { // the next request still needs whom this would end
		value = strings.ReplaceAll(value, "{", "")
	} else {
		value, body = s.things.Replace(value), s.things.Replace(body)
	}
	if !strings.Contains(a.path, "*") {
		value = strings.ReplaceAll(value, "/", "_")
	}
	req := httptest.NewRequest(a.method, "http://souk.example/", strings.NewReader(body))
	req.URL.Path = inBraces.ReplaceAllLiteralString(a.path, value)
	req.URL.RawQuery = s.things.Replace(query)
	n := s.sent.Add(1)
	req.RemoteAddr = "192.0.2.1:1"
	req.Header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String())
	return req
}

// ends says whether a can take from those who ask what they ask with.
func (a place) ends() bool {
	for _, part := range []string{"/sellers/{seller}", "/suspend", "/tokens/", "/sessions", "/people/", "/staff"} {
		if strings.Contains(a.path, part) && a.method != http.MethodGet {
			return true
		}
	}
	return false
}

// send says what came back; a defect of souk's fails the test.
func (s *shelled) send(t *testing.T, req *http.Request, sent ...string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, req)
	if answer.Code == http.StatusInternalServerError || answer.Code < 200 {
		t.Errorf("%d for %s %s?%s with %q: %s\n%s", answer.Code, req.Method, req.URL.Path, req.URL.RawQuery, sent, answer.Body, s.log.text.Load())
	}
	return answer
}

// FuzzRequests sends any path value, query, key and body to every route of the API, as an operator and as a
// seller's staff: whatever it is, it is answered, never as a defect of souk's, and what is refused has a code.
func FuzzRequests(f *testing.F) {
	s := shell(f)
	f.Add("", "{listing}", "limit=1&cursor=x", "", `{}`)
	for _, a := range asks { // what each route takes, for the fuzzer to change
		method, path, _ := strings.Cut(a.route, " ")
		path, query, _ := strings.Cut(path, "?")
		f.Add(method+" /api/v1/"+path, "{"+strings.Trim(inBraces.FindString(path), "{}")+"}", query, "", a.body)
	}
	f.Fuzz(func(t *testing.T, route, value, query, k, body string) {
		for _, a := range meant(s.api, route) {
			if strings.HasSuffix(a.path, "/accounts/sign-out") {
				continue
			}
			req := s.request(a, value, query, body)
			token := s.boss.token
			if a.who == httpx.Sellers {
				token = s.staff.token
			}
			req.Header.Set("Authorization", "Bearer "+token)
			if k == "" {
				k = key()
			}
			req.Header.Set("Idempotency-Key", k)
			req.Header.Set("Content-Type", "application/json")
			answer := s.send(t, req, body)
			if answer.Code >= 400 {
				var p httpx.Problem
				if assert.NoError(t, json.Unmarshal(answer.Body.Bytes(), &p), "%s: %s", a, answer.Body) {
					assert.NotEmpty(t, p.Code)
				}
			}
		}
	})
}

// FuzzPages sends any path value, query and form to every page, as an operator, a seller's staff and a guest:
// each is answered, and what was sent is never markup in a page.
func FuzzPages(f *testing.F) {
	s := shell(f)
	const mark = `"'><fuzz-mark>`
	f.Add("", "{listing}", "q=lamp", "quantity=1&variant={variant}", mark)
	guests := httpx.NewCartToken()
	f.Fuzz(func(t *testing.T, route, value, query, form, cookie string) {
		for _, a := range meant(s.pages, route) {
			req := s.request(a, value, query, form)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			req.Header.Set("User-Agent", "Mozilla/5.0")
			cookies := "souk_cart=" + guests
			switch {
			case a.path == "/sign-out" || a.path == "/checkout" && a.method == http.MethodPost: // it would wait for what works in the background
			case strings.HasPrefix(a.path, "/operator"):
				cookies = "souk_session=" + s.boss.session
			case strings.HasPrefix(a.path, "/sell"), strings.HasPrefix(a.path, "/account"), strings.HasPrefix(a.path, "/orders"):
				cookies = "souk_session=" + s.staff.session
			}
			req.Header.Set("Cookie", cookies+"; souk_flash="+cookie+"; souk_seller="+cookie)
			answer := s.send(t, req, form, cookie)
			if strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html") {
				assert.NotContains(t, answer.Body.String(), "<fuzz-mark>", "%s", a)
			}
		}
	})
}

// FuzzHeaders sends any headers to everything that is served: who asks, for whom, from where, under which key,
// what the client has already.
func FuzzHeaders(f *testing.F) {
	s := shell(f)
	all := append(slices.Clone(s.api), s.pages...)
	f.Add("", "Authorization: Bearer x\nIdempotency-Key: 12345678\nIf-None-Match: *")
	f.Fuzz(func(t *testing.T, route, headers string) {
		for _, a := range meant(all, route) {
			if strings.HasSuffix(a.path, "/sign-out") {
				continue
			}
			req := s.request(a, "{listing}", "", "{}")
			req.Header.Set("Cookie", "souk_session="+s.staff.session)
			for line := range strings.SplitSeq(headers, "\n") {
				name, value, _ := strings.Cut(line, ":")
				value = strings.NewReplacer("{token}", s.boss.token, "{session}", s.boss.session).Replace(strings.TrimSpace(value))
				if strings.EqualFold(name, "Host") {
					req.Host = value
					continue
				}
				req.Header.Add(name, value)
			}
			s.send(t, req, headers)
		}
	})
}

// harmless are the commands that a running souk does for those beside it without writing a file that
// the request names.
func harmless(name string) bool {
	return !slices.Contains([]string{"import", "export", "backup", "verify"}, name)
}

// FuzzControl sends any body to every command of the control socket: the answer ends, and what goes wrong with it is
// never a panic.
func FuzzControl(f *testing.F) {
	s := shell(f)
	server := control.NewServer(zerolog.Nop())
	s.app.register(server)
	names := slices.DeleteFunc(server.Names(), func(name string) bool { return !harmless(name) })
	require.Contains(f, names, "jobs.drop")
	h := server.Handler(harmless)
	f.Add("", `{"module":"orders","kind":"orders.checkout","key":"ord_1","why":"x"}`)
	f.Fuzz(func(t *testing.T, command, body string) {
		which := names
		if command != "" {
			which = []string{command}
		}
		for _, name := range which {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(s.things.Replace(body)))
			req.URL.Path = "/" + name
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, req)
			lines := bytes.Split(bytes.TrimSpace(answer.Body.Bytes()), []byte("\n"))
			var end struct {
				Result json.RawMessage `json:"result"`
				Failed *errs.Error     `json:"failed"`
			}
			require.NoError(t, json.Unmarshal(lines[len(lines)-1], &end), "%s: %s", name, answer.Body)
			if end.Failed == nil {
				continue
			}
			assert.NotContains(t, end.Failed.Message, "panicked", "%s with %q", name, body)
		}
	})
}
