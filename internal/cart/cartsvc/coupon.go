package cartsvc

import (
	"fmt"
	"strings"

	"souk/internal/cart"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// couponInPlay is a coupon and how often the person at hand has used it.
type couponInPlay struct {
	coupon   cart.Coupon
	usedByMe int64
}

// codeOf is a code as it is kept: capitals, without spaces and dashes around it.
func codeOf(typed string) string {
	return strings.ToUpper(strings.Join(strings.Fields(typed), ""))
}

// usable says why a coupon cannot be used at this time, in words for the buyer; "" when it can.
// What it needs of the goods is not its concern.
func (c couponInPlay) usable(now clock.Time) string {
	k := c.coupon
	switch {
	case k.Ended:
		return "This code has ended."
	case !k.From.IsZero() && now.Before(k.From):
		return "This code is not valid yet: it starts on " + day(k.From) + "."
	case !k.Until.IsZero() && !now.Before(k.Until):
		return "This code ended on " + day(k.Until) + "."
	case k.Limit > 0 && k.Used >= k.Limit:
		return "This code has been used up."
	case k.LimitPerson > 0 && c.usedByMe >= k.LimitPerson:
		return "You have used this code already."
	default:
		return ""
	}
}

func day(t clock.Time) string { return t.Std().Format("2 January 2006, 15:04 UTC") }

// discount takes the basket's coupons off the lines and says what each code did.
func (b basket) discount(sellers []cart.SellerQuote) ([]cart.CodeQuote, error) {
	var codes []cart.CodeQuote
	for _, code := range b.codes {
		said := cart.CodeQuote{Code: code, Amount: money.Zero(b.currency)}
		c, known := b.coupons[code]
		if !known {
			said.Why = "There is no such code."
			codes = append(codes, said)
			continue
		}
		said.Label = c.coupon.Label
		lines := eligible(sellers, c.coupon)
		amount, why, err := c.amountOff(lines, b.currency, b.now)
		if err != nil {
			return nil, fmt.Errorf("apply coupon %s: %w", c.coupon.ID, err)
		}
		if why == "" {
			if err := takeOff(lines, c.coupon, amount); err != nil {
				return nil, fmt.Errorf("apply coupon %s: %w", c.coupon.ID, err)
			}
			said.Applied, said.Amount = true, amount
		}
		said.Why = why
		codes = append(codes, said)
	}
	return codes, nil
}

// eligible are the lines that a coupon applies to.
func eligible(sellers []cart.SellerQuote, c cart.Coupon) []*cart.LineQuote {
	var lines []*cart.LineQuote
	for i := range sellers {
		if c.Seller != "" && c.Seller != sellers[i].Seller {
			continue
		}
		for j := range sellers[i].Lines {
			lines = append(lines, &sellers[i].Lines[j])
		}
	}
	return lines
}

// amountOff is what the coupon takes off the lines together, or why it takes off nothing.
func (c couponInPlay) amountOff(lines []*cart.LineQuote, currency money.Currency, now clock.Time) (money.Money, string, error) {
	zero := money.Zero(currency)
	if why := c.usable(now); why != "" {
		return zero, why, nil
	}
	if len(lines) == 0 {
		return zero, "Nothing in the cart is covered by this code.", nil
	}
	goods, left := zero, zero
	for _, l := range lines {
		rest, err := l.Sums.Goods.Sub(l.Sums.Discount)
		if err != nil {
			return zero, "", err
		}
		if goods, err = goods.Add(l.Sums.Goods); err != nil {
			return zero, "", err
		}
		if left, err = left.Add(rest); err != nil {
			return zero, "", err
		}
	}
	k := c.coupon
	if !k.Minimum.IsZero() {
		if k.Minimum.Currency != currency {
			return zero, "This code is for purchases in " + string(k.Minimum.Currency) + ".", nil
		}
		if goods.Minor < k.Minimum.Minor {
			return zero, "This code needs goods worth at least " + k.Minimum.String() + ".", nil
		}
	}
	off := k.Amount
	if k.Percent > 0 {
		var err error
		if off, err = left.Ratio(int64(k.Percent), basis, money.HalfUp); err != nil {
			return zero, "", err
		}
	}
	if off.Currency != currency {
		return zero, "This code is for purchases in " + string(off.Currency) + ".", nil
	}
	if off.Minor > left.Minor {
		off = left
	}
	if off.IsZero() {
		return zero, "There is nothing left to take off.", nil
	}
	return off, "", nil
}

// takeOff shares a discount out over its lines by what they still cost; no line goes below zero.
func takeOff(lines []*cart.LineQuote, c cart.Coupon, amount money.Money) error {
	weights := make([]int64, len(lines))
	for i, l := range lines {
		weights[i] = l.Sums.Goods.Minor - l.Sums.Discount.Minor
	}
	parts, err := amount.Allocate(weights)
	if err != nil {
		return err
	}
	for i, part := range parts {
		if part.IsZero() {
			continue
		}
		l := lines[i]
		if l.Sums.Discount, err = l.Sums.Discount.Add(part); err != nil {
			return err
		}
		l.Adjustments = append(l.Adjustments, cart.Adjustment{
			Coupon: c.ID, Code: c.Code, Label: c.Label, Funder: c.Funder, Amount: part,
		})
	}
	return nil
}
