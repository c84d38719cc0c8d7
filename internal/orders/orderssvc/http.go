package orderssvc

import (
	"context"
	"net/http"
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/module"
)

// Module is orders for the program.
func (s *Service) Module() module.Module {
	return module.Module{Name: string(orders.Log), DB: s.DB, Routes: s.routes, Subscribers: s.hears, Jobs: s.jobs}
}

const base = "/api/v1/orders/"

// What is for staff of one seller and for operators needs one of two scopes, so that the
// module looks at them, and the route asks for no more than to read.

// Checkouts cost, and links could be guessed at.
var (
	purchases = httpx.Limit{Max: 60, Per: time.Minute}
	guesses   = httpx.Limit{Max: 300, Per: time.Minute}
)

func (s *Service) routes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "checkouts", Who: httpx.Shoppers, Summary: "Turn one's cart into an order", Limit: purchases,
		Description: "Answers 201 once it is placed or rejected, 202 while it is under way or waits for the buyer at action_url. It goes on " +
			"without its client: ask again at /checkouts/{order}. A guest reads the order by the link that is answered.",
		Status: http.StatusCreated, AlsoStatus: []int{http.StatusAccepted},
	}, s.postCheckout)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "checkouts/{order}", Who: httpx.Anyone, Summary: "Say where a checkout stands", Limit: guesses,
		Scope: actor.ScopeRead, Description: linkHelp,
	}, s.getCheckout)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "orders", Who: httpx.People, Summary: "Page through one's orders, newest first",
	}, s.getOrders)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "orders/{order}", Who: httpx.Anyone, Summary: "Read an order", Limit: guesses,
		Scope: actor.ScopeRead, Description: "By its id or its number. " + linkHelp,
	}, s.getOrder)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "seller-orders/{id}/cancellations", Who: httpx.Anyone, Limit: guesses,
		Summary: "Cancel what has not shipped", Status: http.StatusCreated,
		Description: "The buyer, staff of the seller and operators may. Without items it is everything that is left. What it cost is paid back. " + linkHelp,
	}, s.postCancellation)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "sellers/{seller}/orders", Who: httpx.People, Scope: actor.ScopeRead,
		Summary: "Page through a seller's orders, newest first", Description: sellersHelp,
	}, s.getSellerOrders)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "sellers/{seller}/counts", Who: httpx.People, Scope: actor.ScopeRead,
		Summary: "Count a seller's orders by fulfilment, and those that may ship now", Description: sellersHelp,
	}, s.getCounts)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "seller-orders/{id}", Who: httpx.People, Scope: actor.ScopeRead,
		Summary: "Read a seller's part of an order", Description: sellersHelp,
	}, s.getSellerOrder)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "seller-orders/{id}/parcels", Who: httpx.People, Scope: actor.ScopeRead, Status: http.StatusCreated,
		Summary: "Book a parcel", Description: "Without items it is everything that is left to ship. " + sellersHelp,
	}, s.postParcel)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "seller-orders/{id}/parcels/{parcel}/delivery", Who: httpx.People, Scope: actor.ScopeRead,
		Summary: "Mark a parcel as arrived", Description: sellersHelp,
	}, s.postDelivery)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "admin/orders/{order}/captures", Who: httpx.Operators, Status: http.StatusCreated,
		Summary: "Try once more to take the money of an order whose charge was refused",
	}, s.postCapture)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "admin/orders", Who: httpx.Operators, Summary: "Page through everyone's orders, newest first",
	}, s.getAllOrders)
}

const (
	linkHelp    = "Who is not signed in sends the order's link."
	sellersHelp = "Staff of the seller, and operators."
)

type postalWire struct {
	Name       string `json:"name" maxLength:"200" example:"Ada Byron"`
	Line1      string `json:"line1" maxLength:"200" example:"Lindenstr. 7"`
	Line2      string `json:"line2,omitempty" maxLength:"200"`
	PostalCode string `json:"postal_code,omitempty" maxLength:"20" example:"10969"`
	City       string `json:"city" maxLength:"100" example:"Berlin"`
	Region     string `json:"region,omitempty" maxLength:"10" doc:"ISO 3166-2 without the country, where there is one." example:""`
	Country    string `json:"country" pattern:"^[A-Z]{2}$" doc:"ISO 3166-1 alpha-2." example:"DE"`
	Phone      string `json:"phone,omitempty" maxLength:"40"`
}

type contactWire struct {
	Email string `json:"email" maxLength:"254" example:"ada@example.com"`
	Name  string `json:"name" maxLength:"200" example:"Ada Byron"`
}

type checkoutIn struct {
	httpx.Keyed
	Body struct {
		Cart        cart.CartID `json:"cart" maxLength:"40" example:"crt_01k5xk3v8dtq6c9m4j0e7r2a1b"`
		CartVersion int64       `json:"cart_version" minimum:"0" doc:"Of the quote that the buyer saw." example:"3"`
		QuoteHash   string      `json:"quote_hash" minLength:"1" maxLength:"128" doc:"Of the quote that the buyer saw: with another one the order is rejected as quote_changed." example:"9f2c4a1be07d3358"`
		Contact     contactWire `json:"contact"`
		Delivery    postalWire  `json:"delivery"`
		Invoice     *postalWire `json:"invoice,omitempty" doc:"Leave out if it is the delivery address."`
		Method      string      `json:"method" minLength:"1" maxLength:"100" doc:"One of payments' methods." example:"sandbox_ok"`
		WaitMillis  *int64      `json:"wait_millis,omitempty" minimum:"0" maximum:"20000" doc:"How long to wait for the outcome at most. Default: five seconds." example:"5000"`
	}
}

// usualWait is how long a client waits that does not say.
const usualWait = 5000

type checkoutWire struct {
	Order     orders.OrderID `json:"order" example:"ord_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Number    string         `json:"number" example:"K7F3-9Q2M" doc:"For people."`
	Status    orders.Status  `json:"status" enum:"pending,placed,completed,rejected"`
	Reason    orders.Reason  `json:"reason" enum:",quote_changed,out_of_stock,not_for_sale,coupon,cart_taken,declined,timeout,failed" doc:"Why it was rejected."`
	Message   string         `json:"message" doc:"The reason in words for the buyer."`
	ActionURL string         `json:"action_url" doc:"Where the buyer must go to approve the payment; empty when nothing is asked."`
	Until     clock.Time     `json:"until,omitempty" doc:"When the waiting ends; left out when it does not wait."`
	Link      string         `json:"link" doc:"Secret by which a guest reads the order."`
	Total     moneyWire      `json:"total"`
}

type checkoutOut struct {
	Status   int
	Location string `header:"Location"`
	Body     checkoutWire
}

func toCheckout(r orders.CheckoutReply) checkoutWire {
	return checkoutWire{
		Order: r.Order, Number: r.Number, Status: r.Status, Reason: r.Reason, Message: r.Message, ActionURL: r.ActionURL, Until: r.Until,
		Link: r.Link, Total: moneyWire(r.Total),
	}
}

func (s *Service) postCheckout(ctx context.Context, by actor.Actor, in checkoutIn) (checkoutOut, error) {
	b := in.Body
	r := orders.CheckoutRequest{
		By: by, Key: in.Key, Cart: b.Cart, CartVersion: b.CartVersion, QuoteHash: b.QuoteHash, Contact: orders.Contact(b.Contact),
		Delivery: accounts.Postal(b.Delivery), Method: b.Method, WaitMillis: usualWait,
	}
	if b.Invoice != nil {
		invoice := accounts.Postal(*b.Invoice)
		r.Invoice = &invoice
	}
	if b.WaitMillis != nil {
		r.WaitMillis = *b.WaitMillis
	}
	reply, err := s.Checkout(ctx, r)
	if err != nil {
		return checkoutOut{}, err
	}
	out := checkoutOut{Status: http.StatusCreated, Location: base + "checkouts/" + string(reply.Order), Body: toCheckout(reply)}
	if reply.Status == orders.StatusPending {
		out.Status = http.StatusAccepted
	}
	return out, nil
}

// Linked is embedded in the In of what a guest may ask with the link of an order.
type Linked struct {
	Link       string `query:"link" maxLength:"100" doc:"The order's link, of a guest."`
	LinkHeader string `header:"Souk-Order-Link" maxLength:"100" doc:"The same as a header, which is kept out of logs and histories."`
}

func (l Linked) link() string {
	if l.LinkHeader != "" {
		return l.LinkHeader
	}
	return l.Link
}

type orderIn struct {
	Linked
	httpx.IfNoneMatch
	Order string `path:"order" maxLength:"40" example:"ord_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

// named is what an address calls an order: its id, or its number.
func (in orderIn) named(by actor.Actor) orders.GetOrderRequest {
	r := orders.GetOrderRequest{By: by, Link: in.link()}
	if strings.HasPrefix(in.Order, orders.OrderIDs.Prefix) {
		r.Order = orders.OrderID(in.Order)
	} else {
		r.Number = in.Order
	}
	return r
}

type checkoutStateOut struct{ Body checkoutWire }

func (s *Service) getCheckout(ctx context.Context, by actor.Actor, in orderIn) (checkoutStateOut, error) {
	reply, err := s.GetCheckout(ctx, in.named(by))
	return checkoutStateOut{Body: toCheckout(reply)}, err
}

type orderOut struct {
	httpx.ETag
	Body orderWire
}

func (s *Service) getOrder(ctx context.Context, by actor.Actor, in orderIn) (out orderOut, err error) {
	reply, err := s.GetOrder(ctx, in.named(by))
	if err != nil {
		return out, err
	}
	out.Body = toOrder(reply.Order)
	tag := httpx.Tag(out.Body)
	if in.Has(tag) {
		return orderOut{}, httpx.NotModified(tag)
	}
	out.ETag = httpx.Tagged(tag)
	return out, nil
}

type ordersIn struct {
	httpx.Page
	Status orders.Status `query:"status" enum:"pending,placed,completed,rejected" doc:"Leave out for all but rejected ones."`
	Text   string        `query:"text" maxLength:"40" doc:"An order's number, or part of one." example:"K7F3"`
	From   time.Time     `query:"from" doc:"Made at or after this time." example:"2026-01-01T00:00:00Z"`
	Until  time.Time     `query:"until" doc:"Made before this time."`
	Sort   orders.Sort   `query:"sort" enum:"newest,oldest" doc:"Newest first without it."`
}

type ordersOut struct {
	Body struct {
		Orders     []summaryWire `json:"orders"`
		NextCursor string        `json:"next_cursor" doc:"Empty on the last page."`
	}
}

type allOrdersIn struct {
	httpx.Page
	Status  orders.Status `query:"status" enum:"pending,placed,completed,rejected" doc:"Leave out for all but rejected ones."`
	Text    string        `query:"text" maxLength:"40" doc:"An order's number, or part of one." example:"K7F3"`
	From    time.Time     `query:"from" doc:"Made at or after this time." example:"2026-01-01T00:00:00Z"`
	Until   time.Time     `query:"until" doc:"Made before this time."`
	Sort    orders.Sort   `query:"sort" enum:"newest,oldest" doc:"Newest first without it."`
	Stopped bool          `query:"stopped" doc:"Only orders whose checkout goes on no more by itself: someone must look."`
}

func (s *Service) listed(ctx context.Context, r orders.ListOrdersRequest, in ordersIn) (out ordersOut, err error) {
	r.Status, r.Text, r.From, r.Until, r.Page = in.Status, in.Text, clock.Of(in.From), clock.Of(in.Until), in.Request()
	r.Sort = sortOf(in.Sort)
	reply, err := s.ListOrders(ctx, r)
	out.Body.Orders, out.Body.NextCursor = mapped(reply.Orders, toSummary), reply.Next
	return out, err
}

func (s *Service) getOrders(ctx context.Context, by actor.Actor, in ordersIn) (ordersOut, error) {
	return s.listed(ctx, orders.ListOrdersRequest{By: by}, in)
}

func (s *Service) getAllOrders(ctx context.Context, by actor.Actor, in allOrdersIn) (ordersOut, error) {
	r := orders.ListOrdersRequest{By: by, All: true}
	if in.Stopped {
		r.Stopped = &in.Stopped
	}
	return s.listed(ctx, r, ordersIn{Page: in.Page, Status: in.Status, Text: in.Text, From: in.From, Until: in.Until, Sort: in.Sort})
}

type captureIn struct {
	httpx.Keyed
	Order orders.OrderID `path:"order" maxLength:"40" example:"ord_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body  struct {
		Why string `json:"why" minLength:"1" maxLength:"1000" example:"the bank has lifted the block" doc:"For the audit log."`
	}
}

type captureOut struct{ Body orderWire }

func (s *Service) postCapture(ctx context.Context, by actor.Actor, in captureIn) (captureOut, error) {
	reply, err := s.RetryCapture(ctx, orders.RetryCaptureRequest{By: by, Key: in.Key, Order: in.Order, Why: in.Body.Why})
	if err != nil {
		return captureOut{}, err
	}
	return captureOut{Body: toOrder(reply.Order)}, nil
}

type sellerOrderOut struct{ Body sellerOrderWire }

func toSellerOrderOut(r orders.SellerOrderReply, err error) (sellerOrderOut, error) {
	if err != nil {
		return sellerOrderOut{}, err
	}
	return sellerOrderOut{Body: toSellerOrder(r.SellerOrder)}, nil
}

type itemWire struct {
	Line     orders.LineID `json:"line" maxLength:"40" example:"oln_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Quantity int64         `json:"quantity" minimum:"1" maximum:"100000" example:"1"`
}

func toItems(in []itemWire) []orders.ParcelItem {
	return mapped(in, func(i itemWire) orders.ParcelItem { return orders.ParcelItem(i) })
}

type cancellationIn struct {
	httpx.Keyed
	Linked
	ID   orders.SellerOrderID `path:"id" maxLength:"40" example:"sor_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body struct {
		Items []itemWire `json:"items,omitempty" maxItems:"200" doc:"Leave out for all that is left."`
		Why   string     `json:"why,omitempty" maxLength:"1000" example:"ordered twice"`
	}
}

func (s *Service) postCancellation(ctx context.Context, by actor.Actor, in cancellationIn) (sellerOrderOut, error) {
	return toSellerOrderOut(s.Cancel(ctx, orders.CancelRequest{
		By: by, Key: in.Key, SellerOrder: in.ID, Items: toItems(in.Body.Items), Why: in.Body.Why, Link: in.link(),
	}))
}

type sellerOrdersIn struct {
	httpx.Page
	Seller     catalog.SellerID  `path:"seller" maxLength:"40" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Fulfilment orders.Fulfilment `query:"fulfilment" enum:"open,partly_shipped,shipped,delivered,cancelled" doc:"Leave out for all."`
	Text       string            `query:"text" maxLength:"40" doc:"An order's number, or part of one."`
	From       time.Time         `query:"from" doc:"Placed at or after this time."`
	Until      time.Time         `query:"until" doc:"Placed before this time."`
	Sort       orders.Sort       `query:"sort" enum:"newest,oldest" doc:"Newest first without it."`
	Shippable  bool              `query:"shippable" doc:"Only orders that may ship now: paid, with something left to ship."`
}

// sortOf is the order asked for, nil when none was.
func sortOf(s orders.Sort) *orders.Sort {
	if s == "" {
		return nil
	}
	return &s
}

type sellerOrdersOut struct {
	Body struct {
		SellerOrders []sellerSummaryWire `json:"seller_orders"`
		NextCursor   string              `json:"next_cursor" doc:"Empty on the last page."`
	}
}

func (s *Service) getSellerOrders(ctx context.Context, by actor.Actor, in sellerOrdersIn) (out sellerOrdersOut, err error) {
	r := orders.ListSellerOrdersRequest{
		By: by, Seller: in.Seller, Fulfilment: in.Fulfilment, Text: in.Text, From: clock.Of(in.From), Until: clock.Of(in.Until), Page: in.Request(),
		Sort: sortOf(in.Sort),
	}
	if in.Shippable {
		r.Shippable = &in.Shippable
	}
	reply, err := s.ListSellerOrders(ctx, r)
	out.Body.SellerOrders, out.Body.NextCursor = mapped(reply.SellerOrders, toSellerSummary), reply.Next
	return out, err
}

type sellerIn struct {
	Seller catalog.SellerID `path:"seller" maxLength:"40" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type countsOut struct {
	Body struct {
		Counts    []countWire `json:"counts"`
		Shippable int64       `json:"shippable" doc:"Orders that may ship now: paid, with something left to ship."`
	}
}

func (s *Service) getCounts(ctx context.Context, by actor.Actor, in sellerIn) (out countsOut, err error) {
	reply, err := s.CountSellerOrders(ctx, orders.CountSellerOrdersRequest{By: by, Seller: in.Seller})
	out.Body.Counts = mapped(reply.Counts, func(c orders.FulfilmentCount) countWire { return countWire(c) })
	out.Body.Shippable = reply.Shippable
	return out, err
}

type sellerOrderIn struct {
	ID orders.SellerOrderID `path:"id" maxLength:"40" example:"sor_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

func (s *Service) getSellerOrder(ctx context.Context, by actor.Actor, in sellerOrderIn) (sellerOrderOut, error) {
	return toSellerOrderOut(s.GetSellerOrder(ctx, orders.GetSellerOrderRequest{By: by, SellerOrder: in.ID}))
}

type parcelIn struct {
	httpx.Keyed
	ID   orders.SellerOrderID `path:"id" maxLength:"40" example:"sor_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body struct {
		Items       []itemWire `json:"items,omitempty" maxItems:"200" doc:"Leave out for all that is left."`
		Carrier     string     `json:"carrier,omitempty" maxLength:"100" example:"Parcel Post"`
		Tracking    string     `json:"tracking,omitempty" maxLength:"100" example:"JD014600003456789012"`
		TrackingURL string     `json:"tracking_url,omitempty" maxLength:"500" example:"https://track.example/JD014600003456789012"`
	}
}

func (s *Service) postParcel(ctx context.Context, by actor.Actor, in parcelIn) (sellerOrderOut, error) {
	b := in.Body
	return toSellerOrderOut(s.Ship(ctx, orders.ShipRequest{
		By: by, Key: in.Key, SellerOrder: in.ID, Items: toItems(b.Items), Carrier: b.Carrier, Tracking: b.Tracking, TrackingURL: b.TrackingURL,
	}))
}

type deliveryIn struct {
	httpx.Keyed
	ID     orders.SellerOrderID `path:"id" maxLength:"40" example:"sor_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Parcel orders.ParcelID      `path:"parcel" maxLength:"40" example:"pcl_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

func (s *Service) postDelivery(ctx context.Context, by actor.Actor, in deliveryIn) (sellerOrderOut, error) {
	return toSellerOrderOut(s.Deliver(ctx, orders.DeliverRequest{By: by, Key: in.Key, SellerOrder: in.ID, Parcel: in.Parcel}))
}
