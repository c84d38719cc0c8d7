package paymentssvc

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// jobAttempt finishes the attempt that its key names, or looks whether it has been.
const jobAttempt = "payments.attempt"

// step is what an attempt is to do. With its payment it makes the key that the provider
// knows it by.
type step string

const (
	stepAuthorise step = "authorise"
	stepCapture   step = "capture"
	stepVoid      step = "void"
	stepReturn    step = "return" // of money that came although it was given up
	refundPrefix       = "refund:"
)

func stepRefund(rid payments.RefundID) step { return step(refundPrefix + string(rid)) }

// refund is the refund that s is an attempt at.
func (s step) refund() payments.RefundID {
	rest, _, _ := strings.Cut(strings.TrimPrefix(string(s), refundPrefix), ":")
	return payments.RefundID(rest)
}

// nth is the step of the nth attempt at the same thing: a provider that has refused one would
// answer a repeat of its key as it did.
func (s step) nth(n int) step {
	if n <= 1 {
		return s
	}
	return step(fmt.Sprintf("%s:%d", s, n))
}

// at says whether s is an attempt at the step first, and which.
func (s step) at(first step) (n int, ok bool) {
	if s == first {
		return 1, true
	}
	rest, ok := strings.CutPrefix(string(s), string(first)+":")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(rest)
	return n, err == nil
}

// providerKey is the key that the provider knows an attempt by.
func providerKey(pid payments.PaymentID, s step) string { return string(pid) + ":" + string(s) }

// afterwards is an error that came after an attempt was recorded: it may have been made,
// whatever kind of error that is by itself.
func afterwards(err error) error {
	if err == nil {
		return nil
	}
	return errUnknown.With("what the provider did could not be written down yet").Because(err)
}

func (a attempt) key() string { return providerKey(a.Payment, a.Step) }

// parseKey is the reverse of providerKey.
func parseKey(key string) (payments.PaymentID, step, error) {
	before, after, ok := strings.Cut(key, ":")
	pid, err := payments.PaymentIDs.Parse(before)
	if !ok || err != nil {
		return "", "", fmt.Errorf("%q does not name an attempt", key)
	}
	return pid, step(after), nil
}

// attempt is p's attempt at a step, to be made now.
func (p *payment) attempt(s step, at clock.Time) attempt {
	return attempt{Payment: p.ID, Step: s, Minor: p.Amount.Minor, State: attemptOpen, MadeAt: at}
}

// finish takes up an attempt that was not ended by whoever made it: it asks the provider
// by the same key. While payments are paused it does nothing; Resume takes up what is open.
func (s *Service) finish(ctx context.Context, j job.Job) error {
	pid, st, err := parseKey(j.Key)
	if err != nil {
		return job.Dead(err)
	}
	var p *payment
	var a attempt
	err = s.db.Read(ctx, func(q store.Queryer) (err error) {
		if p, err = selectPayment(q, pid); err != nil {
			return err
		}
		a, err = selectAttempt(q, pid, st)
		return err
	})
	if errors.Is(err, payments.ErrNotFound) {
		return nil
	}
	if err != nil || p.paused || s.held.Load() {
		return err
	}
	switch {
	case st == stepAuthorise:
		return s.settleAuthorisation(ctx, p, a)
	case a.State != attemptOpen:
		return nil
	case st == stepVoid:
		return s.askToVoid(ctx, p, a)
	case strings.HasPrefix(string(st), refundPrefix):
		return s.finishRefund(ctx, a)
	}
	if _, ok := st.at(stepReturn); ok {
		return s.askToReturn(ctx, p, a)
	}
	if _, ok := st.at(stepCapture); ok {
		shares, err := decode[[]payments.Share](a)
		if err != nil {
			return job.Dead(err)
		}
		_, _, err = s.askToCapture(ctx, a, shares)
		return err
	}
	return job.Dead(fmt.Errorf("nobody knows how to %s", st))
}

// ask calls the provider with bounded patience. If the caller goes away the answer is
// unknown, and a job takes over.
func ask[In any](ctx context.Context, call func(context.Context, In) (provider.Outcome, error), in In) (provider.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, providerTime)
	defer cancel()
	return call(ctx, in)
}

// askToAuthorise asks for a payment that was just recorded.
func (s *Service) askToAuthorise(ctx context.Context, p *payment) (*payment, error) {
	o, err := ask(ctx, s.provider.Authorise, p.charge())
	return s.heard(ctx, p.attempt(stepAuthorise, p.CreatedAt), o, err)
}

// settleAuthorisation finds out where a charge stands: by looking it up, or by asking for it
// once more if the provider has never heard of it. What has come too late is given up.
func (s *Service) settleAuthorisation(ctx context.Context, p *payment, a attempt) error {
	if p.expired(s.now()) {
		return s.db.Write(ctx, func(tx *store.Tx) error {
			p, err := selectPayment(tx, a.Payment)
			if err != nil || !p.expired(s.now()) {
				return err
			}
			p.giveUp()
			if err := updatePayment(tx, p); err != nil {
				return err
			}
			return s.giveUp(tx, p)
		})
	}
	o, err := ask(ctx, s.provider.Lookup, providerKey(p.ID, stepAuthorise))
	if noCharge(err) {
		if !p.unsettled() {
			return nil
		}
		o, err = ask(ctx, s.provider.Authorise, p.charge())
	}
	_, err = s.heard(ctx, a, o, err)
	return err
}

// heard writes down what the provider said of a charge, or that it said nothing.
func (s *Service) heard(ctx context.Context, a attempt, o provider.Outcome, cause error) (*payment, error) {
	var p *payment
	err := s.db.Write(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if p, err = selectPayment(tx, a.Payment); err != nil {
			return err
		}
		if cause != nil {
			if p.unsettled() {
				return keepAttempt(tx, a, cause, s.nextLook(p, a))
			}
			return nil
		}
		return s.hearOutcome(tx, p, a, o)
	})
	return p, afterwards(err)
}

func (s *Service) hearOutcome(tx *store.Tx, p *payment, a attempt, o provider.Outcome) error {
	what, err := p.hear(o, s.now())
	if err != nil {
		return err
	}
	switch what {
	case giveBack:
		p.giveUp()
		if err := updatePayment(tx, p); err != nil {
			return err
		}
		return insertAttempt(tx, p.attempt(stepVoid, s.now()), s.now())
	case moved:
		if err := updatePayment(tx, p); err != nil {
			return err
		}
		if err := tx.Publish(p.changed()); err != nil {
			return err
		}
	case nothing:
	}
	switch {
	case p.unsettled():
		return keepAttempt(tx, a, nil, s.nextLook(p, a))
	case what == moved && p.Status == payments.StatusDeclined:
		return endAttempt(tx, a, attemptRefused, p.DeclineReason)
	case what == moved:
		return endAttempt(tx, a, attemptDone, "")
	default:
		return nil
	}
}

// nextLook is when the provider is asked again should it say nothing by itself, and not
// later than the time for an outcome ends.
func (s *Service) nextLook(p *payment, a attempt) clock.Time {
	at, end := retryAt(a.MadeAt, s.now()), p.deadline
	if p.waits() {
		end = p.Until
	}
	if end != 0 && end.Before(at) {
		return max(end, s.now())
	}
	return at
}

// askToVoid gives up the charge at the provider, whatever has become of it.
func (s *Service) askToVoid(ctx context.Context, p *payment, a attempt) error {
	o, cause := ask(ctx, s.provider.Void, providerKey(p.ID, stepAuthorise))
	tid := s.cfg.NewTransactionID()
	return s.db.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		p, err := selectPayment(tx, a.Payment)
		if err != nil {
			return err
		}
		switch {
		case p.void != stageOpen:
			return endAttempt(tx, a, attemptDone, "")
		case cause != nil:
			return keepAttempt(tx, a, cause, retryAt(a.MadeAt, s.now()))
		case o.State == provider.Done || o.State == provider.Gone:
			what, err := p.voided(s.now())
			if err != nil {
				return err
			}
			return s.endVoid(tx, p, a, what)
		case o.State == provider.Taken:
			return s.takeArrived(tx, p, a, tid)
		default:
			return keepAttempt(tx, a, fmt.Errorf("the provider answered %q to a void", o.State), retryAt(a.MadeAt, s.now()))
		}
	})
}

func (s *Service) endVoid(tx *store.Tx, p *payment, a attempt, what reaction) error {
	if err := updatePayment(tx, p); err != nil {
		return err
	}
	if what == moved {
		if err := tx.Publish(p.changed()); err != nil {
			return err
		}
	}
	return endAttempt(tx, a, attemptDone, "")
}

// takeArrived books money that came although it was given up, and sends it back.
func (s *Service) takeArrived(tx *store.Tx, p *payment, a attempt, tid payments.TransactionID) error {
	what, err := p.arrived(s.now())
	if err != nil {
		return err
	}
	e, err := newEntry(tid, payments.BookReturn, p, s.now(), arrivedLines(p.Amount))
	if err != nil {
		return err
	}
	if err := book(tx, e); err != nil {
		return err
	}
	if err := insertAttempt(tx, p.attempt(stepReturn, s.now()), s.now()); err != nil {
		return err
	}
	return s.endVoid(tx, p, a, what)
}

// askToReturn sends money back that nobody waits for.
func (s *Service) askToReturn(ctx context.Context, p *payment, a attempt) error {
	o, cause := ask(ctx, s.provider.Refund, provider.Refund{
		Key: a.key(), Charge: providerKey(p.ID, stepAuthorise), Amount: p.Amount,
	})
	tid := s.cfg.NewTransactionID()
	return s.db.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		p, a, err := selectOpen(tx, a)
		if err != nil || a.State != attemptOpen {
			return err
		}
		switch {
		case cause != nil || o.State == provider.Pending:
			return keepAttempt(tx, a, cause, retryAt(a.MadeAt, s.now()))
		case o.State != provider.Done:
			return s.returnRefused(tx, p, a, o.Reason)
		}
		p.endRefund(p.Amount, true, s.now())
		if err := updatePayment(tx, p); err != nil {
			return err
		}
		e, err := newEntry(tid, payments.BookReturn, p, s.now(), refundedLines(p.Amount))
		if err != nil {
			return err
		}
		if err := book(tx, e); err != nil {
			return err
		}
		return endAttempt(tx, a, attemptDone, "")
	})
}

// selectOpen reads an attempt and its payment again, to write down what came of it.
func selectOpen(tx *store.Tx, a attempt) (*payment, attempt, error) {
	p, err := selectPayment(tx, a.Payment)
	if err != nil {
		return nil, a, err
	}
	a, err = selectAttempt(tx, a.Payment, a.Step)
	return p, a, err
}

// askToCapture asks for a capture that was recorded, and books it. It says what has become of the
// attempt. One that has ended meanwhile changes nothing: another may be under way.
func (s *Service) askToCapture(ctx context.Context, a attempt, shares []payments.Share) (*payment, attemptState, error) {
	amount := money.Money{Minor: a.Minor, Currency: currencyOf(shares)}
	o, cause := ask(ctx, s.provider.Capture, provider.Capture{Key: a.key(), Charge: providerKey(a.Payment, stepAuthorise), Amount: amount})
	tid := s.cfg.NewTransactionID()
	var p *payment
	var state attemptState
	err := s.db.Write(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if p, err = selectPayment(tx, a.Payment); err != nil {
			return err
		}
		if cause != nil || o.State == provider.Pending {
			state = attemptOpen
			if p.capture != stageOpen {
				return s.endedMeanwhile(tx, a, &state)
			}
			return keepAttempt(tx, a, cause, retryAt(a.MadeAt, s.now()))
		}
		taken := o.State == provider.Done || o.State == provider.Taken
		if state = attemptDone; !taken {
			state = attemptRefused
		}
		ended, err := closeAttempt(tx, a, state, o.Reason)
		switch {
		case err != nil:
			return err
		case !ended:
			return s.endedMeanwhile(tx, a, &state)
		case taken:
			return s.bookCapture(tx, p, amount, shares, tid)
		default:
			p.capture = stageRefused
			return updatePayment(tx, p)
		}
	})
	return p, state, afterwards(err)
}

// endedMeanwhile reads what has become of an attempt that somebody else has ended.
func (s *Service) endedMeanwhile(tx *store.Tx, a attempt, state *attemptState) error {
	now, err := selectAttempt(tx, a.Payment, a.Step)
	*state = now.State
	return err
}

func currencyOf(shares []payments.Share) money.Currency {
	if len(shares) == 0 {
		return ""
	}
	return shares[0].Amount.Currency
}

func (s *Service) bookCapture(tx *store.Tx, p *payment, amount money.Money, shares []payments.Share, tid payments.TransactionID) error {
	if err := p.taken(amount, s.now()); err != nil {
		return err
	}
	e, err := newEntry(tid, payments.BookCapture, p, s.now(), captureLines(amount, shares))
	if err != nil {
		return err
	}
	if err := updatePayment(tx, p); err != nil {
		return err
	}
	if err := book(tx, e); err != nil {
		return err
	}
	return tx.Publish(p.changed())
}

// hearNotification takes in what the provider sent of its own accord. It only says where to
// look; what the provider answers then is what counts. So it may come late, twice, in
// any order.
func (s *Service) hearNotification(ctx context.Context, body []byte, signature string) error {
	n, err := s.provider.Notification(ctx, body, signature)
	if errors.Is(err, provider.ErrSignature) {
		return payments.ErrForbidden.With("the signature is not the provider's").Because(err)
	}
	if err != nil {
		return payments.ErrInvalid.With("this is not a notification").Because(err)
	}
	pid, _, err := parseKey(n.Charge)
	if err != nil {
		return payments.ErrInvalid.With("there is no charge of that name").Because(err)
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		fresh, err := insertNotification(tx, s.provider.Name(), n.ID)
		if err != nil || !fresh {
			return err
		}
		return tx.Enqueue(jobAttempt, providerKey(pid, stepAuthorise), s.now())
	})
	if errs.KindOf(err) == errs.Internal {
		return fmt.Errorf("hear notification %s: %w", n.ID, err)
	}
	return err
}
