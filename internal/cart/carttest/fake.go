package carttest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
)

// Fake is cart in memory. It passes the whole suite but for what the suite says of shipping
// by weight and price and of tax: a seller's parcel costs the first step of its zone's
// prices, and tax is not computed.
type Fake struct {
	now  func() clock.Time
	shop catalog.Service

	mu         sync.Mutex
	carts      []*basket
	coupons    []*cart.Coupon
	claims     []*claim
	shipping   map[catalog.SellerID]cart.ShippingTable
	taxes      map[string]cart.TaxTable
	remembered map[string]memory
	events     []cart.Closed
}

type basket struct {
	id      cart.CartID
	owner   string
	status  cart.Status
	version int64
	lines   []line
	codes   []string
	changed clock.Time
}

type line struct {
	variant  catalog.VariantID
	quantity int64
	seen     money.Money
	added    clock.Time
}

type memory struct {
	body   string
	reply  []byte
	err    error
	undone bool
}

// NewFake is cart without a cart in it; what things cost it asks shop.
func NewFake(now func() clock.Time, shop catalog.Service) *Fake {
	f := &Fake{
		now: now, shop: shop, shipping: map[catalog.SellerID]cart.ShippingTable{}, taxes: map[string]cart.TaxTable{},
		remembered: map[string]memory{},
	}
	f.shipping[""] = cart.ShippingTable{Zones: []cart.ShippingZone{
		{Label: "Standard", Kind: cart.ShippingFlat, Currency: "EUR", Steps: []cart.ShippingStep{{Price: money.Money{Minor: 490, Currency: "EUR"}}}},
		{Label: "Shipping included", Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{}}},
	}}
	return f
}

var _ cart.Service = (*Fake)(nil)

// Want is a quantity of a variant.
type Want struct {
	Variant  catalog.VariantID
	Quantity int64
}

// Put adds lines to an owner's cart (actor.Owner()), without a request, and returns its id.
// It panics on what ChangeLine would refuse.
func (f *Fake) Put(owner string, lines ...Want) cart.CartID {
	by := actor.Actor{Kind: actor.KindPerson, Person: refOf(owner), Scopes: []actor.Scope{actor.ScopeShop}}
	if hash, guest := strings.CutPrefix(owner, "guest:"); guest {
		by = actor.Guest(hash)
	}
	var id cart.CartID
	for _, l := range lines {
		reply, err := f.ChangeLine(context.Background(), cart.ChangeLineRequest{
			By: by, Key: Key(), Variant: l.Variant, Quantity: l.Quantity, Add: true,
		})
		if err != nil {
			panic("carttest: " + err.Error())
		}
		id = reply.Cart.ID
	}
	return id
}

// Events are all that was published, oldest first.
func (f *Fake) Events() []cart.Closed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// OpenClaims are the keys of the claims that are neither closed nor released.
func (f *Fake) OpenClaims() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var keys []string
	for _, c := range f.claims {
		if c.state == cart.StatusClaimed {
			keys = append(keys, c.key)
		}
	}
	return keys
}

// once runs do the first time that the key is seen and repeats its answer afterwards.
func once[R any](f *Fake, owner, operation, key string, body any, do func() (R, error)) (R, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return *new(R), err
	}
	name := owner + "|" + operation + "|" + key
	if m, ok := f.remembered[name]; ok {
		var again R
		switch {
		case m.undone:
			return again, cart.ErrKeyUndone.With("the key %s was undone", key)
		case m.body != string(text):
			return again, cart.ErrKeyReused.With("the key %s was used for another request", key)
		case m.err != nil:
			return again, m.err
		}
		return again, json.Unmarshal(m.reply, &again)
	}
	reply, err := do()
	switch {
	case err == nil:
		encoded, err := json.Marshal(reply)
		if err != nil {
			return *new(R), err
		}
		f.remembered[name] = memory{body: string(text), reply: encoded}
		return copied(reply), nil
	case errs.Refused(err) && errs.KindOf(err) != errs.Invalid:
		f.remembered[name] = memory{body: string(text), err: err}
	}
	return *new(R), err
}

// copied shares nothing with v.
func copied[T any](v T) T {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("carttest: %T cannot be encoded: %v", v, err))
	}
	var out T
	if err := json.Unmarshal(text, &out); err != nil {
		panic(fmt.Sprintf("carttest: %T cannot be decoded: %v", v, err))
	}
	return out
}

func ownerOf(by actor.Actor, change bool) (string, error) {
	owner := by.Owner()
	if owner == "" || by.IsSystem() || change && by.SignedIn() && !by.Has(actor.ScopeShop) {
		return "", cart.ErrForbidden.With("sign in, or show a cart token")
	}
	return owner, nil
}

func keyed(key string, p *errs.Problems) {
	p.Check(key != "" && len(key) <= 200, "key", "has 1 to 200 characters")
}

// current is the owner's cart that is not closed, or nil.
func (f *Fake) current(owner string) *basket {
	for _, b := range f.carts {
		if b.owner == owner && b.status != cart.StatusClosed {
			return b
		}
	}
	return nil
}

// open is the owner's cart to change, made if there is none.
func (f *Fake) open(owner string) (*basket, error) {
	b := f.current(owner)
	if b == nil {
		b = &basket{id: cart.CartIDs.New(), owner: owner, status: cart.StatusOpen, changed: f.now()}
		f.carts = append(f.carts, b)
	}
	if b.status == cart.StatusClaimed {
		return nil, cart.ErrClaimed.With("a checkout has this cart")
	}
	return b, nil
}

func (f *Fake) touch(b *basket) {
	b.version++
	b.changed = f.now()
}

func (b *basket) at(v catalog.VariantID) int {
	return slices.IndexFunc(b.lines, func(l line) bool { return l.variant == v })
}

func (b *basket) currency() money.Currency {
	if b == nil || len(b.lines) == 0 {
		return ""
	}
	return b.lines[0].seen.Currency
}

func (f *Fake) offers(ctx context.Context, variants ...catalog.VariantID) (map[catalog.VariantID]catalog.Offer, error) {
	reply, err := f.shop.GetOffers(ctx, catalog.GetOffersRequest{Variants: variants})
	if err != nil {
		return nil, err
	}
	out := map[catalog.VariantID]catalog.Offer{}
	for _, o := range reply.Offers {
		out[o.Variant] = o
	}
	return out, nil
}

func (f *Fake) offersOf(ctx context.Context, b *basket) (map[catalog.VariantID]catalog.Offer, error) {
	if b == nil {
		return map[catalog.VariantID]catalog.Offer{}, nil
	}
	variants := make([]catalog.VariantID, 0, len(b.lines))
	for _, l := range b.lines {
		variants = append(variants, l.variant)
	}
	return f.offers(ctx, variants...)
}

// show is a cart as its owner sees it.
func (f *Fake) show(ctx context.Context, owner string) (cart.CartReply, error) {
	b := f.current(owner)
	offers, err := f.offersOf(ctx, b)
	if err != nil {
		return cart.CartReply{}, err
	}
	if b == nil {
		return cart.CartReply{Cart: cart.Cart{Status: cart.StatusOpen}}, nil
	}
	c := cart.Cart{
		ID: b.id, Status: b.status, Version: b.version, Currency: b.currency(), Codes: b.codes,
		Goods: money.Money{Currency: b.currency()}, ChangedAt: b.changed,
	}
	for _, l := range b.lines {
		o := offers[l.variant]
		shown := cart.Line{Offer: o, Quantity: l.quantity, AddedAt: l.added, Seen: l.seen, Notices: changes(l, o)}
		if shown.Total, err = o.Price.Mul(l.quantity); err != nil {
			return cart.CartReply{}, err
		}
		c.Lines, c.Count = append(c.Lines, shown), c.Count+l.quantity
		if o.Price.Currency == c.Currency {
			c.Goods.Minor += shown.Total.Minor
		}
	}
	first := map[catalog.SellerID]int{}
	for i, l := range c.Lines {
		if _, seen := first[l.Offer.Seller]; !seen {
			first[l.Offer.Seller] = i
		}
	}
	slices.SortStableFunc(c.Lines, func(x, y cart.Line) int { return first[x.Offer.Seller] - first[y.Offer.Seller] })
	return copied(cart.CartReply{Cart: c}), nil
}
