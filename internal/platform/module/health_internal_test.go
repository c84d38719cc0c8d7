package module

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
)

// A balancer takes a process that says nothing for dead, and cuts off all that is under way there.
func TestReadinessWaitsForNoDatabaseThatIsSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		silent := func(context.Context) error {
			asked.Add(1)
			time.Sleep(10 * time.Second) // of the bubble
			return errors.New("gone")
		}
		r := new(reach)
		began := time.Now()
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), sharedTime)
			require.ErrorIs(t, r.ask(ctx, silent), store.ErrUnreachable)
			cancel()
		}
		assert.Equal(t, 3*sharedTime, time.Since(began))
		assert.Equal(t, int64(1), asked.Load(), "and asks no other before it has answered")
		require.EqualError(t, r.ask(t.Context(), silent), "gone")
		require.NoError(t, r.ask(t.Context(), func(context.Context) error { return nil }))
	})
}
