package storefront

import (
	"fmt"
	"net/http"
	"strings"

	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

// refusedRefunds counts the money that the provider will not give back: refunds, and what came too late.
func (v *visit) refusedRefunds() (int, error) {
	refunds, err := v.Payments.ListRefusedRefunds(v.ctx(), payments.ListRefusedRefundsRequest{By: v.by, Page: page.Request{Limit: countMost}})
	if err != nil {
		return 0, err
	}
	late, err := v.lateMoney(nil)
	return len(refunds.Refunds) + len(late), err
}

// lateMoney is what came after its order had ended, and that the provider has refused for days to take back: of one
// order, or of all if of is nil.
func (v *visit) lateMoney(of *id.Ref) ([]payments.Return, error) {
	reply, err := v.Payments.ListReturns(v.ctx(), payments.ListReturnsRequest{By: v.by, Order: of, Page: page.Request{Limit: countMost}})
	var out []payments.Return
	for _, r := range reply.Returns {
		if r.Status == payments.RefundFailed {
			out = append(out, r)
		}
	}
	return out, err
}

// refundsURL is the page of what is refused of one order.
func refundsURL(of id.Ref) string { return withParam(views.PathOpRefunds, "order", string(of)) }

// orderTroubles says what of an order's money does not go back by itself, each with where it is seen to. The page of
// an order is shown without, should payments not answer.
func (v *visit) orderTroubles(of id.Ref) []views.Link {
	var out []views.Link
	say := func(format string, amount money.Money) {
		out = append(out, views.Link{Text: fmt.Sprintf(format, FormatMoney(amount)), URL: refundsURL(of)})
	}
	reply, err := v.Payments.ListRefusedRefunds(v.ctx(), payments.ListRefusedRefundsRequest{By: v.by, Order: &of, Page: page.Request{Limit: countMost}})
	if err != nil {
		v.warn(err, "order shown without its refused refunds")
	}
	for _, r := range reply.Refunds {
		say("A refund of %s was refused.", r.Refund.Amount)
	}
	late, err := v.lateMoney(&of)
	if err != nil {
		v.warn(err, "order shown without the money that came late")
	}
	for _, r := range late {
		say("%s came after the order had ended, and the provider will not take it back.", r.Amount)
	}
	return out
}

// operatorRefunds is the money that the provider will not give back, and what can be done about it.
func (v *visit) operatorRefunds() error {
	var of *id.Ref // nil: every order
	here := views.PathOpRefunds
	if order := orders.OrderID(v.query("order")); orders.OrderIDs.Valid(order) {
		ref := id.RefOf(order)
		of, here = &ref, refundsURL(ref)
	}
	reply, err := v.Payments.ListRefusedRefunds(v.ctx(), payments.ListRefusedRefundsRequest{By: v.by, Order: of, Page: v.cursor(ordersSize)})
	if err != nil {
		return err
	}
	out := views.OperatorRefunds{
		Page:  v.operatorFrame("Refused refunds", views.PathOpRefunds),
		Empty: views.Empty{Title: "No refused refunds", Text: "Everything that was to go back to a buyer has gone back, or is on its way."},
	}
	for _, r := range reply.Refunds {
		base := views.PathOpRefunds + "/" + string(r.Refund.ID)
		row := v.refundRow(string(r.Refund.ID), r.Order)
		row.Amount, row.Why, row.Reason, row.At = r.Refund.Amount, sentence(r.Refund.Why), sentence(r.Reason), r.RefusedAt
		row.Acts, row.Close = []views.Act{{Text: "Try again", URL: base + "/retry"}}, base+"/close"
		out.Rows = append(out.Rows, row)
	}
	if v.query("cursor") == "" {
		late, err := v.lateMoney(of)
		if err != nil {
			v.warn(err, "refused refunds shown without the money that came late")
		}
		for _, r := range late {
			row := v.refundRow(string(r.Payment), r.Order)
			row.Amount, row.Why, row.Reason = r.Amount, "It came on "+v.day(r.At)+", after the order had ended.", sentence(r.Reason)
			row.Acts = []views.Act{{Text: "Try again", URL: views.PathOpRefunds + "/late/" + string(r.Payment) + "/retry"}}
			out.Rows = append(out.Rows, row)
		}
	}
	if of != nil {
		out.Empty = views.Empty{Title: "Nothing is refused of this order", Links: []views.Link{{Text: "All refused refunds", URL: views.PathOpRefunds}}}
		chip := views.Chip{Label: "Order", Text: string(*of), URL: views.PathOpRefunds}
		if len(out.Rows) > 0 {
			chip.Text = strings.TrimPrefix(out.Rows[0].Order.Text, "order ")
		}
		out.Chips = []views.Chip{chip}
	}
	out.Pager = v.pagerOf(here, reply.Next, len(out.Rows), "refund waits", "refunds wait")
	return v.show(http.StatusOK, out)
}

// refundRow is a row with the order that it is of and who waits for the money. There are few of them, so each order
// is asked for by itself.
func (v *visit) refundRow(rid string, of id.Ref) views.RefundRow {
	row := views.RefundRow{ID: rid, Order: views.Link{Text: "order " + string(of), URL: views.PathOpOrders + "/" + string(of)}}
	got, err := v.Orders.GetOrder(v.ctx(), orders.GetOrderRequest{By: v.by, Order: orders.OrderID(of)})
	if err != nil {
		v.warn(err, "refused refund shown without its order")
		return row
	}
	o := got.Order
	row.Order.Text = "order " + o.Number
	row.Buyer = filled(o.Contact.Name, o.Contact.Email, o.Delivery.Phone)
	return row
}

func (v *visit) retryRefund() error {
	_, err := v.Payments.RetryRefund(v.ctx(), payments.RetryRefundRequest{
		By: v.by, Key: v.key(), Refund: payments.RefundID(v.param("refund")), Why: "tried again on the operator's page",
	})
	return v.refundSeenTo(err, "The provider is being asked again. If it refuses, the refund comes back here.")
}

func (v *visit) closeRefund() error {
	how := v.field("how")
	if how == "" {
		return v.done(views.PathOpRefunds, views.Flash{Text: "Say how the money went back, for the audit log.", Tone: views.Bad})
	}
	reply, err := v.Payments.CloseRefund(v.ctx(), payments.CloseRefundRequest{
		By: v.by, Key: v.key(), Refund: payments.RefundID(v.param("refund")), Why: how,
	})
	return v.refundSeenTo(err, fmt.Sprintf("%s was paid back another way. The order says so.", FormatMoney(reply.Refund.Amount)))
}

func (v *visit) retryLate() error {
	_, err := v.Payments.RetryReturn(v.ctx(), payments.RetryReturnRequest{
		By: v.by, Key: v.key(), Payment: payments.PaymentID(v.param("payment")), Why: "tried again on the operator's page",
	})
	return v.refundSeenTo(err, "The provider is being asked again. If it refuses, the money comes back here.")
}

func (v *visit) refundSeenTo(err error, said string) error {
	switch {
	case err == nil:
		return v.done(views.PathOpRefunds, views.Flash{Text: said, Tone: views.Good})
	case errs.KindOf(err) == errs.Conflict:
		return v.done(views.PathOpRefunds, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	default:
		return err
	}
}
