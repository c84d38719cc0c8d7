package storefront

import (
	"fmt"
	"slices"
	"strings"

	"souk/internal/cart"
	"souk/internal/orders"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// orderEyes is through whose eyes an order is seen.
type orderEyes struct {
	link     string // of a guest
	operator bool
}

// orderView is an order with everything that was agreed, and what can be done with it.
func (v *visit) orderView(o orders.Order, eyes orderEyes) views.Order {
	base := views.PathOrders + "/" + string(o.ID)
	out := views.Order{
		Number: o.Number, URL: orderURL(o.ID, eyes.link), SummaryURL: base + "/summary", PlacedAt: o.PlacedAt,
		Contact: filled(o.Contact.Name, o.Contact.Email, o.Delivery.Phone), Delivery: postalLines(o.Delivery),
		Status: orderStatus(standingOf(o)), Quote: v.agreed(o),
	}
	if eyes.link != "" {
		out.SummaryURL = withParam(out.SummaryURL, "link", eyes.link)
	}
	if eyes.operator {
		base = views.PathOpOrders + "/" + string(o.ID)
		out.URL = base
	}
	if o.PlacedAt.IsZero() {
		out.PlacedAt = o.CreatedAt
	}
	if o.Invoice != o.Delivery {
		out.Invoice = postalLines(o.Invoice)
	}
	values := map[string]string{}
	if eyes.link != "" {
		values["link"] = eyes.link
	}
	open, names := 0, map[orders.SellerOrderID]string{}
	refund := money.Zero(o.Sums.Total.Currency)
	for _, so := range o.SellerOrders {
		part := v.partView(so)
		names[so.ID] = so.SellerName
		if cancellable(o.Status, so) {
			text := "Cancel what is not shipped"
			switch {
			case so.Case:
				text = "Cancel this part, for which nothing was charged"
			case whole(so):
				text = "Cancel this part and refund " + FormatMoney(so.Sums.Total)
			}
			part.Acts = []views.Act{{Text: text, URL: base + "/parts/" + string(so.ID) + "/cancel", Values: values}}
			open++
			refund = addUp(refund, so.Sums.Total)
		}
		out.Parts = append(out.Parts, part)
	}
	if open > 1 {
		text := "Cancel everything that is not shipped"
		if o.Case {
			text = "Cancel the order, for which nothing was charged"
		} else if open == len(o.SellerOrders) && !slices.ContainsFunc(o.SellerOrders, func(so orders.SellerOrder) bool { return !whole(so) }) {
			text = "Cancel the order and refund " + FormatMoney(refund)
		}
		out.Acts = []views.Act{{Text: text, URL: base + "/cancel", Values: values}}
	}
	if eyes.operator && o.Case {
		out.Acts = append(out.Acts, views.Act{Text: "Try the refused charge again", URL: base + "/retry-capture", Values: values})
	}
	out.Timeline = timeline(o.Timeline, names, !eyes.operator)
	out.Payments = paymentRows(o)
	return out
}

// addUp is a and b together; amounts of one order never differ in currency or overflow.
func addUp(a, b money.Money) money.Money {
	sum, err := a.Add(b)
	if err != nil {
		return a
	}
	return sum
}

func fulfilments(o orders.Order) []orders.Fulfilment {
	out := make([]orders.Fulfilment, 0, len(o.SellerOrders))
	for _, so := range o.SellerOrders {
		out = append(out, so.Fulfilment)
	}
	return out
}

// left is how much of a line is still to ship.
func left(l orders.Line) int64 { return l.Quantity - l.Shipped - l.Cancelled }

func cancellable(status orders.Status, so orders.SellerOrder) bool {
	return status == orders.StatusPlaced && slices.ContainsFunc(so.Lines, func(l orders.Line) bool { return left(l) > 0 })
}

// whole says that nothing of a part was shipped or cancelled yet.
func whole(so orders.SellerOrder) bool {
	return !slices.ContainsFunc(so.Lines, func(l orders.Line) bool { return left(l) != l.Quantity })
}

// agreed is what an order cost, as it was agreed.
func (v *visit) agreed(o orders.Order) views.Quote {
	out := views.Quote{Total: o.Sums.Total}
	var all []orders.Line
	for _, so := range o.SellerOrders {
		all = append(all, so.Lines...)
		out.Sellers = append(out.Sellers, views.QuoteSeller{Seller: so.SellerName, Lines: partSums(so), Total: so.Sums.Total})
	}
	out.Lines = quoteLines(o.Sums, nil, "", taxOfOrder(all), true)
	if !o.Refunded.IsZero() {
		out.TaxNote = FormatMoney(o.Refunded) + " of it was cancelled."
	}
	return out
}

func partSums(so orders.SellerOrder) []views.QuoteLine {
	var all []cart.Adjustment
	for _, l := range so.Lines {
		all = append(all, l.Adjustments...)
	}
	return quoteLines(so.Sums, byCode(all), shippingNote(so.Shipping), taxOfOrder(so.Lines), true)
}

func taxOfOrder(lines []orders.Line) taxWords {
	all := make([]taxLine, 0, len(lines))
	for _, l := range lines {
		all = append(all, taxLine{rate: l.TaxRate, included: l.TaxIncluded, tax: l.TaxGoods})
	}
	return taxNames(all)
}

// partView is one seller's part of an order.
func (v *visit) partView(so orders.SellerOrder) views.OrderPart {
	out := views.OrderPart{
		Number: so.Number, Seller: views.Link{Text: so.SellerName}, Legal: legalLines(so.Legal), Status: v.partStatusWith(so),
		Sums: partSums(so), Total: so.Sums.Total,
	}
	seen := v.look()
	titles := map[orders.LineID]string{}
	for _, l := range so.Lines {
		titles[l.ID] = l.Title
		if text := optionText(l.Options); text != "" {
			titles[l.ID] += ", " + text
		}
		total, err := l.UnitPrice.Mul(l.Quantity)
		if err != nil {
			total = l.Sums.Goods
		}
		out.Lines = append(out.Lines, views.OrderLine{
			Title: l.Title, Options: optionText(l.Options), SKU: l.SKU, URL: listingURL(l.Listing), Picture: seen.picture(l.Image, "", l.Title),
			Quantity: int(l.Quantity), Unit: l.UnitPrice, Total: total, Notes: lineNotes(l),
		})
	}
	for i, p := range so.Parcels {
		out.Parcels = append(out.Parcels, v.parcelView(i, p, titles))
	}
	return out
}

func lineNotes(l orders.Line) []string {
	var notes []string
	for _, part := range []struct {
		n    int64
		text string
	}{{l.Shipped - l.Delivered, "on its way"}, {l.Delivered, "delivered"}, {l.Cancelled, "cancelled"}} {
		if part.n > 0 {
			notes = append(notes, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	if len(notes) == 0 {
		return nil
	}
	return []string{strings.Join(notes, ", ")}
}

func (v *visit) parcelView(i int, p orders.Parcel, titles map[orders.LineID]string) views.Parcel {
	out := views.Parcel{
		Number: fmt.Sprintf("Parcel %d", i+1), Carrier: p.Carrier, Tracking: p.Tracking, TrackURL: p.TrackingURL, ShippedAt: p.ShippedAt,
		Status: views.Status{Text: "On its way"},
	}
	if !p.DeliveredAt.IsZero() {
		out.Status = views.Status{Text: "Delivered on " + v.day(p.DeliveredAt), Tone: views.Good}
	}
	for _, item := range p.Items {
		out.Lines = append(out.Lines, fmt.Sprintf("%d × %s", item.Quantity, titles[item.Line]))
	}
	return out
}

// standing is where an order stands, as much of it as lists know too.
type standing struct {
	status            orders.Status
	why               orders.Reason
	captured, stopped bool
	parts             []orders.Fulfilment
}

func standingOf(o orders.Order) standing {
	return standing{status: o.Status, why: o.Reason, captured: o.Captured, stopped: o.Case, parts: fulfilments(o)}
}

// orderStatus is where an order stands, as a sentence: on its page and in every list.
func orderStatus(o standing) views.Status {
	switch o.status {
	case orders.StatusPending:
		return views.Status{Text: "Not finished: waiting for the payment", Tone: views.Warn}
	case orders.StatusRejected:
		heading, _ := rejection(o.why, "")
		return views.Status{Text: "Not placed. " + heading, Tone: views.Bad}
	case orders.StatusPlaced:
		if !o.captured && slices.Contains(o.parts, orders.FulfilmentOpen) {
			return partStatus(orders.FulfilmentOpen, false, o.stopped)
		}
	default:
	}
	count := map[orders.Fulfilment]int{}
	for _, f := range o.parts {
		count[f]++
	}
	all, cancelled, delivered := len(o.parts), count[orders.FulfilmentCancelled], count[orders.FulfilmentDelivered]
	going := delivered + count[orders.FulfilmentShipped]
	switch {
	case all == 0:
		return views.Status{Text: "Placed"}
	case cancelled == all:
		return views.Status{Text: "Cancelled"}
	case cancelled+delivered == all:
		return views.Status{Text: "Delivered", Tone: views.Good}
	case cancelled+going == all:
		return views.Status{Text: "Shipped", Tone: views.Good}
	case going+count[orders.FulfilmentPartlyShipped] > 0:
		return views.Status{Text: fmt.Sprintf("Partly shipped: %d of %s", going, Count(all, "seller has sent everything", "sellers have sent everything")), Tone: views.Good}
	default:
		return partStatus(orders.FulfilmentOpen, true, false)
	}
}

// partStatus is how far a seller's part has come, in a few words; stopped says that its charge was refused for good.
func partStatus(f orders.Fulfilment, paid, stopped bool) views.Status {
	switch f {
	case orders.FulfilmentPartlyShipped:
		return views.Status{Text: "Partly shipped", Tone: views.Warn}
	case orders.FulfilmentShipped:
		return views.Status{Text: "Shipped", Tone: views.Good}
	case orders.FulfilmentDelivered:
		return views.Status{Text: "Delivered", Tone: views.Good}
	case orders.FulfilmentCancelled:
		return views.Status{Text: "Cancelled"}
	default:
	}
	switch {
	case paid:
		return views.Status{Text: "Being packed"}
	case stopped:
		return views.Status{Text: "Stopped: the payment provider refused the charge", Tone: views.Bad}
	default:
		return views.Status{Text: "The payment is being taken", Tone: views.Warn}
	}
}

// partStatusWith is partStatus with what a part's page knows beyond it.
func (v *visit) partStatusWith(so orders.SellerOrder) views.Status {
	out := partStatus(so.Fulfilment, so.Paid, so.Case)
	if len(so.Parcels) == 0 {
		return out
	}
	if so.Fulfilment == orders.FulfilmentShipped {
		out.Text += " on " + v.day(so.Parcels[len(so.Parcels)-1].ShippedAt)
	}
	out.Text += ", " + Count(len(so.Parcels), "parcel", "parcels")
	return out
}

// timeline is what happened, the latest first.
func timeline(entries []orders.Entry, sellers map[orders.SellerOrderID]string, own bool) []views.Happening {
	out := make([]views.Happening, 0, len(entries))
	for _, e := range slices.Backward(entries) {
		h := views.Happening{Text: amountsAsHere(e.Detail), At: e.At, By: e.Who}
		if h.Text == "" {
			h.Text = capital(string(e.What)) + "."
		}
		switch {
		case e.Who == "buyer" && own:
			h.By = "you"
		case e.Who == "seller" && sellers[e.SellerOrder] != "":
			h.By = sellers[e.SellerOrder]
		}
		switch e.What {
		case orders.WhatPlaced, orders.WhatPaid, orders.WhatShipped, orders.WhatDelivered, orders.WhatCompleted:
			h.Tone = views.Good
		case orders.WhatRejected, orders.WhatCase:
			h.Tone = views.Bad
		default:
		}
		out = append(out, h)
	}
	return out
}

// paymentRows is what happened to the money of an order.
func paymentRows(o orders.Order) []views.PaymentRow {
	var out []views.PaymentRow
	refunds, refused := 0, 0
	for _, e := range o.Timeline {
		switch {
		case e.What == orders.WhatPaid:
			out = append(out, views.PaymentRow{Text: "Paid", Amount: o.Sums.Total, At: e.At, Tone: views.Good})
		case e.What == orders.WhatRefunded:
			refunds++
		case e.What == orders.WhatCase && e.SellerOrder != "":
			refused++
		}
	}
	if refunds == 0 || refused > 0 || o.Refunded.IsZero() { // what of it was not given back, the timeline says
		return out
	}
	for _, e := range slices.Backward(o.Timeline) {
		if e.What == orders.WhatRefunded {
			return append(out, views.PaymentRow{Text: "Refunded in all", Amount: o.Refunded.Neg(), At: e.At})
		}
	}
	return out
}
