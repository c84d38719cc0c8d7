package searchsvc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
)

func TestFactsOfAListingAreWhatOneCanChooseFromAList(t *testing.T) {
	t.Parallel()
	e := catalog.ListingChanged{
		Attributes: []catalog.Attribute{
			{Name: " Colour ", Value: "Red"},
			{Name: "Colour", Value: "Red"},
			{Name: "Colour", Value: "Blue\x1fgrey"},
			{Name: "Width", Value: "17.0"},
			{Name: "Version", Value: "v1.0"},
			{Name: "", Value: "x"},
			{Name: "x", Value: " "},
			{Name: "Story", Value: strings.Repeat("long ", 20)},
		},
		Variants: []catalog.ListingVariant{
			{Options: []catalog.Option{{Name: "Size", Value: "M"}}}, {Options: []catalog.Option{{Name: "Size", Value: "L"}}},
		},
	}
	assert.Equal(t, []fact{{"Colour", "Red"}, {"Colour", "Blue grey"}, {"Width", "17"}, {"Version", "v1.0"}, {"Size", "M"}, {"Size", "L"}}, factsOf(e))
	e.Attributes = nil
	for i := range 2 * maxFacts {
		e.Attributes = append(e.Attributes, catalog.Attribute{Name: "n", Value: fmt.Sprint(i)})
	}
	assert.Len(t, factsOf(e), maxFacts)
}

func TestFactsComeBackFromARow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		known := newFacts()
		var rows []factRow
		var all []fact
		want := map[string]bool{}
		for range rapid.IntRange(0, 20).Draw(t, "facts") {
			f := fact{rapid.SampledFrom([]string{"Colour", "colour", "Size"}).Draw(t, "name"), rapid.SampledFrom([]string{"Red", "RED", "Blue", "4"}).Draw(t, "value")}
			all, rows = append(all, f), append(rows, factRow{f.id(), f.name + factGap + f.value})
			want[foldFact(f.name)+" "+foldFact(f.value)] = true
		}
		row := shelfRow{Facts: factIDs(all)}
		require.Len(t, row.Facts, factBytes*len(all))
		known.take(rows)
		require.Empty(t, known.unknown([]shelfRow{row}))
		got := map[string]bool{}
		numbers := known.of(row.Facts)
		for _, at := range numbers {
			v := known.values[at]
			got[foldFact(known.kinds[v.kind].label)+" "+foldFact(v.label)] = true
		}
		require.Len(t, numbers, len(got), "each once")
		require.Equal(t, want, got)
		require.True(t, slices.IsSortedFunc(numbers, func(a, b uint32) int { return int(known.values[a].kind) - int(known.values[b].kind) }))
	})
}

func TestAnAttributeOfManyValuesStaysBounded(t *testing.T) {
	t.Parallel()
	f := newFacts()
	for i := range maxFactEach + 10 {
		f.take([]factRow{{int64(i), "serial" + factGap + fmt.Sprint(i)}})
	}
	assert.Len(t, f.values, maxFactEach+1)
	assert.NotZero(t, f.number("serial", "3"), "the first ones are told apart")
	assert.Zero(t, f.number("serial", fmt.Sprint(maxFactEach+5)))
	assert.NotZero(t, f.number("colour", "red"))
}
