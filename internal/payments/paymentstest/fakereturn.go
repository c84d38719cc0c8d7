package paymentstest

import (
	"context"
	"maps"
	"slices"
	"time"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
)

// fakeReturn is money that came late.
type fakeReturn struct {
	payments.Return
	taken bool // by the provider, and payments does not know yet
}

// pauses are those after each refusal, as the contract has it: some days in all.
var pauses = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour}

// Take has the provider take the money of a payment that is being undone.
func (f *Fake) Take(_ context.Context, pid payments.PaymentID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.payments[pid]
	if p == nil {
		return payments.ErrNotFound
	}
	p.back = &fakeReturn{taken: true}
	return nil
}

// arrived is what payments hears of when it voids what was taken.
func (f *Fake) arrived(p *fakePayment) {
	if p.back == nil || !p.back.taken {
		return
	}
	p.back.taken = false
	p.Authorised, p.Captured = p.Amount, p.Amount
	p.back.Return = payments.Return{Payment: p.ID, Order: p.Order, Amount: p.Amount, Status: payments.RefundPending, NextTry: f.now(), At: f.now()}
	f.book(p, payments.BookReturn, whole(payments.ToProvider, p.Amount.Neg()), whole(payments.ToRefunds, p.Amount))
}

// tryReturn gives back what came late, if that is due.
func (f *Fake) tryReturn(p *fakePayment) {
	if p.back == nil || p.back.taken || p.back.Status != payments.RefundPending || p.back.NextTry.After(f.now()) || f.paused {
		return
	}
	if p.Method != RefundFailed {
		p.back.Status, p.back.NextTry, p.Refunded = payments.RefundDone, 0, p.Amount
		f.book(p, payments.BookReturn, whole(payments.ToRefunds, p.Amount.Neg()), whole(payments.ToProvider, p.Amount))
		return
	}
	p.back.Refusals++
	p.back.Reason = "The card does not take refunds."
	if int(p.back.Refusals) > len(pauses) {
		p.back.Status, p.back.NextTry = payments.RefundFailed, 0
		return
	}
	p.back.NextTry = f.now().Add(pauses[p.back.Refusals-1])
}

// ListReturns pages through what is not back yet.
func (f *Fake) ListReturns(_ context.Context, r payments.ListReturnsRequest) (payments.ListReturnsReply, error) {
	if !r.By.IsSystem() && !r.By.IsOperator() {
		return payments.ListReturnsReply{}, payments.ErrForbidden
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	filter, after := []any{"returns", r.Order}, ""
	if _, err := r.Page.After(filter, &after); err != nil {
		return payments.ListReturnsReply{}, err
	}
	var reply payments.ListReturnsReply
	for _, pid := range slices.Sorted(maps.Keys(f.payments)) {
		p := f.payments[pid]
		if p.back == nil || p.back.taken || p.back.Status == payments.RefundDone || string(pid) <= after || r.Order != nil && p.back.Order != *r.Order {
			continue
		}
		if len(reply.Returns) == r.Page.Size(20, 100) {
			var err error
			reply.Next, err = page.Cursor(filter, string(reply.Returns[len(reply.Returns)-1].Payment))
			return reply, err
		}
		reply.Returns = append(reply.Returns, p.back.Return)
	}
	return reply, nil
}

// RetryReturn has a return tried in the next RunDue.
func (f *Fake) RetryReturn(_ context.Context, r payments.RetryReturnRequest) (payments.RetryReturnReply, error) {
	if !r.By.IsOperator() {
		return payments.RetryReturnReply{}, payments.ErrForbidden
	}
	var bad errs.Problems
	bad.Check(r.Key != "" && len(r.Key) <= 200, "key", "has 1 to 200 characters")
	bad.Check(payments.PaymentIDs.Valid(r.Payment), "payment", "is not a payment's id")
	bad.Check(len(r.Why) <= 500, "why", "is too long")
	if err := bad.Err(payments.ErrInvalid); err != nil {
		return payments.RetryReturnReply{}, err
	}
	var reply payments.RetryReturnReply
	err := f.do(func() error {
		body := r
		body.By, body.Key = actor.Actor{}, ""
		_, err := f.doOnce("return", r.By.Owner()+" "+r.Key, body, func() (string, error) {
			p := f.payments[r.Payment]
			switch {
			case p == nil:
				return "", payments.ErrNotFound
			case f.paused:
				return "", payments.ErrPaused
			case p.back == nil || p.back.taken || p.back.Status == payments.RefundDone:
				return "", payments.ErrStatus
			}
			p.back.Status, p.back.NextTry = payments.RefundPending, f.now()
			return string(p.ID), nil
		})
		if err == nil {
			reply.Return = f.payments[r.Payment].back.Return
		}
		return err
	})
	return reply, err
}
