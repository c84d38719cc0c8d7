package storefront_test

import (
	"fmt"
	"net/url"
	"strings"
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
	assert.Contains(t, o.get(path+"?show=pin").text(), w.lamp.Title)
	assert.Contains(t, o.get(path+"?show=stop").text(), "No rule fits that")
}

// TestALargeRuleIsRemovedWithItsNotice removes rules that are as long as rules may be.
func TestALargeRuleIsRemovedWithItsNotice(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o := w.as("operator")
	const path = "/operator/search/rules"
	words := func(letter string, length int) (all []string) {
		for i := range 20 {
			all = append(all, strings.Repeat(letter, length-3)+fmt.Sprint(100+i))
		}
		return all
	}
	remove := func(all []string) shown {
		put := o.get(path).submit(path+"/new", map[string]string{"kind": "synonyms", "words": strings.Join(all, "\n")})
		assert.Contains(t, put.text(), "The rule applies from now on")
		return o.get(path).submit(o.get(path).link(strings.Join(all, " = "))+"/remove", nil)
	}
	long := words("o", 100)
	p := remove(long)
	p.sound()
	assert.Contains(t, p.text(), "The rule does not apply any more: "+long[0])
	p = p.submit(path+"/new", nil) // put it back
	assert.NotEmpty(t, p.link(strings.Join(long, " = ")))

	wide := words("ж", 100) // more than a cookie holds
	p = remove(wide)
	assert.Contains(t, p.text(), "The rule does not apply any more: "+wide[0])
	assert.Contains(t, p.link("It is long: the audit trail has it"), "/operator/audit?module=search&subject=rul_")
}

func TestAnOperatorSeesWhatARuleMovesBeforeItIsKept(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o, b := w.as("operator"), w.browser()
	const path = "/operator/search/rules"
	for range 3 {
		b.get("/search?q=brass", "User-Agent", firefox)
	}
	filled := map[string]string{"kind": "synonyms", "words": "bowl\nlamp", "why": "asked for", "preview": "yes"}
	p := o.get(path).submit(path+"/new", filled)
	p.sound()
	assert.Equal(t, 200, p.status)
	text := p.text()
	assert.Contains(t, text, "What would move: bowl = lamp")
	assert.Contains(t, text, "Of 1 frequent search since 2026-")
	assert.Contains(t, text, "“ bowl ” finds 1 listing, then 2 listings")
	assert.Contains(t, text, "Stoneware bowl")
	assert.Contains(t, text, "comes in")
	assert.Contains(t, text, "No rules yet", "nothing is kept")
	assert.NotContains(t, b.get("/search?q=bowl").text(), w.lamp.Title)
	p = p.submit(path+"/new", nil) // the form is filled in as it was
	assert.Contains(t, p.text(), "The rule applies from now on: bowl = lamp.")

	edit := p.link("bowl = lamp")
	p = o.get(edit)
	p = p.submit(edit, map[string]string{"words": "bowl\nbasin", "preview": "yes"})
	p.sound()
	assert.Contains(t, p.text(), "What would move: bowl = basin")
	assert.Contains(t, p.text(), "goes out")
	assert.Contains(t, b.get("/search?q=bowl").text(), w.lamp.Title)
	p = p.submit(edit+"/remove", map[string]string{"preview": "yes"})
	p.sound()
	assert.Contains(t, p.text(), "What would move without the rule")
	assert.Contains(t, b.get("/search?q=bowl").text(), w.lamp.Title)
	p = p.submit(edit+"/remove", nil)
	assert.Contains(t, p.text(), "The rule does not apply any more: bowl = lamp.")

	p = o.get(path).submit(path+"/new", map[string]string{"kind": "synonyms", "words": "alone", "preview": "yes"})
	p.sound()
	assert.Equal(t, 400, p.status)
	assert.Contains(t, p.text(), "1 thing needs another look")
	assert.Contains(t, o.post(edit+"/remove", url.Values{"preview": {"yes"}}).text(), "The rule was gone already.")
}

// TestRulesOfAFileAreShownAndNotChanged has the rules come from a file.
func TestRulesOfAFileAreShownAndNotChanged(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o := w.as("operator")
	const path = "/operator/search/rules"
	p := o.get(path).submit(path+"/new", map[string]string{"kind": "synonyms", "words": "lamp, torchiere"})
	edit := p.link("lamp = torchiere")
	form := o.get(edit)
	w.search.FixRules()
	p = o.get(path)
	p.sound()
	assert.Contains(t, p.text(), "lamp = torchiere")
	assert.Contains(t, p.text(), "They come from a file")
	for _, act := range []string{"Remove", "New rule", "Add the rule", "Acts"} {
		assert.NotContains(t, p.text(), act)
	}
	p = form.submit(edit, map[string]string{"words": "lamp, lantern"}) // opened before
	assert.Equal(t, 409, p.status)
	assert.Contains(t, p.text(), "ules are in a file here")
}
