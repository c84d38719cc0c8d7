package rehearsal

import (
	"context"
	"fmt"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/search"
)

// How many facts are asked for at a time (a module may give fewer), and payments by order.
const (
	pageSize  = 1000
	batchSize = 200
)

// reading is all modules read once.
type reading struct {
	at      clock.Time // when it began
	running bool
	before  map[bus.Log]audit.Standing // of the reading before, if there was one

	suspects
	counts    Counts
	standings map[bus.Log]audit.Standing
	holds     holds
	claims    map[id.Ref]*claimed
	orders    ids
}

// claimed is an order that has claimed carts. There are as many as checkouts under way.
type claimed struct {
	by    []cart.ClaimFact
	order *orders.OrderFact // nil while it was not read
}

// settled says that no saga can mend what is left.
func (f *reading) settled() bool {
	for _, s := range f.kept {
		if f.at.Before(s.due) {
			return false
		}
	}
	return true
}

// read asks every module, in an order that keeps what is merely under way from looking broken
// every time:
//
//   - Holds and claims before orders. An order is written down before it holds or claims
//     anything, so what holds for no order is wrong. What an order has let go of in between
//     looks wrong once, and not again.
//   - Each order before its payments, and all orders before all payments. A payment made since
//     the reading began may be of an order made after orders were read, and is left out; so
//     are such orders where goods are looked for.
//   - Subscribers before the logs that they follow, since a log only grows. A place beyond the
//     end is measured with the places of the reading before: see compareEvents.
func read(ctx context.Context, s Services, f *reading) (*reading, error) {
	f.standings, f.claims = map[bus.Log]audit.Standing{}, map[id.Ref]*claimed{}
	for _, step := range []struct {
		log  bus.Log
		read func(context.Context, Services) error
	}{
		{accounts.Log, f.readAccounts},
		{searchLog, f.readSearch},
		{catalog.Log, f.readCatalog},
		{cart.Log, f.readCart},
		{orders.Log, f.readOrders},
		{payments.Log, f.readPayments},
	} {
		if err := step.read(ctx, s); err != nil {
			return nil, fmt.Errorf("ask %s: %w", step.log, err)
		}
	}
	if err := f.nameUnseen(ctx, s.Catalog); err != nil {
		return nil, fmt.Errorf("ask %s: %w", catalog.Log, err)
	}
	f.compareClaims()
	f.compareEvents()
	return f, nil
}

// searchLog is where search stands by its name: it publishes nothing, and follows others.
const searchLog bus.Log = "search"

// first takes what comes with the first page of every module.
func (f *reading) first(log bus.Log, r audit.Request, problems []audit.Problem, s audit.Standing) {
	if r.Cursor == "" {
		f.own(problems)
		f.standings[log] = s
		f.counts.DeadJobs += s.JobsDead
	}
}

func (f *reading) readAccounts(ctx context.Context, s Services) error {
	return pages(ctx, s.Accounts.Audit, func(r audit.Request, reply accounts.AuditReply) (string, error) {
		f.first(accounts.Log, r, reply.Problems, reply.Standing)
		return "", nil
	})
}

func (f *reading) readSearch(ctx context.Context, s Services) error {
	return pages(ctx, s.Search.Audit, func(r audit.Request, reply search.AuditReply) (string, error) {
		f.first(searchLog, r, reply.Problems, reply.Standing)
		f.counts.Listings = reply.Listings
		return "", nil
	})
}

func (f *reading) readCatalog(ctx context.Context, s Services) error {
	err := pages(ctx, s.Catalog.Audit, func(r audit.Request, reply catalog.AuditReply) (string, error) {
		f.first(catalog.Log, r, reply.Problems, reply.Standing)
		for _, one := range reply.Reservations {
			f.holds.add(one)
		}
		return reply.Next, nil
	})
	f.holds.sort()
	f.counts.Reservations = int64(len(f.holds))
	return err
}

func (f *reading) readCart(ctx context.Context, s Services) error {
	return pages(ctx, s.Cart.Audit, func(r audit.Request, reply cart.AuditReply) (string, error) {
		f.first(cart.Log, r, reply.Problems, reply.Standing)
		for _, c := range reply.Claims {
			if f.claims[c.Order] == nil {
				f.claims[c.Order] = &claimed{}
			}
			f.claims[c.Order].by = append(f.claims[c.Order].by, c)
			f.counts.Claims++
		}
		return reply.Next, nil
	})
}

func (f *reading) readOrders(ctx context.Context, s Services) error {
	err := pages(ctx, s.Orders.Audit, func(r audit.Request, reply orders.AuditReply) (string, error) {
		f.first(orders.Log, r, reply.Problems, reply.Standing)
		for i, o := range reply.Orders {
			f.orders.add(hashOf(o.ID))
			if c := f.claims[id.RefOf(o.ID)]; c != nil {
				c.order = &reply.Orders[i]
			}
			f.compareSaga(o)
			f.compareHolds(o)
		}
		f.counts.Orders += int64(len(reply.Orders))
		return reply.Next, f.askPayments(ctx, s.Payments, reply.Orders)
	})
	f.orders.sort()
	return err
}

// askPayments compares a page of orders with their payments.
func (f *reading) askPayments(ctx context.Context, ask payments.Service, page []orders.OrderFact) error {
	for len(page) > 0 {
		batch := page[:min(batchSize, len(page))]
		page = page[len(batch):]
		paid, err := paymentsOf(ctx, ask, batch)
		if err != nil {
			return fmt.Errorf("ask payments for %d orders: %w", len(batch), err)
		}
		for _, o := range batch {
			f.comparePayments(o, paid[id.RefOf(o.ID)])
		}
	}
	return nil
}

func (f *reading) readPayments(ctx context.Context, s Services) error {
	return pages(ctx, s.Payments.Audit, func(r audit.Request, reply payments.AuditReply) (string, error) {
		f.first(payments.Log, r, reply.Problems, reply.Standing)
		for _, p := range reply.Payments {
			if !f.orders.has(hashOf(p.Order)) && !f.since(p.CreatedAt) {
				f.add(0, PaidIsPlaced, fmt.Sprintf("it is %s, and there is no such order", p.Status), string(p.ID), string(p.Order))
			}
		}
		f.counts.Payments += int64(len(reply.Payments))
		return reply.Next, nil
	})
}

// nameUnseen finds the names of holds whose order was not there: only their hashes were kept.
func (f *reading) nameUnseen(ctx context.Context, ask catalog.Service) error {
	unseen := f.holds.unseen()
	if len(unseen) == 0 {
		return nil
	}
	return pages(ctx, ask.Audit, func(_ audit.Request, reply catalog.AuditReply) (string, error) {
		for _, r := range reply.Reservations {
			if unseen.has(hashOf(r.For)) {
				f.add(0, HoldsHaveOwners, fmt.Sprintf("it is %s, and there is no such order", r.Status), r.Key, string(r.For))
			}
		}
		return reply.Next, nil
	})
}

// since says that something was made while the marketplace was being read.
func (f *reading) since(made clock.Time) bool { return f.running && !made.Before(f.at) }

// pages asks for one page after another until there is no next.
func pages[R any](ctx context.Context, ask func(context.Context, audit.Request) (R, error), take func(audit.Request, R) (next string, err error)) error {
	r := audit.Request{Limit: pageSize}
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		reply, err := ask(ctx, r)
		if err != nil {
			return err
		}
		next, err := take(r, reply)
		if err != nil || next == "" {
			return err
		}
		r.Cursor = next
	}
}
