// Package orders turns a cart into a promise, and keeps it.
//
// An order is pending until its checkout has claimed the cart, reserved the goods,
// authorised the money and confirmed the reservation; then it is placed, and from
// there it only moves forward:
//
//	pending → placed → completed
//	    └→ rejected
//
// One order has one seller order per seller, whose fulfilment is counted by quantity. What
// was agreed is copied when the order is placed, so an order always says what the buyer
// agreed to, whatever becomes of the goods, the prices and the sellers.
package orders

import (
	"context"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
)

//go:generate go run souk/internal/platform/rpc/gen

// OrderID names an order.
type OrderID = id.ID[Order]

// SellerOrderID names a seller order.
type SellerOrderID = id.ID[SellerOrder]

// LineID names a line of an order.
type LineID = id.ID[Line]

// ParcelID names a parcel.
type ParcelID = id.ID[Parcel]

// Makers of ids.
var (
	OrderIDs       = id.Maker[Order]{Prefix: "ord_"}
	SellerOrderIDs = id.Maker[SellerOrder]{Prefix: "sor_"}
	LineIDs        = id.Maker[Line]{Prefix: "oln_"}
	ParcelIDs      = id.Maker[Parcel]{Prefix: "pcl_"}
)

// Service is what other modules may ask of orders.
type Service interface {
	// Checkout starts to turn the caller's cart into an order, under r.Key, and waits up to
	// r.WaitMillis for it to be placed, rejected or to need the buyer. The order goes on
	// without the caller. Repeating the key starts nothing more and answers with where the
	// order stands now. Refusals known at once are errors: ErrInvalid, ErrCheckoutOpen when
	// another checkout has the cart. What the saga finds later is in the reply: Status
	// rejected with a Reason.
	Checkout(ctx context.Context, r CheckoutRequest) (CheckoutReply, error)

	// GetCheckout says where a checkout stands. Who may ask is as in GetOrder.
	//
	//rpc:read
	GetCheckout(ctx context.Context, r GetOrderRequest) (CheckoutReply, error)

	// GetOrder reads an order whole: its buyer, whoever has its link, an operator. A seller's
	// staff reads its part through GetSellerOrder. For others it is not found.
	//
	//rpc:read
	GetOrder(ctx context.Context, r GetOrderRequest) (OrderReply, error)

	// ListOrders pages through a buyer's orders, or for operators all, newest first.
	//
	//rpc:read
	ListOrders(ctx context.Context, r ListOrdersRequest) (ListOrdersReply, error)

	// GetSellerOrder reads one seller's part of an order: its staff and operators.
	//
	//rpc:read
	GetSellerOrder(ctx context.Context, r GetSellerOrderRequest) (SellerOrderReply, error)

	// ListSellerOrders pages through a seller's orders, newest first, for its staff.
	//
	//rpc:read
	ListSellerOrders(ctx context.Context, r ListSellerOrdersRequest) (ListSellerOrdersReply, error)

	// CountSellerOrders counts a seller's orders by fulfilment, and those that may ship now, for its staff.
	//
	//rpc:read
	CountSellerOrders(ctx context.Context, r CountSellerOrdersRequest) (CountSellerOrdersReply, error)

	// Ship books a parcel with some or all of what is still to ship. ErrQuantity when more
	// would ship than is left; ErrUnpaid until the order's money is captured. The seller's
	// staff only.
	Ship(ctx context.Context, r ShipRequest) (SellerOrderReply, error)

	// Deliver marks a parcel as arrived. The seller's staff, and operators.
	Deliver(ctx context.Context, r DeliverRequest) (SellerOrderReply, error)

	// Cancel takes back what has not shipped of a seller order and refunds it: the buyer,
	// whoever has the order's link, the seller's staff, operators. ErrQuantity when
	// nothing, or not that much, is left to cancel.
	Cancel(ctx context.Context, r CancelRequest) (SellerOrderReply, error)

	// RetryCapture has the money of an order whose charge was refused for good asked for once
	// more, unless everything in it was cancelled. ErrStatus when the order is no such case.
	// Operators alone.
	RetryCapture(ctx context.Context, r RetryCaptureRequest) (OrderReply, error)

	// Audit streams every order with its saga, in the order of their ids, and with the pages what
	// orders finds wrong within itself. The system only.
	//
	//rpc:read
	Audit(ctx context.Context, r audit.Request) (AuditReply, error)
}

// Status is where an order stands.
//
//rpc:fallback pending
type Status string

// The states of an order.
const (
	StatusPending   Status = "pending"   // its checkout is under way
	StatusPlaced    Status = "placed"    // agreed and paid
	StatusCompleted Status = "completed" // everything delivered or cancelled
	StatusRejected  Status = "rejected"  // its checkout came to nothing
)

// Fulfilment is how far a seller order has come, computed from its quantities.
//
//rpc:fallback open
type Fulfilment string

// The states of fulfilment.
const (
	FulfilmentOpen          Fulfilment = "open"           // nothing shipped yet
	FulfilmentPartlyShipped Fulfilment = "partly_shipped" // some shipped, some still to ship
	FulfilmentShipped       Fulfilment = "shipped"        // nothing left to ship, not all delivered
	FulfilmentDelivered     Fulfilment = "delivered"      // all that shipped has arrived
	FulfilmentCancelled     Fulfilment = "cancelled"      // nothing shipped, everything cancelled
)

// Contact is how the buyer is reached about an order.
type Contact struct {
	Email string `json:"email" pii:"true"`
	Name  string `json:"name" pii:"true"`
}

// CheckoutRequest turns a cart into an order.
type CheckoutRequest struct {
	By          actor.Actor      `json:"by"`
	Key         string           `json:"key"`
	Cart        cart.CartID      `json:"cart"`
	CartVersion int64            `json:"cart_version"`
	QuoteHash   string           `json:"quote_hash"` // the quote that the buyer saw
	Contact     Contact          `json:"contact"`
	Delivery    accounts.Postal  `json:"delivery"`
	Invoice     *accounts.Postal `json:"invoice"` // nil: as delivery
	Method      string           `json:"method"`  // of payments.Methods
	WaitMillis  int64            `json:"wait_millis"`
}

// CheckoutReply is where a checkout stands.
type CheckoutReply struct {
	Order     OrderID     `json:"order"`
	Number    string      `json:"number"`
	Status    Status      `json:"status"`
	Reason    Reason      `json:"reason"`          // of a rejection
	Message   string      `json:"message"`         // of a rejection, for the buyer
	ActionURL string      `json:"action_url"`      // where the buyer must go to approve; "" when nothing is asked
	Until     clock.Time  `json:"until"`           // when waiting ends; zero when it does not wait
	Link      string      `json:"link" pii:"true"` // secret by which a guest reads the order; "" for others
	Total     money.Money `json:"total"`           // zero until quoted
}

// Reason is why a checkout came to nothing.
//
//rpc:fallback failed
type Reason string

// The reasons of a rejection.
const (
	ReasonNone         Reason = ""
	ReasonQuoteChanged Reason = "quote_changed" // look at the new quote
	ReasonOutOfStock   Reason = "out_of_stock"
	ReasonNotForSale   Reason = "not_for_sale"
	ReasonCoupon       Reason = "coupon"
	ReasonCartTaken    Reason = "cart_taken" // another checkout has the cart, or it changed
	ReasonDeclined     Reason = "declined"
	ReasonTimeout      Reason = "timeout" // the buyer or the provider took too long
	ReasonFailed       Reason = "failed"  // something else; nothing was charged
)

// GetOrderRequest names an order, by id or number.
type GetOrderRequest struct {
	By     actor.Actor `json:"by"`
	Order  OrderID     `json:"order"`
	Number string      `json:"number"`
	Link   string      `json:"link" pii:"true"` // instead of being its buyer
}

// OrderReply is an order, after a change if one was asked for.
type OrderReply struct {
	Order Order `json:"order"`
}

// Order is what a buyer agreed to. Everything in it but the states is frozen.
type Order struct {
	ID           OrderID            `json:"id"`
	Number       string             `json:"number"` // for people: "K7F3-9Q2M"
	Buyer        accounts.PersonID  `json:"buyer"`
	Guest        bool               `json:"guest"`
	Status       Status             `json:"status"`
	Reason       Reason             `json:"reason"`
	Message      string             `json:"message"`
	Contact      Contact            `json:"contact"`
	Delivery     accounts.Postal    `json:"delivery"`
	Invoice      accounts.Postal    `json:"invoice"`
	Sums         cart.Sums          `json:"sums"`
	Refunded     money.Money        `json:"refunded"`
	Method       string             `json:"method"`
	Payment      payments.PaymentID `json:"payment"`
	Captured     bool               `json:"captured"`
	Case         bool               `json:"case"` // its charge was refused for good, and someone must decide
	CreatedAt    clock.Time         `json:"created_at"`
	PlacedAt     clock.Time         `json:"placed_at"`
	SellerOrders []SellerOrder      `json:"seller_orders"`
	Timeline     []Entry            `json:"timeline"` // oldest first
	Version      int64              `json:"version"`
}

// SellerOrder is one seller's part of an order.
type SellerOrder struct {
	ID         SellerOrderID      `json:"id"`
	Order      OrderID            `json:"order"`
	Number     string             `json:"number"` // "K7F3-9Q2M-1"
	Seller     catalog.SellerID   `json:"seller"`
	SellerName string             `json:"seller_name"`
	Legal      catalog.LegalParty `json:"legal"` // as it was when placed
	Fulfilment Fulfilment         `json:"fulfilment"`
	Sums       cart.Sums          `json:"sums"`
	Commission money.Money        `json:"commission"` // 0 for buyers' eyes
	Shipping   cart.ShippingQuote `json:"shipping"`
	Lines      []Line             `json:"lines"`
	Parcels    []Parcel           `json:"parcels"`
	Refunded   money.Money        `json:"refunded"`
	Paid       bool               `json:"paid"` // captured: it may ship
	PlacedAt   clock.Time         `json:"placed_at"`
	Buyer      string             `json:"buyer" pii:"true"` // name for the label
	Delivery   accounts.Postal    `json:"delivery"`         // for the label
	Timeline   []Entry            `json:"timeline"`
	Version    int64              `json:"version"`
	Case       bool               `json:"case"` // the charge of its order was refused for good, and someone must decide
}

// Line is what was agreed of one variant.
type Line struct {
	ID             LineID            `json:"id"`
	Variant        catalog.VariantID `json:"variant"`
	Listing        catalog.ListingID `json:"listing"`
	Title          string            `json:"title"`
	Options        []catalog.Option  `json:"options"`
	SKU            string            `json:"sku"`
	Image          string            `json:"image"`
	UnitPrice      money.Money       `json:"unit_price"`
	Sums           cart.Sums         `json:"sums"`
	Adjustments    []cart.Adjustment `json:"adjustments"`
	TaxRate        int32             `json:"tax_rate"` // basis points
	TaxIncluded    bool              `json:"tax_included"`
	TaxGoods       money.Money       `json:"tax_goods"`
	TaxShipping    money.Money       `json:"tax_shipping"`
	CommissionRate int32             `json:"commission_rate"` // basis points
	CommissionBase money.Money       `json:"commission_base"`
	Commission     money.Money       `json:"commission"`
	Quantity       int64             `json:"quantity"` // = to ship + shipped + cancelled
	Shipped        int64             `json:"shipped"`  // delivered ones included
	Delivered      int64             `json:"delivered"`
	Cancelled      int64             `json:"cancelled"`
	Refunded       money.Money       `json:"refunded"`
}

// Parcel is what was sent together.
type Parcel struct {
	ID          ParcelID     `json:"id"`
	Carrier     string       `json:"carrier"`
	Tracking    string       `json:"tracking"`
	TrackingURL string       `json:"tracking_url"`
	Items       []ParcelItem `json:"items"`
	ShippedAt   clock.Time   `json:"shipped_at"`
	DeliveredAt clock.Time   `json:"delivered_at"`
}

// ParcelItem is a quantity of a line in a parcel.
type ParcelItem struct {
	Line     LineID `json:"line"`
	Quantity int64  `json:"quantity"`
}

// Entry is something that happened to an order.
type Entry struct {
	At          clock.Time    `json:"at"`
	What        What          `json:"what"`
	SellerOrder SellerOrderID `json:"seller_order"` // of one part only
	Who         string        `json:"who"`          // "buyer", "seller", "operator", "souk"
	Detail      string        `json:"detail"`       // a sentence
}

// What is a kind of timeline entry.
//
//rpc:fallback noted
type What string

// What can happen to an order.
const (
	WhatNoted     What = "noted"
	WhatCreated   What = "created"
	WhatPlaced    What = "placed"
	WhatRejected  What = "rejected"
	WhatPaid      What = "paid"
	WhatShipped   What = "shipped"
	WhatDelivered What = "delivered"
	WhatCancelled What = "cancelled"
	WhatRefunded  What = "refunded"
	WhatCompleted What = "completed"
	WhatCase      What = "case" // someone must look: a capture was refused for good
)

// Summary is an order in a list.
type Summary struct {
	ID         OrderID      `json:"id"`
	Number     string       `json:"number"`
	Status     Status       `json:"status"`
	Reason     Reason       `json:"reason"`
	Total      money.Money  `json:"total"`
	Refunded   money.Money  `json:"refunded"`
	CreatedAt  clock.Time   `json:"created_at"`
	PlacedAt   clock.Time   `json:"placed_at"`
	Pieces     int64        `json:"pieces"`
	Titles     []string     `json:"titles"` // of the first lines
	Image      string       `json:"image"`  // of the first line
	Sellers    []string     `json:"sellers"`
	Fulfilment []Fulfilment `json:"fulfilment"` // of each seller order
	Captured   bool         `json:"captured"`   // as in Order
	Case       bool         `json:"case"`       // as in Order
}

// ListOrdersRequest filters orders.
type ListOrdersRequest struct {
	By     actor.Actor  `json:"by"`
	All    bool         `json:"all"`    // operators: everyone's, not one's own
	Status Status       `json:"status"` // "" for all but rejected ones; those only by name
	Text   string       `json:"text"`   // a number, or part of one
	From   clock.Time   `json:"from"`   // created at or after
	Until  clock.Time   `json:"until"`  // created before
	Page   page.Request `json:"page"`
	Sort   *Sort        `json:"sort"` // nil: newest first
	// Stopped narrows to orders whose checkout goes on no more by itself: its money was refused
	// for good and nothing has been settled yet, or its work gave up. Only together with All.
	Stopped *bool `json:"stopped"`
}

// ListOrdersReply is a page of orders.
type ListOrdersReply struct {
	Orders []Summary `json:"orders"`
	Next   string    `json:"next"`
}

// GetSellerOrderRequest names a seller order.
type GetSellerOrderRequest struct {
	By          actor.Actor   `json:"by"`
	SellerOrder SellerOrderID `json:"seller_order"`
}

// SellerOrderReply is a seller order, after a change if one was asked for.
type SellerOrderReply struct {
	SellerOrder SellerOrder `json:"seller_order"`
}

// SellerOrderSummary is a seller order in a list.
type SellerOrderSummary struct {
	ID         SellerOrderID `json:"id"`
	Order      OrderID       `json:"order"`
	Number     string        `json:"number"`
	Fulfilment Fulfilment    `json:"fulfilment"`
	Paid       bool          `json:"paid"`
	Total      money.Money   `json:"total"`
	Pieces     int64         `json:"pieces"`
	ToShip     int64         `json:"to_ship"`
	Titles     []string      `json:"titles"`
	PlacedAt   clock.Time    `json:"placed_at"`
	Country    string        `json:"country"`
	Case       bool          `json:"case"` // as in SellerOrder
}

// ListSellerOrdersRequest filters a seller's orders.
type ListSellerOrdersRequest struct {
	By         actor.Actor      `json:"by"`
	Seller     catalog.SellerID `json:"seller"`
	Fulfilment Fulfilment       `json:"fulfilment"` // "" for all
	Text       string           `json:"text"`
	From       clock.Time       `json:"from"`
	Until      clock.Time       `json:"until"`
	Page       page.Request     `json:"page"`
	Sort       *Sort            `json:"sort"` // nil: newest first

	// Shippable narrows to orders of which Ship would take what is left: paid, and not all of it shipped or cancelled.
	Shippable *bool `json:"shippable"`
}

// ListSellerOrdersReply is a page of a seller's orders.
type ListSellerOrdersReply struct {
	SellerOrders []SellerOrderSummary `json:"seller_orders"`
	Next         string               `json:"next"`
}

// CountSellerOrdersRequest names a seller.
type CountSellerOrdersRequest struct {
	By     actor.Actor      `json:"by"`
	Seller catalog.SellerID `json:"seller"`
}

// CountSellerOrdersReply counts by fulfilment.
type CountSellerOrdersReply struct {
	Counts    []FulfilmentCount `json:"counts"`
	Shippable int64             `json:"shippable"` // those that ListSellerOrders lists as such
}

// FulfilmentCount is how many seller orders stand there.
type FulfilmentCount struct {
	Fulfilment Fulfilment `json:"fulfilment"`
	Count      int64      `json:"count"`
}

// ShipRequest books a parcel.
type ShipRequest struct {
	By          actor.Actor   `json:"by"`
	Key         string        `json:"key"`
	SellerOrder SellerOrderID `json:"seller_order"`
	Items       []ParcelItem  `json:"items"` // empty: all that is left
	Carrier     string        `json:"carrier"`
	Tracking    string        `json:"tracking"`
	TrackingURL string        `json:"tracking_url"` // https only
}

// DeliverRequest marks a parcel as arrived.
type DeliverRequest struct {
	By          actor.Actor   `json:"by"`
	Key         string        `json:"key"`
	SellerOrder SellerOrderID `json:"seller_order"`
	Parcel      ParcelID      `json:"parcel"`
}

// CancelRequest takes back what has not shipped.
type CancelRequest struct {
	By          actor.Actor   `json:"by"`
	Key         string        `json:"key"`
	SellerOrder SellerOrderID `json:"seller_order"`
	Items       []ParcelItem  `json:"items"` // empty: all that is left
	Why         string        `json:"why"`
	Link        string        `json:"link" pii:"true"`
}

// RetryCaptureRequest names an order that is a case.
type RetryCaptureRequest struct {
	By    actor.Actor `json:"by"`
	Key   string      `json:"key"`
	Order OrderID     `json:"order"`
	Why   string      `json:"why"`
}
