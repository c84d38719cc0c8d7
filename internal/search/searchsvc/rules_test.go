package searchsvc

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/words"
)

func TestMarks(t *testing.T) {
	t.Parallel()
	plain := func(s string) search.Piece { return search.Piece{Text: s} }
	match := func(s string) search.Piece { return search.Piece{Text: s, Match: true} }
	tests := map[string]struct {
		query, text string
		want        []search.Piece
	}{
		"nothing":          {query: "lamp"},
		"no match":         {query: "desk", text: "lamp", want: []search.Piece{plain("lamp")}},
		"within":           {query: "lamp", text: "A Lamp, b", want: []search.Piece{plain("A "), match("Lamp"), plain(", b")}},
		"side by side":     {query: "desk lamp", text: "desk-lamp", want: []search.Piece{match("desk"), plain("-"), match("lamp")}},
		"a beginning":      {query: "lam*", text: "Lamps and lamellas", want: []search.Piece{match("Lamps"), plain(" and "), match("lamellas")}},
		"nothing asked":    {text: "lamp", want: []search.Piece{plain("lamp")}},
		"accents are kept": {query: "creme", text: "Crème", want: []search.Piece{match("Crème")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMarker(words.Parse(tt.query))
			assert.Equal(t, tt.want, m.pieces(tt.text))
		})
	}
}

func TestSnippets(t *testing.T) {
	t.Parallel()
	m := newMarker(words.Parse("lamp"))
	assert.Equal(t, []search.Piece{{Text: "A "}, {Text: "lamp", Match: true}, {Text: "."}}, m.snippet("A lamp."))
	got := m.snippet(strings.Repeat("so much before ", 50) + "the lamp" + strings.Repeat(" and after", 100))
	assert.True(t, strings.HasPrefix(got[0].Text, "…"))
	assert.Equal(t, search.Piece{Text: "lamp", Match: true}, got[1])
	assert.True(t, strings.HasSuffix(got[len(got)-1].Text, "…"))
	assert.Less(t, len(got[0].Text)+len(got[2].Text), 300)
	assert.Equal(t, []search.Piece{{Text: "no such word"}}, m.snippet("no such word"))
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("lamp é  x日́")))).Draw(t, "text")
		all := ""
		for _, p := range m.pieces(text) {
			require.NotEmpty(t, p.Text)
			all += p.Text
		}
		require.Equal(t, text, all)
		for _, p := range m.snippet(text) {
			require.NotEmpty(t, p.Text)
		}
	})
}

func TestLeadEndsBetweenWords(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "short", lead("short"))
	got := lead(strings.Repeat("äbcd, ", 100))
	assert.LessOrEqual(t, len([]rune(got)), maxLead+1)
	assert.True(t, strings.HasSuffix(got, "äbcd…"), got)
	assert.Len(t, []rune(lead(strings.Repeat("x", 500))), maxLead+1)
}

func TestRangesHaveEveryPriceOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prices := rapid.SliceOf(rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, 1_000_000_000_000), rapid.SampledFrom([]int64{0, 999, 1000}))).Draw(t, "prices")
		sum, next := int64(0), int64(0)
		got := rangesOf(prices)
		require.LessOrEqual(t, len(got), ranges)
		for _, r := range got {
			require.GreaterOrEqual(t, r.min, next)
			require.GreaterOrEqual(t, r.max, r.min)
			inside := int64(0)
			for _, p := range prices {
				if p >= r.min && p <= r.max {
					inside++
				}
			}
			require.Equal(t, inside, r.count)
			require.Positive(t, r.count)
			sum, next = sum+r.count, r.max+1
		}
		require.EqualValues(t, len(prices), sum)
	})
}

// rangesOf are the ranges of some prices.
func rangesOf(prices []int64) []priceRange {
	w := &walk{shelf: newShelf(1), limits: limits{counted: len(prices)}}
	for i, price := range prices {
		w.grow(uint32(i))
		w.setPrice(uint32(i), price, 0)
	}
	all := make([]uint64, docset.Words(len(prices)))
	for i := range prices {
		setBit(all, uint32(i), true)
	}
	return w.count(all, search.FacetPrice).prices[0].ranges()
}

func TestRanges(t *testing.T) {
	t.Parallel()
	var prices []int64
	for i := range int64(1000) {
		prices = append(prices, 100+i*10)
	}
	assert.Equal(t, []priceRange{{0, 1999, 190}, {2000, 4999, 300}, {5000, 9999, 500}, {10000, 20000, 10}}, rangesOf(prices))
	assert.Equal(t, []priceRange{{0, 1000, 3}}, rangesOf([]int64{999, 999, 999}))
	assert.Empty(t, rangesOf(nil))
}

func TestNumbersReadWhatSQLWrites(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []uint32{1, 20, 300}, documents("1,20,300"))
	assert.Equal(t, []uint32{7}, documents("7"))
	assert.Empty(t, documents(""))
}

func TestKeysAreInTheOrderOfIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.StringMatching(`lst_[0-7][0-9a-hjkmnp-tv-z]{25}`)
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		one, two := keyOf(catalog.ListingID(a)), keyOf(catalog.ListingID(b))
		require.Equal(t, strings.Compare(a, b), slices.Compare(one[:], two[:]))
		require.NotEqual(t, listingKey{}, keyOf(catalog.ListingID(a[:10])))
	})
}

func TestEntryOf(t *testing.T) {
	t.Parallel()
	variant := func(minor int64, stock bool) catalog.ListingVariant {
		return catalog.ListingVariant{SKU: "S", GTIN: "4006381333931", Price: money.Money{Minor: minor, Currency: "EUR"}, InStock: stock}
	}
	e := catalog.ListingChanged{
		Title: " Desk\x02lamp\n", Brand: "Elm", Path: "home/desk-lamps", Status: catalog.ListingActive, Version: 3,
		Attributes: []catalog.Attribute{{Name: "Dimmable", Value: "Yes"}, {Name: "Touch", Value: "no"}, {Name: "Colour", Value: "green"}, {Name: "Shade", Value: "green"}},
		Variants:   []catalog.ListingVariant{variant(300, false), variant(100, true), variant(200, false)},
	}
	read := func(e catalog.ListingChanged) entry {
		all := []entry{entryOf(e)}
		readAll(all)
		return all[0]
	}
	got := read(e)
	assert.True(t, got.Shown)
	assert.True(t, got.InStock)
	assert.EqualValues(t, 100, got.From)
	assert.EqualValues(t, 300, got.To)
	assert.Equal(t, text{
		Title: "Desk lamp", Brand: "Elm", Category: "home desk lamps", Details: "Dimmable\ngreen",
		Codes: "S 4006381333931 S 4006381333931 S 4006381333931",
	}, got.Text)

	e.Status = catalog.ListingDraft
	assert.False(t, entryOf(e).Shown)
	assert.Equal(t, text{}, read(e).Text, "what is not shown has no words")
	e.Status, e.Variants = catalog.ListingActive, nil
	assert.False(t, entryOf(e).Shown, "there is nothing to buy")
}

func TestAbove(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"a", "a/b", "a/b/c"}, above("a/b/c"))
	assert.Empty(t, above(""))
	assert.Equal(t, "desk lamps", spoken("home/desk-lamps"))
}
