package storefront

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// countMost is up to how many waiting things are counted.
const countMost = 100

const (
	pathOpSellersCSV = views.PathOpSellers + ".csv"
	pathOpOrdersCSV  = views.PathOpOrders + ".csv"
	pathOpAuditCSV   = views.PathOpAudit + ".csv"
)

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
	if n, err := v.stopped(); err == nil {
		work[views.PathOpOrders] = n
	} else {
		v.warn(err, "page shown without the count of stopped checkouts")
	}
	if n, err := v.refusedRefunds(); err == nil {
		work[views.PathOpRefunds] = n
	} else {
		v.warn(err, "page shown without the count of refused refunds")
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

// stopped counts the orders whose checkout goes on no more by itself.
func (v *visit) stopped() (int, error) {
	yes := true
	reply, err := v.Orders.ListOrders(v.ctx(), orders.ListOrdersRequest{By: v.by, All: true, Stopped: &yes, Page: page.Request{Limit: countMost}})
	return len(reply.Orders), err
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
		need(work[views.PathOpOrders], "stopped checkout", "stopped checkouts", views.PathOpOrders+"?state="+string(stateStopped), views.Bad),
		need(work[views.PathOpRefunds], "refused refund", "refused refunds", views.PathOpRefunds, views.Bad),
		need(work[views.PathOpEvents], "parked event", "parked events", views.PathOpEvents, views.Bad),
		need(work[views.PathOpJobs], "dead job", "dead jobs", views.PathOpJobs, views.Bad),
	}
	modules, err := v.moduleRows()
	if err != nil {
		v.warn(err, "overview shown without modules")
	}
	out.Columns, out.Modules = moduleHeads(sorting{param: "sort", base: views.PathOpModules}), modules
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
}{{"", "All"}, {catalog.SellerApplied, "Waiting"}, {catalog.SellerApproved, "Approved"}, {catalog.SellerSuspended, "Suspended"}, {catalog.SellerDeclined, "Declined"}}

func sellersURL(base, text string, state catalog.SellerStatus) string {
	q := url.Values{}
	if text != "" {
		q.Set("q", text)
	}
	if state != "" {
		q.Set("state", string(state))
	}
	return withParams(base, q)
}

// sellerFilter is what the list of sellers is asked for, and how it is sorted.
func (v *visit) sellerFilter() (catalog.ListSellersRequest, sorting) {
	r := catalog.ListSellersRequest{By: v.by, Text: v.query("q"), Page: v.cursor(ordersSize)}
	for _, tab := range sellerTabs {
		if string(tab.state) == v.query("state") {
			r.Status = tab.state
		}
	}
	by := v.sortedBy("sort", sellersURL(views.PathOpSellers, r.Text, r.Status), ups("name", "applied")...)
	r.Sort = orderOf[catalog.SellerSort](by)
	return r, by
}

// operatorSellers is the sellers, with what can be decided about each.
func (v *visit) operatorSellers() error {
	r, by := v.sellerFilter()
	reply, err := v.Catalog.ListSellers(v.ctx(), r)
	if err != nil {
		return err
	}
	heads := by
	if heads.chosen == "" {
		heads.chosen = string(catalog.SellersByName)
	}
	out := views.OperatorSellers{
		Page: v.operatorFrame("Sellers", views.PathOpSellers), Query: r.Text,
		Columns: []views.Column{
			heads.column("Seller", "name", "up"), {Text: "State"}, heads.column("Applied", "applied", "up"), {Text: "Listings", Number: true}, {Text: "Decide"},
		},
		CSV:   by.as(sellersURL(pathOpSellersCSV, r.Text, r.Status)),
		Pager: v.pagerOf(by.here(), reply.Next, len(reply.Sellers), "seller", "sellers"),
		Empty: views.Empty{Title: "No seller fits that", Links: []views.Link{{Text: "All sellers", URL: views.PathOpSellers}}},
	}
	for _, tab := range sellerTabs {
		choice := views.Choice{Text: tab.text, URL: sellersURL(views.PathOpSellers, r.Text, tab.state), Chosen: tab.state == r.Status}
		if tab.state == catalog.SellerApplied {
			choice.Count = out.Work[views.PathOpSellers]
		}
		out.States = append(out.States, choice)
	}
	if r.Text != "" {
		out.Chips = []views.Chip{{Label: "Name", Text: r.Text, URL: sellersURL(views.PathOpSellers, "", r.Status)}}
	}
	for _, s := range reply.Sellers {
		out.Rows = append(out.Rows, sellerRow(s))
	}
	return v.show(http.StatusOK, out)
}

// operatorSellersCSV is the sellers of the list as a table.
func (v *visit) operatorSellersCSV() error {
	r, _ := v.sellerFilter()
	r.Page = page.Request{Limit: catalog.MaxPage}
	return v.csv("sellers.csv", []string{"seller", "name", "state", "why", "applied", "listings", "currency", "legal_name", "city", "country", "email"},
		func(write func(...string) error) (bool, error) {
			reply, err := v.Catalog.ListSellers(v.ctx(), r)
			if err != nil {
				return false, err
			}
			for _, s := range reply.Sellers {
				err := write(string(s.ID), s.Name, string(s.Status), s.Why, s.CreatedAt.String(), strconv.FormatInt(s.ActiveCount, 10),
					string(s.Currency), s.Legal.Name, s.Legal.City, s.Legal.Country, s.Legal.Email)
				if err != nil {
					return false, err
				}
			}
			r.Page.Cursor = reply.Next
			return reply.Next != "", nil
		})
}

func sellerRow(s catalog.Seller) views.SellerRow {
	row := views.SellerRow{ID: string(s.ID), Name: s.Name, Legal: legalLines(s.Legal), Applied: s.CreatedAt, Listings: int(s.ActiveCount)}
	base := views.PathOpSellers + "/" + string(s.ID)
	approve, suspend := views.Act{Text: "Approve", URL: base + "/approve"}, views.Act{Text: "Suspend", URL: base + "/suspend"}
	switch s.Status {
	case catalog.SellerApplied:
		row.Status = views.Status{Text: "Waits for approval", Tone: views.Warn}
		row.Acts = []views.Act{approve, {Text: "Decline", URL: base + "/decline"}}
	case catalog.SellerApproved:
		row.URL, row.Status, row.Acts = shopURL(s.Slug), views.Status{Text: "Approved", Tone: views.Good}, []views.Act{suspend}
	case catalog.SellerDeclined:
		row.Status, row.Why = views.Status{Text: "Declined"}, sentence(s.Why)
	default:
		approve.Text = "Reinstate"
		row.Status, row.Why, row.Acts = views.Status{Text: "Suspended", Tone: views.Bad}, sentence(s.Why), []views.Act{approve}
	}
	return row
}

func (v *visit) approveSeller() error {
	return v.decide(catalog.SellerApproved, "is approved and may sell.")
}

func (v *visit) declineSeller() error {
	return v.decide(catalog.SellerDeclined, "is declined. Its applicant reads the reason and may apply again.")
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
		return v.done(views.PathOpSellers, views.Flash{Text: "Say why: the seller reads the reason.", Tone: views.Bad})
	case errs.KindOf(err) == errs.Conflict:
		return v.done(views.PathOpSellers, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	default:
		return err
	}
}

// stateStopped narrows to checkouts that go on no more by themselves; it is no status of an order.
const stateStopped orders.Status = "stopped"

// everyonesOrders is what the list of all orders is asked for, and how it is sorted.
func (v *visit) everyonesOrders(f orderFilter) (orders.ListOrdersRequest, sorting) {
	by := v.sortedBy("sort", f.url(), ups("placed")...)
	r := orders.ListOrdersRequest{By: v.by, All: true, Status: f.state, Text: f.number, Page: v.cursor(ordersSize), Sort: ageOf(by)}
	if f.state == stateStopped {
		yes := true
		r.Status, r.Stopped = "", &yes
	}
	return r, by
}

// operatorOrdersCSV is the orders of the list as a table.
func (v *visit) operatorOrdersCSV() error {
	r, _ := v.everyonesOrders(v.orderFilter(views.PathOpOrders))
	r.Page = page.Request{Limit: 100}
	return v.csv("orders.csv", []string{"order", "made", "placed", "state", "reason", "sellers", "pieces", "total", "refunded", "currency", "paid", "stopped"},
		func(write func(...string) error) (bool, error) {
			reply, err := v.Orders.ListOrders(v.ctx(), r)
			if err != nil {
				return false, err
			}
			for _, o := range reply.Orders {
				placed := ""
				if !o.PlacedAt.IsZero() {
					placed = o.PlacedAt.String()
				}
				err := write(o.Number, o.CreatedAt.String(), placed, string(o.Status), string(o.Reason), strings.Join(o.Sellers, "; "),
					strconv.FormatInt(o.Pieces, 10), o.Total.Decimal(), o.Refunded.Decimal(), string(o.Total.Currency),
					strconv.FormatBool(o.Captured), strconv.FormatBool(o.Case))
				if err != nil {
					return false, err
				}
			}
			r.Page.Cursor = reply.Next
			return reply.Next != "", nil
		})
}

// operatorOrders finds any order.
func (v *visit) operatorOrders() error {
	f := v.orderFilter(views.PathOpOrders)
	r, by := v.everyonesOrders(f)
	reply, err := v.Orders.ListOrders(v.ctx(), r)
	if err != nil {
		return err
	}
	out := views.OperatorOrders{
		Page: v.operatorFrame("Orders", views.PathOpOrders), Number: f.number, States: f.tabs(), Chips: f.chips(),
		Columns: []views.Column{{Text: "Order"}, byAge("Placed", by), {Text: "State"}, {Text: "Sellers"}, {Text: "Items", Number: true}, {Text: "Total", Number: true}},
		Pager:   v.pagerOf(by.here(), reply.Next, len(reply.Orders), "order", "orders"),
		CSV:     by.as(withParams(pathOpOrdersCSV, f.query())),
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
	out.Order.Troubles = v.orderTroubles(id.RefOf(got.Order.ID))
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
