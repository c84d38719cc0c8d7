package orderssvc

import (
	"fmt"

	"souk/internal/cart"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// basis is what 100% is in basis points.
const basis = 10_000

// makers make the ids of what an order consists of.
type makers struct {
	sellerOrder func() orders.SellerOrderID
	line        func() orders.LineID
}

// freeze copies what was quoted into o: from here on the order says what was agreed, whatever
// becomes of goods, prices, coupons and sellers. Shares are taken over as quoted, never
// computed again; only the commission is found here. A quote whose shares do not add up is an
// error: nothing could be settled or paid back by it.
func freeze(o *orders.Order, q cart.Quote, ids makers) error {
	if err := addsUp(q); err != nil {
		return err
	}
	o.Sums = q.Sums
	o.Refunded = money.Zero(q.Currency)
	o.SellerOrders = make([]orders.SellerOrder, len(q.Sellers))
	for i, s := range q.Sellers {
		so := orders.SellerOrder{
			ID: ids.sellerOrder(), Order: o.ID, Number: fmt.Sprintf("%s-%d", o.Number, i+1),
			Seller: s.Seller, SellerName: s.Name, Legal: s.Legal, Fulfilment: orders.FulfilmentOpen,
			Sums: s.Sums, Commission: money.Zero(q.Currency), Shipping: s.Shipping,
			Refunded: money.Zero(q.Currency), Buyer: o.Contact.Name, Delivery: o.Delivery, Version: 1,
		}
		for _, l := range s.Lines {
			line, err := freezeLine(l, ids.line())
			if err != nil {
				return fmt.Errorf("freeze %s: %w", l.Offer.Variant, err)
			}
			if so.Commission, err = so.Commission.Add(line.Commission); err != nil {
				return fmt.Errorf("freeze %s: %w", l.Offer.Variant, err)
			}
			so.Lines = append(so.Lines, line)
		}
		o.SellerOrders[i] = so
	}
	return nil
}

// addsUp checks that a quote has something in it and that the shares of its lines sum to those
// of the sellers, and these to the whole.
func addsUp(q cart.Quote) error {
	whole := summing{what: "the quote", of: q.Sums}
	for _, s := range q.Sellers {
		part := summing{what: "seller " + string(s.Seller), of: s.Sums}
		for _, l := range s.Lines {
			if l.Quantity <= 0 {
				return fmt.Errorf("the quote has %d of %s", l.Quantity, l.Offer.Variant)
			}
			adjusted := money.Zero(q.Currency)
			for _, a := range l.Adjustments {
				var err error
				if adjusted, err = adjusted.Add(a.Amount); err != nil {
					return fmt.Errorf("adjustments of %s: %w", l.Offer.Variant, err)
				}
			}
			if adjusted != l.Sums.Discount {
				return fmt.Errorf("the adjustments of %s sum to %s, not %s", l.Offer.Variant, adjusted, l.Sums.Discount)
			}
			part.add(l.Sums)
		}
		if err := part.check(q.Currency); err != nil {
			return err
		}
		whole.add(s.Sums)
	}
	return whole.check(q.Currency)
}

// summing compares a row of sums with the rows that it is made of.
type summing struct {
	what string
	of   cart.Sums
	rows []cart.Sums
}

func (s *summing) add(row cart.Sums) { s.rows = append(s.rows, row) }

func (s *summing) check(c money.Currency) error {
	if len(s.rows) == 0 {
		return fmt.Errorf("%s has nothing in it", s.what)
	}
	for name, of := range map[string]func(cart.Sums) money.Money{
		"goods":     func(s cart.Sums) money.Money { return s.Goods },
		"discount":  func(s cart.Sums) money.Money { return s.Discount },
		"shipping":  func(s cart.Sums) money.Money { return s.Shipping },
		"tax added": func(s cart.Sums) money.Money { return s.TaxAdded },
		"total":     func(s cart.Sums) money.Money { return s.Total },
	} {
		parts := make([]money.Money, len(s.rows))
		for i, row := range s.rows {
			parts[i] = of(row)
		}
		sum, err := money.Sum(c, parts...)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", name, s.what, err)
		}
		if sum != of(s.of) {
			return fmt.Errorf("%s of %s is %s, its parts sum to %s", name, s.what, of(s.of), sum)
		}
	}
	total, err := money.Sum(c, s.of.Goods, s.of.Discount.Neg(), s.of.Shipping, s.of.TaxAdded)
	if err != nil || total != s.of.Total {
		return fmt.Errorf("the total of %s is %s, not %s: %w", s.what, total, s.of.Total, err)
	}
	return nil
}

// freezeLine copies a line. Commission is due on the goods less what the seller itself gave
// off; a discount that the marketplace funds does not lower it. It is rounded half up.
func freezeLine(l cart.LineQuote, lid orders.LineID) (orders.Line, error) {
	base, err := l.Sums.Goods.Sub(fundedBy(l.Adjustments, cart.FunderSeller, l.Sums.Goods.Currency))
	if err != nil {
		return orders.Line{}, err
	}
	commission, err := base.Ratio(int64(l.Offer.Commission), basis, money.HalfUp)
	if err != nil {
		return orders.Line{}, err
	}
	return orders.Line{
		ID: lid, Variant: l.Offer.Variant, Listing: l.Offer.Listing, Title: l.Offer.Title, Options: l.Offer.Options,
		SKU: l.Offer.SKU, Image: l.Offer.Image, UnitPrice: l.Offer.Price, Sums: l.Sums, Adjustments: l.Adjustments,
		TaxRate: l.TaxRate, TaxIncluded: l.TaxIncluded, TaxGoods: l.TaxGoods, TaxShipping: l.TaxShipping,
		CommissionRate: l.Offer.Commission, CommissionBase: base, Commission: commission,
		Quantity: l.Quantity, Refunded: money.Zero(l.Sums.Goods.Currency),
	}, nil
}

// fundedBy is the discounts that one funder bears.
func fundedBy(adjustments []cart.Adjustment, f cart.Funder, c money.Currency) money.Money {
	sum := money.Zero(c)
	for _, a := range adjustments {
		if a.Funder == f {
			sum.Minor += a.Amount.Minor // parts of one discount that already fitted
		}
	}
	return sum
}

// captureShares says for whom captured money is held: each seller order's total.
func captureShares(o *orders.Order) []payments.Share {
	shares := make([]payments.Share, 0, len(o.SellerOrders))
	for _, so := range o.SellerOrders {
		if so.Sums.Total.IsZero() {
			continue
		}
		shares = append(shares, payments.Share{
			Seller: id.RefOf(so.Seller), SellerOrder: id.RefOf(so.ID), Amount: so.Sums.Total,
		})
	}
	return shares
}

// part is what quantity n of the line's total quantity comes to of an amount of the line.
// It is computed from the whole, so that parts taken one after the other, each as the
// difference of two, sum to the amount exactly.
func part(amount money.Money, n, of int64) (money.Money, error) {
	return amount.Ratio(n, of, money.HalfUp)
}

// refundFor is what cancelling n more pieces of a line gives back: their share of all that
// the line cost, shipping and tax included.
func refundFor(l orders.Line, n int64) (money.Money, error) {
	before, err := part(l.Sums.Total, l.Cancelled, l.Quantity)
	if err != nil {
		return money.Money{}, err
	}
	after, err := part(l.Sums.Total, l.Cancelled+n, l.Quantity)
	if err != nil {
		return money.Money{}, err
	}
	return after.Sub(before)
}

// settlement is how what escrow holds of a fulfilled seller order is divided.
type settlement struct {
	earned, fee, tax, platform money.Money
}

// settle divides what the buyer paid and was not given back of a seller order: the
// commission to the marketplace, the tax to be remitted, the rest to the seller, who also
// gets from the marketplace what that took off at its own expense.
//
//	earned = total − refunded + platform's discounts − commission − tax
//
// What rounding would have the seller owe of a part that was mostly taken back is left off the
// commission, then the tax.
func settle(so orders.SellerOrder) (settlement, error) {
	c := so.Sums.Total.Currency
	s := settlement{earned: money.Zero(c), fee: money.Zero(c), tax: money.Zero(c), platform: money.Zero(c)}
	for _, l := range so.Lines {
		kept := func(amount money.Money) (money.Money, error) {
			gone, err := part(amount, l.Cancelled, l.Quantity)
			if err != nil {
				return money.Money{}, err
			}
			return amount.Sub(gone)
		}
		for _, sum := range []struct {
			to   *money.Money
			what money.Money
		}{
			{&s.fee, l.Commission},
			{&s.tax, l.TaxGoods},
			{&s.tax, l.TaxShipping},
			{&s.platform, fundedBy(l.Adjustments, cart.FunderPlatform, c)},
			{&s.earned, l.Sums.Total},
		} {
			amount, err := kept(sum.what)
			if err != nil {
				return settlement{}, fmt.Errorf("settle line %s: %w", l.ID, err)
			}
			if *sum.to, err = sum.to.Add(amount); err != nil {
				return settlement{}, fmt.Errorf("settle line %s: %w", l.ID, err)
			}
		}
	}
	var err error
	if s.earned, err = money.Sum(c, s.earned, s.platform, s.fee.Neg(), s.tax.Neg()); err != nil {
		return settlement{}, err
	}
	for _, from := range []*money.Money{&s.fee, &s.tax} {
		owed := min(max(-s.earned.Minor, 0), from.Minor)
		from.Minor, s.earned.Minor = from.Minor-owed, s.earned.Minor+owed
	}
	return s, nil
}
