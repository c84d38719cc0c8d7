package storefront_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/catalog/catalogtest"
)

// TestAllValuesOfAFacetAreShown has more brands than a list shows at first.
func TestAllValuesOfAFacetAreShown(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	for i := range 30 {
		d := catalogtest.Draft("Toner", 1000, 1)
		d.Brand = fmt.Sprintf("Maker %02d", i)
		w.catalog.AddListing(w.lamps.ID, d)
	}
	b := w.browser()
	p := b.get("/search?q=toner&stock=1&sort=price_up")
	p.sound()
	facet := func(p shown) string {
		text := p.text()
		from := strings.Index(text, " Brand ")
		return text[from : from+strings.Index(text[from:], " Seller ")]
	}
	assert.NotContains(t, facet(p), "Maker 29")
	p = b.get(p.link("Show all for Brand"))
	p.sound()
	for _, name := range []string{"Maker 00", "Maker 12", "Maker 29"} {
		assert.Contains(t, facet(p), name)
	}
	assert.Contains(t, p.path, "stock=1")
	assert.Contains(t, p.body, `name="in"`)
	p = b.get(p.path + "&in=MAKER+2")
	p.sound()
	assert.Contains(t, facet(p), "Maker 29")
	assert.NotContains(t, facet(p), "Maker 11")
	p = b.get(p.link("Show fewer for Brand"))
	assert.NotContains(t, p.path, "all=")
	assert.Contains(t, p.path, "stock=1")
	assert.Contains(t, b.get("/search?q=toner&all=brand&in=zzz").text(), "None of them has that.")
}
