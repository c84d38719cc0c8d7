package paymentssvc

import (
	"fmt"
	"slices"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// stage is how far an attempt of a payment's own has come.
type stage string

const (
	stageNone    stage = ""
	stageOpen    stage = "open"
	stageDone    stage = "done"
	stageRefused stage = "refused"
)

// payment is a payment with what only the module knows of it.
type payment struct {
	payments.Payment
	capture   stage
	void      stage      // giving up the authorisation, whatever became of it
	refunding int64      // on its way back, and not yet there
	deadline  clock.Time // no outcome is wanted later than this
	returnURL string
	undoneWhy string
	version   int64
	paused    bool // read along: whether money may move at all
}

// move is a row of the state table: from there to there, when that happens.
type move struct {
	from payments.Status
	to   payments.Status
	when string
}

// moves are all the moves there are. docs/payments.md shows them; a test says that it does.
var moves = []move{
	{payments.StatusAuthorising, payments.StatusAuthorised, "the provider authorises"},
	{payments.StatusAuthorising, payments.StatusDeclined, "the provider declines; or the deadline passes, and the provider confirms that nothing stands"},
	{payments.StatusAuthorising, payments.StatusActionRequired, "the provider wants the buyer to approve"},
	{payments.StatusAuthorising, payments.StatusPending, "the provider will say later"},
	{payments.StatusAuthorising, payments.StatusVoided, "undone, and the provider confirms that nothing stands"},
	{payments.StatusActionRequired, payments.StatusAuthorised, "the buyer approves"},
	{payments.StatusActionRequired, payments.StatusPending, "the buyer has approved, and the provider will say later"},
	{payments.StatusActionRequired, payments.StatusDeclined, "the buyer or the provider declines; or the deadline passes, and the provider confirms that nothing stands"},
	{payments.StatusActionRequired, payments.StatusVoided, "undone, and the provider confirms that nothing stands"},
	{payments.StatusPending, payments.StatusAuthorised, "the provider authorises"},
	{payments.StatusPending, payments.StatusActionRequired, "the provider wants the buyer to approve"},
	{payments.StatusPending, payments.StatusDeclined, "the provider declines; or the deadline passes, and the provider confirms that nothing stands"},
	{payments.StatusPending, payments.StatusVoided, "undone, and the provider confirms that nothing stands"},
	{payments.StatusAuthorised, payments.StatusCaptured, "the provider captures"},
	{payments.StatusAuthorised, payments.StatusVoided, "undone, and the provider has voided"},
	{payments.StatusNothingDue, payments.StatusVoided, "undone"},
}

// Why a payment was declined without the provider saying so.
const (
	reasonTooLate     = "The time to pay had passed."
	reasonNotApproved = "It was not approved in time."
)

// moveTo takes p to a status, or says that there is no such move.
func (p *payment) moveTo(to payments.Status, at clock.Time) error {
	if !slices.ContainsFunc(moves, func(m move) bool { return m.from == p.Status && m.to == to }) {
		return payments.ErrStatus.With("payment %s is %s and cannot become %s", p.ID, p.Status, to)
	}
	p.Status, p.ChangedAt = to, at
	if !p.waits() {
		p.ActionURL, p.Until = "", 0
	}
	return nil
}

// newPayment is a payment of which the provider has not heard yet. What is not worth asking
// the provider has its end at once.
func newPayment(pid payments.PaymentID, r payments.AuthorizeRequest, at clock.Time) *payment {
	zero := money.Zero(r.Amount.Currency)
	p := &payment{
		Payment: payments.Payment{
			ID: pid, Order: r.Order, Amount: r.Amount, Method: r.Method, Status: payments.StatusAuthorising,
			Authorised: zero, Captured: zero, Refunded: zero, CreatedAt: at, ChangedAt: at,
		},
		deadline: r.Until, returnURL: r.ReturnURL, version: 1,
	}
	switch {
	case r.Amount.IsZero():
		p.Status = payments.StatusNothingDue
	case r.Until != 0 && !r.Until.After(at):
		p.Status, p.DeclineReason = payments.StatusDeclined, reasonTooLate
	}
	return p
}

// waits says whether p waits for someone to act.
func (p *payment) waits() bool {
	return p.Status == payments.StatusActionRequired || p.Status == payments.StatusPending
}

// unsettled says whether the outcome of the authorisation is still wanted.
func (p *payment) unsettled() bool {
	return (p.Status == payments.StatusAuthorising || p.waits()) && p.void == stageNone
}

// reaction is what an answer of the provider leads to.
type reaction int

const (
	nothing  reaction = iota // known already, or of no more interest
	moved                    // p stands elsewhere
	giveBack                 // money that nobody waits for: it must be voided
)

// hear takes in where the charge stands at the provider. Answers may come late, twice and in
// any order: what p knows already, or has given up, changes nothing.
func (p *payment) hear(o provider.Outcome, at clock.Time) (reaction, error) {
	if !p.unsettled() {
		ended := p.Status == payments.StatusDeclined || p.Status == payments.StatusVoided
		if ended && p.void != stageOpen && p.Captured.IsZero() && (o.State == provider.Done || o.State == provider.Taken) {
			return giveBack, nil
		}
		return nothing, nil
	}
	switch o.State {
	case provider.Done, provider.Taken:
		if err := p.moveTo(payments.StatusAuthorised, at); err != nil {
			return nothing, err
		}
		p.Authorised = p.Amount
		return moved, nil
	case provider.Declined, provider.Gone:
		p.DeclineReason = o.Reason
		if p.DeclineReason == "" {
			p.DeclineReason = reasonNotApproved
		}
		return moved, p.moveTo(payments.StatusDeclined, at)
	case provider.Action:
		return p.wait(payments.StatusActionRequired, o, at)
	case provider.Pending:
		return p.wait(payments.StatusPending, o, at)
	default:
		return nothing, fmt.Errorf("the provider says that payment %s is %q", p.ID, o.State)
	}
}

// wait takes p to a status of waiting, not longer than wanted.
func (p *payment) wait(status payments.Status, o provider.Outcome, at clock.Time) (reaction, error) {
	if p.Status == status && p.ActionURL == o.URL {
		return nothing, nil
	}
	if p.Status != status {
		if err := p.moveTo(status, at); err != nil {
			return nothing, err
		}
	}
	p.ActionURL, p.Until = o.URL, o.Until
	if p.Until == 0 || p.deadline != 0 && p.deadline.Before(p.Until) {
		p.Until = p.deadline
	}
	return moved, nil
}

// expired says whether the time for an outcome has passed.
func (p *payment) expired(at clock.Time) bool {
	end := p.deadline
	if p.waits() {
		end = p.Until
	}
	return p.unsettled() && end != 0 && !at.Before(end)
}

// giveUp begins to void p's charge, whatever has become of it.
func (p *payment) giveUp() { p.void = stageOpen }

// undo gives p up for ever. voids says whether the provider must be told.
func (p *payment) undo(why string, at clock.Time) (voids bool, err error) {
	switch {
	case p.Undone:
		return false, nil
	case p.Status == payments.StatusCaptured:
		return false, payments.ErrStatus.With("payment %s was captured; that is undone by a refund", p.ID)
	case p.capture == stageOpen:
		return false, payments.ErrStatus.With("payment %s is being captured", p.ID)
	}
	p.Undone, p.undoneWhy = true, why
	switch p.Status {
	case payments.StatusNothingDue:
		return false, p.moveTo(payments.StatusVoided, at)
	case payments.StatusDeclined:
		return false, nil
	default:
		if p.void == stageNone {
			p.giveUp()
			return true, nil
		}
		return false, nil // its deadline had passed: the void is under way
	}
}

// voided is p after the provider has confirmed that nothing stands any more.
func (p *payment) voided(at clock.Time) (reaction, error) {
	if p.void != stageOpen {
		return nothing, nil
	}
	p.void = stageDone
	switch {
	case p.Status == payments.StatusDeclined || p.Status == payments.StatusVoided: // money that came late
		return nothing, nil
	case p.Undone:
		return moved, p.moveTo(payments.StatusVoided, at)
	default:
		p.DeclineReason = reasonNotApproved
		return moved, p.moveTo(payments.StatusDeclined, at)
	}
}

// arrived is p after the provider said that what was to be voided was taken already: that
// money is on its way back.
func (p *payment) arrived(at clock.Time) (reaction, error) {
	r, err := p.voided(at)
	if err != nil {
		return nothing, err
	}
	p.Authorised, p.Captured, p.refunding = p.Amount, p.Amount, p.Amount.Minor
	return r, nil
}

// startCapture begins to take an authorised amount, also once more after it was refused.
func (p *payment) startCapture(amount money.Money) error {
	more, err := amount.Cmp(p.Authorised)
	switch {
	case err != nil:
		return payments.ErrInvalid.WithField("amount", fmt.Sprintf("is in another currency than the payment, %s", p.Amount.Currency))
	case p.Status != payments.StatusAuthorised || p.Undone || p.void != stageNone || p.capture == stageOpen || p.capture == stageDone:
		return payments.ErrStatus.With("payment %s is %s and cannot be captured", p.ID, p.Status)
	case more > 0:
		return payments.ErrAmount.With("payment %s is authorised for %s, less than %s", p.ID, p.Authorised, amount)
	}
	p.capture = stageOpen
	return nil
}

// taken is p after the provider has captured the amount.
func (p *payment) taken(amount money.Money, at clock.Time) error {
	p.capture, p.Captured = stageDone, amount
	return p.moveTo(payments.StatusCaptured, at)
}

// startRefund sets an amount aside to be given back.
func (p *payment) startRefund(amount money.Money) error {
	left := p.Captured.Minor - p.Refunded.Minor - p.refunding
	switch {
	case amount.Currency != p.Amount.Currency:
		return payments.ErrInvalid.WithField("amount", fmt.Sprintf("is in another currency than the payment, %s", p.Amount.Currency))
	case p.Status != payments.StatusCaptured:
		return payments.ErrStatus.With("payment %s is %s: there is nothing to give back", p.ID, p.Status)
	case amount.Minor > left:
		return payments.ErrAmount.With("of payment %s, %s can still be given back, less than %s",
			p.ID, money.Money{Minor: left, Currency: amount.Currency}, amount)
	}
	p.refunding += amount.Minor
	return nil
}

// endRefund is p after the provider has given the amount back, or will not.
func (p *payment) endRefund(amount money.Money, done bool, at clock.Time) {
	p.refunding -= amount.Minor
	if done {
		p.Refunded.Minor += amount.Minor
		p.ChangedAt = at
	}
}
