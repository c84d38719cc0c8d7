package storefront

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search"
	"souk/internal/storefront/views"
)

func TestPricesAreInTheCurrencyTheyAreCountedIn(t *testing.T) {
	t.Parallel()
	values := []search.FacetValue{{Value: "0-999", Max: 999, Count: 2}, {Value: "1000-1999", Min: 1000, Max: 1999, Count: 1}, {Value: "2000-2999", Min: 2000, Max: 2999, Count: 1}}
	reply := search.QueryReply{
		Hits: []search.Hit{{}},
		Facets: []search.Facet{
			{Kind: search.FacetPrice, Currency: "USD", Values: values},
			{Kind: search.FacetHistogram, Currency: "USD", Values: values},
		},
	}
	reply.Hits[0].PriceFrom.Currency = "JPY"
	facet := asked{base: "/search"}.facets(reply, "EUR")[0]
	assert.Equal(t, "USD", facet.Range.Unit)
	assert.Equal(t, "/search?currency=USD&max=19.99&min=10.00", facet.Values[1].URL)
	assert.Contains(t, facet.Bars.Title, "$")
	reply.Facets = []search.Facet{{Kind: search.FacetPrice}}
	assert.Equal(t, "EUR", asked{}.facets(reply, "EUR")[0].Range.Unit, "without prices it is the shop's")
}

func TestManyRootsLeaveRoomForWhatIsBelow(t *testing.T) {
	t.Parallel()
	f := search.Facet{Kind: search.FacetCategory}
	for i := range 20 {
		f.Values = append(f.Values, search.FacetValue{Value: fmt.Sprintf("root-%02d", i), Selected: i == 17})
	}
	for i := range 15 {
		f.Values = append(f.Values, search.FacetValue{Value: fmt.Sprintf("root-17/child-%02d", i)})
	}
	a := asked{category: "root-17"}
	roots, children := 0, 0
	for _, value := range a.facet("category", "Category", f, a.withCategory).Values {
		if strings.Contains(value.Value, "/") {
			children++
		} else {
			roots++
		}
	}
	assert.Equal(t, [2]int{13, 15}, [2]int{roots, children}, "the first twelve roots, the selected one, and all below it")
}

func TestWithoutFiltersTheWordsStayAsTyped(t *testing.T) {
	t.Parallel()
	a := asked{base: "/search", text: "lmap", exact: true, stock: true}
	assert.Equal(t, "/search?exact=1&q=lmap", a.bare().url())
}

func TestANoticeFitsItsCookie(t *testing.T) {
	t.Parallel()
	f := views.Flash{Text: "It is gone.", Undo: &views.Act{Values: map[string]string{"words": strings.Repeat("a word\n", 300)}}}
	text, err := cookieText(f)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(text), maxFlash)
	assert.True(t, fitsCookie(f))
	f.Undo.Values["words"] = strings.Repeat("ein Wört\n", 500)
	assert.False(t, fitsCookie(f))
}

func TestWhatIsChosenInAnotherCaseIsTakenAway(t *testing.T) {
	t.Parallel()
	chosen := []string{"hp", "Canon"}
	assert.Equal(t, []string{"Canon"}, toggled(chosen, "HP"))
	assert.Equal(t, []string{"hp", "Canon", "Epson"}, toggled(chosen, "Epson"))
	assert.Equal(t, []string{"hp", "Canon"}, chosen)
}
