package httpx_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// world is a server on a real port with one module, "shop", and what it logged.
type orderIn struct {
	httpx.Keyed
	Note string `query:"note" maxLength:"3"`
	Body struct {
		Name  string `json:"name" minLength:"2"`
		Lines []struct {
			SKU      string `json:"sku"`
			Quantity int32  `json:"quantity" minimum:"1"`
		} `json:"lines" minItems:"1"`
	}
}

func orderWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	httpx.Route(w.api, httpx.Op{Method: "POST", Path: "/api/v1/shop/orders", Who: httpx.Anyone, Summary: "Order", MaxBody: 2000, Status: 201},
		func(_ context.Context, _ actor.Actor, in orderIn) (textOut, error) {
			return say(in.Key + " " + in.Body.Name), nil
		})
	w.start()
	return w
}

const key = "key-of-test"

func TestAGoodBodyIsTaken(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	got := w.do("POST", "/api/v1/shop/orders", `{"name":"Ada","lines":[{"sku":"a","quantity":1}]}`,
		"Idempotency-Key", key, "Content-Type", "application/json; charset=utf-8")
	assert.Equal(t, 201, got.StatusCode, string(got.body))
	assert.JSONEq(t, `{"text":"key-of-test Ada"}`, string(got.body))
}

func TestEveryBadFieldIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	got := w.do("POST", "/api/v1/shop/orders?note=long&q=1", `{"name":"A","lines":[{"quantity":0}],"Lines":[],"admin":true}`)
	assert.Equal(t, "souk.invalid", got.problem.Code)
	assert.Equal(t, map[string]string{"q": "is not known here"}, got.problem.Fields, "an unknown query parameter ends it early")
	got = w.do("POST", "/api/v1/shop/orders?note=long", `{"name":"A","lines":[{"quantity":0}],"Lines":[],"admin":true}`)
	assert.Equal(t, 400, got.StatusCode)
	assert.Equal(t, "souk.invalid", got.problem.Code)
	assert.Equal(t, map[string]string{
		"Idempotency-Key": "is required", "note": "should be length <= 3", "name": "should be length >= 2",
		"lines[0].sku": "is required", "lines[0].quantity": "should be number >= 1",
		"Lines": "is not known here", "admin": "is not known here",
	}, got.problem.Fields)
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	good := `{"name":"Ada","lines":[{"sku":"a","quantity":1}]}`
	tests := map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"none":               {status: 400, code: "souk.malformed"},
		"cut off":            {body: good[:20], status: 400, code: "souk.malformed"},
		"followed by more":   {body: good + `{}`, status: 400, code: "souk.malformed"},
		"name twice":         {body: `{"name":"Ada","name":"Bob","lines":[{"sku":"a","quantity":1}]}`, status: 400, code: "souk.malformed"},
		"not UTF-8":          {body: "{\"name\":\"A\xff\xfe\",\"lines\":[{\"sku\":\"a\",\"quantity\":1}]}", status: 400, code: "souk.malformed"},
		"too deep":           {body: strings.Repeat("[", 40) + strings.Repeat("]", 40), status: 400, code: "souk.malformed"},
		"a list":             {body: `[]`, status: 400, code: "souk.malformed"},
		"too large":          {body: `{"name":"` + strings.Repeat("a", 3000) + `"}`, status: 413, code: "souk.too_large"},
		"another media type": {body: good, headers: []string{"Content-Type", "text/plain"}, status: 415, code: "souk.media_type"},
		"another charset":    {body: good, headers: []string{"Content-Type", "application/json; charset=latin1"}, status: 415, code: "souk.media_type"},
		"compressed":         {body: good, headers: []string{"Content-Encoding", "gzip"}, status: 415, code: "souk.media_type"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.do("POST", "/api/v1/shop/orders", tt.body, append(tt.headers, "Idempotency-Key", key)...)
			assert.Equal(t, tt.status, got.StatusCode, string(got.body))
			assert.Equal(t, tt.code, got.problem.Code, string(got.body))
		})
	}
	t.Run("chunked and too large", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/v1/shop/orders", io.MultiReader(strings.NewReader(strings.Repeat(" ", 5000))))
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		assert.Equal(t, 413, res.StatusCode)
	})
}

func TestAParameterWhoseNameIsNoTextIsNamedAsFarAsItIs(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	got := w.do("POST", "/api/v1/shop/orders?a%ff=1", `{"name":"Ada","lines":[{"sku":"a","quantity":1}]}`, "Idempotency-Key", key)
	assert.Equal(t, 400, got.StatusCode)
	assert.Equal(t, map[string]string{"a\uFFFD": "is not known here"}, got.problem.Fields, string(got.body))
}

func TestAnswersNeverRepeatWhatWasSent(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	const secret = "canary-7f3a9"
	for _, body := range []string{
		`{"name":"` + secret + `","lines":"` + secret + `"}`, `{"name":["` + secret + `"]}`, `{"name":"` + secret, `"` + secret + `"`,
	} {
		got := w.do("POST", "/api/v1/shop/orders", body, "Idempotency-Key", key, "Cookie", "souk_session="+secret)
		assert.Equal(t, 400, got.StatusCode)
		assert.NotContains(t, string(got.body), secret)
	}
	assert.NotContains(t, string(w.logs.Bytes()), secret)
}

func TestPlatformTypesTravelAsTheyDoBetweenModules(t *testing.T) {
	t.Parallel()
	type body struct {
		At    clock.Time     `json:"at"`
		Since *clock.Time    `json:"since,omitempty"`
		Price money.Money    `json:"price"`
		Who   id.Ref         `json:"who"`
		Small []int8         `json:"small"`
		More  map[string]int `json:"more"`
	}
	type inOut struct{ Body body }
	w := newWorld(t)
	httpx.Route(w.api, httpx.Op{Method: "POST", Path: "/api/v1/shop/echo", Who: httpx.Anyone, Summary: "Echo"},
		func(_ context.Context, _ actor.Actor, in inOut) (inOut, error) { return in, nil })
	document, err := w.server.OpenAPI()
	require.NoError(t, err)
	assert.Contains(t, string(document), `"format": "date-time"`)
	assert.Contains(t, string(document), `"Money"`)
	w.start()
	sent := `{"at":"2026-05-04T10:00:00.250Z","price":{"minor":1250,"currency":"EUR"},"who":"per_01k5xk3v8dtq6c9m4j0e7r2a1b","small":[1],"more":{}}`
	got := w.do("POST", "/api/v1/shop/echo", sent)
	require.Equal(t, 200, got.StatusCode, string(got.body))
	assert.JSONEq(t, sent, string(got.body))

	got = w.do("POST", "/api/v1/shop/echo", strings.NewReplacer("[1]", "null").Replace(sent))
	assert.Equal(t, map[string]string{"small": "should be array"}, got.problem.Fields, string(got.body))
	got = w.do("POST", "/api/v1/shop/echo", strings.NewReplacer("[1]", "[1,300]").Replace(sent))
	assert.Equal(t, map[string]string{"small[1]": "has a value that cannot be read"}, got.problem.Fields, string(got.body))
	got = w.do("POST", "/api/v1/shop/echo", strings.NewReplacer("per_", "per-secret").Replace(sent))
	assert.Equal(t, map[string]string{"who": "has a value that cannot be read"}, got.problem.Fields, string(got.body))
	assert.NotContains(t, string(got.body), "secret")
	got = w.do("POST", "/api/v1/shop/echo", strings.NewReplacer("2026-05-04T10:00:00.250Z", "yesterday").Replace(sent))
	assert.Equal(t, map[string]string{"at": "should be RFC 3339 date-time"}, got.problem.Fields, string(got.body))
}

func TestANilListTravelsAsAnEmptyOne(t *testing.T) {
	t.Parallel()
	type out struct {
		Body struct {
			List []string         `json:"list"`
			Map  map[string]int64 `json:"map"`
		}
	}
	w := newWorld(t)
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/nothing", Who: httpx.Anyone, Summary: "Give nothing"},
		func(context.Context, actor.Actor, empty) (out, error) { return out{}, nil })
	document, err := w.server.OpenAPI()
	require.NoError(t, err)
	assert.NotContains(t, string(document), `"null"`)
	w.start()
	assert.JSONEq(t, `{"list":[],"map":{}}`, string(w.do("GET", "/api/v1/shop/nothing", "").body))
}

func FuzzRequest(f *testing.F) {
	f.Add("note=ok", key, `{"name":"Ada","lines":[{"sku":"a","quantity":1}]}`)
	f.Add("note=long&q=1", "", `{"name":1,"lines":{}}`)
	f.Add("", key, `{"name":"Ada","name":"Bob"}`)
	f.Add("%zz", key, "[[[[")
	f.Add("", key, "{\"name\":\"\xff\"}")
	f.Add("", key, `{"name":"Ada","lines":[{"sku":"a","quantity":1e400}]}`)
	server := httpx.New(httpx.Config{})
	httpx.Route(server.API(door.New("shop", 0, zerolog.Nop())),
		httpx.Op{Method: "POST", Path: "/api/v1/shop/orders", Who: httpx.Anyone, Summary: "Order"},
		func(_ context.Context, _ actor.Actor, in orderIn) (textOut, error) {
			if len(in.Body.Name) < 2 || len(in.Body.Lines) == 0 || in.Body.Lines[0].Quantity < 1 || in.Key == "" {
				return textOut{}, errors.New("what the schema forbids came through")
			}
			return say(in.Body.Name), nil
		})
	h := server.Handler()
	f.Fuzz(func(t *testing.T, query, key, body string) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/shop/orders", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Idempotency-Key", key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if w.Code >= 400 {
			var p httpx.Problem
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
			require.NotEmpty(t, p.Code)
		}
	})
}
