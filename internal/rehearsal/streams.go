package rehearsal

import (
	"context"
	"fmt"
	"strings"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/id"
)

// stream is the facts of a module, one after the other; no more than a page of them is held.
type stream[F any] struct {
	// next asks for a page, in the order of the facts.
	next  func(ctx context.Context, r audit.Request) (facts []F, cursor string, err error)
	page  []F
	ask   audit.Request
	begun bool
}

func newStream[F any](next func(context.Context, audit.Request) ([]F, string, error)) *stream[F] {
	return &stream[F]{next: next, ask: audit.Request{Limit: pageSize}}
}

// peek is the next fact, nil at the end.
func (s *stream[F]) peek(ctx context.Context) (*F, error) {
	for len(s.page) == 0 && (!s.begun || s.ask.Cursor != "") {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var err error
		if s.page, s.ask.Cursor, err = s.next(ctx, s.ask); err != nil {
			return nil, err
		}
		s.begun = true
	}
	if len(s.page) == 0 {
		return nil, nil //nolint:nilnil // the end, of which there is nothing to say
	}
	return &s.page[0], nil
}

func (s *stream[F]) pop() { s.page = s.page[1:] }

// paid is a payment with what of it was asked back, and what of that was refused, in minor units.
type paid struct {
	payments.Payment
	asked, refused int64
}

// merge goes through orders, payments and reservations at the same time, each in the order of the
// orders' ids, and compares those of one order with each other.
func (f *reading) merge(ctx context.Context, s Services) error {
	held, all, money := f.holds(s.Catalog), f.orders(s.Orders), f.payments(s.Payments)
	if _, err := held.peek(ctx); err != nil {
		return err
	}
	for {
		o, err := all.peek(ctx)
		if err != nil {
			return err
		}
		holds, err := f.holdsOf(ctx, held, o)
		if err != nil {
			return err
		}
		paid, err := f.paymentsOf(ctx, money, o)
		if err != nil {
			return err
		}
		if o == nil {
			return f.compareStrays(ctx, s.Orders)
		}
		f.compareSaga(*o)
		f.compareHolds(*o, holds)
		if !f.since(o.CreatedAt) { // else its payment may have been read before it was made
			f.comparePayments(*o, paid)
		}
		if c := f.claims[id.RefOf(o.ID)]; c != nil {
			fact := *o
			c.order = &fact
		}
		all.pop()
	}
}

func (f *reading) holds(ask catalog.Service) *stream[catalog.Reservation] {
	return newStream(func(ctx context.Context, r audit.Request) ([]catalog.Reservation, string, error) {
		reply, err := ask.Audit(ctx, r)
		if err != nil {
			return nil, "", fmt.Errorf("ask %s: %w", catalog.Log, err)
		}
		f.took(catalog.Log, r, reply.Problems, reply.Standing)
		f.counts.Reservations += int64(len(reply.Reservations))
		return reply.Reservations, reply.Next, nil
	})
}

func (f *reading) orders(ask orders.Service) *stream[orders.OrderFact] {
	return newStream(func(ctx context.Context, r audit.Request) ([]orders.OrderFact, string, error) {
		reply, err := ask.Audit(ctx, r)
		if err != nil {
			return nil, "", fmt.Errorf("ask %s: %w", orders.Log, err)
		}
		f.took(orders.Log, r, reply.Problems, reply.Standing)
		f.counts.Orders += int64(len(reply.Orders))
		return reply.Orders, reply.Next, nil
	})
}

func (f *reading) payments(ask payments.Service) *stream[paid] {
	return newStream(func(ctx context.Context, r audit.Request) ([]paid, string, error) {
		reply, err := ask.Audit(ctx, r)
		if err != nil {
			return nil, "", fmt.Errorf("ask %s: %w", payments.Log, err)
		}
		f.took(payments.Log, r, reply.Problems, reply.Standing)
		f.counts.Payments += int64(len(reply.Payments))
		at := make(map[payments.PaymentID]int, len(reply.Payments))
		out := make([]paid, len(reply.Payments))
		for i, p := range reply.Payments {
			out[i].Payment, at[p.ID] = p, i
		}
		for _, refund := range reply.Refunds {
			i, ok := at[refund.Payment]
			switch {
			case !ok:
			case refund.Status == payments.RefundFailed:
				out[i].refused += refund.Amount.Minor
			default:
				out[i].asked += refund.Amount.Minor
			}
		}
		return out, reply.Next, nil
	})
}

// holdsOf takes the reservations of an order, and names those before them, which are of none; with
// nil, all that are left. One whose key does not begin with its order comes out of turn, and is put
// aside.
func (f *reading) holdsOf(ctx context.Context, held *stream[catalog.Reservation], o *orders.OrderFact) ([]catalog.Reservation, error) {
	var own []catalog.Reservation
	for {
		h, err := held.peek(ctx)
		if err != nil || h == nil {
			return own, err
		}
		switch {
		case !strings.HasPrefix(h.Key, string(h.For)+":"):
			if len(f.strays) < maxKept {
				f.strays = append(f.strays, *h)
			}
		case o == nil || h.For < id.RefOf(o.ID):
			f.ownerless(*h)
		case h.For == id.RefOf(o.ID):
			own = append(own, *h)
		default:
			return own, nil
		}
		held.pop()
	}
}

func (f *reading) ownerless(h catalog.Reservation) {
	f.add(0, HoldsHaveOwners, fmt.Sprintf("it is %s, and there is no such order", h.Status), h.Key, string(h.For))
}

// paymentsOf takes the payments of an order, and names those before them, which are of none; with
// nil, all that are left.
func (f *reading) paymentsOf(ctx context.Context, money *stream[paid], o *orders.OrderFact) ([]paid, error) {
	var own []paid
	for {
		p, err := money.peek(ctx)
		if err != nil || p == nil {
			return own, err
		}
		switch {
		case o == nil || p.Order < id.RefOf(o.ID):
			if !f.since(p.CreatedAt) {
				f.add(0, PaidIsPlaced, fmt.Sprintf("it is %s, and there is no such order", p.Status), string(p.ID), string(p.Order))
			}
		case p.Order == id.RefOf(o.ID):
			own = append(own, *p)
		default:
			return own, nil
		}
		money.pop()
	}
}

// compareStrays looks for the orders of the reservations that came out of turn: no checkout has made
// those. There are none, so this second way through the orders is hardly ever gone.
func (f *reading) compareStrays(ctx context.Context, ask orders.Service) error {
	if len(f.strays) == 0 {
		return nil
	}
	of := map[id.Ref][]catalog.Reservation{}
	for _, h := range f.strays {
		of[h.For] = append(of[h.For], h)
	}
	err := pages(ctx, ask.Audit, func(_ audit.Request, reply orders.AuditReply) (string, error) {
		for _, o := range reply.Orders {
			if !explained(o) {
				for range of[id.RefOf(o.ID)] {
					f.add(0, HoldsHaveOwners, "goods are held for it that its checkout did not reserve", string(o.ID))
				}
			}
			delete(of, id.RefOf(o.ID))
		}
		return reply.Next, nil
	})
	for _, left := range of {
		for _, h := range left {
			f.ownerless(h)
		}
	}
	return err
}
