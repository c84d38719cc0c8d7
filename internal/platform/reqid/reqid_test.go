package reqid_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/platform/reqid"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	assert.Empty(t, reqid.From(t.Context()))
	ctx := reqid.With(t.Context(), "r1")
	assert.Equal(t, "r1", reqid.From(ctx))
	assert.Equal(t, "r1", reqid.From(context.WithoutCancel(ctx)))
	assert.Equal(t, "r1", reqid.From(reqid.With(ctx, "")), "an empty id does not hide the one there")
}
