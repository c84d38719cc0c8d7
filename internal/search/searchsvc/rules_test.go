package searchsvc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/search"
)

func TestWordsOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string
	}{
		"nothing":              {},
		"case and order":       {text: "Desk LAMP", want: []string{"desk", "lamp"}},
		"each once":            {text: "lamp desk lamp", want: []string{"lamp", "desk"}},
		"signs divide":         {text: `dv7-1211ea "17.3"`, want: []string{"dv7", "1211ea", "17", "3"}},
		"accents stay":         {text: "cre\u0300me", want: []string{"cre\u0300me"}},
		"nothing but signs":    {text: `"*()-^:`},
		"what is not text":     {text: "a\xffb\x00c", want: []string{"a", "b", "c"}},
		"a word has its limit": {text: strings.Repeat("ü", 100), want: []string{strings.Repeat("ü", maxWord)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, wordsOf(tt.text))
		})
	}
	assert.Len(t, wordsOf("a b c d e f g h i j k l m n o p q r s t u v w x y z"), maxWords)
	assert.Equal(t, `"desk" "lamp"`, expression([]string{"desk", "lamp"}, false))
	assert.Equal(t, `"desk" OR "lamp"`, expression([]string{"desk", "lamp"}, true))
}

func FuzzWordsOf(f *testing.F) {
	f.Add(`"a" OR b*`)
	f.Add("é\x00\"\xff")
	f.Fuzz(func(t *testing.T, text string) {
		words := wordsOf(text)
		require.LessOrEqual(t, len(words), maxWords)
		for _, word := range words {
			require.NotEmpty(t, word)
			require.False(t, strings.ContainsFunc(word, func(r rune) bool { return !inWord(r) }), "%q", word)
		}
	})
}

func TestPiecesOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		marked string
		want   []search.Piece
	}{
		"nothing":           {},
		"no match":          {marked: "lamp", want: []search.Piece{{Text: "lamp"}}},
		"within":            {marked: "a \x02lamp\x03 b", want: []search.Piece{{Text: "a "}, {Text: "lamp", Match: true}, {Text: " b"}}},
		"side by side":      {marked: "\x02a\x03\x02b\x03", want: []search.Piece{{Text: "a", Match: true}, {Text: "b", Match: true}}},
		"an end is missing": {marked: "a\x02b", want: []search.Piece{{Text: "a"}, {Text: "b", Match: true}}},
		"empty match":       {marked: "a\x02\x03b", want: []search.Piece{{Text: "a"}, {Text: "b"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, piecesOf(tt.marked))
		})
	}
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
		got := rangesOf(append([]int64(nil), prices...))
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
	var got []int64
	numbers("1,-20,300", func(i int, n int64) {
		require.Len(t, got, i)
		got = append(got, n)
	})
	assert.Equal(t, []int64{1, -20, 300}, got)
	numbers("", func(int, int64) { require.Fail(t, "there is none") })
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
	got := entryOf(e)
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
	assert.Equal(t, text{}, entryOf(e).Text, "what is not shown has no words")
	e.Status, e.Variants = catalog.ListingActive, nil
	assert.False(t, entryOf(e).Shown, "there is nothing to buy")
}

func TestAbove(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"a", "a/b", "a/b/c"}, above("a/b/c"))
	assert.Empty(t, above(""))
	assert.Equal(t, "desk lamps", spoken("home/desk-lamps"))
}
