package paymentstest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
)

// late is a payment that was undone, and whose money the provider took all the same.
func (w *world) late(method string) payments.Payment {
	w.t.Helper()
	r := w.request(method)
	p := w.authorize(r)
	_, err := w.Undo(w.t.Context(), payments.UndoRequest{By: System(), Key: r.Key})
	require.NoError(w.t, err)
	require.NoError(w.t, w.Hooks.Take(w.t.Context(), p.ID))
	w.runDue()
	return w.get(p.ID)
}

func (w *world) returns() []payments.Return {
	w.t.Helper()
	reply, err := w.ListReturns(w.t.Context(), payments.ListReturnsRequest{By: Operator()})
	require.NoError(w.t, err)
	return reply.Returns
}

var returnTests = []test{
	{name: "late money goes back by itself", run: func(w *world) {
		p := w.late(OK)
		assert.Equal(w.t, payments.StatusVoided, p.Status)
		assert.Equal(w.t, EUR(3000), p.Captured)
		assert.Equal(w.t, EUR(3000), p.Refunded)
		assert.Empty(w.t, w.returns())
		assert.Len(w.t, w.transactions(payments.ListTransactionsRequest{By: System()}), 2)
		_, err := w.RetryReturn(w.t.Context(), payments.RetryReturnRequest{By: Operator(), Key: "k", Payment: p.ID})
		require.ErrorIs(w.t, err, payments.ErrStatus)
	}},
	{name: "what the provider refuses to take back is tried for days, then waits for an operator", run: func(w *world) {
		p := w.late(RefundFailed)
		got := w.returns()
		require.Len(w.t, got, 1)
		assert.Equal(w.t, payments.Return{
			Payment: p.ID, Order: p.Order, Amount: EUR(3000), Status: payments.RefundPending, Refusals: 1, Reason: got[0].Reason,
			NextTry: w.Clock.Now().Add(time.Hour), At: w.Clock.Now(),
		}, got[0])
		assert.NotEmpty(w.t, got[0].Reason)
		w.pass(time.Hour - time.Millisecond)
		assert.Equal(w.t, int32(1), w.returns()[0].Refusals)
		w.pass(time.Millisecond)
		assert.Equal(w.t, int32(2), w.returns()[0].Refusals)
		for range 5 {
			w.pass(3 * 24 * time.Hour)
		}
		got = w.returns()
		require.Len(w.t, got, 1)
		assert.Equal(w.t, payments.RefundFailed, got[0].Status)
		assert.Equal(w.t, int32(5), got[0].Refusals)
		assert.Zero(w.t, got[0].NextTry)
		w.pass(30 * 24 * time.Hour)
		assert.Equal(w.t, int32(5), w.returns()[0].Refusals, "nobody tries any more")

		r := payments.RetryReturnRequest{By: Operator(), Key: "k", Payment: p.ID, Why: "the bank says it works now"}
		for range 2 {
			reply, err := w.RetryReturn(w.t.Context(), r)
			require.NoError(w.t, err)
			assert.Equal(w.t, payments.RefundPending, reply.Return.Status)
			assert.Equal(w.t, w.Clock.Now(), reply.Return.NextTry)
		}
		w.runDue()
		got = w.returns()
		assert.Equal(w.t, payments.RefundFailed, got[0].Status)
		assert.Equal(w.t, int32(6), got[0].Refusals, "once")
		assert.Len(w.t, w.transactions(payments.ListTransactionsRequest{By: System()}), 1)
		r.Why = "another reason"
		_, err := w.RetryReturn(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrKeyReused)
	}},
	{name: "an operator need not wait for the next try", run: func(w *world) {
		p := w.late(RefundFailed)
		w.pass(time.Minute)
		reply, err := w.RetryReturn(w.t.Context(), payments.RetryReturnRequest{By: Operator(), Key: "k", Payment: p.ID})
		require.NoError(w.t, err)
		assert.Equal(w.t, w.Clock.Now(), reply.Return.NextTry)
		w.runDue()
		assert.Equal(w.t, int32(2), w.returns()[0].Refusals)
	}},
	{name: "returns come in pages", run: func(w *world) {
		want := []payments.PaymentID{w.late(RefundFailed).ID, w.late(RefundFailed).ID, w.late(RefundFailed).ID}
		var got []payments.PaymentID
		r := payments.ListReturnsRequest{By: System()}
		r.Page.Limit = 2
		for {
			reply, err := w.ListReturns(w.t.Context(), r)
			require.NoError(w.t, err)
			for _, one := range reply.Returns {
				got = append(got, one.Payment)
			}
			if r.Page.Cursor = reply.Next; reply.Next == "" {
				break
			}
		}
		assert.ElementsMatch(w.t, want, got)
	}},
	{name: "returns of one order", run: func(w *world) {
		w.late(RefundFailed)
		p := w.late(RefundFailed)
		w.late(RefundFailed)
		r := payments.ListReturnsRequest{By: Operator(), Order: &p.Order}
		r.Page.Limit = 1
		reply, err := w.ListReturns(w.t.Context(), r)
		require.NoError(w.t, err)
		require.Len(w.t, reply.Returns, 1)
		assert.Equal(w.t, p.ID, reply.Returns[0].Payment)
		assert.Empty(w.t, reply.Next)
		none := newRef("ord_")
		reply, err = w.ListReturns(w.t.Context(), payments.ListReturnsRequest{By: Operator(), Order: &none})
		require.NoError(w.t, err)
		assert.Empty(w.t, reply.Returns)
	}},
	{name: "returns are for operators", run: func(w *world) {
		p := w.late(RefundFailed)
		for _, by := range []actor.Actor{Staff(newRef("sel_")), {}} {
			_, err := w.ListReturns(w.t.Context(), payments.ListReturnsRequest{By: by})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
			_, err = w.RetryReturn(w.t.Context(), payments.RetryReturnRequest{By: by, Key: "k", Payment: p.ID})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
		_, err := w.RetryReturn(w.t.Context(), payments.RetryReturnRequest{By: Operator(), Payment: "x"})
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		assert.Contains(w.t, errs.As(err).Fields, "key")
		assert.Contains(w.t, errs.As(err).Fields, "payment")
		_, err = w.RetryReturn(w.t.Context(), payments.RetryReturnRequest{By: Operator(), Key: "k", Payment: payments.PaymentIDs.New()})
		require.ErrorIs(w.t, err, payments.ErrNotFound)
	}},
}
