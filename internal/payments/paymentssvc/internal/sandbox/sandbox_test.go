package sandbox

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/clock"
	"souk/internal/platform/job"
	"souk/internal/platform/money"
	"souk/internal/platform/store/storetest"
)

const start clock.Time = 1_767_225_600_000

func eur(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }

func newSandbox(t *testing.T, plan Plan) (*Sandbox, *clock.Manual) {
	t.Helper()
	c := clock.NewManual(start)
	return New(Config{DB: storetest.Open(t, "payments", storetest.Clock(c.Now)), Plan: plan}), c
}

func TestEveryVerbIsIdempotentByItsKey(t *testing.T) {
	t.Parallel()
	s, _ := newSandbox(t, nil)
	charge := provider.Charge{Key: "k", Method: MethodOK, Amount: eur(1000)}
	capture := provider.Capture{Key: "k:capture", Charge: "k", Amount: eur(1000)}
	refund := provider.Refund{Key: "k:refund", Charge: "k", Amount: eur(600)}
	for range 2 {
		o, err := s.Authorise(t.Context(), charge)
		require.NoError(t, err)
		assert.Contains(t, []provider.State{provider.Done}, o.State)
	}
	for range 2 {
		o, err := s.Capture(t.Context(), capture)
		require.NoError(t, err)
		assert.Equal(t, provider.Done, o.State)
	}
	capture.Key = "k:another"
	o, err := s.Capture(t.Context(), capture)
	require.NoError(t, err)
	assert.Equal(t, provider.Declined, o.State)
	for range 2 {
		o, err := s.Refund(t.Context(), refund)
		require.NoError(t, err)
		assert.Equal(t, provider.Done, o.State)
	}
	refund.Key = "k:another" // a new refund, and there are only 400 left
	o, err = s.Refund(t.Context(), refund)
	require.NoError(t, err)
	assert.Equal(t, provider.Declined, o.State)
	o, err = s.Void(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, provider.Taken, o.State)
}

func TestAVoidIsRememberedBeforeItsChargeArrives(t *testing.T) {
	t.Parallel()
	s, _ := newSandbox(t, nil)
	_, err := s.Lookup(t.Context(), "k")
	require.ErrorIs(t, err, provider.ErrNoCharge)
	for range 2 {
		o, err := s.Void(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, provider.Done, o.State)
	}
	o, err := s.Authorise(t.Context(), provider.Charge{Key: "k", Method: MethodOK, Amount: eur(1000)})
	require.NoError(t, err)
	assert.Equal(t, provider.Gone, o.State)
}

func TestALostReplyIsLostOnce(t *testing.T) {
	t.Parallel()
	s, _ := newSandbox(t, nil)
	charge := provider.Charge{Key: "k", Method: MethodLostReply, Amount: eur(1000)}
	_, err := s.Authorise(t.Context(), charge)
	require.Error(t, err)
	require.NotErrorIs(t, err, provider.ErrNotDone)
	o, err := s.Authorise(t.Context(), charge)
	require.NoError(t, err)
	assert.Equal(t, provider.Done, o.State)
}

func TestNotificationsAreRepeatedUnderOneID(t *testing.T) {
	t.Parallel()
	s, c := newSandbox(t, NewScript(0, time.Minute))
	var ids []string
	r := job.NewRunner(job.Config{DB: s.db})
	s.Handle(r, func(ctx context.Context, body []byte, signature string) error {
		n, err := s.Notification(ctx, body, signature)
		require.NoError(t, err)
		assert.Equal(t, "k", n.Charge)
		ids = append(ids, n.ID)
		_, err = s.Notification(ctx, append(body, ' '), signature)
		require.ErrorIs(t, err, provider.ErrSignature)
		return nil
	})
	_, err := s.Authorise(t.Context(), provider.Charge{Key: "k", Method: MethodLater, Amount: eur(1000)})
	require.NoError(t, err)
	for range 2 {
		c.Advance(2 * time.Minute)
		_, err = r.RunDue(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, s.Take(t.Context(), "k"))
	_, err = r.RunDue(t.Context())
	require.NoError(t, err)
	require.Len(t, ids, 3)
	assert.Equal(t, ids[0], ids[1])
	assert.NotEqual(t, ids[0], ids[2])
}

// counting is calm, and counts how often it is asked about notifications.
type counting struct {
	Calm

	asked int
}

func (c *counting) Notify() []time.Duration { c.asked++; return c.Calm.Notify() }

// A plan of dice that were thrown in each run of a Write would differ with what ran beside it.
func TestAPlanIsAskedOnceHoweverOftenAWriteRuns(t *testing.T) {
	t.Parallel()
	plan := &counting{}
	s, _ := newSandbox(t, plan)
	_, err := s.Authorise(t.Context(), provider.Charge{Key: "k", Method: MethodOK, Amount: eur(1000)})
	require.NoError(t, err)
	require.NoError(t, s.Take(t.Context(), "k"))
	assert.Equal(t, 1, plan.asked)
}

func TestPlansAreTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	rates := Rates{Unavailable: .3, LoseRequest: .3, LoseReply: .3, MaxNotifyDelay: time.Minute}
	a, b := NewRandom(7, rates), NewRandom(7, rates)
	for range 50 {
		assert.Equal(t, a.Fault(OpCapture), b.Fault(OpCapture))
		assert.Equal(t, a.Notify(), b.Notify())
	}
	assert.NotEmpty(t, Calm{}.Notify())
	assert.Equal(t, Fault{}, Calm{}.Fault(OpVoid))
}

func FuzzNotice(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1","charge":"k","sent_at":""}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[1`))
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := parseNotice(body)
		if err == nil {
			assert.NotEmpty(t, n.ID)
			assert.NotEmpty(t, n.Charge)
			assert.LessOrEqual(t, len(n.ID), 64)
		}
	})
}
