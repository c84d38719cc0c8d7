package orders

import (
	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// Log is the name of orders' event log.
const Log bus.Log = "orders"

// Placed says that a buyer has placed an order.
type Placed struct {
	OrderID OrderID           `json:"order_id"`
	Number  string            `json:"number"`
	BuyerID accounts.PersonID `json:"buyer_id"`
	Total   money.Money       `json:"total"`
	Lines   []PlacedLine      `json:"lines"`
	At      clock.Time        `json:"at"`
}

// PlacedLine is a line of Placed.
type PlacedLine struct {
	SellerOrderID SellerOrderID     `json:"seller_order_id"`
	SellerID      catalog.SellerID  `json:"seller_id"`
	ListingID     catalog.ListingID `json:"listing_id"`
	VariantID     catalog.VariantID `json:"variant_id"`
	Quantity      int64             `json:"quantity"`
}

// EventName is fixed for ever.
func (Placed) EventName() string { return "orders.placed.v1" }

// EventKey keeps the events of one order in order.
func (e Placed) EventKey() string { return string(e.OrderID) }

// Rejected says that a checkout came to nothing.
type Rejected struct {
	OrderID OrderID    `json:"order_id"`
	Reason  Reason     `json:"reason"`
	At      clock.Time `json:"at"`
}

// EventName is fixed for ever.
func (Rejected) EventName() string { return "orders.rejected.v1" }

// EventKey keeps the events of one order in order.
func (e Rejected) EventKey() string { return string(e.OrderID) }

// Shipped says that a seller has sent a parcel.
type Shipped struct {
	OrderID       OrderID           `json:"order_id"`
	SellerOrderID SellerOrderID     `json:"seller_order_id"`
	SellerID      catalog.SellerID  `json:"seller_id"`
	BuyerID       accounts.PersonID `json:"buyer_id"`
	ParcelID      ParcelID          `json:"parcel_id"`
	At            clock.Time        `json:"at"`
}

// EventName is fixed for ever.
func (Shipped) EventName() string { return "orders.shipped.v1" }

// EventKey keeps the events of one order in order.
func (e Shipped) EventKey() string { return string(e.OrderID) }

// Delivered says that a parcel has arrived.
type Delivered struct {
	OrderID       OrderID           `json:"order_id"`
	SellerOrderID SellerOrderID     `json:"seller_order_id"`
	SellerID      catalog.SellerID  `json:"seller_id"`
	BuyerID       accounts.PersonID `json:"buyer_id"`
	ParcelID      ParcelID          `json:"parcel_id"`
	At            clock.Time        `json:"at"`
}

// EventName is fixed for ever.
func (Delivered) EventName() string { return "orders.delivered.v1" }

// EventKey keeps the events of one order in order.
func (e Delivered) EventKey() string { return string(e.OrderID) }

// Cancelled says that some of an order was taken back before it shipped.
type Cancelled struct {
	OrderID       OrderID           `json:"order_id"`
	SellerOrderID SellerOrderID     `json:"seller_order_id"`
	SellerID      catalog.SellerID  `json:"seller_id"`
	BuyerID       accounts.PersonID `json:"buyer_id"`
	Pieces        int64             `json:"pieces"`
	Amount        money.Money       `json:"amount"` // to be refunded
	At            clock.Time        `json:"at"`
	// Lines are the variants that Pieces were taken back of. Events of souk 0.1 have none.
	Lines []CancelledLine `json:"lines"`
}

// CancelledLine is a variant of Cancelled. What is cancelled of it is said whole, so that hearing an
// event twice comes to the same as hearing it once.
type CancelledLine struct {
	ListingID catalog.ListingID `json:"listing_id"`
	VariantID catalog.VariantID `json:"variant_id"`
	Quantity  int64             `json:"quantity"`  // taken back now
	Cancelled int64             `json:"cancelled"` // in this seller order up to now, these included
}

// EventName is fixed for ever.
func (Cancelled) EventName() string { return "orders.cancelled.v1" }

// EventKey keeps the events of one order in order.
func (e Cancelled) EventKey() string { return string(e.OrderID) }

// Completed says that everything of an order was delivered or cancelled.
type Completed struct {
	OrderID OrderID           `json:"order_id"`
	BuyerID accounts.PersonID `json:"buyer_id"`
	At      clock.Time        `json:"at"`
}

// EventName is fixed for ever.
func (Completed) EventName() string { return "orders.completed.v1" }

// EventKey keeps the events of one order in order.
func (e Completed) EventKey() string { return string(e.OrderID) }
