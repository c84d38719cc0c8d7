package paymentstest

import (
	"errors"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

var captureTests = []test{
	{name: "takes the amount and holds it in escrow", run: func(w *world) {
		p, shares := w.captured(OK)
		assert.Equal(w.t, payments.StatusCaptured, p.Status)
		assert.Equal(w.t, EUR(3000), p.Captured)
		assert.Equal(w.t, p, w.get(p.ID))
		assert.Equal(w.t, []payments.Status{payments.StatusAuthorised, payments.StatusCaptured}, w.statuses(p.Order))
		w.balances(map[payments.Account]int64{
			{Of: payments.ToProvider}:                         -3000,
			{Of: payments.ToEscrow, Seller: shares[0].Seller}: 1000,
			{Of: payments.ToEscrow, Seller: shares[1].Seller}: 2000,
		})
	}},
	{name: "answers a repeat as the first time, and refuses another body", run: func(w *world) {
		p := w.authorize(w.request(OK))
		r := payments.CaptureRequest{By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)}}
		first, err := w.Capture(w.t.Context(), r)
		require.NoError(w.t, err)
		again, err := w.Capture(w.t.Context(), r)
		require.NoError(w.t, err)
		assert.Equal(w.t, first, again)
		r.Shares = []payments.Share{share(newRef("sel_"), 3000)}
		_, err = w.Capture(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrKeyReused)
		r.Key = "another"
		_, err = w.Capture(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrStatus)
	}},
	{name: "captures once under ten simultaneous requests", races: true, run: func(w *world) {
		p := w.authorize(w.request(OK))
		r := payments.CaptureRequest{By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)}}
		var wg sync.WaitGroup
		failed := make([]error, 10)
		for i := range failed {
			wg.Go(func() {
				reply, err := w.Capture(w.t.Context(), r)
				failed[i] = err
				assert.Equal(w.t, payments.StatusCaptured, reply.Payment.Status)
			})
		}
		wg.Wait()
		require.NoError(w.t, errors.Join(failed...))
		assert.Len(w.t, w.transactions(payments.ListTransactionsRequest{By: System()}), 1)
	}},
	{name: "takes a part, once", run: func(w *world) {
		p := w.authorize(w.request(OK))
		reply, err := w.Capture(w.t.Context(), payments.CaptureRequest{
			By: System(), Key: "c", Payment: p.ID, Amount: EUR(1000), Shares: []payments.Share{share(newRef("sel_"), 1000), share(newRef("sel_"), 0)},
		})
		require.NoError(w.t, err)
		assert.Equal(w.t, EUR(1000), reply.Payment.Captured)
		assert.Equal(w.t, EUR(3000), reply.Payment.Authorised)
		assert.Len(w.t, w.transactions(payments.ListTransactionsRequest{By: System()})[0].Postings, 2)
	}},
	{name: "is refused for good by the provider, every time", run: func(w *world) {
		p := w.authorize(w.request(CaptureRefused))
		r := payments.CaptureRequest{By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)}}
		for range 2 {
			_, err := w.Capture(w.t.Context(), r)
			require.ErrorIs(w.t, err, payments.ErrCaptureRefused)
		}
		assert.Equal(w.t, payments.StatusAuthorised, w.get(p.ID).Status)
		assert.Empty(w.t, w.transactions(payments.ListTransactionsRequest{By: System()}))
	}},
	{name: "is tried once more under another key", run: func(w *world) {
		p := w.authorize(w.request(CaptureRefused))
		r := payments.CaptureRequest{By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)}}
		_, err := w.Capture(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrCaptureRefused)
		again := r
		again.Key = "another"
		for range 2 {
			reply, err := w.Capture(w.t.Context(), again)
			require.NoError(w.t, err)
			assert.Equal(w.t, EUR(3000), reply.Payment.Captured)
		}
		_, err = w.Capture(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrCaptureRefused, "the first key is answered as it was")
		again.Key = "a third"
		_, err = w.Capture(w.t.Context(), again)
		require.ErrorIs(w.t, err, payments.ErrStatus)
		assert.Len(w.t, w.transactions(payments.ListTransactionsRequest{By: System()}), 1)
		undone := w.authorize(w.request(CaptureRefused))
		r.Key, r.Payment = "d", undone.ID
		_, err = w.Capture(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrCaptureRefused)
		_, err = w.Undo(w.t.Context(), payments.UndoRequest{By: System(), Key: string(undone.Order) + ":authorise"})
		require.NoError(w.t, err, "a refusal can be undone")
		r.Key = "e"
		_, err = w.Capture(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrStatus)
	}},
	{name: "is refused unless authorised, known and enough", run: func(w *world) {
		capture := func(p payments.PaymentID, key string, minor int64) error {
			_, err := w.Capture(w.t.Context(), payments.CaptureRequest{
				By: System(), Key: key, Payment: p, Amount: EUR(minor), Shares: []payments.Share{share(newRef("sel_"), minor)},
			})
			return err
		}
		require.ErrorIs(w.t, capture(w.authorize(w.request(Declined)).ID, "1", 3000), payments.ErrStatus)
		require.ErrorIs(w.t, capture(w.authorize(w.request(Later)).ID, "2", 3000), payments.ErrStatus)
		require.ErrorIs(w.t, capture(w.authorize(w.request(OK)).ID, "3", 3001), payments.ErrAmount)
		require.ErrorIs(w.t, capture(payments.PaymentIDs.New(), "4", 3000), payments.ErrNotFound)
	}},
	{name: "refuses what is malformed, every field at once", run: func(w *world) {
		p := w.authorize(w.request(OK))
		_, err := w.Capture(w.t.Context(), payments.CaptureRequest{By: System(), Payment: "x", Amount: EUR(0)})
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		for _, field := range []string{"key", "payment", "amount"} {
			assert.Contains(w.t, errs.As(err).Fields, field)
		}
		same := share(newRef("sel_"), 1500)
		for name, shares := range map[string][]payments.Share{
			"do not sum":     {share(newRef("sel_"), 2999)},
			"none":           nil,
			"negative":       {share(newRef("sel_"), 3001), share(newRef("sel_"), -1)},
			"twice the same": {same, same},
			"no seller":      {{SellerOrder: newRef("sor_"), Amount: EUR(3000)}},
			"other currency": {{Seller: newRef("sel_"), SellerOrder: newRef("sor_"), Amount: money.Money{Minor: 3000, Currency: "USD"}}},
		} {
			_, err := w.Capture(w.t.Context(), payments.CaptureRequest{By: System(), Key: "k", Payment: p.ID, Amount: EUR(3000), Shares: shares})
			require.ErrorIs(w.t, err, payments.ErrInvalid, name)
			assert.Contains(w.t, errs.As(err).Fields, "shares", name)
		}
		usd := money.Money{Minor: 3000, Currency: "USD"}
		_, err = w.Capture(w.t.Context(), payments.CaptureRequest{
			By: System(), Key: "k", Payment: p.ID, Amount: usd, Shares: []payments.Share{{Seller: newRef("sel_"), SellerOrder: newRef("sor_"), Amount: usd}},
		})
		require.ErrorIs(w.t, err, payments.ErrInvalid)
	}},
	{name: "is the system's alone", run: func(w *world) {
		for _, by := range outsiders() {
			_, err := w.Capture(w.t.Context(), payments.CaptureRequest{By: by, Key: "k", Payment: payments.PaymentIDs.New()})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
	}},
}

// settlement moves all of a share: 80 % to the seller, 12 % fee, the rest tax.
func settlement(p payments.PaymentID, s payments.Share) payments.SettleRequest {
	earned, fee := s.Amount.Minor*80/100, s.Amount.Minor*12/100
	return payments.SettleRequest{
		By: System(), Key: "settle:" + string(s.SellerOrder), Payment: p, Seller: s.Seller, SellerOrder: s.SellerOrder,
		Earned: EUR(earned), Fee: EUR(fee), Tax: EUR(s.Amount.Minor - earned - fee), Platform: EUR(0),
	}
}

var settleTests = []test{
	{name: "moves a share out of escrow", run: func(w *world) {
		p, shares := w.captured(OK)
		r := settlement(p.ID, shares[0])
		first, err := w.Settle(w.t.Context(), r)
		require.NoError(w.t, err)
		tx := first.Transaction
		assert.Equal(w.t, payments.BookSettle, tx.Kind)
		assert.Equal(w.t, p.ID, tx.Payment)
		assert.Equal(w.t, p.Order, tx.Order)
		assert.Equal(w.t, shares[0].SellerOrder, tx.SellerOrder)
		assert.Equal(w.t, []payments.Posting{
			{Account: payments.Account{Of: payments.ToEscrow, Seller: shares[0].Seller}, Amount: EUR(-1000)},
			{Account: payments.Account{Of: payments.ToSeller, Seller: shares[0].Seller}, Amount: EUR(800)},
			{Account: payments.Account{Of: payments.ToFees}, Amount: EUR(120)},
			{Account: payments.Account{Of: payments.ToTax}, Amount: EUR(80)},
		}, tx.Postings)
		again, err := w.Settle(w.t.Context(), r)
		require.NoError(w.t, err)
		assert.Equal(w.t, first, again)
		r.Fee = EUR(0)
		_, err = w.Settle(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrKeyReused)
		w.balances(map[payments.Account]int64{
			{Of: payments.ToProvider}:                         -3000,
			{Of: payments.ToEscrow, Seller: shares[0].Seller}: 0,
			{Of: payments.ToEscrow, Seller: shares[1].Seller}: 2000,
			{Of: payments.ToSeller, Seller: shares[0].Seller}: 800,
			{Of: payments.ToFees}:                             120,
			{Of: payments.ToTax}:                              80,
		})
	}},
	{name: "adds what the marketplace funds", run: func(w *world) {
		p, shares := w.captured(OK)
		r := settlement(p.ID, shares[0])
		r.Earned, r.Platform = EUR(1050), EUR(250) // 1050 + 120 + 80 − 250 is the share
		_, err := w.Settle(w.t.Context(), r)
		require.NoError(w.t, err)
		w.balances(map[payments.Account]int64{
			{Of: payments.ToProvider}:                         -3000,
			{Of: payments.ToEscrow, Seller: shares[0].Seller}: 0,
			{Of: payments.ToEscrow, Seller: shares[1].Seller}: 2000,
			{Of: payments.ToSeller, Seller: shares[0].Seller}: 1050,
			{Of: payments.ToFees}:                             120,
			{Of: payments.ToTax}:                              80,
			{Of: payments.ToPlatform}:                         -250,
		})
	}},
	{name: "pays a seller although nothing was due", run: func(w *world) {
		r := w.request("")
		r.Amount = EUR(0)
		p := w.authorize(r)
		s := share(newRef("sel_"), 0)
		_, err := w.Settle(w.t.Context(), payments.SettleRequest{
			By: System(), Key: "s", Payment: p.ID, Seller: s.Seller, SellerOrder: s.SellerOrder,
			Earned: EUR(900), Fee: EUR(100), Tax: EUR(0), Platform: EUR(1000),
		})
		require.NoError(w.t, err)
		w.balances(map[payments.Account]int64{
			{Of: payments.ToSeller, Seller: s.Seller}: 900,
			{Of: payments.ToFees}:                     100,
			{Of: payments.ToPlatform}:                 -1000,
		})
	}},
	{name: "is refused when escrow has less", run: func(w *world) {
		p, shares := w.captured(OK)
		r := settlement(p.ID, shares[0])
		r.Key, r.Earned = "too much", EUR(801)
		_, err := w.Settle(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrAmount)
		r.Key, r.Earned, r.Seller = "other seller's", EUR(800), shares[1].Seller
		_, err = w.Settle(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrAmount)
		_, err = w.Settle(w.t.Context(), settlement(p.ID, shares[0]))
		require.NoError(w.t, err)
		r = settlement(p.ID, shares[0])
		r.Key = "again"
		_, err = w.Settle(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrAmount)
	}},
	{name: "is refused unless captured and known", run: func(w *world) {
		p := w.authorize(w.request(OK))
		_, err := w.Settle(w.t.Context(), settlement(p.ID, share(newRef("sel_"), 3000)))
		require.ErrorIs(w.t, err, payments.ErrStatus)
		_, err = w.Settle(w.t.Context(), settlement(payments.PaymentIDs.New(), share(newRef("sel_"), 3000)))
		require.ErrorIs(w.t, err, payments.ErrNotFound)
	}},
	{name: "refuses what is malformed and who is not the system", run: func(w *world) {
		p, shares := w.captured(OK)
		r := settlement(p.ID, shares[0])
		r.Key, r.Earned, r.Fee, r.Tax = "", EUR(-1), money.Money{Minor: 1, Currency: "USD"}, EUR(0)
		_, err := w.Settle(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		for _, field := range []string{"key", "earned", "fee"} {
			assert.Contains(w.t, errs.As(err).Fields, field)
		}
		r = settlement(p.ID, shares[0])
		r.Platform = EUR(1001)
		_, err = w.Settle(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		for _, by := range outsiders() {
			r.By = by
			_, err := w.Settle(w.t.Context(), r)
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
	}},
}

// balances checks every account in euros.
func (w *world) balances(want map[payments.Account]int64) {
	w.t.Helper()
	reply, err := w.Balances(w.t.Context(), payments.BalancesRequest{By: System()})
	require.NoError(w.t, err)
	got, sum := map[payments.Account]int64{}, int64(0)
	for _, b := range reply.Balances {
		require.EqualValues(w.t, "EUR", b.Amount.Currency)
		got[b.Account] = b.Amount.Minor
		sum += b.Amount.Minor
	}
	assert.Equal(w.t, want, got)
	assert.Zero(w.t, sum)
}

// transactions reads the ledger to its end.
func (w *world) transactions(r payments.ListTransactionsRequest) []payments.Transaction {
	w.t.Helper()
	var all []payments.Transaction
	for {
		reply, err := w.ListTransactions(w.t.Context(), r)
		require.NoError(w.t, err)
		all = append(all, reply.Transactions...)
		if reply.Next == "" {
			return all
		}
		r.Page.Cursor = reply.Next
	}
}

// accountsOf are the accounts of a transaction's postings.
func accountsOf(t payments.Transaction) []payments.Beneficiary {
	var out []payments.Beneficiary
	for _, p := range t.Postings {
		out = append(out, p.Account.Of)
	}
	return out
}

// orderRefs are orders to ask for.
func orderRefs(orders ...id.Ref) []id.Ref { return orders }
