package catalogsvc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/platform/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sequence makes ids one after the other.
func sequence[T any](prefix string) func() id.ID[T] {
	n := 0
	return func() id.ID[T] {
		n++
		return id.ID[T](fmt.Sprintf("%s%026d", prefix, n))
	}
}

// site is catalog behind HTTP, with known ids and a clock that stands.
type site struct {
	*catalogsvc.Service
	t     *testing.T
	url   string
	clock *clock.Manual
	keys  int
}

func newSite(t *testing.T) *site {
	t.Helper()
	c := clock.NewManual(clock.Of(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	s := catalogsvc.New(catalogsvc.Config{
		DB:        storetest.Open(t, "catalog", storetest.Clock(c.Now), storetest.Once()),
		NewSeller: sequence[catalog.Seller]("sel_"), NewListing: sequence[catalog.Listing]("lst_"),
		NewVariant: sequence[catalog.Variant]("var_"), NewCategory: sequence[catalog.Category]("cat_"),
	})
	server := httpx.New(httpx.Config{Log: zerolog.Nop(), Now: c.Now, Resolver: resolve})
	s.Module().Routes(server.API(door.New("catalog", 0, zerolog.Nop())))
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	return &site{Service: s, t: t, url: ts.URL + "/api/v1/catalog/", clock: c}
}

// resolve knows people by their tokens, which have the scopes that a session of theirs would have.
func resolve(_ context.Context, r *http.Request) (actor.Actor, error) {
	_, token := httpx.Credential(r)
	person := func(n int, seller string) actor.Actor {
		by := actor.Actor{
			Kind: actor.KindPerson, Person: id.Ref(fmt.Sprintf("per_%026d", n)), Seller: id.Ref(seller),
			Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeAccount},
		}
		if seller != "" {
			by.Scopes = append(by.Scopes, actor.ScopeSell)
		}
		return by
	}
	switch token {
	case "buyer":
		return person(1, ""), nil
	case "staff":
		return person(2, "sel_00000000000000000000000001"), nil
	case "other":
		return person(3, "sel_00000000000000000000000002"), nil
	case "operator":
		by := person(4, "")
		by.Kind, by.Scopes = actor.KindOperator, append(by.Scopes, actor.ScopeOperate)
		return by, nil
	}
	return actor.Nobody(), nil
}

// ask sends a request and returns status, header and body.
func (s *site) ask(method, path, token string, body any, header ...string) (int, http.Header, string) {
	s.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(s.t, err)
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, in)
	require.NoError(s.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if method != http.MethodGet {
		s.keys++
		r.Header.Set("Idempotency-Key", fmt.Sprintf("key-%06d", s.keys))
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, res.Header, string(text)
}

// must is ask for what succeeds.
func (s *site) must(method, path, token string, body any) string {
	s.t.Helper()
	status, _, text := s.ask(method, path, token, body)
	require.Less(s.t, status, 300, text)
	return text
}

type object = map[string]any

func legal() object {
	return object{"name": "North Lamp Works GmbH", "line1": "Hauptstr. 1", "city": "Berlin", "country": "DE", "email": "office@lamps.example"}
}

func lampDraft(sku string) object {
	return object{
		"title": "Desk lamp", "brand": "Acme", "external_id": sku,
		"attributes": []object{{"section": "Body", "name": "Colour", "value": "sage"}},
		"images":     []object{{"url": "https://pictures.example/lamp.svg"}},
		"variants": []object{{
			"sku": sku, "gtin": "4006381333931", "price": object{"minor": 1250, "currency": "EUR"},
			"was_price": object{"minor": 1500, "currency": "EUR"}, "quantity": 3, "options": []object{{"name": "Size", "value": "M"}},
		}},
	}
}

// fill opens a shop with a lamp in it.
func (s *site) fill() {
	s.t.Helper()
	for _, name := range []string{"North Lamp Works", "Other Shop"} {
		s.must("POST", "sellers", "buyer", object{"name": name, "legal": legal(), "currency": "EUR"})
	}
	for n := range 2 {
		s.must("POST", fmt.Sprintf("sellers/sel_%026d/status", n+1), "operator", object{"status": "approved", "why": "papers are in order"})
	}
	s.must("PUT", "categories", "operator", object{"names": []string{"Home", "Lighting"}, "hue": 200})
	draft := lampDraft("LAMP-1")
	draft["publish"], draft["category"] = true, "cat_00000000000000000000000002"
	s.must("POST", "listings", "staff", draft)
}

const lamp, lampVariant = "lst_00000000000000000000000001", "var_00000000000000000000000001"

// golden compares what a client sees with its file.
func golden(t *testing.T, name string, status int, text string) {
	t.Helper()
	var body any
	require.NoError(t, json.Unmarshal([]byte(text), &body), text)
	if problem, ok := body.(object); ok && problem["request_id"] != nil {
		problem["request_id"] = "…"
	}
	pretty, err := json.MarshalIndent(object{"status": status, "body": body}, "", "  ")
	require.NoError(t, err)
	path := filepath.Join("testdata", "http", name+".json")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, append(pretty, '\n'), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update once")
	assert.Equal(t, string(want), string(pretty)+"\n")
}

func TestWhatClientsSee(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, tt := range []struct {
		name, method, path, token string
		body                      any
	}{
		{"listing", "GET", "listings/" + lamp, "", nil},
		{"listing_for_staff", "GET", "listings/" + lamp, "staff", nil},
		{"listings", "GET", "listings?path=home&limit=1", "", nil},
		{"offers", "GET", "offers?variants=" + lampVariant + ",var_00000000000000000000000009", "", nil},
		{"movements", "GET", "variants/" + lampVariant + "/movements", "operator", nil},
		{"seller", "GET", "sellers/north-lamp-works", "", nil},
		{"seller_for_operators", "GET", "sellers/sel_00000000000000000000000001", "operator", nil},
		{"sellers", "GET", "sellers?q=lamp", "", nil},
		{"categories", "GET", "categories", "", nil},
		{"stock", "POST", "variants/" + lampVariant + "/stock", "staff", object{"kind": "receive", "quantity": 2, "why": "delivery"}},
		{"no_listing", "GET", "listings/lst_00000000000000000000000009", "", nil},
		{"bad_listing", "POST", "listings", "staff", object{"title": " ", "variants": []object{{"price": object{"minor": 1, "currency": "USD"}, "gtin": "12"}}}},
		{"sku_taken", "POST", "listings", "staff", func() object { d := lampDraft("LAMP-1"); delete(d, "external_id"); return d }()},
		{"stale_edit", "PUT", "listings/" + lamp, "staff", func() object { d := lampDraft("LAMP-1"); d["version"] = 7; return d }()},
		{"edit", "PUT", "listings/" + lamp, "staff", func() object { d := lampDraft("LAMP-2"); d["version"] = 1; return d }()},
		{"archived", "POST", "listings/" + lamp + "/status", "staff", object{"status": "archived"}},
		{"suspended_without_reason", "POST", "sellers/sel_00000000000000000000000002/status", "operator", object{"status": "suspended"}},
		{"edited_seller", "PUT", "sellers/sel_00000000000000000000000001", "staff", object{"name": "South Lamp Works", "legal": legal(), "version": 2}},
	} {
		status, _, text := s.ask(tt.method, tt.path, tt.token, tt.body)
		t.Run(tt.name, func(t *testing.T) { golden(t, tt.name, status, text) })
	}
}

func TestWhoMayAskWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	callers := []string{"", "buyer", "other", "staff", "operator"}
	edit := lampDraft("LAMP-1")
	edit["version"] = 99
	for _, tt := range []struct {
		method, path string
		body         any
		want         [5]int // in the order of callers
	}{
		{"GET", "listings/" + lamp, nil, [5]int{200, 200, 200, 200, 200}},
		{"GET", "listings", nil, [5]int{200, 200, 200, 200, 200}},
		{"GET", "offers?variants=" + lampVariant, nil, [5]int{200, 200, 200, 200, 200}},
		{"GET", "sellers/north-lamp-works", nil, [5]int{200, 200, 200, 200, 200}},
		{"GET", "sellers", nil, [5]int{200, 200, 200, 200, 200}},
		{"GET", "categories", nil, [5]int{200, 200, 200, 200, 200}},
		{"GET", "variants/" + lampVariant + "/movements", nil, [5]int{401, 403, 404, 200, 200}},
		{"POST", "variants/" + lampVariant + "/stock", object{"kind": "receive", "quantity": 1}, [5]int{401, 403, 404, 200, 403}},
		{"POST", "listings", object{"title": "x", "variants": []object{{"price": object{"minor": 1, "currency": "EUR"}}}}, [5]int{401, 403, 201, 201, 403}},
		{"PUT", "listings/" + lamp, edit, [5]int{401, 403, 404, 409, 403}},
		{"POST", "listings/" + lamp + "/status", object{"status": "active"}, [5]int{401, 403, 404, 409, 403}},
		{"PUT", "sellers/sel_00000000000000000000000001", object{"name": "Lamps", "legal": legal(), "version": 99}, [5]int{401, 403, 404, 409, 409}},
		{"POST", "sellers/sel_00000000000000000000000001/status", object{"status": "approved"}, [5]int{401, 403, 403, 403, 409}},
		{"PUT", "categories", object{"names": []string{"Home"}}, [5]int{401, 403, 403, 403, 200}},
		{"POST", "sellers", object{"name": "North Lamp Works", "legal": legal(), "currency": "EUR"}, [5]int{401, 409, 409, 409, 409}},
	} {
		for i, token := range callers {
			status, _, text := s.ask(tt.method, tt.path, token, tt.body)
			assert.Equal(t, tt.want[i], status, "%s %s by %q: %s", tt.method, tt.path, token, text)
		}
	}
}

func TestAListingThatTheClientHasIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	status, header, _ := s.ask("GET", "listings/"+lamp, "", nil)
	require.Equal(t, 200, status)
	tag := header.Get("ETag")
	status, _, text := s.ask("GET", "listings/"+lamp, "buyer", nil, "If-None-Match", tag)
	assert.Equal(t, 304, status)
	assert.Empty(t, text)
	status, header, _ = s.ask("GET", "listings/"+lamp, "staff", nil, "If-None-Match", tag)
	assert.Equal(t, 200, status, "staff see more")
	assert.NotEqual(t, tag, header.Get("ETag"))

	_, err := s.Reserve(t.Context(), catalog.ReserveRequest{
		By: actor.System(""), Key: catalogtest.Key(), For: "ord_00000000000000000000000001", Until: s.clock.Now().Add(time.Minute),
		Items: []catalog.Item{{Variant: lampVariant, Quantity: 1}},
	})
	require.NoError(t, err)
	status, header, text = s.ask("GET", "listings/"+lamp, "", nil, "If-None-Match", tag)
	assert.Equal(t, 200, status, "one less can be bought")
	assert.Contains(t, text, `"available":2`)
	held := header.Get("ETag")
	s.clock.Advance(time.Minute)
	status, header, _ = s.ask("GET", "listings/"+lamp, "", nil, "If-None-Match", held)
	assert.Equal(t, 200, status, "the term is over, though nothing was written")
	assert.Equal(t, tag, header.Get("ETag"), "and all is as it was")
	status, _, _ = s.ask("GET", "sellers/north-lamp-works", "", nil, "If-None-Match", "*")
	assert.Equal(t, 304, status)
}

func TestARepeatedRequestIsAnsweredAsTheFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	key := strings.Repeat("k", 20)
	status, _, first := s.ask("POST", "variants/"+lampVariant+"/stock", "staff", object{"kind": "receive", "quantity": 1}, "Idempotency-Key", key)
	require.Equal(t, 200, status)
	_, _, again := s.ask("POST", "variants/"+lampVariant+"/stock", "staff", object{"kind": "receive", "quantity": 1}, "Idempotency-Key", key)
	assert.Equal(t, first, again)
	status, _, _ = s.ask("POST", "variants/"+lampVariant+"/stock", "staff", object{"kind": "receive", "quantity": 2}, "Idempotency-Key", key)
	assert.Equal(t, 422, status)
}
