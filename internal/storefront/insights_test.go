package storefront_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/search"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// figures are today's counts of all searches.
func (w *world) figures() search.SearchFigures {
	w.t.Helper()
	reply, err := w.search.Insights(w.t.Context(), search.InsightsRequest{By: actor.System("")})
	require.NoError(w.t, err)
	return reply.Days[len(reply.Days)-1].Figures
}

// searches asks for the results of a search as a person's browser does.
func (b *browser) searches(query string, header ...string) shown {
	b.w.t.Helper()
	return b.get("/search?"+query, append([]string{"User-Agent", firefox}, header...)...)
}

func TestASearchIsCountedWithItsChoice(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	b := w.browser()
	p := b.searches("q=lamp")
	result := p.link(w.lamp.Title)
	require.Regexp(t, `^/l/`+string(w.lamp.ID)+`\?found=\d+\.[0-9a-z]+$`, result)
	assert.NotContains(t, result, "lamp?", "what was searched for is not in the address")
	l := b.get(result, "User-Agent", firefox, "Sec-Fetch-Site", "same-origin")
	assert.Equal(t, 200, l.status)
	assert.Contains(t, l.body, `<link rel="canonical" href="/l/`+string(w.lamp.ID)+`">`)
	assert.NotContains(t, l.body, "found=", "links from there are clean")
	got := w.figures()
	assert.EqualValues(t, 1, got.Searches)
	assert.EqualValues(t, 1, got.Clicks)

	b.searches("q=lamp&stock=1")
	b.searches("q=lamp&sort=price_up")
	b.get("/c/home/lighting?q=lamp", "User-Agent", firefox)
	b.searches("")
	assert.Equal(t, got, w.figures(), "narrowed, sorted, within a department, without a word: no new search")
}

func TestWhoIsNobodyIsNotCounted(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	result := w.browser().searches("q=lamp").link(w.lamp.Title)
	before := w.figures()
	for _, header := range [][]string{
		{"User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
		{"User-Agent", "curl/8.0"},
		{"User-Agent", ""},
		{"User-Agent", firefox, "Sec-Purpose", "prefetch;prerender"},
	} {
		b := w.browser()
		p := b.get("/search?q=lamp", header...)
		assert.NotContains(t, p.body, "found=", header)
		b.get(result, header...)
	}
	w.as("operator").searches("q=lamp")
	w.as("operator").get(result, "User-Agent", firefox)
	for _, found := range []string{"nothing", "1.nothing", "x.y", "-1.x", ".", "99999999999.x", "1." + strings.Repeat("x", 500)} {
		p := w.browser().get("/l/"+string(w.lamp.ID)+"?found="+found, "User-Agent", firefox)
		assert.Equal(t, 200, p.status, found)
	}
	w.browser().get(result, "User-Agent", firefox, "Sec-Fetch-Site", "cross-site")
	w.browser().get(result, "User-Agent", firefox, "Sec-Fetch-Site", "none")
	assert.Equal(t, before, w.figures())
}

func TestAnOperatorSeesWhatPeopleSearchFor(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	w.search.Sells(w.orders)
	o := w.as("operator")
	p := o.get("/operator/search")
	p.sound()
	assert.Contains(t, p.text(), "Nobody has searched in these days")
	b := w.browser()
	for range 3 {
		b.searches("q=Trombone")
	}
	var result string
	for range 4 {
		result = b.searches("q=lamp").link(w.lamp.Title)
	}
	b.searches("q=somebody@example.com")
	b.searches("q=once")
	b.get(result, "User-Agent", firefox)
	p = o.get("/operator/search")
	p.sound()
	text := p.text()
	assert.Contains(t, text, "9 searches in 30 days: 56 % of them found nothing.")
	assert.Contains(t, text, "lamp 4 0 1 25 % 0.0 Synonym · Pin")
	assert.Contains(t, text, "trombone 3 3 0 0 % 0.0")
	assert.NotContains(t, text, "somebody@example.com")
	assert.NotContains(t, text, "once 1")
	assert.Equal(t, "/operator/search/rules?kind=pin&query=lamp", p.link("Pin"))
	assert.Less(t, strings.Index(text, "lamp 4"), strings.Index(text, "trombone 3"))

	p = o.get(p.link("Found nothing"))
	assert.NotContains(t, p.text(), "lamp 4")
	assert.Contains(t, p.text(), "trombone 3")
	p = o.get("/operator/search").submit("/operator/search", map[string]string{"until": "2001-01-31", "from": "2001-01-01"})
	assert.Contains(t, p.text(), "Nobody has searched in these days")
	p = o.get("/operator/search?sort=text_down")
	assert.Greater(t, strings.Index(p.text(), "lamp 4"), strings.Index(p.text(), "trombone 3"))
	p = o.get("/operator/search?q=TROM")
	assert.Contains(t, p.text(), "With: TROM")
	assert.NotContains(t, p.text(), "lamp 4")

	table, err := csv.NewReader(strings.NewReader(o.get(o.get("/operator/search?sort=empty_down").link("CSV")).body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, table, 3)
	assert.Equal(t, []string{"trombone", "3", "3", "0", "0", "0", "0", "0", "0.000"}, table[1])
	assert.Equal(t, "lamp", table[2][0])
}
