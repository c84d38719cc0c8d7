package storefront

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// countMost is up to how many waiting things are counted.
const countMost = 100

// operatorWork is the counts beside the links of the operator's navigation.
func (v *visit) operatorWork() views.WorkList {
	work := views.WorkList{}
	if n, err := v.waitingSellers(); err == nil {
		work[views.PathOpSellers] = n
	} else {
		v.warn(err, "page shown without the count of applications")
	}
	if n, err := v.parked(); err == nil {
		work[views.PathOpEvents] = n
	} else {
		v.warn(err, "page shown without the count of parked events")
	}
	if jobs, err := v.Operations.DeadJobs(v.ctx(), countMost); err == nil {
		work[views.PathOpJobs] = len(jobs)
	} else {
		v.warn(err, "page shown without the count of dead jobs")
	}
	return work
}

func (v *visit) waitingSellers() (int, error) {
	reply, err := v.Catalog.ListSellers(v.ctx(), catalog.ListSellersRequest{By: v.by, Status: catalog.SellerApplied, Page: page.Request{Limit: countMost}})
	return len(reply.Sellers), err
}

func (v *visit) parked() (int, error) {
	all, err := v.Operations.Subscribers(v.ctx())
	var n int64
	for _, s := range all {
		n += s.Parked
	}
	return int(n), err
}

// operatorFrame is the frame of an operator's page.
func (v *visit) operatorFrame(title, here string) views.Page {
	p := v.frame(title, views.AreaOperator, here)
	p.Work = v.operatorWork()
	return p
}

// operatorHome begins with what needs the operator.
func (v *visit) operatorHome() error {
	out := views.OperatorHome{Page: v.operatorFrame("Overview", views.PathOperator)}
	work := out.Work
	out.Needs = []views.Need{
		need(work[views.PathOpSellers], "seller to approve", "sellers to approve", views.PathOpSellers+"?state="+string(catalog.SellerApplied), views.Warn),
		need(work[views.PathOpEvents], "parked event", "parked events", views.PathOpEvents, views.Bad),
		need(work[views.PathOpJobs], "dead job", "dead jobs", views.PathOpJobs, views.Bad),
	}
	modules, err := v.moduleRows()
	if err != nil {
		v.warn(err, "overview shown without modules")
	}
	out.Modules = modules
	out.Today = v.today()
	return v.show(http.StatusOK, out)
}

// today is a few figures; what cannot be had is left out.
func (v *visit) today() []views.Figure {
	var out []views.Figure
	midnight := clock.Of(v.Now().Std().UTC().Truncate(24 * time.Hour))
	reply, err := v.Orders.ListOrders(v.ctx(), orders.ListOrdersRequest{By: v.by, All: true, From: midnight, Page: page.Request{Limit: countMost}})
	if err != nil {
		v.warn(err, "overview shown without orders")
	} else {
		more := ""
		if reply.Next != "" {
			more = "the latest " + fmt.Sprint(len(reply.Orders)) + " of more"
		}
		out = append(out, views.Figure{Text: "Orders today (UTC)", Value: group(fmt.Sprint(len(reply.Orders))), Note: more}, views.Figure{Text: "Bought today", Value: totals(reply.Orders), Note: more})
	}
	found, err := v.Search.Query(v.ctx(), search.QueryRequest{Page: page.Request{Limit: 1}})
	if err != nil {
		v.warn(err, "overview shown without listings")
		return out
	}
	seen := v.look()
	note := Count(len(seen.sellers), "seller", "sellers")
	if seen.more {
		note = "more than " + note
	}
	return append(out, views.Figure{Text: "Listings on offer", Value: group(fmt.Sprint(found.Total)), Note: note})
}

// totals adds up what was bought, by currency.
func totals(all []orders.Summary) string {
	sums := map[money.Currency]money.Money{}
	var order []money.Currency
	for _, o := range all {
		if o.Status != orders.StatusPlaced && o.Status != orders.StatusCompleted {
			continue
		}
		c := o.Total.Currency
		if _, known := sums[c]; !known {
			sums[c] = money.Zero(c)
			order = append(order, c)
		}
		sums[c] = addUp(sums[c], o.Total)
	}
	if len(order) == 0 {
		return "nothing yet"
	}
	parts := make([]string, 0, len(order))
	for _, c := range order {
		parts = append(parts, FormatMoney(sums[c]))
	}
	return strings.Join(parts, ", ")
}

// sellerTabs are the states by which sellers are narrowed.
var sellerTabs = []struct {
	state catalog.SellerStatus
	text  string
}{{"", "All"}, {catalog.SellerApplied, "Waiting"}, {catalog.SellerApproved, "Approved"}, {catalog.SellerSuspended, "Suspended"}}

func sellersURL(text string, state catalog.SellerStatus) string {
	q := url.Values{}
	if text != "" {
		q.Set("q", text)
	}
	if state != "" {
		q.Set("state", string(state))
	}
	return withParams(views.PathOpSellers, q)
}

// operatorSellers is the sellers, with what can be decided about each.
func (v *visit) operatorSellers() error {
	r := catalog.ListSellersRequest{By: v.by, Text: v.query("q"), Page: v.cursor(ordersSize)}
	for _, tab := range sellerTabs {
		if string(tab.state) == v.query("state") {
			r.Status = tab.state
		}
	}
	reply, err := v.Catalog.ListSellers(v.ctx(), r)
	if err != nil {
		return err
	}
	out := views.OperatorSellers{
		Page: v.operatorFrame("Sellers", views.PathOpSellers), Query: r.Text,
		Pager: v.pagerOf(sellersURL(r.Text, r.Status), reply.Next, len(reply.Sellers), "seller", "sellers"),
		Empty: views.Empty{Title: "No seller fits that", Links: []views.Link{{Text: "All sellers", URL: views.PathOpSellers}}},
	}
	for _, tab := range sellerTabs {
		choice := views.Choice{Text: tab.text, URL: sellersURL(r.Text, tab.state), Chosen: tab.state == r.Status}
		if tab.state == catalog.SellerApplied {
			choice.Count = out.Work[views.PathOpSellers]
		}
		out.States = append(out.States, choice)
	}
	if r.Text != "" {
		out.Chips = []views.Chip{{Label: "Name", Text: r.Text, URL: sellersURL("", r.Status)}}
	}
	for _, s := range reply.Sellers {
		out.Rows = append(out.Rows, sellerRow(s))
	}
	return v.show(http.StatusOK, out)
}

func sellerRow(s catalog.Seller) views.SellerRow {
	row := views.SellerRow{ID: string(s.ID), Name: s.Name, Legal: legalLines(s.Legal), Applied: s.CreatedAt, Listings: int(s.ActiveCount), AskWhy: true}
	base := views.PathOpSellers + "/" + string(s.ID)
	approve, suspend := views.Act{Text: "Approve", URL: base + "/approve"}, views.Act{Text: "Suspend", URL: base + "/suspend"}
	switch s.Status {
	case catalog.SellerApplied:
		row.Status, row.Acts = views.Status{Text: "Waits for approval", Tone: views.Warn}, []views.Act{approve}
	case catalog.SellerApproved:
		row.URL, row.Status, row.Acts = shopURL(s.Slug), views.Status{Text: "Approved", Tone: views.Good}, []views.Act{suspend}
	default:
		approve.Text = "Reinstate"
		row.Status, row.Acts = views.Status{Text: sentence("suspended: " + s.Why), Tone: views.Bad}, []views.Act{approve}
	}
	return row
}

func (v *visit) approveSeller() error {
	return v.decide(catalog.SellerApproved, "is approved and may sell.")
}

func (v *visit) suspendSeller() error {
	return v.decide(catalog.SellerSuspended, "is suspended: nothing of it is on offer.")
}

func (v *visit) decide(status catalog.SellerStatus, said string) error {
	reply, err := v.Catalog.ChangeSellerStatus(v.ctx(), catalog.ChangeSellerStatusRequest{
		By: v.by, Key: v.key(), Seller: catalog.SellerID(v.param("seller")), Status: status, Why: v.field("why"),
	})
	switch {
	case err == nil:
		return v.done(views.PathOpSellers, views.Flash{Text: reply.Seller.Name + " " + said, Tone: views.Good})
	case errs.KindOf(err) == errs.Invalid && errs.As(err).Fields["why"] != "":
		return v.done(views.PathOpSellers, views.Flash{Text: "Say why: a reason is needed to suspend a seller.", Tone: views.Bad})
	case errs.KindOf(err) == errs.Conflict:
		return v.done(views.PathOpSellers, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	default:
		return err
	}
}

// operatorOrders finds any order.
func (v *visit) operatorOrders() error {
	f := v.orderFilter(views.PathOpOrders)
	reply, err := v.Orders.ListOrders(v.ctx(), orders.ListOrdersRequest{By: v.by, All: true, Status: f.state, Text: f.number, Page: v.cursor(ordersSize)})
	if err != nil {
		return err
	}
	out := views.OperatorOrders{
		Page: v.operatorFrame("Orders", views.PathOpOrders), Number: f.number, States: f.tabs(), Chips: f.chips(),
		Columns: []views.Column{{Text: "Order"}, {Text: "Placed"}, {Text: "State"}, {Text: "Sellers"}, {Text: "Items", Number: true}, {Text: "Total", Number: true}},
		Pager:   v.pagerOf(f.url(), reply.Next, len(reply.Orders), "order", "orders"),
		Empty:   views.Empty{Title: "No order fits that", Links: []views.Link{{Text: "All orders", URL: views.PathOpOrders}}},
	}
	for _, s := range reply.Orders {
		out.Rows = append(out.Rows, v.orderRow(s, views.PathOpOrders+"/"))
	}
	return v.show(http.StatusOK, out)
}

// operatorOrder is one order, as who runs the marketplace sees it.
func (v *visit) operatorOrder() error {
	asked, err := v.orderAsked()
	if err != nil {
		return err
	}
	got, err := v.Orders.GetOrder(v.ctx(), asked)
	if err != nil {
		return err
	}
	out := views.OrderPage{
		Page:  v.operatorFrame("Order "+got.Order.Number, views.PathOpOrders+"/"+string(got.Order.ID)),
		Order: v.orderView(got.Order, orderEyes{operator: true}),
	}
	out.Crumbs = []views.Link{{Text: "Orders", URL: views.PathOpOrders}}
	return v.show(http.StatusOK, out)
}

// retryCapture has the money of an order whose charge was refused asked for once more.
func (v *visit) retryCapture() error {
	asked, err := v.orderAsked()
	if err != nil {
		return err
	}
	to := views.PathOpOrders + "/" + string(asked.Order)
	_, err = v.Orders.RetryCapture(v.ctx(), orders.RetryCaptureRequest{By: v.by, Key: v.key(), Order: asked.Order, Why: "tried again on the order's page"})
	if errs.KindOf(err) == errs.Conflict {
		return v.done(to, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	}
	if err != nil {
		return err
	}
	return v.done(to, views.Flash{Text: "The charge is being tried again. This page says what came of it.", Tone: views.Good})
}
