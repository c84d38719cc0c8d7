package rehearsal

import (
	"context"
	"fmt"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

// pageSize is how many facts are asked for at a time.
const pageSize = 200

// facts is one reading of all modules.
type facts struct {
	counts   Counts
	suspects []suspect
}

func (f *facts) add(due clock.Time, invariant, detail string, subjects ...string) {
	f.suspects = append(f.suspects, suspect{
		Problem: audit.Problem{Invariant: invariant, Subjects: subjects, Detail: detail}, due: due,
	})
}

// own takes over what a module found wrong within itself.
func (f *facts) own(problems []audit.Problem) {
	for _, p := range problems {
		f.suspects = append(f.suspects, suspect{Problem: p})
	}
}

// read asks every module. Holds and claims are read before orders: what an order has let go
// of in between is then no suspect, and what is held by an order that is not there is.
func read(ctx context.Context, s Services, now clock.Time) (facts, error) {
	var f facts
	standings := map[bus.Log]audit.Standing{}
	var reservations []catalog.Reservation
	err := pages(ctx, "catalog", func(r audit.Request) (string, error) {
		reply, err := s.Catalog.Audit(ctx, r)
		if err != nil {
			return "", err
		}
		if r.Cursor == "" {
			f.own(reply.Problems)
			standings[catalog.Log] = reply.Standing
		}
		reservations = append(reservations, reply.Reservations...)
		return reply.Next, nil
	})
	if err != nil {
		return f, err
	}
	var claims []cart.ClaimFact
	err = pages(ctx, "cart", func(r audit.Request) (string, error) {
		reply, err := s.Cart.Audit(ctx, r)
		if err != nil {
			return "", err
		}
		if r.Cursor == "" {
			f.own(reply.Problems)
			standings[cart.Log] = reply.Standing
		}
		claims = append(claims, reply.Claims...)
		return reply.Next, nil
	})
	if err != nil {
		return f, err
	}
	f.counts.Reservations, f.counts.Claims = int64(len(reservations)), int64(len(claims))

	// Only the orders that something is compared with by id are kept whole.
	wanted := map[id.Ref]*orders.OrderFact{}
	for _, r := range reservations {
		wanted[r.For] = nil
	}
	for _, c := range claims {
		wanted[c.Order] = nil
	}
	known := map[id.Ref]bool{}
	err = pages(ctx, "orders", func(r audit.Request) (string, error) {
		reply, err := s.Orders.Audit(ctx, r)
		if err != nil {
			return "", err
		}
		if r.Cursor == "" {
			f.own(reply.Problems)
			standings[orders.Log] = reply.Standing
		}
		for _, o := range reply.Orders {
			ref := id.RefOf(o.ID)
			known[ref] = true
			if _, ok := wanted[ref]; ok {
				wanted[ref] = &o
			}
			f.saga(o, now)
		}
		f.counts.Orders += int64(len(reply.Orders))
		return reply.Next, f.compareOrders(ctx, s.Payments, reply.Orders)
	})
	if err != nil {
		return f, err
	}
	err = pages(ctx, "payments", func(r audit.Request) (string, error) {
		reply, err := s.Payments.Audit(ctx, r)
		if err != nil {
			return "", err
		}
		if r.Cursor == "" {
			f.own(reply.Problems)
			standings[payments.Log] = reply.Standing
		}
		for _, p := range reply.Payments {
			if !known[p.Order] {
				// The order may have been made after orders were read.
				f.add(now, PaidIsPlaced, "there is no such order", string(p.ID), string(p.Order))
			}
		}
		f.counts.Payments += int64(len(reply.Payments))
		return reply.Next, nil
	})
	if err != nil {
		return f, err
	}
	f.compareHolds(reservations, wanted)
	f.compareClaims(claims, wanted)
	return f, f.readRest(ctx, s, standings)
}

// readRest reads the modules whose facts are compared with no other's, and the events of all.
func (f *facts) readRest(ctx context.Context, s Services, standings map[bus.Log]audit.Standing) error {
	a, err := s.Accounts.Audit(ctx, audit.Request{Limit: pageSize})
	if err != nil {
		return fmt.Errorf("ask accounts: %w", err)
	}
	f.own(a.Problems)
	standings["accounts"] = a.Standing
	found, err := s.Search.Audit(ctx, audit.Request{Limit: pageSize})
	if err != nil {
		return fmt.Errorf("ask search: %w", err)
	}
	f.own(found.Problems)
	f.counts.Listings = found.Listings
	standings["search"] = found.Standing
	f.compareEvents(standings)
	return nil
}

// pages calls ask with one cursor after another until there is no next.
func pages(ctx context.Context, module string, ask func(audit.Request) (next string, err error)) error {
	r := audit.Request{Limit: pageSize}
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("ask %s: %w", module, err)
		}
		next, err := ask(r)
		if err != nil {
			return fmt.Errorf("ask %s: %w", module, err)
		}
		if next == "" {
			return nil
		}
		r.Cursor = next
	}
}
