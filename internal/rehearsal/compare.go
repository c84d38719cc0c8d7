package rehearsal

import (
	"context"
	"fmt"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

// unfinished says that a saga may still change what is seen of an order.
func unfinished(o orders.OrderFact) bool {
	return o.Saga != orders.SagaFinished && o.Saga != orders.SagaCase
}

// saga checks that an unfinished checkout has something that will go on with it.
func (f *facts) saga(o orders.OrderFact, now clock.Time) {
	switch {
	case !unfinished(o):
		if o.Status == orders.StatusPending {
			f.add(0, SagasGoOn, "its saga is finished, but it is still pending", string(o.ID))
		}
	case o.Due.IsZero():
		f.add(now, SagasGoOn, fmt.Sprintf("it is %s at step %q, and no job goes on with it", o.Saga, o.Step), string(o.ID))
	}
}

// compareOrders compares a page of orders with their payments.
func (f *facts) compareOrders(ctx context.Context, ask payments.Service, page []orders.OrderFact) error {
	if len(page) == 0 {
		return nil
	}
	refs := make([]id.Ref, len(page))
	for i, o := range page {
		refs[i] = id.RefOf(o.ID)
	}
	reply, err := ask.GetPayments(ctx, payments.GetPaymentsRequest{By: actor.System(""), Orders: refs})
	if err != nil {
		return fmt.Errorf("ask payments for %d orders: %w", len(refs), err)
	}
	by := map[id.Ref][]payments.Payment{}
	for _, p := range reply.Payments {
		by[p.Order] = append(by[p.Order], p)
	}
	for _, o := range page {
		f.compareOrder(o, by[id.RefOf(o.ID)])
	}
	return nil
}

// good says that a payment stands for an agreed order.
func good(p payments.Payment) bool {
	switch p.Status {
	case payments.StatusAuthorised, payments.StatusCaptured, payments.StatusNothingDue:
		return true
	default:
		return false
	}
}

func (f *facts) compareOrder(o orders.OrderFact, paid []payments.Payment) {
	var due clock.Time
	if unfinished(o) {
		due = max(o.Deadline, 1)
	}
	var live []payments.Payment
	for _, p := range paid {
		if good(p) {
			live = append(live, p)
		}
	}
	if o.Saga == orders.SagaCase {
		return // the money is in dispute with the provider, and someone is looking
	}
	switch o.Status {
	case orders.StatusPlaced, orders.StatusCompleted:
		f.comparePlaced(o, live, due)
	default:
		for _, p := range live {
			// Money that came after its order had ended is on its way back while it is undone.
			if due.IsZero() && p.Refunded != p.Captured && !p.Undone {
				f.add(due, PaidIsPlaced, fmt.Sprintf("the order is %s, its payment %s", o.Status, p.Status), string(o.ID), string(p.ID))
			}
		}
	}
}

func (f *facts) comparePlaced(o orders.OrderFact, live []payments.Payment, due clock.Time) {
	if len(live) != 1 {
		f.add(due, PlacedIsPaid, fmt.Sprintf("it is %s and has %d payments", o.Status, len(live)), string(o.ID))
		return
	}
	p := live[0]
	if p.ID != o.Payment || p.Amount != o.Total {
		f.add(due, PlacedIsPaid, fmt.Sprintf("it is of %s and its payment %s of %s", o.Total, p.ID, p.Amount), string(o.ID), string(p.ID))
	}
	if due.IsZero() && o.Saga == orders.SagaFinished && p.Status == payments.StatusAuthorised {
		f.add(due, PlacedIsPaid, "its checkout is finished and its payment not captured", string(o.ID), string(p.ID))
	}
	if p.Refunded.Minor > o.Refunded.Minor {
		f.add(due, RefundsAgree, fmt.Sprintf("%s was refunded, and the order knows of %s", p.Refunded, o.Refunded), string(o.ID), string(p.ID))
	}
}

// compareHolds checks that goods held or set aside have an order that wants them.
func (f *facts) compareHolds(reservations []catalog.Reservation, wanted map[id.Ref]*orders.OrderFact) {
	for _, r := range reservations {
		o := wanted[r.For]
		switch {
		case o == nil:
			f.add(r.Until, HoldsHaveOwners, "there is no such order", r.Key, string(r.For))
		case unfinished(*o), o.Saga == orders.SagaCase, !o.Due.IsZero():
			// Its saga explains it, or the job that goes on with it.
		case r.Status == catalog.ReservationAllocated && o.Status == orders.StatusPlaced:
			var pieces int64
			for _, item := range r.Items {
				pieces += item.Quantity
			}
			if pieces != o.ToShip {
				f.add(o.Deadline, HoldsHaveOwners, fmt.Sprintf("%d pieces are set aside and %d are to ship", pieces, o.ToShip), r.Key, string(o.ID))
			}
		default:
			f.add(r.Until, HoldsHaveOwners, fmt.Sprintf("the order is %s, the goods are %s", o.Status, r.Status), r.Key, string(o.ID))
		}
	}
}

// compareClaims checks that claimed carts have a checkout.
func (f *facts) compareClaims(claims []cart.ClaimFact, wanted map[id.Ref]*orders.OrderFact) {
	for _, c := range claims {
		o := wanted[c.Order]
		if o == nil || !unfinished(*o) {
			f.add(0, ClaimsHaveOwners, "its checkout is over, or never was", string(c.Cart), c.Key, string(c.Order))
		}
	}
}

// compareEvents checks each subscriber's arithmetic, and its place in the log that it follows.
func (f *facts) compareEvents(standings map[bus.Log]audit.Standing) {
	for module, s := range standings {
		for _, c := range s.Cursors {
			f.counts.Subscribers++
			if c.Position-c.Start != c.Applied+c.Skipped+c.Parked {
				f.add(0, EventsAccounted, fmt.Sprintf("from %d to %d it applied %d, skipped %d and parked %d",
					c.Start, c.Position, c.Applied, c.Skipped, c.Parked), c.Subscriber)
			}
			log, ok := standings[bus.Log(c.Log)]
			switch {
			case !ok:
				f.add(0, EventsOfSameEpoch, fmt.Sprintf("%s follows %s, which nobody keeps", module, c.Log), c.Subscriber)
			case c.Epoch != log.Epoch && c.Position > 0:
				f.add(0, EventsOfSameEpoch, "its cursor is of another epoch of the log", c.Subscriber)
			case c.Position > log.Head && c.Epoch == log.Epoch:
				// Modules are read one after the other: on a running system the head was older.
				f.add(0, EventsOfSameEpoch, fmt.Sprintf("it stands at %d, the log ends at %d", c.Position, log.Head), c.Subscriber)
			case c.Position < log.Trimmed:
				f.add(0, EventsOfSameEpoch, fmt.Sprintf("it stands at %d, the log begins after %d", c.Position, log.Trimmed), c.Subscriber)
			}
		}
	}
}
