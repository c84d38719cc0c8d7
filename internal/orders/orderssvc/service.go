// Package orderssvc is the module orders: the checkout, fulfilment, and the memory of both.
//
// Where rules live: what is frozen and how money is divided in freeze.go; fulfilment by
// quantity in fulfil.go; the steps of a checkout up to its pivot in saga.go, those after it in
// forward.go, and how it is undone in undo.go. checkout.go starts one; acts.go is what buyers,
// sellers and operators do afterwards, and after.go what that asks of other modules.
// The tables of states are in docs/orders.md, and a test drives the rules with them.
package orderssvc

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"sync"
	"time"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// The module's jobs.
const (
	jobCheckout  = "orders.checkout"   // key: the order
	jobShipStock = "orders.ship_stock" // key: order/parcel
	jobRefund    = "orders.refund"     // key: order/refund
	jobSettle    = "orders.settle"     // key: order/seller order
)

// Config is what the module stands on.
type Config struct {
	DB       *store.DB
	Bus      *bus.Bus // where it hears payments; nil hears nothing
	Cart     cart.Service
	Catalog  catalog.Service
	Payments payments.Service
	Accounts accounts.Service
	Now      func() clock.Time // default: clock.Now

	Telemetry telemetry.Module // where its log and figures go; the zero one shows nothing

	NewID     func() orders.OrderID // default: orders.OrderIDs.New
	NewNumber func() string         // default: eight random characters, "K7F3-9Q2M"

	// Term is how long a checkout may take, waiting for the buyer included. Default: 15 minutes.
	Term time.Duration
	// At is called at each named point of a checkout, with the order. Tests end the process there.
	At func(point string, order orders.OrderID)
}

// Service implements orders.Service.
type Service struct {
	Config
	jobs    *job.Runner
	hears   []*bus.Subscriber
	waiting waiting
	figures sync.Map // of figure to telemetry.Counter
	secret  func(ctx context.Context) ([]byte, error)
}

var _ orders.Service = (*Service)(nil)

// New builds the module; it has no effect elsewhere.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = clock.Now
	}
	if c.NewID == nil {
		c.NewID = orders.OrderIDs.New
	}
	if c.NewNumber == nil {
		c.NewNumber = newNumber
	}
	if c.Term == 0 {
		c.Term = 15 * time.Minute
	}
	if c.At == nil {
		c.At = func(string, orders.OrderID) {}
	}
	s := &Service{Config: c, jobs: job.NewRunner(job.Config{DB: c.DB, Log: c.Telemetry.Log, Now: c.Now})}
	s.secret = remember(s.readSecret)
	s.jobs.Handle(jobCheckout, s.drive)
	s.jobs.Handle(jobShipStock, s.shipStock)
	s.jobs.Handle(jobRefund, s.refund)
	s.jobs.Handle(jobSettle, s.settle)
	if c.DB.Shared() { // another process may take a checkout further than this one, where its buyer waits
		c.DB.OnCommit(func(c store.Commit) {
			if c.Elsewhere {
				s.waiting.look()
			}
		})
	}
	if c.Bus != nil {
		heard := bus.NewSubscriber(c.Bus, "orders.payments", payments.Log, c.DB)
		bus.On(heard, s.paymentChanged)
		bus.On(heard, s.paymentRefunded)
		heard.OnPlaceGone(s.wakeAll)
		s.hears = append(s.hears, heard)
	}
	return s
}

// figure is one counter: commands by name and code, or checkouts by what came of them.
type figure struct{ name, command, code string }

// done counts how a command ended, by its code.
func (s *Service) done(command string, err error) {
	code := "ok"
	if err != nil {
		code = string(errs.CodeOf(err))
	}
	s.count(figure{"souk.orders.commands", command, code})
}

// counted counts what came of a checkout.
func (s *Service) counted(what, outcome string) { s.count(figure{"souk.orders." + what, "", outcome}) }

func (s *Service) count(f figure) {
	counter, ok := s.figures.Load(f)
	if !ok {
		help, labels := "Checkouts by what came of them.", []telemetry.Label{{Name: "outcome", Value: f.code}}
		if f.command != "" {
			help, labels = "Commands of orders by how they ended.", []telemetry.Label{{Name: "command", Value: f.command}, {Name: "code", Value: f.code}}
		}
		counter, _ = s.figures.LoadOrStore(f, s.Telemetry.Counter(f.name, help, labels...))
	}
	if c, ok := counter.(telemetry.Counter); ok {
		c.Add(1)
	}
}

// alphabet of numbers: digits and capitals without 0, 1, I, L, O and U, which are misread or
// spell things.
const alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

// newNumber is a name for people. That it is random says nothing of how much is sold; a
// number that exists already is refused by the database and another one is made.
func newNumber() string {
	out := make([]byte, 0, 9)
	var b [1]byte
	for len(out) < 9 {
		if len(out) == 4 {
			out = append(out, '-')
		}
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
		if int(b[0]) < 256/len(alphabet)*len(alphabet) {
			out = append(out, alphabet[int(b[0])%len(alphabet)])
		}
	}
	return string(out)
}

// remember calls fn until it has succeeded once.
func remember(fn func(ctx context.Context) ([]byte, error)) func(ctx context.Context) ([]byte, error) {
	var mu sync.Mutex
	var value []byte
	return func(ctx context.Context) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if value != nil {
			return value, nil
		}
		v, err := fn(ctx)
		if err == nil {
			value = v
		}
		return v, err
	}
}

func (s *Service) readSecret(ctx context.Context) ([]byte, error) {
	var secret []byte
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		return q.Get(&secret, `SELECT value FROM secrets WHERE name = 'order_link'`)
	})
	if err != nil {
		return nil, fmt.Errorf("read the secret of order links: %w", err)
	}
	return secret, nil
}

// link is the secret by which a guest reads an order. It is made of the order's id, so that a
// repeated checkout answers with the same one and none is stored.
func (s *Service) link(ctx context.Context, oid orders.OrderID) (string, error) {
	secret, err := s.secret(ctx)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(oid)) // a hash never fails
	return base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:20]), nil
}

// prepare reads what checking a link needs, before a snapshot or Write is open.
func (s *Service) prepare(ctx context.Context, link string) error {
	if link == "" {
		return nil
	}
	_, err := s.secret(ctx)
	return err
}

// opens says whether link is the one of the order; see prepare.
func (s *Service) opens(ctx context.Context, link string, oid orders.OrderID) (bool, error) {
	if link == "" {
		return false, nil
	}
	right, err := s.link(ctx, oid)
	return err == nil && subtle.ConstantTimeCompare([]byte(right), []byte(link)) == 1, err
}
