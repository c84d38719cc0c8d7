package storefront_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"souk/internal/accounts"
	"souk/internal/accounts/accountstest"
	"souk/internal/cart"
	"souk/internal/cart/carttest"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/search"
	"souk/internal/search/searchtest"
	"souk/internal/storefront"
)

// world is a storefront on a real port over fakes of all modules, with a shop in it.
type world struct {
	t          *testing.T
	clock      *clock.Manual
	accounts   *accountstest.Fake
	catalog    *catalogtest.Fake
	search     *searchtest.Fake
	cart       *carttest.Fake
	payments   *paymentstest.Fake
	orders     *orderstest.Fake
	operations *operations
	shop       *storefront.Storefront
	url        string

	lamps  catalog.Seller // two sellers
	bowls  catalog.Seller
	lamp   catalog.Listing // €89.00
	shirt  catalog.Listing // four variants
	buyer  accounts.Person
	order  orders.Order // the buyer's, of the lamp
	person map[string]accounts.Person
}

// password is what everybody here signs in with.
const password = "correct horse battery"

// broken says which modules do not answer.
type broken struct {
	search   search.Service
	payments payments.Service
}

func newShop(t *testing.T, with ...broken) *world {
	t.Helper()
	c := clock.NewManual(sampleTime)
	w := &world{t: t, clock: c, operations: &operations{}, person: map[string]accounts.Person{}}
	w.accounts, w.catalog, w.payments = accountstest.NewFake(c.Now), catalogtest.NewFake(c.Now), paymentstest.NewFake(c.Now)
	w.search, w.cart = searchtest.NewFake(w.catalog), carttest.NewFake(c.Now, w.catalog)
	w.orders = orderstest.NewFake(c.Now, w.cart)
	config := storefront.Config{
		Accounts: w.accounts, Catalog: w.catalog, Search: w.search, Cart: w.cart, Payments: w.payments, Orders: w.orders,
		Operations: w.operations, Now: c.Now, RunBy: []string{"souk", "1 Market Place"}, WaitMillis: 1000,
	}
	for _, b := range with {
		if b.search != nil {
			config.Search = b.search
		}
		if b.payments != nil {
			config.Payments = b.payments
		}
	}
	var err error
	w.shop, err = storefront.New(config)
	require.NoError(t, err)
	server := httpx.New(httpx.Config{Log: zerolog.Nop(), Now: c.Now, Resolver: w.resolve, PageError: w.shop.PageError})
	m, way := w.shop.Module(), door.New(storefront.Name, 0, zerolog.Nop())
	server.Pages(way, m.Pages)
	server.Assets(way, m.Assets)
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	w.url = ts.URL
	w.fill()
	return w
}

// resolve is what the program makes of accounts.
func (w *world) resolve(ctx context.Context, r *http.Request) (actor.Actor, error) {
	proof, secret := httpx.Credential(r)
	if proof == httpx.ByNothing {
		return actor.Nobody(), nil
	}
	request := accounts.ResolveRequest{Session: storefront.HashSecret(secret), Seller: catalog.SellerID(httpx.SellerAsked(r))}
	if proof == httpx.ByToken {
		request = accounts.ResolveRequest{Token: storefront.HashSecret(secret), Seller: request.Seller}
	}
	reply, err := w.accounts.Resolve(ctx, request)
	if errors.Is(err, accounts.ErrSession) {
		return actor.Nobody(), nil
	}
	return reply.Actor, err
}

// item is two of a listing's first variant, as they are ordered.
func (w *world) item(l catalog.Listing) orderstest.Item {
	offer, err := orderstest.Offer(w.t.Context(), w.catalog, l.Variants[0].ID)
	require.NoError(w.t, err)
	return orderstest.Item{Offer: offer, Quantity: 2, Shipping: 490, TaxRate: 1900}
}

// fill puts sellers, listings, people and an order there.
func (w *world) fill() {
	home := w.category("Home")
	lighting := w.category("Home", "Lighting")
	clothing := w.category("Clothing")
	w.lamps = w.catalog.AddSeller(catalog.Seller{Name: "North Lamp Works", Legal: catalogtest.Legal("North Lamp Works Ltd"), About: "Lamps."})
	w.bowls = w.catalog.AddSeller(catalog.Seller{Name: "Casa Lume", Legal: catalogtest.Legal("Casa Lume SL")})
	w.lamp = w.list(w.lamps.ID, lighting, "Brass desk lamp", 8900, 5)
	w.list(w.bowls.ID, home, "Stoneware bowl", 2450, 0)
	d := catalogtest.Draft("Linen shirt", 7200, 8)
	d.Category, d.Brand, d.Description = clothing.ID, "Atelier", "Cut wide.\n\nRuns large."
	one := d.Variants[0]
	d.Variants = nil
	for _, size := range []string{"M", "L"} {
		for _, colour := range []string{"natural", "blue"} {
			v := one
			v.SKU, v.Options = "LS-"+size+"-"+colour, []catalog.Option{{Name: "Size", Value: size}, {Name: "Colour", Value: colour}}
			d.Variants = append(d.Variants, v)
		}
	}
	w.shirt = w.catalog.AddListing(w.bowls.ID, d)
	w.buyer = w.register("buyer", "Ada Byron")
	w.register("stranger", "Bob Stranger")
	w.register("seller", "Lara Lamp", accounts.Role{Kind: accounts.RoleOwner, Seller: w.lamps.ID})
	w.register("rival", "Rita Rival", accounts.Role{Kind: accounts.RoleOwner, Seller: w.bowls.ID})
	w.register("operator", "Olga Operator", accounts.Role{Kind: accounts.RoleOperator})
	w.order = w.orders.Put(w.buyer.ID, w.item(w.lamp))
	w.accounts.AddAddress(w.buyer.ID, accounts.Address{Label: "Home", Postal: orderstest.Address(), Default: true})
}

func (w *world) category(names ...string) catalog.Category {
	w.t.Helper()
	reply, err := w.catalog.PutCategory(w.t.Context(), catalog.PutCategoryRequest{By: actor.System(""), Key: id.New("key_"), Names: names, Hue: 30})
	require.NoError(w.t, err)
	return reply.Category
}

func (w *world) list(seller catalog.SellerID, c catalog.Category, title string, price, quantity int64) catalog.Listing {
	d := catalogtest.Draft(title, price, quantity)
	d.Category = c.ID
	return w.catalog.AddListing(seller, d)
}

// register makes someone who signs in as name@example.com.
func (w *world) register(name, full string, roles ...accounts.Role) accounts.Person {
	w.t.Helper()
	reply, err := w.accounts.Register(w.t.Context(), accounts.RegisterRequest{
		Key: id.New("key_"), Email: name + "@example.com", Name: full, Password: password, Session: storefront.HashSecret(name + " registers"),
	})
	require.NoError(w.t, err)
	for _, role := range roles {
		_, err := w.accounts.GrantRole(w.t.Context(), accounts.GrantRoleRequest{By: actor.System(""), Key: id.New("key_"), Person: reply.Person.ID, Role: role})
		require.NoError(w.t, err)
	}
	w.person[name] = reply.Person
	return reply.Person
}

// fillCart puts things into somebody's cart.
func (w *world) fillCart(owner string, quantity int64, variants ...catalog.VariantID) cart.CartID {
	var cid cart.CartID
	for _, v := range variants {
		cid = w.cart.Put(owner, carttest.Want{Variant: v, Quantity: quantity})
	}
	return cid
}

// browser is one of somebody's own: it keeps cookies and, unless told otherwise, follows redirects.
type browser struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &browser{w: w, client: &http.Client{Jar: jar}}
}

// as is a browser in which that person is signed in.
func (w *world) as(name string) *browser {
	w.t.Helper()
	b := w.browser()
	secret := "session_of_" + name + "_" + id.New("ses_")
	_, err := w.accounts.SignIn(w.t.Context(), accounts.SignInRequest{
		Key: id.New("key_"), Email: name + "@example.com", Password: password, Session: storefront.HashSecret(secret), Agent: "Firefox/140 (Linux)",
	})
	require.NoError(w.t, err)
	b.cookie(httpx.SessionCookie, secret)
	return b
}

// cookie puts a cookie into the browser.
func (b *browser) cookie(name, value string) {
	u, err := url.Parse(b.w.url)
	require.NoError(b.w.t, err)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// has is the value of a cookie, "" for none.
func (b *browser) has(name string) string {
	u, err := url.Parse(b.w.url)
	require.NoError(b.w.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// staying answers redirects as they are.
func (b *browser) staying() *browser {
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// shown is what a browser shows.
type shown struct {
	b      *browser
	status int
	path   string // and query, where it ended
	header http.Header
	body   string
	doc    *html.Node
}

func (b *browser) do(r *http.Request) shown {
	t := b.w.t
	t.Helper()
	res, err := b.client.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	p := shown{b: b, status: res.StatusCode, path: res.Request.URL.RequestURI(), header: res.Header, body: string(body)}
	p.doc, err = html.Parse(strings.NewReader(p.body))
	require.NoError(t, err)
	return p
}

func (b *browser) get(path string, header ...string) shown {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.url+path, nil)
	require.NoError(b.w.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(r)
}

func (b *browser) post(path string, form url.Values, header ...string) shown {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.url+path, strings.NewReader(form.Encode()))
	require.NoError(b.w.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(r)
}

// submit sends the form with that action, as it stands on the page but for what is typed.
func (p shown) submit(action string, typed map[string]string) shown {
	p.b.w.t.Helper()
	return p.press(action, action, typed)
}

// press sends the form by a button that leads elsewhere.
func (p shown) press(action, to string, typed map[string]string) shown {
	t := p.b.w.t
	t.Helper()
	form := p.form(action)
	require.NotNil(t, form, "there is no form to %s on %s:\n%s", action, p.path, p.text())
	values, id := url.Values{}, attributes(form)["id"]
	for n := range p.doc.Descendants() {
		at := attributes(n)
		if n.Type != html.ElementNode || at["name"] == "" || !inside(n, form) && (id == "" || at["form"] != id) {
			continue
		}
		switch {
		case n.Data == "textarea":
			values.Add(at["name"], text(n))
		case n.Data == "select":
			values.Add(at["name"], selected(n))
		case n.Data == "input" && (at["type"] == "radio" || at["type"] == "checkbox"):
			if _, on := at["checked"]; on {
				values.Add(at["name"], at["value"])
			}
		case n.Data == "input":
			values.Add(at["name"], at["value"])
		}
	}
	for name, value := range typed {
		values.Set(name, value)
	}
	if attributes(form)["method"] == "get" {
		return p.b.get(to + "?" + values.Encode())
	}
	return p.b.post(to, values)
}

func (p shown) form(action string) *html.Node {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" && attributes(n)["action"] == action {
			return n
		}
	}
	return nil
}

func inside(n, of *html.Node) bool {
	for a := range n.Ancestors() {
		if a == of {
			return true
		}
	}
	return false
}

func selected(n *html.Node) string {
	first, found := "", false
	for o := range n.Descendants() {
		if o.Data != "option" {
			continue
		}
		at := attributes(o)
		if _, on := at["selected"]; on {
			return at["value"]
		}
		if !found {
			first, found = at["value"], true
		}
	}
	return first
}

// text is what the page says, without its markup.
func (p shown) text() string {
	var b strings.Builder
	for n := range p.doc.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// link is the address of the link with those words.
func (p shown) link(words string) string {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" && strings.Contains(strings.Join(strings.Fields(text(n)), " "), words) {
			return attributes(n)["href"]
		}
	}
	p.b.w.t.Fatalf("there is no link %q on %s", words, p.path)
	return ""
}

// sound holds a page to the rules that samples are held to.
func (p shown) sound() {
	t := p.b.w.t
	t.Helper()
	for _, bad := range []string{"<no value>", "%!", "ZgotmplZ"} {
		assert.NotContains(t, p.body, bad, p.path)
	}
	checkNesting(t, p.body)
	checkPage(t, p.doc, true)
}

// with is a form of pairs.
func with(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		out.Add(pairs[i], pairs[i+1])
	}
	return out
}

// operations is the platform as operators see it.
type operations struct {
	did []string
	err error
}

func (o *operations) Modules(context.Context) ([]storefront.ModuleHealth, error) {
	return []storefront.ModuleHealth{{Name: "catalog", Ready: true, Max: 256}, {Name: "payments", Problem: "payments.busy", Max: 128, Dead: 1, Panics: 2}}, o.err
}

func (o *operations) Subscribers(context.Context) ([]storefront.SubscriberState, error) {
	return []storefront.SubscriberState{{Name: "search.index", Module: "search", Log: "catalog", Position: 4, Head: 6, Lag: 2, Parked: 3, State: "following"}}, o.err
}

func (o *operations) ParkedEvents(context.Context, int) ([]storefront.ParkedEvent, error) {
	return []storefront.ParkedEvent{{
		Subscriber: "search.index", Module: "search", Position: 4, Name: "catalog.listing_changed.v1", Key: "lst_1", Tries: 5, Error: "no title",
		ParkedAt: sampleTime, Behind: 2, Body: `{"title":""}`,
	}}, o.err
}

func (o *operations) RetryParked(_ context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	o.did = append(o.did, "retry "+subscriber+" "+key)
	return storefront.Drained{Applied: 1, Left: 2, Error: "no title"}, o.err
}

func (o *operations) SkipParked(_ context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	o.did = append(o.did, "skip "+subscriber+" "+key)
	return storefront.Drained{Skipped: 1}, o.err
}

func (o *operations) DeadJobs(context.Context, int) ([]storefront.DeadJob, error) {
	return []storefront.DeadJob{
		{Module: "orders", Kind: "orders.capture", Key: "ord_1", Tries: 12, Error: "no answer", At: sampleTime},
		{Module: "cart", Kind: "cart.tidy", Key: "daily", Tries: 12, Error: "disk full", At: sampleTime, Periodic: true},
	}, o.err
}

func (o *operations) RetryJob(_ context.Context, by actor.Actor, module, kind, key, why string) error {
	o.did = append(o.did, "run "+module+" "+kind+" "+key)
	return o.err
}

func (o *operations) DropJob(_ context.Context, by actor.Actor, module, kind, key, why string) error {
	o.did = append(o.did, "drop "+module+" "+kind+" "+key)
	return o.err
}

func (o *operations) AuditTrail(_ context.Context, f storefront.AuditFilter) (storefront.AuditPage, error) {
	next := "more"
	if f.Cursor != "" {
		next = ""
	}
	return storefront.AuditPage{Next: next, Rows: []storefront.AuditEntry{{
		Module: "catalog", At: sampleTime, Kind: actor.KindOperator, Person: "per_1", Action: "catalog.approve_seller", Subject: "sel_1", Before: "applied", After: "approved", Why: f.Subject,
	}}}, o.err
}

func listAddresses(by actor.Actor) accounts.ListAddressesRequest {
	return accounts.ListAddressesRequest{By: by}
}
