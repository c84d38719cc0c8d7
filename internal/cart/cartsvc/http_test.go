package cartsvc_test

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
	"regexp"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/cart/cartsvc"
	"souk/internal/cart/carttest"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/platform/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	sellerID   = "sel_00000000000000000000000001"
	guestToken = "a-token-long-enough-for-a-cart"
)

// site is cart behind HTTP, with known ids and a clock that stands.
type site struct {
	t    *testing.T
	url  string
	keys int
	env  carttest.Env
	lamp catalog.VariantID
}

func sequence[T any](prefix string) func() id.ID[T] {
	n := 0
	return func() id.ID[T] {
		n++
		return id.ID[T](fmt.Sprintf("%s%026d", prefix, n))
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	env := carttest.NewEnv()
	s := cartsvc.New(cartsvc.Config{
		DB:      storetest.Open(t, "cart", storetest.Clock(env.Clock.Now), storetest.Once()),
		Catalog: env.Catalog, NewCart: sequence[cart.Cart]("crt_"), NewID: sequence[cart.Coupon]("cpn_"),
	})
	server := httpx.New(httpx.Config{Log: zerolog.Nop(), Now: env.Clock.Now, Resolver: resolve})
	s.Module().Routes(server.API(door.New("cart", 0, zerolog.Nop())))
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	lamps := env.Catalog.AddSeller(catalog.Seller{ID: sellerID, Name: "North Lamp Works"})
	draft := catalogtest.Draft("Desk lamp", 11_900, 5)
	draft.Variants[0].Options = []catalog.Option{{Name: "Colour", Value: "Sage"}}
	return &site{t: t, url: ts.URL + "/api/v1/cart/", env: env, lamp: env.Catalog.AddListing(lamps.ID, draft).Variants[0].ID}
}

func resolve(_ context.Context, r *http.Request) (actor.Actor, error) {
	_, token := httpx.Credential(r)
	person := func(n int, seller string) actor.Actor {
		return actor.Actor{
			Kind: actor.KindPerson, Person: id.Ref(fmt.Sprintf("per_%026d", n)), Seller: id.Ref(seller),
			Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell},
		}
	}
	switch token {
	case "buyer":
		return person(1, ""), nil
	case "staff":
		return person(2, sellerID), nil
	case "other":
		return person(3, "sel_00000000000000000000000002"), nil
	case "operator":
		by := person(4, "")
		by.Kind, by.Scopes = actor.KindOperator, append(by.Scopes, actor.ScopeOperate)
		return by, nil
	}
	return actor.Nobody(), nil
}

// ask sends a request as the holder of a token, or of the guest's cart.
func (s *site) ask(method, path, who string, body any) (int, string) {
	s.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(s.t, err)
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, in)
	require.NoError(s.t, err)
	switch who {
	case "":
	case "guest":
		r.Header.Set(httpx.CartHeader, guestToken)
	default:
		r.Header.Set("Authorization", "Bearer "+who)
	}
	if method != http.MethodGet {
		s.keys++
		r.Header.Set("Idempotency-Key", fmt.Sprintf("key-%06d", s.keys))
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, string(text)
}

// random is what catalog's fake makes up.
var random = regexp.MustCompile(`(var|lst)_[0-9a-z]{26}|"(request_id|hash)": ?"[^"]*"`)

// golden compares an answer with its file.
func (s *site) golden(name string, status int, text string) {
	s.t.Helper()
	var pretty bytes.Buffer
	require.NoError(s.t, json.Indent(&pretty, []byte(text), "", "  "), text)
	got := fmt.Sprintf("%d\n%s\n", status, random.ReplaceAllStringFunc(pretty.String(), func(found string) string {
		if prefix, _, ok := strings.Cut(found, "_"); ok && len(prefix) == 3 {
			return prefix + "_…"
		}
		return found[:strings.Index(found, ":")] + `: "…"`
	}))
	path := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(s.t, os.MkdirAll("testdata", 0o755))
		require.NoError(s.t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(s.t, err)
	assert.Equal(s.t, string(want), got, name)
}

type object = map[string]any

func TestWhatClientsSee(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	see := func(name, method, path, who string, body any) {
		t.Helper()
		status, text := s.ask(method, path, who, body)
		s.golden(name, status, text)
	}
	see("empty", "GET", "cart", "guest", nil)
	see("added", "POST", "lines", "guest", object{"variant": s.lamp, "quantity": 2})
	see("out_of_stock", "POST", "lines", "guest", object{"variant": s.lamp, "quantity": 9})
	see("bad_line", "POST", "lines", "guest", object{"variant": "x", "quantity": 1})
	see("coupon_made", "POST", "sellers/"+sellerID+"/coupons", "staff", object{
		"code": "lamps10", "label": "10% off lamps", "funder": "seller", "percent": 1000, "minimum": object{"minor": 1000, "currency": "EUR"},
		"until": "2026-04-01T00:00:00Z", "limit": 100,
	})
	see("coupon_applied", "POST", "coupons", "guest", object{"code": "Lamps10"})
	see("coupon_refused", "POST", "coupons", "guest", object{"code": "NOSUCH"})
	see("quote", "GET", "quote?country=DE&postal_code=10115", "guest", nil)
	see("quote_without_destination", "GET", "quote", "guest", nil)
	s.env.Catalog.Reprice(s.lamp, catalogtest.Euro(12_500))
	see("price_up", "GET", "cart", "guest", nil)
	see("accepted", "POST", "acceptances", "guest", nil)
	see("merged", "POST", "merges", "buyer", object{"token": guestToken})
	see("set", "PUT", "lines/"+string(s.lamp), "buyer", object{"quantity": 1})
	see("coupon_removed", "DELETE", "coupons/lamps10", "buyer", nil)
	see("coupons", "GET", "sellers/"+sellerID+"/coupons", "staff", nil)
	see("all_coupons", "GET", "admin/coupons?limit=1", "operator", nil)
	see("shipping", "GET", "sellers/"+sellerID+"/shipping", "", nil)
	see("shipping_put", "PUT", "sellers/"+sellerID+"/shipping", "staff", object{"version": 0, "zones": []object{{
		"label": "Parcel", "countries": []string{"DE"}, "currency": "EUR", "kind": "flat",
		"steps": []object{{"price": object{"minor": 390, "currency": "EUR"}}},
	}}})
	see("shipping_put_late", "PUT", "sellers/"+sellerID+"/shipping", "staff", object{"version": 0, "zones": []object{{
		"label": "Parcel", "countries": []string{}, "currency": "", "kind": "flat", "steps": []object{{"price": object{"minor": 0, "currency": ""}}},
	}}})
	see("own_shipping_put", "PUT", "admin/shipping", "operator", object{"version": 0, "zones": []object{{
		"label": "Free", "countries": []string{}, "currency": "", "kind": "flat", "steps": []object{{"price": object{"minor": 0, "currency": ""}}},
	}}})
	see("taxes_put", "PUT", "admin/taxes", "operator", object{
		"country": "CH", "included": true, "version": 0, "rates": []object{{"class": "standard", "basis_points": 810}},
	})
	status, text := s.ask("GET", "taxes", "", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, `"CH"`)
	status, text = s.ask("POST", "tokens", "", nil)
	assert.Equal(t, http.StatusCreated, status, text)
}

// TestWhoMayAskWhat goes over every route with every kind of caller.
func TestWhoMayAskWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	zone := object{"version": 0, "zones": []object{{
		"label": "Free", "countries": []string{}, "currency": "", "kind": "flat", "steps": []object{{"price": object{"minor": 0, "currency": ""}}},
	}}}
	coupon := func(code string) object { return object{"code": code, "label": "x", "funder": "seller", "percent": 1} }
	callers := []string{"", "guest", "buyer", "other", "staff", "operator"}
	for _, tt := range []struct {
		method, path string
		body         any
		want         [6]int
	}{
		{"POST", "tokens", nil, [6]int{201, 201, 201, 201, 201, 201}},
		{"GET", "cart", nil, [6]int{401, 200, 200, 200, 200, 200}},
		{"POST", "lines", object{"variant": s.lamp, "quantity": 1}, [6]int{401, 200, 200, 200, 200, 200}},
		{"PUT", "lines/" + string(s.lamp), object{"quantity": 1}, [6]int{401, 200, 200, 200, 200, 200}},
		{"POST", "acceptances", nil, [6]int{401, 200, 200, 200, 200, 200}},
		{"POST", "coupons", object{"code": "NOSUCH"}, [6]int{401, 409, 409, 409, 409, 409}},
		{"DELETE", "coupons/NOSUCH", nil, [6]int{401, 200, 200, 200, 200, 200}},
		{"POST", "merges", object{"token": "another-token-long-enough"}, [6]int{401, 401, 200, 200, 200, 200}},
		{"GET", "quote?country=DE", nil, [6]int{401, 200, 200, 200, 200, 200}},
		{"GET", "sellers/" + sellerID + "/coupons", nil, [6]int{401, 401, 403, 404, 200, 403}},
		{"POST", "sellers/" + sellerID + "/coupons", coupon("MINE"), [6]int{401, 401, 403, 404, 200, 403}},
		{"GET", "admin/coupons", nil, [6]int{401, 401, 403, 403, 403, 200}},
		{"POST", "admin/coupons", coupon("SITE"), [6]int{401, 401, 403, 403, 403, 200}},
		{"GET", "sellers/" + sellerID + "/shipping", nil, [6]int{200, 200, 200, 200, 200, 200}},
		{"PUT", "sellers/" + sellerID + "/shipping", zone, [6]int{401, 401, 403, 404, 200, 403}},
		{"PUT", "admin/shipping", zone, [6]int{401, 401, 403, 403, 403, 200}},
		{"GET", "taxes", nil, [6]int{200, 200, 200, 200, 200, 200}},
		{"PUT", "admin/taxes", object{"country": "CH", "included": true, "version": 0, "rates": []object{}}, [6]int{401, 401, 403, 403, 403, 200}},
	} {
		for i, who := range callers {
			status, text := s.ask(tt.method, tt.path, who, tt.body)
			assert.Equal(t, tt.want[i], status, "%s %s as %q: %s", tt.method, tt.path, who, text)
		}
	}
}
