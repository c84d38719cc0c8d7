package paymentssvc_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep/sweeptest"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

func request(c *clock.Manual, method string) payments.AuthorizeRequest {
	order := id.Ref(id.New("ord_"))
	return payments.AuthorizeRequest{
		By: paymentstest.System(), Key: string(order) + ":authorise", Order: order, Amount: paymentstest.EUR(3000), Method: method,
		ReturnURL: "/orders/" + string(order), Until: c.Now().Add(30 * time.Minute),
	}
}

func captureOf(p payments.Payment) payments.CaptureRequest {
	return payments.CaptureRequest{
		By: paymentstest.System(), Key: string(p.Order) + ":capture", Payment: p.ID, Amount: p.Amount,
		Shares: []payments.Share{{Seller: id.Ref(id.New("sel_")), SellerOrder: id.Ref(id.New("sor_")), Amount: p.Amount}},
	}
}

func refundOf(c payments.CaptureRequest, key string, minor int64) payments.RefundRequest {
	s := c.Shares[0]
	s.Amount = paymentstest.EUR(minor)
	return payments.RefundRequest{By: paymentstest.System(), Key: key, Payment: c.Payment, Amount: s.Amount, Shares: []payments.Share{s}, Why: "a test"}
}

func (h *house) get(t testing.TB, pid payments.PaymentID) payments.Payment {
	t.Helper()
	reply, err := h.GetPayments(t.Context(), payments.GetPaymentsRequest{By: paymentstest.System(), IDs: []payments.PaymentID{pid}})
	require.NoError(t, err)
	require.Len(t, reply.Payments, 1)
	return reply.Payments[0]
}

func (h *house) pass(t testing.TB, d time.Duration) {
	t.Helper()
	h.clock.Advance(d)
	require.NoError(t, h.runDue(t.Context()))
}

func (h *house) balances(t testing.TB) map[payments.Beneficiary]int64 {
	t.Helper()
	reply, err := h.Balances(t.Context(), payments.BalancesRequest{By: paymentstest.System()})
	require.NoError(t, err)
	out := map[payments.Beneficiary]int64{}
	for _, b := range reply.Balances {
		out[b.Account.Of] += b.Amount.Minor
	}
	return out
}

func (h *house) sound(t testing.TB) {
	t.Helper()
	reply := whole(t, h.Audit)
	assert.Empty(t, reply.Problems)
	assert.Zero(t, reply.Standing.JobsDead)
}

func TestEveryVerbSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	faults := map[string]sandbox.Fault{
		"not done": {Unavailable: true}, "request lost": {LoseRequest: true}, "reply lost": {LoseReply: true},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clock.NewManual(start)
			plan := sandbox.NewScript(0).Then(sandbox.OpAuthorise, fault, fault).Then(sandbox.OpLookup, sandbox.Fault{Unavailable: true}).
				Then(sandbox.OpCapture, fault, fault, fault).Then(sandbox.OpRefund, fault, fault).Then(sandbox.OpVoid, fault, fault)
			h := newHouse(t, c, plan)

			reply, err := h.Authorize(t.Context(), request(c, sandbox.MethodOK))
			require.NoError(t, err)
			assert.Equal(t, payments.StatusAuthorising, reply.Payment.Status)
			for range 4 {
				h.pass(t, 10*time.Second)
			}
			p := h.get(t, reply.Payment.ID)
			require.Equal(t, payments.StatusAuthorised, p.Status)

			capture := captureOf(p)
			for range 2 { // the caller repeats, then the job finishes it
				_, err = h.Capture(t.Context(), capture)
				require.Equal(t, errs.Unknown, errs.KindOf(err))
			}
			_, err = h.Undo(t.Context(), payments.UndoRequest{By: paymentstest.System(), Key: string(p.Order) + ":authorise"})
			require.ErrorIs(t, err, payments.ErrStatus, "what is being captured cannot be undone")
			for range 4 {
				h.pass(t, 20*time.Second)
			}
			require.Equal(t, payments.StatusCaptured, h.get(t, p.ID).Status)
			_, err = h.Capture(t.Context(), capture)
			require.NoError(t, err)

			refund, err := h.Refund(t.Context(), refundOf(capture, "r", 1000))
			require.NoError(t, err)
			assert.Equal(t, payments.RefundPending, refund.Refund.Status)
			assert.Equal(t, map[payments.Beneficiary]int64{payments.ToProvider: -3000, payments.ToEscrow: 2000, payments.ToRefunds: 1000}, h.balances(t))
			_, err = h.Refund(t.Context(), refundOf(capture, "beyond", 2001))
			require.ErrorIs(t, err, payments.ErrAmount, "what is on its way back is not given back twice")
			for range 4 {
				h.pass(t, 20*time.Second)
			}
			assert.Equal(t, paymentstest.EUR(1000), h.get(t, p.ID).Refunded)
			assert.Equal(t, map[payments.Beneficiary]int64{payments.ToProvider: -2000, payments.ToEscrow: 2000, payments.ToRefunds: 0}, h.balances(t))

			undone, err := h.Authorize(t.Context(), request(c, sandbox.MethodOK))
			require.NoError(t, err)
			_, err = h.Undo(t.Context(), payments.UndoRequest{By: paymentstest.System(), Key: string(undone.Payment.Order) + ":authorise"})
			require.NoError(t, err)
			for range 4 {
				h.pass(t, 20*time.Second)
			}
			assert.Equal(t, payments.StatusVoided, h.get(t, undone.Payment.ID).Status)
			h.sound(t)
		})
	}
}

func TestRefusalsByPlan(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(start)
	plan := sandbox.NewScript(0).Then(sandbox.OpCapture, sandbox.Fault{}, sandbox.Fault{LoseRequest: true}, sandbox.Fault{Refuse: true}).
		Then(sandbox.OpRefund, sandbox.Fault{Refuse: true})
	h := newHouse(t, c, plan)
	first, err := h.Authorize(t.Context(), request(c, sandbox.MethodOK))
	require.NoError(t, err)
	capture := captureOf(first.Payment)
	_, err = h.Capture(t.Context(), capture)
	require.NoError(t, err)
	refund, err := h.Refund(t.Context(), refundOf(capture, "r", 1000))
	require.NoError(t, err)
	assert.Equal(t, payments.RefundFailed, refund.Refund.Status)
	refund, err = h.Refund(t.Context(), refundOf(capture, "another", 1000))
	require.NoError(t, err)
	assert.Equal(t, payments.RefundDone, refund.Refund.Status)
	waiting, err := h.ListRefusedRefunds(t.Context(), payments.ListRefusedRefundsRequest{By: paymentstest.System()})
	require.NoError(t, err)
	require.Len(t, waiting.Refunds, 1)
	rid := waiting.Refunds[0].Refund.ID
	_, err = h.RetryRefund(t.Context(), payments.RetryRefundRequest{By: paymentstest.Operator(), Key: "too much", Refund: rid})
	require.NoError(t, err)
	h.pass(t, time.Minute)
	assert.Equal(t, paymentstest.EUR(2000), h.get(t, first.Payment.ID).Refunded, "this time it was done")
	assert.Equal(t, map[payments.Beneficiary]int64{payments.ToProvider: -1000, payments.ToEscrow: 1000, payments.ToRefunds: 0}, h.balances(t))

	second, err := h.Authorize(t.Context(), request(c, sandbox.MethodOK))
	require.NoError(t, err)
	capture = captureOf(second.Payment)
	_, err = h.Capture(t.Context(), capture)
	require.Equal(t, errs.Unknown, errs.KindOf(err))
	h.pass(t, time.Minute) // the job hears that it is refused for good
	_, err = h.Capture(t.Context(), capture)
	require.ErrorIs(t, err, payments.ErrCaptureRefused)
	first, err = h.Authorize(t.Context(), request(c, sandbox.MethodOK))
	require.NoError(t, err)
	capture.Key, capture.Payment = "a third", first.Payment.ID
	_, err = h.Capture(t.Context(), capture)
	require.NoError(t, err)
	h.sound(t)
}

func TestMoneyThatComesLateGoesBack(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(start)
	h := newHouse(t, c, sandbox.NewScript(0))

	t.Run("taken while it was being undone", func(t *testing.T) {
		r := request(c, sandbox.MethodLater)
		reply, err := h.Authorize(t.Context(), r)
		require.NoError(t, err)
		_, err = h.Undo(t.Context(), payments.UndoRequest{By: paymentstest.System(), Key: r.Key})
		require.NoError(t, err)
		require.NoError(t, h.box.Take(t.Context(), string(reply.Payment.ID)+":authorise"))
		h.pass(t, time.Minute)
		p := h.get(t, reply.Payment.ID)
		assert.Equal(t, payments.StatusVoided, p.Status)
		assert.Equal(t, paymentstest.EUR(3000), p.Captured)
		assert.Equal(t, paymentstest.EUR(3000), p.Refunded)
		list, err := h.ListTransactions(t.Context(), payments.ListTransactionsRequest{By: paymentstest.System(), Order: r.Order})
		require.NoError(t, err)
		require.Len(t, list.Transactions, 2)
		for _, tx := range list.Transactions {
			assert.Equal(t, payments.BookReturn, tx.Kind)
		}
	})
	t.Run("taken after it was declined, and the provider says so", func(t *testing.T) {
		r := request(c, sandbox.MethodLaterDeclined)
		reply, err := h.Authorize(t.Context(), r)
		require.NoError(t, err)
		h.pass(t, time.Minute)
		require.Equal(t, payments.StatusDeclined, h.get(t, reply.Payment.ID).Status)
		require.NoError(t, h.box.Take(t.Context(), string(reply.Payment.ID)+":authorise"))
		h.pass(t, time.Minute)
		p := h.get(t, reply.Payment.ID)
		assert.Equal(t, payments.StatusDeclined, p.Status)
		assert.Equal(t, paymentstest.EUR(3000), p.Refunded)
	})
	assert.Equal(t, map[payments.Beneficiary]int64{payments.ToProvider: 0, payments.ToRefunds: 0}, h.balances(t))
	h.sound(t)
}

// dying is a provider whose process dies before or after it is asked.
type dying struct {
	provider.Provider
	before, after bool
}

var errDied = errors.New("the process died here")

func die[In any](ctx context.Context, d *dying, call func(context.Context, In) (provider.Outcome, error), in In) (provider.Outcome, error) {
	if d.before {
		panic(errDied)
	}
	o, err := call(ctx, in)
	if d.after {
		panic(errDied)
	}
	return o, err
}

func (d *dying) Authorise(ctx context.Context, c provider.Charge) (provider.Outcome, error) {
	return die(ctx, d, d.Provider.Authorise, c)
}

func (d *dying) Capture(ctx context.Context, c provider.Capture) (provider.Outcome, error) {
	return die(ctx, d, d.Provider.Capture, c)
}

func (d *dying) Refund(ctx context.Context, r provider.Refund) (provider.Outcome, error) {
	return die(ctx, d, d.Provider.Refund, r)
}

func TestWhoeverDiesBetweenTwoLinesIsFollowedByAJob(t *testing.T) {
	t.Parallel()
	for _, d := range []dying{{before: true}, {after: true}} {
		for _, verb := range []string{"authorise", "capture", "refund"} {
			t.Run(fmt.Sprintf("%s before=%t", verb, d.before), func(t *testing.T) {
				t.Parallel()
				c := clock.NewManual(start)
				db := storetest.Open(t, "payments", storetest.Clock(c.Now))
				h := houseOn(db, c, nil)
				mortal := paymentssvc.New(paymentssvc.Config{DB: db, Provider: &dying{Provider: h.box, before: d.before, after: d.after}})
				who := func(step string) payments.Service {
					if step == verb {
						return mortal
					}
					return h
				}
				r := request(c, sandbox.MethodOK)
				must(t, verb == "authorise", func() error { _, err := who("authorise").Authorize(t.Context(), r); return err })
				c.Advance(time.Minute)
				require.NoError(t, h.runDue(t.Context()))
				reply, err := h.Authorize(t.Context(), r)
				require.NoError(t, err)
				require.Equal(t, payments.StatusAuthorised, reply.Payment.Status)

				capture := captureOf(reply.Payment)
				must(t, verb == "capture", func() error { _, err := who("capture").Capture(t.Context(), capture); return err })
				c.Advance(time.Minute)
				require.NoError(t, h.runDue(t.Context()))
				must(t, false, func() error { _, err := h.Capture(t.Context(), capture); return err })

				refund := refundOf(capture, "r", 3000)
				must(t, verb == "refund", func() error { _, err := who("refund").Refund(t.Context(), refund); return err })
				c.Advance(time.Minute)
				require.NoError(t, h.runDue(t.Context()))
				done, err := h.Refund(t.Context(), refund)
				require.NoError(t, err)
				assert.Equal(t, payments.RefundDone, done.Refund.Status)
				assert.Equal(t, map[payments.Beneficiary]int64{payments.ToProvider: 0, payments.ToEscrow: 0, payments.ToRefunds: 0}, h.balances(t))
				h.sound(t)
			})
		}
	}
}

// must runs fn, which dies or succeeds.
func must(t *testing.T, dies bool, fn func() error) {
	t.Helper()
	if dies {
		require.PanicsWithError(t, errDied.Error(), func() { _ = fn() })
		return
	}
	require.NoError(t, fn())
}

func TestASecondProcessGoesOn(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(start)
	dir := t.TempDir()
	h := houseAt(t, dir, c, nil)
	later, err := h.Authorize(t.Context(), request(c, sandbox.MethodLater))
	require.NoError(t, err)
	redirect, err := h.Authorize(t.Context(), request(c, sandbox.MethodRedirect))
	require.NoError(t, err)
	require.NoError(t, h.Pause(t.Context(), paymentstest.System(), "before the end"))
	require.NoError(t, h.db.Close())

	h = houseAt(t, dir, c, nil)
	paused, err := h.Paused(t.Context())
	require.NoError(t, err)
	assert.True(t, paused)
	h.pass(t, time.Minute)
	assert.Equal(t, payments.StatusPending, h.get(t, later.Payment.ID).Status, "nothing is asked while paused")
	require.NoError(t, h.Resume(t.Context(), paymentstest.Operator(), "reconciled"))
	_, err = h.box.Decide(t.Context(), pageOf(redirect.Payment), true)
	require.NoError(t, err)
	require.NoError(t, h.runDue(t.Context()))
	assert.Equal(t, payments.StatusAuthorised, h.get(t, later.Payment.ID).Status)
	assert.Equal(t, payments.StatusAuthorised, h.get(t, redirect.Payment.ID).Status)
	h.sound(t)
}

// TestAnythingGoesWrong runs random commands against a provider in which much goes wrong,
// then lets time pass, and holds what is left to every invariant and to what the sandbox
// itself believes.
func TestAnythingGoesWrong(t *testing.T) {
	t.Parallel()
	for range 5 {
		seed := rand.Uint64() //nolint:gosec // chance, not secrecy
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // chance, not secrecy
			c := clock.NewManual(start)
			h := newHouse(t, c, sandbox.NewRandom(seed, sandbox.Rates{Unavailable: .15, LoseRequest: .15, LoseReply: .15, MaxNotifyDelay: time.Minute}))
			var made []payments.AuthorizeRequest
			captures := map[payments.PaymentID]payments.CaptureRequest{}
			for i := range 150 {
				randomAct(t, h, dice, i, &made, captures)
				if dice.IntN(5) == 0 {
					h.pass(t, time.Duration(dice.IntN(20_000))*time.Millisecond)
				}
			}
			for range 60 {
				h.pass(t, 5*time.Minute)
			}
			for _, r := range made {
				reply, err := h.GetPayments(t.Context(), payments.GetPaymentsRequest{By: paymentstest.System(), Orders: []id.Ref{r.Order}})
				require.NoError(t, err)
				for _, p := range reply.Payments {
					assert.NotContains(t, []payments.Status{payments.StatusAuthorising, payments.StatusActionRequired, payments.StatusPending}, p.Status, "everything comes to an end")
					assert.False(t, p.Undone && p.Status == payments.StatusAuthorised, "what was undone holds no money")
				}
				for _, refund := range reply.Refunds {
					assert.NotEqual(t, payments.RefundPending, refund.Status)
				}
			}
			h.agrees(t)
			h.sound(t)
		})
	}
}

func randomAct(t *testing.T, h *house, dice *rand.Rand, i int, made *[]payments.AuthorizeRequest, captures map[payments.PaymentID]payments.CaptureRequest) {
	t.Helper()
	methods := h.box.Methods()
	if len(*made) == 0 || dice.IntN(3) == 0 {
		r := request(h.clock, methods[dice.IntN(len(methods))].ID)
		*made = append(*made, r)
		_, err := h.Authorize(t.Context(), r)
		fine(t, err)
		return
	}
	r := (*made)[dice.IntN(len(*made))]
	reply, err := h.Authorize(t.Context(), r)
	fine(t, err)
	p := reply.Payment
	switch dice.IntN(5) {
	case 0:
		_, err = h.Undo(t.Context(), payments.UndoRequest{By: paymentstest.System(), Key: r.Key})
	case 1:
		if p.ActionURL != "" {
			_, err = h.box.Decide(t.Context(), pageOf(p), dice.IntN(2) == 0)
		}
	default:
		if p.ID == "" {
			return
		}
		if _, ok := captures[p.ID]; !ok && p.Status == payments.StatusAuthorised {
			captures[p.ID] = captureOf(p)
		}
		if capture, ok := captures[p.ID]; ok {
			_, err = h.Capture(t.Context(), capture)
			fine(t, err)
			_, err = h.Refund(t.Context(), refundOf(capture, fmt.Sprint(i), int64(1+dice.IntN(2000))))
		}
	}
	fine(t, err)
}

// pageOf is the name of the page that a payment's buyer is sent to.
func pageOf(p payments.Payment) string { return strings.TrimPrefix(p.ActionURL, sandbox.PagePrefix) }

// fine says that err is none, a declared refusal, or unknown.
func fine(t *testing.T, err error) {
	t.Helper()
	assert.True(t, err == nil || errs.Refused(err) || errs.KindOf(err) == errs.Unknown, "%v", err)
}

// agrees holds the module's books to the provider's.
func (h *house) agrees(t *testing.T) {
	t.Helper()
	var theirs, ours struct {
		Captured int64 `db:"captured"`
		Refunded int64 `db:"refunded"`
		Held     int64 `db:"held"`
	}
	require.NoError(t, h.db.Read(t.Context(), func(q store.Queryer) error {
		if err := q.Get(&theirs, `SELECT sum(captured) AS captured, sum(refunded) AS refunded, sum(CASE state WHEN 'authorised' THEN 1 ELSE 0 END) AS held FROM sandbox_charges`); err != nil {
			return err
		}
		return q.Get(&ours, `SELECT sum(captured) AS captured, sum(refunded) AS refunded, sum(CASE status WHEN 'authorised' THEN 1 ELSE 0 END) AS held FROM payments`)
	}))
	assert.Equal(t, theirs, ours)
	assert.Equal(t, -(theirs.Captured - theirs.Refunded), h.balances(t)[payments.ToProvider])
}

// whole is an audit with the problems of every page.
func whole(t testing.TB, ask func(context.Context, audit.Request) (payments.AuditReply, error)) payments.AuditReply {
	t.Helper()
	return sweeptest.Whole(t, ask, func(r *payments.AuditReply) (*[]audit.Problem, *string) { return &r.Problems, &r.Next })
}
