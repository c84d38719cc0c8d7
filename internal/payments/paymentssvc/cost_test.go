package paymentssvc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/platform/clock"
	"souk/internal/platform/store/storetest"
)

// TestWhatACheckoutCosts holds the hot path to its statements. The provider's own are
// among them: one Write and one statement for each call.
func TestWhatACheckoutCosts(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(start)
	h := newHouse(t, c, nil, storetest.Once(), storetest.SQLite()) // a published event costs one less on PostgreSQL
	r := request(c, sandbox.MethodOK)

	before := h.db.Stats()
	reply, err := h.Authorize(t.Context(), r)
	require.NoError(t, err)
	authorised := h.db.Stats().Sub(before)
	assert.EqualValues(t, 3, authorised.Writes, "record, ask, write down")
	assert.EqualValues(t, 12, authorised.Statements)

	before = h.db.Stats()
	_, err = h.Capture(t.Context(), captureOf(reply.Payment))
	require.NoError(t, err)
	captured := h.db.Stats().Sub(before)
	assert.EqualValues(t, 3, captured.Writes, "record, ask, book")
	assert.EqualValues(t, 16, captured.Statements)

	before = h.db.Stats()
	_, err = h.Authorize(t.Context(), r)
	require.NoError(t, err)
	repeated := h.db.Stats().Sub(before)
	assert.EqualValues(t, 1, repeated.Writes)
	assert.EqualValues(t, 2, repeated.Statements)

	due, err := h.Jobs().RunDue(t.Context())
	require.NoError(t, err)
	assert.Zero(t, due, "nothing is left to do")
}

var _ payments.Service = (*house)(nil)
