package searchsvc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc"
)

// A listing that cannot be stored spoils the batch that it comes in, and must not stop the others
// for ever: it is found out one by one, and parked.
func TestOneListingThatCannotBeStoredIsParkedAlone(t *testing.T) {
	t.Parallel()
	goods, _, all := shop(20)
	b := newBench(t, goods)
	require.NoError(t, b.db.Write(t.Context(), func(tx *store.Tx) error {
		// Of these two the second is refused.
		_, err := tx.Exec(`CREATE UNIQUE INDEX refuse ON listings_a (shown) WHERE title IN ('Lamp 3', 'Lamp 7')`)
		return err
	}))
	require.Error(t, b.hear(t.Context(), goods.Events()), "the batch as a whole")
	require.NoError(t, b.bus.Drain(t.Context()))
	titles := b.titles(t, "lamp")
	assert.Len(t, titles, 19)
	assert.NotContains(t, titles, "Lamp 7")
	parked, err := b.bus.Show(t.Context(), "search.catalog", 0, 10)
	require.NoError(t, err)
	require.Len(t, parked, 1)
	assert.Equal(t, string(all[7].ID), parked[0].Key)
	reply, err := b.Audit(t.Context(), auditRequest)
	require.NoError(t, err)
	assert.Empty(t, reply.Problems)
}

// Of the states of a listing that come in one batch the newest stands.
func TestStatesOfOneListingInOneBatch(t *testing.T) {
	t.Parallel()
	goods, _, all := shop(3)
	b := newBench(t, goods)
	retitle(t, goods, all[1], "Chair 1")
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	assert.ElementsMatch(t, []string{"Lamp 0", "Lamp 2"}, b.titles(t, "lamp"))
	assert.Equal(t, []string{"Chair 1"}, b.titles(t, "chair"))
}

// What Warm has read no search reads again.
func TestASearchAfterWarmReadsOnlyItsHits(t *testing.T) {
	t.Parallel()
	goods, _, _ := shop(20)
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	statements := func(warm bool) int64 {
		next := searchsvc.New(searchsvc.Config{DB: b.db, Catalog: goods}) // as after a start
		if warm {
			require.NoError(t, next.Warm(t.Context()))
		}
		before := b.db.Stats()
		reply, err := next.Query(t.Context(), search.QueryRequest{Text: "lamp", Page: pageOf(100)})
		require.NoError(t, err)
		require.Len(t, reply.Hits, 20)
		return b.db.Stats().Sub(before).Statements
	}
	assert.Less(t, statements(true), statements(false))
}

// TestHiddenAndShownUnseen hides a listing and shows it again, each in a batch of its own, while nobody
// searches: the number by which it was known is not to stay.
func TestHiddenAndShownUnseen(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	l := goods.AddListing(by.ID, catalogtest.Draft("Brass lamp", 1000, 1))
	goods.AddListing(by.ID, catalogtest.Draft("Oak desk", 1000, 1))
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	_, err := b.Query(t.Context(), search.QueryRequest{})
	require.NoError(t, err)
	for _, to := range []catalog.ListingStatus{catalog.ListingArchived, catalog.ListingActive} {
		heard := len(goods.Events())
		_, err := goods.ChangeListingStatus(t.Context(), catalog.ChangeListingStatusRequest{
			By: catalogtest.Staff(by.ID), Key: catalogtest.Key(), Listing: l.ID, Status: to,
		})
		require.NoError(t, err)
		require.NoError(t, b.hear(t.Context(), goods.Events()[heard:]))
	}
	reply, err := b.Query(t.Context(), search.QueryRequest{})
	require.NoError(t, err)
	assert.Len(t, reply.Hits, 2)
	assert.EqualValues(t, 2, reply.Total)
}
