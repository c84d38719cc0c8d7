package paymentssvc

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"souk/internal/payments"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

const paymentColumns = `id, order_id, currency, amount, method, status, decline_reason, action_url, until, deadline,
	return_url, capture, void, authorised, captured, refunding, refunded, undone, undone_why, version, created_at, changed_at`

type paymentRow struct {
	ID            payments.PaymentID `db:"id"`
	Order         id.Ref             `db:"order_id"`
	Currency      money.Currency     `db:"currency"`
	Amount        int64              `db:"amount"`
	Method        string             `db:"method"`
	Status        payments.Status    `db:"status"`
	DeclineReason string             `db:"decline_reason"`
	ActionURL     string             `db:"action_url"`
	Until         clock.Time         `db:"until"`
	Deadline      clock.Time         `db:"deadline"`
	ReturnURL     string             `db:"return_url"`
	Capture       stage              `db:"capture"`
	Void          stage              `db:"void"`
	Authorised    int64              `db:"authorised"`
	Captured      int64              `db:"captured"`
	Refunding     int64              `db:"refunding"`
	Refunded      int64              `db:"refunded"`
	Undone        bool               `db:"undone"`
	UndoneWhy     string             `db:"undone_why"`
	Version       int64              `db:"version"`
	CreatedAt     clock.Time         `db:"created_at"`
	ChangedAt     clock.Time         `db:"changed_at"`
	Paused        bool               `db:"paused"` // not of the row: whether money may move
}

func (r paymentRow) payment() *payment {
	amount := func(minor int64) money.Money { return money.Money{Minor: minor, Currency: r.Currency} }
	return &payment{
		Payment: payments.Payment{
			ID: r.ID, Order: r.Order, Amount: amount(r.Amount), Method: r.Method, Status: r.Status,
			DeclineReason: r.DeclineReason, ActionURL: r.ActionURL, Until: r.Until,
			Authorised: amount(r.Authorised), Captured: amount(r.Captured), Refunded: amount(r.Refunded),
			Undone: r.Undone, CreatedAt: r.CreatedAt, ChangedAt: r.ChangedAt,
		},
		capture: r.Capture, void: r.Void, refunding: r.Refunding, deadline: r.Deadline,
		returnURL: r.ReturnURL, undoneWhy: r.UndoneWhy, version: r.Version, paused: r.Paused,
	}
}

// insertPayment keeps a new payment, unless payments are paused: then it is ErrPaused.
func insertPayment(tx *store.Tx, p *payment) error {
	n, err := tx.Exec(`
		INSERT INTO payments (id, order_id, currency, amount, method, status, decline_reason, deadline, return_url, version, created_at, changed_at)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM payments_switch WHERE one = 1 AND paused = 0`,
		p.ID, p.Order, p.Amount.Currency, p.Amount.Minor, p.Method, p.Status, p.DeclineReason, p.deadline, p.returnURL,
		p.version, p.CreatedAt, p.ChangedAt)
	if err != nil {
		return fmt.Errorf("insert payment %s: %w", p.ID, err)
	}
	if n == 0 {
		return errPaused()
	}
	return nil
}

func selectPayment(q store.Queryer, pid payments.PaymentID) (*payment, error) {
	var row paymentRow
	err := q.Get(&row, `SELECT `+paymentColumns+`, (SELECT paused FROM payments_switch WHERE one = 1) AS paused
		FROM payments WHERE id = ?`, pid)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, payments.ErrNotFound.With("there is no payment %s", pid)
	}
	if err != nil {
		return nil, fmt.Errorf("select payment %s: %w", pid, err)
	}
	return row.payment(), nil
}

func updatePayment(tx *store.Tx, p *payment) error {
	n, err := tx.Exec(`
		UPDATE payments SET status = ?, decline_reason = ?, action_url = ?, until = ?, capture = ?, void = ?, authorised = ?,
			captured = ?, refunding = ?, refunded = ?, undone = ?, undone_why = ?, changed_at = ?, version = version + 1
		WHERE id = ? AND version = ?`,
		p.Status, p.DeclineReason, p.ActionURL, p.Until, p.capture, p.void, p.Authorised.Minor, p.Captured.Minor,
		p.refunding, p.Refunded.Minor, p.Undone, p.undoneWhy, p.ChangedAt, p.ID, p.version)
	if err != nil {
		return fmt.Errorf("update payment %s: %w", p.ID, err)
	}
	if n == 0 {
		return payments.ErrStatus.With("payment %s was changed by another", p.ID)
	}
	p.version++
	return nil
}

// selectPayments reads payments in the order asked for: by id, then by order.
func selectPayments(q store.Queryer, ids []payments.PaymentID, orders []id.Ref) ([]payments.Payment, error) {
	byID, err := selectWhere(q, `SELECT `+paymentColumns+` FROM payments WHERE id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	byOrder, err := selectWhere(q, `SELECT `+paymentColumns+` FROM payments WHERE order_id IN (?) ORDER BY created_at, id`, orders)
	if err != nil {
		return nil, err
	}
	found, seen := []payments.Payment{}, map[payments.PaymentID]bool{}
	add := func(rows []paymentRow, match func(paymentRow) bool) {
		for _, row := range rows {
			if match(row) && !seen[row.ID] {
				seen[row.ID] = true
				found = append(found, row.payment().Payment)
			}
		}
	}
	for _, pid := range ids {
		add(byID, func(r paymentRow) bool { return r.ID == pid })
	}
	for _, order := range orders {
		add(byOrder, func(r paymentRow) bool { return r.Order == order })
	}
	return found, nil
}

func selectWhere[T any](q store.Queryer, query string, in []T) ([]paymentRow, error) {
	if len(in) == 0 {
		return nil, nil
	}
	query, args, err := store.In(query, in)
	if err != nil {
		return nil, err
	}
	var rows []paymentRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select payments: %w", err)
	}
	return rows, nil
}

// selectPage reads the payments of a range of orders, for the audit.
func selectPage(q store.Queryer, in sweep.Range) ([]payments.Payment, error) {
	var rows []paymentRow
	if err := q.Select(&rows, `SELECT `+paymentColumns+` FROM payments WHERE order_id > ? AND order_id <= ? ORDER BY order_id, id`, in.After, in.Upto); err != nil {
		return nil, fmt.Errorf("page through payments: %w", err)
	}
	out := make([]payments.Payment, 0, len(rows))
	for _, row := range rows {
		out = append(out, row.payment().Payment)
	}
	return out, nil
}

// attempt is something to be done at the provider, recorded before it is tried.
type attempt struct {
	Payment payments.PaymentID `db:"payment_id"`
	Step    step               `db:"step"`
	Minor   int64              `db:"minor"`
	Body    string             `db:"body"`
	State   attemptState       `db:"state"`
	Reason  string             `db:"reason"`
	MadeAt  clock.Time         `db:"made_at"`
}

// attemptState is what has become of an attempt.
type attemptState string

const (
	attemptOpen    attemptState = "open"
	attemptDone    attemptState = "done"
	attemptRefused attemptState = "refused"
	attemptGivenUp attemptState = "given_up"
)

// insertAttempt records an attempt, or opens it again, and has it finished should we not.
func insertAttempt(tx *store.Tx, a attempt, finishAt clock.Time) error {
	_, err := tx.Exec(`
		INSERT INTO attempts (payment_id, step, minor, body, state, made_at) VALUES (?, ?, ?, ?, 'open', ?)
		ON CONFLICT (payment_id, step) DO UPDATE SET state = 'open', ended_at = 0`,
		a.Payment, a.Step, a.Minor, a.Body, a.MadeAt)
	if err != nil {
		return fmt.Errorf("record attempt %s: %w", a.key(), err)
	}
	return tx.Enqueue(jobAttempt, a.key(), finishAt)
}

func selectAttempt(q store.Queryer, pid payments.PaymentID, s step) (attempt, error) {
	var a attempt
	err := q.Get(&a, `SELECT payment_id, step, minor, body, state, reason, made_at FROM attempts WHERE payment_id = ? AND step = ?`, pid, s)
	if errors.Is(err, sql.ErrNoRows) {
		return a, payments.ErrNotFound.With("payment %s has no attempt to %s", pid, s)
	}
	if err != nil {
		return a, fmt.Errorf("select attempt %s of %s: %w", s, pid, err)
	}
	return a, nil
}

// endAttempt notes what became of an attempt, and that nobody need finish it.
func endAttempt(tx *store.Tx, a attempt, state attemptState, reason string) error {
	_, err := closeAttempt(tx, a, state, reason)
	return err
}

// closeAttempt is endAttempt that says whether the attempt was open until now.
func closeAttempt(tx *store.Tx, a attempt, state attemptState, reason string) (ended bool, err error) {
	n, err := tx.Exec(`UPDATE attempts SET state = ?, reason = ?, ended_at = ? WHERE payment_id = ? AND step = ? AND state = 'open'`,
		state, reason, tx.Now(), a.Payment, a.Step)
	if err != nil {
		return false, fmt.Errorf("end attempt %s: %w", a.key(), err)
	}
	return n > 0, tx.Dequeue(jobAttempt, a.key())
}

// nextStep is the step of the next attempt at the same thing.
func nextStep(q store.Queryer, pid payments.PaymentID, first step) (step, error) {
	var made []step
	if err := q.Select(&made, `SELECT step FROM attempts WHERE payment_id = ?`, pid); err != nil {
		return "", fmt.Errorf("select the attempts of %s: %w", pid, err)
	}
	last := 0
	for _, s := range made {
		if n, ok := s.at(first); ok {
			last = max(last, n)
		}
	}
	return first.nth(last + 1), nil
}

// keepAttempt has an attempt tried again later; cause says why it has not ended.
func keepAttempt(tx *store.Tx, a attempt, cause error, at clock.Time) error {
	if cause != nil {
		_, err := tx.Exec(`UPDATE attempts SET tries = tries + 1, error = ? WHERE payment_id = ? AND step = ?`,
			clip(cause.Error()), a.Payment, a.Step)
		if err != nil {
			return fmt.Errorf("keep attempt %s: %w", a.key(), err)
		}
	}
	return tx.Enqueue(jobAttempt, a.key(), at)
}

func clip(s string) string { return s[:min(len(s), maxText)] }

// openAttempts are all that have not ended.
func openAttempts(q store.Queryer) ([]attempt, error) {
	var open []attempt
	err := q.Select(&open, `SELECT payment_id, step, minor, body, state, reason, made_at FROM attempts WHERE state = 'open' ORDER BY payment_id, step`)
	if err != nil {
		return nil, fmt.Errorf("select open attempts: %w", err)
	}
	return open, nil
}

const refundColumns = `id, payment_id, currency, amount, status, why, created_at`

type refundRow struct {
	ID        payments.RefundID     `db:"id"`
	Payment   payments.PaymentID    `db:"payment_id"`
	Currency  money.Currency        `db:"currency"`
	Amount    int64                 `db:"amount"`
	Status    payments.RefundStatus `db:"status"`
	Why       string                `db:"why"`
	CreatedAt clock.Time            `db:"created_at"`
}

func (r refundRow) refund() payments.Refund {
	return payments.Refund{
		ID: r.ID, Payment: r.Payment, Amount: money.Money{Minor: r.Amount, Currency: r.Currency},
		Status: r.Status, Why: r.Why, CreatedAt: r.CreatedAt,
	}
}

func insertRefund(tx *store.Tx, r payments.Refund) error {
	_, err := tx.Exec(`INSERT INTO payment_refunds (id, payment_id, currency, amount, status, why, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Payment, r.Amount.Currency, r.Amount.Minor, r.Status, r.Why, r.CreatedAt)
	if err != nil {
		return fmt.Errorf("insert refund %s: %w", r.ID, err)
	}
	return nil
}

func updateRefund(tx *store.Tx, rid payments.RefundID, status payments.RefundStatus) error {
	if _, err := tx.Exec(`UPDATE payment_refunds SET status = ?, ended_at = ? WHERE id = ?`, status, tx.Now(), rid); err != nil {
		return fmt.Errorf("update refund %s: %w", rid, err)
	}
	return nil
}

// reopenRefund makes a refused refund pending again.
func reopenRefund(tx *store.Tx, rid payments.RefundID) error {
	if _, err := tx.Exec(`UPDATE payment_refunds SET status = 'pending', ended_at = 0 WHERE id = ?`, rid); err != nil {
		return fmt.Errorf("reopen refund %s: %w", rid, err)
	}
	return nil
}

func selectRefund(q store.Queryer, rid payments.RefundID) (payments.Refund, error) {
	var row refundRow
	if err := q.Get(&row, `SELECT `+refundColumns+` FROM payment_refunds WHERE id = ?`, rid); err != nil {
		return payments.Refund{}, fmt.Errorf("select refund %s: %w", rid, err)
	}
	return row.refund(), nil
}

// selectRefunds reads the refunds of payments, oldest first.
func selectRefunds(q store.Queryer, found []payments.Payment) ([]payments.Refund, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids := make([]payments.PaymentID, 0, len(found))
	for _, p := range found {
		ids = append(ids, p.ID)
	}
	query, args, err := store.In(`SELECT `+refundColumns+` FROM payment_refunds WHERE payment_id IN (?) ORDER BY created_at, id`, ids)
	if err != nil {
		return nil, err
	}
	var rows []refundRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select refunds: %w", err)
	}
	out := make([]payments.Refund, 0, len(rows))
	for _, row := range rows {
		out = append(out, row.refund())
	}
	return out, nil
}

// selectPaused says whether payments are paused.
func selectPaused(q store.Queryer) (bool, error) {
	var paused bool
	if err := q.Get(&paused, `SELECT paused FROM payments_switch WHERE one = 1`); err != nil {
		return false, fmt.Errorf("select whether payments are paused: %w", err)
	}
	return paused, nil
}

func updatePaused(tx *store.Tx, paused bool, why string) error {
	if _, err := tx.Exec(`UPDATE payments_switch SET paused = ?, why = ?, at = ? WHERE one = 1`, paused, why, tx.Now()); err != nil {
		return fmt.Errorf("update whether payments are paused: %w", err)
	}
	return nil
}

// insertNotification says whether the notification is news. Those older than keepFor are
// forgotten: no provider repeats itself that long, and a lookup more would do no harm.
func insertNotification(tx *store.Tx, provider, nid string) (fresh bool, err error) {
	n, err := tx.Exec(`INSERT INTO notifications (provider, id, received_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, provider, nid, tx.Now())
	if err != nil {
		return false, fmt.Errorf("keep notification %s: %w", nid, err)
	}
	if _, err := tx.Exec(`DELETE FROM notifications WHERE received_at < ?`, tx.Now().Add(-keepNotifications)); err != nil {
		return false, fmt.Errorf("forget old notifications: %w", err)
	}
	return n > 0, nil
}

// encode and decode keep what an attempt was made for.
func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

func decode[T any](a attempt) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		return v, fmt.Errorf("read what attempt %s was for: %w", a.key(), err)
	}
	return v, nil
}
