package searchsvc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
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
	assert.Equal(t, []fact{{"Colour", "Red"}, {"Colour", "Blue grey"}, {"Width", "17"}, {"Version", "v1.0"}, {"Size", "M"}, {"Size", "L"}}, factsOf(&e))
	e.Attributes = nil
	for i := range 2 * maxFacts {
		e.Attributes = append(e.Attributes, catalog.Attribute{Name: "n", Value: fmt.Sprint(i)})
	}
	assert.Len(t, factsOf(&e), maxFacts)
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
			got[foldFact(known.kinds[known.kindOf[at]].label)+" "+foldFact(v.label)] = true
		}
		require.Len(t, numbers, len(got), "each once")
		require.Equal(t, want, got)
		require.True(t, slices.IsSortedFunc(numbers, func(a, b uint32) int { return int(known.kindOf[a]) - int(known.kindOf[b]) }))
	})
}

func TestFactsOfAWriteThatWasUndoneAreStoredByTheNext(t *testing.T) {
	t.Parallel()
	db, to := storetest.Open(t, "search", storetest.SQLite(), storetest.Once()), newSet("a")
	put := func(why error, attributes ...string) error {
		l := catalog.ListingChanged{ListingID: catalog.ListingIDs.New(), Title: "Lamp", Status: catalog.ListingActive, Version: 1, Variants: make([]catalog.ListingVariant, 1)}
		for _, value := range attributes {
			l.Attributes = append(l.Attributes, catalog.Attribute{Name: "Colour", Value: value})
		}
		return db.Write(t.Context(), func(tx *store.Tx) error { return errors.Join(to.put(tx, []entry{entryOf(l)}), why) })
	}
	has := func() (all []string) {
		require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
			return q.Select(&all, `SELECT substr(fact, instr(fact, char(31)) + 1) FROM facts_a ORDER BY 1`)
		}))
		return all
	}
	undone := errors.New("undone")
	require.NoError(t, put(nil, "Red"))
	require.ErrorIs(t, put(undone, "Red", "Blue"), undone)
	require.Equal(t, []string{"Red"}, has())
	require.NoError(t, put(nil, "Blue"))
	require.Equal(t, []string{"Blue", "Red"}, has())

	rename := func(query string) {
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query); return err }))
	}
	rename(`ALTER TABLE terms_a RENAME TO away`)
	require.Error(t, put(nil, "Green"), "breaks off half way")
	rename(`ALTER TABLE away RENAME TO terms_a`)
	require.NoError(t, put(nil, "Green"))
	require.Equal(t, []string{"Blue", "Green", "Red"}, has())

	require.NoError(t, db.Write(t.Context(), to.empty))
	require.NoError(t, put(nil, "Red"))
	require.Equal(t, []string{"Red"}, has())
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

func TestFactsWithTheSameHashAreToldApart(t *testing.T) {
	t.Parallel()
	f := newFacts()
	f.hash = func(uint32, string) uint64 { return 7 }
	red, blue, size := f.number("Colour", "Red"), f.number("Colour", "Blue"), f.number("Size", "Red")
	assert.Len(t, map[uint32]bool{red: true, blue: true, size: true}, 3)
	for want, got := range map[uint32]uint32{red: f.number("colour", "RED"), blue: f.number("colour", "blue"), size: f.number("size", "red")} {
		assert.Equal(t, want, got)
	}
	at, _ := f.find(f.kindAt["size"], "Blue")
	assert.Zero(t, at)
}
