package rehearsal

import (
	"context"
	"fmt"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/search"
)

// pageSize is how many facts are asked for at a time; a module may give fewer.
const pageSize = 1000

// reading is all modules read once.
type reading struct {
	at      clock.Time // when it began
	running bool
	before  map[bus.Log]audit.Standing // of the reading before, if there was one

	suspects
	counts    Counts
	standings map[bus.Log]audit.Standing
	claims    map[id.Ref]*claimed
	strays    []catalog.Reservation // that came out of turn
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
//   - Orders, payments and holds side by side, by the ids of orders, so that no more than a page of
//     each is in memory. A page of payments may be older than the order beside it: that looks
//     wrong once, and not again. What was made since the reading began is left out.
//   - Subscribers before the logs that they follow, since a log only grows. A place beyond the
//     end is measured with the places of the reading before: see compareEvents.
func read(ctx context.Context, s Services, f *reading) (*reading, error) {
	f.standings, f.claims = map[bus.Log]audit.Standing{}, map[id.Ref]*claimed{}
	for _, read := range []func(context.Context, Services) error{f.readAccounts, f.readSearch, f.readCart, f.merge} {
		if err := read(ctx, s); err != nil {
			return nil, err
		}
	}
	f.compareClaims()
	f.compareEvents()
	return f, nil
}

// searchLog is where search stands by its name: it publishes nothing, and follows others.
const searchLog bus.Log = "search"

// took takes what comes with a page of a module's audit: its problems, and with the first one its
// standing.
func (f *reading) took(log bus.Log, r audit.Request, problems []audit.Problem, s audit.Standing) {
	f.own(problems)
	if r.Cursor == "" {
		f.standings[log] = s
		f.counts.DeadJobs += s.JobsDead
	}
}

func (f *reading) readAccounts(ctx context.Context, s Services) error {
	return asked(accounts.Log, pages(ctx, s.Accounts.Audit, func(r audit.Request, reply accounts.AuditReply) (string, error) {
		f.took(accounts.Log, r, reply.Problems, reply.Standing)
		return reply.Next, nil
	}))
}

func (f *reading) readSearch(ctx context.Context, s Services) error {
	return asked(searchLog, pages(ctx, s.Search.Audit, func(r audit.Request, reply search.AuditReply) (string, error) {
		f.took(searchLog, r, reply.Problems, reply.Standing)
		f.counts.Listings += reply.Listings
		return reply.Next, nil
	}))
}

func (f *reading) readCart(ctx context.Context, s Services) error {
	return asked(cart.Log, pages(ctx, s.Cart.Audit, func(r audit.Request, reply cart.AuditReply) (string, error) {
		f.took(cart.Log, r, reply.Problems, reply.Standing)
		for _, c := range reply.Claims {
			if f.claims[c.Order] == nil {
				f.claims[c.Order] = &claimed{}
			}
			f.claims[c.Order].by = append(f.claims[c.Order].by, c)
			f.counts.Claims++
		}
		return reply.Next, nil
	}))
}

// asked says of an error whom it came from.
func asked(log bus.Log, err error) error {
	if err != nil {
		return fmt.Errorf("ask %s: %w", log, err)
	}
	return nil
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
