// Package rehearsal checks a whole marketplace: it asks every module for its facts, through
// the contracts, and compares them with each other. It opens nobody's tables, so that it
// works the same on one process, on many, and on a folder at rest.
//
// What one module can see of itself it checks itself (stock adds up, the ledger sums to
// zero) and reports as problems; here are the promises that span modules.
//
// Modules are read one after the other while the marketplace goes on, so that one reading
// proves nothing: what looks broken may only be between two steps. It is a suspect, and counts
// once it was seen twice and the deadline of the saga that could mend it has passed.
// What must not be seen in the wrong order even twice is read in the right one: see read.
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
	// Running says that the marketplace is at work while it is checked. Otherwise nothing
	// moves, and one reading is enough.
	Running bool
	Now     func() clock.Time                          // default: clock.Now
	Wait    func(context.Context, time.Duration) error // default: a timer; tests hand in their own
	// Patience bounds how long suspects are waited for; those whose deadline has not passed
	// by then are reported as unsettled. There are two readings at least, however long
	// they take. Default: 2 minutes.
	Patience time.Duration
}

// Report is the result of a check.
type Report struct {
	At         clock.Time        `json:"at"` // when the last reading began
	Readings   int               `json:"readings"`
	Invariants []InvariantReport `json:"invariants"`
	Counts     Counts            `json:"counts"`
}

// Counts says how much was compared, so that "nothing broken" is not "nothing there", and
// what is not broken but wants someone's attention.
type Counts struct {
	Orders       int64 `json:"orders"`
	Payments     int64 `json:"payments"`
	Reservations int64 `json:"reservations"`
	Claims       int64 `json:"claims"`
	Listings     int64 `json:"listings"`
	Subscribers  int64 `json:"subscribers"`
	Unfinished   int64 `json:"unfinished"` // checkouts under way
	Overdue      int64 `json:"overdue"`    // of these, those past their deadline and not yet placed or undone
	Cases        int64 `json:"cases"`      // checkouts that stopped for someone to decide
	Refused      int64 `json:"refused"`    // orders of which the provider would not pay something back
	Parked       int64 `json:"parked"`     // events
	DeadJobs     int64 `json:"dead_jobs"`
}

// InvariantReport is how one invariant fared.
type InvariantReport struct {
	Name      string          `json:"name"`
	Says      string          `json:"says"`      // the promise, in a sentence
	Broken    int64           `json:"broken"`    // how many times
	Unsettled int64           `json:"unsettled"` // how many more times it looks broken, while a saga may still mend it
	More      bool            `json:"more"`      // there were more than are counted here
	First     []audit.Problem `json:"first"`     // the first few, broken ones first
}

// Sound says that nothing is broken. What is unsettled is not broken.
func (r Report) Sound() bool {
	return !slices.ContainsFunc(r.Invariants, func(i InvariantReport) bool { return i.Broken > 0 })
}

// The invariants that span modules. Those within a module carry the names it gives them.
const (
	PlacedIsPaid      = "orders.placed_is_paid"
	PaidIsPlaced      = "payments.belongs_to_order"
	RefundsAgree      = "orders.refunds_agree"
	HoldsHaveOwners   = "catalog.holds_have_owners"
	GoodsAreSetAside  = "orders.goods_are_set_aside"
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
	GoodsAreSetAside:  "what a placed order still has to ship is set aside for it",
	ClaimsHaveOwners:  "a claimed cart belongs to a checkout that is still under way",
	SagasGoOn:         "every checkout is finished, or will go on by itself",
	EventsAccounted:   "events applied, skipped and parked account for every position passed",
	EventsOfSameEpoch: "every subscriber stands within the log that it follows",
}

// The pauses between readings of a running marketplace: they grow, and are never shorter than
// a reading takes, so that checking takes at most half of one core.
const (
	firstPause = 50 * time.Millisecond
	mostPause  = 5 * time.Second
)

// Verify reads the facts of all modules and compares them. On a running marketplace it reads
// again while there are suspects, until their deadlines have passed.
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
	found, err := read(ctx, s, &reading{at: o.Now(), running: o.Running})
	if err != nil {
		return Report{}, err
	}
	began, readings := found.at, 1
	for pause := firstPause; o.Running && len(found.kept) > 0; pause = min(2*pause, mostPause) {
		if readings > 1 && (found.settled() || found.at.Sub(began) >= o.Patience) {
			break
		}
		if err := o.Wait(ctx, max(pause, o.Now().Sub(found.at))); err != nil {
			return Report{}, err
		}
		again, err := read(ctx, s, &reading{at: o.Now(), running: true, before: found.standings})
		if err != nil {
			return Report{}, err
		}
		again.onlyThoseOf(found.suspects)
		found = again
		readings++
	}
	return report(found, readings), nil
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

// maxShown is how many problems of one invariant are kept in a report.
const maxShown = 5

// report groups what is left by invariant, every invariant listed, the broken ones first.
func report(f *reading, readings int) Report {
	by := map[string]*InvariantReport{}
	for name, says := range Promises() {
		by[name] = &InvariantReport{Name: name, Says: says, First: []audit.Problem{}}
	}
	// At rest no saga will mend anything: what it may not be while souk works, it is.
	broken := func(s suspect) bool { return !f.running || !f.at.Before(s.due) }
	slices.SortStableFunc(f.kept, func(a, b suspect) int { return order(!broken(a), !broken(b)) })
	for _, s := range f.kept {
		i := by[s.Invariant]
		if i == nil {
			i = &InvariantReport{Name: s.Invariant, Says: "a module's own check", First: []audit.Problem{}}
			by[s.Invariant] = i
		}
		if broken(s) {
			i.Broken++
		} else {
			i.Unsettled++
		}
		i.More = f.found[s.Invariant] > maxKept
		if len(i.First) < maxShown {
			i.First = append(i.First, s.Problem)
		}
	}
	r := Report{At: f.at, Readings: readings, Counts: f.counts}
	for _, i := range by {
		r.Invariants = append(r.Invariants, *i)
	}
	slices.SortFunc(r.Invariants, func(a, b InvariantReport) int {
		if o := order(a.Broken == 0, b.Broken == 0); o != 0 {
			return o
		}
		if o := order(a.Unsettled == 0, b.Unsettled == 0); o != 0 {
			return o
		}
		return strings.Compare(a.Name, b.Name)
	})
	return r
}

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
