package paymentssvc

import (
	"context"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
)

// finishRefund takes up a refund that was recorded.
func (s *Service) finishRefund(ctx context.Context, a attempt) error {
	rid := a.Step.refund()
	var refund payments.Refund
	err := s.db.Read(ctx, func(q store.Queryer) (err error) {
		refund, err = selectRefund(q, rid)
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.askToRefund(ctx, a, refund)
	return err
}

// askToRefund asks for a refund that was recorded, and books what came of it.
func (s *Service) askToRefund(ctx context.Context, a attempt, refund payments.Refund) (payments.Refund, error) {
	o, cause := ask(ctx, s.provider.Refund, provider.Refund{
		Key: a.key(), Charge: providerKey(a.Payment, stepAuthorise), Amount: refund.Amount,
	})
	tid := s.cfg.NewTransactionID()
	err := s.db.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		now, err := selectRefund(tx, refund.ID)
		if err != nil {
			return err // it may be run again, and needs the id then
		}
		made, err := selectAttempt(tx, a.Payment, a.Step)
		if err != nil {
			return err
		}
		if now.Status != payments.RefundPending || made.State != attemptOpen { // another has ended it, and one more may be under way
			refund = now
			return nil
		}
		if cause != nil || o.State == provider.Pending {
			return keepAttempt(tx, a, cause, retryAt(a.MadeAt, s.now()))
		}
		now.Status = payments.RefundFailed
		if o.State == provider.Done {
			now.Status = payments.RefundDone
		}
		refund = now
		return s.endRefund(tx, a, now, o.Reason, tid)
	})
	return refund, afterwards(err)
}

// onlyShare is the seller order that everything was taken from, if it is one.
func onlyShare(from []taking) id.Ref {
	if len(from) != 1 {
		return ""
	}
	return from[0].SellerOrder
}

func (s *Service) endRefund(tx *store.Tx, a attempt, refund payments.Refund, reason string, tid payments.TransactionID) error {
	done := refund.Status == payments.RefundDone
	p, err := selectPayment(tx, a.Payment)
	if err != nil {
		return err
	}
	from, err := decode[[]taking](a)
	if err != nil {
		return err
	}
	lines, state := refundedLines(refund.Amount), attemptDone
	if !done {
		lines, state = unrefundLines(refund.Amount, from), attemptRefused
	}
	p.endRefund(refund.Amount, done, s.now())
	e, err := newEntry(tid, payments.BookRefund, p, s.now(), lines)
	if err != nil {
		return err
	}
	e.refund = refund.ID
	for _, write := range []func() error{
		func() error { return updatePayment(tx, p) },
		func() error { return updateRefund(tx, refund.ID, refund.Status) },
		func() error { return book(tx, e) },
		func() error {
			return tx.Publish(payments.Refunded{
				RefundID: refund.ID, PaymentID: p.ID, OrderID: p.Order, Status: refund.Status, Amount: refund.Amount, At: s.now(),
				SellerOrder: onlyShare(from), Retried: a.Step != stepRefund(refund.ID),
			})
		},
		func() error { return endAttempt(tx, a, state, reason) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}
