package paymentstest

import (
	"errors"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

var authorizeTests = []test{
	{name: "reserves the amount", run: func(w *world) {
		r := w.request(OK)
		p := w.authorize(r)
		assert.Equal(w.t, payments.StatusAuthorised, p.Status)
		assert.Equal(w.t, r.Order, p.Order)
		assert.Equal(w.t, r.Method, p.Method)
		assert.Equal(w.t, EUR(3000), p.Amount)
		assert.Equal(w.t, EUR(3000), p.Authorised)
		assert.Equal(w.t, EUR(0), p.Captured)
		assert.Equal(w.t, EUR(0), p.Refunded)
		assert.False(w.t, p.Undone)
		assert.True(w.t, payments.PaymentIDs.Valid(p.ID))
		assert.Equal(w.t, w.Clock.Now(), p.CreatedAt)
		assert.Equal(w.t, p, w.get(p.ID))
		assert.Equal(w.t, []payments.Status{payments.StatusAuthorised}, w.statuses(r.Order))
	}},
	{name: "answers a repeat as the first time", run: func(w *world) {
		r := w.request(OK)
		first := w.authorize(r)
		w.Clock.Advance(time.Minute)
		r.By = actor.System(newRef("per_")) // on whose behalf does not make another request of it
		assert.Equal(w.t, first, w.authorize(r))
		assert.Len(w.t, w.statuses(r.Order), 1)
	}},
	{name: "answers a repeat with where the payment stands now", run: func(w *world) {
		r := w.request(OK)
		p := w.authorize(r)
		reply, err := w.Capture(w.t.Context(), payments.CaptureRequest{
			By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)},
		})
		require.NoError(w.t, err)
		assert.Equal(w.t, reply.Payment, w.authorize(r))
	}},
	{name: "refuses a key with another body", run: func(w *world) {
		r := w.request(OK)
		w.authorize(r)
		for name, change := range map[string]func(*payments.AuthorizeRequest){
			"amount": func(r *payments.AuthorizeRequest) { r.Amount = EUR(3001) },
			"method": func(r *payments.AuthorizeRequest) { r.Method = Declined },
			"order":  func(r *payments.AuthorizeRequest) { r.Order = newRef("ord_") },
		} {
			other := r
			change(&other)
			_, err := w.Authorize(w.t.Context(), other)
			require.ErrorIs(w.t, err, payments.ErrKeyReused, name)
		}
	}},
	{name: "makes one payment of ten simultaneous requests with one key", races: true, run: func(w *world) {
		r := w.request(OK)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var failed error
		ids := map[payments.PaymentID]bool{}
		for range 10 {
			wg.Go(func() {
				reply, err := w.Authorize(w.t.Context(), r)
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, err)
				ids[reply.Payment.ID] = true
			})
		}
		wg.Wait()
		require.NoError(w.t, failed)
		w.runDue()
		assert.Len(w.t, ids, 1)
		assert.Equal(w.t, []payments.Status{payments.StatusAuthorised}, w.statuses(r.Order))
	}},
	{name: "answers a decline", run: func(w *world) {
		r := w.request(Declined)
		p := w.authorize(r)
		assert.Equal(w.t, payments.StatusDeclined, p.Status)
		assert.NotEmpty(w.t, p.DeclineReason)
		assert.Equal(w.t, EUR(0), p.Authorised)
		assert.Equal(w.t, p, w.authorize(r))
		assert.Equal(w.t, []payments.Status{payments.StatusDeclined}, w.statuses(r.Order))
	}},
	{name: "records a zero amount as nothing due", run: func(w *world) {
		r := w.request("")
		r.Amount = EUR(0)
		p := w.authorize(r)
		assert.Equal(w.t, payments.StatusNothingDue, p.Status)
		assert.Equal(w.t, p, w.authorize(r))
	}},
	{name: "declines what comes after its time", run: func(w *world) {
		r := w.request(OK)
		r.Until = w.Clock.Now()
		assert.Equal(w.t, payments.StatusDeclined, w.authorize(r).Status)
	}},
	{name: "asks the buyer to approve, and hears that", run: func(w *world) {
		r := w.request(Redirect)
		p := w.authorize(r)
		assert.Equal(w.t, payments.StatusActionRequired, p.Status)
		assert.NotEmpty(w.t, p.ActionURL)
		assert.True(w.t, p.Until.After(w.Clock.Now()))
		assert.False(w.t, p.Until.After(r.Until))
		require.NoError(w.t, w.Hooks.Approve(w.t.Context(), p.ActionURL, true))
		w.runDue()
		p = w.get(p.ID)
		assert.Equal(w.t, payments.StatusAuthorised, p.Status)
		assert.Empty(w.t, p.ActionURL)
		assert.Zero(w.t, p.Until)
		assert.Equal(w.t, EUR(3000), p.Authorised)
		assert.Equal(w.t, []payments.Status{payments.StatusActionRequired, payments.StatusAuthorised}, w.statuses(r.Order))
	}},
	{name: "hears that the buyer did not approve", run: func(w *world) {
		p := w.authorize(w.request(Redirect))
		require.NoError(w.t, w.Hooks.Approve(w.t.Context(), p.ActionURL, false))
		w.runDue()
		p = w.get(p.ID)
		assert.Equal(w.t, payments.StatusDeclined, p.Status)
		assert.NotEmpty(w.t, p.DeclineReason)
	}},
	{name: "declines what was not approved in time", run: func(w *world) {
		r := w.request(Redirect)
		r.Until = w.Clock.Now().Add(10 * time.Minute)
		p := w.authorize(r)
		w.pass(9 * time.Minute)
		assert.Equal(w.t, payments.StatusActionRequired, w.get(p.ID).Status)
		w.pass(2 * time.Minute)
		assert.Equal(w.t, payments.StatusDeclined, w.get(p.ID).Status)
	}},
	{name: "waits for an outcome that comes later", run: func(w *world) {
		for method, want := range map[string]payments.Status{Later: payments.StatusAuthorised, LaterDeclined: payments.StatusDeclined} {
			r := w.request(method)
			p := w.authorize(r)
			assert.Equal(w.t, payments.StatusPending, p.Status)
			assert.NotZero(w.t, p.Until)
			w.runDue()
			assert.Equal(w.t, payments.StatusPending, w.get(p.ID).Status)
			w.pass(LaterAfter)
			w.pass(SettledAfter)
			assert.Equal(w.t, want, w.get(p.ID).Status)
			assert.Equal(w.t, []payments.Status{payments.StatusPending, want}, w.statuses(r.Order))
		}
	}},
	{name: "settles an unknown outcome by itself", run: func(w *world) {
		r := w.request(LostReply)
		p := w.authorize(r)
		assert.Equal(w.t, payments.StatusAuthorising, p.Status)
		w.pass(SettledAfter)
		p = w.get(p.ID)
		assert.Equal(w.t, payments.StatusAuthorised, p.Status)
		assert.Equal(w.t, EUR(3000), p.Authorised)
		assert.Equal(w.t, p, w.authorize(r))
		assert.Equal(w.t, []payments.Status{payments.StatusAuthorised}, w.statuses(r.Order))
	}},
	{name: "refuses what is malformed, every field at once", run: func(w *world) {
		_, err := w.Authorize(w.t.Context(), payments.AuthorizeRequest{
			By: System(), Order: newRef("sel_"), Amount: money.Money{Minor: -1, Currency: "XXX"}, Method: OK, ReturnURL: "https://elsewhere.example/",
		})
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		for _, field := range []string{"key", "order", "amount", "return_url"} {
			assert.Contains(w.t, errs.As(err).Fields, field)
		}
		r := w.request("sandbox_of_nobody")
		_, err = w.Authorize(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrMethod)
		r.Method = OK // what was malformed is not remembered under its key
		assert.Equal(w.t, payments.StatusAuthorised, w.authorize(r).Status)
	}},
	{name: "is the system's alone", run: func(w *world) {
		for _, by := range outsiders() {
			r := w.request(OK)
			r.By = by
			_, err := w.Authorize(w.t.Context(), r)
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
	}},
}

// outsiders are all who may not command payments.
func outsiders() []actor.Actor {
	return []actor.Actor{
		actor.Nobody(), actor.Guest("0123456789abcdef"), Staff(newRef("sel_")), Operator(),
		{Kind: actor.KindPerson, Person: newRef("per_"), Scopes: []actor.Scope{actor.ScopeShop}},
	}
}

func undoOf(r payments.AuthorizeRequest) payments.UndoRequest {
	return payments.UndoRequest{By: System(), Key: r.Key, Why: "the checkout was given up"}
}

var undoTests = []test{
	{name: "before do: the late original is refused", run: func(w *world) {
		r := w.request(OK)
		for range 2 {
			reply, err := w.Undo(w.t.Context(), undoOf(r))
			require.NoError(w.t, err)
			assert.False(w.t, reply.Known)
			assert.Nil(w.t, reply.Payment)
		}
		_, err := w.Authorize(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrKeyUndone)
		reply, err := w.GetPayments(w.t.Context(), payments.GetPaymentsRequest{By: System(), Orders: []id.Ref{r.Order}})
		require.NoError(w.t, err)
		assert.Empty(w.t, reply.Payments)
	}},
	{name: "voids what was authorised", run: func(w *world) {
		r := w.request(OK)
		p := w.authorize(r)
		u := undoOf(r)
		u.By = actor.System(newRef("per_")) // whoever it is done for
		for range 2 {
			reply, err := w.Undo(w.t.Context(), u)
			require.NoError(w.t, err)
			assert.True(w.t, reply.Known)
			require.NotNil(w.t, reply.Payment)
			assert.Equal(w.t, p.ID, reply.Payment.ID)
			assert.True(w.t, reply.Payment.Undone)
		}
		w.runDue()
		p = w.get(p.ID)
		assert.Equal(w.t, payments.StatusVoided, p.Status)
		assert.True(w.t, p.Undone)
		assert.Equal(w.t, []payments.Status{payments.StatusAuthorised, payments.StatusVoided}, w.statuses(r.Order))
		_, err := w.Authorize(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrKeyUndone)
	}},
	{name: "is refused capture afterwards", run: func(w *world) {
		r := w.request(OK)
		p := w.authorize(r)
		_, err := w.Undo(w.t.Context(), undoOf(r))
		require.NoError(w.t, err)
		_, err = w.Capture(w.t.Context(), payments.CaptureRequest{
			By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)},
		})
		require.ErrorIs(w.t, err, payments.ErrStatus)
	}},
	{name: "voids what is still unknown, waiting or to be approved", run: func(w *world) {
		for _, method := range []string{LostReply, Later, LaterDeclined, Redirect} {
			r := w.request(method)
			p := w.authorize(r)
			_, err := w.Undo(w.t.Context(), undoOf(r))
			require.NoError(w.t, err)
			w.runDue()
			w.pass(SettledAfter)
			w.pass(time.Hour)
			p = w.get(p.ID)
			assert.Equal(w.t, payments.StatusVoided, p.Status, method)
			assert.Equal(w.t, EUR(0), p.Captured)
			assert.NotContains(w.t, w.statuses(r.Order), payments.StatusAuthorised, method)
		}
	}},
	{name: "leaves declined what is declined, and voids nothing due", run: func(w *world) {
		r := w.request(Declined)
		p := w.authorize(r)
		_, err := w.Undo(w.t.Context(), undoOf(r))
		require.NoError(w.t, err)
		w.runDue()
		assert.Equal(w.t, payments.StatusDeclined, w.get(p.ID).Status)

		r = w.request(OK)
		r.Amount = EUR(0)
		p = w.authorize(r)
		_, err = w.Undo(w.t.Context(), undoOf(r))
		require.NoError(w.t, err)
		w.runDue()
		assert.Equal(w.t, payments.StatusVoided, w.get(p.ID).Status)
	}},
	{name: "is refused once captured, and leaves no trace", run: func(w *world) {
		r := w.request(OK)
		p := w.authorize(r)
		_, err := w.Capture(w.t.Context(), payments.CaptureRequest{
			By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)},
		})
		require.NoError(w.t, err)
		_, err = w.Undo(w.t.Context(), undoOf(r))
		require.ErrorIs(w.t, err, payments.ErrStatus)
		w.runDue()
		p = w.authorize(r)
		assert.Equal(w.t, payments.StatusCaptured, p.Status)
		assert.False(w.t, p.Undone)
	}},
	{name: "races the original to one of two ends", races: true, run: func(w *world) {
		for range 10 {
			r := w.request(OK)
			var wg sync.WaitGroup
			var authorised, undone error
			wg.Go(func() { _, authorised = w.Authorize(w.t.Context(), r) })
			wg.Go(func() { _, undone = w.Undo(w.t.Context(), undoOf(r)) })
			wg.Wait()
			require.NoError(w.t, undone)
			assert.True(w.t, authorised == nil || errors.Is(authorised, payments.ErrKeyUndone), "%v", authorised)
			w.pass(SettledAfter)
			reply, err := w.GetPayments(w.t.Context(), payments.GetPaymentsRequest{By: System(), Orders: []id.Ref{r.Order}})
			require.NoError(w.t, err)
			for _, p := range reply.Payments {
				assert.Equal(w.t, payments.StatusVoided, p.Status)
			}
		}
	}},
	{name: "needs a key and the system", run: func(w *world) {
		_, err := w.Undo(w.t.Context(), payments.UndoRequest{By: System()})
		require.ErrorIs(w.t, err, payments.ErrInvalid)
		assert.Contains(w.t, errs.As(err).Fields, "key")
		for _, by := range outsiders() {
			_, err := w.Undo(w.t.Context(), payments.UndoRequest{By: by, Key: "k"})
			require.ErrorIs(w.t, err, payments.ErrForbidden)
		}
	}},
}

var pauseTests = []test{
	{name: "refuses what moves money, remembers nothing, and goes on after", run: func(w *world) {
		p := w.authorize(w.request(OK))
		paid, shares := w.captured(OK)
		require.NoError(w.t, w.Hooks.Pause(w.t.Context()))
		r := w.request(OK)
		capture := payments.CaptureRequest{
			By: System(), Key: "c", Payment: p.ID, Amount: EUR(3000), Shares: []payments.Share{share(newRef("sel_"), 3000)},
		}
		refund := payments.RefundRequest{By: System(), Key: "r", Payment: paid.ID, Amount: EUR(1000), Shares: shares[:1]}
		_, err := w.Authorize(w.t.Context(), r)
		require.ErrorIs(w.t, err, payments.ErrPaused)
		_, err = w.Capture(w.t.Context(), capture)
		require.ErrorIs(w.t, err, payments.ErrPaused)
		_, err = w.Refund(w.t.Context(), refund)
		require.ErrorIs(w.t, err, payments.ErrPaused)
		assert.Equal(w.t, errs.Unavailable, errs.KindOf(err))

		require.NoError(w.t, w.Hooks.Resume(w.t.Context()))
		assert.Equal(w.t, payments.StatusAuthorised, w.authorize(r).Status)
		_, err = w.Capture(w.t.Context(), capture)
		require.NoError(w.t, err)
		_, err = w.Refund(w.t.Context(), refund)
		require.NoError(w.t, err)
	}},
	{name: "settles after the pause what was under way", run: func(w *world) {
		r := w.request(Later)
		p := w.authorize(r)
		undone := w.request(OK)
		q := w.authorize(undone)
		require.NoError(w.t, w.Hooks.Pause(w.t.Context()))
		_, err := w.Undo(w.t.Context(), undoOf(undone))
		require.NoError(w.t, err)
		require.NoError(w.t, w.Hooks.Resume(w.t.Context()))
		w.pass(LaterAfter)
		w.pass(SettledAfter)
		assert.Equal(w.t, payments.StatusAuthorised, w.get(p.ID).Status)
		assert.Equal(w.t, payments.StatusVoided, w.get(q.ID).Status)
	}},
}

// falls says whether no moment is later than the one before it.
func falls(at []clock.Time) bool {
	for i := 1; i < len(at); i++ {
		if at[i] > at[i-1] {
			return false
		}
	}
	return true
}
