package paymentssvc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// returnPauses are the pauses after each time that a provider has refused to take back money that
// came late: its card may be blocked for a day. After the last of them it is a case, for an operator.
var returnPauses = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour}

// returnRefused notes that a return was refused, and has it tried again later, under a key of its
// own: to the old one the provider would answer as before.
func (s *Service) returnRefused(tx *store.Tx, p *payment, a attempt, reason string) error {
	n, _ := a.Step.at(stepReturn)
	if n > len(returnPauses) {
		return endAttempt(tx, a, attemptRefused, reason)
	}
	if err := endAttempt(tx, a, attemptGivenUp, reason); err != nil {
		return err
	}
	next := p.attempt(stepReturn.nth(n+1), s.now())
	next.Body = reason
	return insertAttempt(tx, next, s.now().Add(returnPauses[n-1]))
}

// returnRow is a return that is not done.
type returnRow struct {
	Payment  payments.PaymentID `db:"payment_id"`
	Step     step               `db:"step"`
	State    attemptState       `db:"state"`
	Reason   string             `db:"reason"`
	Body     string             `db:"body"` // of an open one: why the one before was refused
	Order    id.Ref             `db:"order_id"`
	Currency money.Currency     `db:"currency"`
	Minor    int64              `db:"minor"`
	NextTry  clock.Time         `db:"run_at"`
	At       clock.Time         `db:"made_at"` // of the first attempt
}

func (r returnRow) back() payments.Return {
	n, _ := r.Step.at(stepReturn)
	out := payments.Return{
		Payment: r.Payment, Order: r.Order, Amount: money.Money{Minor: r.Minor, Currency: r.Currency}, Status: payments.RefundPending,
		Refusals: int32(n - 1), Reason: r.Body, NextTry: r.NextTry, At: r.At, //nolint:gosec // a handful
	}
	if r.State == attemptRefused {
		out.Status, out.Refusals, out.Reason, out.NextTry = payments.RefundFailed, int32(n), r.Reason, 0 //nolint:gosec // a handful
	}
	return out
}

const returnQuery = `
	SELECT a.payment_id, a.step, a.state, a.reason, a.body, p.order_id, p.currency, a.minor, coalesce(j.run_at, 0) AS run_at,
		coalesce((SELECT f.made_at FROM attempts f WHERE f.payment_id = a.payment_id AND f.step = 'return'), a.made_at) AS made_at
	FROM attempts a JOIN payments p ON p.id = a.payment_id
		LEFT JOIN jobs j ON j.kind = 'payments.attempt' AND j.key = a.payment_id || ':' || a.step
	WHERE a.step >= 'return' AND a.step < 'returo' AND a.state IN ('open', 'refused') AND `

// ListReturns pages through the money that came late and is not back yet.
func (s *Service) ListReturns(ctx context.Context, r payments.ListReturnsRequest) (payments.ListReturnsReply, error) {
	if !r.By.IsSystem() && !r.By.IsOperator() {
		return payments.ListReturnsReply{}, payments.ErrForbidden.With("returns are for the marketplace and its operators")
	}
	size := r.Page.Size(usualPage, mostPage)
	filter, of, args := ofOrder("returns", r.Order)
	var after string
	if _, err := r.Page.After(filter, &after); err != nil {
		return payments.ListReturnsReply{}, err
	}
	var rows []returnRow
	err := s.db.Read(ctx, func(q store.Queryer) error {
		rows = nil
		return q.Select(&rows, returnQuery+of+`a.payment_id > ? ORDER BY a.payment_id LIMIT ?`, append(args, after, size+1)...)
	})
	if err != nil {
		return payments.ListReturnsReply{}, fmt.Errorf("list returns: %w", err)
	}
	var reply payments.ListReturnsReply
	if len(rows) > size {
		rows = rows[:size]
		if reply.Next, err = page.Cursor(filter, string(rows[size-1].Payment)); err != nil {
			return payments.ListReturnsReply{}, err
		}
	}
	for _, row := range rows {
		reply.Returns = append(reply.Returns, row.back())
	}
	return reply, nil
}

const opReturn = "return"

// RetryReturn has the provider asked now to take back money that came late.
func (s *Service) RetryReturn(ctx context.Context, r payments.RetryReturnRequest) (payments.RetryReturnReply, error) {
	reply, err := s.retryReturn(ctx, r)
	return reply, s.count("retry_return", err)
}

func (s *Service) retryReturn(ctx context.Context, r payments.RetryReturnRequest) (payments.RetryReturnReply, error) {
	if !r.By.IsOperator() {
		return payments.RetryReturnReply{}, payments.ErrForbidden.With("only operators have a return tried again")
	}
	var bad errs.Problems
	bad.Check(r.Key != "", "key", "is required")
	bad.Check(len(r.Key) <= maxKey, "key", "may have %d bytes at most", maxKey)
	bad.Check(len(r.Why) <= maxText, "why", "may have %d bytes at most", maxText)
	checkPayment(&bad, r.Payment)
	if err := bad.Err(payments.ErrInvalid); err != nil {
		return payments.RetryReturnReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	var reply payments.RetryReturnReply
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		command := store.Command{Owner: r.By.Owner(), Operation: opReturn, Key: r.Key, Body: store.Hash(body)}
		_, _, err := tx.Once(command, func() (string, error) { return string(r.Payment), s.returnNow(tx, r) })
		if err != nil {
			return err
		}
		reply.Return, err = selectReturn(tx, r.Payment)
		return err
	})
	return reply, err
}

// returnNow has an open return tried at once, or opens one that was refused.
func (s *Service) returnNow(tx *store.Tx, r payments.RetryReturnRequest) error {
	p, err := s.selectToMove(tx, r.Payment)
	if err != nil {
		return err
	}
	var row returnRow
	err = tx.Get(&row, returnQuery+`a.payment_id = ?`, p.ID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return payments.ErrStatus.With("nothing of payment %s is to be returned", p.ID)
	case err != nil:
		return fmt.Errorf("select the return of %s: %w", p.ID, err)
	}
	next := p.attempt(row.Step, s.now())
	if row.State == attemptRefused {
		n, _ := row.Step.at(stepReturn)
		next.Step, next.Body = stepReturn.nth(n+1), row.Reason
		if _, err := tx.Exec(`UPDATE attempts SET state = ? WHERE payment_id = ? AND step = ?`, attemptGivenUp, p.ID, row.Step); err != nil {
			return fmt.Errorf("follow up the return of %s: %w", p.ID, err)
		}
		err = insertAttempt(tx, next, s.now())
	} else {
		err = tx.Enqueue(jobAttempt, next.key(), s.now())
	}
	if err != nil {
		return err
	}
	return tx.Audit(store.Audit{
		By: r.By, Action: "payments.retry_return", Subject: string(p.ID), Why: r.Why, Before: string(row.State), After: string(attemptOpen),
	})
}

// selectReturn is where a return stands, also one that is done.
func selectReturn(q store.Queryer, pid payments.PaymentID) (payments.Return, error) {
	var row returnRow
	err := q.Get(&row, returnQuery+`a.payment_id = ?`, pid)
	if err == nil {
		return row.back(), nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return payments.Return{}, fmt.Errorf("select the return of %s: %w", pid, err)
	}
	p, err := selectPayment(q, pid)
	if err != nil {
		return payments.Return{}, err
	}
	return payments.Return{Payment: p.ID, Order: p.Order, Amount: p.Captured, Status: payments.RefundDone, At: p.ChangedAt}, nil
}
