package carttest

import (
	"context"
	"slices"
	"strings"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
)

func refOf(owner string) id.Ref { return id.Ref(owner) }

func changes(l line, o catalog.Offer) []cart.Notice {
	if !o.ForSale {
		return []cart.Notice{{Kind: cart.NoticeNotForSale}}
	}
	var out []cart.Notice
	switch was := l.seen; {
	case was.Currency != o.Price.Currency:
		out = append(out, cart.Notice{Kind: cart.NoticeChanged, Was: &was})
	case was.Minor < o.Price.Minor:
		out = append(out, cart.Notice{Kind: cart.NoticePriceUp, Was: &was})
	case was.Minor > o.Price.Minor:
		out = append(out, cart.Notice{Kind: cart.NoticePriceDown, Was: &was})
	}
	switch {
	case o.Available <= 0:
		out = append(out, cart.Notice{Kind: cart.NoticeSoldOut})
	case o.Available < l.quantity:
		out = append(out, cart.Notice{Kind: cart.NoticeShort, Available: o.Available})
	}
	return out
}

// GetCart implements cart.Service.
func (f *Fake) GetCart(ctx context.Context, r cart.GetCartRequest) (cart.CartReply, error) {
	owner, err := ownerOf(r.By, false)
	if err != nil {
		return cart.CartReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.show(ctx, owner)
}

// change does fn to the caller's cart once, and shows it.
func (f *Fake) change(ctx context.Context, by actor.Actor, operation, key string, body any, p *errs.Problems, fn func(owner string) error) (cart.CartReply, error) {
	owner, err := ownerOf(by, true)
	if err != nil {
		return cart.CartReply{}, err
	}
	keyed(key, p)
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.CartReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := once(f, owner, operation, key, body, func() (bool, error) { return true, fn(owner) }); err != nil {
		return cart.CartReply{}, err
	}
	return f.show(ctx, owner)
}

// ChangeLine implements cart.Service.
func (f *Fake) ChangeLine(ctx context.Context, r cart.ChangeLineRequest) (cart.CartReply, error) {
	var p errs.Problems
	p.Check(catalog.VariantIDs.Valid(r.Variant), "variant", "is not the id of a variant")
	p.Check(r.Quantity >= 0 && (!r.Add || r.Quantity > 0), "quantity", "is too small")
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return f.change(ctx, r.By, "change_line", r.Key, body, &p, func(owner string) error {
		offers, err := f.offers(ctx, r.Variant)
		if err != nil {
			return err
		}
		return f.changeLine(owner, r, offers[r.Variant])
	})
}

func (f *Fake) changeLine(owner string, r cart.ChangeLineRequest, o catalog.Offer) error {
	b := f.current(owner)
	if b == nil && r.Quantity == 0 {
		return nil
	}
	if b == nil {
		b = &basket{}
	}
	at, have := b.at(r.Variant), int64(0)
	if at >= 0 {
		have = b.lines[at].quantity
	}
	want := r.Quantity
	if r.Add {
		want += have
	}
	switch {
	case b.status == cart.StatusClaimed:
		return cart.ErrClaimed.With("a checkout has this cart")
	case want == have:
		return nil
	case want > cart.MaxQuantity:
		return cart.ErrLimit.With("at most %d of one thing", cart.MaxQuantity)
	case want > have && !o.ForSale:
		return cart.ErrNotForSale.With("this is not for sale")
	case want > have && o.Available < want:
		return cart.ErrOutOfStock.With("there are %d", o.Available).WithField("quantity", "is more than there are")
	case want > have && b.currency() != "" && b.currency() != o.Price.Currency && (at < 0 || len(b.lines) > 1):
		return cart.ErrCurrency.With("the cart is in %s", b.currency())
	case at < 0 && len(b.lines) >= cart.MaxLines:
		return cart.ErrLimit.With("at most %d different things", cart.MaxLines)
	}
	b, err := f.open(owner)
	if err != nil {
		return err
	}
	switch {
	case at < 0:
		b.lines = append(b.lines, line{variant: r.Variant, quantity: want, seen: o.Price, added: f.now()})
	case want == 0:
		b.lines = slices.Delete(b.lines, at, at+1)
	default:
		b.lines[at].quantity = want
		if want > have && b.lines[at].seen.Currency != o.Price.Currency {
			b.lines[at].seen = o.Price
		}
	}
	f.touch(b)
	return nil
}

// AcceptChanges implements cart.Service.
func (f *Fake) AcceptChanges(ctx context.Context, r cart.AcceptChangesRequest) (cart.CartReply, error) {
	return f.change(ctx, r.By, "accept_changes", r.Key, nil, &errs.Problems{}, func(owner string) error {
		b := f.current(owner)
		if b == nil {
			return nil
		}
		if b.status == cart.StatusClaimed {
			return cart.ErrClaimed.With("a checkout has this cart")
		}
		if len(b.lines) == 0 {
			return nil
		}
		offers, err := f.offersOf(ctx, b)
		if err != nil {
			return err
		}
		currency := b.currency()
		if one := offers[b.lines[0].variant].Price.Currency; !slices.ContainsFunc(b.lines, func(l line) bool {
			return offers[l.variant].Price.Currency != one
		}) {
			currency = one
		}
		for i, l := range b.lines {
			if o := offers[l.variant]; o.Price.Currency == currency {
				b.lines[i].seen = o.Price
			}
		}
		return nil
	})
}

func normal(code string) string {
	return strings.ToUpper(strings.Join(strings.Fields(code), ""))
}

func codeProblems(code string) *errs.Problems {
	var p errs.Problems
	p.Check(code != "" && len(code) <= 40, "code", "has 1 to 40 characters")
	return &p
}

// ApplyCoupon implements cart.Service.
func (f *Fake) ApplyCoupon(ctx context.Context, r cart.CouponCodeRequest) (cart.CartReply, error) {
	code := normal(r.Code)
	return f.change(ctx, r.By, "apply_coupon", r.Key, code, codeProblems(code), func(owner string) error {
		b := f.current(owner)
		switch {
		case b != nil && b.status == cart.StatusClaimed:
			return cart.ErrClaimed.With("a checkout has this cart")
		case b != nil && slices.Contains(b.codes, code):
			return nil
		case b == nil:
			b = &basket{owner: owner}
		}
		trial := *b
		trial.codes = append(slices.Clone(b.codes), code)
		q, err := f.quote(ctx, &trial, cart.Destination{}, r.By.Person)
		if err != nil {
			return err
		}
		if said := q.Codes[len(q.Codes)-1]; !said.Applied {
			return cart.ErrCoupon.With("%s", said.Why).WithField("code", said.Why)
		}
		if len(b.codes) >= cart.MaxCodes {
			return cart.ErrLimit.With("at most %d codes", cart.MaxCodes)
		}
		b.codes = trial.codes
		f.touch(b)
		return nil
	})
}

// RemoveCoupon implements cart.Service.
func (f *Fake) RemoveCoupon(ctx context.Context, r cart.CouponCodeRequest) (cart.CartReply, error) {
	code := normal(r.Code)
	return f.change(ctx, r.By, "remove_coupon", r.Key, code, codeProblems(code), func(owner string) error {
		b := f.current(owner)
		if b == nil {
			return nil
		}
		if b.status == cart.StatusClaimed {
			return cart.ErrClaimed.With("a checkout has this cart")
		}
		if at := slices.Index(b.codes, code); at >= 0 {
			b.codes = slices.Delete(b.codes, at, at+1)
			f.touch(b)
		}
		return nil
	})
}

// Merge implements cart.Service.
func (f *Fake) Merge(ctx context.Context, r cart.MergeRequest) (cart.MergeReply, error) {
	owner, err := ownerOf(r.By, true)
	if err != nil {
		return cart.MergeReply{}, err
	}
	var p errs.Problems
	keyed(r.Key, &p)
	p.Check(r.By.SignedIn(), "by", "is not signed in")
	p.Check(r.Guest != "", "guest", "is missing")
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.MergeReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	kept, err := once(f, owner, "merge", r.Key, r.Guest, func() ([]string, error) { return f.merge(owner, "guest:"+r.Guest) })
	if err != nil {
		return cart.MergeReply{}, err
	}
	shown, err := f.show(ctx, owner)
	return cart.MergeReply{Cart: shown.Cart, Kept: kept}, err
}

func (f *Fake) merge(owner, guest string) ([]string, error) {
	from, to := f.current(guest), f.current(owner)
	switch {
	case from == nil || len(from.lines)+len(from.codes) == 0:
		return nil, nil
	case from.status == cart.StatusClaimed || to != nil && to.status == cart.StatusClaimed:
		return []string{"A checkout is under way; the other cart is kept until it ends."}, nil
	}
	to, err := f.open(owner)
	if err != nil {
		return nil, err
	}
	var kept []string
	var lines []line
	for _, l := range from.lines {
		at := to.at(l.variant)
		switch {
		case at >= 0:
			to.lines[at].quantity = max(to.lines[at].quantity, l.quantity)
		case to.currency() != "" && to.currency() != l.seen.Currency, len(to.lines) >= cart.MaxLines:
			lines, kept = append(lines, l), append(kept, string(l.variant)+" stays in the cart of before.")
		default:
			to.lines = append(to.lines, l)
		}
	}
	var codes []string
	for _, code := range from.codes {
		switch {
		case slices.Contains(to.codes, code):
		case len(to.codes) >= cart.MaxCodes:
			codes, kept = append(codes, code), append(kept, code+" stays in the cart of before.")
		default:
			to.codes = append(to.codes, code)
		}
	}
	from.lines, from.codes = lines, codes
	f.touch(from)
	f.touch(to)
	return kept, nil
}
