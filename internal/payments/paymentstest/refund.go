package paymentstest

import (
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
)

// of is a part of a share.
func of(s payments.Share, minor int64) payments.Share {
	s.Amount = EUR(minor)
	return s
}

func (w *world) refund(key string, p payments.PaymentID, shares ...payments.Share) (payments.Refund, error) {
	var sum int64
	for _, s := range shares {
		sum += s.Amount.Minor
	}
	reply, err := w.Refund(w.t.Context(), payments.RefundRequest{
		By: System(), Key: key, Payment: p, Amount: EUR(sum), Shares: shares, Why: "cancelled",
	})
	return reply.Refund, err
}

var refundTests = []test{
	{name: "gives back from escrow first, then from what the seller earned", run: func(w *world) {
		p, shares := w.captured(OK)
		refund, err := w.refund("1", p.ID, of(shares[0], 400))
		require.NoError(w.t, err)
		assert.Equal(w.t, payments.RefundDone, refund.Status)
		assert.Equal(w.t, EUR(400), refund.Amount)
		assert.Equal(w.t, "cancelled", refund.Why)
		assert.Equal(w.t, EUR(400), w.get(p.ID).Refunded)
		assert.Equal(w.t, payments.StatusCaptured, w.get(p.ID).Status)

		_, err = w.Settle(w.t.Context(), payments.SettleRequest{
			By: System(), Key: "s", Payment: p.ID, Seller: shares[0].Seller, SellerOrder: shares[0].SellerOrder,
			Earned: EUR(400), Fee: EUR(100), Tax: EUR(0), Platform: EUR(0),
		})
		require.NoError(w.t, err)
		_, err = w.refund("2", p.ID, of(shares[0], 300), of(shares[1], 2000))
		require.NoError(w.t, err)
		w.balances(map[payments.Account]int64{
			{Of: payments.ToProvider}:                         -300,
			{Of: payments.ToEscrow, Seller: shares[0].Seller}: 0,
			{Of: payments.ToEscrow, Seller: shares[1].Seller}: 0,
			{Of: payments.ToSeller, Seller: shares[0].Seller}: 200,
			{Of: payments.ToFees}:                             100,
			{Of: payments.ToRefunds}:                          0,
		})
		assert.Equal(w.t, EUR(2700), w.get(p.ID).Refunded)
		events := w.refunds(p.Order)
		require.Len(w.t, events, 2)
		assert.Equal(w.t, refund.ID, events[0].RefundID)
		assert.Equal(w.t, payments.RefundDone, events[0].Status)
		assert.Equal(w.t, EUR(400), events[0].Amount)
		assert.Equal(w.t, shares[0].SellerOrder, events[0].SellerOrder)
		assert.Empty(w.t, events[1].SellerOrder, "it is of two")
	}},
	{name: "answers a repeat as the first time, and refuses another body", run: func(w *world) {
		p, shares := w.captured(OK)
		first, err := w.refund("1", p.ID, of(shares[0], 400))
		require.NoError(w.t, err)
		again, err := w.refund("1", p.ID, of(shares[0], 400))
		require.NoError(w.t, err)
		assert.Equal(w.t, first, again)
		assert.Equal(w.t, EUR(400), w.get(p.ID).Refunded)
		_, err = w.refund("1", p.ID, of(shares[0], 401))
		require.ErrorIs(w.t, err, payments.ErrKeyReused)
	}},
	{name: "gives back no more than was captured, whoever asks at the same time", races: true, run: func(w *world) {
		p, shares := w.captured(OK)
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_, err := w.refund(string(rune('a'+i)), p.ID, of(shares[0], 300))
				if err != nil {
					assert.ErrorIs(w.t, err, payments.ErrAmount)
				}
			})
		}
		wg.Wait()
		assert.Equal(w.t, EUR(900), w.get(p.ID).Refunded)
	}},
	{name: "is refused beyond the payment or a share", run: func(w *world) {
		p, shares := w.captured(OK)
		_, err := w.refund("1", p.ID, of(shares[0], 1001))
		require.ErrorIs(w.t, err, payments.ErrAmount)
		_, err = w.refund("2", p.ID, share(shares[0].Seller, 1)) // a seller order that had no share
		require.ErrorIs(w.t, err, payments.ErrAmount)
		_, err = w.refund("3", p.ID, of(shares[0], 1000), of(shares[1], 2000))
		require.NoError(w.t, err)
		_, err = w.refund("4", p.ID, of(shares[1], 1))
		require.ErrorIs(w.t, err, payments.ErrAmount)
	}},
	{name: "that the provider refuses is failed, and the money stays where it was", run: func(w *world) {
		p, shares := w.captured(RefundFailed)
		refund, err := w.refund("1", p.ID, of(shares[0], 400))
		require.NoError(w.t, err)
		assert.Equal(w.t, payments.RefundFailed, refund.Status)
		again, err := w.refund("1", p.ID, of(shares[0], 400))
		require.NoError(w.t, err)
		assert.Equal(w.t, refund, again)
		assert.Equal(w.t, EUR(0), w.get(p.ID).Refunded)
		w.balances(map[payments.Account]int64{
			{Of: payments.ToProvider}:                         -3000,
			{Of: payments.ToEscrow, Seller: shares[0].Seller}: 1000,
			{Of: payments.ToEscrow, Seller: shares[1].Seller}: 2000,
			{Of: payments.ToRefunds}:                          0,
		})
		events := w.refunds(p.Order)
		require.Len(w.t, events, 1)
		assert.Equal(w.t, payments.RefundFailed, events[0].Status)
	}},
	{name: "is refused unless captured and known", run: func(w *world) {
		p := w.authorize(w.request(OK))
		_, err := w.refund("1", p.ID, share(newRef("sel_"), 100))
		require.ErrorIs(w.t, err, payments.ErrStatus)
		_, err = w.refund("2", payments.PaymentIDs.New(), share(newRef("sel_"), 100))
		require.ErrorIs(w.t, err, payments.ErrNotFound)
	}},
	{name: "refuses what is malformed and who is not the system", run: func(w *world) {
		p, shares := w.captured(OK)
		r := payments.RefundRequest{By: System(), Payment: "x", Amount: EUR(0), Shares: shares}
		_, err := w.Refund(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		for _, field := range []string{"key", "payment", "amount", "shares"} {
			assert.Contains(w.t, errs.As(err).Fields, field)
		}
		for _, by := range outsiders() {
			_, err := w.Refund(w.t.Context(), payments.RefundRequest{By: by, Key: "k", Payment: p.ID, Amount: EUR(3000), Shares: shares})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
	}},
}

var readTests = []test{
	{name: "lists methods, the usual one first", run: func(w *world) {
		reply, err := w.Methods(w.t.Context(), payments.MethodsRequest{Currency: "EUR"})
		require.NoError(w.t, err)
		require.NotEmpty(w.t, reply.Methods)
		assert.Equal(w.t, OK, reply.Methods[0].ID)
		assert.True(w.t, reply.Sandbox)
		for _, m := range reply.Methods {
			assert.NotEmpty(w.t, m.Label)
			assert.NotEmpty(w.t, m.Help)
		}
	}},
	{name: "reads payments by id and by order, and leaves out what is not there", run: func(w *world) {
		a, shares := w.captured(OK)
		b := w.authorize(w.request(Declined))
		c := w.authorize(w.request(OK))
		refund, err := w.refund("1", a.ID, of(shares[0], 100))
		require.NoError(w.t, err)
		for _, by := range []actor.Actor{System(), Operator()} {
			reply, err := w.GetPayments(w.t.Context(), payments.GetPaymentsRequest{
				By: by, IDs: []payments.PaymentID{b.ID, payments.PaymentIDs.New(), a.ID, b.ID}, Orders: orderRefs(a.Order, c.Order, newRef("ord_")),
			})
			require.NoError(w.t, err)
			assert.Equal(w.t, []payments.Payment{w.get(b.ID), w.get(a.ID), w.get(c.ID)}, reply.Payments)
			assert.Equal(w.t, []payments.Refund{refund}, reply.Refunds)
		}
		reply, err := w.GetPayments(w.t.Context(), payments.GetPaymentsRequest{By: System()})
		require.NoError(w.t, err)
		assert.Empty(w.t, reply.Payments)
	}},
	{name: "reads at most 200 payments, and for system and operators alone", run: func(w *world) {
		ids := make([]payments.PaymentID, 201)
		for i := range ids {
			ids[i] = payments.PaymentIDs.New()
		}
		_, err := w.GetPayments(w.t.Context(), payments.GetPaymentsRequest{By: System(), IDs: ids})
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		for _, by := range []actor.Actor{actor.Nobody(), actor.Guest("0123456789abcdef"), Staff(newRef("sel_"))} {
			_, err := w.GetPayments(w.t.Context(), payments.GetPaymentsRequest{By: by, IDs: ids[:1]})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
	}},
	{name: "streams every payment to the audit, once, without problems", run: func(w *world) {
		want := map[payments.PaymentID]payments.Payment{}
		for range 5 {
			p, _ := w.captured(OK)
			want[p.ID] = p
		}
		got := map[payments.PaymentID]payments.Payment{}
		r := audit.Request{Limit: 2}
		for {
			reply, err := w.Audit(w.t.Context(), r)
			require.NoError(w.t, err)
			assert.Empty(w.t, reply.Problems)
			assert.LessOrEqual(w.t, len(reply.Payments), 2)
			for _, p := range reply.Payments {
				got[p.ID] = p
			}
			if reply.Next == "" {
				break
			}
			r.Cursor = reply.Next
		}
		assert.Equal(w.t, want, got)
	}},
}

var ledgerTests = []test{
	{name: "shows a seller's staff its own, and operators all", run: func(w *world) {
		p, shares := w.captured(OK)
		_, err := w.Settle(w.t.Context(), settlement(p.ID, shares[0]))
		require.NoError(w.t, err)
		w.Clock.Advance(time.Second)
		staff := Staff(shares[0].Seller)
		reply, err := w.Balances(w.t.Context(), payments.BalancesRequest{By: staff})
		require.NoError(w.t, err)
		assert.Equal(w.t, []payments.Balance{
			{Account: payments.Account{Of: payments.ToEscrow, Seller: staff.Seller}, Amount: EUR(0)},
			{Account: payments.Account{Of: payments.ToSeller, Seller: staff.Seller}, Amount: EUR(800)},
		}, reply.Balances)
		asked, err := w.Balances(w.t.Context(), payments.BalancesRequest{By: Operator(), Seller: staff.Seller})
		require.NoError(w.t, err)
		assert.Equal(w.t, reply, asked)
		_, err = w.Balances(w.t.Context(), payments.BalancesRequest{By: staff, Seller: shares[1].Seller})
		require.ErrorIs(w.t, err, payments.ErrNotFound)

		own := w.transactions(payments.ListTransactionsRequest{By: staff})
		require.Len(w.t, own, 2)
		for _, tx := range own {
			assert.Equal(w.t, shares[0].SellerOrder, tx.SellerOrder)
			if tx.Kind == payments.BookCapture {
				assert.Equal(w.t, []payments.Beneficiary{payments.ToEscrow}, accountsOf(tx)) // not the other seller's, not the total
			} else {
				assert.Equal(w.t, []payments.Beneficiary{payments.ToEscrow, payments.ToSeller, payments.ToFees, payments.ToTax}, accountsOf(tx))
			}
		}
		all := w.transactions(payments.ListTransactionsRequest{By: Operator(), Seller: shares[0].Seller})
		require.Len(w.t, all, 2)
		_, err = w.ListTransactions(w.t.Context(), payments.ListTransactionsRequest{By: staff, Seller: shares[1].Seller})
		require.ErrorIs(w.t, err, payments.ErrNotFound)
		for _, by := range []actor.Actor{actor.Nobody(), actor.Guest("0123456789abcdef"), {Kind: actor.KindPerson, Person: newRef("per_"), Scopes: []actor.Scope{actor.ScopeRead}}} {
			_, err := w.Balances(w.t.Context(), payments.BalancesRequest{By: by})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
			_, err = w.ListTransactions(w.t.Context(), payments.ListTransactionsRequest{By: by})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
	}},
	{name: "pages newest first, the same while more is booked", run: func(w *world) {
		for range 7 {
			w.captured(OK)
			w.Clock.Advance(time.Second)
		}
		whole := w.transactions(payments.ListTransactionsRequest{By: System()})
		require.Len(w.t, whole, 7)
		var at []clock.Time
		for _, tx := range whole {
			at = append(at, tx.At)
			var sum int64
			for _, p := range tx.Postings {
				sum += p.Amount.Minor
			}
			assert.Zero(w.t, sum)
		}
		assert.True(w.t, falls(at))

		r := payments.ListTransactionsRequest{By: System(), Page: page.Request{Limit: 3}}
		first, err := w.ListTransactions(w.t.Context(), r)
		require.NoError(w.t, err)
		assert.Equal(w.t, whole[:3], first.Transactions)
		w.captured(OK)
		r.Page.Cursor = first.Next
		assert.Equal(w.t, whole[3:], w.transactions(r))
		r.Order = whole[0].Order // the cursor of another list
		_, err = w.ListTransactions(w.t.Context(), r)
		require.ErrorIs(w.t, err, page.ErrCursor)
		r.Page.Cursor = ""
		assert.Equal(w.t, whole[:1], w.transactions(r))
	}},
}
