package paymentssvc

import (
	"context"
	"fmt"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

const (
	opRetryRefund = "retry_refund"
	opCloseRefund = "close_refund"
)

// refusedRow is a refund that was refused, with the reason of its last attempt.
type refusedRow struct {
	refundRow
	Order  id.Ref     `db:"order_id"`
	Reason string     `db:"reason"`
	At     clock.Time `db:"ended_at"`
}

// attemptsOfRefund is true of the attempts at the refund r: "refund:rfd_…", then "refund:rfd_…:2" and so on.
const attemptsOfRefund = `a.payment_id = r.payment_id AND a.step >= 'refund:' || r.id AND a.step < 'refund:' || r.id || ';'`

// ofOrder narrows a list to what is of one order, if one is named: what its cursors are for, and a condition on the payment p.
func ofOrder(list string, order *id.Ref) (filter any, condition string, args []any) {
	if order == nil {
		return list, "", nil
	}
	return []any{list, *order}, "p.order_id = ? AND ", []any{*order}
}

// ListRefusedRefunds pages through what the provider has refused to pay back.
func (s *Service) ListRefusedRefunds(ctx context.Context, r payments.ListRefusedRefundsRequest) (payments.ListRefusedRefundsReply, error) {
	if !r.By.IsSystem() && !r.By.IsOperator() {
		return payments.ListRefusedRefundsReply{}, payments.ErrForbidden.With("refused refunds are for the marketplace and its operators")
	}
	size := r.Page.Size(usualPage, mostPage)
	filter, of, args := ofOrder("refused refunds", r.Order)
	var after string
	if _, err := r.Page.After(filter, &after); err != nil {
		return payments.ListRefusedRefundsReply{}, err
	}
	var rows []refusedRow
	err := s.db.Read(ctx, func(q store.Queryer) error {
		rows = nil
		return q.Select(&rows, `
			SELECT r.id, r.payment_id, r.currency, r.amount, r.status, r.why, r.created_at, r.ended_at, p.order_id,
				coalesce((SELECT a.reason FROM attempts a WHERE `+attemptsOfRefund+` ORDER BY a.ended_at DESC, a.made_at DESC LIMIT 1), '') AS reason
			FROM payment_refunds r JOIN payments p ON p.id = r.payment_id
			WHERE `+of+`r.status = 'failed' AND r.id > ? ORDER BY r.id LIMIT ?`, append(args, after, size+1)...)
	})
	if err != nil {
		return payments.ListRefusedRefundsReply{}, fmt.Errorf("list refused refunds: %w", err)
	}
	var reply payments.ListRefusedRefundsReply
	if len(rows) > size {
		rows = rows[:size]
		if reply.Next, err = page.Cursor(filter, string(rows[size-1].ID)); err != nil {
			return payments.ListRefusedRefundsReply{}, err
		}
	}
	for _, row := range rows {
		reply.Refunds = append(reply.Refunds, payments.RefusedRefund{Refund: row.refund(), Order: row.Order, Reason: row.Reason, RefusedAt: row.At})
	}
	return reply, nil
}

// RetryRefund has the provider asked once more for what it refused to pay back.
func (s *Service) RetryRefund(ctx context.Context, r payments.RetryRefundRequest) (payments.RefundReply, error) {
	body := r
	body.By, body.Key = actor.Actor{}, ""
	reply, err := s.seeTo(ctx, opRetryRefund, refused{by: r.By, key: r.Key, refund: r.Refund, why: r.Why, body: body}, s.refundAgain)
	return reply, s.count(opRetryRefund, err)
}

// CloseRefund books that what the provider refused to pay back went back another way.
func (s *Service) CloseRefund(ctx context.Context, r payments.CloseRefundRequest) (payments.RefundReply, error) {
	body := r
	body.By, body.Key = actor.Actor{}, ""
	reply, err := s.seeTo(ctx, opCloseRefund, refused{by: r.By, key: r.Key, refund: r.Refund, why: r.Why, body: body}, s.refundElsewhere)
	return reply, s.count(opCloseRefund, err)
}

// refused is what an operator asks about a refused refund.
type refused struct {
	by     actor.Actor
	key    string
	refund payments.RefundID
	why    string
	body   any
}

// given is a refused refund with what it takes: its payment, what its shares have of it now, and the
// step of its next attempt.
type given struct {
	payments.Refund
	payment *payment
	from    []taking
	next    step
	tid     payments.TransactionID
}

// seeTo does with a refused refund, once, what an operator asks.
func (s *Service) seeTo(ctx context.Context, op string, r refused, do func(*store.Tx, given) error) (payments.RefundReply, error) {
	if !r.by.IsOperator() {
		return payments.RefundReply{}, payments.ErrForbidden.With("only operators see to a refused refund")
	}
	var bad errs.Problems
	bad.Check(r.key != "", "key", "is required")
	bad.Check(len(r.key) <= maxKey, "key", "may have %d bytes at most", maxKey)
	bad.Check(payments.RefundIDs.Valid(r.refund), "refund", "is not the id of a refund")
	bad.Check(len(r.why) <= maxText, "why", "may have %d bytes at most", maxText)
	if err := bad.Err(payments.ErrInvalid); err != nil {
		return payments.RefundReply{}, err
	}
	tid := s.cfg.NewTransactionID()
	var reply payments.RefundReply
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		command := store.Command{Owner: r.by.Owner(), Operation: op, Key: r.key, Body: store.Hash(r.body)}
		_, _, err := tx.Once(command, func() (string, error) {
			g, err := s.refusedRefund(tx, r.refund)
			if err != nil {
				return "", err
			}
			g.tid = tid
			if err := do(tx, g); err != nil {
				return "", err
			}
			now, err := selectRefund(tx, r.refund)
			if err != nil {
				return "", err
			}
			return string(r.refund), tx.Audit(store.Audit{
				By: r.by, Action: "payments." + op, Subject: string(r.refund), Why: r.why, Before: string(payments.RefundFailed), After: string(now.Status),
			})
		})
		if err != nil {
			return err
		}
		reply.Refund, err = selectRefund(tx, r.refund)
		return err
	})
	return reply, err
}

// refusedRefund reads a refund that was refused, and what its shares have of it by now.
func (s *Service) refusedRefund(tx *store.Tx, rid payments.RefundID) (given, error) {
	var known []refundRow
	if err := tx.Select(&known, `SELECT `+refundColumns+` FROM payment_refunds WHERE id = ?`, rid); err != nil {
		return given{}, fmt.Errorf("select refund %s: %w", rid, err)
	}
	if len(known) == 0 {
		return given{}, payments.ErrNotFound.With("there is no refund %s", rid)
	}
	g := given{Refund: known[0].refund()}
	if g.Status != payments.RefundFailed {
		return given{}, payments.ErrStatus.With("refund %s is %s: nobody has to see to it", rid, g.Status)
	}
	var err error
	if g.payment, err = s.selectToMove(tx, g.Payment); err != nil {
		return given{}, err
	}
	first, err := selectAttempt(tx, g.Payment, stepRefund(rid))
	if err != nil {
		return given{}, err
	}
	took, err := decode[[]taking](first)
	if err != nil {
		return given{}, err
	}
	var shares []payments.Share
	for _, t := range took {
		amount, err := t.Escrow.Add(t.Earned)
		if err != nil {
			return given{}, fmt.Errorf("read what refund %s took: %w", rid, err)
		}
		shares = append(shares, payments.Share{Seller: t.Seller, SellerOrder: t.SellerOrder, Amount: amount})
	}
	has, err := selectHoldings(tx, g.Payment)
	if err != nil {
		return given{}, err
	}
	if g.from, err = takeFrom(shares, has); err != nil {
		return given{}, err
	}
	g.next, err = nextStep(tx, g.Payment, stepRefund(rid))
	return g, err
}

// refundAgain sets the money aside anew and makes a further attempt, under a key of its own: to the old
// one the provider would answer as before.
func (s *Service) refundAgain(tx *store.Tx, g given) error {
	if err := g.payment.startRefund(g.Amount); err != nil {
		return err
	}
	e, err := newEntry(g.tid, payments.BookRefund, g.payment, s.now(), refundLines(g.Amount, g.from))
	if err != nil {
		return err
	}
	e.refund = g.ID
	a := g.payment.attempt(g.next, s.now())
	a.Minor = g.Amount.Minor
	if a.Body, err = encode(g.from); err != nil {
		return err
	}
	if err := updatePayment(tx, g.payment); err != nil {
		return err
	}
	if err := reopenRefund(tx, g.ID); err != nil {
		return err
	}
	if err := book(tx, e); err != nil {
		return err
	}
	return insertAttempt(tx, a, s.now())
}

// refundElsewhere ends a refund that the marketplace has paid itself.
func (s *Service) refundElsewhere(tx *store.Tx, g given) error {
	e, err := newEntry(g.tid, payments.BookAdjustment, g.payment, s.now(), elsewhereLines(g.Amount, g.from))
	if err != nil {
		return err
	}
	e.refund = g.ID
	if err := updateRefund(tx, g.ID, payments.RefundDone); err != nil {
		return err
	}
	if err := book(tx, e); err != nil {
		return err
	}
	return tx.Publish(payments.Refunded{
		RefundID: g.ID, PaymentID: g.Payment, OrderID: g.payment.Order, Status: payments.RefundDone, Amount: g.Amount, At: s.now(),
		SellerOrder: onlyShare(g.from), Retried: true, Elsewhere: true,
	})
}
