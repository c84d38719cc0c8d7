package storefront_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/storefront"
)

// two makes the seller of lamps staff of the other shop, too.
func (w *world) two() {
	w.t.Helper()
	_, err := w.accounts.GrantRole(w.t.Context(), accounts.GrantRoleRequest{
		By: actor.System(""), Key: id.New("key_"), Person: w.person["seller"].ID, Role: accounts.Role{Kind: accounts.RoleStaff, Seller: w.bowls.ID},
	})
	require.NoError(w.t, err)
}

func TestStaffOfTwoShopsChoosesOne(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.two()
	b := w.as("seller")
	p := b.get("/sell/listings")
	assert.Contains(t, p.text(), "Brass desk lamp")
	old := b.get("/sell/listings/new")
	own := b.get("/sell/shipping").submit("/sell/shipping", map[string]string{"kind.0": "flat", "steps.0": "5", "label.0": "Lamps by post"})
	p = p.submit("/sell/as", map[string]string{"seller": string(w.bowls.ID)})
	assert.Contains(t, p.text(), "You act for Casa Lume now.")
	p.sound()
	p = b.get("/sell/listings")
	assert.Contains(t, p.text(), "Linen shirt")
	assert.NotContains(t, p.text(), "Brass desk lamp")
	assert.Equal(t, 404, b.get("/sell/listings/"+string(w.lamp.ID)).status, "one shop at a time")

	p = old.submit("/sell/listings/new", map[string]string{"title": "Pendant", "price.0": "40", "sku.0": "PD", "stock.0": "1"})
	assert.Equal(t, 409, p.status, "a form of the other shop is not taken for this one")
	assert.Contains(t, p.text(), "another of your shops")
	b.get("/sell/shipping").submit("/sell/shipping", map[string]string{"kind.0": "flat", "steps.0": "6", "label.0": "Bowls by post"})
	assert.Equal(t, 409, own.submit("/sell/shipping/withdraw", nil).status, "nor is the other shop's button")
	assert.Contains(t, b.get("/sell/shipping").text(), "Bowls by post")

	b.post("/sign-out", nil)
	assert.Empty(t, b.has(httpx.SellerCookie))
}

func TestWhoIsNoStaffCannotChooseAShop(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	for _, seller := range []string{string(w.bowls.ID), "sel_1", "", string(catalog.SellerIDs.New())} {
		b := w.as("seller")
		assert.Equal(t, 404, b.post("/sell/as", with("seller", seller)).status, seller)
		assert.Empty(t, b.has(httpx.SellerCookie))
	}
	b := w.as("seller")
	b.cookie(httpx.SellerCookie, string(w.bowls.ID)) // made by hand
	p := b.get("/sell/listings")
	assert.Contains(t, p.text(), "Brass desk lamp")
	assert.NotContains(t, p.text(), "Linen shirt")
	assert.Nil(t, p.form("/sell/as"), "with one shop there is nothing to choose")
}

func TestASellerPutsAShippingTable(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("seller")
	p := b.get("/sell/shipping").submit("/sell/shipping", map[string]string{"add": "zone"})
	p.sound()
	rows := strings.Count(p.body, "<fieldset")
	last := "." + string(rune('0'+rows-1))
	fill := map[string]string{"label" + last: "Parcel", "countries" + last: "de, at de", "kind" + last: "by_weight", "steps" + last: "1000: 4,90\nfive kilos: 9", "grams" + last: "500"}
	for n := range rows - 1 {
		fill["drop."+string(rune('0'+n))] = "yes"
	}
	p = p.submit("/sell/shipping", fill)
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "Write one line for each weight in grams and its price")
	p.sound()
	fill["steps"+last] = "1000: 4,90\n5000 g: 9"
	p = p.submit("/sell/shipping", fill)
	assert.Contains(t, p.text(), "The table is saved.")
	assert.Contains(t, p.text(), "Austria and Germany")
	assert.Contains(t, p.text(), "up to 5,000 g: €9.00")
	p.sound()
	endless := b.get("/sell/shipping").submit("/sell/shipping", map[string]string{"steps.0": "1000: 4,90\n1099511627776: 9"})
	assert.Contains(t, endless.text(), "any weight above: €9.00")
	assert.Contains(t, b.get("/sell/shipping").submit("/sell/shipping", map[string]string{"steps.0": "1000: 4,90\n5000 g: 9"}).text(), "up to 5,000 g: €9.00")
	stale := b.get("/sell/shipping")

	table, err := w.cart.GetShipping(t.Context(), cart.GetShippingRequest{Sellers: []catalog.SellerID{w.lamps.ID}})
	require.NoError(t, err)
	require.Len(t, table.Tables[0].Zones, 1)
	assert.Equal(t, []string{"AT", "DE"}, table.Tables[0].Zones[0].Countries)
	assert.Equal(t, int64(500), table.Tables[0].Zones[0].GramsUnknown)

	p = b.get("/sell/shipping").submit("/sell/shipping", map[string]string{"kind.0": "by_price", "steps.0": "0: 4.90\n50: 0", "label.0": "Post"})
	assert.Contains(t, p.text(), "goods from €50.00: free")
	p = stale.submit("/sell/shipping", map[string]string{"label.0": "Older"})
	assert.Equal(t, 409, p.status)
	assert.NotContains(t, b.get("/sell/shipping").text(), "Older")
	p = b.get("/sell/shipping").submit("/sell/shipping/withdraw", nil)
	assert.Contains(t, p.text(), "the marketplace's applies")
	assert.Contains(t, p.text(), "You have no table of your own")
}

func TestAnOperatorPutsTaxesAndShipping(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("operator")
	p := b.get("/operator/taxes/new").submit("/operator/taxes/new", map[string]string{"rates": "standard 19"})
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "Choose the country.")
	assert.Contains(t, p.text(), "“standard 19” cannot be read")
	p.sound()
	p = p.submit("/operator/taxes/new", map[string]string{"country": "FR", "rates": "standard: 20\nreduced: 5,5 %", "included": "yes"})
	assert.Contains(t, p.text(), "The taxes of France are saved.")
	assert.Contains(t, p.text(), "France contained in prices standard 20 % reduced 5.5 %")
	p = b.get("/operator/taxes/FR")
	assert.Contains(t, p.body, "reduced: 5.5")
	old := b.get("/operator/taxes/FR")
	p = p.submit("/operator/taxes/FR", map[string]string{"rates": "standard: 21"})
	assert.Contains(t, p.text(), "standard 21 %")
	assert.Equal(t, 409, old.submit("/operator/taxes/FR", map[string]string{"rates": "standard: 22"}).status)
	assert.Equal(t, 404, b.get("/operator/taxes/ZZ").status)

	p = b.get("/operator/shipping").submit("/operator/shipping", map[string]string{"label.0": "Anywhere", "kind.0": "flat", "steps.0": "7", "currency.0": "EUR"})
	assert.Contains(t, p.text(), "The table is saved.")
	assert.Contains(t, p.text(), "€7.00")
	p.sound()
	assert.Contains(t, w.as("seller").get("/sell/shipping").text(), "Anywhere", "who has no table ships like this")
}

func TestACouponIsChangedButForItsCode(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("seller")
	p := b.get("/sell/coupons").submit("/sell/coupons", map[string]string{"code": "lamp10", "percent": "12.5", "minimum": "50", "ends": "2026-05-31", "uses": "100"})
	edit := p.link("LAMP10")
	p = b.get(edit)
	p.sound()
	old := b.get(edit)
	assert.Contains(t, p.body, `value="2026-05-31"`)
	p = p.submit(edit, map[string]string{"percent": "much"})
	assert.Equal(t, 400, p.status)
	p = p.submit(edit, map[string]string{"percent": "15", "ends": "", "code": "OTHER"})
	assert.Contains(t, p.text(), "The coupon LAMP10 is changed.")
	assert.Contains(t, p.text(), "LAMP10 15 % off from €50.00 always")
	assert.Equal(t, 409, old.submit(edit, map[string]string{"percent": "20"}).status)
	b.get("/sell/coupons").submit("/sell/coupons", map[string]string{"code": "abc", "amount": "5"})
	assert.Less(t, strings.Index(b.get("/sell/coupons?sort=code_up").text(), "ABC"), strings.Index(b.get("/sell/coupons?sort=code_up").text(), "LAMP10"))
	p = b.get("/sell/coupons?sort=code_down")
	assert.Greater(t, strings.Index(p.text(), "ABC"), strings.Index(p.text(), "LAMP10"))
	table, err := csv.NewReader(strings.NewReader(b.get("/sell/coupons.csv").body)).ReadAll()
	require.NoError(t, err)
	assert.Len(t, table, 3)
	assert.NotContains(t, w.as("operator").get("/operator/coupons").text(), "LAMP10", "sellers' coupons are theirs")
}

func TestTablesAreSortedByTheirHeads(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("rival")
	first := func(p shown) string {
		for n := range p.doc.Descendants() {
			if n.Data == "td" && attributes(n)["class"] == "cell-main" {
				return strings.Join(strings.Fields(text(n)), " ")
			}
		}
		return ""
	}
	p := b.get("/sell/listings?state=active")
	p = b.get(p.link("Price"))
	assert.Contains(t, first(p), "Stoneware bowl")
	assert.Contains(t, p.body, `aria-sort="ascending"`)
	assert.Contains(t, p.link("CSV"), "state=active")
	p = b.get(p.link("Price"))
	assert.Contains(t, first(p), "Linen shirt")
	assert.Contains(t, p.body, `aria-sort="descending"`)
	assert.Contains(t, p.path, "state=active", "the filter stays")
	assert.Equal(t, 200, b.get("/sell/listings?sort=nonsense").status)

	o := w.as("operator")
	p = o.get("/operator/sellers")
	assert.Contains(t, first(p), "Casa Lume")
	assert.Contains(t, first(o.get(p.link("Seller ↑"))), "North Lamp Works")
	p = o.get("/operator/orders")
	assert.Contains(t, p.link("Placed"), "sort=placed_up")
	p = o.get("/operator/modules?sort=dead_down")
	assert.Less(t, strings.Index(p.text(), "payments Not ready"), strings.Index(p.text(), "catalog Ready"))
	assert.Contains(t, p.link("Subscriber"), "sort=dead_down", "one table keeps the order of the other")
}

func TestTablesInFilesCannotCarryFormulas(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	d := "=HYPERLINK(\"https://evil.example\")"
	listing := w.list(w.lamps.ID, w.category("Home"), d, 100, 1)
	_, err := w.catalog.EditListing(t.Context(), catalog.EditListingRequest{By: w.accounts.Actor(w.person["seller"].ID), Key: id.New("key_"), Listing: listing.ID, Version: listing.Version, Draft: catalog.Draft{
		Title: d, Variants: []catalog.VariantDraft{{ID: listing.Variants[0].ID, SKU: "@SUM(1)", Price: listing.Variants[0].Price, Options: []catalog.Option{{Name: "+1", Value: "2"}}}},
	}})
	require.NoError(t, err)
	p := w.as("seller").get("/sell/listings.csv?sort=title_up")
	assert.Equal(t, "text/csv; charset=utf-8", p.header.Get("Content-Type"))
	table, err := csv.NewReader(strings.NewReader(p.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, table, 3)
	assert.Equal(t, "'"+d, table[1][1], "sorted as the list is")
	assert.Equal(t, "'@SUM(1)", table[1][4])
	assert.Equal(t, "'+", table[1][6][:2])
	for _, row := range table[1:] {
		for _, cell := range row {
			assert.NotRegexp(t, `^[=+@-]`, cell)
		}
	}
	for _, path := range []string{"/operator/sellers.csv", "/operator/orders.csv", "/operator/audit.csv", "/operator/coupons.csv"} {
		p := w.as("operator").get(path)
		_, err := csv.NewReader(strings.NewReader(p.body)).ReadAll()
		require.NoError(t, err, path)
		assert.Contains(t, p.header.Get("Content-Disposition"), "attachment", path)
	}
	assert.Contains(t, w.as("operator").get("/operator/orders.csv").body, w.order.Number)
}

func TestAStoppedCheckoutWaitsForTheOperator(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o := w.as("operator")
	assert.Contains(t, o.get("/operator").text(), "0 stopped checkouts")
	assert.NotContains(t, o.get("/operator/orders?state=stopped").text(), w.order.Number)
	w.orders.Stop(w.order.ID)
	p := o.get("/operator")
	assert.Contains(t, p.text(), "1 stopped checkout")
	p = o.get(p.link("stopped checkout"))
	assert.Contains(t, p.text(), w.order.Number)
	assert.Contains(t, o.get("/operator/orders.csv?state=stopped").body, w.order.Number)
	p.sound()
	assert.Equal(t, http.StatusOK, w.as("buyer").get("/orders?state=stopped").status)
	q, err := url.Parse(p.link("CSV"))
	require.NoError(t, err)
	assert.Equal(t, "stopped", q.Query().Get("state"))
}

// TestListsSayOfAnOrderWhatItsPageSays: of what waits for its money, too.
func TestListsSayOfAnOrderWhatItsPageSays(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	pages := func() map[string]string {
		part := w.order.SellerOrders[0]
		return map[string]string{
			"the buyer's list":    w.as("buyer").get("/orders").text(),
			"the buyer's page":    w.as("buyer").get("/orders/" + string(w.order.ID)).text(),
			"the seller's list":   w.as("seller").get("/sell/orders").text(),
			"the seller's page":   w.as("seller").get("/sell/orders/" + string(part.ID)).text(),
			"the operator's list": w.as("operator").get("/operator/orders").text(),
			"the operator's page": w.as("operator").get("/operator/orders/" + string(w.order.ID)).text(),
		}
	}
	for where, text := range pages() {
		assert.Contains(t, text, "Being packed", where)
	}
	w.orders.Stop(w.order.ID)
	for where, text := range pages() {
		assert.Contains(t, text, "Stopped: the payment provider refused the charge", where)
		assert.NotContains(t, text, "Being packed", where)
		assert.NotContains(t, text, "and refund", "%s: nothing was charged", where)
	}
	assert.Contains(t, w.as("operator").get("/operator/orders.csv").body, "EUR,false,true", "paid, stopped")
	assert.Contains(t, w.as("seller").get("/sell/orders.csv").body, "EUR,true", "stopped")
	p := w.as("buyer").get("/orders/" + string(w.order.ID))
	p = p.submit(findForm(p, "/parts/"), nil)
	assert.Contains(t, p.text(), "of it was cancelled.")
	assert.NotContains(t, p.text(), "of it was refunded")
}

func TestAmountsInTheModulesSentencesAreWrittenAsOnPages(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	p := w.as("buyer").get("/orders/" + string(w.order.ID))
	p = p.submit(findForm(p, "/parts/"), nil)
	assert.Contains(t, p.text(), "cancelled; "+storefront.FormatMoney(w.order.Sums.Total)+" will be paid back.")
}

// TestACouponKeepsWhatItsFormCannotSay: a currency that is not the desk's, times within a day, and words of its own.
func TestACouponKeepsWhatItsFormCannotSay(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	by := w.accounts.Actor(w.person["operator"].ID)
	put := func(c cart.Coupon) cart.Coupon {
		c.Funder = cart.FunderPlatform
		made, err := w.cart.PutCoupon(t.Context(), cart.PutCouponRequest{By: by, Key: id.New("key_"), Coupon: c})
		require.NoError(t, err)
		return made.Coupon
	}
	from, until := clock.Of(time.Date(2026, 5, 1, 15, 0, 0, 0, time.UTC)), clock.Of(time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC))
	was := put(cart.Coupon{Code: "YEN", Label: "For our friends", Amount: money.Money{Minor: 1000, Currency: "JPY"}, From: from, Until: until})
	b := w.as("operator")
	edit := "/operator/coupons/" + string(was.ID)
	p := b.get(edit)
	assert.Contains(t, p.text(), "JPY")
	p = p.submit(edit, map[string]string{"uses": "7"})
	assert.Contains(t, p.text(), "The coupon YEN is changed.")
	list, err := w.cart.ListCoupons(t.Context(), cart.ListCouponsRequest{By: by, Page: page.Request{Limit: 10}})
	require.NoError(t, err)
	got := list.Coupons[slices.IndexFunc(list.Coupons, func(c cart.Coupon) bool { return c.ID == was.ID })]
	assert.Equal(t, int64(7), got.Limit)
	assert.Equal(t, was.Amount, got.Amount)
	assert.Equal(t, []clock.Time{from, until}, []clock.Time{got.From, got.Until})
	assert.Equal(t, "For our friends", got.Label)

	two := put(cart.Coupon{Code: "TWO", Label: "Two", Amount: money.Money{Minor: 100, Currency: "USD"}, Minimum: money.Money{Minor: 100, Currency: "EUR"}})
	assert.Equal(t, 409, b.get("/operator/coupons/"+string(two.ID)).status)

	for i := range 1010 {
		put(cart.Coupon{Code: fmt.Sprintf("MANY%d", i), Label: "Many", Percent: 1000})
	}
	table, err := csv.NewReader(strings.NewReader(b.get("/operator/coupons.csv").body)).ReadAll()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(table), 1+1012, "nobody takes half a table for a whole one")
	i := slices.IndexFunc(table, func(row []string) bool { return row[0] == "YEN" })
	assert.Equal(t, []string{"1000", "JPY", "", ""}, table[i][3:7])
}
