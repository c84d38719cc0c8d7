package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/httpx"
	"souk/internal/storefront"
)

// callers are who asks, those first to whom nothing belongs: nobody; a guest with a cart token;
// a person who bought nothing; the owner of another shop; the buyer of the order; the owner of
// the shop that it was bought from; an operator.
var callers = []string{"nobody", "guest", "stranger", "rival", "buyer", "seller", "operator"}

// ask is one request, with the status that each of the callers gets. In path and body {order}
// and the like stand for things of the buyer and of the seller; {caller} for who asks.
type ask struct {
	route string // method and path below /api/v1/
	body  string
	want  string
}

// asks are all routes of the API. What belongs to someone else is not there: 404. 401 is for who
// has not said who they are, 403 for a sort of caller that a route is not for at all.
// They are asked one after the other, so what ends things stands below.
var asks = []ask{
	{"GET catalog/listings", "", "200 200 200 200 200 200 200"},
	{"GET catalog/listings?seller={seller}&status=draft", "", "200 200 200 200 200 200 200"},
	{"GET catalog/listings/{listing}", "", "200 200 200 200 200 200 200"},
	{"GET catalog/listings/{draft}", "", "404 404 404 404 404 200 200"},
	{"GET catalog/offers?variants={variant}", "", "200 200 200 200 200 200 200"},
	{"GET catalog/variants/{variant}/movements", "", "401 401 403 404 403 200 200"},
	{"GET catalog/sellers", "", "200 200 200 200 200 200 200"},
	{"GET catalog/sellers/{seller}", "", "200 200 200 200 200 200 200"},
	{"GET catalog/applications", "", "401 401 200 200 200 200 200"},
	{"GET catalog/categories", "", "200 200 200 200 200 200 200"},
	{"PUT catalog/categories", `{"names":["Lamps"]}`, "401 401 403 403 403 403 200"},
	{"POST catalog/listings", `{"title":"Of {caller}","variants":[{"price":{"minor":1,"currency":"EUR"}}]}`, "401 401 403 201 403 201 403"},
	{"PUT catalog/listings/{draft}", `{"title":"A lamp in the making","version":1,"variants":[{"price":{"minor":1,"currency":"EUR"}}]}`, "401 401 403 404 403 200 403"},
	{"POST catalog/variants/{variant}/stock", `{"kind":"receive","quantity":1}`, "401 401 403 404 403 200 403"},
	{"PUT catalog/sellers/{seller}", `{"name":"Lamps","version":2,"legal":{"name":"Lamps","line1":"Weg 1","city":"Kiel","country":"DE","email":"x@example.com"}}`, "401 401 403 404 403 200 409"},
	{"POST catalog/sellers/{seller}/status", `{"status":"suspended","why":"x"}`, "401 401 403 403 403 403 200"},
	{"POST catalog/sellers/{seller}/status", `{"status":"approved"}`, "401 401 403 403 403 403 200"},

	{"GET search/listings?q=lamps", "", "200 200 200 200 200 200 200"},
	{"GET search/listings?q=lamps&explain=1", "", "401 401 403 403 403 403 200"},
	{"GET search/suggestions?q=lam", "", "200 200 200 200 200 200 200"},
	{"POST search/clicks", `{"search":"4t9w2m6x1zqa","listing":"{listing}","position":1}`, "204 204 204 204 204 204 204"},
	{"GET search/insights", "", "401 401 403 403 403 403 200"},
	{"GET search/explanations/{listing}?q=lamp", "", "401 401 403 403 403 403 200"},
	{"GET search/rules", "", "401 401 403 403 403 403 200"},
	{"GET search/previews?kind=stop&query=the", "", "401 401 403 403 403 403 200"},
	{"GET search/rules/file", "", "401 401 403 403 403 403 200"},
	{"POST search/rules/imports", `{"text":"same: settee, divan"}`, "401 401 403 403 403 403 201"},
	{"POST search/previews", `{"text":"same: settee, divan"}`, "401 401 403 403 403 403 200"},
	{"POST search/rules", `{"kind":"synonyms","words":["sofa","couch"]}`, "401 401 403 403 403 403 201"},
	{"PUT search/rules/{rule}", `{"kind":"stop","query":"the","version":1}`, "401 401 403 403 403 403 200"},
	{"DELETE search/rules/{rule}", "", "401 401 403 403 403 403 200"},
	{"POST search/rebuilds", "", "401 401 403 403 403 403 201"},

	{"GET orders/orders", "", "401 401 200 200 200 200 200"},
	{"GET orders/orders/{order}", "", "404 404 404 404 200 404 200"},
	{"GET orders/orders/{number}", "", "404 404 404 404 200 404 200"},
	{"GET orders/orders/{guests}", "", "404 404 404 404 404 404 200"},
	{"GET orders/orders/{guests}?link={link}", "", "200 200 200 200 200 200 200"},
	{"GET orders/orders/{order}?link={link}", "", "404 404 404 404 200 404 200"},
	{"GET orders/checkouts/{order}", "", "404 404 404 404 200 404 200"},
	{"GET orders/checkouts/{guests}?link={link}", "", "200 200 200 200 200 200 200"},
	{"GET orders/admin/orders", "", "401 401 403 403 403 403 200"},
	{"GET orders/admin/orders?stopped=true", "", "401 401 403 403 403 403 200"},
	{"POST orders/admin/orders/{order}/captures", `{"why":"x"}`, "401 401 403 403 403 403 409"},
	{"GET orders/sellers/{seller}/orders", "", "401 401 404 404 404 200 200"},
	{"GET orders/sellers/{seller}/counts", "", "401 401 404 404 404 200 200"},
	{"GET orders/seller-orders/{part}", "", "401 401 404 404 404 200 200"},
	{"POST orders/seller-orders/{part}/parcels", `{"items":[{"line":"{line}","quantity":1}]}`, "401 401 404 404 404 201 403"},
	{"POST orders/seller-orders/{part}/parcels/{parcel}/delivery", "", "401 401 404 404 404 200 409"}, // for the operator it has arrived
	{"POST orders/seller-orders/{part}/cancellations", `{"items":[{"line":"{line}","quantity":1}]}`, "404 404 404 404 201 201 201"},
	{"POST orders/seller-orders/{part}/cancellations?link={link}", `{"items":[{"line":"{line}","quantity":1}]}`, "404 404 404 404 201 201 201"},
	{"POST orders/checkouts", `{checkout}`, "401 201 201 201 201 201 201"}, // rejected but for the buyer, see below

	{"GET payments/methods?currency=EUR", "", "200 200 200 200 200 200 200"},
	{"GET payments/payments/{payment}", "", "401 401 403 403 403 403 200"},
	{"GET payments/orders/{order}/payments", "", "401 401 403 403 403 403 200"},
	{"GET payments/balances", "", "401 401 403 200 403 200 200"},
	{"GET payments/balances?seller={seller}", "", "401 401 403 404 403 200 200"},
	{"GET payments/transactions", "", "401 401 403 200 403 200 200"},
	{"GET payments/transactions?seller={seller}", "", "401 401 403 404 403 200 200"},
	{"GET payments/transactions?order={order}", "", "401 401 403 200 403 200 200"},
	{"GET payments/state", "", "401 401 403 403 403 403 200"},
	{"GET payments/returns", "", "401 401 403 403 403 403 200"},
	{"GET payments/refused-refunds", "", "401 401 403 403 403 403 200"},
	{"POST payments/refunds/{refund}/retry", `{"why":"x"}`, "401 401 403 403 403 403 404"},
	{"POST payments/refunds/{refund}/close", `{"why":"x"}`, "401 401 403 403 403 403 404"},
	{"POST payments/payments/{payment}/return", `{"why":"x"}`, "401 401 403 403 403 403 409"},
	{"PUT payments/state", `{"paused":false,"why":"a test"}`, "401 401 403 403 403 403 200"},
	{"POST payments/notifications/sandbox", `{}`, "403 403 403 403 403 403 403"},

	{"POST cart/tokens", "", "201 201 201 201 201 201 201"},
	{"GET cart/cart", "", "401 200 200 200 200 200 200"},
	{"POST cart/lines", `{"variant":"{variant}","quantity":1}`, "401 200 200 200 200 200 200"},
	{"PUT cart/lines/{variant}", `{"quantity":2}`, "401 200 200 200 200 200 200"},
	{"POST cart/acceptances", "", "401 200 200 200 200 200 200"},
	{"POST cart/coupons", `{"code":"{code}"}`, "401 200 200 200 200 200 200"},
	{"DELETE cart/coupons/{code}", "", "401 200 200 200 200 200 200"},
	{"GET cart/quote?country=DE", "", "401 200 200 200 200 200 200"},
	{"POST cart/merges", `{"token":"a-cart-token-made-by-{caller}"}`, "401 401 200 200 200 200 200"},
	{"GET cart/sellers/{seller}/coupons", "", "401 401 403 404 403 200 403"},
	{"POST cart/sellers/{seller}/coupons", `{"code":"OF-{caller}","label":"x","funder":"seller","percent":1}`, "401 401 403 404 403 200 403"},
	{"POST cart/sellers/{seller}/coupons", `{"id":"{coupon}","version":1,"code":"{code}","label":"x","funder":"seller","percent":1}`, "401 401 403 404 403 200 403"},
	{"POST cart/sellers/{rivals}/coupons", `{"id":"{coupon}","version":1,"code":"{code}","label":"x","funder":"seller","percent":1}`, "401 401 403 404 403 404 403"},
	{"GET cart/admin/coupons", "", "401 401 403 403 403 403 200"},
	{"POST cart/admin/coupons", `{"code":"ALL-{caller}","label":"x","funder":"platform","percent":1}`, "401 401 403 403 403 403 200"},
	{"GET cart/sellers/{seller}/shipping", "", "200 200 200 200 200 200 200"},
	{"PUT cart/sellers/{seller}/shipping", free, "401 401 403 404 403 200 403"},
	{"PUT cart/admin/shipping", free, "401 401 403 403 403 403 200"},
	{"GET cart/taxes", "", "200 200 200 200 200 200 200"},
	{"POST catalog/listings/{listing}/status", `{"status":"archived"}`, "401 401 403 404 403 200 403"}, // when all have bought
	{"PUT cart/admin/taxes", `{"country":"CH","included":true,"version":0,"rates":[]}`, "401 401 403 403 403 403 200"},

	{"POST accounts/register", `{"email":"{caller}@new.example","name":"New","password":"a long enough password"}`, "201 201 201 201 201 201 201"},
	{"POST accounts/sign-in", `{"email":"{caller}@none.example","password":"a wrong password"}`, "401 401 401 401 401 401 401"},
	{"GET accounts/me", "", "401 401 200 200 200 200 200"},
	{"PUT accounts/me", `{"version":{version},"name":"Someone"}`, "401 401 200 200 200 200 200"},
	{"PUT accounts/password", `{"old":"a wrong password","new":"another long password"}`, "401 401 401 401 401 401 401"},
	{"GET accounts/addresses", "", "401 401 200 200 200 200 200"},
	{"POST accounts/addresses", home, "401 401 201 201 201 201 201"},
	{"PUT accounts/addresses/{address}", home, "401 401 404 404 200 404 404"},
	{"DELETE accounts/addresses/{address}", "", "401 401 404 404 200 404 404"},
	{"GET accounts/tokens", "", "401 401 200 200 200 200 200"},
	{"POST accounts/tokens", `{"name":"x","scopes":["read"]}`, "401 401 201 201 201 201 201"},
	{"DELETE accounts/tokens/{token}", "", "401 401 404 404 200 404 404"},
	{"GET accounts/sellers/{seller}/staff", "", "401 401 404 404 404 200 200"},
	{"POST accounts/sellers/{seller}/staff", `{"email":"clara@example.com","role":"staff"}`, "401 401 404 404 404 200 200"},
	{"DELETE accounts/sellers/{seller}/staff/{clerk}", "", "401 401 404 404 404 200 404"}, // for the operator the clerk has gone
	{"GET accounts/people", "", "401 401 403 403 403 403 200"},
	{"GET accounts/people/{person}", "", "401 401 403 403 403 403 200"},
	{"POST accounts/people/{clerk}/operator", "", "401 401 403 403 403 403 200"},
	{"DELETE accounts/people/{clerk}/operator", "", "401 401 403 403 403 403 200"},
	{"GET accounts/sessions", "", "401 401 200 200 200 200 200"},
	{"DELETE accounts/sessions/{session}", "", "401 401 404 404 204 404 404"},
	{"POST accounts/sessions/rotate", "", "401 401 200 200 200 200 200"},
	{"DELETE accounts/sessions", "", "401 401 200 200 200 200 200"},
	{"POST catalog/sellers", `{"name":"Shop of {caller}","currency":"EUR","legal":{"name":"x","line1":"Weg 1","city":"Kiel","country":"DE","email":"x@example.com"}}`, "401 401 201 201 201 201 201"},
	{"POST accounts/sign-out", "", "401 401 204 204 204 204 204"},
}

const (
	home = `{"label":"Home","postal":{"name":"Bea Example","line1":"Privatweg 17","postal_code":"24103","city":"Kiel","country":"DE"}}`
	free = `{"version":0,"zones":[{"label":"Free","countries":[],"currency":"","kind":"flat","steps":[{"price":{"minor":0,"currency":""}}]}]}`
)

// town is a souk in this process with the callers and the things of the table.
type town struct {
	t      *testing.T
	app    *app
	server *httpx.Server
	url    string
	who    map[string]*shopper
	names  map[string]string
}

// settle opens a souk and fills it.
func settle(t *testing.T) *town {
	t.Helper()
	var errs strings.Builder
	w := &world{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &errs, stderr: &errs}
	a, err := w.openApp(t.Context(), t.TempDir())
	require.NoError(t, err, errs.String())
	a.http.Log, a.http.Proxies = a.tel.Log, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	server := httpx.New(a.http)
	require.NoError(t, a.modules.Mount(server, a.tel.Metrics()))
	ts := httptest.NewServer(server.Handler())
	require.NoError(t, a.modules.Start(t.Context()))
	working, rest := context.WithCancel(t.Context())
	rested := make(chan error, 1)
	go func() { rested <- a.work(working) }()
	t.Cleanup(func() {
		ts.Close()
		rest()
		require.NoError(t, <-rested)
		require.NoError(t, a.close(), errs.String())
	})
	tn := &town{t: t, app: a, server: server, url: ts.URL, who: map[string]*shopper{}, names: map[string]string{}}
	tn.fill()
	return tn
}

// fill makes the callers and what belongs to the buyer and to the seller.
func (tn *town) fill() {
	t, a := tn.t, tn.app
	boss := operator(t, a, "olive@example.com")
	lamps, mugs := seller(t, a, boss, "Lamps", 1, 50), seller(t, a, boss, "Mugs", 1, 50)
	bea, clerk := person(t, a, "bea.private@example.com"), person(t, a, "clara@example.com")
	tn.who["nobody"], tn.who["guest"] = &shopper{url: tn.url}, newGuest(t, tn.url)
	for name, who := range map[string]someone{
		"stranger": person(t, a, "sam@example.com"), "rival": mugs.owner, "buyer": bea, "seller": lamps.owner, "operator": boss,
	} {
		tn.who[name] = &shopper{url: tn.url, session: who.session}
	}
	for i, name := range callers {
		tn.who[name].http = &http.Client{Transport: from(fmt.Sprintf("10.0.0.%d", i+1))}
	}
	buyer, shop := tn.who["buyer"], tn.who["seller"]
	lamp := seen(lamps.listings[0])
	tn.names["listing"], tn.names["variant"], tn.names["seller"], tn.names["rivals"] = lamp.ID, lamp.Variants[0].ID, lamp.Seller, string(mugs.seller.ID)
	tn.names["person"], tn.names["clerk"] = string(bea.actor.Person), string(clerk.actor.Person)
	tn.names["draft"] = tn.draft(lamps)

	var made struct {
		ID    string `json:"id"`
		Code  string `json:"code"`
		Token struct {
			ID string `json:"id"`
		} `json:"token"`
	}
	buyer.must(t, http.MethodPost, "/api/v1/accounts/addresses", key(), json.RawMessage(home), &made)
	tn.names["address"] = made.ID
	buyer.must(t, http.MethodPost, "/api/v1/accounts/tokens", key(), map[string]any{"name": "Mine", "scopes": []string{"read"}}, &made)
	tn.names["token"] = made.Token.ID
	shop.must(t, http.MethodPost, "/api/v1/cart/sellers/"+lamp.Seller+"/coupons", key(), map[string]any{"code": "LAMPS5", "label": "5%", "funder": "seller", "percent": 500}, &made)
	tn.names["coupon"], tn.names["code"] = made.ID, made.Code
	second, err := a.ask.accounts.SignIn(t.Context(), accounts.SignInRequest{
		Key: key(), Email: "bea.private@example.com", Password: "a long enough password", Session: hashOf(key()), Agent: "test",
	})
	require.NoError(t, err)
	tn.names["session"] = string(second.Session.ID)

	tn.who["operator"].must(t, http.MethodPost, "/api/v1/search/rules", key(), map[string]any{"kind": "stop", "query": "a"}, &made)
	tn.names["rule"] = made.ID

	visitor := newGuest(t, tn.url)
	c := visitor.buy(t, "sandbox_ok", lamp)
	require.Equal(t, "placed", c.Status, c.Message)
	tn.names["guests"], tn.names["link"] = c.Order, c.Link
	tn.order(buyer, shop, lamp)
}

// from sends requests as a proxy would for a client at that address: limits count each caller alone.
type from string

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(f))
	return http.DefaultTransport.RoundTrip(r)
}

// draft is a listing of the shop that is not for everybody's eyes.
func (tn *town) draft(shop shopOf) string {
	reply, err := tn.app.ask.catalog.CreateListing(tn.t.Context(), catalog.CreateListingRequest{
		By: shop.owner.actor, Key: key(), Seller: shop.seller.ID, Draft: catalog.Draft{
			Title: "A lamp in the making", Variants: []catalog.VariantDraft{{SKU: "SECRET", Price: shop.listings[0].Variants[0].Price}},
		},
	})
	require.NoError(tn.t, err)
	return string(reply.Listing.ID)
}

// order has the buyer buy nine lamps, of which one is sent, and fill a cart for more.
func (tn *town) order(buyer, shop *shopper, lamp listingSeen) {
	t := tn.t
	buyer.must(t, http.MethodPost, "/api/v1/cart/lines", key(), map[string]any{"variant": lamp.Variants[0].ID, "quantity": 8}, nil)
	c := buyer.buy(t, "sandbox_ok", lamp)
	require.Equal(t, "placed", c.Status, c.Message)
	o := buyer.order(t, c.Order, "")
	part := o.SellerOrders[0]
	until(t, "the order is paid", func() bool { return buyer.order(t, c.Order, "").SellerOrders[0].Paid })
	var sent sellerOrderSeen
	shop.must(t, http.MethodPost, "/api/v1/orders/seller-orders/"+part.ID+"/parcels", key(), map[string]any{
		"items": []map[string]any{{"line": part.Lines[0].ID, "quantity": 1}},
	}, &sent)
	var paid struct {
		Payments []struct {
			ID string `json:"id"`
		} `json:"payments"`
	}
	tn.who["operator"].must(t, http.MethodGet, "/api/v1/payments/orders/"+c.Order+"/payments", "", nil, &paid)
	tn.names["order"], tn.names["number"], tn.names["part"], tn.names["line"] = c.Order, c.Number, part.ID, part.Lines[0].ID
	tn.names["parcel"], tn.names["payment"] = sent.Parcels[0].ID, paid.Payments[0].ID
	tn.names["refund"] = "rfd_01k5xk3v8dtq6c9m4j0e7r2a1b" // none was refused

	_, err := buyer.add(t.Context(), lamp.Variants[0].ID, 1)
	require.NoError(t, err)
	q, err := buyer.quote(t.Context())
	require.NoError(t, err)
	body, err := json.Marshal(checkoutBody(q, "sandbox_ok"))
	require.NoError(t, err)
	tn.names["checkout"] = string(body)
}

// ask sends what a row says as one of the callers.
func (tn *town) ask(a ask, caller string) answer {
	tn.t.Helper()
	s := tn.who[caller]
	pairs := []string{"{caller}", caller}
	for name, thing := range tn.names {
		pairs = append(pairs, "{"+name+"}", thing)
	}
	if strings.Contains(a.body, "{version}") {
		var me struct {
			Person struct {
				Version int64 `json:"version"`
			} `json:"person"`
		}
		if res, err := s.do(tn.t.Context(), http.MethodGet, "/api/v1/accounts/me", "", nil); err == nil && res.status == http.StatusOK {
			res.into(tn.t, &me)
		}
		pairs = append(pairs, "{version}", fmt.Sprint(max(1, me.Person.Version)))
	}
	fill := strings.NewReplacer(pairs...)
	method, path, _ := strings.Cut(fill.Replace(a.route), " ")
	k := ""
	if method != http.MethodGet {
		k = key()
	}
	var body any
	if a.body != "" {
		body = json.RawMessage(fill.Replace(a.body))
	}
	if strings.HasPrefix(path, "payments/notifications/") {
		return tn.notify(path)
	}
	res, err := s.do(tn.t.Context(), method, "/api/v1/"+path, k, body)
	require.NoError(tn.t, err)
	until(tn.t, "a checkout comes to rest", func() bool {
		if res.status == http.StatusAccepted { // it goes on without its client, who asks again by its key
			res, err = s.do(tn.t.Context(), method, "/api/v1/"+path, k, body)
			require.NoError(tn.t, err)
		}
		return res.status != http.StatusAccepted
	})
	if strings.HasSuffix(path, "/rotate") { // as a browser would
		for _, c := range (&http.Response{Header: res.header}).Cookies() {
			s.session = c.Value
		}
	}
	return res
}

// notify sends a notification that the provider has not signed.
func (tn *town) notify(path string) answer {
	req, err := http.NewRequestWithContext(tn.t.Context(), http.MethodPost, tn.url+"/api/v1/"+path, strings.NewReader("{}"))
	require.NoError(tn.t, err)
	req.Header.Set("Souk-Sandbox-Signature", "v1="+strings.Repeat("0", 64))
	res, err := http.DefaultClient.Do(req)
	require.NoError(tn.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(tn.t, err)
	return answer{status: res.StatusCode, header: res.Header, body: text}
}

// private is what nobody reads but the buyer, the seller and operators.
var private = []string{"bea.private@example.com", "Privatweg 17", "Hafenstraße 1", "A lamp in the making", "lamps@example.com"}

func TestWhatEachKindOfCallerGetsOfEveryRoute(t *testing.T) {
	t.Parallel()
	tn := settle(t)
	for _, a := range asks {
		var got []string
		var said strings.Builder
		for _, caller := range callers {
			res := tn.ask(a, caller)
			got = append(got, fmt.Sprint(res.status))
			assert.NotRegexp(t, noTime, string(res.body), "%s: a time that is not there is left out, or no generated client could read it", a.route)
			if strings.HasPrefix(a.route, "POST orders/checkouts") && res.status == http.StatusCreated {
				assert.Equal(t, caller == "buyer", strings.Contains(string(res.body), `"status":"placed"`), "%s checks out the buyer's cart: %s", caller, res.body)
				assert.Equal(t, caller != "buyer", strings.Contains(string(res.body), `"reason":"cart_taken"`), "%s: %s", caller, res.body)
			}
			fmt.Fprintf(&said, "\n%s: %d %.300s", caller, res.status, res.body)
			if strings.Contains(a.route, "{link}") || strings.HasPrefix(a.body, home) || caller == "seller" || caller == "operator" {
				continue
			}
			for _, secret := range private {
				mine := caller == "buyer" && secret != "A lamp in the making" && secret != "lamps@example.com"
				assert.True(t, mine || !strings.Contains(string(res.body), secret), "%s: %s reads %s: %s", a.route, caller, secret, res.body)
			}
		}
		assert.Equal(t, a.want, strings.Join(got, " "), "%s of %v%s", a.route, callers, said.String())
	}
}

// shape is a route without the names of its parameters, and without a query.
func shape(route string) string {
	route, _, _ = strings.Cut(route, "?")
	return parameter.ReplaceAllString(route, "{}")
}

var (
	parameter = regexp.MustCompile(`\{[^}]*\}`)
	noTime    = regexp.MustCompile(`"(\w+_at|until|from)":""`)
)

func TestTheTableOfCallersHasEveryRouteOfTheAPI(t *testing.T) {
	t.Parallel()
	setup(t, t.TempDir(), func(a *app) {
		server := httpx.New(a.http)
		require.NoError(t, a.modules.Mount(server, nil))
		routes, rows := map[string]bool{}, map[string]bool{}
		for _, r := range server.Routes() {
			routes[shape(r.Method+" "+strings.TrimPrefix(r.Path, "/api/v1/"))] = true
		}
		for _, a := range asks {
			rows[shape(a.route)] = true
			assert.True(t, routes[shape(a.route)], "%s is in the table and is no route", a.route)
		}
		for route := range routes {
			assert.True(t, rows[route], "%s is not in the table", route)
		}
	})
}

// TestPagesOutsideTheStorefront holds which pages there are beside the storefront's, which has a
// table of callers of its own.
func TestPagesOutsideTheStorefront(t *testing.T) {
	t.Parallel()
	setup(t, t.TempDir(), func(a *app) {
		r := chi.NewRouter()
		for _, m := range a.modules.Modules() {
			if m.Pages != nil && m.Name != storefront.Name {
				m.Pages(r)
			}
			if m.Assets != nil {
				m.Assets(r)
			}
		}
		var found []string
		require.NoError(t, chi.Walk(r, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			found = append(found, method+" "+route)
			return nil
		}))
		assert.ElementsMatch(t, []string{
			"GET /assets/*", "GET /demo/pictures/*", // the same for everybody
			"GET /sandbox/approve/{page}", "POST /sandbox/approve/{page}", // whoever has the page's unguessable name
		}, found)
	})
}
