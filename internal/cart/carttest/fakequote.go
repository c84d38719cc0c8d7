package carttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

func checkDestination(p *errs.Problems, d cart.Destination) {
	p.Check(d.Country == "" || len(d.Country) == 2, "country", "is not a country")
	p.Check(len(d.Region) <= 10, "region", "is too long")
	p.Check(len(d.PostalCode) <= 20, "postal_code", "is too long")
}

// Quote implements cart.Service.
func (f *Fake) Quote(ctx context.Context, r cart.QuoteRequest) (cart.QuoteReply, error) {
	owner, err := ownerOf(r.By, false)
	if err != nil {
		return cart.QuoteReply{}, err
	}
	var p errs.Problems
	checkDestination(&p, r.Destination)
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.QuoteReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	person := r.Person
	if person == "" {
		person = r.By.Person
	}
	b := f.current(owner)
	if b == nil {
		b = &basket{}
	}
	for _, c := range f.claims {
		if c.cart == b.id && c.state == cart.StatusClaimed {
			return cart.QuoteReply{Quote: copied(c.quote)}, nil
		}
	}
	q, err := f.quote(ctx, b, r.Destination, person)
	return cart.QuoteReply{Quote: copied(q)}, err
}

func sumsIn(c money.Currency) cart.Sums {
	zero := money.Zero(c)
	return cart.Sums{Goods: zero, Discount: zero, Shipping: zero, TaxAdded: zero, TaxIncluded: zero, Total: zero}
}

func add(whole *cart.Sums, part cart.Sums) {
	whole.Goods.Minor += part.Goods.Minor
	whole.Discount.Minor += part.Discount.Minor
	whole.Shipping.Minor += part.Shipping.Minor
	whole.Total.Minor += part.Total.Minor
}

// quote is goods, less what coupons take off, and the shipping of each seller.
func (f *Fake) quote(ctx context.Context, b *basket, to cart.Destination, person id.Ref) (cart.Quote, error) {
	offers, err := f.offersOf(ctx, b)
	if err != nil {
		return cart.Quote{}, err
	}
	currency := b.currency()
	q := cart.Quote{Cart: b.id, CartVersion: b.version, Currency: currency, Destination: to, Sums: sumsIn(currency)}
	for _, l := range b.lines {
		o := offers[l.variant]
		at := slices.IndexFunc(q.Sellers, func(s cart.SellerQuote) bool { return s.Seller == o.Seller })
		if at < 0 {
			at = len(q.Sellers)
			q.Sellers = append(q.Sellers, cart.SellerQuote{
				Seller: o.Seller, Name: o.SellerName, Slug: o.SellerSlug, Legal: o.Legal, Sums: sumsIn(currency),
			})
		}
		priced := cart.LineQuote{
			Offer: o, Quantity: l.quantity, Sums: sumsIn(currency), TaxGoods: money.Zero(currency), TaxShipping: money.Zero(currency),
		}
		if o.Price.Currency == currency {
			priced.Sums.Goods.Minor = o.Price.Minor * l.quantity
		}
		q.Sellers[at].Lines = append(q.Sellers[at].Lines, priced)
		if p, bad := problemOf(priced, currency); bad {
			q.Problems = append(q.Problems, p)
		}
	}
	if len(b.lines) == 0 {
		q.Problems = append(q.Problems, cart.Problem{Code: "empty", Message: "The cart is empty."})
	} else if to.Country == "" {
		q.Problems = append(q.Problems, cart.Problem{Code: "no_destination", Message: "Say where it shall go."})
	}
	for _, code := range b.codes {
		said, err := f.takeOff(&q, code, person)
		if err != nil {
			return cart.Quote{}, err
		}
		q.Codes = append(q.Codes, said)
	}
	for i := range q.Sellers {
		if err := f.finish(&q, &q.Sellers[i]); err != nil {
			return cart.Quote{}, err
		}
	}
	q.Hash, err = hashOf(q)
	return q, err
}

func problemOf(l cart.LineQuote, currency money.Currency) (cart.Problem, bool) {
	p := cart.Problem{Variant: l.Offer.Variant, Seller: l.Offer.Seller}
	switch {
	case !l.Offer.ForSale:
		p.Code, p.Message = "not_for_sale", "This is no longer for sale."
	case l.Offer.Available < l.Quantity:
		p.Code, p.Message = "out_of_stock", "There are not so many."
	case l.Offer.Price.Currency != currency:
		p.Code, p.Message = "currency", "This is sold in another currency."
	}
	return p, p.Code != ""
}

// finish adds shipping to the seller's lines, and everything up.
func (f *Fake) finish(q *cart.Quote, s *cart.SellerQuote) error {
	weights := make([]int64, len(s.Lines))
	var net int64
	for i, l := range s.Lines {
		weights[i] = l.Sums.Goods.Minor - l.Sums.Discount.Minor
		net += weights[i]
	}
	if net == 0 {
		for i, l := range s.Lines {
			weights[i] = l.Quantity
		}
	}
	price := money.Zero(q.Currency)
	if zone, ok := f.zone(s.Seller, q.Destination, q.Currency); ok {
		price.Minor = zone.Steps[0].Price.Minor
		s.Shipping = cart.ShippingQuote{Label: zone.Label, Rule: "one price per order"}
	} else if q.Destination.Country != "" {
		q.Problems = append(q.Problems, cart.Problem{Code: "no_shipping", Seller: s.Seller, Message: s.Name + " does not ship there."})
	}
	parts, err := price.Allocate(weights)
	if err != nil {
		return err
	}
	for i, part := range parts {
		sums := &s.Lines[i].Sums
		sums.Shipping = part
		sums.Total.Minor = sums.Goods.Minor - sums.Discount.Minor + sums.Shipping.Minor
		add(&s.Sums, *sums)
	}
	add(&q.Sums, s.Sums)
	return nil
}

func (f *Fake) zone(seller catalog.SellerID, to cart.Destination, c money.Currency) (cart.ShippingZone, bool) {
	table, own := f.shipping[seller]
	if !own {
		table = f.shipping[""]
	}
	for _, z := range table.Zones {
		if to.Country != "" && (len(z.Countries) == 0 || slices.Contains(z.Countries, to.Country)) && (z.Currency == "" || z.Currency == c) {
			return z, true
		}
	}
	return cart.ShippingZone{}, false
}

// takeOff applies one code to the quote's lines.
func (f *Fake) takeOff(q *cart.Quote, code string, person id.Ref) (cart.CodeQuote, error) {
	said := cart.CodeQuote{Code: code, Amount: money.Zero(q.Currency)}
	k := f.coupon(code)
	if k == nil {
		said.Why = "There is no such code."
		return said, nil
	}
	said.Label = k.Label
	if said.Why = f.unusable(k, person); said.Why != "" {
		return said, nil
	}
	var lines []*cart.LineQuote
	var goods, left int64
	var weights []int64
	for i := range q.Sellers {
		for j := range q.Sellers[i].Lines {
			if l := &q.Sellers[i].Lines[j]; k.Seller == "" || k.Seller == l.Offer.Seller {
				rest := l.Sums.Goods.Minor - l.Sums.Discount.Minor
				lines, weights, goods, left = append(lines, l), append(weights, rest), goods+l.Sums.Goods.Minor, left+rest
			}
		}
	}
	off := money.Money{Minor: min(k.Amount.Minor, left), Currency: q.Currency}
	if k.Percent > 0 {
		var err error
		if off, err = (money.Money{Minor: left, Currency: q.Currency}).Ratio(int64(k.Percent), 10_000, money.HalfUp); err != nil {
			return said, err
		}
	}
	wrongCurrency := k.Amount.Minor > 0 && k.Amount.Currency != q.Currency || k.Minimum.Minor > 0 && k.Minimum.Currency != q.Currency
	if wrongCurrency || goods < k.Minimum.Minor || off.Minor == 0 {
		said.Why = "This code does nothing for what is in the cart."
		return said, nil
	}
	parts, err := off.Allocate(weights)
	if err != nil {
		return said, err
	}
	for i, part := range parts {
		if part.Minor > 0 {
			lines[i].Sums.Discount.Minor += part.Minor
			lines[i].Adjustments = append(lines[i].Adjustments, cart.Adjustment{
				Coupon: k.ID, Code: k.Code, Label: k.Label, Funder: k.Funder, Amount: part,
			})
		}
	}
	said.Applied, said.Amount = true, off
	return said, nil
}

// hashOf names what a buyer sees: not how many there are, nor which version of which cart it is.
func hashOf(q cart.Quote) (string, error) {
	q = copied(q)
	q.Cart, q.CartVersion, q.Hash, q.Destination = "", 0, "", cart.Destination{}
	for i := range q.Sellers {
		for j := range q.Sellers[i].Lines {
			q.Sellers[i].Lines[j].Offer.Available = 0
		}
	}
	text, err := json.Marshal(q)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), err
}
