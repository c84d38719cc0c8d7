package searchsvc

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/search/searchsvc/internal/bloom"
)

// saying is an active listing whose description has these words.
func saying(text string) entry {
	return entryOf(catalog.ListingChanged{
		ListingID: catalog.ListingIDs.New(), Title: "Lamp", Description: text, Status: catalog.ListingActive, Version: 1, Variants: make([]catalog.ListingVariant, 1),
	})
}

// tester is a test, of rapid too.
type tester interface {
	require.TestingT
	Context() context.Context
}

// takeAll brings a shelf up to date with a set.
func takeAll(t tester, db *store.DB, from *set, sh *shelf) {
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		for {
			w, err := from.selectWritten(q, sh.seen, marks{Listings: 1 << 62, Sellers: 1 << 62, Categories: 1 << 62}, &sh.facts)
			if err != nil {
				return err
			}
			w.marks = sh.seen.after(w)
			sh.take(w)
			if len(w.listings) < loadRows {
				return nil
			}
		}
	}))
}

// TestWordsOfTextsAreKnown writes, undoes writes, starts anew and empties; who has followed and who
// comes new knows every word that was written, and those alone.
func TestWordsOfTextsAreKnown(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "search", storetest.SQLite(), storetest.Once())
	undone := errors.New("undone")
	rapid.Check(t, func(t *rapid.T) {
		to, follower := newSet("a"), newShelf(1)
		require.NoError(t, db.Write(t.Context(), to.empty))
		written := map[string]bool{}
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"zither", "kangaroo", "umbrella", "sombrero", "cello", "oboe", "ant"}), 2, 4)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch what := rapid.SampledFrom([]string{"write", "write", "undo", "start", "empty", "follow"}).Draw(t, "what"); what {
			case "write", "undo":
				var why error
				if what == "undo" {
					why = undone
				}
				said := words.Draw(t, "words")
				all := []entry{saying(fmt.Sprint(said[:1])), saying(fmt.Sprint(said[1:]))}
				err := db.Write(t.Context(), func(tx *store.Tx) error { return errors.Join(to.put(tx, all), why) })
				require.ErrorIs(t, err, why)
				for _, word := range said {
					written[word] = written[word] || why == nil
				}
			case "start":
				to = newSet("a")
			case "empty":
				require.NoError(t, db.Write(t.Context(), to.empty))
				written, follower = map[string]bool{}, newShelf(1)
			case "follow":
				takeAll(t, db, to, follower)
			}
		}
		comer := newShelf(1)
		takeAll(t, db, to, follower)
		takeAll(t, db, to, comer)
		for word, there := range written {
			require.Equal(t, there, follower.said.Has(bloom.Hash(word)), word)
			require.Equal(t, there, comer.said.Has(bloom.Hash(word)), word)
		}
	})
}

// TestWordsOfTextsAreReadInParts has more listings than are taken over at a time.
func TestWordsOfTextsAreReadInParts(t *testing.T) {
	t.Parallel()
	db, to := storetest.Open(t, "search", storetest.SQLite(), storetest.Once()), newSet("a")
	word := func(i int) string {
		return "word" + string(rune('a'+i/676)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
	}
	const each = 300
	for from := 0; from < 2*loadRows; from += each {
		all := make([]entry, each)
		for i := range all {
			all[i] = saying(word(from + i))
		}
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error { return to.put(tx, all) }))
	}
	sh := newShelf(1)
	takeAll(t, db, to, sh)
	for i := range 2 * loadRows {
		require.True(t, sh.said.Has(bloom.Hash(word(i))), word(i))
	}
	assert.False(t, sh.said.Has(bloom.Hash("another")))
}
