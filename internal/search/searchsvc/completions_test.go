package searchsvc

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
)

// TestSuggestionsFollowBehind has more come at once than who asks for suggestions waits for.
func TestSuggestionsFollowBehind(t *testing.T) {
	t.Parallel()
	s := New(Config{DB: storetest.Open(t, "search", storetest.Once())})
	by := catalog.SellerIDs.New()
	require.NoError(t, s.db.Write(t.Context(), func(tx *store.Tx) error {
		return s.sellerChanged(tx, catalog.SellerChanged{SellerID: by, Name: "North", Status: catalog.SellerApproved})
	}))
	listings := make([]catalog.ListingChanged, toldAtOnce+1)
	for i := range listings {
		listings[i] = catalog.ListingChanged{
			ListingID: catalog.ListingIDs.New(), SellerID: by, Title: fmt.Sprint("Lamp ", i), Status: catalog.ListingActive, Version: 1,
			Variants: []catalog.ListingVariant{{VariantID: catalog.VariantIDs.New()}},
		}
	}
	require.NoError(t, s.Put(t.Context(), listings))
	suggested := func() int {
		reply, err := s.Suggest(t.Context(), search.SuggestRequest{Text: "lam"})
		require.NoError(t, err)
		return len(reply.Suggestions)
	}
	s.telling.on.Store(true) // as if somebody did
	assert.Zero(t, suggested(), "who asks waits for nothing")
	assert.Equal(t, len(listings), s.shelf.completions.left())
	ctx, stop := context.WithCancel(t.Context())
	told := make(chan error)
	go func() { told <- s.Tell(ctx) }()
	require.Eventually(t, func() bool { return s.shelf.completions.left() == 0 }, time.Minute, time.Millisecond)
	assert.Positive(t, suggested())
	stop()
	require.NoError(t, <-told)

	gone := listings[:toldAtOnce] // nobody tells it now but who asks
	for i := range gone {
		gone[i].Version, gone[i].Status = 2, catalog.ListingArchived
	}
	require.NoError(t, s.Put(t.Context(), gone))
	assert.Positive(t, suggested())
	assert.Zero(t, s.shelf.completions.left())
	gone[0].Version, gone[0].Status = 3, catalog.ListingActive
	listings[toldAtOnce].Version, listings[toldAtOnce].Status = 2, catalog.ListingArchived
	require.NoError(t, s.Put(t.Context(), []catalog.ListingChanged{gone[0], listings[toldAtOnce]}))
	reply, err := s.Suggest(t.Context(), search.SuggestRequest{Text: "lamp"})
	require.NoError(t, err)
	for _, one := range reply.Suggestions {
		assert.NotEqual(t, listings[toldAtOnce].ListingID, one.Listing, "what is gone is not suggested")
	}
}
