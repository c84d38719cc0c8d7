package storefront

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

const pathSellerOrdersCSV = views.PathSellerOrders + ".csv"

func partURL(part orders.SellerOrderID) string { return views.PathSellerOrders + "/" + string(part) }

// stateToShip is the state in an address of what the seller has to do: orders that are paid and not all shipped. The
// others are states of fulfilment.
const stateToShip = "to_ship"

// partTabs are the states by which a seller's orders are narrowed.
var partTabs = []struct{ state, text string }{
	{"", "All"},
	{stateToShip, "To ship"},
	{string(orders.FulfilmentPartlyShipped), "Partly shipped"},
	{string(orders.FulfilmentShipped), "Shipped"},
	{string(orders.FulfilmentDelivered), "Delivered"},
	{string(orders.FulfilmentCancelled), "Cancelled"},
}

// partFilter is what the address asks for; state is "" for all.
func (v *visit) partFilter() (r orders.ListSellerOrdersRequest, state string, by sorting) {
	r = orders.ListSellerOrdersRequest{By: v.by, Seller: catalog.SellerID(v.by.Seller), Text: v.query("number"), Page: v.cursor(ordersSize)}
	asked := v.query("state")
	if asked == string(orders.FulfilmentOpen) { // as the tab's address was before
		asked = stateToShip
	}
	for _, tab := range partTabs {
		if tab.state == asked {
			state = asked
		}
	}
	if state == stateToShip {
		yes := true
		r.Shippable = &yes
	} else {
		r.Fulfilment = orders.Fulfilment(state)
	}
	by = v.sortedBy("sort", partsURL(views.PathSellerOrders, r.Text, state), ups("placed")...)
	r.Sort = ageOf(by)
	return r, state, by
}

// ageOf is the order of a list of orders, which go by when they were made.
func ageOf(by sorting) *orders.Sort {
	order := orders.SortNewest
	if by.chosen == "placed_up" {
		order = orders.SortOldest
	}
	return &order
}

// byAge is the head of the column by which orders are sorted, the newest first if nothing is said.
func byAge(text string, by sorting) views.Column {
	if by.chosen == "" {
		by.chosen = "placed_down"
	}
	return by.column(text, "placed", "up")
}

func partsURL(base, number, state string) string {
	q := url.Values{}
	if number != "" {
		q.Set("number", number)
	}
	if state != "" {
		q.Set("state", state)
	}
	return withParams(base, q)
}

// sellerOrders is the orders that came in.
func (v *visit) sellerOrders() error {
	r, state, by := v.partFilter()
	reply, err := v.Orders.ListSellerOrders(v.ctx(), r)
	if err != nil {
		return err
	}
	counts, err := v.Orders.CountSellerOrders(v.ctx(), orders.CountSellerOrdersRequest{By: v.by, Seller: r.Seller})
	if err != nil {
		return err
	}
	out := views.SellerOrders{
		Page: v.frame("Orders", views.AreaSeller, views.PathSellerOrders), Number: r.Text,
		Columns: []views.Column{{Text: "Order"}, byAge("Placed", by), {Text: "State"}, {Text: "Goes to"}, {Text: "Items", Number: true}, {Text: "Total", Number: true}},
		CSV:     by.as(partsURL(pathSellerOrdersCSV, r.Text, state)),
		Pager:   v.pagerOf(by.here(), reply.Next, len(reply.SellerOrders), "order", "orders"),
		Empty:   views.Empty{Title: "No orders yet", Text: "They show here as soon as they are paid.", Links: []views.Link{{Text: "Your listings", URL: views.PathSellerListings}}},
	}
	all := []views.Link{{Text: "All orders", URL: views.PathSellerOrders}}
	switch {
	case r.Text == "" && state == stateToShip:
		out.Empty = views.Empty{Title: "Nothing to ship", Text: "Orders show here from when they are paid until all of them is on its way.", Links: all}
	case r.Text != "" || state != "":
		out.Empty = views.Empty{Title: "No order fits that", Links: all}
	}
	if r.Text != "" {
		out.Chips = []views.Chip{{Label: "Number", Text: r.Text, URL: partsURL(views.PathSellerOrders, "", state)}}
	}
	for _, tab := range partTabs {
		choice := views.Choice{Text: tab.text, URL: partsURL(views.PathSellerOrders, r.Text, tab.state), Chosen: tab.state == state}
		if tab.state == stateToShip {
			choice.Count = int(counts.Shippable)
		}
		for _, c := range counts.Counts {
			if string(c.Fulfilment) == tab.state {
				choice.Count = int(c.Count)
			}
		}
		out.States = append(out.States, choice)
	}
	for _, s := range reply.SellerOrders {
		out.Rows = append(out.Rows, partRow(s))
	}
	return v.show(http.StatusOK, out)
}

func partRow(s orders.SellerOrderSummary) views.OrderRow {
	return views.OrderRow{
		Number: s.Number, URL: partURL(s.ID), PlacedAt: s.PlacedAt, Status: partStatus(s.Fulfilment, s.Paid, s.Case), Total: s.Total,
		Units: int(s.Pieces), Buyer: countryName(s.Country),
	}
}

// sellerOrdersCSV is the orders of the list as a table.
func (v *visit) sellerOrdersCSV() error {
	r, _, _ := v.partFilter()
	r.Page = page.Request{Limit: 100}
	return v.csv("orders.csv", []string{"order", "placed", "state", "paid", "country", "pieces", "to_ship", "total", "currency", "stopped"},
		func(write func(...string) error) (bool, error) {
			reply, err := v.Orders.ListSellerOrders(v.ctx(), r)
			if err != nil {
				return false, err
			}
			for _, s := range reply.SellerOrders {
				err := write(s.Number, s.PlacedAt.String(), string(s.Fulfilment), strconv.FormatBool(s.Paid), s.Country, strconv.FormatInt(s.Pieces, 10),
					strconv.FormatInt(s.ToShip, 10), s.Total.Decimal(), string(s.Total.Currency), strconv.FormatBool(s.Case))
				if err != nil {
					return false, err
				}
			}
			r.Page.Cursor = reply.Next
			return reply.Next != "", nil
		})
}

// part is the seller order that the address names.
func (v *visit) part() (orders.SellerOrder, error) {
	sid := orders.SellerOrderID(v.param("part"))
	if !orders.SellerOrderIDs.Valid(sid) {
		return orders.SellerOrder{}, orders.ErrNotFound.With("there is no such order")
	}
	reply, err := v.Orders.GetSellerOrder(v.ctx(), orders.GetSellerOrderRequest{By: v.by, SellerOrder: sid})
	return reply.SellerOrder, err
}

// sellerOrder is one order with what can be done about it.
func (v *visit) sellerOrder() error {
	so, err := v.part()
	if err != nil {
		return err
	}
	return v.showPart(http.StatusOK, so, views.Form{})
}

func (v *visit) showPart(status int, so orders.SellerOrder, form views.Form) error {
	out := views.SellerOrder{
		Page: v.frame("Order "+so.Number, views.AreaSeller, partURL(so.ID)), Part: v.partView(so), PlacedAt: so.PlacedAt,
		Delivery: postalLines(so.Delivery), Contact: filled(so.Buyer, so.Delivery.Phone),
		Timeline: timeline(so.Timeline, map[orders.SellerOrderID]string{so.ID: so.SellerName}, false),
	}
	out.Crumbs = []views.Link{{Text: "Orders", URL: views.PathSellerOrders}}
	for i, p := range so.Parcels {
		if p.DeliveredAt.IsZero() {
			out.Part.Parcels[i].Acts = []views.Act{{Text: "It has arrived", URL: partURL(so.ID) + "/parcels/" + string(p.ID) + "/deliver"}}
		}
	}
	var lines []views.ShipLine
	for _, l := range so.Lines {
		if left(l) > 0 {
			lines = append(lines, views.ShipLine{ID: string(l.ID), Title: l.Title, Options: optionText(l.Options), SKU: l.SKU, Left: int(left(l))})
		}
	}
	if len(lines) > 0 {
		text := "Cancel what is not shipped and refund it"
		if so.Case {
			text = "Cancel it, for which nothing was charged"
		} else if whole(so) {
			text = "Cancel the whole and refund " + FormatMoney(so.Sums.Total)
		}
		out.Part.Acts = []views.Act{{Text: text, URL: partURL(so.ID) + "/cancel"}}
	}
	if len(lines) > 0 && so.Paid {
		form.ID = "ship"
		out.Ship = &views.ShipForm{Form: form, Action: partURL(so.ID) + "/ship", Lines: lines}
	}
	return v.show(status, out)
}

// ship books a parcel with what was said to be in it.
func (v *visit) ship() error {
	so, err := v.part()
	if err != nil {
		return err
	}
	typed, wrong := v.fields("carrier", "tracking"), map[string]string{}
	var items []orders.ParcelItem
	names := []fieldName{}
	for _, l := range so.Lines {
		field := "quantity." + string(l.ID)
		text := v.field(field)
		if text == "" {
			continue
		}
		typed[field] = text
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil || n < 0:
			wrong[field] = "Write how many are in the parcel, as a whole number."
		case n > 0:
			names = append(names, fieldName{fmt.Sprintf("items[%d].quantity", len(items)), field, l.Title + ":"},
				fieldName{string(l.ID), field, l.Title + ":"})
			items = append(items, orders.ParcelItem{Line: l.ID, Quantity: n})
		}
	}
	if len(wrong) > 0 || len(items) == 0 {
		form := views.NewForm(typed, wrong)
		form.Key = v.field("key")
		if len(wrong) == 0 {
			form.Problem = "Say what is in the parcel: every line says 0."
		}
		return v.showPart(http.StatusBadRequest, so, form)
	}
	_, err = v.Orders.Ship(v.ctx(), orders.ShipRequest{
		By: v.by, Key: v.key(), SellerOrder: so.ID, Items: items, Carrier: typed["carrier"], Tracking: typed["tracking"],
	})
	if err == nil {
		return v.done(partURL(so.ID), views.Flash{Text: "The parcel is on its way, and the buyer can see it.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	names = append(names, fieldName{"carrier", "carrier", "The carrier"}, fieldName{"tracking", "tracking", "The tracking number"})
	return v.showPart(httpx.Status(err), so, v.refusedForm(err, typed, names))
}

// deliver marks a parcel as arrived.
func (v *visit) deliver() error {
	part := orders.SellerOrderID(v.param("part"))
	_, err := v.Orders.Deliver(v.ctx(), orders.DeliverRequest{By: v.by, Key: v.key(), SellerOrder: part, Parcel: orders.ParcelID(v.param("parcel"))})
	return v.afterPart(part, err, "The parcel has arrived.")
}

// cancelAsSeller takes back what has not shipped, and refunds it.
func (v *visit) cancelAsSeller() error {
	part := orders.SellerOrderID(v.param("part"))
	_, err := v.Orders.Cancel(v.ctx(), orders.CancelRequest{By: v.by, Key: v.key(), SellerOrder: part, Why: "cancelled by the seller"})
	return v.afterPart(part, err, "Cancelled. What the buyer paid for it goes back.")
}

func (v *visit) afterPart(part orders.SellerOrderID, err error, said string) error {
	switch {
	case err == nil:
		return v.done(partURL(part), views.Flash{Text: said, Tone: views.Good})
	case errs.KindOf(err) == errs.Conflict:
		return v.done(partURL(part), views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	default:
		return err
	}
}
