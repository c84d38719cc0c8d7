package cartsvc

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// basis is what 100% is in basis points.
const basis = 10_000

// basket is everything that a quote depends on: values only, read before.
type basket struct {
	cart        cart.CartID
	version     int64
	currency    money.Currency
	lines       []basketLine // in the order added
	codes       []string     // in the order applied
	coupons     map[string]couponInPlay
	shipping    shippingTables
	taxes       taxTables
	destination cart.Destination
	now         clock.Time
	claimed     *cart.Quote // of a cart that a checkout has: what it has claimed
}

// basketLine is a quantity of what is offered now.
type basketLine struct {
	offer    catalog.Offer
	quantity int64
}

// quote computes what a basket costs. The rules, in this order:
//
//  1. Goods are price × quantity.
//  2. Coupons come off in the order applied, each from what those before it left. A discount
//     is rounded once, half up, and shared out over its lines in proportion to what they
//     still cost (largest remainder).
//  3. Shipping is found once per seller, by weight or by its goods after discounts, and
//     shared out over its lines.
//  4. Tax is found per line, on its goods after discounts and on its share of shipping at
//     the rate of the goods, each rounded half up. Prices either contain it or it is added.
//     Its base is what the buyer pays, whoever funds a discount. Where the law counts what
//     the platform pays a seller for a coupon as part of the price, the seller accounts for
//     the tax on that: each adjustment says who funded how much of which line.
//
// What the seller and the whole cost is the sum of their lines and nothing else.
func quote(b basket) (cart.Quote, error) {
	q := cart.Quote{
		Cart: b.cart, CartVersion: b.version, Currency: b.currency, Destination: b.destination,
		Sellers: bySeller(b.lines), Sums: noSums(b.currency),
	}
	q.Problems = b.problems()
	if err := priceGoods(q.Sellers, b.currency); err != nil {
		return cart.Quote{}, err
	}
	var err error
	if q.Codes, err = b.discount(q.Sellers); err != nil {
		return cart.Quote{}, err
	}
	for i := range q.Sellers {
		seller := &q.Sellers[i]
		problem, err := ship(seller, b.shipping.of(seller.Seller), b.destination)
		if err != nil {
			return cart.Quote{}, err
		}
		if problem != nil {
			q.Problems = append(q.Problems, *problem)
		}
		for j := range seller.Lines {
			if err := b.taxes.apply(&seller.Lines[j], b.destination); err != nil {
				return cart.Quote{}, err
			}
			if err := total(&seller.Lines[j].Sums); err != nil {
				return cart.Quote{}, err
			}
			if err := addSums(&seller.Sums, seller.Lines[j].Sums); err != nil {
				return cart.Quote{}, err
			}
		}
		if err := addSums(&q.Sums, seller.Sums); err != nil {
			return cart.Quote{}, err
		}
	}
	q.Hash, err = hashQuote(q)
	return q, err
}

// bySeller groups lines under their sellers, both in the order in which they were added.
func bySeller(lines []basketLine) []cart.SellerQuote {
	var sellers []cart.SellerQuote
	at := map[catalog.SellerID]int{}
	for _, l := range lines {
		i, known := at[l.offer.Seller]
		if !known {
			i = len(sellers)
			at[l.offer.Seller] = i
			sellers = append(sellers, cart.SellerQuote{
				Seller: l.offer.Seller, Name: l.offer.SellerName, Slug: l.offer.SellerSlug, Legal: l.offer.Legal,
			})
		}
		sellers[i].Lines = append(sellers[i].Lines, cart.LineQuote{Offer: l.offer, Quantity: l.quantity})
	}
	return sellers
}

// problems are those of the basket itself; shipping adds its own.
func (b basket) problems() []cart.Problem {
	var out []cart.Problem
	if len(b.lines) == 0 {
		out = append(out, cart.Problem{Code: "empty", Message: "The cart is empty."})
	}
	if b.destination.Country == "" && len(b.lines) > 0 {
		out = append(out, cart.Problem{Code: "no_destination", Message: "Say where it shall go, and shipping and tax can be added."})
	}
	for _, l := range b.lines {
		p := cart.Problem{Variant: l.offer.Variant, Seller: l.offer.Seller}
		title := cmp.Or(l.offer.Title, "One of the things in it")
		switch {
		case !l.offer.ForSale:
			p.Code, p.Message = "not_for_sale", title+" is no longer for sale."
		case l.offer.Available <= 0:
			p.Code, p.Message = "out_of_stock", l.offer.Title+" is sold out."
		case l.offer.Available < l.quantity:
			p.Code, p.Message = "out_of_stock", fmt.Sprintf("Only %d of %s are left.", l.offer.Available, l.offer.Title)
		case l.offer.Price.Currency != b.currency:
			p.Code, p.Message = "currency", fmt.Sprintf("%s is now sold in %s; this cart is in %s.", l.offer.Title, l.offer.Price.Currency, b.currency)
		default:
			continue
		}
		out = append(out, p)
	}
	return out
}

// priceGoods fills in what the goods cost. A price in a currency that is not the cart's
// counts as nothing; the basket's problems say so and such a quote cannot be claimed.
func priceGoods(sellers []cart.SellerQuote, currency money.Currency) error {
	for i := range sellers {
		sellers[i].Sums = noSums(currency)
		for j := range sellers[i].Lines {
			l := &sellers[i].Lines[j]
			l.Sums, l.TaxGoods, l.TaxShipping = noSums(currency), money.Zero(currency), money.Zero(currency)
			if l.Offer.Price.Currency != currency {
				continue
			}
			var err error
			if l.Sums.Goods, err = l.Offer.Price.Mul(l.Quantity); err != nil {
				return fmt.Errorf("price %d of %s: %w", l.Quantity, l.Offer.Variant, err)
			}
		}
	}
	return nil
}

func noSums(c money.Currency) cart.Sums {
	zero := money.Zero(c)
	return cart.Sums{Goods: zero, Discount: zero, Shipping: zero, TaxAdded: zero, TaxIncluded: zero, Total: zero}
}

// total computes Total from the other amounts.
func total(s *cart.Sums) error {
	sum, err := money.Sum(s.Goods.Currency, s.Goods, s.Discount.Neg(), s.Shipping, s.TaxAdded)
	if err != nil {
		return fmt.Errorf("total a line: %w", err)
	}
	s.Total = sum
	return nil
}

// addSums adds every amount of part to whole.
func addSums(whole *cart.Sums, part cart.Sums) error {
	for _, pair := range []struct{ to, more *money.Money }{
		{&whole.Goods, &part.Goods},
		{&whole.Discount, &part.Discount},
		{&whole.Shipping, &part.Shipping},
		{&whole.TaxAdded, &part.TaxAdded},
		{&whole.TaxIncluded, &part.TaxIncluded},
		{&whole.Total, &part.Total},
	} {
		sum, err := pair.to.Add(*pair.more)
		if err != nil {
			return fmt.Errorf("add up a quote: %w", err)
		}
		*pair.to = sum
	}
	return nil
}

// seenLine and the rest are what a buyer agrees to; the hash of a quote names just that. How
// many are still available is left out: others' purchases do not change one's own quote. Where
// it goes counts by what that costs, so that a street added to a country agrees to nothing new.
type seenLine struct {
	Variant     catalog.VariantID
	Title       string
	Options     []catalog.Option
	Unit        money.Money
	Quantity    int64
	Sums        cart.Sums
	Adjustments []cart.Adjustment
	TaxRate     int32
	TaxIncluded bool
}

type seenSeller struct {
	Seller   catalog.SellerID
	Name     string
	Lines    []seenLine
	Sums     cart.Sums
	Shipping cart.ShippingQuote
}

type seenQuote struct {
	Currency money.Currency
	Sellers  []seenSeller
	Sums     cart.Sums
	Codes    []cart.CodeQuote
	Problems []cart.Problem
}

// hashQuote names what the buyer sees of q.
func hashQuote(q cart.Quote) (string, error) {
	seen := seenQuote{Currency: q.Currency, Sums: q.Sums, Codes: q.Codes, Problems: q.Problems}
	for _, s := range q.Sellers {
		seller := seenSeller{Seller: s.Seller, Name: s.Name, Sums: s.Sums, Shipping: s.Shipping}
		for _, l := range s.Lines {
			seller.Lines = append(seller.Lines, seenLine{
				Variant: l.Offer.Variant, Title: l.Offer.Title, Options: append([]catalog.Option(nil), l.Offer.Options...), Unit: l.Offer.Price,
				Quantity: l.Quantity, Sums: l.Sums, Adjustments: l.Adjustments, TaxRate: l.TaxRate, TaxIncluded: l.TaxIncluded,
			})
		}
		seen.Sellers = append(seen.Sellers, seller)
	}
	text, err := json.Marshal(seen)
	if err != nil {
		return "", fmt.Errorf("hash a quote: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}
