package storefront

import (
	"net/http"
	"net/url"
	"strings"

	"souk/internal/orders"
	"souk/internal/platform/errs"
	"souk/internal/storefront/views"
)

// ordersSize is how many orders a page of a list has.
const ordersSize = 20

// orderTabs are the states by which a history is narrowed.
var orderTabs = []struct {
	state orders.Status
	text  string
}{
	{"", "All"},
	{orders.StatusPlaced, "Under way"},
	{orders.StatusCompleted, "Done"},
	{orders.StatusPending, "Not finished"},
	{orders.StatusRejected, "Not placed"},
}

// orderFilter is what a list of orders is asked for.
type orderFilter struct {
	base, number string
	state        orders.Status
}

func (v *visit) orderFilter(base string) orderFilter {
	f := orderFilter{base: base, number: v.query("number")}
	if base == views.PathOpOrders && v.query("state") == string(stateStopped) {
		f.state = stateStopped
	}
	for _, tab := range orderTabs {
		if string(tab.state) == v.query("state") {
			f.state = tab.state
		}
	}
	return f
}

func (f orderFilter) url() string { return withParams(f.base, f.query()) }

func (f orderFilter) query() url.Values {
	q := url.Values{}
	if f.number != "" {
		q.Set("number", f.number)
	}
	if f.state != "" {
		q.Set("state", string(f.state))
	}
	return q
}

func (f orderFilter) tabs() []views.Choice {
	out := make([]views.Choice, 0, len(orderTabs))
	for _, tab := range orderTabs {
		g := f
		g.state = tab.state
		out = append(out, views.Choice{Text: tab.text, URL: g.url(), Chosen: tab.state == f.state})
	}
	if f.base == views.PathOpOrders {
		g := f
		g.state = stateStopped
		out = append(out, views.Choice{Text: "Stopped checkouts", URL: g.url(), Chosen: f.state == stateStopped})
	}
	return out
}

func (f orderFilter) chips() []views.Chip {
	if f.number == "" {
		return nil
	}
	g := f
	g.number = ""
	return []views.Chip{{Label: "Number", Text: f.number, URL: g.url()}}
}

// pagerOf leads through a list of which only the next cursor is known.
func (v *visit) pagerOf(address, next string, shown int, noun, nouns string) views.Pager {
	p := views.Pager{Shown: shown, Total: -1, Noun: noun, Nouns: nouns}
	if next != "" {
		p.Next = withParam(address, "cursor", next)
	}
	if v.query("cursor") != "" {
		p.First = address
	}
	return p
}

// orders is the caller's history.
func (v *visit) orders() error {
	f := v.orderFilter(views.PathOrders)
	reply, err := v.Orders.ListOrders(v.ctx(), orders.ListOrdersRequest{By: v.by, Status: f.state, Text: f.number, Page: v.cursor(ordersSize)})
	if err != nil {
		return err
	}
	out := views.Orders{
		Page: v.frame("Orders", views.AreaAccount, views.PathOrders), Number: f.number, States: f.tabs(), Chips: f.chips(),
		Pager: v.pagerOf(f.url(), reply.Next, len(reply.Orders), "order", "orders"),
		Empty: views.Empty{Title: "No orders yet", Text: "What you buy is kept here, with everything that was agreed.", Links: []views.Link{{Text: "Look around", URL: views.PathHome}}},
	}
	if f.number != "" || f.state != "" {
		out.Empty = views.Empty{Title: "No order fits that", Text: "Look at all of them, or check the number.", Links: []views.Link{{Text: "All orders", URL: views.PathOrders}}}
	}
	for _, s := range reply.Orders {
		out.Rows = append(out.Rows, v.orderRow(s, views.PathOrders+"/"))
	}
	return v.show(http.StatusOK, out)
}

// orderRow is an order in a list; under is where orders are read.
func (v *visit) orderRow(s orders.Summary, under string) views.OrderRow {
	row := views.OrderRow{
		Number: s.Number, URL: under + string(s.ID), PlacedAt: s.PlacedAt, Total: s.Total, Units: int(s.Pieces), Sellers: listed(s.Sellers),
		Status: orderStatus(standing{status: s.Status, why: s.Reason, captured: s.Captured, stopped: s.Case, parts: s.Fulfilment}),
	}
	if row.PlacedAt.IsZero() {
		row.PlacedAt = s.CreatedAt
	}
	if s.Status == orders.StatusPending && under == views.PathOrders+"/" {
		row.URL = checkoutURL(s.ID)
	}
	for i, title := range s.Titles {
		image := ""
		if i == 0 {
			image = s.Image
		}
		if i < 3 {
			row.Pictures = append(row.Pictures, v.look().picture(image, "", title))
		}
	}
	return row
}

// listed is names as one says them: "A, B and C".
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// order is one order, for its buyer or whoever has its link.
func (v *visit) order() error {
	asked, err := v.orderAsked()
	if err != nil {
		return err
	}
	got, err := v.Orders.GetOrder(v.ctx(), asked)
	if err != nil {
		return err
	}
	o := got.Order
	if o.Status == orders.StatusPending || o.Status == orders.StatusRejected {
		return v.see(withLink(checkoutURL(o.ID), v.query("link")))
	}
	area := views.AreaAccount
	if !v.by.SignedIn() {
		area = views.AreaShop
	}
	out := views.OrderPage{Page: v.frame("Order "+o.Number, area, views.PathOrders+"/"+string(o.ID)), Order: v.orderView(o, v.eyes(asked, o))}
	out.Hidden = true
	if v.by.SignedIn() {
		out.Crumbs = []views.Link{{Text: "Orders", URL: views.PathOrders}}
	}
	return v.show(http.StatusOK, out)
}

// eyes is how the caller sees an order that it may see: a guest by the link, which its page
// must hand on.
func (v *visit) eyes(asked orders.GetOrderRequest, o orders.Order) orderEyes {
	if v.by.SignedIn() && string(o.Buyer) == string(v.by.Person) || v.by.IsOperator() {
		return orderEyes{}
	}
	return orderEyes{link: asked.Link}
}

func withLink(address, link string) string {
	if link == "" {
		return address
	}
	return withParam(address, "link", link)
}

// summary is an order for printing.
func (v *visit) summary() error {
	asked, err := v.orderAsked()
	if err != nil {
		return err
	}
	got, err := v.Orders.GetOrder(v.ctx(), asked)
	if err != nil {
		return err
	}
	out := views.Summary{
		Page:  v.frame("Order "+got.Order.Number, views.AreaAccount, views.PathOrders+"/"+string(got.Order.ID)+"/summary"),
		Order: v.orderView(got.Order, v.eyes(asked, got.Order)), Printed: v.Now(), Operator: v.RunBy,
	}
	out.Hidden = true
	return v.show(http.StatusOK, out)
}

// cancelOrder cancels of every part what has not shipped.
func (v *visit) cancelOrder() error {
	asked, err := v.orderAsked()
	if err != nil {
		return err
	}
	got, err := v.Orders.GetOrder(v.ctx(), asked)
	if err != nil {
		return err
	}
	var parts []orders.SellerOrderID
	for _, so := range got.Order.SellerOrders {
		if cancellable(got.Order.Status, so) {
			parts = append(parts, so.ID)
		}
	}
	return v.cancel(asked, parts)
}

// cancelPart cancels of one part what has not shipped.
func (v *visit) cancelPart() error {
	asked, err := v.orderAsked()
	if err != nil {
		return err
	}
	part := orders.SellerOrderID(v.param("part"))
	if !orders.SellerOrderIDs.Valid(part) {
		return orders.ErrNotFound.With("there is no such order")
	}
	return v.cancel(asked, []orders.SellerOrderID{part})
}

func (v *visit) cancel(asked orders.GetOrderRequest, parts []orders.SellerOrderID) error {
	asOperator := strings.HasPrefix(v.r.URL.Path, views.PathOpOrders)
	to, why := withLink(views.PathOrders+"/"+string(asked.Order), v.field("link")), "cancelled by the buyer"
	if asOperator {
		to, why = views.PathOpOrders+"/"+string(asked.Order), "cancelled by the marketplace"
	}
	key := v.key()
	for _, part := range parts {
		_, err := v.Orders.Cancel(v.ctx(), orders.CancelRequest{
			By: v.by, Key: key + ":" + string(part), SellerOrder: part, Why: why, Link: asked.Link,
		})
		switch {
		case err == nil:
		case errs.KindOf(err) == errs.Conflict:
			return v.done(to, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
		default:
			return err
		}
	}
	return v.done(to, views.Flash{Text: "Cancelled. What was paid for it goes back.", Tone: views.Good})
}
