package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

// forty are forty numbers from one on.
func forty(from int64) []int64 {
	numbers := make([]int64, 40)
	for i := range numbers {
		numbers[i] = from + int64(i)
	}
	return numbers
}

func TestAPublisherWaitsForThoseWhoFollow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 0)
	w.drain()
	w.sell("tea", forty(1)...)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.b.Run(ctx) }()
	require.NoError(t, w.b.Abreast(t.Context(), shopLog, time.Hour))
	assert.Len(t, w.heard(), 41)
	stop()
	require.NoError(t, <-ended)
}

func TestAPublisherWaitsForNobodyWhoDoesNotMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 0)
	w.drain()
	w.sell("tea", forty(1)...)
	require.NoError(t, w.b.Abreast(t.Context(), shopLog, time.Millisecond), "nobody follows")
	ended, end := context.WithCancel(t.Context())
	end()
	require.ErrorIs(t, w.b.Abreast(ended, shopLog, time.Hour), context.Canceled)
	require.NoError(t, w.b.Abreast(t.Context(), "another", time.Hour))

	w.failing[1] = errs.Refusal(errs.Unavailable, "away")
	require.ErrorIs(t, w.b.Drain(t.Context()), w.failing[1])
	require.NoError(t, w.b.Abreast(t.Context(), shopLog, time.Hour), "it was stopped")
}
