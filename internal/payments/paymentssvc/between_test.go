package paymentssvc_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// slow is a provider whose first answer is so long on its way that something else happens
// before it arrives.
type slow struct {
	provider.Provider
	meanwhile func()
}

func (s *slow) arrive(o provider.Outcome, err error) (provider.Outcome, error) {
	if do := s.meanwhile; do != nil {
		s.meanwhile = nil
		do()
	}
	return o, err
}

func (s *slow) Authorise(ctx context.Context, c provider.Charge) (provider.Outcome, error) {
	return s.arrive(s.Provider.Authorise(ctx, c))
}

func (s *slow) Capture(ctx context.Context, c provider.Capture) (provider.Outcome, error) {
	return s.arrive(s.Provider.Capture(ctx, c))
}

func (s *slow) Refund(ctx context.Context, r provider.Refund) (provider.Outcome, error) {
	return s.arrive(s.Provider.Refund(ctx, r))
}

// slowHouse is a house whose provider is slow.
func slowHouse(t *testing.T) (*house, *slow) {
	t.Helper()
	c := clock.NewManual(start)
	db := storetest.Open(t, "payments", storetest.Clock(c.Now))
	h := houseOn(db, c, sandbox.NewScript(0))
	s := &slow{Provider: h.box}
	return &house{Service: paymentssvc.New(paymentssvc.Config{DB: db, Provider: s}), db: db, box: h.box, clock: c}, s
}

// TestAJobMayBeFasterThanWhoeverBegan has the job finish every attempt while the answer to
// its first maker is still on its way: each is written down once.
func TestAJobMayBeFasterThanWhoeverBegan(t *testing.T) {
	t.Parallel()
	h, provider := slowHouse(t)
	overtake := func() { h.pass(t, time.Minute) }

	provider.meanwhile = overtake
	r := request(h.clock, sandbox.MethodOK)
	reply, err := h.Authorize(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, payments.StatusAuthorised, reply.Payment.Status)

	provider.meanwhile = overtake
	capture := captureOf(reply.Payment)
	reply, err = h.Capture(t.Context(), capture)
	require.NoError(t, err)
	require.Equal(t, payments.StatusCaptured, reply.Payment.Status)

	provider.meanwhile = overtake
	refund, err := h.Refund(t.Context(), refundOf(capture, "r", 1000))
	require.NoError(t, err)
	require.Equal(t, payments.RefundDone, refund.Refund.Status)

	events, err := h.events(t.Context())
	require.NoError(t, err)
	assert.Len(t, events, 3)
	assert.Equal(t, paymentstest.EUR(1000), h.get(t, reply.Payment.ID).Refunded)
	assert.Equal(t, map[payments.Beneficiary]int64{payments.ToProvider: -2000, payments.ToEscrow: 2000, payments.ToRefunds: 0}, h.balances(t))
	h.agrees(t)
	h.sound(t)
}

func TestAnUndoMayBeFasterThanTheAnswer(t *testing.T) {
	t.Parallel()
	for _, settled := range []bool{false, true} {
		h, provider := slowHouse(t)
		r := request(h.clock, sandbox.MethodOK)
		provider.meanwhile = func() {
			_, err := h.Undo(t.Context(), payments.UndoRequest{By: paymentstest.System(), Key: r.Key})
			require.NoError(t, err)
			if settled {
				h.pass(t, time.Minute)
			}
		}
		_, err := h.Authorize(t.Context(), r)
		require.ErrorIs(t, err, payments.ErrKeyUndone)
		h.pass(t, time.Minute)
		events, err := h.events(t.Context())
		require.NoError(t, err)
		require.Len(t, events, 1)
		changed, ok := events[0].(payments.Changed)
		require.True(t, ok)
		assert.Equal(t, payments.StatusVoided, changed.Status)
		h.agrees(t)
		h.sound(t)
	}
}

func TestWhatTheProviderSaidIsWrittenDownThoughTheBuyerHasGone(t *testing.T) {
	t.Parallel()
	h, provider := slowHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	provider.meanwhile = cancel
	r := request(h.clock, sandbox.MethodOK)
	_, err := h.Authorize(ctx, r)
	require.NoError(t, err)
	reply, err := h.Authorize(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, payments.StatusAuthorised, reply.Payment.Status)
}

func TestAttemptsRememberHowTheyEnded(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(start)
	h := newHouse(t, c, nil)
	r := request(c, sandbox.MethodOK)
	reply, err := h.Authorize(t.Context(), r)
	require.NoError(t, err)
	_, err = h.Undo(t.Context(), payments.UndoRequest{By: paymentstest.System(), Key: r.Key})
	require.NoError(t, err)
	require.NoError(t, h.runDue(t.Context()))
	waiting := request(c, sandbox.MethodLater)
	given, err := h.Authorize(t.Context(), waiting)
	require.NoError(t, err)
	_, err = h.Undo(t.Context(), payments.UndoRequest{By: paymentstest.System(), Key: waiting.Key})
	require.NoError(t, err)
	require.NoError(t, h.runDue(t.Context()))

	ended := map[string]string{}
	for name, pid := range map[string]payments.PaymentID{"first": reply.Payment.ID, "second": given.Payment.ID} {
		var rows []struct {
			Step  string `db:"step"`
			State string `db:"state"`
		}
		require.NoError(t, h.db.Read(t.Context(), func(q store.Queryer) error {
			return q.Select(&rows, `SELECT step, state FROM attempts WHERE payment_id = ?`, pid)
		}))
		for _, row := range rows {
			ended[name+" "+row.Step] = row.State
		}
	}
	assert.Equal(t, map[string]string{
		"first authorise": "done", "first void": "done", "second authorise": "given_up", "second void": "done",
	}, ended)
}

func TestANotificationThatIsRepeatedCausesNoWork(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(start)
	h := newHouse(t, c, sandbox.NewScript(0, time.Second, time.Minute))
	_, err := h.Authorize(t.Context(), request(c, sandbox.MethodLater))
	require.NoError(t, err)
	runs := []int{}
	for _, d := range []time.Duration{paymentstest.LaterAfter, time.Second, time.Minute} {
		c.Advance(d)
		n, err := h.Jobs().RunDue(t.Context())
		require.NoError(t, err)
		runs = append(runs, n)
	}
	assert.Equal(t, 1, runs[1], "the second copy is sent, and nobody looks again")
	assert.Equal(t, 1, runs[2], "nor for the third")
	h.sound(t)
}
