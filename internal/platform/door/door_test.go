package door_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/door"
	"souk/internal/platform/errs"
)

func TestPastTheBoundACallerIsTurnedAwayBeforeAnythingBegan(t *testing.T) {
	t.Parallel()
	d := door.New("cart", 1, zerolog.Nop())
	leave, err := d.Enter(t.Context())
	require.NoError(t, err)
	ran := false
	err = d.Do(t.Context(), "Quote", func(context.Context) error { ran = true; return nil })
	assert.Equal(t, errs.Unavailable, errs.KindOf(err))
	assert.Equal(t, errs.Code("cart.busy"), errs.CodeOf(err))
	var later interface{ RetryAfter() time.Duration }
	require.ErrorAs(t, err, &later)
	assert.Positive(t, later.RetryAfter())
	assert.False(t, ran)
	leave()
	require.NoError(t, d.Do(t.Context(), "Quote", func(context.Context) error { ran = true; return nil }))
	assert.True(t, ran)
	assert.Equal(t, door.Stats{InFlight: 0, Max: 1, Refused: 1}, d.Stats())
}

func TestACallerWhoHasGoneIsNotLetIn(t *testing.T) {
	t.Parallel()
	d := door.New("cart", 1, zerolog.Nop())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Enter(ctx)
	assert.Equal(t, errs.Unavailable, errs.KindOf(err))
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, d.Stats().InFlight)
}

func TestAPanicIsAnInternalErrorAndItsValueIsNotLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	d := door.New("cart", 0, zerolog.New(&log))
	type request struct{}
	type reply struct{ N int32 }
	got, err := door.Call(t.Context(), d, "Quote", func(context.Context, request) (reply, error) {
		panic("secret-value")
	}, request{})
	assert.Zero(t, got)
	assert.Equal(t, errs.Internal, errs.KindOf(err))
	assert.NotContains(t, err.Error(), "secret-value")
	assert.Contains(t, log.String(), `"module":"cart"`)
	assert.Contains(t, log.String(), "door_test.go", "the stack is there")
	assert.NotContains(t, log.String(), "secret-value")
	assert.Equal(t, door.Stats{Max: door.DefaultMax, Panics: 1}, d.Stats())
}

func TestAnErrorBringsNoReply(t *testing.T) {
	t.Parallel()
	d := door.New("cart", 0, zerolog.Nop())
	failed := errors.New("failed")
	n, err := door.Call(t.Context(), d, "Count", func(context.Context, int) (int, error) { return 7, failed }, 1)
	require.ErrorIs(t, err, failed)
	assert.Zero(t, n)
	n, err = door.Call(t.Context(), d, "Count", func(_ context.Context, n int) (int, error) { return n + 1, nil }, 1)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}

func TestAnAbortOfTheConnectionIsPassedOn(t *testing.T) {
	t.Parallel()
	d := door.New("cart", 0, zerolog.Nop())
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		_ = d.Do(t.Context(), "x", func(context.Context) error { panic(http.ErrAbortHandler) })
	})
	assert.Zero(t, d.Stats().Panics)
	assert.Zero(t, d.Stats().InFlight)
}
