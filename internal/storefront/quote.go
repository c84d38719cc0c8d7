package storefront

import (
	"strconv"
	"strings"

	"souk/internal/cart"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// quoteView is a quote line by line, as cart computed it.
func quoteView(q cart.Quote) views.Quote {
	out := views.Quote{ID: q.Hash, Total: q.Sums.Total}
	var lines []cart.LineQuote
	for _, s := range q.Sellers {
		lines = append(lines, s.Lines...)
		out.Sellers = append(out.Sellers, views.QuoteSeller{
			Seller: s.Name, Lines: quoteLines(s.Sums, adjustments(s.Lines), shippingNote(s.Shipping), taxOf(s.Lines), q.Destination.Country != ""), Total: s.Sums.Total,
		})
	}
	out.Lines = quoteLines(q.Sums, nil, "", taxOf(lines), q.Destination.Country != "")
	return out
}

// adjustments are the discounts of lines, by code.
func adjustments(lines []cart.LineQuote) []cart.Adjustment {
	all := make([]cart.Adjustment, 0, len(lines))
	for _, l := range lines {
		all = append(all, l.Adjustments...)
	}
	return byCode(all)
}

// byCode adds up the adjustments of each code, in the order in which they come.
func byCode(all []cart.Adjustment) []cart.Adjustment {
	var out []cart.Adjustment
	at := map[string]int{}
	for _, a := range all {
		i, known := at[a.Code]
		if !known {
			at[a.Code] = len(out)
			out = append(out, a)
			continue
		}
		if sum, err := out[i].Amount.Add(a.Amount); err == nil {
			out[i].Amount = sum
		}
	}
	return out
}

// quoteLines are the amounts of a row of a quote. Shipping stands there when it is known,
// also when it is nothing; what is otherwise nothing is left out.
func quoteLines(sums cart.Sums, discounts []cart.Adjustment, shipping string, tax taxWords, known bool) []views.QuoteLine {
	out := []views.QuoteLine{{Text: "Goods", Amount: sums.Goods}}
	for _, a := range discounts {
		out = append(out, views.QuoteLine{Text: a.Code, Note: discountNote(a), Amount: a.Amount.Neg()})
	}
	if len(discounts) == 0 && !sums.Discount.IsZero() {
		out = append(out, views.QuoteLine{Text: "Discount", Amount: sums.Discount.Neg()})
	}
	if known || !sums.Shipping.IsZero() {
		out = append(out, views.QuoteLine{Text: "Shipping", Note: shipping, Amount: sums.Shipping})
	}
	if !sums.TaxAdded.IsZero() {
		out = append(out, views.QuoteLine{Text: tax.added, Amount: sums.TaxAdded})
	}
	if !sums.TaxIncluded.IsZero() {
		out = append(out, views.QuoteLine{Text: tax.included, Amount: sums.TaxIncluded, Included: true})
	}
	return out
}

func discountNote(a cart.Adjustment) string {
	by := "paid by the seller"
	if a.Funder == cart.FunderPlatform {
		by = "paid by souk"
	}
	if a.Label == "" {
		return by
	}
	return a.Label + ", " + by
}

func shippingNote(s cart.ShippingQuote) string {
	switch {
	case s.Label == "":
		return amountsAsHere(s.Rule)
	case s.Rule == "":
		return s.Label
	default:
		return s.Label + "; " + amountsAsHere(s.Rule)
	}
}

// taxWords is how tax is called in a quote: with its rate where there is one alone.
type taxWords struct{ added, included string }

// taxLine is what of a line its tax is called by.
type taxLine struct {
	rate     int32
	included bool
	tax      money.Money
}

func taxOf(lines []cart.LineQuote) taxWords {
	all := make([]taxLine, 0, len(lines))
	for _, l := range lines {
		all = append(all, taxLine{rate: l.TaxRate, included: l.TaxIncluded, tax: l.TaxGoods})
	}
	return taxNames(all)
}

func taxNames(lines []taxLine) taxWords {
	added, included := map[int32]bool{}, map[int32]bool{}
	for _, l := range lines {
		if l.rate == 0 {
			continue
		}
		if l.included {
			included[l.rate] = true
		} else {
			added[l.rate] = true
		}
	}
	name := func(rates map[int32]bool) string {
		text := "Tax"
		if len(rates) == 1 {
			for rate := range rates {
				text += " " + percent(rate)
			}
		}
		return text
	}
	return taxWords{added: name(added), included: name(included) + ", included"}
}

// percent is basis points for people: "20 %", "5.5 %".
func percent(basisPoints int32) string {
	text := strconv.Itoa(int(basisPoints/100)) + "." + strconv.Itoa(int(basisPoints%100/10)) + strconv.Itoa(int(basisPoints%10))
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " %"
}
