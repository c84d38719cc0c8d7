package paymentstest

import (
	"cmp"
	"context"
	"slices"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
)

// ListRefusedRefunds pages through what the provider has refused to pay back.
func (f *Fake) ListRefusedRefunds(_ context.Context, r payments.ListRefusedRefundsRequest) (payments.ListRefusedRefundsReply, error) {
	if !r.By.IsSystem() && !r.By.IsOperator() {
		return payments.ListRefusedRefundsReply{}, payments.ErrForbidden
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	filter, after := []any{"refused refunds", r.Order}, ""
	if _, err := r.Page.After(filter, &after); err != nil {
		return payments.ListRefusedRefundsReply{}, err
	}
	var reply payments.ListRefusedRefundsReply
	byID := slices.SortedFunc(slices.Values(f.refunds), func(a, b *fakeRefund) int { return cmp.Compare(a.ID, b.ID) })
	for _, refund := range byID {
		if refund.Status != payments.RefundFailed || string(refund.ID) <= after || r.Order != nil && refund.order != *r.Order {
			continue
		}
		if n := len(reply.Refunds); n == r.Page.Size(20, 100) {
			var err error
			reply.Next, err = page.Cursor(filter, string(reply.Refunds[n-1].Refund.ID))
			return reply, err
		}
		reply.Refunds = append(reply.Refunds, payments.RefusedRefund{
			Refund: refund.Refund, Order: refund.order, Reason: "The card does not take refunds.", RefusedAt: refund.ended,
		})
	}
	return reply, nil
}

// RetryRefund has a refused refund tried in the next RunDue.
func (f *Fake) RetryRefund(_ context.Context, r payments.RetryRefundRequest) (payments.RefundReply, error) {
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return f.seeTo("retry refund", r.By, r.Key, r.Why, r.Refund, body, func(refund *fakeRefund, lines []line) {
		refund.Status, refund.retried = payments.RefundPending, true
		f.book(f.payments[refund.Payment], payments.BookRefund, append(lines, whole(payments.ToRefunds, refund.Amount))...)
	})
}

// CloseRefund ends a refused refund whose money went back another way.
func (f *Fake) CloseRefund(_ context.Context, r payments.CloseRefundRequest) (payments.RefundReply, error) {
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return f.seeTo("close refund", r.By, r.Key, r.Why, r.Refund, body, func(refund *fakeRefund, lines []line) {
		refund.Status = payments.RefundDone
		f.book(f.payments[refund.Payment], payments.BookAdjustment, append(lines, whole(payments.ToPlatform, refund.Amount))...)
		f.events = append(f.events, payments.Refunded{
			RefundID: refund.ID, PaymentID: refund.Payment, OrderID: refund.order, Status: payments.RefundDone, Amount: refund.Amount, At: f.now(),
			SellerOrder: refund.only(), Retried: true, Elsewhere: true,
		})
	})
}

func (f *Fake) seeTo(op string, by actor.Actor, key, why string, rid payments.RefundID, body any, do func(*fakeRefund, []line)) (payments.RefundReply, error) {
	if !by.IsOperator() {
		return payments.RefundReply{}, payments.ErrForbidden
	}
	var bad errs.Problems
	bad.Check(key != "" && len(key) <= 200, "key", "has 1 to 200 characters")
	bad.Check(payments.RefundIDs.Valid(rid), "refund", "is not a refund's id")
	bad.Check(len(why) <= 500, "why", "is too long")
	if err := bad.Err(payments.ErrInvalid); err != nil {
		return payments.RefundReply{}, err
	}
	var reply payments.RefundReply
	err := f.do(func() error {
		at := slices.IndexFunc(f.refunds, func(r *fakeRefund) bool { return r.ID == rid })
		_, err := f.doOnce(op, by.Owner()+" "+key, body, func() (string, error) {
			switch {
			case at < 0:
				return "", payments.ErrNotFound
			case f.refunds[at].Status != payments.RefundFailed:
				return "", payments.ErrStatus.With("nobody has to see to it")
			case f.paused:
				return "", payments.ErrPaused
			}
			lines, err := f.takeFrom(f.refunds[at])
			if err != nil {
				return "", err
			}
			do(f.refunds[at], lines)
			return string(rid), nil
		})
		if err == nil {
			reply.Refund = f.refunds[at].Refund
		}
		return err
	})
	return reply, err
}
