package rpc

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type limited struct {
	Limit int64  `json:"limit"`
	Later *int64 `json:"later"`
}

func TestServeRefusesARequestOfAnotherShape(t *testing.T) {
	t.Parallel()
	asked := 0
	ask := func(_ context.Context, r limited) (limited, error) { asked++; return r, nil }
	c := NewCodec()

	a := serve(t.Context(), c, []byte(`{"limit":1}`), ask)
	require.NoError(t, a.err(c), "a pointer may be left out")
	assert.JSONEq(t, `{"limit":1}`, string(a.body))

	for _, body := range []string{`{"limit":1,"owner":"x"}`, `{}`, `{"limit":"1"}`, `[`, ``} {
		a := serve(t.Context(), c, []byte(body), ask)
		require.ErrorIs(t, a.err(c), ErrMalformed, body)
	}
	assert.Equal(t, 1, asked)
}

func TestAnAnswerThatCannotBeReadIsUnknown(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, answer{failed: true, body: []byte(`<html>`)}.err(NewCodec()), ErrReplyLost)
}
