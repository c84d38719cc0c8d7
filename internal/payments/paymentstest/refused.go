package paymentstest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
)

func (w *world) refusedRefunds() []payments.RefusedRefund {
	w.t.Helper()
	reply, err := w.ListRefusedRefunds(w.t.Context(), payments.ListRefusedRefundsRequest{By: Operator()})
	require.NoError(w.t, err)
	return reply.Refunds
}

// unpaid is a payment of which a refund of 4.00 from the first share was refused.
func (w *world) unpaid() (payments.Payment, []payments.Share, payments.Refund) {
	w.t.Helper()
	p, shares := w.captured(RefundFailed)
	refund, err := w.refund("refused of "+string(p.ID), p.ID, of(shares[0], 400))
	require.NoError(w.t, err)
	require.Equal(w.t, payments.RefundFailed, refund.Status)
	return p, shares, refund
}

var refusedTests = []test{
	{name: "a refused refund waits for an operator", run: func(w *world) {
		done, shares := w.captured(OK)
		_, err := w.refund("done", done.ID, of(shares[0], 400))
		require.NoError(w.t, err)
		p, _, refund := w.unpaid()
		w.runDue()
		got := w.refusedRefunds()
		require.Len(w.t, got, 1)
		assert.NotEmpty(w.t, got[0].Reason)
		assert.Equal(w.t, payments.RefusedRefund{Refund: refund, Order: p.Order, Reason: got[0].Reason, RefusedAt: w.Clock.Now()}, got[0])
	}},
	{name: "a refused refund is tried once more, and may be refused again", run: func(w *world) {
		p, shares, refund := w.unpaid()
		r := payments.RetryRefundRequest{By: Operator(), Key: "k", Refund: refund.ID, Why: "the bank says it works now"}
		for range 2 {
			reply, err := w.RetryRefund(w.t.Context(), r)
			require.NoError(w.t, err)
			assert.Equal(w.t, payments.RefundPending, reply.Refund.Status)
			assert.Equal(w.t, refund.Amount, reply.Refund.Amount)
		}
		assert.Empty(w.t, w.refusedRefunds())
		_, err := w.refund("more than is left while it is set aside", p.ID, of(shares[0], 601))
		require.ErrorIs(w.t, err, payments.ErrAmount)
		_, err = w.RetryRefund(w.t.Context(), payments.RetryRefundRequest{By: Operator(), Key: "another", Refund: refund.ID})
		require.ErrorIs(w.t, err, payments.ErrStatus)
		w.runDue()
		require.Len(w.t, w.refusedRefunds(), 1)
		events := w.refunds(p.Order)
		require.Len(w.t, events, 2)
		assert.False(w.t, events[0].Retried)
		for _, e := range events {
			assert.Equal(w.t, shares[0].SellerOrder, e.SellerOrder)
		}
		assert.True(w.t, events[1].Retried)
		assert.Equal(w.t, payments.RefundFailed, events[1].Status)
		w.balances(map[payments.Account]int64{
			{Of: payments.ToProvider}:                         -3000,
			{Of: payments.ToEscrow, Seller: shares[0].Seller}: 1000,
			{Of: payments.ToEscrow, Seller: shares[1].Seller}: 2000,
			{Of: payments.ToRefunds}:                          0,
		})
		r.Why = "another reason"
		_, err = w.RetryRefund(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrKeyReused)
	}},
	{name: "a refused refund that was paid back another way is done", run: func(w *world) {
		p, shares, refund := w.unpaid()
		r := payments.CloseRefundRequest{By: Operator(), Key: "k", Refund: refund.ID, Why: "by bank transfer"}
		for range 2 {
			reply, err := w.CloseRefund(w.t.Context(), r)
			require.NoError(w.t, err)
			assert.Equal(w.t, payments.RefundDone, reply.Refund.Status)
		}
		w.runDue()
		assert.Empty(w.t, w.refusedRefunds())
		assert.Equal(w.t, EUR(0), w.get(p.ID).Refunded, "the provider has given nothing back")
		w.balances(map[payments.Account]int64{
			{Of: payments.ToProvider}:                         -3000,
			{Of: payments.ToEscrow, Seller: shares[0].Seller}: 600,
			{Of: payments.ToEscrow, Seller: shares[1].Seller}: 2000,
			{Of: payments.ToRefunds}:                          0,
			{Of: payments.ToPlatform}:                         400,
		})
		events := w.refunds(p.Order)
		require.Len(w.t, events, 2)
		assert.Equal(w.t, payments.RefundDone, events[1].Status)
		assert.True(w.t, events[1].Retried && events[1].Elsewhere)
		assert.Equal(w.t, shares[0].SellerOrder, events[1].SellerOrder)
		_, err := w.CloseRefund(w.t.Context(), payments.CloseRefundRequest{By: Operator(), Key: "another", Refund: refund.ID})
		require.ErrorIs(w.t, err, payments.ErrStatus)
		_, err = w.RetryRefund(w.t.Context(), payments.RetryRefundRequest{By: Operator(), Key: "another", Refund: refund.ID})
		require.ErrorIs(w.t, err, payments.ErrStatus)
		_, err = w.refund("what went back another way", p.ID, of(shares[0], 601))
		require.ErrorIs(w.t, err, payments.ErrAmount)
	}},
	{name: "refused refunds come in pages", run: func(w *world) {
		var want, got []payments.RefundID
		for range 3 {
			_, _, refund := w.unpaid()
			want = append(want, refund.ID)
		}
		r := payments.ListRefusedRefundsRequest{By: System()}
		r.Page.Limit = 2
		for {
			reply, err := w.ListRefusedRefunds(w.t.Context(), r)
			require.NoError(w.t, err)
			for _, one := range reply.Refunds {
				got = append(got, one.Refund.ID)
			}
			if r.Page.Cursor = reply.Next; reply.Next == "" {
				break
			}
		}
		assert.ElementsMatch(w.t, want, got)
	}},
	{name: "refused refunds of one order", run: func(w *world) {
		p, shares, first := w.unpaid()
		w.unpaid()
		second, err := w.refund("another", p.ID, of(shares[1], 300))
		require.NoError(w.t, err)
		var got []payments.RefundID
		r := payments.ListRefusedRefundsRequest{By: Operator(), Order: &p.Order}
		r.Page.Limit = 1
		for {
			reply, err := w.ListRefusedRefunds(w.t.Context(), r)
			require.NoError(w.t, err)
			for _, one := range reply.Refunds {
				assert.Equal(w.t, p.Order, one.Order)
				got = append(got, one.Refund.ID)
			}
			if reply.Next == "" {
				break
			}
			r.Page.Cursor = reply.Next
		}
		assert.ElementsMatch(w.t, []payments.RefundID{first.ID, second.ID}, got)
		_, err = w.ListRefusedRefunds(w.t.Context(), payments.ListRefusedRefundsRequest{By: Operator(), Page: r.Page})
		require.ErrorIs(w.t, err, page.ErrCursor, "of a list of one order")
		none := newRef("ord_")
		reply, err := w.ListRefusedRefunds(w.t.Context(), payments.ListRefusedRefundsRequest{By: Operator(), Order: &none})
		require.NoError(w.t, err)
		assert.Empty(w.t, reply.Refunds)
	}},
	{name: "refused refunds are for operators", run: func(w *world) {
		_, _, refund := w.unpaid()
		for _, by := range []actor.Actor{Staff(newRef("sel_")), {}} {
			_, err := w.ListRefusedRefunds(w.t.Context(), payments.ListRefusedRefundsRequest{By: by})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
			_, err = w.RetryRefund(w.t.Context(), payments.RetryRefundRequest{By: by, Key: "k", Refund: refund.ID})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
			_, err = w.CloseRefund(w.t.Context(), payments.CloseRefundRequest{By: by, Key: "k", Refund: refund.ID})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
		_, err := w.RetryRefund(w.t.Context(), payments.RetryRefundRequest{By: Operator(), Refund: "x"})
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		assert.Contains(w.t, errs.As(err).Fields, "key")
		assert.Contains(w.t, errs.As(err).Fields, "refund")
		_, err = w.CloseRefund(w.t.Context(), payments.CloseRefundRequest{By: Operator(), Key: "k", Refund: payments.RefundIDs.New()})
		require.ErrorIs(w.t, err, payments.ErrNotFound)
	}},
}
