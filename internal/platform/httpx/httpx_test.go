package httpx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
)

// world is a server on a real port with one module, "shop", and what it logged.
type world struct {
	t      *testing.T
	server *httpx.Server
	door   *door.Door
	api    httpx.API
	clock  *clock.Manual
	logs   *syncBuffer
	url    string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(1_700_000_000_000), logs: &syncBuffer{}}
	log := zerolog.New(w.logs)
	w.server = httpx.New(httpx.Config{Log: log, Now: w.clock.Now, Resolver: resolve})
	w.door = door.New("shop", 2, log)
	w.api = w.server.API(w.door)
	return w
}

// start serves what was registered.
func (w *world) start() {
	w.t.Helper()
	ts := httptest.NewUnstartedServer(nil)
	ts.Config = httpx.HTTPServer(w.server.Handler())
	ts.Start()
	w.t.Cleanup(ts.Close)
	w.url = ts.URL
}

// resolve knows callers by the name that stands where their token would.
func resolve(_ context.Context, r *http.Request) (actor.Actor, error) {
	proof, token := httpx.Credential(r)
	all := []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell, actor.ScopeOperate, actor.ScopeAccount}
	switch {
	case token == "buyer":
		return actor.Actor{Kind: actor.KindPerson, Person: "per_buyer", Scopes: all}, nil
	case token == "reader":
		return actor.Actor{Kind: actor.KindPerson, Person: "per_reader", Scopes: []actor.Scope{actor.ScopeRead}}, nil
	case token == "seller":
		return actor.Actor{Kind: actor.KindPerson, Person: "per_seller", Seller: "sel_one", Scopes: all}, nil
	case token == "operator":
		return actor.Actor{Kind: actor.KindOperator, Person: "per_operator", Scopes: all}, nil
	case proof == httpx.ByToken:
		return actor.Nobody(), httpx.ErrUnauthenticated.With("this token is not known")
	default:
		return actor.Nobody(), nil
	}
}

type reply struct {
	*http.Response
	body    []byte
	problem httpx.Problem
}

// do sends a request; headers come in pairs.
func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	var sent io.Reader
	if body != "" {
		sent = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, sent)
	require.NoError(w.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer res.Body.Close()
	got := reply{Response: res}
	got.body, err = io.ReadAll(res.Body)
	require.NoError(w.t, err)
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		require.NoError(w.t, json.Unmarshal(got.body, &got.problem))
	}
	return got
}

type empty struct{}

type textOut struct {
	Body struct {
		Text string `json:"text"`
	}
}

func say(text string) textOut {
	var out textOut
	out.Body.Text = text
	return out
}

// lines are the log's lines with that message.
func (w *world) lines(message string) []map[string]any {
	w.t.Helper()
	var found []map[string]any
	for line := range bytes.Lines(w.logs.Bytes()) {
		var fields map[string]any
		require.NoError(w.t, json.Unmarshal(line, &fields))
		if fields["message"] == message {
			found = append(found, fields)
		}
	}
	return found
}

func TestEveryKindHasItsStatusAndReachesTheClientAsProblem(t *testing.T) {
	t.Parallel()
	want := map[errs.Kind]int{
		errs.Invalid: 400, errs.Mismatch: 422, errs.Unauthenticated: 401, errs.Forbidden: 403, errs.NotFound: 404,
		errs.Conflict: 409, errs.Exhausted: 429, errs.Unavailable: 503, errs.Unknown: 504, errs.Internal: 500,
	}
	w := newWorld(t)
	type in struct {
		Kind string `query:"kind"`
	}
	httpx.Route(w.api, httpx.Op{Method: "POST", Path: "/api/v1/shop/fail", Who: httpx.Anyone, Summary: "Fail"},
		func(_ context.Context, _ actor.Actor, in in) (textOut, error) {
			e := errs.Refusal(errs.Kind(in.Kind), "shop.failed").With("as asked").WithField("kind", "was given")
			return textOut{}, fmt.Errorf("fail for a test: %w", e.Because(errors.New("hidden cause")))
		})
	w.start()
	for _, kind := range errs.Kinds {
		require.Contains(t, want, kind, "a kind without a status")
		got := w.do("POST", "/api/v1/shop/fail?kind="+string(kind), "", "X-Request-Id", "asked-by-test")
		assert.Equal(t, want[kind], got.StatusCode, kind)
		assert.Equal(t, httpx.Problem{
			Title: http.StatusText(want[kind]), Status: want[kind], Detail: "as asked", Code: "shop.failed", Kind: string(kind),
			Fields: map[string]string{"kind": "was given"}, RequestID: "asked-by-test",
		}, got.problem)
		assert.NotContains(t, string(got.body), "hidden cause")
		waits := kind == errs.Exhausted || kind == errs.Unavailable
		assert.Equal(t, waits, got.Header.Get("Retry-After") != "", kind)
	}
}

// Whether a read was done that got no answer matters to nobody: it can be asked again.
func TestAReadWithoutAnAnswerCanBeAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lost := errs.Refusal(errs.Unknown, "souk.reply_lost").With("the answer did not arrive")
	for _, method := range []string{"GET", "HEAD", "DELETE"} {
		httpx.Route(w.api, httpx.Op{Method: method, Path: "/api/v1/shop/lost", Who: httpx.Anyone, Summary: "Lose the answer"},
			func(context.Context, actor.Actor, empty) (textOut, error) {
				return textOut{}, fmt.Errorf("ask the shop: %w", lost.Because(errors.New("connection reset")))
			})
	}
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/late", Who: httpx.Anyone, Summary: "Be late"},
		func(context.Context, actor.Actor, empty) (textOut, error) { return textOut{}, context.DeadlineExceeded })
	w.start()
	for _, asked := range [][2]string{{"GET", "lost"}, {"HEAD", "lost"}, {"GET", "late"}} {
		got := send(w.server, asked[0], "/api/v1/shop/"+asked[1], "")
		assert.Equal(t, 503, got.Code, asked)
		assert.Equal(t, "1", got.Header().Get("Retry-After"), asked)
	}
	got := w.do("GET", "/api/v1/shop/lost", "")
	assert.Equal(t, "unavailable", got.problem.Kind)
	assert.Equal(t, "souk.reply_lost", got.problem.Code, "what happened is still said")
	line := w.lines("request")[0]
	assert.Equal(t, "souk.reply_lost", line["code"])
	assert.Equal(t, "ask the shop: the answer did not arrive: connection reset", line["cause"])
	write := w.do("DELETE", "/api/v1/shop/lost", "")
	assert.Equal(t, 504, write.StatusCode, "a write may have been done: its key settles that")
	assert.Equal(t, "unknown", write.problem.Kind)
	assert.Empty(t, write.Header.Get("Retry-After"))
}

func TestAnErrorWithoutKindIsInternalAndItsCauseIsLoggedOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/fail", Who: httpx.Anyone, Summary: "Fail"},
		func(context.Context, actor.Actor, empty) (textOut, error) {
			return textOut{}, errors.New("disk on fire")
		})
	w.start()
	got := w.do("GET", "/api/v1/shop/fail", "")
	assert.Equal(t, 500, got.StatusCode)
	assert.NotContains(t, string(got.body), "fire")
	line := w.lines("request")[0]
	assert.Equal(t, "error", line["level"])
	assert.Equal(t, "disk on fire", line["cause"])
	assert.Equal(t, got.Header.Get("X-Request-Id"), line["request_id"])
	assert.Equal(t, "/api/v1/shop/fail", line["route"])
	assert.Equal(t, "shop", line["module"])
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ops := map[string]httpx.Who{"anyone": httpx.Anyone, "shoppers": httpx.Shoppers, "people": httpx.People, "sellers": httpx.Sellers, "operators": httpx.Operators}
	for name, who := range ops {
		httpx.Route(w.api, httpx.Op{Method: "POST", Path: "/api/v1/shop/" + name, Who: who, Summary: "Say who"},
			func(_ context.Context, by actor.Actor, _ empty) (textOut, error) { return say(by.Owner()), nil })
	}
	w.start()
	cart := httpx.NewCartToken()
	callers := map[string][]string{
		"nobody": nil, "guest": {"Souk-Cart", cart}, "guest's browser": {"Cookie", "souk_cart=" + cart},
		"buyer": {"Authorization", "Bearer buyer"}, "buyer's browser": {"Cookie", "souk_session=buyer"},
		"reader": {"Authorization", "Bearer reader"}, "seller": {"Authorization", "Bearer seller"},
		"operator": {"Authorization", "Bearer operator"}, "wrong token": {"Authorization", "Bearer wrong"},
		"other scheme": {"Authorization", "Basic YTpi"}, "short cart token": {"Souk-Cart", "guessable"},
	}
	want := map[string]map[string]int{
		"nobody":           {"anyone": 200, "shoppers": 401, "people": 401, "sellers": 401, "operators": 401},
		"guest":            {"anyone": 200, "shoppers": 200, "people": 401, "sellers": 401, "operators": 401},
		"guest's browser":  {"anyone": 200, "shoppers": 200, "people": 401, "sellers": 401, "operators": 401},
		"buyer":            {"anyone": 200, "shoppers": 200, "people": 200, "sellers": 403, "operators": 403},
		"buyer's browser":  {"anyone": 200, "shoppers": 200, "people": 200, "sellers": 403, "operators": 403},
		"reader":           {"anyone": 200, "shoppers": 403, "people": 403, "sellers": 403, "operators": 403},
		"seller":           {"anyone": 200, "shoppers": 200, "people": 200, "sellers": 200, "operators": 403},
		"operator":         {"anyone": 200, "shoppers": 200, "people": 200, "sellers": 403, "operators": 200},
		"wrong token":      {"anyone": 401, "shoppers": 401, "people": 401, "sellers": 401, "operators": 401},
		"other scheme":     {"anyone": 401, "shoppers": 401, "people": 401, "sellers": 401, "operators": 401},
		"short cart token": {"anyone": 200, "shoppers": 401, "people": 401, "sellers": 401, "operators": 401},
	}
	for caller, headers := range callers {
		for name := range ops {
			got := w.do("POST", "/api/v1/shop/"+name, "", headers...)
			assert.Equal(t, want[caller][name], got.StatusCode, "%s at %s: %s", caller, name, got.body)
		}
	}
	assert.Contains(t, string(w.do("POST", "/api/v1/shop/shoppers", "", "Souk-Cart", cart).body), httpx.GuestOf(cart).Owner())
}

func TestAPanicIsCaughtAndTheNextRequestServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/panic", Who: httpx.Anyone, Summary: "Panic"},
		func(context.Context, actor.Actor, empty) (textOut, error) { panic("secret-in-panic") })
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/fine", Who: httpx.Anyone, Summary: "Be fine"},
		func(context.Context, actor.Actor, empty) (textOut, error) { return say("fine"), nil })
	w.start()
	for range 5 { // more than the door's bound: every place is given back
		got := w.do("GET", "/api/v1/shop/panic", "")
		assert.Equal(t, 500, got.StatusCode)
		assert.Equal(t, "souk.panic", got.problem.Code)
	}
	assert.Equal(t, 200, w.do("GET", "/api/v1/shop/fine", "").StatusCode)
	assert.EqualValues(t, 5, w.door.Stats().Panics)
	assert.NotContains(t, string(w.logs.Bytes()), "secret-in-panic")
	assert.Len(t, w.lines("panic caught at the module's door"), 5)
}

func TestPastItsBoundAModuleIsBusyWhileAnotherServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entered, release := make(chan struct{}), make(chan struct{})
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/slow", Who: httpx.Anyone, Summary: "Be slow"},
		func(context.Context, actor.Actor, empty) (textOut, error) {
			entered <- struct{}{}
			<-release
			return say("done"), nil
		})
	other := w.server.API(door.New("other", 0, zerolog.Nop()))
	httpx.Route(other, httpx.Op{Method: "GET", Path: "/api/v1/other/fine", Who: httpx.Anyone, Summary: "Be fine"},
		func(context.Context, actor.Actor, empty) (textOut, error) { return say("fine"), nil })
	w.start()
	statuses := make(chan int)
	for range 2 {
		go func() { statuses <- w.do("GET", "/api/v1/shop/slow", "").StatusCode }()
		<-entered
	}
	got := w.do("GET", "/api/v1/shop/slow", "")
	assert.Equal(t, 503, got.StatusCode)
	assert.Equal(t, "shop.busy", got.problem.Code)
	assert.Equal(t, "1", got.Header.Get("Retry-After"))
	assert.Equal(t, 200, w.do("GET", "/api/v1/other/fine", "").StatusCode)
	close(release)
	assert.Equal(t, 200, <-statuses)
	assert.Equal(t, 200, <-statuses)
	assert.Zero(t, w.door.Stats().InFlight)
	assert.EqualValues(t, 1, w.door.Stats().Refused)
}

func TestLimitsCountByAddressAndByCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	httpx.Route(w.api, httpx.Op{Method: "POST", Path: "/api/v1/shop/guess", Who: httpx.Anyone, Summary: "Guess", Limit: httpx.Limit{Max: 3, Per: time.Minute}},
		func(context.Context, actor.Actor, empty) (textOut, error) { return say("no"), nil })
	w.start()
	for range 3 {
		assert.Equal(t, 200, w.do("POST", "/api/v1/shop/guess", "").StatusCode)
	}
	got := w.do("POST", "/api/v1/shop/guess", "")
	assert.Equal(t, 429, got.StatusCode)
	assert.Equal(t, "souk.too_many", got.problem.Code)
	assert.Equal(t, "20", got.Header.Get("Retry-After"))
	w.clock.Advance(20 * time.Second)
	assert.Equal(t, 200, w.do("POST", "/api/v1/shop/guess", "").StatusCode)
	assert.Equal(t, 429, w.do("POST", "/api/v1/shop/guess", "").StatusCode)
}

func TestAnotherSiteMayNotWrite(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	good := `{"name":"Ada","lines":[{"sku":"a","quantity":1}]}`
	for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		got := w.do("POST", "/api/v1/shop/orders", good, append(from, "Idempotency-Key", key, "Cookie", "souk_session=buyer")...)
		assert.Equal(t, 403, got.StatusCode)
		assert.Equal(t, "souk.cross_origin", got.problem.Code)
		got = w.do("POST", "/api/v1/shop/orders", good, append(from, "Idempotency-Key", key, "Authorization", "Bearer buyer")...)
		assert.Equal(t, 201, got.StatusCode, "a token is nothing that a browser adds by itself")
	}
	assert.Equal(t, 201, w.do("POST", "/api/v1/shop/orders", good, "Idempotency-Key", key, "Cookie", "souk_session=buyer", "Origin", w.url).StatusCode)
}

func TestARepeatedReadAnswersWithoutABody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	type in struct {
		httpx.IfNoneMatch
	}
	type out struct {
		httpx.ETag
		Body struct {
			Text string `json:"text"`
		}
	}
	built := 0
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/thing", Who: httpx.Anyone, Summary: "Read"},
		func(_ context.Context, _ actor.Actor, in in) (out, error) {
			tag := httpx.Tag("thing", 7)
			if in.Has(tag) {
				return out{}, httpx.NotModified(tag)
			}
			built++
			return out{ETag: httpx.Tagged(tag)}, nil
		})
	w.start()
	first := w.do("GET", "/api/v1/shop/thing", "")
	require.Equal(t, 200, first.StatusCode)
	tag := first.Header.Get("ETag")
	require.NotEmpty(t, tag)
	again := w.do("GET", "/api/v1/shop/thing", "", "If-None-Match", `"other", W/`+tag)
	assert.Equal(t, 304, again.StatusCode)
	assert.Empty(t, again.body)
	assert.Equal(t, tag, again.Header.Get("ETag"))
	assert.Empty(t, again.Header.Get("Content-Type"))
	assert.Equal(t, 1, built)
}

func TestWhatAHandlerLogsCarriesModuleAndRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/log", Who: httpx.Anyone, Summary: "Log"},
		func(ctx context.Context, _ actor.Actor, _ empty) (empty, error) {
			zerolog.Ctx(ctx).Info().Msg("a fact")
			return empty{}, nil
		})
	w.start()
	w.do("GET", "/api/v1/shop/log", "", "X-Request-Id", "asked-by-test")
	line := w.lines("a fact")[0]
	assert.Equal(t, "shop", line["module"])
	assert.Equal(t, "asked-by-test", line["request_id"])
}

func TestAnIDThatIsNotFitForLogsIsReplaced(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	for _, sent := range []string{"short", "with spaces in it", strings.Repeat("x", 65)} {
		got := w.do("GET", "/api/v1/shop/nothing", "", "X-Request-Id", sent)
		assert.NotEqual(t, sent, got.Header.Get("X-Request-Id"))
		assert.Len(t, got.problem.RequestID, 24)
	}
}

func TestUnknownAddressesAndMethodsAreProblems(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	got := w.do("GET", "/api/v1/shop/nothing", "")
	assert.Equal(t, 404, got.StatusCode)
	assert.Equal(t, "souk.no_route", got.problem.Code)
	got = w.do("DELETE", "/api/v1/shop/orders", "")
	assert.Equal(t, 405, got.StatusCode)
	assert.Equal(t, "POST", got.Header.Get("Allow"))
	got = w.do("GET", "/nothing", "")
	assert.Equal(t, 404, got.StatusCode)
	assert.Contains(t, got.Header.Get("Content-Type"), "text/html")
}

func TestARouteThatDoesNotSayWhatItMustPanicsAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := func(context.Context, actor.Actor, empty) (textOut, error) { return say(""), nil }
	for name, op := range map[string]httpx.Op{
		"another module's path": {Method: "GET", Path: "/api/v1/other/x", Who: httpx.Anyone, Summary: "x"},
		"no method":             {Path: "/api/v1/shop/x", Who: httpx.Anyone, Summary: "x"},
		"no summary":            {Method: "GET", Path: "/api/v1/shop/x", Who: httpx.Anyone},
		"nobody":                {Method: "GET", Path: "/api/v1/shop/x", Summary: "x"},
	} {
		assert.Panics(t, func() { httpx.Route(w.api, op, handler) }, name)
	}
}
