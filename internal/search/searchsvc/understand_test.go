package searchsvc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// TestTheBeginningOfAModelNumberFindsIt looks for what people remember of a number: not all of it.
func TestTheBeginningOfAModelNumberFindsIt(t *testing.T) {
	t.Parallel()
	const notebook, printer, brush = "HP Pavilion dv7-1211ea notebook", "Brother HL-1211 printer", "Sonicare HX6730/02 toothbrush"
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for _, title := range []string{notebook, printer, brush} {
		goods.AddListing(by.ID, catalogtest.Draft(title, 1000, 1))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	for text, want := range map[string][]string{
		"dv7-1211ea":     {notebook},
		"dv7-1211":       {notebook},
		"notebook dv7-1": {notebook},
		"hx67":           {brush},
		"hx6730":         {brush},
		"HL-1211":        {printer},
		"dv8-1211":       nil, // another model
		"hx6":            nil, // it could be anything
	} {
		assert.ElementsMatch(t, want, b.titles(t, text), "looking for %q", text)
	}
}

// TestPagesAreOfTheSameWords has a word come between two pages that changes what another is taken for.
func TestPagesAreOfTheSameWords(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 30 {
		goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Notebook dv7-1211e%c %d", 'a'+i%3, i), 1000, 1))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	heard := len(goods.Events())
	ask := search.QueryRequest{Text: "dv7-1211", Page: pageOf(20)}
	first, err := b.Query(t.Context(), ask)
	require.NoError(t, err)
	require.EqualValues(t, 30, first.Total)
	goods.AddListing(by.ID, catalogtest.Draft("Notebook dv7-1211", 1000, 1)) // from now on the word stands for itself
	require.NoError(t, b.hear(t.Context(), goods.Events()[heard:]))
	ask.Page.Cursor = first.Next
	second, err := b.Query(t.Context(), ask)
	require.NoError(t, err)
	seen := map[catalog.ListingID]bool{}
	for _, h := range append(first.Hits, second.Hits...) {
		assert.False(t, seen[h.Listing], "%s comes twice", h.Title)
		seen[h.Listing] = true
	}
	for _, l := range goods.Events()[:heard] {
		if l, ok := l.(catalog.ListingChanged); ok {
			assert.True(t, seen[l.ListingID], "%s is on no page", l.Title)
		}
	}
}

// TestManyBeginningsAreNoMoreWork asks for beginnings that each may become more than are looked for.
func TestManyBeginningsAreNoMoreWork(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	text := ""
	for _, begin := range []string{"lam", "bra", "oak", "rug"} {
		text += begin + "* "
		for i := range 40 {
			goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("%s%c%c", begin, 'a'+i/20, 'a'+i%20), 1000, 1))
		}
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	reply, err := b.Query(t.Context(), search.QueryRequest{Text: "lam*"})
	require.NoError(t, err)
	assert.InDelta(t, 32, reply.Total, 7, "of one beginning; some words have a stem in common")
	reply, err = b.Query(t.Context(), search.QueryRequest{Text: text})
	require.NoError(t, err)
	assert.InDelta(t, 64, reply.Total, 15, "of all together")
}

// TestAVersionIsNoLength asks for 3.0 among cables of 3 m.
func TestAVersionIsNoLength(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	list := func(n int, title string) {
		for i := range n {
			d := catalogtest.Draft(fmt.Sprintf("%s %c", title, 'a'+i), 1000, 1)
			goods.AddListing(by.ID, d)
		}
	}
	list(12, "USB cable 3 m USB cable")
	list(10, "Long word before the USB 3.0 extension cable")
	list(3, "HDMI 2 cable")
	list(2, "HDMI 2.0 cable of another sort and colour")
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	found := func(text string) (titles []string) {
		for cursor := ""; ; {
			reply, err := b.Query(t.Context(), search.QueryRequest{Text: text, Page: page.Request{Limit: 4, Cursor: cursor}})
			require.NoError(t, err)
			for _, h := range reply.Hits {
				titles = append(titles, h.Title)
			}
			if cursor = reply.Next; cursor == "" {
				return titles
			}
		}
	}
	for text, want := range map[string]int{"usb 3.0 cable": 10, "usb 3,00 cable": 10, "usb 3.0m cable": 12, "usb 3 cable": 22, "hdmi 2.0": 5} {
		assert.Len(t, found(text), want, text)
	}
	for _, title := range found("usb 3.0 cable") {
		assert.Contains(t, title, "3.0")
	}
	for i, title := range found("hdmi 2.0") {
		assert.Equal(t, i < 2, strings.Contains(title, "2.0"), "what has it as typed comes first: %s", title)
	}
}
