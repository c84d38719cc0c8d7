package storefront_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnOperatorSeesWhyAListingStandsWhereItDoes(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o, b := w.as("operator"), w.browser()
	assert.NotContains(t, b.get("/search?q=lamp").text(), "Why here?")
	assert.NotContains(t, w.as("seller").get("/search?q=lamp").text(), "Why here?")

	p := o.get("/search?q=lamp&stock=1&min=1&max=200&brand=" + w.lamp.Brand)
	p.sound()
	p = o.get(p.link("Why here? Brass desk lamp"))
	p.sound()
	text := p.text()
	assert.Contains(t, text, "Brass desk lamp in “lamp” with filters")
	assert.Contains(t, text, "Number 1 of 1.")
	assert.Contains(t, text, "lamp “lamp” in title")
	assert.Contains(t, text, "In all")
	back := p.link("“lamp” with filters")
	for _, kept := range []string{"stock=1", "min=1", "max=200", "q=lamp"} {
		assert.Contains(t, back, kept)
	}
	pin := o.get(p.link("Pin it to a place"))
	assert.Contains(t, pin.body, `value="`+string(w.lamp.ID)+`"`)
	assert.Contains(t, o.get(p.link("Add words that mean the same")).body, ">lamp</textarea>")
	pin.submit("/operator/search/rules/new", nil)
	p = o.get(o.get("/search?q=lamp").link("Why here? Brass desk lamp"))
	assert.Contains(t, p.text(), "Rules that had a say In “lamp” at place 1")

	// The filters of the results leave it out, and it is said which.
	p = o.get("/operator/search/why?q=lamp&max=1&listing=" + string(w.lamp.ID))
	assert.Contains(t, p.text(), "Not among the results")
	// A department and a shop are filters like others, and without words nothing is more relevant.
	for _, path := range []string{"/c/home/lighting", "/s/" + w.lamps.Slug, "/search?sort=price_up"} {
		p = o.get(o.get(path).link("Why here? Brass desk lamp"))
		p.sound()
		assert.Contains(t, p.text(), "The list is sorted by", path)
		assert.Contains(t, p.text(), "Number ", path)
	}
	assert.Equal(t, 404, o.get("/operator/search/why?q=lamp&listing=nonsense").status)
	assert.Equal(t, 403, w.as("buyer").get("/operator/search/why?q=lamp&listing="+string(w.lamp.ID)).status)
}

// TestReasonsAreShownInPlace asks for them as a link does, which everything on the page then keeps.
func TestReasonsAreShownInPlace(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.lampsOnOffer(30)
	o := w.as("operator")
	p := o.get("/search?q=lamp")
	assert.NotContains(t, p.text(), " points")
	p = o.get(p.link("Why this order?"))
	p.sound()
	assert.Contains(t, p.text(), "points Words +")
	assert.Contains(t, p.text(), "Why here? Reading lamp")
	assert.Contains(t, p.link("Next page"), "explain=1")
	assert.Contains(t, p.link("In stock"), "explain=1")
	assert.NotContains(t, p.link("Without the reasons"), "explain")
	assert.NotContains(t, p.link("Why here? Reading lamp"), "explain")
	p = o.get("/search?q=lamp&sort=newest&explain=1")
	p.sound()
	assert.Contains(t, p.text(), "Its words lamp “lamp” in title")

	for _, who := range []*browser{w.browser(), w.as("buyer"), w.as("seller")} {
		p = who.get("/search?q=lamp&explain=1")
		assert.Equal(t, 200, p.status)
		assert.NotContains(t, p.text(), "points")
		assert.NotContains(t, p.link("In stock"), "explain")
	}
}
