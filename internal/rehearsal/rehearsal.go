// Package rehearsal checks a whole marketplace: it asks every module for its facts, through
// the contracts, and compares them with each other. It opens nobody's tables, so that it
// works the same on one process, on many, and on a folder at rest.
//
// What one module can see of itself it checks itself (stock adds up, the ledger sums to
// zero) and reports as problems; here are the promises that span modules.
package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/search"
)

// Services are the modules of a marketplace.
type Services struct {
	Accounts accounts.Service
	Catalog  catalog.Service
	Search   search.Service
	Cart     cart.Service
	Payments payments.Service
	Orders   orders.Service
}

// Options say how to check.
type Options struct {
	// Running says that the marketplace is at work while it is checked: what looks
	// broken may only be between two steps, and counts when it is still there after
	// the deadline of its saga, on another reading.
	Running bool
	Now     func() clock.Time                          // default: clock.Now
	Wait    func(context.Context, time.Duration) error // default: a timer; tests hand in their own
	// Patience bounds how long suspects are waited for; those still there then are reported
	// as unsettled. Default: 2 minutes.
	Patience time.Duration
}

// Report is the result of a check.
type Report struct {
	At         clock.Time        `json:"at"`
	Readings   int               `json:"readings"`
	Invariants []InvariantReport `json:"invariants"`
	Counts     Counts            `json:"counts"`
}

// Counts says how much was compared, so that "nothing broken" is not "nothing there".
type Counts struct {
	Orders       int64 `json:"orders"`
	Payments     int64 `json:"payments"`
	Reservations int64 `json:"reservations"`
	Claims       int64 `json:"claims"`
	Listings     int64 `json:"listings"`
	Subscribers  int64 `json:"subscribers"`
}

// InvariantReport is how one invariant fared.
type InvariantReport struct {
	Name      string          `json:"name"`
	Says      string          `json:"says"`   // the promise, in a sentence
	Broken    int64           `json:"broken"` // how many times
	First     []audit.Problem `json:"first"`  // the first few
	Unsettled bool            `json:"unsettled"`
}

// Sound says that nothing is broken.
func (r Report) Sound() bool {
	return !slices.ContainsFunc(r.Invariants, func(i InvariantReport) bool { return i.Broken > 0 })
}

// The invariants that span modules. Those within a module carry the names it gives them.
const (
	PlacedIsPaid      = "orders.placed_is_paid"
	PaidIsPlaced      = "payments.belongs_to_order"
	RefundsAgree      = "orders.refunds_agree"
	HoldsHaveOwners   = "catalog.holds_have_owners"
	ClaimsHaveOwners  = "cart.claims_have_owners"
	SagasGoOn         = "orders.sagas_finish_or_resume"
	EventsAccounted   = "events.every_position_accounted_for"
	EventsOfSameEpoch = "events.cursors_match_their_log"
)

var promises = map[string]string{
	PlacedIsPaid:      "a placed order has exactly one payment of its own, of its total",
	PaidIsPlaced:      "money authorised or captured belongs to a placed order, or to a checkout that explains it",
	RefundsAgree:      "an order's refunds and its payment's agree",
	HoldsHaveOwners:   "goods held or set aside belong to an order that still wants them",
	ClaimsHaveOwners:  "a claimed cart belongs to a checkout that is still under way",
	SagasGoOn:         "every checkout is finished, or will go on by itself",
	EventsAccounted:   "events applied, skipped and parked account for every position passed",
	EventsOfSameEpoch: "every subscriber stands within the log that it follows",
}

// maxShown is how many problems of one invariant are kept.
const maxShown = 5

// Verify reads the facts of all modules and compares them. On a running marketplace it
// reads again while there are suspects, until their deadlines have passed.
func Verify(ctx context.Context, s Services, o Options) (Report, error) {
	if o.Now == nil {
		o.Now = clock.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Minute
	}
	began := o.Now()
	found, err := read(ctx, s, o.Now())
	if err != nil {
		return Report{}, err
	}
	readings := 1
	suspects := found.suspects
	pause := 50 * time.Millisecond
	for o.Running && len(suspects) > 0 {
		now := o.Now()
		if readings > 1 && allDue(suspects, now) || now.Sub(began) >= o.Patience {
			break
		}
		if err := o.Wait(ctx, pause); err != nil {
			return Report{}, err
		}
		pause = min(2*pause, 5*time.Second)
		if found, err = read(ctx, s, o.Now()); err != nil {
			return Report{}, err
		}
		readings++
		suspects = still(suspects, found.suspects)
	}
	return report(found, suspects, readings, o.Now()), nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("verify: %w", context.Cause(ctx))
	case <-t.C:
		return nil
	}
}

// suspect is something that looks broken.
type suspect struct {
	audit.Problem
	due clock.Time // until when a saga may still mend it
}

func (s suspect) name() string { return s.Invariant + " " + strings.Join(s.Subjects, " ") }

// still are the suspects of before that are there again, as they look now.
func still(before, now []suspect) []suspect {
	seen := make(map[string]bool, len(before))
	for _, s := range before {
		seen[s.name()] = true
	}
	return slices.DeleteFunc(slices.Clone(now), func(s suspect) bool { return !seen[s.name()] })
}

func allDue(suspects []suspect, now clock.Time) bool {
	return !slices.ContainsFunc(suspects, func(s suspect) bool { return now.Before(s.due) })
}

// report groups suspects by invariant, every invariant listed, the broken ones first.
func report(f facts, suspects []suspect, readings int, now clock.Time) Report {
	by := map[string]*InvariantReport{}
	for name, says := range promises {
		by[name] = &InvariantReport{Name: name, Says: says, First: []audit.Problem{}}
	}
	for _, s := range suspects {
		i := by[s.Invariant]
		if i == nil {
			i = &InvariantReport{Name: s.Invariant, Says: "a module's own check"}
			by[s.Invariant] = i
		}
		i.Broken++
		i.Unsettled = i.Unsettled || now.Before(s.due)
		if len(i.First) < maxShown {
			i.First = append(i.First, s.Problem)
		}
	}
	r := Report{At: now, Readings: readings, Counts: f.counts}
	for _, i := range by {
		r.Invariants = append(r.Invariants, *i)
	}
	slices.SortFunc(r.Invariants, func(a, b InvariantReport) int {
		if (a.Broken > 0) != (b.Broken > 0) {
			if a.Broken > 0 {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return r
}
