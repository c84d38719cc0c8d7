package storefront_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/catalog"
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

// TestNumbersAreNarrowedByARange fills in the form of an attribute whose values are numbers, and takes its chip away.
func TestNumbersAreNarrowedByARange(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	for i := range 6 {
		d := catalogtest.Draft(fmt.Sprintf("Kettle No%d", i), 1000, 1)
		d.Attributes = []catalog.Attribute{{Name: "Weight", Value: fmt.Sprintf("%d.5 kg", i)}, {Name: "Colour", Value: []string{"Red", "Blue"}[i%2]}}
		w.catalog.AddListing(w.lamps.ID, d)
	}
	b := w.browser()
	p := b.get("/search?q=kettle&stock=1&sort=price_up")
	p.sound()
	for _, part := range []string{`name="of" value="Weight"`, `name="unit" value="kg"`, `placeholder="0.5"`, `placeholder="5.5"`} {
		assert.Contains(t, p.body, part)
	}
	p = b.get("/search?of=Weight&unit=kg&attr=Colour%3ARed&q=kettle&sort=price_up&from=1&to=4") // as the form sends it
	p.sound()
	assert.Contains(t, p.text(), "1 listing ")
	assert.Contains(t, p.text(), "Kettle No2")
	assert.Contains(t, p.text(), "Weight: 1 to 4 kg")
	assert.Contains(t, p.body, `name="from" value="1"`)
	assert.Equal(t, "/search?q=kettle&range=Weight%3A1..4+kg&sort=price_up", p.link("Remove the filter Colour: Red"))
	p = b.get(p.link("Remove the filter Colour: Red"))
	p.sound()
	assert.Contains(t, p.text(), "3 listings ")
	assert.NotContains(t, p.text(), "Kettle No4")
	p = b.get(p.link("Remove the filter Weight: 1 to 4 kg"))
	assert.Contains(t, p.text(), "6 listings ")
	assert.NotContains(t, p.path, "range")
	assert.Contains(t, b.get("/search?q=kettle&range=Weight%3A90..+kg").text(), "Nothing fits all of that")
}
