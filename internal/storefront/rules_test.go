package storefront_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnOperatorTellsSearchAboutWordsAndPlaces(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o, b := w.as("operator"), w.browser()
	const path = "/operator/search/rules"
	p := o.get(path)
	p.sound()
	assert.Contains(t, p.text(), "No rules yet")
	p = p.submit(path+"/new", map[string]string{"kind": "synonyms", "words": "lamp"})
	p.sound()
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "1 thing needs another look")
	p = p.submit(path+"/new", map[string]string{"kind": "synonyms", "words": "lamp, torchiere\nlantern"})
	assert.Contains(t, p.text(), "The rule applies from now on: lamp = torchiere = lantern.")
	assert.Contains(t, b.get("/search?q=torchiere").text(), w.lamp.Title)

	p = o.get(p.link("lamp = torchiere = lantern"))
	p.sound()
	old := o.get(path + "?q=lantern")
	edit := old.link("lamp = torchiere = lantern")
	p = p.submit(edit, map[string]string{"words": "lamp\nlantern", "why": "nobody says that"})
	assert.Contains(t, p.text(), "The rule is changed: lamp = lantern.")
	assert.NotContains(t, b.get("/search?q=torchiere").text(), w.lamp.Title)

	p = o.get(path).submit(edit+"/remove", nil)
	assert.Contains(t, p.text(), "The rule does not apply any more: lamp = lantern.")
	assert.NotContains(t, b.get("/search?q=lantern").text(), w.lamp.Title)
	p.submit(path+"/new", nil)
	assert.Contains(t, b.get("/search?q=lantern").text(), w.lamp.Title)

	p = o.get(path + "?kind=pin&query=bowl")
	p.sound()
	p = p.submit(path+"/new", map[string]string{"listing": "https://shop.example/l/" + string(w.lamp.ID) + "?variant=x"})
	assert.Contains(t, p.text(), "In “bowl” at place 1")
	assert.Contains(t, b.get("/search?q=bowl").text(), w.lamp.Title)
	assert.Contains(t, o.get(path+"?show=pin").text(), string(w.lamp.ID))
	assert.Contains(t, o.get(path+"?show=stop").text(), "No rule fits that")
}
