package bus_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
)

func TestABatchIsSettledOnceInItsOwnTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var fails error
	w.s.OnBatch(func(tx *store.Tx) error {
		if _, err := tx.Exec(`INSERT INTO heard (item, n) SELECT 'sum', sum(n) FROM heard WHERE item = 'tea'`); err != nil {
			return err
		}
		return fails
	})
	w.sell("tea", 1, 2, 3)
	fails = errors.New("not now")
	require.ErrorIs(t, w.b.Drain(t.Context()), fails)
	assert.Empty(t, w.heard(), "the events are undone with it")
	assert.Empty(t, w.parked(), "and none of them is to blame")
	fails = nil
	w.drain()
	assert.Equal(t, []int64{1, 2, 3, 6}, w.heard())

	w.failing[4] = errors.New("no")
	w.sell("tea", 4)
	w.drain()
	require.Len(t, w.parked(), 1)
	delete(w.failing, 4)
	_, err := w.b.Retry(t.Context(), "reader.sales", "tea", operator)
	require.NoError(t, err)
	sums := w.heardOf("sum")
	assert.EqualValues(t, 10, sums[len(sums)-1], "what is retried is settled too")
}
