package rehearsal

import (
	"fmt"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
)

// unfinished says that a saga may still change what is seen of an order.
func unfinished(o orders.OrderFact) bool {
	return o.Saga != orders.SagaFinished && o.Saga != orders.SagaCase
}

// agreed says that an order was placed.
func agreed(o orders.OrderFact) bool {
	return o.Status == orders.StatusPlaced || o.Status == orders.StatusCompleted
}

// compareSaga checks that an unfinished checkout has something that will go on with it, and
// that the order is where its saga says.
func (f *reading) compareSaga(o orders.OrderFact) {
	if o.Saga == orders.SagaCase {
		f.counts.Cases++
	}
	if unfinished(o) {
		f.counts.Unfinished++
		if !agreed(o) && !f.at.Before(o.Deadline) {
			f.counts.Overdue++
		}
		if o.Due.IsZero() {
			f.add(0, SagasGoOn, fmt.Sprintf("it is %s at step %q, and no job goes on with it", o.Saga, o.Step), string(o.ID))
		}
	}
	fits := false
	switch o.Saga {
	case orders.SagaRunning, orders.SagaParked, orders.SagaUndoing:
		fits = o.Status == orders.StatusPending
	case orders.SagaForward, orders.SagaCase:
		fits = agreed(o)
	case orders.SagaFinished:
		fits = o.Status != orders.StatusPending
	}
	if !fits {
		f.add(0, SagasGoOn, fmt.Sprintf("its saga is %s, but the order is %s", o.Saga, o.Status), string(o.ID))
	}
}

// stands says that a payment has come to something, or still may: it was not given up.
func stands(p paid) bool {
	return !p.Undone && p.Status != payments.StatusDeclined && p.Status != payments.StatusVoided
}

// comparePayments checks that an order and the money for it belong to each other.
func (f *reading) comparePayments(o orders.OrderFact, all []paid) {
	var live []paid
	for _, p := range all {
		if stands(p) {
			live = append(live, p)
		}
	}
	switch {
	case o.Saga == orders.SagaCase:
		// The money is in dispute with the provider, and someone is looking.
	case agreed(o):
		f.comparePlaced(o, live)
	case unfinished(o):
		// Its saga explains what was taken so far, and compareSaga that it goes on.
	default:
		// What came after the order had ended is undone, and payments sees to its return.
		for _, p := range live {
			if p.Status != payments.StatusCaptured || p.Refunded != p.Captured {
				f.add(0, PaidIsPlaced, fmt.Sprintf("the order is %s, its payment %s", o.Status, p.Status), string(p.ID), string(o.ID))
			}
		}
	}
}

func (f *reading) comparePlaced(o orders.OrderFact, live []paid) {
	var due clock.Time
	if unfinished(o) {
		due = o.Deadline
	}
	wrong := func(invariant, detail string, args ...any) {
		f.add(due, invariant, fmt.Sprintf(detail, args...), string(o.ID))
	}
	if len(live) != 1 {
		wrong(PlacedIsPaid, "it is %s and has %d payments", o.Status, len(live))
		return
	}
	p := live[0]
	switch {
	case p.ID != o.Payment || p.Amount != o.Total:
		wrong(PlacedIsPaid, "it is of %s paid by %q, its payment is %s of %s", o.Total, o.Payment, p.ID, p.Amount)
	case p.Status == payments.StatusCaptured && p.Captured != o.Total:
		wrong(PlacedIsPaid, "it is of %s, and %s were captured", o.Total, p.Captured)
	case p.Status == payments.StatusCaptured, p.Status == payments.StatusNothingDue && o.Total.IsZero():
	case p.Status == payments.StatusAuthorised && unfinished(o):
	default:
		wrong(PlacedIsPaid, "its saga is %s, and its payment %s is %s", o.Saga, p.ID, p.Status)
	}
	f.compareRefunds(o, max(p.asked, p.Refunded.Minor), p.refused, wrong)
}

// compareRefunds: an order promises a refund, and a job asks payments for it. What the provider
// has refused to pay back was asked for, and is for someone to look at.
func (f *reading) compareRefunds(o orders.OrderFact, asked, refused int64, wrong func(invariant, detail string, args ...any)) {
	if refused > 0 {
		f.counts.Refused++
	}
	switch {
	case asked > o.Refunded.Minor:
		wrong(RefundsAgree, "%d are refunded or will be, the order knows of %s", asked, o.Refunded)
	case asked+refused < o.Refunded.Minor && o.Due.IsZero():
		wrong(RefundsAgree, "the order promises %s, only %d are refunded or will be, and no job sees to the rest", o.Refunded, asked)
	}
}

// explained says that a saga, or the job of a parcel or a refund, is under way with an order, or that
// it is a case: what it holds meanwhile may differ from what it wants.
func explained(o orders.OrderFact) bool {
	return unfinished(o) || o.Saga == orders.SagaCase || !o.Due.IsZero()
}

// compareHolds checks that goods held or set aside for an order are those that it wants.
func (f *reading) compareHolds(o orders.OrderFact, held []catalog.Reservation) {
	if explained(o) {
		return
	}
	var aside int64
	for _, h := range held {
		var pieces int64
		for _, item := range h.Items {
			pieces += item.Quantity
		}
		switch {
		case h.Key != o.Reservation:
			f.add(0, HoldsHaveOwners, "goods are held for it that its checkout did not reserve", string(o.ID))
		case h.Status != catalog.ReservationAllocated:
			f.add(0, HoldsHaveOwners, fmt.Sprintf("it is %s, and %d pieces are still reserved", o.Status, pieces), string(o.ID))
		case o.Status != orders.StatusPlaced:
			f.add(0, HoldsHaveOwners, fmt.Sprintf("it is %s, and %d pieces are still set aside", o.Status, pieces), string(o.ID))
		default:
			aside += pieces
		}
	}
	if o.Status == orders.StatusPlaced && aside != o.ToShip && !f.since(o.CreatedAt) {
		f.add(0, GoodsAreSetAside, fmt.Sprintf("%d pieces are to ship, %d are set aside", o.ToShip, aside), string(o.ID))
	}
}

// compareClaims checks that claimed carts have a checkout that made the claim and goes on.
func (f *reading) compareClaims() {
	for order, c := range f.claims {
		for _, claim := range c.by {
			switch {
			case c.order == nil:
				f.add(0, ClaimsHaveOwners, "there is no such order", claim.Key, string(claim.Cart), string(order))
			case !unfinished(*c.order):
				f.add(0, ClaimsHaveOwners, fmt.Sprintf("its checkout is over, the order is %s", c.order.Status), claim.Key, string(claim.Cart), string(order))
			case c.order.Claim != claim.Key:
				f.add(0, ClaimsHaveOwners, "its checkout has made another claim", claim.Key, string(claim.Cart), string(order))
			}
		}
	}
}

// compareEvents checks each subscriber's arithmetic, and its place in the log that it follows.
// Subscriber and log are not read at the same moment. So where the subscriber stood in the
// reading before is compared with where the log ends now, and where it stands now with
// where the log began in the reading before: both are in order, whichever was read first.
func (f *reading) compareEvents() {
	for module, s := range f.standings {
		stood := map[string]int64{}
		for _, c := range f.before[module].Cursors {
			stood[c.Subscriber] = c.Position
		}
		for _, c := range s.Cursors {
			f.counts.Subscribers++
			f.counts.Parked += c.Parked
			if c.Position-c.Start != c.Applied+c.Skipped+c.Parked || min(c.Applied, c.Skipped, c.Parked) < 0 {
				f.add(0, EventsAccounted, fmt.Sprintf("from %d to %d it applied %d, skipped %d and parked %d",
					c.Start, c.Position, c.Applied, c.Skipped, c.Parked), c.Subscriber)
			}
			position, ok := stood[c.Subscriber]
			if !ok || c.Position < position { // put back meanwhile
				position = c.Position
			}
			f.comparePlace(c, position)
		}
	}
}

// comparePlace checks c, which stood at position a while ago, against its log.
func (f *reading) comparePlace(c audit.Cursor, position int64) {
	log, ok := f.standings[bus.Log(c.Log)]
	trimmed := log.Trimmed
	if before, ok := f.before[bus.Log(c.Log)]; ok && before.Epoch == log.Epoch {
		trimmed = before.Trimmed
	}
	switch {
	case !ok:
		f.add(0, EventsOfSameEpoch, fmt.Sprintf("it follows %s, which nobody keeps", c.Log), c.Subscriber)
	case c.Epoch == "":
		// It has not begun.
	case c.Epoch != log.Epoch:
		f.add(0, EventsOfSameEpoch, fmt.Sprintf("its cursor is of another epoch of the log %s", c.Log), c.Subscriber)
	case position > log.Head:
		f.add(0, EventsOfSameEpoch, fmt.Sprintf("it stands at %d, the log %s ends at %d", position, c.Log, log.Head), c.Subscriber)
	case c.Position < trimmed:
		f.add(0, EventsOfSameEpoch, fmt.Sprintf("it stands at %d, the log %s begins after %d", c.Position, c.Log, trimmed), c.Subscriber)
	}
}
