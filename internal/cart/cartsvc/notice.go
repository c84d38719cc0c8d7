package cartsvc

import (
	"cmp"
	"fmt"
	"slices"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
)

// maxCode is how long a coupon's code may be.
const maxCode = 40

func checkKey(p *errs.Problems, key string) {
	p.Check(key != "" && len(key) <= 200, "key", "must have 1 to 200 characters")
}

// checkDestination finds what cannot be a destination; an unknown country is one not said yet.
func checkDestination(d cart.Destination, problems *errs.Problems) {
	problems.Check(d.Country == "" || isCountry(d.Country), "country", "must be two capitals, as in DE")
	problems.Check(len(d.Region) <= 10, "region", "must have at most 10 characters")
	problems.Check(len(d.PostalCode) <= 20, "postal_code", "must have at most 20 characters")
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// change applies a request to one line. Fewer of what is short can always be had; more than
// there is cannot.
func (k *kept) change(r cart.ChangeLineRequest, offer catalog.Offer, known bool, now clock.Time) error {
	at := k.line(r.Variant)
	var have int64
	if at >= 0 {
		have = k.lines[at].Quantity
	}
	if r.Quantity > cart.MaxQuantity {
		return tooMany()
	}
	want := r.Quantity
	if r.Add {
		want += have
	}
	if want > cart.MaxQuantity {
		return tooMany()
	}
	if want == 0 {
		if at >= 0 {
			k.lines = slices.Delete(k.lines, at, at+1)
		}
		return nil
	}
	if want > have {
		if err := mayBuy(offer, known, want); err != nil {
			return err
		}
		if c := k.currency(); c != "" && c != offer.Price.Currency && (at < 0 || len(k.lines) > 1) {
			return cart.ErrCurrency.With("this is sold in %s, and the cart is in %s; buy what is in the cart first", offer.Price.Currency, c)
		}
	}
	if at >= 0 {
		k.lines[at].Quantity = want
		if want > have && k.lines[at].SeenCurrency != offer.Price.Currency { // the only line: the cart's currency goes with it
			k.lines[at].SeenAmount, k.lines[at].SeenCurrency = offer.Price.Minor, offer.Price.Currency
		}
		return nil
	}
	if len(k.lines) >= cart.MaxLines {
		return cart.ErrLimit.With("a cart takes %d different things at most", cart.MaxLines)
	}
	var place int64
	for _, l := range k.lines {
		place = max(place, l.Place+1)
	}
	k.lines = append(k.lines, lineRow{
		Variant: r.Variant, Seller: offer.Seller, Quantity: want, SeenAmount: offer.Price.Minor, SeenCurrency: offer.Price.Currency,
		Place: place, AddedAt: now,
	})
	return nil
}

func tooMany() error {
	return cart.ErrLimit.With("at most %d of one thing can be bought at a time", cart.MaxQuantity).
		WithField("quantity", fmt.Sprintf("at most %d", cart.MaxQuantity))
}

// accept takes note of what lines cost now. A price in another currency counts only when all
// lines have come to it, for a cart has one currency; until then its notice stays.
func (k *kept) accept(now []cart.Line) {
	prices := map[catalog.VariantID]money.Money{}
	for _, l := range now {
		prices[l.Offer.Variant] = l.Offer.Price
	}
	currency := k.currency()
	if len(k.lines) > 0 {
		all := prices[k.lines[0].Variant].Currency
		if all != "" && !slices.ContainsFunc(k.lines, func(l lineRow) bool { return prices[l.Variant].Currency != all }) {
			currency = all
		}
	}
	for i, l := range k.lines {
		if price := prices[l.Variant]; price.Currency == currency {
			k.lines[i].SeenAmount, k.lines[i].SeenCurrency = price.Minor, currency
		}
	}
}

// mayBuy says whether so much of an offer can be bought now.
func mayBuy(offer catalog.Offer, known bool, want int64) error {
	switch {
	case !known || !offer.ForSale:
		return cart.ErrNotForSale.With("this is no longer for sale")
	case offer.Available <= 0:
		return cart.ErrOutOfStock.With("%s is sold out", offer.Title).WithField("quantity", "none are left")
	case offer.Available < want:
		return cart.ErrOutOfStock.With("only %d of %s are left", offer.Available, offer.Title).
			WithField("quantity", fmt.Sprintf("at most %d", offer.Available))
	default:
		return nil
	}
}

// assemble makes a cart of what is stored and what is offered now.
func assemble(k kept, offers map[catalog.VariantID]catalog.Offer) (cart.Cart, error) {
	c := cart.Cart{
		ID: k.row.ID, Status: k.row.Status, Version: k.row.Version, Currency: k.currency(),
		Codes: k.codes, Goods: zeroOf(k.currency()), ChangedAt: k.row.ChangedAt,
	}
	if c.Status == "" {
		c.Status = cart.StatusOpen
	}
	for _, l := range k.lines {
		offer, known := offers[l.Variant]
		if !known {
			offer = catalog.Offer{Variant: l.Variant, Seller: l.Seller, Price: money.Money{Minor: l.SeenAmount, Currency: l.SeenCurrency}}
		}
		seen := money.Money{Minor: l.SeenAmount, Currency: l.SeenCurrency}
		total, err := offer.Price.Mul(l.Quantity)
		if err != nil {
			return cart.Cart{}, fmt.Errorf("price %s: %w", l.Variant, err)
		}
		c.Lines = append(c.Lines, cart.Line{
			Offer: offer, Quantity: l.Quantity, AddedAt: l.AddedAt, Seen: seen, Total: total,
			Notices: notices(offer, l.Quantity, seen),
		})
		c.Count += l.Quantity
		if total.Currency != c.Goods.Currency {
			continue // its notice says so; it cannot be bought in this cart
		}
		if c.Goods, err = c.Goods.Add(total); err != nil {
			return cart.Cart{}, fmt.Errorf("add up cart %s: %w", k.row.ID, err)
		}
	}
	c.Lines = togetherBySeller(c.Lines)
	return c, nil
}

// togetherBySeller puts the lines of each seller together, in the order added.
func togetherBySeller(lines []cart.Line) []cart.Line {
	first := map[catalog.SellerID]int{}
	for i, l := range lines {
		if _, seen := first[l.Offer.Seller]; !seen {
			first[l.Offer.Seller] = i
		}
	}
	slices.SortStableFunc(lines, func(a, b cart.Line) int { return cmp.Compare(first[a.Offer.Seller], first[b.Offer.Seller]) })
	return lines
}

// notices are what changed of a line since its price was seen.
func notices(offer catalog.Offer, quantity int64, seen money.Money) []cart.Notice {
	var out []cart.Notice
	switch {
	case !offer.ForSale:
		return []cart.Notice{{Kind: cart.NoticeNotForSale}}
	case offer.Available <= 0:
		out = append(out, cart.Notice{Kind: cart.NoticeSoldOut})
	case offer.Available < quantity:
		out = append(out, cart.Notice{Kind: cart.NoticeShort, Available: offer.Available})
	}
	switch {
	case offer.Price.Currency != seen.Currency:
		out = append(out, cart.Notice{Kind: cart.NoticeChanged, Was: &seen})
	case offer.Price.Minor > seen.Minor:
		out = append(out, cart.Notice{Kind: cart.NoticePriceUp, Was: &seen})
	case offer.Price.Minor < seen.Minor:
		out = append(out, cart.Notice{Kind: cart.NoticePriceDown, Was: &seen})
	}
	return out
}
