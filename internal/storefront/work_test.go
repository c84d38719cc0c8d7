package storefront_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
)

const hour = time.Hour

func TestAnAccountIsLookedAfter(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("buyer")
	w.as("buyer")
	p := b.get("/account")
	assert.Contains(t, p.text(), "Firefox on Linux this one")
	p = p.submit("/account", map[string]string{"name": "Ada Lovelace"})
	assert.Contains(t, p.text(), "Ada Lovelace, buyer@example.com")
	p = p.submit("/account/sessions", nil)
	assert.Contains(t, p.text(), "other sessions ended.")
	assert.NotContains(t, p.text(), "Sign out everywhere else")

	p = p.submit("/account/tokens", map[string]string{"name": "stock sync", "scope": "shop"})
	assert.Contains(t, p.text(), "souk_pat_")
	assert.Equal(t, "no-store", p.header.Get("Cache-Control"))
	p.sound()
	p = b.get("/account")
	assert.NotContains(t, p.text(), "souk_pat_", "it is shown once")
	p = p.submit(findForm(p, "/revoke"), nil)
	assert.NotContains(t, p.text(), "stock sync made")

	p = p.submit("/account/password", map[string]string{"current": "no", "password": "another long one"})
	assert.Contains(t, p.text(), "This is not your password now.")
	p = p.submit("/account/password", map[string]string{"current": password, "password": "another long one"})
	assert.Contains(t, p.text(), "The password is changed.")
}

func TestAnAddressIsKeptAndARemovedOneComesBack(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("buyer")
	p := b.get("/account/addresses/new").submit("/account/addresses/new", map[string]string{"name": "Office"})
	assert.Contains(t, p.text(), "Choose a country.")
	assert.NotContains(t, p.text(), "ISO 3166")
	p = b.get("/account/addresses/new").submit("/account/addresses/new", map[string]string{"name": "Office", "country": "FR"})
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "The city is required.")
	p = p.submit("/account/addresses/new", map[string]string{"line1": "1 quai", "city": "Caen", "label": "Work"})
	assert.Contains(t, p.text(), "1 quai Caen France")
	p = p.submit(findForm(p, "/default"), nil)
	assert.Contains(t, p.text(), "A checkout begins with this address now.")
	p = p.submit(findForm(p, "/remove"), nil)
	assert.NotContains(t, p.text(), "1 quai")
	p.sound()
	undo := findForm(p, "/account/addresses/adr_")
	p = p.submit(undo, nil)
	assert.Contains(t, p.text(), "1 quai Caen France")
	p = b.get(p.link("Edit")).submit(strings.TrimSuffix(undo, "/"), map[string]string{"line1": "2 quai"})
	assert.Contains(t, p.text(), "2 quai")
}

func TestASellerListsAndEdits(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("seller")
	p := b.get("/sell/listings/new").submit("/sell/listings/new", nil)
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "The title is required.", "beside the price, at once")
	assert.Contains(t, p.text(), "Write the price as 72.00.")
	p.sound()
	p = p.submit("/sell/listings/new", map[string]string{
		"title": "Pendant", "price.0": "forty", "sku.0": "PD", "stock.0": "3", "attributes": "Material: brass\nGlass",
	})
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "Write the price as 72.00.")
	assert.Contains(t, p.text(), "Write each line as")
	p = p.submit("/sell/listings/new", map[string]string{"price.0": "40,5", "attributes": "Material: brass", "add": "variant"})
	p.sound()
	p = p.submit("/sell/listings/new", map[string]string{
		"options.0": "Colour: red", "options.1": "Colour: green", "price.1": "41", "sku.1": "PD",
	})
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "The SKU comes twice.")
	p = p.submit("/sell/listings/new", map[string]string{"sku.1": "PD2"})
	require.Contains(t, p.text(), "The listing is on offer.")
	p.sound()
	edit := p.path
	public := b.get(p.link("See it in the shop"))
	assert.Contains(t, public.text(), "€40.50")
	assert.Contains(t, public.text(), "Material brass")

	p = b.get(edit).submit(edit, map[string]string{"title": "Pendant lamp", "stock.0": "7", "drop.1": "yes", "state": "archived"})
	assert.Contains(t, p.text(), "The changes are saved.")
	assert.Contains(t, p.text(), "Archived")
	assert.Contains(t, p.text(), "7 on hand")
	assert.Contains(t, p.text(), "Counted")
	assert.NotContains(t, p.text(), "PD2 GTIN")
	p = p.submit(edit+"/activate", nil)
	assert.Contains(t, p.text(), "The listing is on offer.")
	old := b.get(edit)
	p.submit(edit, map[string]string{"title": "Pendant"})
	p = old.submit(edit, map[string]string{"title": "Another"})
	assert.Equal(t, 409, p.status)
	assert.Contains(t, p.text(), "It was changed in the meantime")
	p = p.submit(edit, nil)
	assert.Contains(t, p.text(), "The changes are saved.")
}

func TestAnUnchangedNumberIsNoCount(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("seller")
	edit := "/sell/listings/" + string(w.lamp.ID)
	p := b.get(edit)
	_, err := w.catalog.AdjustStock(t.Context(), catalog.AdjustStockRequest{
		By: w.accounts.Actor(w.person["seller"].ID), Key: id.New("key_"), Variant: w.lamp.Variants[0].ID, Kind: catalog.MoveReceive, Quantity: 10,
	})
	require.NoError(t, err)
	p = p.submit(edit, map[string]string{"title": "Brass lamp"})
	assert.Contains(t, p.text(), "15 on hand", "what came meanwhile is not counted away")
}

func TestManyListingsAreChangedAtOnceAndBack(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	p := w.as("rival").get("/sell/listings")
	p = p.b.post("/sell/listings", with("action", "archive", "id", string(w.shirt.ID), "id", string(w.lamp.ID)))
	assert.Contains(t, p.text(), "1 listing archived. 1 listing could not be", "another's is not touched")
	p = p.submit("/sell/listings", map[string]string{"action": "activate", "ids": string(w.shirt.ID)})
	assert.Contains(t, p.text(), "1 listing put on offer.")
	table, err := csv.NewReader(strings.NewReader(p.b.get("/sell/listings.csv").body)).ReadAll()
	require.NoError(t, err)
	assert.Len(t, table, 6, "a head, four variants and a bowl")
}

// TestASellerIsToldWhatMayShip: orders whose charge was refused are no work of the seller's, and what is partly shipped is.
func TestASellerIsToldWhatMayShip(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	good := w.order.SellerOrders[0]
	w.orders.Stop(w.orders.Put(w.buyer.ID, w.item(w.lamp)).ID)
	b := w.as("seller")
	tells := func(n, list int) shown {
		t.Helper()
		assert.Contains(t, b.get("/sell").text(), fmt.Sprintf("%d order", n)+map[bool]string{true: " to ship", false: "s to ship"}[n == 1])
		p := b.get("/sell/orders?state=to_ship")
		assert.Regexp(t, fmt.Sprintf(`To ship\s*%d`, n), p.text())
		assert.Equal(t, list, strings.Count(p.body, `href="/sell/orders/sor_`))
		assert.Equal(t, p.text(), b.get("/sell/orders?state=open").text(), "the address that it had")
		return p
	}
	tells(1, 1)
	assert.Equal(t, 2, strings.Count(b.get("/sell/orders").body, `href="/sell/orders/sor_`), "all are there")
	part := "/sell/orders/" + string(good.ID)
	line := "quantity." + string(good.Lines[0].ID)
	require.Equal(t, 200, b.get(part).submit(part+"/ship", map[string]string{line: "1"}).status)
	assert.Contains(t, tells(1, 1).text(), "Partly shipped")
	table, err := csv.NewReader(strings.NewReader(b.get("/sell/orders.csv?state=to_ship").body)).ReadAll()
	require.NoError(t, err)
	assert.Len(t, table, 2, "a head and the one")
	b.get(part).submit(part+"/ship", nil)
	assert.Contains(t, b.get("/sell/orders?state=to_ship").text(), "Nothing to ship")
}

func TestASellerShipsInParts(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("seller")
	part := "/sell/orders/" + string(w.order.SellerOrders[0].ID)
	line := "quantity." + string(w.order.SellerOrders[0].Lines[0].ID)
	p := b.get("/sell")
	assert.Contains(t, p.text(), "1 order to ship")
	p = b.get(part).submit(part+"/ship", map[string]string{line: "0"})
	assert.Equal(t, 400, p.status)
	p = p.submit(part+"/ship", map[string]string{line: "9", "carrier": "Post"})
	assert.Equal(t, 409, p.status)
	assert.Regexp(t, `: only \d are left to ship`, p.text())
	assert.NotContains(t, p.text(), "ln_", "said beside the line, not by its id")
	p = p.submit(part+"/ship", map[string]string{line: "1", "carrier": "Post", "tracking": "T1"})
	assert.Contains(t, p.text(), "The parcel is on its way")
	assert.Contains(t, p.text(), "Partly shipped, 1 parcel")
	p = p.submit(findForm(p, "/deliver"), nil)
	assert.Contains(t, p.text(), "The parcel has arrived.")
	p = p.submit(part+"/cancel", nil)
	assert.Contains(t, p.text(), "Cancelled. What the buyer paid for it goes back.")
	p.sound()
	assert.Contains(t, b.get("/sell/orders.csv").body, w.order.SellerOrders[0].Number)
	assert.Contains(t, w.as("buyer").get("/orders/"+string(w.order.ID)).text(), "T1")
}

func TestASellerMakesAndStopsACoupon(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	p := w.as("seller").get("/sell/coupons").submit("/sell/coupons", map[string]string{"code": "x", "percent": "ten", "ends": "soon"})
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "Write it as 10 or 12.5.")
	p = p.submit("/sell/coupons", map[string]string{"code": "lamp10", "percent": "12.5", "minimum": "50", "ends": "2026-05-31", "uses": "100"})
	assert.Contains(t, p.text(), "12.5 % off from €50.00")
	assert.Contains(t, p.text(), "until 31 May 2026 UTC")
	p = p.submit(findForm(p, "/end"), nil)
	assert.Contains(t, p.text(), "Stopped")
	p = p.submit(findForm(p, "/resume"), nil)
	assert.Contains(t, p.text(), "Running")
}

func TestSomeoneAppliesAndAnOperatorApproves(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.as("buyer")
	p := b.get("/sell")
	assert.Equal(t, "/sell/apply", p.path)
	p = p.submit("/sell/apply", map[string]string{"shop": "Blue Kettle"})
	assert.Contains(t, p.text(), "The legal name is required.")
	p = p.submit("/sell/apply", map[string]string{"legal_name": "Blue Kettle GmbH", "line1": "Torstr. 1", "city": "Berlin", "country": "DE", "email": "hello@kettle.example"})
	assert.Contains(t, p.text(), "Pending: a person is reading it")
	p.sound()

	o := w.as("operator")
	p = o.get("/operator/sellers?state=applied")
	decline := findForm(p, "/approve")[:len(findForm(p, "/approve"))-len("approve")] + "decline"
	assert.Contains(t, p.press(findForm(p, "/approve"), decline, map[string]string{"why": " "}).text(), "Say why")
	p = p.press(findForm(p, "/approve"), decline, map[string]string{"why": "the tax number is missing"})
	assert.Contains(t, p.text(), "Blue Kettle is declined.")
	assert.Contains(t, o.get("/operator/sellers?state=declined").text(), "The tax number is missing.")
	p = b.get("/sell/apply")
	assert.Contains(t, p.text(), "Blue Kettle Declined")
	assert.Contains(t, p.text(), "The tax number is missing.")
	p.sound()
	p = b.get(p.link("Apply again")).submit("/sell/apply", map[string]string{"tax_number": "DE1"})
	assert.Contains(t, p.text(), "Blue Kettle Pending", "what was said before was filled in")
	assert.Contains(t, p.text(), "Blue Kettle Declined", "and the old one is still there")
	p = b.get(p.link("Apply for another shop"))
	p.sound()
	assert.NotContains(t, p.body, "DE1", "another shop is another matter")
	p = o.get("/operator")
	assert.Contains(t, p.text(), "1 seller to approve")
	p = o.get("/operator/sellers?state=applied")
	p = p.submit(findForm(p, "/approve"), map[string]string{"why": "papers seen"})
	assert.Contains(t, p.text(), "Blue Kettle is approved and may sell.")
	assert.Equal(t, "/s/blue-kettle", b.get("/sell/apply").link("The shop as buyers see it"))
	p = p.submit("/operator/sellers/"+string(w.bowls.ID)+"/suspend", map[string]string{"why": ""})
	assert.Contains(t, p.text(), "Say why")
	p = p.submit("/operator/sellers/"+string(w.bowls.ID)+"/suspend", map[string]string{"why": "no answer"})
	assert.Contains(t, p.text(), "Casa Lume is suspended")
	assert.Equal(t, 404, w.browser().get("/l/"+string(w.shirt.ID)).status)
}

func TestAnOperatorLooksAfterThePlatform(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o := w.as("operator")
	p := o.get("/operator")
	assert.Contains(t, p.text(), "3 parked events")
	assert.Contains(t, p.text(), "Not ready: payments.busy")
	assert.Contains(t, p.text(), "€182.90", "bought today")
	p = o.get("/operator/events")
	p = p.submit("/operator/events/retry", nil)
	assert.Contains(t, p.text(), "1 applied, 0 skipped, 2 still parked. It failed again: no title")
	p.submit("/operator/events/skip", nil)
	p = o.get("/operator/jobs").submit("/operator/jobs/retry", nil)
	assert.Contains(t, p.text(), "The job runs again.")
	w.operations.err = nil
	assert.Equal(t, 2, strings.Count(p.body, "Run it again"))
	assert.Equal(t, 1, strings.Count(p.body, "Drop it for good"), "not of what comes round by itself")
	assert.Contains(t, p.text(), "It comes round by itself, and nothing else would ask for it again: it cannot be dropped.")
	p.submit("/operator/jobs/drop", nil)
	assert.Equal(t, []string{"retry search.index lst_1", "skip search.index lst_1", "run orders orders.capture ord_1", "drop orders orders.capture ord_1"}, w.operations.did)
	assert.Contains(t, o.get("/operator/modules").text(), "Catching up")
	p = o.get("/operator/audit?subject=sel_1")
	assert.Contains(t, p.text(), "per_1 (operator)")
	assert.Contains(t, p.link("Next page"), "cursor=more")
	p = o.get("/operator/orders?number=FAKE").b.get("/operator/orders/" + string(w.order.ID))
	assert.Contains(t, p.text(), "Lindenstr. 7")

	w.operations.err = errs.Refusal(errs.Unavailable, "souk.busy")
	assert.Equal(t, 200, o.get("/operator").status, "the overview shows what can be had")
	assert.Equal(t, 503, o.get("/operator/jobs").status)
}

func TestAnOperatorHasARefusedChargeTriedAgain(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	page := "/operator/orders/" + string(w.order.ID)
	o := w.as("operator")
	assert.Empty(t, findForm(o.get(page), "/retry-capture"), "nothing is to be tried")
	w.orders.Stop(w.order.ID)
	assert.Empty(t, findForm(w.as("buyer").get("/orders/"+string(w.order.ID)), "/retry-capture"), "it is not the buyer's business")
	p := o.get(page)
	assert.Contains(t, p.text(), "Stopped: the payment provider refused the charge")
	assert.Contains(t, p.text(), "Try the refused charge again")
	p = p.submit(findForm(p, "/retry-capture"), nil)
	assert.Contains(t, p.text(), "The charge is being tried again.")
	assert.Contains(t, p.text(), "The payment was taken.")
	assert.Empty(t, findForm(p, "/retry-capture"))

	two := w.orders.Put(w.buyer.ID, w.item(w.lamp), w.item(w.shirt))
	w.orders.Stop(two.ID)
	_, err := w.orders.Cancel(t.Context(), orders.CancelRequest{By: actor.System(""), Key: "key", SellerOrder: two.SellerOrders[0].ID})
	require.NoError(t, err)
	assert.Contains(t, o.get("/operator/orders/"+string(two.ID)).text(), "Stopped: the payment provider refused the charge", "of what is left")
}

func TestWorkOfOthersIsNotFound(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	assert.Equal(t, 404, w.as("rival").get("/sell/listings/"+string(w.lamp.ID)).status)
	assert.Equal(t, 404, w.as("stranger").get("/orders/"+string(w.order.ID)+"?link=wrong").status)
	assert.Equal(t, actor.KindOperator, w.accounts.Actor(w.person["operator"].ID).Kind)
}
