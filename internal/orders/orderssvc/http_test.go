package orderssvc_test

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

	"souk/internal/orders"
	"souk/internal/orders/orderssvc"
	"souk/internal/orders/orderstest"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// site is orders behind HTTP. Its callers are known by tokens.
type site struct {
	*house
	url     string
	callers map[string]actor.Actor
	keys    int
}

func newSite(t *testing.T) *site {
	t.Helper()
	n := 0
	h := newHouse(t, func(c *orderssvc.Config) {
		c.NewNumber = func() string { n++; return fmt.Sprintf("K7F3-%04d", n) }
	}, storetest.Once())
	s := &site{house: h, callers: map[string]actor.Actor{"operator": orderstest.Operator(), "other": orderstest.Person()}}
	server := httpx.New(httpx.Config{Log: zerolog.Nop(), Now: h.Clock.Now, Resolver: func(_ context.Context, r *http.Request) (actor.Actor, error) {
		_, token := httpx.Credential(r)
		if by, ok := s.callers[token]; ok {
			return by, nil
		}
		if cart := httpx.CartToken(r); cart != "" {
			return httpx.GuestOf(cart), nil
		}
		return actor.Nobody(), nil
	}})
	h.svc.Module().Routes(server.API(door.New("orders", 0, zerolog.Nop())))
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	s.url = ts.URL + "/api/v1/orders/"
	return s
}

type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// ask sends a request as a caller; headers are pairs.
func (s *site) ask(who, method, path string, body any, headers ...string) answer {
	s.t.Helper()
	var send io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(s.t, err)
		send = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, send)
	require.NoError(s.t, err)
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		s.keys++
		r.Header.Set("Idempotency-Key", fmt.Sprintf("client-key-%d", s.keys))
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(s.t, err)
	a := answer{status: got.StatusCode, header: got.Header, text: string(text)}
	if len(text) > 0 {
		require.NoError(s.t, json.Unmarshal(text, &a.body), string(text))
	}
	return a
}

var (
	someID    = regexp.MustCompile(`\b[a-z]{3,4}_[0-9a-z]{26}\b`)
	requestID = regexp.MustCompile(`"request_id":"[^"]*"`)
	someLink  = regexp.MustCompile(`"link":"[0-9A-V]{32}"`)
)

// golden compares an answer with the file kept of it; ids are numbered as they appear.
func (s *site) golden(name string, a answer) {
	s.t.Helper()
	names := map[string]string{}
	text := someID.ReplaceAllStringFunc(a.text, func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("%s_%d", strings.SplitN(id, "_", 2)[0], len(names)+1)
		}
		return names[id]
	})
	text = requestID.ReplaceAllString(text, `"request_id":"REQUEST"`)
	text = someLink.ReplaceAllString(text, `"link":"LINK"`)
	var pretty bytes.Buffer
	require.NoError(s.t, json.Indent(&pretty, []byte(text), "", "  "))
	got := fmt.Sprintf("%d\n%s\n", a.status, strings.TrimSpace(pretty.String()))
	file := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(s.t, os.MkdirAll("testdata", 0o755))
		require.NoError(s.t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(s.t, err)
	assert.Equal(s.t, string(want), got)
}

// checkoutBody is a purchase as a client sends it.
func checkoutBody(p purchase) map[string]any {
	return map[string]any{
		"cart": p.quote.Cart, "cart_version": p.quote.CartVersion, "quote_hash": p.quote.Hash, "method": p.request.Method, "wait_millis": 0,
		"contact":  map[string]any{"email": "ada@example.com", "name": "Ada Byron"},
		"delivery": map[string]any{"name": "Ada Byron", "line1": "Lindenstr. 7", "postal_code": "10969", "city": "Berlin", "country": "DE", "phone": "+49 30 1"},
	}
}

// bought is an order of someone who signed in as "buyer"; "staff" sells its first part.
func (s *site) bought() (purchase, orders.Order) {
	s.t.Helper()
	p := s.purchase(paymentstest.OK)
	s.callers["buyer"], s.callers["staff"] = p.request.By, orderstest.Staff(p.offers[0].Seller)
	got := s.ask("buyer", http.MethodPost, "checkouts", checkoutBody(p))
	require.Equal(s.t, http.StatusAccepted, got.status, got.text)
	require.NoError(s.t, s.runDue(s.t.Context()))
	return p, s.order(orders.OrderID(got.body["order"].(string)))
}

func TestWhatClientsSee(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.purchase(paymentstest.OK)
	s.callers["buyer"], s.callers["staff"] = p.request.By, orderstest.Staff(p.offers[0].Seller)

	s.golden("checkout_bad", s.ask("buyer", http.MethodPost, "checkouts", map[string]any{
		"cart": "x", "cart_version": 1, "quote_hash": "x", "method": "x",
		"contact": map[string]any{"email": "nobody", "name": ""}, "delivery": map[string]any{"name": "", "line1": "", "city": "", "country": "DE"},
	}))
	began := s.ask("buyer", http.MethodPost, "checkouts", checkoutBody(p))
	s.golden("checkout", began)
	assert.Equal(t, "/api/v1/orders/checkouts/"+began.body["order"].(string), began.header.Get("Location"))
	s.golden("checkout_open", s.ask("buyer", http.MethodPost, "checkouts", checkoutBody(p)))
	require.NoError(t, s.runDue(t.Context()))
	again := s.ask("buyer", http.MethodPost, "checkouts", checkoutBody(p), "Idempotency-Key", "client-key-2")
	assert.Equal(t, http.StatusCreated, again.status)
	s.golden("checkout_placed", s.ask("buyer", http.MethodGet, "checkouts/"+began.body["order"].(string), nil))

	order := "orders/" + began.body["order"].(string)
	got := s.ask("buyer", http.MethodGet, order, nil)
	s.golden("order", got)
	assert.Equal(t, http.StatusNotModified, s.ask("buyer", http.MethodGet, order, nil, "If-None-Match", got.header.Get("ETag")).status)
	assert.Equal(t, got.text, s.ask("buyer", http.MethodGet, "orders/k7f3-0001", nil).text)
	s.golden("orders", s.ask("buyer", http.MethodGet, "orders?text=k7f3", nil))
	s.golden("orders_bad", s.ask("buyer", http.MethodGet, "orders?status=gone", nil))
	for query, want := range map[string]int{"from=2001-01-01T00:00:00Z&until=2100-01-01T00:00:00%2B02:00": 1, "from=2100-01-01T00:00:00Z": 0, "until=2001-01-01T00:00:00Z": 0} {
		for who, path := range map[string]string{"buyer": "orders?", "operator": "admin/orders?"} {
			found := s.ask(who, http.MethodGet, path+query, nil)
			require.Equal(t, http.StatusOK, found.status, found.text)
			assert.Len(t, found.body["orders"], want, "%s%s", path, query)
		}
	}
	s.golden("admin_orders", s.ask("operator", http.MethodGet, "admin/orders?limit=1", nil))

	part := "seller-orders/" + string(s.order(orders.OrderID(began.body["order"].(string))).SellerOrders[0].ID)
	line := s.order(orders.OrderID(began.body["order"].(string))).SellerOrders[0].Lines[0].ID
	s.golden("seller_order", s.ask("staff", http.MethodGet, part, nil))
	shipped := s.ask("staff", http.MethodPost, part+"/parcels", map[string]any{
		"items": []any{map[string]any{"line": line, "quantity": 1}}, "carrier": "Parcel Post", "tracking": "JD01", "tracking_url": "https://track.example/JD01",
	})
	s.golden("parcel", shipped)
	parcel := shipped.body["parcels"].([]any)[0].(map[string]any)["id"].(string)
	assert.Equal(t, http.StatusOK, s.ask("staff", http.MethodPost, part+"/parcels/"+parcel+"/delivery", nil).status)
	s.golden("cancellation", s.ask("buyer", http.MethodPost, part+"/cancellations", map[string]any{"why": "ordered twice"}))
	s.golden("cancellation_too_much", s.ask("buyer", http.MethodPost, part+"/cancellations", map[string]any{}))
	seller := "sellers/" + string(p.offers[0].Seller)
	later := s.ask("staff", http.MethodGet, seller+"/orders?from=2100-01-01T00:00:00Z", nil)
	assert.Equal(t, http.StatusOK, later.status)
	assert.Empty(t, later.body["seller_orders"])
	s.golden("seller_orders", s.ask("staff", http.MethodGet, seller+"/orders", nil))
	s.golden("seller_counts", s.ask("staff", http.MethodGet, seller+"/counts", nil))
}

func TestAGuestOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.purchase(paymentstest.OK)
	token := httpx.NewCartToken()
	q := s.Carts.Put(httpx.GuestOf(token).Owner(), orderstest.Item{Offer: p.offers[0], Quantity: 1})
	p.quote = q
	assert.Equal(t, http.StatusUnauthorized, s.ask("", http.MethodPost, "checkouts", checkoutBody(p)).status)
	got := s.ask("", http.MethodPost, "checkouts", checkoutBody(p), httpx.CartHeader, token)
	require.Equal(t, http.StatusAccepted, got.status, got.text)
	require.NoError(t, s.runDue(t.Context()))
	order, link := got.body["order"].(string), got.body["link"].(string)
	require.NotEmpty(t, link)
	for _, path := range []string{"orders/" + order, "checkouts/" + order, "orders/K7F3-0001"} {
		assert.Equal(t, http.StatusOK, s.ask("", http.MethodGet, path+"?link="+link, nil).status)
		assert.Equal(t, http.StatusOK, s.ask("", http.MethodGet, path, nil, "Souk-Order-Link", link).status)
		assert.Equal(t, http.StatusNotFound, s.ask("", http.MethodGet, path, nil).status)
		assert.Equal(t, http.StatusNotFound, s.ask("", http.MethodGet, path, nil, httpx.CartHeader, token).status)
		assert.Equal(t, http.StatusNotFound, s.ask("", http.MethodGet, path+"?link="+strings.Repeat("0", 32), nil).status)
	}
	part := s.order(orders.OrderID(order)).SellerOrders[0].ID
	path := "seller-orders/" + string(part) + "/cancellations"
	assert.Equal(t, http.StatusNotFound, s.ask("", http.MethodPost, path, map[string]any{}).status)
	assert.Equal(t, http.StatusCreated, s.ask("", http.MethodPost, path, map[string]any{}, "Souk-Order-Link", link).status)
}

// TestWhoGetsWhat is the table of callers: what is not theirs is not found.
func TestWhoGetsWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, o := s.bought()
	s.callers["other staff"] = orderstest.Staff(p.offers[1].Seller)
	readOnly := p.request.By
	readOnly.Scopes = []actor.Scope{actor.ScopeRead}
	s.callers["reader"] = readOnly
	so := o.SellerOrders[0]
	part, seller := "seller-orders/"+string(so.ID), "sellers/"+string(so.Seller)
	refused := map[string]any{"items": []any{map[string]any{"line": so.Lines[0].ID, "quantity": 99}}} // changes nothing, whoever asks
	for _, tt := range []struct {
		method, path string
		body         any
		want         map[string]int
	}{
		{"GET", "orders/" + string(o.ID), nil, map[string]int{"buyer": 200, "reader": 200, "operator": 200, "other": 404, "staff": 404, "": 404}},
		{"GET", "checkouts/" + string(o.ID), nil, map[string]int{"buyer": 200, "operator": 200, "other": 404, "staff": 404, "": 404}},
		{"GET", "orders", nil, map[string]int{"buyer": 200, "other": 200, "": 401}},
		{"GET", "admin/orders", nil, map[string]int{"operator": 200, "buyer": 403, "staff": 403, "": 401}},
		{"GET", part, nil, map[string]int{"staff": 200, "operator": 200, "other staff": 404, "buyer": 404, "other": 404, "": 401}},
		{"GET", seller + "/orders", nil, map[string]int{"staff": 200, "operator": 200, "other staff": 404, "buyer": 404, "": 401}},
		{"GET", seller + "/counts", nil, map[string]int{"staff": 200, "operator": 200, "other staff": 404, "buyer": 404, "": 401}},
		{"POST", part + "/parcels", refused, map[string]int{"staff": 409, "operator": 403, "other staff": 404, "buyer": 404, "": 401}},
		{"POST", part + "/parcels/" + string(orders.ParcelIDs.New()) + "/delivery", nil, map[string]int{"staff": 404, "operator": 404, "buyer": 404, "": 401}},
		{"POST", part + "/cancellations", refused, map[string]int{"staff": 409, "operator": 409, "buyer": 409, "reader": 404, "other staff": 404, "other": 404, "": 404}},
	} {
		for who, want := range tt.want {
			got := s.ask(who, tt.method, tt.path, tt.body)
			assert.Equal(t, want, got.status, "%s %s as %q: %s", tt.method, tt.path, who, got.text)
			if want == http.StatusNotFound {
				assert.NotContains(t, got.text, "Lamp")
			}
		}
	}
}

func TestPersonalDataGoesOnlyWhereItBelongs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, o := s.bought()
	const email = "ada@example.com"
	part := s.ask("staff", http.MethodGet, "seller-orders/"+string(o.SellerOrders[0].ID), nil)
	assert.Contains(t, part.text, "Lindenstr. 7", "the label needs an address")
	assert.NotContains(t, part.text, email)
	assert.NotContains(t, part.text, o.Buyer)
	assert.Contains(t, s.ask("buyer", http.MethodGet, "orders/"+string(o.ID), nil).text, email)
	for path, who := range map[string]string{"orders": "buyer", "admin/orders": "operator", "sellers/" + string(o.SellerOrders[0].Seller) + "/orders": "staff"} {
		assert.NotContains(t, s.ask(who, http.MethodGet, path, nil).text, "Ada")
	}
}
