package storefront_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/search"
)

// typedCheckout is what a guest types.
var typedCheckout = map[string]string{
	"email": "ada@example.com", "name": "Ada Byron", "line1": "Lindenstr. 7", "postal_code": "10969", "city": "Berlin", "country": "DE",
}

// toCheckout puts the lamp into a guest's cart, through the pages, and goes to the checkout.
func toCheckout(w *world) shown {
	b := w.browser()
	p := b.get("/search?q=lamp")
	p = b.get(p.link("Brass desk lamp"))
	p = p.submit("/cart/lines", map[string]string{"quantity": "2"})
	require.Contains(w.t, p.text(), "Added to the cart.")
	require.NotEmpty(w.t, b.has(httpx.CartCookie))
	p = b.get(p.link("Go to the cart"))
	require.Contains(w.t, p.text(), "€178.00")
	return b.get(p.link("Check out"))
}

func TestAGuestBuysWithoutAScript(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	p := toCheckout(w)
	assert.Contains(t, p.text(), "Continue")
	p = p.submit("/checkout", typedCheckout)
	require.Equal(t, 200, p.status, "the first time only shows the quote: %s", p.text())
	assert.Contains(t, p.text(), "Pay €182.90", "shipping is known now")
	assert.Len(t, w.orders.Events(), 1, "nothing but what was there before")
	assert.Contains(t, p.body, `value="Lindenstr. 7"`, "what was typed stands there")

	p = p.submit("/checkout", nil)
	require.Contains(t, p.text(), "Your order is placed")
	assert.Contains(t, p.path, "/checkout/ord_")
	p.sound()
	keep, err := url.Parse(p.link("http"))
	require.NoError(t, err)
	assert.Equal(t, w.url, keep.Scheme+"://"+keep.Host, "an address to keep")

	elsewhere := w.browser()
	assert.Contains(t, elsewhere.get(keep.Path).path, "/sign-in", "without the link it is nobody's")
	p = elsewhere.get(keep.RequestURI())
	require.Contains(t, p.text(), "Being packed")
	p.sound()
	assert.Contains(t, p.b.get(p.link("Print a summary")).text(), "1 Market Place")
	part := strings.Split(keep.Path, "/")[2]
	p = p.submit(findForm(p, "/parts/"), nil)
	assert.Contains(t, p.text(), "Cancelled. What was paid for it goes back.")
	assert.Contains(t, p.path, part)
	assert.Contains(t, p.body, "Cancelled")
}

// findForm is the action of the first form whose action has that in it.
func findForm(p shown, has string) string {
	for n := range p.doc.Descendants() {
		if at := attributes(n); n.Data == "form" && strings.Contains(at["action"], has) {
			return at["action"]
		}
	}
	return ""
}

func TestACheckoutSaysWhatStandsInItsWay(t *testing.T) {
	t.Parallel()
	t.Run("every wrong field at once, and keeps what was typed", func(t *testing.T) {
		t.Parallel()
		p := toCheckout(newShop(t)).press("/checkout", "/checkout/quote", typedCheckout)
		p = p.submit("/checkout", map[string]string{"email": "nonsense", "line1": "", "city": ""})
		assert.Equal(t, 400, p.status)
		assert.Contains(t, p.text(), "The e-mail address is not an e-mail address.")
		assert.Contains(t, p.text(), "Street and number is needed.")
		assert.Contains(t, p.body, `value="nonsense"`)
		assert.Contains(t, p.body, `value="10969"`)
		p.sound()
		p = p.submit("/checkout", typedCheckout)
		assert.Contains(t, p.text(), "Your order is placed")
	})
	t.Run("every empty field at once, before there is a quote", func(t *testing.T) {
		t.Parallel()
		w := newShop(t)
		p := toCheckout(w).submit("/checkout", map[string]string{"email": "nonsense", "city": "Berlin", "invoice_other": "yes", "invoice_name": "Ada Ltd"})
		assert.Equal(t, 400, p.status)
		for _, said := range []string{
			"The e-mail address is not an e-mail address.", "The name is needed.", "Street and number is needed.",
			"The country is needed to say what shipping costs.",
		} {
			assert.Contains(t, p.text(), said)
		}
		for _, field := range []string{"f-email", "f-name", "f-line1", "f-country", "f-invoice_line1", "f-invoice_city", "f-invoice_country"} {
			assert.Contains(t, p.body, `id="`+field+`-error"`)
			assert.Contains(t, p.body, `href="#`+field+`"`, "summed up on top")
			assert.Regexp(t, `id="`+field+`" name="[^>]*aria-invalid="true" aria-describedby="[^"]*`+field+`-error`, p.body)
		}
		assert.NotContains(t, p.body, `id="f-city-error"`)
		assert.Contains(t, p.body, `value="nonsense"`)
		assert.Contains(t, p.body, `value="Berlin"`)
		assert.Contains(t, p.body, `value="Ada Ltd"`)
		p.sound()
		p = p.submit("/checkout", map[string]string{"country": "DE", "invoice_other": ""})
		assert.Equal(t, 400, p.status, "the quote is known now, and the rest still wrong")
		assert.Contains(t, p.text(), "Pay €182.90")
		assert.Contains(t, p.body, `id="f-line1-error"`)
		assert.NotContains(t, p.body, `id="f-country-error"`)
		assert.Len(t, w.orders.Events(), 1, "nothing but what was there before")
		p = p.submit("/checkout", typedCheckout)
		assert.Contains(t, p.text(), "Your order is placed")
	})
	t.Run("a region that is too long is not taken for a missing country", func(t *testing.T) {
		t.Parallel()
		p := toCheckout(newShop(t)).submit("/checkout", map[string]string{"email": "ada@example.com", "name": "Ada Byron", "line1": "Lindenstr. 7", "city": "Potsdam", "country": "DE", "region": "Brandenburg"})
		assert.Equal(t, 400, p.status)
		assert.Contains(t, p.text(), "The region must have at most 10 characters.")
		assert.NotContains(t, p.body, `id="f-country-error"`)
	})
	t.Run("a price that changed while the buyer looked", func(t *testing.T) {
		t.Parallel()
		w := newShop(t)
		p := toCheckout(w).press("/checkout", "/checkout/quote", typedCheckout)
		w.reprice(w.lamp, 9900)
		p = p.submit("/checkout", nil)
		assert.Equal(t, 409, p.status)
		assert.Contains(t, p.text(), "The total changed from €182.90 to €202.90.")
		assert.Contains(t, p.submit("/checkout", nil).text(), "Your order is placed")
	})
	t.Run("a declined payment", func(t *testing.T) {
		t.Parallel()
		w := newShop(t)
		w.orders.Then(orderstest.Outcome{Reason: orders.ReasonDeclined, Message: "your bank said no"})
		p := toCheckout(w).press("/checkout", "/checkout/quote", typedCheckout).submit("/checkout", nil)
		assert.Equal(t, 409, p.status)
		assert.Contains(t, p.text(), "Your bank said no. Nothing was charged")
		assert.Contains(t, p.body, `value="Berlin"`)
		w.orders.Then(orderstest.Outcome{})
		assert.Contains(t, p.submit("/checkout", nil).text(), "Your order is placed")
	})
	t.Run("something that sold out", func(t *testing.T) {
		t.Parallel()
		w := newShop(t)
		w.orders.Then(orderstest.Outcome{Reason: orders.ReasonOutOfStock})
		p := toCheckout(w).press("/checkout", "/checkout/quote", typedCheckout).submit("/checkout", nil)
		assert.Contains(t, p.text(), "Somebody was faster")
		assert.Contains(t, p.text(), "Look at the cart")
		p.sound()
	})
}

// reprice changes what a listing costs.
func (w *world) reprice(l catalog.Listing, price int64) {
	w.t.Helper()
	draft := catalog.Draft{Title: l.Title, Category: l.Category, Variants: []catalog.VariantDraft{{ID: l.Variants[0].ID, SKU: l.Variants[0].SKU, Price: eur(price)}}}
	_, err := w.catalog.EditListing(w.t.Context(), catalog.EditListingRequest{By: actor.System(""), Key: id.New("key_"), Listing: l.ID, Version: l.Version, Draft: draft})
	require.NoError(w.t, err)
}

func TestPicturesAreAskedForOverTLS(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	draft := catalog.Draft{
		Title: w.lamp.Title, Category: w.lamp.Category, Images: []catalog.Image{{URL: "http://pictures.example/a.jpg"}, {URL: "/pictures/b.svg"}},
		Variants: []catalog.VariantDraft{{ID: w.lamp.Variants[0].ID, SKU: w.lamp.Variants[0].SKU, Price: eur(8900)}},
	}
	_, err := w.catalog.EditListing(t.Context(), catalog.EditListingRequest{By: actor.System(""), Key: id.New("key_"), Listing: w.lamp.ID, Version: w.lamp.Version, Draft: draft})
	require.NoError(t, err)
	p := w.browser().get("/l/" + string(w.lamp.ID))
	assert.Contains(t, p.body, `src="https://pictures.example/a.jpg"`, "the content policy lets no other come")
	assert.NotContains(t, p.body, "http://pictures.example")
	assert.Contains(t, p.body, `src="/pictures/b.svg"`)
}

func TestABuyerApprovesAtTheProviderAndComesBack(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.orders.Then(orderstest.Outcome{ActionURL: "/pay/approve/1"})
	p := toCheckout(w).press("/checkout", "/checkout/quote", typedCheckout)
	p.b.staying()
	p = p.submit("/checkout", nil)
	assert.Equal(t, 303, p.status)
	assert.Equal(t, "/pay/approve/1", p.header.Get("Location"), "to the provider at once")

	p.b.client.CheckRedirect = nil
	var which orders.OrderID
	for _, c := range p.b.cookies() {
		if rest, ok := strings.CutPrefix(c.Name, "souk_order_"); ok {
			which = orders.OrderID("ord_" + rest)
		}
	}
	require.NotEmpty(t, which, "the browser keeps the link of the guest's order")
	p = p.b.get("/checkout/" + string(which))
	assert.Contains(t, p.text(), "Approve €182.90")
	assert.Contains(t, p.text(), "If you have just done that, its answer is on the way", "for it may come after the buyer")
	assert.Contains(t, p.body, `http-equiv="refresh"`, "and it is seen without scripts too")
	p.sound()
	assert.NotContains(t, p.b.get("/checkout/"+string(which), "HX-Request", "true", "HX-Target", "waiting").body, "<html", "it looks again by a part")
	inCart := p.b.get("/cart")
	assert.Contains(t, inCart.text(), "A checkout of this cart is under way")
	assert.Equal(t, "/checkout/"+string(which), inCart.link("Go on with it"))

	assert.Contains(t, inCart.text(), "2 in the cart")
	require.NoError(t, w.orders.Finish(t.Context(), which, orderstest.Outcome{}))
	p = p.b.get("/checkout/" + string(which))
	assert.Contains(t, p.text(), "Your order is placed")
	assert.NotContains(t, p.text(), "in the cart", "though it is not closed yet")
}

func (b *browser) cookies() []*http.Cookie {
	u, err := url.Parse(b.w.url)
	require.NoError(b.w.t, err)
	return b.client.Jar.Cookies(u)
}

func TestAPersonChoosesASavedAddress(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.fillCart(string(w.buyer.ID), 1, w.lamp.Variants[0].ID)
	b := w.as("buyer")
	p := b.get("/checkout")
	assert.Contains(t, p.text(), "Pay €93.90", "quoted for the first of the address book")
	p = p.submit("/checkout", nil)
	assert.Contains(t, p.text(), "Your order is placed")
	assert.NotContains(t, p.text(), "Keep this link")
	assert.Contains(t, b.get("/orders").text(), "FAKE-0002")
}

func TestSigningInTakesTheCartAlongAndGoesBack(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.fillCart(string(w.buyer.ID), 2, w.shirt.Variants[1].ID)
	p := toCheckout(w)
	b := p.b
	p = b.get(p.link("Sign in"))
	p = p.submit("/sign-in", map[string]string{"email": "buyer@example.com", "password": "wrong one"})
	assert.Equal(t, 401, p.status)
	assert.Contains(t, p.text(), "The e-mail address or the password is not right.")
	p = p.submit("/sign-in", map[string]string{"password": password})
	assert.Equal(t, "/checkout", p.path)
	assert.Contains(t, p.text(), "4 items", "what both carts had")
	assert.Empty(t, b.has(httpx.CartCookie), "the guest's cart is the person's now")
	assert.NotEmpty(t, b.has(httpx.SessionCookie))

	p = b.get("/").submit("/sign-out", nil)
	assert.Contains(t, p.text(), "You are signed out.")
	assert.Empty(t, b.has(httpx.SessionCookie))
	assert.NotContains(t, b.get("/").text(), "You are signed out.", "a notice shows once")
	assert.Equal(t, "/", b.get("/sign-in?back=//evil.example").submit("/sign-in", map[string]string{"email": "buyer@example.com", "password": password}).path)
}

func TestSigningUpKeepsTheCart(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := toCheckout(w).b
	p := b.get("/sign-up?back=/cart").submit("/sign-up", map[string]string{"name": "New Here", "email": "new@example.com", "password": "short"})
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "The password should have at least 10 characters.")
	p = p.submit("/sign-up", map[string]string{"password": password})
	assert.Equal(t, "/cart", p.path)
	assert.Contains(t, p.text(), "Brass desk lamp")
}

func TestASessionGetsANewSecretWhenItIsOld(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("buyer")
	before := b.has(httpx.SessionCookie)
	b.get("/orders")
	assert.Equal(t, before, b.has(httpx.SessionCookie))
	w.clock.Advance(25 * hour)
	assert.Equal(t, 200, b.get("/orders").status)
	assert.NotEqual(t, before, b.has(httpx.SessionCookie))
	assert.Contains(t, b.get("/orders").text(), "FAKE-0001", "and it serves")
}

func TestTheCartSaysWhatChangedAndCanBeChanged(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := toCheckout(w).b
	line := "/cart/lines/" + string(w.lamp.Variants[0].ID)
	w.reprice(w.lamp, 9900)
	p := b.get("/cart")
	assert.Contains(t, p.text(), "The price rose from €89.00 to €99.00 since you added it.")
	p = p.submit("/cart/accept", nil)
	assert.NotContains(t, p.text(), "The price rose")
	p = p.submit(line, map[string]string{"quantity": "9"})
	assert.Equal(t, 409, p.status)
	assert.Contains(t, p.text(), "There are 5.")
	p = p.submit(line, map[string]string{"quantity": "3"})
	assert.Contains(t, p.text(), "€297.00")
	p = p.submit(line+"/remove", nil)
	assert.Contains(t, p.text(), "Your cart is empty")
	p = p.submit(line, nil)
	assert.Contains(t, p.text(), "€297.00", "put back as it was")
	p = p.submit("/cart/coupon", map[string]string{"code": "NOPE"})
	assert.Contains(t, p.text(), "There is no such code.")
	assert.NotContains(t, p.text(), "The code There")
	assert.Equal(t, 409, p.status)
	assert.Contains(t, p.body, `value="NOPE"`)
	p.sound()
}

func TestACouponIsPutOnAndTakenOff(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	_, err := w.cart.PutCoupon(t.Context(), cart.PutCouponRequest{By: w.accounts.Actor(w.person["operator"].ID), Key: id.New("key_"), Coupon: cart.Coupon{
		Code: "TEN", Label: "Ten off", Funder: cart.FunderPlatform, Percent: 1000,
	}})
	require.NoError(t, err)
	p := toCheckout(w).b.get("/cart").submit("/cart/coupon", map[string]string{"code": "wrong"})
	p = p.submit("/cart/coupon", map[string]string{"code": "ten"})
	assert.Contains(t, p.text(), "The coupon is on the cart.", "after a refusal the form has a new key")
	assert.Contains(t, p.text(), "−€17.80")
	p = p.submit("/cart/coupon/TEN/remove", nil)
	assert.NotContains(t, p.text(), "−€17.80")
}

func TestHtmxGetsPartsOfTheCartAndTheListing(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := toCheckout(w).b
	variant := string(w.lamp.Variants[0].ID)
	p := b.post("/cart/lines", with("variant", variant, "quantity", "1", "key", "k1"), "HX-Request", "true", "HX-Target", "offer")
	assert.NotContains(t, p.body, "<html")
	assert.Contains(t, p.body, `id="offer"`)
	assert.Contains(t, p.body, "Added to the cart.")
	p = b.post("/cart/lines/"+variant, with("quantity", "1", "key", "k2"), "HX-Request", "true", "HX-Target", "cart")
	assert.NotContains(t, p.body, "<html")
	assert.Contains(t, p.body, "€89.00")
	p = b.post("/checkout/quote", with("country", "FR"), "HX-Request", "true", "HX-Target", "quote")
	assert.NotContains(t, p.body, "<html")
	assert.Contains(t, p.body, "€93.90")
}

func TestAVariantIsChosenByItsOptions(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.browser()
	p := b.get("/l/" + string(w.shirt.ID))
	assert.Contains(t, p.text(), "Size: M")
	p = b.get(p.link("blue"))
	assert.Contains(t, p.text(), "LS-M-blue")
	p = b.get(p.link("L"))
	assert.Contains(t, p.text(), "LS-L-blue", "the colour stays")
	assert.Contains(t, p.text(), "More from Casa Lume")
	p.sound()
}

func TestResultsNarrowAndWiden(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.browser()
	p := b.get("/search")
	assert.Contains(t, p.text(), "3 listings")
	p = b.get(p.link("In stock"))
	assert.Contains(t, p.text(), "2 listings")
	p = p.submit(p.path, map[string]string{"min": "80", "max": "90,00"})
	assert.Contains(t, p.text(), "1 listing")
	assert.Contains(t, p.text(), "Price: €80.00 to €90.00")
	p = b.get(p.link("Clear all"))
	assert.Contains(t, p.text(), "3 listings")
	p = b.get("/search?attr=size:m&attr=size:l&attr=nonsense")
	assert.Contains(t, p.text(), "Size: m", "a chip for each")
	assert.Contains(t, p.text(), "Nothing fits all of that")
	p = b.get("/search?attr=Size:M&stock=1")
	assert.Contains(t, p.text(), "1 listing")
	p = b.get("/search?attr=Size:M&attr=Size:L&stock=1")
	assert.Contains(t, p.text(), "1 listing", "several values of one attribute are alternatives")
	assert.Contains(t, p.text(), "Size: L")
	assert.Contains(t, b.get("/search?q=nothinglikethis").text(), "Nothing found")
	assert.Contains(t, b.get("/c/home").text(), "Lighting")
	assert.Equal(t, 404, b.get("/c/nowhere").status)
	assert.Equal(t, "/search", b.get("/search?cursor=nonsense").path, "it begins at the beginning")
	assert.Contains(t, b.get("/search/suggest?q=bra").body, "data-url")
}

func TestResultsArePagedByKey(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	for i := range 30 {
		w.list(w.bowls.ID, catalog.Category{}, "Plate "+strconv.Itoa(i), 100, 1)
	}
	b := w.browser()
	p := b.get("/search?q=plate")
	assert.Contains(t, p.text(), "30 listings")
	assert.NotContains(t, p.text(), "Back to the beginning")
	p = b.get(p.link("Next page"))
	assert.Contains(t, p.text(), "Back to the beginning")
	assert.NotContains(t, p.text(), "Next page")
}

// silent is modules that do not answer.
type silentSearch struct{ search.Service }

var errSilent = errs.Refusal(errs.Unavailable, "search.busy")

func (silentSearch) Query(context.Context, search.QueryRequest) (search.QueryReply, error) {
	return search.QueryReply{}, errSilent
}

func (silentSearch) Suggest(context.Context, search.SuggestRequest) (search.SuggestReply, error) {
	return search.SuggestReply{}, errSilent
}

type silentPayments struct{ payments.Service }

func (silentPayments) Methods(context.Context, payments.MethodsRequest) (payments.MethodsReply, error) {
	return payments.MethodsReply{}, errSilent
}

func TestWithoutSearchTheRestOfTheShopIsOpen(t *testing.T) {
	t.Parallel()
	w := newShop(t, broken{search: silentSearch{}})
	b := w.browser()
	p := b.get("/")
	assert.Equal(t, 200, p.status)
	assert.Contains(t, p.text(), "Clothing", "the departments")
	assert.Contains(t, p.text(), "Brass desk lamp", "read from catalog itself")
	p.sound()
	p = b.get("/c/home")
	assert.Equal(t, 503, p.status)
	assert.Contains(t, p.text(), "The search is not answering just now")
	assert.Equal(t, 200, b.get("/l/"+string(w.lamp.ID)).status)
	assert.Equal(t, 200, b.get("/search/suggest?q=la").status)
}

func TestWithoutPaymentsTheCartWorks(t *testing.T) {
	t.Parallel()
	w := newShop(t, broken{payments: silentPayments{Service: paymentstest.NewFake(nil)}})
	p := toCheckout(w).press("/checkout", "/checkout/quote", typedCheckout)
	assert.Contains(t, p.text(), "Payments are not answering just now.")
	assert.Contains(t, p.text(), "€182.90", "the quote stands there all the same")
	assert.NotContains(t, p.text(), "Pay €182.90")
}

func TestFailuresAreKindPages(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	p := w.as("buyer").get("/operator")
	assert.Equal(t, 403, p.status)
	assert.Contains(t, p.text(), "Only an operator may do this.")
	p.sound()
	p = w.browser().get("/nowhere")
	assert.Equal(t, 404, p.status)
	assert.Contains(t, p.text(), "Nothing here")
	p = w.browser().get("/orders", "Authorization", "Bearer souk_pat_x")
	assert.Equal(t, 403, p.status, "pages are for browsers")
}
