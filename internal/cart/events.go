package cart

import (
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

// Log is the name of cart's event log.
const Log bus.Log = "cart"

// Closed says that a cart became an order.
type Closed struct {
	CartID  CartID     `json:"cart_id"`
	OrderID id.Ref     `json:"order_id"`
	At      clock.Time `json:"at"`
}

// EventName is fixed for ever.
func (Closed) EventName() string { return "cart.closed.v1" }

// EventKey keeps the events of one cart in order.
func (e Closed) EventKey() string { return string(e.CartID) }
