package storefront_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
)

// lampsOnOffer lists so many more lamps, so that they are a word of the catalogue.
func (w *world) lampsOnOffer(n int) {
	w.t.Helper()
	for range n {
		w.list(w.lamps.ID, w.categoryOf(w.lamp), "Reading lamp", 2900, 3)
	}
}

func (w *world) categoryOf(l catalog.Listing) catalog.Category {
	return catalog.Category{ID: l.Category, Path: l.Path}
}

func TestASlipFindsTheListingAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.lampsOnOffer(2)
	b := w.browser()
	p := b.get("/search?q=lmap&stock=1")
	p.sound()
	assert.Contains(t, p.text(), "Showing results for lamp . Search instead for lmap")
	assert.Contains(t, p.text(), "Reading lamp")
	assert.Equal(t, "/search?exact=1&q=lmap&stock=1", p.link("lmap"))
	p = b.get(p.link("lmap"))
	p.sound()
	assert.Equal(t, http.StatusOK, p.status)
	assert.NotContains(t, p.text(), "Reading lamp")
	assert.Contains(t, p.text(), "Search for lamp 3")
	p = b.get(p.link("lamp"))
	assert.Contains(t, p.text(), "Reading lamp")
	assert.NotContains(t, p.text(), "Showing results for")
}

func TestBesideFewResultsAnotherSearchIsNamed(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.lampsOnOffer(12)
	w.list(w.lamps.ID, w.categoryOf(w.lamp), "Lamb skin", 2900, 3)
	p := w.browser().get("/search?q=lamb")
	p.sound()
	assert.Contains(t, p.text(), "Lamb skin")
	assert.Contains(t, p.text(), "Did you mean lamp ?")
	assert.Equal(t, "/search?q=lamp", p.link("lamp"))
}

func TestWhatWasPerhapsMeantComesBehindAndIsSaid(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.lampsOnOffer(12)
	rug := catalogtest.Draft("Wool rug", 2900, 3)
	rug.Category, rug.Description = w.lamp.Category, "Soft as a lam"
	w.catalog.AddListing(w.lamps.ID, rug)
	b := w.browser()
	p := b.get("/search?q=lam+%3C%22&stock=1")
	p.sound()
	assert.Contains(t, p.text(), `Any results for lam <" come first, then any for lamp . Show only lam <"`)
	assert.Contains(t, p.text(), "Reading lamp")
	assert.Less(t, strings.Index(p.text(), "Wool rug"), strings.Index(p.text(), "Reading lamp"))
	assert.Equal(t, "/search?q=lamp&stock=1", p.link("lamp"))
	assert.NotContains(t, b.get("/search?q=lam+%3C%22&max=1").text(), "come first", "there is nothing")
	p = b.get(p.link(`lam <"`))
	p.sound()
	assert.Contains(t, p.text(), "Wool rug")
	assert.NotContains(t, p.text(), "Reading lamp")
}

func TestNothingFoundIsNoDeadEnd(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.browser()
	p := b.get("/search?q=trombone")
	p.sound()
	assert.Contains(t, p.text(), "Everything in Home")
	assert.NotContains(t, p.text(), "In stock", "nothing is there to narrow")
	assert.NotContains(t, p.text(), "Sort:")
	p = b.get("/search?q=linen&category=home")
	p.sound()
	assert.Contains(t, p.text(), "Without filters: 1 listing")
	assert.Contains(t, p.text(), "In stock", "a filter may be exchanged for another")
	assert.Contains(t, p.text(), "“linen” in Clothing")
	assert.Contains(t, b.get(p.link("Clothing")).text(), "Linen shirt")
}

func TestARangeTypedTheWrongWayRoundIsTurned(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	p := w.browser().get("/search?q=lamp&min=500&max=10&currency=EUR")
	p.sound()
	assert.Equal(t, http.StatusOK, p.status)
	assert.Contains(t, p.text(), w.lamp.Title)
	assert.Contains(t, p.text(), "€10.00 to €500.00")
	p = w.browser().get("/search?category=" + strings.Repeat("x", 3000))
	assert.NotEqual(t, http.StatusServiceUnavailable, p.status, "search is not down for what makes no sense")
	assert.NotContains(t, p.text(), "not answering")
}

func TestMoreFiltersOfAttributesThanSearchTakesAreCut(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	address := "/search?q=lamp"
	for i := range 30 {
		address += fmt.Sprintf("&attr=a%d:x&range=r%d:1..2", i, i)
	}
	p := w.browser().get(address)
	p.sound()
	assert.Equal(t, http.StatusOK, p.status)
	assert.Contains(t, p.text(), "Remove the filter R3: 1 to 2")
	assert.NotContains(t, p.text(), "R4")
}

func TestNonsenseInAnAddressOfResultsIsLeftAside(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.browser()
	see := func(address string) shown {
		t.Helper()
		p := b.get(address)
		p.sound()
		require.Equal(t, http.StatusOK, p.status, address)
		return p
	}
	p := see("/search?q=lamp%00&sort=price_up&cursor=nonsense")
	assert.Equal(t, "/search?q=lamp&sort=price_up", p.path, "a list that is not known begins at its beginning")
	assert.Contains(t, p.text(), w.lamp.Title)
	assert.NotContains(t, see("/search?q=lamp&seller=nobody&stock=0").text(), "Remove the filter")
	assert.Contains(t, see("/search?q=lamp&max=%E2%82%AC1,234.50&currency=EUR").text(), "up to €1,234.50")
	assert.Contains(t, see("/search?q=!%3F").text(), "There is no word in that to look for, so nothing is left out.")
	assert.NotContains(t, see("/search?q=%E2%80%AElamp").body, "\u202e")
}

func TestABrandInAnotherCaseIsTakenAway(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.browser()
	brand := catalogtest.Draft("Reading lamp", 2900, 3)
	brand.Category, brand.Brand = w.lamp.Category, "Anglepoise"
	w.catalog.AddListing(w.lamps.ID, brand)
	p := b.get("/search?q=lamp&brand=anglepoise&brand=ANGLEPOISE")
	assert.Equal(t, 1, strings.Count(p.text(), "Remove the filter"))
	assert.Equal(t, "/search?q=lamp", p.link("anglepoise"))
}
