// Package sandbox is a payment provider in which no money moves, and which behaves like
// one in which it does: it declines, sends the buyer to a page to approve on, says later,
// loses its reply after having done what it was asked, refuses a capture for good, fails a
// refund, and notifies late and more than once. Which of it happens is chosen by the method's
// id, and in tests by a Plan.
//
// It stands in for a company elsewhere. So its memory is its own: tables that payments
// never reads, changed in Writes that are not those of payments, so that a crash between the
// two is what it would be with a real one.
package sandbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// Name is the provider's name.
const Name = "sandbox"

// The methods, by what becomes of a payment.
const (
	MethodOK             = "sandbox_ok"
	MethodRedirect       = "sandbox_redirect"
	MethodLater          = "sandbox_later"
	MethodDeclined       = "sandbox_declined"
	MethodLaterDeclined  = "sandbox_later_declined"
	MethodLostReply      = "sandbox_lost_reply"
	MethodCaptureRefused = "sandbox_capture_refused"
	MethodRefundFailed   = "sandbox_refund_failed"
)

// How long things take here.
const (
	approveTime = 30 * time.Minute // for the buyer to approve
	laterTime   = 5 * time.Second  // until an outcome that comes later
	pendingTime = time.Hour        // for which such an outcome is promised at most
)

// What the buyer is told.
const (
	reasonDeclined    = "The card was declined."
	reasonBank        = "The bank declined."
	reasonNotApproved = "You did not approve the payment."
	reasonLate        = "The time to approve had passed."
)

// Config is what the sandbox stands on.
type Config struct {
	DB   *store.DB
	Now  func() clock.Time // default: the database's clock
	Plan Plan              // what goes wrong; default: nothing but what the methods say
}

// Sandbox is a provider. It may be used by many goroutines.
type Sandbox struct {
	db   *store.DB
	now  func() clock.Time
	plan Plan
}

var _ provider.Provider = (*Sandbox)(nil)

// New is a sandbox with the memory that it has in that database.
func New(cfg Config) *Sandbox {
	if cfg.Now == nil {
		cfg.Now = cfg.DB.Now
	}
	if cfg.Plan == nil {
		cfg.Plan = Calm{}
	}
	return &Sandbox{db: cfg.DB, now: cfg.Now, plan: cfg.Plan}
}

// Name is the provider's.
func (s *Sandbox) Name() string { return Name }

// Methods are the ways to pay, the usual one first.
func (s *Sandbox) Methods() []provider.Method {
	return []provider.Method{
		{ID: MethodOK, Label: "Test card, always accepted", Help: "Pays at once. No real money moves."},
		{ID: MethodRedirect, Label: "Test bank, you approve", Help: "Leads to a page where you approve or decline."},
		{ID: MethodLater, Label: "Test transfer, accepted after a moment", Help: "The answer comes a few seconds later, and is yes."},
		{ID: MethodDeclined, Label: "Test card, always declined", Help: "Declines at once, so that you can try another way."},
		{ID: MethodLaterDeclined, Label: "Test transfer, declined after a moment", Help: "The answer comes a few seconds later, and is no."},
		{ID: MethodLostReply, Label: "Test card with a bad line", Help: "Accepted, but the first answer is lost on its way."},
		{ID: MethodCaptureRefused, Label: "Test card that cannot be charged", Help: "Accepted, but the first charge is refused after the order."},
		{ID: MethodRefundFailed, Label: "Test card that cannot be refunded", Help: "Pays at once; money cannot be given back to it."},
	}
}

// chargeRow is a charge as the sandbox remembers it.
type chargeRow struct {
	Key        string         `db:"key"`
	Page       string         `db:"page"`
	Method     string         `db:"method"`
	Currency   money.Currency `db:"currency"`
	Amount     int64          `db:"amount"`
	State      state          `db:"state"`
	Reason     string         `db:"reason"`
	Until      clock.Time     `db:"until"`
	ReturnURL  string         `db:"return_url"`
	CaptureKey string         `db:"capture_key"`
	Captured   int64          `db:"captured"`
	Refunded   int64          `db:"refunded"`
	Changes    int64          `db:"changes"`
}

const chargeColumns = `key, page, method, currency, amount, state, reason, until, return_url, capture_key, captured, refunded, changes`

// state is where a charge stands.
type state string

const (
	stateAction     state = "action"
	statePending    state = "pending"
	stateAuthorised state = "authorised"
	stateDeclined   state = "declined"
	stateCaptured   state = "captured"
	stateVoided     state = "voided"
)

// outcome is what a merchant is told of a charge.
func (c chargeRow) outcome() provider.Outcome {
	switch c.State {
	case stateAction:
		return provider.Outcome{State: provider.Action, URL: PagePrefix + c.Page, Until: c.Until}
	case statePending:
		return provider.Outcome{State: provider.Pending, Until: c.Until}
	case stateAuthorised:
		return provider.Outcome{State: provider.Done}
	case stateCaptured:
		return provider.Outcome{State: provider.Taken}
	case stateVoided:
		return provider.Outcome{State: provider.Gone}
	default:
		return provider.Outcome{State: provider.Declined, Reason: c.Reason}
	}
}

// decide is what becomes of a charge at first.
func decide(c provider.Charge, page string, now clock.Time) chargeRow {
	row := chargeRow{
		Key: c.Key, Method: c.Method, Currency: c.Amount.Currency, Amount: c.Amount.Minor, ReturnURL: c.ReturnURL, State: stateAuthorised,
	}
	until := func(d time.Duration) clock.Time {
		if at := now.Add(d); c.Until == 0 || at.Before(c.Until) {
			return at
		}
		return c.Until
	}
	switch c.Method {
	case MethodDeclined:
		row.State, row.Reason = stateDeclined, reasonDeclined
	case MethodRedirect:
		row.State, row.Page, row.Until = stateAction, page, until(approveTime)
	case MethodLater, MethodLaterDeclined:
		row.State, row.Until = statePending, until(pendingTime)
	}
	return row
}

// Authorise reserves an amount.
func (s *Sandbox) Authorise(ctx context.Context, c provider.Charge) (provider.Outcome, error) {
	var row chargeRow
	var fresh bool
	made := decide(c, newPage(), s.now())
	err := s.do(ctx, OpAuthorise, func(tx *store.Tx) error {
		var err error
		if fresh, err = insertCharge(tx, made); err != nil {
			return err
		}
		if row = made; !fresh {
			row, err = selectCharge(tx, c.Key)
			return err
		}
		if row.State == statePending {
			return tx.Enqueue(jobResolve, c.Key, s.now().Add(laterTime))
		}
		return nil
	})
	if err != nil {
		return provider.Outcome{}, err
	}
	if fresh && c.Method == MethodLostReply {
		return provider.Outcome{}, errLost
	}
	return row.outcome(), nil
}

// Lookup says where a charge stands.
func (s *Sandbox) Lookup(ctx context.Context, charge string) (provider.Outcome, error) {
	if f := s.plan.Fault(OpLookup); f.Unavailable || f.LoseRequest || f.LoseReply {
		return provider.Outcome{}, provider.ErrNotDone
	}
	var row chargeRow
	err := s.db.Read(ctx, func(q store.Queryer) (err error) {
		row, err = selectCharge(q, charge)
		return err
	})
	return row.outcome(), err
}

// Capture takes a reserved amount. It is one statement: the key goes with the charge. The method
// whose captures are refused refuses the first key, and takes the next.
func (s *Sandbox) Capture(ctx context.Context, c provider.Capture) (provider.Outcome, error) {
	var out provider.Outcome
	f, err := s.doFault(ctx, OpCapture, func(tx *store.Tx) error {
		n, err := tx.Exec(`
			UPDATE sandbox_charges SET state = 'captured', captured = ?, capture_key = ?, changed_at = ?
			WHERE key = ? AND state = 'authorised' AND amount >= ? AND currency = ? AND (method <> ? OR capture_key NOT IN ('', ?))`,
			c.Amount.Minor, c.Key, s.now(), c.Charge, c.Amount.Minor, c.Amount.Currency, MethodCaptureRefused, c.Key)
		if err != nil {
			return err
		}
		if out = (provider.Outcome{State: provider.Done}); n == 1 {
			return nil
		}
		row, err := selectCharge(tx, c.Charge)
		if err != nil {
			return err
		}
		if row.State == stateCaptured && row.CaptureKey == c.Key {
			return nil
		}
		out = provider.Outcome{State: provider.Declined, Reason: "The charge cannot be captured."}
		if row.Method == MethodCaptureRefused && row.CaptureKey == "" { // so that another key is another try
			_, err = tx.Exec(`UPDATE sandbox_charges SET capture_key = ? WHERE key = ? AND state = 'authorised'`, c.Key, c.Charge)
		}
		return err
	})
	if f.Refuse && err == nil {
		return provider.Outcome{State: provider.Declined, Reason: "The issuer refuses the capture."}, nil
	}
	return out, err
}

// Void gives up a charge. Of one that never arrived it keeps the key, so that it never will.
func (s *Sandbox) Void(ctx context.Context, charge string) (provider.Outcome, error) {
	var out provider.Outcome
	err := s.do(ctx, OpVoid, func(tx *store.Tx) error {
		fresh, err := insertCharge(tx, chargeRow{Key: charge, State: stateVoided})
		if err != nil {
			return err
		}
		if out = (provider.Outcome{State: provider.Done}); fresh {
			return nil
		}
		n, err := tx.Exec(`UPDATE sandbox_charges SET state = 'voided', changed_at = ? WHERE key = ? AND state <> 'captured'`, s.now(), charge)
		if err != nil {
			return err
		}
		if n == 0 {
			out.State = provider.Taken
		}
		return tx.Dequeue(jobResolve, charge)
	})
	return out, err
}

// Refund gives back some of what was captured.
func (s *Sandbox) Refund(ctx context.Context, r provider.Refund) (provider.Outcome, error) {
	var out provider.Outcome
	f, err := s.doFault(ctx, OpRefund, func(tx *store.Tx) error {
		var err error
		out, err = s.refund(tx, r, false)
		return err
	})
	if f.Refuse && err == nil {
		err = s.db.Write(ctx, func(tx *store.Tx) (err error) {
			out, err = s.refund(tx, r, true)
			return err
		})
	}
	return out, err
}

func (s *Sandbox) refund(tx *store.Tx, r provider.Refund, refuse bool) (provider.Outcome, error) {
	var before struct {
		State  string `db:"state"`
		Reason string `db:"reason"`
	}
	err := tx.Get(&before, `SELECT state, reason FROM sandbox_refunds WHERE key = ?`, r.Key)
	if err == nil {
		return refundOutcome(before.State, before.Reason), nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return provider.Outcome{}, err
	}
	row, err := selectCharge(tx, r.Charge)
	if err != nil {
		return provider.Outcome{}, err
	}
	was, reason := "done", ""
	switch {
	case refuse || row.Method == MethodRefundFailed:
		was, reason = "failed", "The card does not take refunds."
	case row.Currency != r.Amount.Currency || r.Amount.Minor > row.Captured-row.Refunded:
		was, reason = "failed", "There is not that much to give back."
	}
	if was == "done" {
		_, err := tx.Exec(`UPDATE sandbox_charges SET refunded = refunded + ?, changed_at = ? WHERE key = ?`, r.Amount.Minor, s.now(), r.Charge)
		if err != nil {
			return provider.Outcome{}, err
		}
	}
	_, err = tx.Exec(`INSERT INTO sandbox_refunds (key, charge, amount, state, reason, at) VALUES (?, ?, ?, ?, ?, ?)`,
		r.Key, r.Charge, r.Amount.Minor, was, reason, s.now())
	return refundOutcome(was, reason), err
}

func refundOutcome(was, reason string) provider.Outcome {
	if was == "done" {
		return provider.Outcome{State: provider.Done}
	}
	return provider.Outcome{State: provider.Declined, Reason: reason}
}

// errLost is the error of a call of which nobody knows what became.
var errLost = errors.New("the sandbox did not answer")

// do runs a change with what the plan has for it.
func (s *Sandbox) do(ctx context.Context, op Op, fn func(tx *store.Tx) error) error {
	_, err := s.doFault(ctx, op, fn)
	return err
}

// doFault is do, and says what the plan had. A fault that refuses has fn not run.
func (s *Sandbox) doFault(ctx context.Context, op Op, fn func(tx *store.Tx) error) (Fault, error) {
	f := s.plan.Fault(op)
	switch {
	case f.Unavailable:
		return f, fmt.Errorf("%s: %w", op, provider.ErrNotDone)
	case f.LoseRequest:
		return f, errLost
	case f.Refuse:
		return f, nil
	}
	if err := s.db.Write(ctx, fn); err != nil {
		return f, fmt.Errorf("sandbox: %s: %w", op, err)
	}
	if f.LoseReply {
		return f, errLost
	}
	return f, nil
}

// newPage is a name that nobody guesses.
func newPage() string {
	var raw [20]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))
}

// insertCharge says whether the charge is new.
func insertCharge(tx *store.Tx, c chargeRow) (bool, error) {
	n, err := tx.Exec(`
		INSERT INTO sandbox_charges (key, page, method, currency, amount, state, reason, until, return_url, created_at, changed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		c.Key, c.Page, c.Method, c.Currency, c.Amount, c.State, c.Reason, c.Until, c.ReturnURL, tx.Now(), tx.Now())
	return n == 1, err
}

func selectCharge(q store.Queryer, key string) (chargeRow, error) {
	var row chargeRow
	err := q.Get(&row, `SELECT `+chargeColumns+` FROM sandbox_charges WHERE key = ?`, key)
	if errors.Is(err, sql.ErrNoRows) {
		return row, provider.ErrNoCharge
	}
	return row, err
}

// Take has the sandbox capture a charge of its own accord, as methods do that know no
// reservation: for tests of money that comes although nobody waits for it.
func (s *Sandbox) Take(ctx context.Context, charge string) error {
	copies := s.plan.Notify()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`UPDATE sandbox_charges SET state = 'captured', captured = amount, changed_at = ? WHERE key = ? AND state <> 'captured'`, s.now(), charge)
		if err == nil && n == 0 {
			return provider.ErrNoCharge
		}
		if err != nil {
			return err
		}
		return s.notify(tx, charge, copies)
	})
}
