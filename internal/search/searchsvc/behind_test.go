package searchsvc_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// TestWhatWasPerhapsMeantComesBehind types words that only descriptions have, and model numbers that may be two.
func TestWhatWasPerhapsMeantComesBehind(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	add := func(n int, title, description string) {
		for i := range n {
			d := catalogtest.Draft(title, int64(1000+i), 1)
			d.Description = description
			goods.AddListing(by.ID, d)
		}
	}
	add(1, "Wool rug", "made for a car, in memory of del Toro, with a dll")
	add(2, "Brass lamp", "lights the stand of an ipad")
	add(30, "Dell screen", "")
	add(20, "Memory card", "")
	add(20, "Ipaq stand", "")
	add(2, "Brother TN-2120 toner", "")
	add(1, "Brother TN-2110 toner", "")
	add(3, "Toner", "")
	add(1, "Brother drum", "")
	add(3, "Earbuds", "")
	add(2, "Earbud", "")
	add(1, "Clock", "runs with two batterias")
	add(12, "Batteries", "")
	add(1, "Kettle", "for tea")
	add(15, "Tel socket", "")
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	tests := map[string]struct {
		text, corrected, also string
		first                 []string // of all
		total                 int64
	}{
		"a letter left out":               {text: "del", also: "dell", first: []string{"Wool rug", "Dell screen"}, total: 31},
		"one that stands for another":     {text: "dll", also: "dell", first: []string{"Wool rug", "Dell screen"}, total: 31},
		"beside another word":             {text: "Memory  car!", also: "Memory card!", first: []string{"Wool rug", "Memory card"}, total: 21},
		"a wrong letter is no proof":      {text: "ipad stand", first: []string{"Brass lamp", "Brass lamp"}, total: 2},
		"but of one listing alone":        {text: "batterias", also: "batteries", first: []string{"Clock", "Batteries"}, total: 13},
		"and no short word":               {text: "tea", first: []string{"Kettle"}, total: 1},
		"between quotation marks":         {text: `"del"`, first: []string{"Wool rug"}, total: 1},
		"another ending is no other word": {text: "earbusd", corrected: "earbuds", first: []string{}, total: 5},
		"what a title says":               {text: "dell", first: []string{"Dell screen"}, total: 30},
		"the next guess of a number":      {text: "tn-210", corrected: "tn-2120", also: "tn-2110", first: []string{"Brother TN-2120 toner", "Brother TN-2120 toner", "Brother TN-2110 toner"}, total: 3},
		"and then what has most words":    {text: "brother tn-210 toner", corrected: "brother tn-2120 toner", also: "brother tn-2110 toner", first: []string{"Brother TN-2120 toner", "Brother TN-2120 toner", "Brother TN-2110 toner"}, total: 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask := search.QueryRequest{Text: tt.text, Page: page.Request{Limit: 100}}
			reply, err := b.Query(t.Context(), ask)
			require.NoError(t, err)
			assert.Equal(t, tt.corrected, reply.Corrected)
			assert.Equal(t, tt.also, reply.Also)
			assert.Equal(t, tt.total, reply.Total)
			titles := []string{}
			for _, h := range reply.Hits {
				titles = append(titles, h.Title)
			}
			require.GreaterOrEqual(t, len(titles), len(tt.first))
			assert.Equal(t, tt.first, titles[:len(tt.first)])
			paged := []search.Hit{}
			for ask.Page = (page.Request{Limit: 2}); ; {
				next, err := b.Query(t.Context(), ask)
				require.NoError(t, err)
				assert.Equal(t, tt.also, next.Also)
				assert.Equal(t, tt.total, next.Total)
				paged = append(paged, next.Hits...)
				if ask.Page.Cursor = next.Next; next.Next == "" {
					break
				}
			}
			assert.Equal(t, reply.Hits, paged, "pages neither skip nor repeat")
		})
	}
}

// TestAGuessWithAllWordsComesBeforeWhatHasSome looks closely at few, where most have only what was typed of the words, and not
// the one that says little.
func TestAGuessWithAllWordsComesBeforeWhatHasSome(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for range 12 {
		goods.AddListing(by.ID, catalogtest.Draft("TN-2120 toner", 1000, 1))
	}
	for _, title := range []string{"Brother TN-2110 toner", "Brother TN-2120 toner"} {
		goods.AddListing(by.ID, catalogtest.Draft(title, 1000, 1))
	}
	for range 60 {
		goods.AddListing(by.ID, catalogtest.Draft("Brother drum", 1000, 1))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	for _, closely := range []int{1, 5, 1000} {
		b.LookClosely(closely)
		reply, err := b.Query(t.Context(), search.QueryRequest{Text: "brother tn-210 toner"})
		require.NoError(t, err)
		require.Equal(t, "brother tn-2110 toner", reply.Also)
		require.True(t, reply.AnyWord)
		titles := []string{}
		for _, h := range reply.Hits[:3] {
			titles = append(titles, h.Title)
		}
		assert.Equal(t, []string{"Brother TN-2120 toner", "Brother TN-2110 toner", "TN-2120 toner"}, titles, "looking closely at %d", closely)
	}
}

// TestAGuessNeverComesBetween looks closely at few only: what was typed comes first even if it is nothing by first sight. The
// pages go on as they began, when meanwhile something is called what was typed.
func TestAGuessNeverComesBetween(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 40 {
		goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Dell screen %d", i), 1000, 1))
	}
	for range 3 {
		d := catalogtest.Draft("Rug", 1000, 0)
		d.Description, d.Brand, d.Images = "of del Toro", "", nil
		goods.AddListing(by.ID, d)
	}
	b := newBench(t, goods)
	b.LookClosely(5)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	var all []search.Hit
	for ask := (search.QueryRequest{Text: "del", Page: page.Request{Limit: 7}}); ; {
		reply, err := b.Query(t.Context(), ask)
		require.NoError(t, err)
		all = append(all, reply.Hits...)
		if len(all) == len(reply.Hits) {
			require.Equal(t, "dell", reply.Also)
			goods.AddListing(by.ID, catalogtest.Draft("Del", 1000, 1))
			more := goods.Events()
			require.NoError(t, b.hear(t.Context(), more[len(more)-1:]))
		}
		if ask.Page.Cursor = reply.Next; reply.Next == "" {
			break
		}
	}
	require.Len(t, all, 43, "what is new would have come first")
	seen := map[catalog.ListingID]bool{}
	for i, h := range all {
		assert.Equal(t, i < 3, h.Title == "Rug", "place %d", i+1)
		assert.False(t, seen[h.Listing], "%s comes twice", h.Title)
		seen[h.Listing] = true
	}
}
