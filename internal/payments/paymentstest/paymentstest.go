// Package paymentstest holds every implementation of payments to its contract, and lends a
// fake to the tests of those that ask payments.
//
// The suite lets time pass through Env: a still clock, and the Hooks that the
// implementation under test fills in. What the sandbox does with a payment is decided by
// its method's id; the constants name them.
package paymentstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// The methods of the sandbox, by what becomes of a payment.
const (
	OK             = "sandbox_ok"              // authorised at once
	Declined       = "sandbox_declined"        // declined at once
	Redirect       = "sandbox_redirect"        // the buyer approves or declines on a page
	Later          = "sandbox_later"           // pending, then authorised after LaterAfter
	LaterDeclined  = "sandbox_later_declined"  // pending, then declined after LaterAfter
	LostReply      = "sandbox_lost_reply"      // authorised, but the first answer is lost
	CaptureRefused = "sandbox_capture_refused" // authorised, and captured under the second key only
	RefundFailed   = "sandbox_refund_failed"   // captured, and never refunded
)

// LaterAfter is when the outcome of Later and LaterDeclined comes, and SettledAfter when an
// unknown outcome has been looked up for certain: a test that moves the clock that far and
// runs what is due finds it.
const (
	LaterAfter   = 5 * time.Second
	SettledAfter = 10 * time.Second
)

// Event is what payments publishes.
type Event interface {
	EventName() string
	EventKey() string
}

// Hooks are what the suite needs of an implementation beside its contract. Who makes
// the service under test fills them in.
type Hooks struct {
	RunDue  func(ctx context.Context) error                                 // do all that is due by the clock
	Approve func(ctx context.Context, actionURL string, approve bool) error // as the buyer on the provider's page
	Events  func(ctx context.Context) ([]Event, error)                      // everything published until now
	// Take has the provider take the money of a payment, whatever was agreed, as when it comes late.
	Take   func(ctx context.Context, payment payments.PaymentID) error
	Pause  func(ctx context.Context) error
	Resume func(ctx context.Context) error
}

// Env is the world of the service under test.
type Env struct {
	Clock *clock.Manual
	Hooks *Hooks
}

// NewEnv is a world whose clock stands still.
func NewEnv() Env {
	return Env{Clock: clock.NewManual(start), Hooks: &Hooks{}}
}

// start is when the suite's clocks begin.
const start clock.Time = 1_767_225_600_000 // 2026-01-01T00:00:00Z

// System is who commands payments in these tests.
func System() actor.Actor { return actor.System("") }

// Operator is one who runs the marketplace.
func Operator() actor.Actor {
	return actor.Actor{Kind: actor.KindOperator, Person: newRef("per_"), Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeOperate}}
}

// Staff sells for that seller.
func Staff(seller id.Ref) actor.Actor {
	return actor.Actor{Kind: actor.KindPerson, Person: newRef("per_"), Seller: seller, Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeSell}}
}

// EUR is an amount of euro cents.
func EUR(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }

func newRef(prefix string) id.Ref { return id.Ref(id.New(prefix)) }

// world is one service under test with its environment.
type world struct {
	payments.Service
	Env
	t *testing.T
}

// Run holds an implementation to the contract. make builds a fresh service in env and
// fills in env.Hooks.
func Run(t *testing.T, make func(*testing.T, Env) payments.Service) {
	t.Helper()
	run(t, make, func(test) bool { return true })
}

// RunRepeated is Run without the tests in which requests race. It is for services behind a
// wrapper that repeats every command and compares the answers: in a race another request may
// come between a command and its repeat, and the answers rightly differ.
func RunRepeated(t *testing.T, make func(*testing.T, Env) payments.Service) {
	t.Helper()
	run(t, make, func(test test) bool { return !test.races })
}

func run(t *testing.T, make func(*testing.T, Env) payments.Service, wanted func(test) bool) {
	t.Helper()
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"authorize", authorizeTests},
		{"undo", undoTests},
		{"capture", captureTests},
		{"settle", settleTests},
		{"refund", refundTests},
		{"read", readTests},
		{"ledger", ledgerTests},
		{"pause", pauseTests},
		{"return", returnTests},
		{"refused", refusedTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				if !wanted(test) {
					continue
				}
				t.Run(test.name, func(t *testing.T) {
					env := NewEnv()
					test.run(&world{Service: make(t, env), Env: env, t: t})
				})
			}
		})
	}
}

type test struct {
	name  string
	races bool
	run   func(w *world)
}

// pass lets d go by and everything due happen.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.Clock.Advance(d)
	w.runDue()
}

func (w *world) runDue() {
	w.t.Helper()
	require.NoError(w.t, w.Hooks.RunDue(w.t.Context()))
}

// request is an authorisation of €30 by a fresh key for a fresh order.
func (w *world) request(method string) payments.AuthorizeRequest {
	order := newRef("ord_")
	return payments.AuthorizeRequest{
		By: System(), Key: string(order) + ":authorise", Order: order, Amount: EUR(3000), Method: method,
		ReturnURL: "/checkout/" + string(order), Until: w.Clock.Now().Add(30 * time.Minute),
	}
}

// authorize makes r and returns the payment.
func (w *world) authorize(r payments.AuthorizeRequest) payments.Payment {
	w.t.Helper()
	reply, err := w.Authorize(w.t.Context(), r)
	require.NoError(w.t, err)
	return reply.Payment
}

// get reads a payment again.
func (w *world) get(pid payments.PaymentID) payments.Payment {
	w.t.Helper()
	reply, err := w.GetPayments(w.t.Context(), payments.GetPaymentsRequest{By: System(), IDs: []payments.PaymentID{pid}})
	require.NoError(w.t, err)
	require.Len(w.t, reply.Payments, 1)
	return reply.Payments[0]
}

// share is a part for a fresh seller order of a seller.
func share(seller id.Ref, minor int64) payments.Share {
	return payments.Share{Seller: seller, SellerOrder: newRef("sor_"), Amount: EUR(minor)}
}

// captured is a payment of the method, captured for two sellers: €10 and €20.
func (w *world) captured(method string) (payments.Payment, []payments.Share) {
	w.t.Helper()
	p := w.authorize(w.request(method))
	shares := []payments.Share{share(newRef("sel_"), 1000), share(newRef("sel_"), 2000)}
	reply, err := w.Capture(w.t.Context(), payments.CaptureRequest{
		By: System(), Key: string(p.Order) + ":capture", Payment: p.ID, Amount: EUR(3000), Shares: shares,
	})
	require.NoError(w.t, err)
	return reply.Payment, shares
}

// statuses are the statuses of the Changed events of one order, in order.
func (w *world) statuses(order id.Ref) []payments.Status {
	w.t.Helper()
	events, err := w.Hooks.Events(w.t.Context())
	require.NoError(w.t, err)
	var out []payments.Status
	for _, e := range events {
		if c, ok := e.(payments.Changed); ok && c.OrderID == order {
			out = append(out, c.Status)
		}
	}
	return out
}

// refunds are the Refunded events of one order, in order.
func (w *world) refunds(order id.Ref) []payments.Refunded {
	w.t.Helper()
	events, err := w.Hooks.Events(w.t.Context())
	require.NoError(w.t, err)
	var out []payments.Refunded
	for _, e := range events {
		if r, ok := e.(payments.Refunded); ok && r.OrderID == order {
			out = append(out, r)
		}
	}
	return out
}
