package searchsvc_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// rule adds a rule that is written as in a file.
func (b *bench) rule(t *testing.T, line string) search.Rule {
	t.Helper()
	r, err := b.AddRule(t.Context(), actor.System(""), id.New("rla_"), line, "")
	require.NoError(t, err)
	return r
}

// TestPagesWithPinsThatChange pages while pins come and go: none is passed over, none comes twice.
func TestPagesWithPinsThatChange(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 6 {
		goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Desk lamp %d", i), 1000, 1))
	}
	var pins []catalog.Listing
	for i := range 3 {
		pins = append(pins, goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Bowl %d", i), 1000, 1)))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	first := b.rule(t, fmt.Sprintf("pin: desk lamp > %s at 1", pins[0].ID))
	b.rule(t, fmt.Sprintf("pin: desk lamp > %s at 4", pins[1].ID))
	r := search.QueryRequest{Text: "desk lamp", Page: page.Request{Limit: 3}}
	seen := map[string]int{}
	next := func() (titles []string) {
		t.Helper()
		reply, err := b.Query(t.Context(), r)
		require.NoError(t, err)
		for _, hit := range reply.Hits {
			titles = append(titles, hit.Title)
			seen[hit.Title]++
		}
		r.Page.Cursor = reply.Next
		return titles
	}
	assert.Equal(t, "Bowl 0", next()[0])
	_, err := b.RemoveRule(t.Context(), search.RemoveRuleRequest{By: actor.System(""), Key: "key", Rule: first.ID})
	require.NoError(t, err)
	assert.Equal(t, "Bowl 1", next()[0], "another is not passed over because the first is gone")
	b.rule(t, fmt.Sprintf("pin: desk lamp > %s at 2", pins[0].ID))
	b.rule(t, fmt.Sprintf("pin: desk lamp > %s at 8", pins[2].ID))
	assert.Equal(t, "Bowl 2", next()[1])
	assert.Empty(t, r.Page.Cursor)
	for title, times := range seen {
		assert.Equal(t, 1, times, title)
	}
	assert.Len(t, seen, 9)
}

// TestRulesAboutBeginnings says that rules hold for lap*, and for one letter of a script without spaces, on both sides.
func TestRulesAboutBeginnings(t *testing.T) {
	t.Parallel()
	const pot, green, notebook, laptop = "茶器 of clay", "Tea from Uji", "Notebook with a pen", "Laptop bag"
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for _, title := range []string{pot, green, notebook, laptop} {
		goods.AddListing(by.ID, catalogtest.Draft(title, 1000, 1))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	b.rule(t, "same: 茶, tea")
	b.rule(t, "also: lap* > notebook")
	b.rule(t, "also: pen case > lap* bag")
	for text, want := range map[string][]string{
		"茶":        {pot, green},
		"tea":      {pot, green},
		"lap*":     {laptop, notebook},
		"notebook": {notebook},
		"pen case": {laptop},
	} {
		exact := true
		reply, err := b.Query(t.Context(), search.QueryRequest{Text: text, Exact: &exact})
		require.NoError(t, err)
		found := []string{}
		for _, hit := range reply.Hits {
			found = append(found, hit.Title)
		}
		assert.Subset(t, found, want, text)
		if text != "pen case" { // a listing has a pen, and comes after
			assert.Len(t, found, len(want), text)
		}
	}
}
