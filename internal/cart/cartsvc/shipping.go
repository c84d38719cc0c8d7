package cartsvc

import (
	"fmt"
	"slices"

	"souk/internal/cart"
	"souk/internal/platform/money"
)

// ship finds what a seller's parcel costs and shares it out over its lines. A destination
// that is not known yet, or that the seller does not ship to, costs nothing and is a
// problem of the quote.
func ship(s *cart.SellerQuote, table cart.ShippingTable, to cart.Destination) (*cart.Problem, error) {
	if to.Country == "" {
		return nil, nil //nolint:nilnil // no problem of shipping: the basket says that the destination is missing
	}
	refuse := func(why string) *cart.Problem {
		return &cart.Problem{Code: "no_shipping", Seller: s.Seller, Message: why}
	}
	currency := s.Sums.Goods.Currency
	zone, found := zoneOf(table, to, currency)
	if !found {
		return refuse(fmt.Sprintf("%s does not ship to %s.", s.Name, to.Country)), nil
	}
	price, rule, err := zone.priceOf(s.Lines)
	if err != nil {
		return nil, fmt.Errorf("ship from %s: %w", s.Seller, err)
	}
	if rule == "" {
		return refuse(fmt.Sprintf("%s has no shipping for a parcel like this.", s.Name)), nil
	}
	s.Shipping = cart.ShippingQuote{Label: zone.Label, Rule: rule}
	return nil, shareShipping(s.Lines, money.Money{Minor: price.Minor, Currency: currency})
}

type zone struct{ cart.ShippingZone }

// zoneOf is the first zone that has the destination and a price in the currency.
func zoneOf(table cart.ShippingTable, to cart.Destination, currency money.Currency) (zone, bool) {
	for _, z := range table.Zones {
		if (len(z.Countries) == 0 || slices.Contains(z.Countries, to.Country)) && (z.Currency == "" || z.Currency == currency) {
			return zone{z}, true
		}
	}
	return zone{}, false
}

// priceOf finds the price of sending the lines together and says how; without a step that
// fits, how is "".
func (z zone) priceOf(lines []cart.LineQuote) (price money.Money, how string, err error) {
	if len(z.Steps) == 0 {
		return money.Money{}, "", nil
	}
	switch z.Kind {
	case cart.ShippingByWeight:
		grams := z.grams(lines)
		for _, step := range z.Steps {
			if grams <= step.Grams {
				return step.Price, fmt.Sprintf("%s, up to %s", kilos(grams), kilos(step.Grams)), nil
			}
		}
		return money.Money{}, "", nil
	case cart.ShippingByPrice:
		net, err := netGoods(lines)
		if err != nil {
			return money.Money{}, "", err
		}
		for i := len(z.Steps) - 1; i >= 0; i-- {
			if step := z.Steps[i]; net.Minor >= step.From.Minor {
				return step.Price, z.span(i, net.Currency), nil
			}
		}
		return money.Money{}, "", nil
	default:
		return z.Steps[0].Price, oneShipping, nil
	}
}

// span says for which goods the step at i of a table by price holds.
func (z zone) span(i int, currency money.Currency) string {
	edge := func(step cart.ShippingStep) money.Money {
		return money.Money{Minor: step.From.Minor, Currency: currency}
	}
	switch {
	case i > 0:
		return fmt.Sprintf("for goods from %s", edge(z.Steps[i]))
	case len(z.Steps) > 1:
		return fmt.Sprintf("for goods under %s", edge(z.Steps[1]))
	default:
		return oneShipping
	}
}

// oneShipping is how a price that depends on nothing is explained.
const oneShipping = "one price per order"

// grams is the weight of the lines; goods that do not say theirs weigh GramsUnknown.
func (z zone) grams(lines []cart.LineQuote) int64 {
	var sum int64
	for _, l := range lines {
		each := l.Offer.Grams
		if each == 0 {
			each = z.GramsUnknown
		}
		sum += each * l.Quantity
	}
	return sum
}

func kilos(grams int64) string {
	return fmt.Sprintf("%d.%02d kg", grams/1000, grams%1000/10)
}

// netGoods is the goods of the lines after discounts.
func netGoods(lines []cart.LineQuote) (money.Money, error) {
	net := money.Zero(lines[0].Sums.Goods.Currency)
	for _, l := range lines {
		var err error
		if net, err = money.Sum(net.Currency, net, l.Sums.Goods, l.Sums.Discount.Neg()); err != nil {
			return money.Money{}, err
		}
	}
	return net, nil
}

// shareShipping divides the price over the lines by their goods after discounts, or by
// quantity when those cost nothing.
func shareShipping(lines []cart.LineQuote, price money.Money) error {
	weights := make([]int64, len(lines))
	var sum int64
	for i, l := range lines {
		weights[i] = l.Sums.Goods.Minor - l.Sums.Discount.Minor
		sum += weights[i]
	}
	if sum == 0 {
		for i, l := range lines {
			weights[i] = l.Quantity
		}
	}
	parts, err := price.Allocate(weights)
	if err != nil {
		return fmt.Errorf("share shipping: %w", err)
	}
	for i, part := range parts {
		lines[i].Sums.Shipping = part
	}
	return nil
}
