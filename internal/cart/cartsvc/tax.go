package cartsvc

import (
	"fmt"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/money"
)

// taxTables are the tables by country; "" applies where there is no other.
type taxTables map[string]cart.TaxTable

// rate is the rate of a class at a destination, in basis points, and whether prices contain
// it. A region's own rate goes before the country's; a class without one is not taxed.
func (t taxTables) rate(to cart.Destination, class catalog.TaxClass) (basisPoints int32, included bool) {
	table, ok := t[to.Country]
	if !ok {
		table = t[""]
	}
	found := false
	for _, r := range table.Rates {
		if r.Class != class {
			continue
		}
		if r.Region != "" && r.Region == to.Region {
			return r.BasisPoints, table.Included
		}
		if r.Region == "" && !found {
			basisPoints, found = r.BasisPoints, true
		}
	}
	return basisPoints, table.Included
}

// apply finds the tax of a line on its goods after discounts and on its shipping.
func (t taxTables) apply(l *cart.LineQuote, to cart.Destination) error {
	if to.Country == "" {
		return nil
	}
	l.TaxRate, l.TaxIncluded = t.rate(to, l.Offer.TaxClass)
	goods, err := l.Sums.Goods.Sub(l.Sums.Discount)
	if err != nil {
		return fmt.Errorf("tax %s: %w", l.Offer.Variant, err)
	}
	if l.TaxGoods, err = taxOf(goods, l.TaxRate, l.TaxIncluded); err != nil {
		return fmt.Errorf("tax %s: %w", l.Offer.Variant, err)
	}
	if l.TaxShipping, err = taxOf(l.Sums.Shipping, l.TaxRate, l.TaxIncluded); err != nil {
		return fmt.Errorf("tax %s: %w", l.Offer.Variant, err)
	}
	both, err := l.TaxGoods.Add(l.TaxShipping)
	if err != nil {
		return fmt.Errorf("tax %s: %w", l.Offer.Variant, err)
	}
	if l.TaxIncluded {
		l.Sums.TaxIncluded = both
	} else {
		l.Sums.TaxAdded = both
	}
	return nil
}

// taxOf is the tax contained in an amount, or to be added to it, rounded half up to the unit:
// of 119.00 at 19% included, 19.00.
func taxOf(amount money.Money, basisPoints int32, included bool) (money.Money, error) {
	of := int64(basis)
	if included {
		of += int64(basisPoints)
	}
	return amount.Ratio(int64(basisPoints), of, money.HalfUp)
}
