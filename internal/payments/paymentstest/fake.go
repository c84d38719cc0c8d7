package paymentstest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Fake is payments in memory, with the sandbox's methods. What is to happen later happens
// in RunDue, never by itself. It may be used by many goroutines.
type Fake struct {
	now    func() clock.Time
	listen []func(Event)

	mu       sync.Mutex
	once     map[string]*once
	payments map[payments.PaymentID]*fakePayment
	order    []payments.PaymentID // as they were made
	refunds  []*fakeRefund
	ledger   []fakeTransaction
	events   []Event
	paused   bool
}

// once is what a key has brought about.
type once struct {
	body   [32]byte
	result string
	err    error
	undone bool
}

type fakePayment struct {
	payments.Payment
	due     clock.Time // when something happens by itself; 0 for never
	refused bool       // a capture
	back    *fakeReturn
}

type fakeRefund struct {
	payments.Refund
	order   id.Ref
	shares  []payments.Share
	ended   clock.Time
	retried bool
}

var _ payments.Service = (*Fake)(nil)

// NewFake is a fake by that clock. Listeners hear every event, one after the other and
// outside of any lock, before the call that caused it returns: enough to publish it on a
// test's own log.
func NewFake(now func() clock.Time, listeners ...func(Event)) *Fake {
	return &Fake{
		now: now, listen: listeners, once: map[string]*once{}, payments: map[payments.PaymentID]*fakePayment{},
	}
}

// Fill makes the fake the service of env.
func (f *Fake) Fill(h *Hooks) {
	*h = Hooks{RunDue: f.RunDue, Approve: f.Approve, Events: f.Events, Pause: f.Pause, Resume: f.Resume, Take: f.Take}
}

// Events is everything published until now.
func (f *Fake) Events(context.Context) ([]Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Event(nil), f.events...), nil
}

// Pause has authorisations, captures and refunds refused.
func (f *Fake) Pause(context.Context) error { f.setPaused(true); return nil }

// Resume ends Pause.
func (f *Fake) Resume(context.Context) error { f.setPaused(false); return nil }

func (f *Fake) setPaused(paused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = paused
}

// RunDue does what is due by the clock: outcomes that came, deadlines that passed, voids.
func (f *Fake) RunDue(context.Context) error {
	return f.do(func() error {
		for _, pid := range f.order {
			p := f.payments[pid]
			if p.due != 0 && !p.due.After(f.now()) {
				f.settle(p)
			}
			f.tryReturn(p)
		}
		for _, refund := range f.refunds {
			if refund.Status == payments.RefundPending && !f.paused {
				f.endRefund(refund)
			}
		}
		return nil
	})
}

// Approve is what the buyer does on the provider's page.
func (f *Fake) Approve(_ context.Context, actionURL string, approve bool) error {
	return f.do(func() error {
		for _, p := range f.payments {
			if p.ActionURL != actionURL || p.Status != payments.StatusActionRequired || p.Undone {
				continue
			}
			if !approve {
				f.move(p, payments.StatusDeclined, "You did not approve the payment.")
				return nil
			}
			f.move(p, payments.StatusAuthorised, "")
			return nil
		}
		return payments.ErrNotFound
	})
}

// do runs fn under the lock, then tells the listeners what it published.
func (f *Fake) do(fn func() error) error {
	f.mu.Lock()
	from := len(f.events)
	err := fn()
	fresh := append([]Event(nil), f.events[from:]...)
	f.mu.Unlock()
	for _, e := range fresh {
		for _, hear := range f.listen {
			hear(e)
		}
	}
	return err
}

// doOnce is tx.Once in memory.
func (f *Fake) doOnce(op, key string, body any, fn func() (string, error)) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	if seen := f.once[op+" "+key]; seen != nil {
		switch {
		case seen.undone:
			return "", payments.ErrKeyUndone
		case seen.body != sum:
			return "", payments.ErrKeyReused
		}
		return seen.result, seen.err
	}
	result, err := fn()
	if err == nil || errs.Refused(err) && errs.KindOf(err) != errs.Invalid {
		f.once[op+" "+key] = &once{body: sum, result: result, err: err}
	}
	return result, err
}

// Methods lists what the sandbox offers.
func (f *Fake) Methods(context.Context, payments.MethodsRequest) (payments.MethodsReply, error) {
	reply := payments.MethodsReply{Sandbox: true}
	for _, m := range []string{OK, Declined, Redirect, Later, LaterDeclined, LostReply, CaptureRefused, RefundFailed} {
		reply.Methods = append(reply.Methods, payments.Method{ID: m, Label: "Fake " + m, Help: "For tests."})
	}
	return reply, nil
}

// Authorize reserves an amount.
func (f *Fake) Authorize(_ context.Context, r payments.AuthorizeRequest) (payments.PaymentReply, error) {
	if err := checkAuthorize(r); err != nil {
		return payments.PaymentReply{}, err
	}
	var reply payments.PaymentReply
	err := f.do(func() error {
		key := r.Key
		body := r
		body.By, body.Key = System(), ""
		pid, err := f.doOnce("authorize", key, body, func() (string, error) {
			if f.paused {
				return "", payments.ErrPaused
			}
			p := &fakePayment{Payment: payments.Payment{
				ID: payments.PaymentIDs.New(), Order: r.Order, Amount: r.Amount, Method: r.Method,
				Status: payments.StatusAuthorising, CreatedAt: f.now(), ChangedAt: f.now(),
				Authorised: money.Zero(r.Amount.Currency), Captured: money.Zero(r.Amount.Currency), Refunded: money.Zero(r.Amount.Currency),
			}}
			f.payments[p.ID] = p
			f.order = append(f.order, p.ID)
			f.begin(p, r.Until)
			return string(p.ID), nil
		})
		if err != nil {
			return err
		}
		reply.Payment = f.payments[payments.PaymentID(pid)].Payment
		return nil
	})
	return reply, err
}

// begin is what the provider says at first.
func (f *Fake) begin(p *fakePayment, until clock.Time) {
	end := func(d time.Duration) clock.Time {
		if at := f.now().Add(d); until == 0 || at.Before(until) {
			return at
		}
		return until
	}
	switch {
	case p.Amount.IsZero():
		f.move(p, payments.StatusNothingDue, "")
	case until != 0 && !until.After(f.now()):
		f.move(p, payments.StatusDeclined, "The time to pay had passed.")
	case p.Method == Declined:
		f.move(p, payments.StatusDeclined, "The card was declined.")
	case p.Method == Redirect:
		p.ActionURL = "/sandbox/approve/" + strings.TrimPrefix(id.New("act_"), "act_")
		p.Until = end(30 * time.Minute)
		f.move(p, payments.StatusActionRequired, "")
		p.due = p.Until
	case p.Method == Later, p.Method == LaterDeclined:
		p.Until = end(time.Hour)
		f.move(p, payments.StatusPending, "")
		p.due = end(LaterAfter)
	case p.Method == LostReply:
		p.due = f.now().Add(time.Second)
	default:
		f.move(p, payments.StatusAuthorised, "")
	}
}

// settle is what happens to a payment by itself.
func (f *Fake) settle(p *fakePayment) {
	switch {
	case p.Undone:
		f.move(p, payments.StatusVoided, "")
		f.arrived(p)
	case p.Until != 0 && !f.now().Before(p.Until):
		f.move(p, payments.StatusDeclined, "It was not approved in time.")
	case p.Method == LaterDeclined:
		f.move(p, payments.StatusDeclined, "The bank declined.")
	default:
		f.move(p, payments.StatusAuthorised, "")
	}
}

// move takes p to a status and publishes that.
func (f *Fake) move(p *fakePayment, to payments.Status, reason string) {
	p.Status, p.DeclineReason, p.ChangedAt, p.due = to, reason, f.now(), 0
	if to != payments.StatusActionRequired && to != payments.StatusPending {
		p.ActionURL, p.Until = "", 0
	}
	if to == payments.StatusAuthorised {
		p.Authorised = p.Amount
	}
	f.events = append(f.events, payments.Changed{PaymentID: p.ID, OrderID: p.Order, Status: to, Amount: p.Amount, At: f.now()})
}

// Undo gives up an authorisation.
func (f *Fake) Undo(_ context.Context, r payments.UndoRequest) (payments.UndoReply, error) {
	if err := checkUndo(r); err != nil {
		return payments.UndoReply{}, err
	}
	var reply payments.UndoReply
	err := f.do(func() error {
		seen := f.once["authorize "+r.Key]
		if seen == nil || seen.result == "" {
			f.once["authorize "+r.Key] = &once{undone: true}
			return nil
		}
		p := f.payments[payments.PaymentID(seen.result)]
		if p.Status == payments.StatusCaptured {
			return payments.ErrStatus.With("payment %s was captured; refund it", p.ID)
		}
		seen.undone = true
		if !p.Undone {
			p.Undone = true
			switch p.Status {
			case payments.StatusDeclined, payments.StatusVoided:
			case payments.StatusNothingDue:
				f.move(p, payments.StatusVoided, "")
			default:
				p.due = f.now()
			}
		}
		current := p.Payment
		reply = payments.UndoReply{Known: true, Payment: &current}
		return nil
	})
	return reply, err
}

// GetPayments reads payments by id or by order.
func (f *Fake) GetPayments(_ context.Context, r payments.GetPaymentsRequest) (payments.GetPaymentsReply, error) {
	if err := checkGet(r); err != nil {
		return payments.GetPaymentsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply payments.GetPaymentsReply
	found := map[payments.PaymentID]bool{}
	add := func(p *fakePayment) {
		if p != nil && !found[p.ID] {
			found[p.ID] = true
			reply.Payments = append(reply.Payments, p.Payment)
		}
	}
	for _, pid := range r.IDs {
		add(f.payments[pid])
	}
	for _, order := range r.Orders {
		for _, pid := range f.order {
			if p := f.payments[pid]; p.Order == order {
				add(p)
			}
		}
	}
	for _, refund := range f.refunds {
		if found[refund.Payment] {
			reply.Refunds = append(reply.Refunds, refund.Refund)
		}
	}
	return reply, nil
}
