package paymentssvc

import (
	"context"
	"strings"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// owner is whose keys payments remembers. Only the system commands payments, and its keys
// name an order and a step, whoever it acts for at the moment: an undo by a clean-up job
// must find what a checkout did on behalf of its buyer.
const owner = "system"

// The operations whose keys are remembered.
const (
	opAuthorize = "authorize"
	opCapture   = "capture"
	opSettle    = "settle"
	opRefund    = "refund"
)

// actorless stands for whoever asks, in the body of a command that is the same for all.
var actorless = actor.System("")

// once names a command of payments. body is what is asked, without who asks and the key.
func once(operation, key string, body any) store.Command {
	return store.Command{Owner: owner, Operation: operation, Key: key, Body: store.Hash(body)}
}

// Methods lists the ways to pay.
func (s *Service) Methods(_ context.Context, r payments.MethodsRequest) (payments.MethodsReply, error) {
	if r.Currency != "" && !r.Currency.Valid() {
		return payments.MethodsReply{}, payments.ErrInvalid.WithField("currency", "is not a currency souk knows")
	}
	reply := payments.MethodsReply{Methods: []payments.Method{}, Sandbox: s.sandbox != nil}
	for _, m := range s.provider.Methods() {
		reply.Methods = append(reply.Methods, payments.Method{ID: m.ID, Label: m.Label, Help: m.Help})
	}
	return reply, nil
}

// Authorize reserves an amount: it records the payment, asks the provider while the buyer
// waits, and writes down the answer. Without an answer the payment is authorising, and a
// job finds out.
func (s *Service) Authorize(ctx context.Context, r payments.AuthorizeRequest) (payments.PaymentReply, error) {
	reply, err := s.authorize(ctx, r)
	return reply, s.count(opAuthorize, err)
}

func (s *Service) authorize(ctx context.Context, r payments.AuthorizeRequest) (payments.PaymentReply, error) {
	if err := validateAuthorize(r, func(method string) bool { return s.methods[method] }); err != nil {
		return payments.PaymentReply{}, err
	}
	pid := s.cfg.NewPaymentID()
	end := s.asking.begin(pid)
	defer end()
	p, fresh, err := s.recordPayment(ctx, pid, r)
	switch {
	case err != nil || p.Status != payments.StatusAuthorising:
	case fresh:
		p, err = s.askToAuthorise(ctx, p)
	default:
		s.asking.wait(ctx, p.ID)
		p, err = s.read(ctx, p.ID) // whoever asked may have been answered since
	}
	if err != nil {
		return payments.PaymentReply{}, err
	}
	if p.Undone {
		return payments.PaymentReply{}, payments.ErrKeyUndone.With("the request with key %s was undone meanwhile", r.Key)
	}
	return payments.PaymentReply{Payment: p.Payment}, nil
}

// recordPayment keeps a new payment with its attempt, or finds the one that the key has made.
func (s *Service) recordPayment(ctx context.Context, pid payments.PaymentID, r payments.AuthorizeRequest) (p *payment, fresh bool, err error) {
	made := newPayment(pid, r, s.now())
	body := struct {
		Order     any
		Amount    money.Money
		Method    string
		ReturnURL string
		Until     clock.Time
	}{r.Order, r.Amount, r.Method, r.ReturnURL, r.Until}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		before, repeat, err := tx.Once(once(opAuthorize, r.Key, body), func() (string, error) {
			if s.held.Load() {
				return "", errPaused()
			}
			if err := insertPayment(tx, made); err != nil {
				return "", err
			}
			if made.Status != payments.StatusAuthorising {
				return string(made.ID), tx.Publish(made.changed())
			}
			return string(made.ID), insertAttempt(tx, made.attempt(stepAuthorise, made.CreatedAt), made.CreatedAt.Add(backstop))
		})
		if err != nil {
			return err
		}
		p, fresh = made, !repeat
		if repeat {
			p, err = selectPayment(tx, payments.PaymentID(before))
		}
		return err
	})
	return p, fresh, err
}

// read reads a payment as it stands now.
func (s *Service) read(ctx context.Context, pid payments.PaymentID) (p *payment, err error) {
	err = s.db.Read(ctx, func(q store.Queryer) (err error) {
		p, err = selectPayment(q, pid)
		return err
	})
	return p, afterwards(err)
}

// Undo gives up an authorisation, seen or not.
func (s *Service) Undo(ctx context.Context, r payments.UndoRequest) (payments.UndoReply, error) {
	reply, err := s.undo(ctx, r)
	return reply, s.count("undo", err)
}

func (s *Service) undo(ctx context.Context, r payments.UndoRequest) (payments.UndoReply, error) {
	if err := validateUndo(r); err != nil {
		return payments.UndoReply{}, err
	}
	var reply payments.UndoReply
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		reply = payments.UndoReply{}
		pid, done, err := tx.Undo(owner, opAuthorize, r.Key)
		if err != nil || !done {
			return err
		}
		p, err := selectPayment(tx, payments.PaymentID(pid))
		if err != nil {
			return err
		}
		if err := s.undoPayment(tx, p, r.Why); err != nil {
			return err
		}
		reply = payments.UndoReply{Known: true, Payment: &p.Payment}
		return nil
	})
	return reply, err
}

func (s *Service) undoPayment(tx *store.Tx, p *payment, why string) error {
	if p.Undone {
		return nil
	}
	before := p.Status
	voids, err := p.undo(why, s.now())
	if err != nil {
		return err
	}
	if err := updatePayment(tx, p); err != nil {
		return err
	}
	if voids {
		return s.giveUp(tx, p)
	}
	if p.Status != before {
		return tx.Publish(p.changed())
	}
	return nil
}

// giveUp replaces asking for an outcome by asking for a void.
func (s *Service) giveUp(tx *store.Tx, p *payment) error {
	at := s.now()
	if err := endAttempt(tx, p.attempt(stepAuthorise, at), attemptGivenUp, ""); err != nil {
		return err
	}
	return insertAttempt(tx, p.attempt(stepVoid, at), at)
}

// Capture takes an authorised amount.
func (s *Service) Capture(ctx context.Context, r payments.CaptureRequest) (payments.PaymentReply, error) {
	reply, err := s.captureAmount(ctx, r)
	return reply, s.count(opCapture, err)
}

func (s *Service) captureAmount(ctx context.Context, r payments.CaptureRequest) (payments.PaymentReply, error) {
	if err := validateCapture(r); err != nil {
		return payments.PaymentReply{}, err
	}
	p, a, err := s.recordCapture(ctx, r)
	if err != nil {
		return payments.PaymentReply{}, err
	}
	if a.State == attemptOpen {
		if p, a.State, err = s.askToCapture(ctx, a, r.Shares); err != nil {
			return payments.PaymentReply{}, err
		}
	}
	switch a.State {
	case attemptDone:
		return payments.PaymentReply{Payment: p.Payment}, nil
	case attemptRefused:
		return payments.PaymentReply{}, payments.ErrCaptureRefused.With("the provider has refused to capture payment %s", p.ID)
	default:
		return payments.PaymentReply{}, errUnknown.With("the provider has not said whether payment %s is captured", p.ID)
	}
}

func (s *Service) recordCapture(ctx context.Context, r payments.CaptureRequest) (p *payment, a attempt, err error) {
	at := s.now()
	body := struct {
		Payment payments.PaymentID
		Amount  money.Money
		Shares  []payments.Share
	}{r.Payment, r.Amount, r.Shares}
	shares, err := encode(r.Shares)
	if err != nil {
		return nil, a, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		made, repeat, err := tx.Once(once(opCapture, r.Key, body), func() (string, error) {
			if p, err = s.selectToMove(tx, r.Payment); err != nil {
				return "", err
			}
			step := stepCapture
			if p.capture == stageRefused {
				if step, err = nextStep(tx, p.ID, stepCapture); err != nil {
					return "", err
				}
			}
			if err := p.startCapture(r.Amount); err != nil {
				return "", err
			}
			if err := updatePayment(tx, p); err != nil {
				return "", err
			}
			a = p.attempt(step, at)
			a.Minor, a.Body = r.Amount.Minor, shares
			return captureMade(a), insertAttempt(tx, a, at.Add(backstop))
		})
		if err != nil || !repeat {
			return err
		}
		if p, err = selectPayment(tx, r.Payment); err != nil {
			return err
		}
		a, err = selectAttempt(tx, r.Payment, stepMade(made))
		return err
	})
	return p, a, err
}

// captureMade is what a key of Capture is remembered to have made: the payment, and with it the
// step of an attempt that was not its first.
func captureMade(a attempt) string {
	if a.Step == stepCapture {
		return string(a.Payment)
	}
	return a.key()
}

// stepMade is the step of what captureMade says.
func stepMade(made string) step {
	if _, after, ok := strings.Cut(made, ":"); ok {
		return step(after)
	}
	return stepCapture
}

// selectToMove reads a payment whose money is to move now, which it may not while paused.
func (s *Service) selectToMove(tx *store.Tx, pid payments.PaymentID) (*payment, error) {
	p, err := selectPayment(tx, pid)
	if err != nil {
		return nil, err
	}
	if p.paused || s.held.Load() {
		return nil, errPaused()
	}
	return p, nil
}

// Settle moves a fulfilled share out of escrow.
func (s *Service) Settle(ctx context.Context, r payments.SettleRequest) (payments.SettleReply, error) {
	reply, err := s.settle(ctx, r)
	return reply, s.count(opSettle, err)
}

func (s *Service) settle(ctx context.Context, r payments.SettleRequest) (payments.SettleReply, error) {
	if err := validateSettle(r); err != nil {
		return payments.SettleReply{}, err
	}
	leaves, err := leavesEscrow(r)
	if err != nil {
		return payments.SettleReply{}, payments.ErrInvalid.WithField("earned", err.Error())
	}
	body := r
	body.By, body.Key = actorless, ""
	tid, at := s.cfg.NewTransactionID(), s.now()
	var reply payments.SettleReply
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		booked, _, err := tx.Once(once(opSettle, r.Key, body), func() (string, error) {
			return string(tid), settleShare(tx, r, leaves, tid, at)
		})
		if err != nil {
			return err
		}
		reply.Transaction, err = selectTransaction(tx, payments.TransactionID(booked))
		return err
	})
	return reply, err
}

func settleShare(tx *store.Tx, r payments.SettleRequest, leaves money.Money, tid payments.TransactionID, at clock.Time) error {
	p, err := selectPayment(tx, r.Payment)
	if err != nil {
		return err
	}
	switch {
	case p.Amount.Currency != r.Earned.Currency:
		return payments.ErrInvalid.WithField("earned", "is in another currency than the payment, "+string(p.Amount.Currency))
	case p.Status != payments.StatusCaptured && p.Status != payments.StatusNothingDue:
		return payments.ErrStatus.With("payment %s is %s: nothing of it can be settled", p.ID, p.Status)
	}
	has, err := selectHoldings(tx, p.ID)
	if err != nil {
		return err
	}
	if err := checkSettle(r, leaves, has); err != nil {
		return err
	}
	e, err := newEntry(tid, payments.BookSettle, p, at, settleLines(r, leaves))
	if err != nil {
		return err
	}
	e.about = r.SellerOrder
	return book(tx, e)
}

// Refund gives money back.
func (s *Service) Refund(ctx context.Context, r payments.RefundRequest) (payments.RefundReply, error) {
	reply, err := s.refund(ctx, r)
	return reply, s.count(opRefund, err)
}

func (s *Service) refund(ctx context.Context, r payments.RefundRequest) (payments.RefundReply, error) {
	if err := validateRefund(r); err != nil {
		return payments.RefundReply{}, err
	}
	refund, a, err := s.recordRefund(ctx, r)
	if err != nil {
		return payments.RefundReply{}, err
	}
	if a != nil {
		if refund, err = s.askToRefund(ctx, *a, refund); err != nil {
			return payments.RefundReply{}, err
		}
	}
	return payments.RefundReply{Refund: refund}, nil
}

// recordRefund keeps a new refund and sets its money aside, and returns its attempt; or finds
// the refund that the key has made.
func (s *Service) recordRefund(ctx context.Context, r payments.RefundRequest) (refund payments.Refund, a *attempt, err error) {
	at := s.now()
	made := payments.Refund{
		ID: s.cfg.NewRefundID(), Payment: r.Payment, Amount: r.Amount, Status: payments.RefundPending, Why: r.Why, CreatedAt: at,
	}
	tid := s.cfg.NewTransactionID()
	body := r
	body.By, body.Key = actorless, ""
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		a = nil
		rid, repeat, err := tx.Once(once(opRefund, r.Key, body), func() (string, error) {
			fresh, err := s.startRefund(tx, r, made, tid)
			a = &fresh
			return string(made.ID), err
		})
		if err != nil {
			return err
		}
		refund = made
		if repeat {
			refund, err = selectRefund(tx, payments.RefundID(rid))
		}
		return err
	})
	return refund, a, err
}

func (s *Service) startRefund(tx *store.Tx, r payments.RefundRequest, made payments.Refund, tid payments.TransactionID) (attempt, error) {
	p, err := s.selectToMove(tx, r.Payment)
	if err != nil {
		return attempt{}, err
	}
	if err := p.startRefund(r.Amount); err != nil {
		return attempt{}, err
	}
	has, err := selectHoldings(tx, p.ID)
	if err != nil {
		return attempt{}, err
	}
	from, err := takeFrom(r.Shares, has)
	if err != nil {
		return attempt{}, err
	}
	e, err := newEntry(tid, payments.BookRefund, p, made.CreatedAt, refundLines(r.Amount, from))
	if err != nil {
		return attempt{}, err
	}
	e.refund = made.ID
	a := p.attempt(stepRefund(made.ID), made.CreatedAt)
	a.Minor = r.Amount.Minor
	if a.Body, err = encode(from); err != nil {
		return attempt{}, err
	}
	if err := updatePayment(tx, p); err != nil {
		return attempt{}, err
	}
	if err := insertRefund(tx, made); err != nil {
		return attempt{}, err
	}
	if err := book(tx, e); err != nil {
		return attempt{}, err
	}
	return a, insertAttempt(tx, a, made.CreatedAt.Add(backstop))
}

// charge is what the provider is asked to reserve for p.
func (p *payment) charge() provider.Charge {
	return provider.Charge{
		Key: providerKey(p.ID, stepAuthorise), Method: p.Method, Amount: p.Amount, ReturnURL: p.returnURL, Until: p.deadline,
	}
}

// changed is the event that says where p stands.
func (p *payment) changed() payments.Changed {
	return payments.Changed{PaymentID: p.ID, OrderID: p.Order, Status: p.Status, Amount: p.Amount, At: p.ChangedAt}
}
