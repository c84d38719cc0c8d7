package storefront_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
)

// callers are who asks: nobody; a guest with a cart; the buyer of the order; another person; the
// seller of the lamp; another seller; an operator.
var callers = []string{"nobody", "guest", "buyer", "stranger", "seller", "rival", "operator"}

// ask is one request of the table, with the status that each caller gets. {order}, {part} and
// the like stand for the things of the world.
type ask struct {
	route string // method and pattern
	path  string // default: the pattern
	form  string // key=value&…
	want  string // statuses, in the order of callers
}

var asks = []ask{
	{route: "GET /", want: "200 200 200 200 200 200 200"},
	{route: "GET /search", path: "/search?q=lamp&brand=x&min=1&max=2,50&stock=1&seller=none&sort=price_up", want: "200 200 200 200 200 200 200"},
	{route: "GET /search/suggest", path: "/search/suggest?q=bra", want: "200 200 200 200 200 200 200"},
	{route: "GET /c/*", path: "/c/home/lighting", want: "200 200 200 200 200 200 200"},
	{route: "GET /s/{shop}", path: "/s/north-lamp-works", want: "200 200 200 200 200 200 200"},
	{route: "GET /l/{listing}", want: "200 200 200 200 200 200 200"},
	{route: "GET /cart", want: "200 200 200 200 200 200 200"},
	{route: "POST /cart/lines", form: "variant={variant}&quantity=1", want: "303 303 303 303 303 303 303"},
	{route: "POST /cart/lines/{variant}", form: "quantity=2", want: "404 303 303 303 303 303 303"},
	{route: "POST /cart/lines/{variant}/remove", want: "404 303 303 303 303 303 303"},
	{route: "POST /cart/accept", want: "404 303 303 303 303 303 303"},
	{route: "POST /cart/coupon", form: "code=NONE", want: "404 409 409 409 409 409 409"},
	{route: "POST /cart/coupon/{code}/remove", path: "/cart/coupon/NONE/remove", want: "404 303 303 303 303 303 303"},
	{route: "GET /checkout", want: "303 200 200 303 303 303 303"},
	{route: "POST /checkout", form: "email=ada@example.com", want: "404 400 200 303 303 303 303"},
	{route: "POST /checkout/quote", want: "404 200 200 303 303 303 303"},
	{route: "GET /checkout/{order}", want: "303 303 200 404 404 404 200"},

	{route: "GET /sign-in", want: "200 200 303 303 303 303 303"},
	{route: "POST /sign-in", form: "email=nobody@example.com&password=wrong", want: "401 401 401 401 401 429 429"},
	{route: "GET /sign-up", want: "200 200 303 303 303 303 303"},
	{route: "POST /sign-up", form: "email=buyer@example.com&name=B&password=long+enough+words", want: "409 409 409 409 409 409 409"},
	{route: "POST /sign-out", want: "303 303 303 303 303 303 303"},
	{route: "GET /orders", want: "303 303 200 200 200 200 200"},
	{route: "GET /orders/{order}", want: "303 303 200 404 404 404 200"},
	{route: "GET /orders/{order}/summary", want: "303 303 200 404 404 404 200"},
	{route: "POST /orders/{order}/cancel", want: "303 303 303 404 404 404 303"},
	{route: "POST /orders/{order}/parts/{part}/cancel", want: "303 303 303 404 303 404 303"},
	{route: "GET /account", want: "303 303 200 200 200 200 200"},
	{route: "POST /account", form: "name=Else", want: "303 303 303 303 303 303 303"},
	{route: "POST /account/password", form: "current=no&password=also+long+enough", want: "303 303 401 401 401 401 401"},
	{route: "POST /account/sessions", want: "303 303 303 303 303 303 303"},
	{route: "POST /account/sessions/{session}/end", path: "/account/sessions/{ses}/end", want: "303 303 404 404 404 404 404"},
	{route: "POST /account/tokens", form: "name=x&scope=read", want: "303 303 200 200 200 200 200"},
	{route: "POST /account/tokens/{token}/revoke", path: "/account/tokens/{tok}/revoke", want: "303 303 404 404 404 404 404"},
	{route: "GET /account/addresses", want: "303 303 200 200 200 200 200"},
	{route: "GET /account/addresses/new", want: "303 303 200 200 200 200 200"},
	{route: "POST /account/addresses/new", want: "303 303 400 400 400 400 400"},
	{route: "GET /account/addresses/{address}", want: "303 303 200 404 404 404 404"},
	{route: "POST /account/addresses/{address}", form: "name=A&line1=B&city=C&country=DE", want: "303 303 303 404 404 404 404"},
	{route: "POST /account/addresses/{address}/default", want: "303 303 303 404 404 404 404"},
	{route: "POST /account/addresses/{address}/remove", want: "303 303 200 404 404 404 404"},

	{route: "GET /sell", want: "303 303 303 303 200 200 303"},
	{route: "GET /sell/apply", want: "303 303 200 200 200 200 200"},
	{route: "POST /sell/apply", form: "shop=x", want: "303 303 400 400 400 400 400"},
	{route: "POST /sell/as", form: "seller={seller}", want: "303 303 403 403 303 404 403"},
	{route: "GET /sell/listings", path: "/sell/listings?q=lamp&state=active&sort=price_down", want: "303 303 403 403 200 200 403"},
	{route: "POST /sell/listings", form: "action=archive&id={listing}", want: "303 303 403 403 303 303 403"},
	{route: "GET /sell/listings.csv", want: "303 303 403 403 200 200 403"},
	{route: "GET /sell/listings/new", want: "303 303 403 403 200 200 403"},
	{route: "POST /sell/listings/new", form: "title=&price.0=7.50", want: "303 303 403 403 400 400 403"},
	{route: "GET /sell/listings/{listing}", want: "303 303 403 403 200 404 403"},
	{route: "POST /sell/listings/{listing}", form: "add=variant&price.0=1", want: "303 303 403 403 200 404 403"},
	{route: "POST /sell/listings/{listing}/archive", want: "303 303 403 403 303 404 403"},
	{route: "POST /sell/listings/{listing}/activate", want: "303 303 403 403 303 404 403"},
	{route: "GET /sell/orders", path: "/sell/orders?state=open&sort=placed_up", want: "303 303 403 403 200 200 403"},
	{route: "GET /sell/orders.csv", want: "303 303 403 403 200 200 403"},
	{route: "GET /sell/orders/{part}", want: "303 303 403 403 200 404 403"},
	{route: "POST /sell/orders/{part}/ship", form: "carrier=Post&quantity.{line}=1", want: "303 303 403 403 303 404 403"},
	{route: "POST /sell/orders/{part}/parcels/{parcel}/deliver", path: "/sell/orders/{part}/parcels/{pcl}/deliver", want: "303 303 403 403 404 404 403"},
	{route: "POST /sell/orders/{part}/cancel", want: "303 303 403 403 303 404 403"},
	{route: "GET /sell/coupons", want: "303 303 403 403 200 200 403"},
	{route: "POST /sell/coupons", form: "code=SPRING&percent=10", want: "303 303 403 403 303 409 403"},
	{route: "GET /sell/coupons.csv", want: "303 303 403 403 200 200 403"},
	{route: "GET /sell/coupons/{coupon}", path: "/sell/coupons/{own}", want: "303 303 403 403 200 404 403"},
	{route: "POST /sell/coupons/{coupon}", path: "/sell/coupons/{own}", form: "percent=5&version=1", want: "303 303 403 403 303 404 403"},
	{route: "GET /sell/shipping", want: "303 303 403 403 200 200 403"},
	{route: "POST /sell/shipping", form: "label.0=Post&kind.0=flat&steps.0=4.90", want: "303 303 403 403 303 303 403"},
	{route: "POST /sell/shipping/withdraw", form: "version=9", want: "303 303 403 403 303 303 403"},
	{route: "POST /sell/coupons/{coupon}/end", path: "/sell/coupons/{cpn}/end", want: "303 303 403 403 404 404 403"},
	{route: "POST /sell/coupons/{coupon}/resume", path: "/sell/coupons/{cpn}/resume", want: "303 303 403 403 404 404 403"},

	{route: "GET /operator", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/sellers", path: "/operator/sellers?state=approved", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/sellers/{seller}/approve", form: "why=x", want: "303 303 403 403 403 403 303"},
	{route: "POST /operator/sellers/{seller}/decline", form: "why=x", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/sellers.csv", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/sellers/{seller}/suspend", form: "why=x", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/orders", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/orders.csv", path: "/operator/orders.csv?state=stopped", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/orders/{order}", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/orders/{order}/cancel", want: "303 303 403 403 403 403 303"},
	{route: "POST /operator/orders/{order}/parts/{part}/cancel", want: "303 303 403 403 403 403 303"},
	{route: "POST /operator/orders/{order}/retry-capture", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/search", path: "/operator/search?from=2026-01-01&until=tomorrow&q=lamp&only=empty&sort=text_up", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/search.csv", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/coupons", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/coupons", form: "code=ALL&amount=5,00", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/coupons.csv", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/coupons/{coupon}", path: "/operator/coupons/{own}", want: "303 303 403 403 403 403 404"},
	{route: "POST /operator/coupons/{coupon}", path: "/operator/coupons/{cpn}", form: "percent=5", want: "303 303 403 403 403 403 404"},
	{route: "GET /operator/shipping", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/shipping", form: "label.0=Post&kind.0=flat&steps.0=4.90&currency.0=EUR", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/search/why", path: "/operator/search/why?q=lamp&listing={listing}&brand=x&min=1&max=2,50&stock=1&sort=price_up", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/search/rules", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/search/rules/new", form: "kind=synonyms&words=sofa,couch", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/search/rules/{rule}", path: "/operator/search/rules/rul_1", want: "303 303 403 403 403 403 404"},
	{route: "POST /operator/search/rules/{rule}", path: "/operator/search/rules/rul_1", form: "kind=stop&query=the", want: "303 303 403 403 403 403 404"},
	{route: "POST /operator/search/rules/{rule}/remove", path: "/operator/search/rules/rul_1/remove", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/taxes", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/taxes/{country}", path: "/operator/taxes/new", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/taxes/{country}", path: "/operator/taxes/new", form: "country=DE&rates=standard:+19", want: "303 303 403 403 403 403 303"},
	{route: "POST /operator/coupons/{coupon}/end", path: "/operator/coupons/{cpn}/end", want: "303 303 403 403 403 403 404"},
	{route: "POST /operator/coupons/{coupon}/resume", path: "/operator/coupons/{cpn}/resume", want: "303 303 403 403 403 403 404"},
	{route: "GET /operator/events", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/events/retry", form: "subscriber=search.index&key_parked=lst_1", want: "303 303 403 403 403 403 303"},
	{route: "POST /operator/events/skip", form: "subscriber=search.index&key_parked=lst_1", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/refunds", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/refunds/{refund}/retry", path: "/operator/refunds/rfd_01k5xk3v8dtq6c9m4j0e7r2a1b/retry", want: "303 303 403 403 403 403 404"},
	{route: "POST /operator/refunds/{refund}/close", path: "/operator/refunds/rfd_01k5xk3v8dtq6c9m4j0e7r2a1b/close", form: "how=cash", want: "303 303 403 403 403 403 404"},
	{route: "POST /operator/refunds/late/{payment}/retry", path: "/operator/refunds/late/pay_01k5xk3v8dtq6c9m4j0e7r2a1b/retry", want: "303 303 403 403 403 403 404"},
	{route: "GET /operator/jobs", want: "303 303 403 403 403 403 200"},
	{route: "POST /operator/jobs/retry", form: "module=orders&kind=orders.capture&job=ord_1", want: "303 303 403 403 403 403 303"},
	{route: "POST /operator/jobs/drop", form: "module=orders&kind=orders.capture&job=ord_1", want: "303 303 403 403 403 403 303"},
	{route: "GET /operator/modules", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/audit", path: "/operator/audit?module=catalog&subject=sel_1", want: "303 303 403 403 403 403 200"},
	{route: "GET /operator/audit.csv", want: "303 303 403 403 403 403 200"},
}

// things are the names in the table by what they stand for.
func (w *world) things() *strings.Replacer {
	part := w.order.SellerOrders[0]
	book, err := w.accounts.ListAddresses(w.t.Context(), listAddresses(w.accounts.Actor(w.buyer.ID)))
	require.NoError(w.t, err)
	made, err := w.cart.PutCoupon(w.t.Context(), cart.PutCouponRequest{By: actor.System(""), Key: id.New("key_"), Coupon: cart.Coupon{
		Code: "LAMPS", Label: "5 %", Seller: w.lamps.ID, Funder: cart.FunderSeller, Percent: 500,
	}})
	require.NoError(w.t, err)
	return strings.NewReplacer(
		"{own}", string(made.Coupon.ID),
		"{listing}", string(w.lamp.ID), "{variant}", string(w.lamp.Variants[0].ID), "{order}", string(w.order.ID), "{part}", string(part.ID),
		"{line}", string(part.Lines[0].ID), "{seller}", string(w.lamps.ID), "{address}", string(book.Addresses[0].ID),
		"{ses}", "ses_01jx0000000000000000000000", "{tok}", "tok_01jx0000000000000000000000", "{pcl}", "pcl_01jx0000000000000000000000",
		"{cpn}", "cpn_01jx0000000000000000000000",
	)
}

// caller is a browser of one of the callers. The guest and the buyer have a cart.
func (w *world) caller(name string) *browser {
	switch name {
	case "nobody":
		return w.browser().staying()
	case "guest":
		b := w.browser()
		token := httpx.NewCartToken()
		b.cookie(httpx.CartCookie, token)
		w.fillCart(httpx.GuestOf(token).Owner(), 1, w.lamp.Variants[0].ID)
		return b.staying()
	case "buyer":
		w.fillCart(string(w.buyer.ID), 1, w.lamp.Variants[0].ID)
	}
	return w.as(name).staying()
}

func TestWhoGetsWhatOfEveryPage(t *testing.T) {
	t.Parallel()
	for _, a := range asks {
		t.Run(a.route, func(t *testing.T) {
			t.Parallel()
			var got []string
			w := newShop(t)
			names := w.things()
			method, path, _ := strings.Cut(a.route, " ")
			if a.path != "" {
				path = a.path
			}
			path = names.Replace(path)
			for _, name := range callers {
				b := w.caller(name)
				var p shown
				if method == http.MethodGet {
					p = b.get(path)
				} else {
					form, err := url.ParseQuery(names.Replace(a.form))
					require.NoError(t, err)
					p = b.post(path, form)
				}
				got = append(got, fmt.Sprint(p.status))
				assert.NotEqual(t, 500, p.status, "%s: %s", name, p.text())
				if p.status != http.StatusSeeOther && strings.HasPrefix(p.header.Get("Content-Type"), "text/html") && a.route != "GET /search/suggest" {
					p.sound()
					assert.Contains(t, p.header.Get("Content-Security-Policy"), "img-src 'self' https:")
				}
			}
			assert.Equal(t, a.want, strings.Join(got, " "), "of %v", callers)
		})
	}
}

func TestTheTableOfCallersHasEveryRoute(t *testing.T) {
	t.Parallel()
	r := chi.NewRouter()
	newShop(t).shop.Module().Pages(r)
	var routes []string
	require.NoError(t, chi.Walk(r, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, method+" "+route)
		return nil
	}))
	for _, route := range routes {
		assert.True(t, slices.ContainsFunc(asks, func(a ask) bool { return a.route == route }), "%s is not in the table", route)
	}
	assert.Len(t, asks, len(routes), "the table has what is no route")
}
