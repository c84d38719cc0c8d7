package job

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// Between the commit that ends a run and the moment that this is noted the same job is asked for again, and passed over.
func TestWhoWasPassedOverIsLookedForWhenTheRunHasEnded(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "jobs")
	r := NewRunner(Config{DB: db})
	r.Handle("a.saga", func(context.Context, Job) error { return nil })
	enqueue := func() {
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.Enqueue("a.saga", "x", tx.Now()) }))
	}
	enqueue()
	first, err := r.claim(t.Context(), 5)
	require.NoError(t, err)
	require.Len(t, first.due, 1)
	end := r.judge(first.due[0], nil, false)
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		gone, err := end.write(tx)
		assert.True(t, gone)
		return err
	}))

	enqueue()
	second, err := r.claim(t.Context(), 5)
	require.NoError(t, err)
	assert.Empty(t, second.due)
	assert.False(t, second.more)
	assert.True(t, r.ended(end.job), "it waits for that")
	third, err := r.claim(t.Context(), 5)
	require.NoError(t, err)
	require.Len(t, third.due, 1)
	assert.False(t, r.ended(third.due[0]), "nothing waits any more")
}

// A run ends between the look at who runs and the taking, and nobody has missed it yet.
func TestWhoEndedMeanwhileIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	r := NewRunner(Config{DB: storetest.Open(t, "jobs")})
	x, y := name{"a.saga", "x"}, name{"a.saga", "y"}
	r.began([]Job{{Kind: "a.saga", Key: "y"}}, nil)
	assert.False(t, r.began(nil, []name{y}), "it runs")
	assert.True(t, r.began(nil, []name{y, x}))
}
