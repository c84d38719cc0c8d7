// Package paymentssvc is payments: what a payment may become, what is asked of the provider
// and when, and the ledger.
//
// Nothing is asked of the provider inside a Write, and nothing is asked of it that was not
// recorded first:
//
//	record the attempt ──▶ ask the provider, by a key made of payment and step ──▶ write what came of it
//
// A job waits behind every attempt. Whoever dies between two of these lines, or gets no
// answer, is followed by that job, which asks again by the same key. So an attempt ends,
// and the provider does it once.
//
// payment.go and ledger.go are the rules and know no database; drive.go asks the provider;
// docs/payments.md shows the table of states and what is booked when.
package paymentssvc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// Config is what payments stands on.
type Config struct {
	DB        *store.DB
	Telemetry telemetry.Module
	Provider  provider.Provider // default: the sandbox
	Now       func() clock.Time // default: the database's clock

	Paused     bool   // begin paused, whatever was before, until Resume
	Stylesheet string // address of the site's stylesheet; default /assets/souk.css

	NewPaymentID     func() payments.PaymentID
	NewRefundID      func() payments.RefundID
	NewTransactionID func() payments.TransactionID
}

// Service is payments. It may be used by many goroutines.
type Service struct {
	cfg      Config
	db       *store.DB
	now      func() clock.Time
	provider provider.Provider
	sandbox  *sandbox.Sandbox // nil with another provider
	jobs     *job.Runner
	methods  map[string]bool
	held     atomic.Bool // begun paused, and not resumed yet
	counters sync.Map    // of commands, by name and code
	asking   inflight
}

var _ payments.Service = (*Service)(nil)

// New is payments on that database. It begins nothing.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = cfg.DB.Now
	}
	if cfg.NewPaymentID == nil {
		cfg.NewPaymentID = payments.PaymentIDs.New
	}
	if cfg.NewRefundID == nil {
		cfg.NewRefundID = payments.RefundIDs.New
	}
	if cfg.NewTransactionID == nil {
		cfg.NewTransactionID = payments.TransactionIDs.New
	}
	if cfg.Stylesheet == "" {
		cfg.Stylesheet = "/assets/souk.css"
	}
	if cfg.Provider == nil {
		cfg.Provider = sandbox.New(sandbox.Config{DB: cfg.DB, Now: cfg.Now})
	}
	s := &Service{
		cfg: cfg, db: cfg.DB, now: cfg.Now, provider: cfg.Provider, methods: map[string]bool{},
		jobs: job.NewRunner(job.Config{DB: cfg.DB, Log: cfg.Telemetry.Log, Now: cfg.Now}),
	}
	s.held.Store(cfg.Paused)
	for _, m := range s.provider.Methods() {
		s.methods[m.ID] = true
	}
	s.jobs.Handle(jobAttempt, s.finish)
	if box, ok := cfg.Provider.(*sandbox.Sandbox); ok {
		s.sandbox = box
		box.Handle(s.jobs, s.hearNotification)
	}
	return s
}

// Jobs runs what payments has still to do.
func (s *Service) Jobs() *job.Runner { return s.jobs }

// Pause has authorisations, captures and refunds refused, and nothing asked of the provider,
// until Resume. It lasts through restarts.
func (s *Service) Pause(ctx context.Context, by actor.Actor, why string) error {
	return s.count("pause", s.setPaused(ctx, by, true, why))
}

// Resume ends Pause, and takes up every attempt that was left open.
func (s *Service) Resume(ctx context.Context, by actor.Actor, why string) error {
	err := s.setPaused(ctx, by, false, why)
	if err == nil {
		s.held.Store(false)
	}
	return s.count("resume", err)
}

// Paused says whether payments are paused.
func (s *Service) Paused(ctx context.Context) (bool, error) {
	var paused bool
	err := s.db.Read(ctx, func(q store.Queryer) (err error) {
		paused, err = selectPaused(q)
		return err
	})
	return paused || s.held.Load(), err
}

func (s *Service) setPaused(ctx context.Context, by actor.Actor, paused bool, why string) error {
	if !by.IsSystem() && !by.IsOperator() {
		return payments.ErrForbidden.With("only operators pause and resume payments")
	}
	if len(why) > maxText {
		return payments.ErrInvalid.WithField("why", fmt.Sprintf("may have %d bytes at most", maxText))
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		before, err := selectPaused(tx)
		if err != nil {
			return err
		}
		if err := updatePaused(tx, paused, why); err != nil {
			return err
		}
		action := "payments.pause"
		if !paused {
			action = "payments.resume"
			if err := takeUp(tx); err != nil {
				return err
			}
		}
		return tx.Audit(store.Audit{
			By: by, Action: action, Subject: "payments", Why: why,
			Before: fmt.Sprintf(`{"paused":%t}`, before), After: fmt.Sprintf(`{"paused":%t}`, paused),
		})
	})
}

// takeUp has every open attempt finished now.
func takeUp(tx *store.Tx) error {
	open, err := openAttempts(tx)
	if err != nil {
		return err
	}
	for _, a := range open {
		if err := tx.Enqueue(jobAttempt, a.key(), tx.Now()); err != nil {
			return err
		}
	}
	return nil
}

func errPaused() error {
	return payments.ErrPaused.With("payments are paused; try again later")
}

// errUnknown is the answer when the provider gave none: the command is settled by repeating
// its key, and payments goes on settling it by itself.
var errUnknown = errs.Refusal(errs.Unknown, "payments.unknown")

// count notes how a command ended.
func (s *Service) count(command string, err error) error {
	code := string(errs.CodeOf(err))
	if err == nil {
		code = "ok"
	}
	key := command + " " + code
	c, ok := s.counters.Load(key)
	if !ok {
		c, _ = s.counters.LoadOrStore(key, s.cfg.Telemetry.Counter("souk.payments.commands", "Commands of payments, by how they ended.",
			telemetry.Label{Name: "command", Value: command}, telemetry.Label{Name: "code", Value: code}))
	}
	if counter, ok := c.(telemetry.Counter); ok {
		counter.Add(1)
	}
	return err
}

// Times.
const (
	providerTime      = 10 * time.Second // patience with the provider, per call
	backstop          = 15 * time.Second // when a job takes up an attempt that nobody ended
	firstRetry        = 2 * time.Second  // then twice as long each time
	longestRetry      = 5 * time.Minute
	keepNotifications = 30 * 24 * time.Hour
)

// retryAt is when an attempt of that age is tried again: after as long as it has taken
// already, so that the pauses double, within bounds.
func retryAt(madeAt, now clock.Time) clock.Time {
	return now.Add(min(max(now.Sub(madeAt), firstRetry), longestRetry))
}

// noCharge says whether the provider knows no such charge.
func noCharge(err error) bool { return errors.Is(err, provider.ErrNoCharge) }
