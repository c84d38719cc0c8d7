package carttest

import (
	"context"
	"slices"
	"strings"

	"souk/internal/cart"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

type claim struct {
	key    string
	cart   cart.CartID
	order  id.Ref
	person id.Ref
	state  cart.Status // claimed, closed, or open again
	quote  cart.Quote
	uses   []*cart.Coupon
	at     clock.Time
}

func (f *Fake) claimOf(key string) *claim {
	for _, c := range f.claims {
		if c.key == key {
			return c
		}
	}
	return nil
}

func (f *Fake) cartOf(cid cart.CartID) *basket {
	for _, b := range f.carts {
		if b.id == cid {
			return b
		}
	}
	return nil
}

func systemOnly(by actor.Actor) error {
	if !by.IsSystem() {
		return cart.ErrForbidden.With("only checkouts do this")
	}
	return nil
}

// Claim implements cart.Service.
func (f *Fake) Claim(ctx context.Context, r cart.ClaimRequest) (cart.ClaimReply, error) {
	if err := systemOnly(r.By); err != nil {
		return cart.ClaimReply{}, err
	}
	var p errs.Problems
	keyed(r.Key, &p)
	checkDestination(&p, r.Destination)
	p.Check(r.Owner != "", "owner", "is missing")
	p.Check(cart.CartIDs.Valid(r.Cart), "cart", "is not a cart's id")
	p.Check(r.Order.HasPrefix("ord_"), "order", "is not an order's id")
	p.Check(r.Person.HasPrefix("per_"), "person", "is not a person's id")
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.ClaimReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	if c := f.claimOf(r.Key); c != nil && c.state == cart.StatusClosed {
		return cart.ClaimReply{}, cart.ErrStatus.With("the cart has become an order")
	}
	return once(f, "", "claim", r.Key, body, func() (cart.ClaimReply, error) { return f.claim(ctx, r) })
}

func (f *Fake) claim(ctx context.Context, r cart.ClaimRequest) (cart.ClaimReply, error) {
	b := f.cartOf(r.Cart)
	switch {
	case b == nil || b.owner != r.Owner:
		return cart.ClaimReply{}, cart.ErrNotFound.With("there is no cart %s", r.Cart)
	case b.status == cart.StatusClaimed:
		return cart.ClaimReply{}, cart.ErrClaimed.With("another checkout has it")
	case b.status == cart.StatusClosed:
		return cart.ClaimReply{}, cart.ErrStatus.With("the cart has become an order")
	case b.version != r.CartVersion:
		return cart.ClaimReply{}, cart.ErrVersion.With("the cart has changed")
	}
	q, err := f.quote(ctx, b, r.Destination, r.Person)
	if err != nil {
		return cart.ClaimReply{}, err
	}
	if q.Hash != r.QuoteHash {
		anyone, err := f.quote(ctx, b, r.Destination, "")
		if err != nil {
			return cart.ClaimReply{}, err
		}
		if anyone.Hash == r.QuoteHash {
			return cart.ClaimReply{}, cart.ErrCoupon.With("you have used this code already").WithField("code", "was used as often as one person may")
		}
		return cart.ClaimReply{}, cart.ErrQuoteChanged.With("it costs %s now", q.Sums.Total).
			WithField("quote_hash", q.Hash).WithField("total", q.Sums.Total.String())
	}
	if len(q.Problems) > 0 {
		return cart.ClaimReply{}, cart.ErrUnbuyable.With("%s", q.Problems[0].Message).WithField("problem", q.Problems[0].Code)
	}
	c := &claim{key: r.Key, cart: b.id, order: r.Order, person: r.Person, state: cart.StatusClaimed, quote: copied(q), at: f.now()}
	for _, said := range q.Codes {
		if said.Applied {
			k := f.coupon(said.Code)
			k.Used++
			c.uses = append(c.uses, k)
		}
	}
	b.status = cart.StatusClaimed
	f.claims = append(f.claims, c)
	return cart.ClaimReply{Quote: q}, nil
}

// Close implements cart.Service.
func (f *Fake) Close(_ context.Context, r cart.CloseRequest) (cart.CloseReply, error) {
	if err := systemOnly(r.By); err != nil {
		return cart.CloseReply{}, err
	}
	var p errs.Problems
	keyed(r.Key, &p)
	p.Check(r.Claim != "", "claim", "is missing")
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.CloseReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.claimOf(r.Claim)
	switch {
	case c == nil:
		return cart.CloseReply{}, cart.ErrNotFound.With("there is no claim %s", r.Claim)
	case c.state == cart.StatusOpen:
		return cart.CloseReply{}, cart.ErrStatus.With("the claim was released")
	case c.state == cart.StatusClaimed:
		c.state, f.cartOf(c.cart).status = cart.StatusClosed, cart.StatusClosed
		f.events = append(f.events, cart.Closed{CartID: c.cart, OrderID: c.order, At: f.now()})
	}
	return cart.CloseReply{Cart: c.cart}, nil
}

// Release implements cart.Service.
func (f *Fake) Release(_ context.Context, r cart.ReleaseRequest) (cart.ReleaseReply, error) {
	if err := systemOnly(r.By); err != nil {
		return cart.ReleaseReply{}, err
	}
	var p errs.Problems
	keyed(r.Key, &p)
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.ReleaseReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.claimOf(r.Key)
	if c != nil && c.state == cart.StatusClosed {
		return cart.ReleaseReply{}, cart.ErrStatus.With("the cart has become an order")
	}
	f.remembered["|claim|"+r.Key] = memory{undone: true}
	if c == nil {
		return cart.ReleaseReply{}, nil
	}
	if c.state == cart.StatusClaimed {
		c.state, f.cartOf(c.cart).status = cart.StatusOpen, cart.StatusOpen
		for _, k := range c.uses {
			k.Used--
		}
	}
	return cart.ReleaseReply{Known: true, Cart: c.cart}, nil
}

// Audit implements cart.Service.
func (f *Fake) Audit(_ context.Context, r audit.Request) (cart.AuditReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var facts []cart.ClaimFact
	for _, c := range f.claims {
		if c.state == cart.StatusClaimed {
			facts = append(facts, cart.ClaimFact{Key: c.key, Order: c.order, Cart: c.cart, At: c.at})
		}
	}
	slices.SortFunc(facts, func(a, b cart.ClaimFact) int { return strings.Compare(a.Key, b.Key) })
	got, next, err := pageOf(facts, page.Request{Cursor: r.Cursor, Limit: r.Limit}, "audit", func(c cart.ClaimFact) string { return c.Key })
	return cart.AuditReply{Claims: got, Next: next}, err
}

// pageOf cuts a page out of all, after the row whose key the cursor names.
func pageOf[T any](all []T, r page.Request, filter any, key func(T) string) (got []T, next string, err error) {
	var last string
	found, err := r.After(filter, &last)
	if err != nil {
		return nil, "", err
	}
	if found {
		all = all[slices.IndexFunc(all, func(v T) bool { return key(v) == last })+1:]
	}
	size := r.Size(20, 100)
	if len(all) <= size {
		return all, "", nil
	}
	next, err = page.Cursor(filter, key(all[size-1]))
	return all[:size], next, err
}
