// Package provider is what payments needs of a payment provider: five verbs and a way to
// read its notifications. Adapters translate a provider's words into these.
//
// Every verb is idempotent by its key: repeated with the same key it does nothing more and
// says what came of the first time. An error that is ErrNotDone says for certain that
// nothing was done. Any other error is unknown: it may have been done, and is settled by
// repeating the key.
package provider

import (
	"context"
	"errors"

	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// What a provider's errors say.
var (
	// ErrNotDone says that nothing was done: the request never left, or was turned away.
	ErrNotDone = errors.New("the provider has not done it")
	// ErrNoCharge says that the provider knows no charge with the key. That proves nothing of
	// a request that may still be on its way.
	ErrNoCharge = errors.New("the provider knows no such charge")
	// ErrSignature says that a notification was not the provider's.
	ErrSignature = errors.New("the notification is not signed by the provider")
)

// Provider moves money. It may be used by many goroutines.
type Provider interface {
	// Name is the provider's, in the address that it sends notifications to.
	Name() string
	// Methods are the ways to pay, the usual one first.
	Methods() []Method

	// Authorise reserves an amount: Done, Declined, Action or Pending; Gone if it was voided
	// before it came.
	Authorise(ctx context.Context, c Charge) (Outcome, error)
	// Capture takes a reserved amount: Done, or Declined for good.
	Capture(ctx context.Context, c Capture) (Outcome, error)
	// Void gives up the charge, whatever has become of it, also one that never arrived, which
	// is then refused when it does. Done, or Taken when it was captured and must be refunded.
	Void(ctx context.Context, charge string) (Outcome, error)
	// Refund gives back some of what was captured: Done, Declined for good, or Pending.
	Refund(ctx context.Context, r Refund) (Outcome, error)
	// Lookup says where a charge stands: Done when authorised, Declined, Action, Pending,
	// Taken or Gone; ErrNoCharge.
	Lookup(ctx context.Context, charge string) (Outcome, error)

	// Notification reads what the provider sent of its own accord; ErrSignature if it was not
	// the provider who sent it. It only says where to look.
	Notification(ctx context.Context, body []byte, signature string) (Notification, error)
}

// Method is a way to pay.
type Method struct {
	ID, Label, Help string
}

// Charge is an amount to reserve.
type Charge struct {
	Key       string
	Method    string
	Amount    money.Money
	ReturnURL string     // where the buyer goes after approving
	Until     clock.Time // no outcome is wanted later than this; zero for whenever
}

// Capture takes what a charge has reserved.
type Capture struct {
	Key    string
	Charge string
	Amount money.Money
}

// Refund gives back some of what a charge has taken.
type Refund struct {
	Key    string
	Charge string
	Amount money.Money
}

// State is what came of something.
type State string

// What can come of it.
const (
	Done     State = "done"
	Declined State = "declined" // for good; Reason says why
	Action   State = "action"   // the buyer must approve at URL, until Until
	Pending  State = "pending"  // the provider will say later, until Until
	Taken    State = "taken"    // the charge was captured
	Gone     State = "gone"     // the charge was voided
)

// Outcome is a provider's answer.
type Outcome struct {
	State  State
	Reason string // for the buyer, when declined
	URL    string
	Until  clock.Time
}

// Notification says that something has become of a charge.
type Notification struct {
	ID     string // the same each time that it is sent
	Charge string
}
