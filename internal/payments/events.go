package payments

import (
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Log is the name of payments' event log.
const Log bus.Log = "payments"

// Changed says that a payment has come to stand elsewhere: authorised, declined, voided,
// captured. An order that waits for its payment is woken by it.
type Changed struct {
	PaymentID PaymentID   `json:"payment_id"`
	OrderID   id.Ref      `json:"order_id"`
	Status    Status      `json:"status"`
	Amount    money.Money `json:"amount"`
	At        clock.Time  `json:"at"`
}

// EventName is fixed for ever.
func (Changed) EventName() string { return "payments.changed.v1" }

// EventKey keeps the events of one order in order.
func (e Changed) EventKey() string { return string(e.OrderID) }

// Refunded says that a refund was done, or failed for good.
type Refunded struct {
	RefundID  RefundID     `json:"refund_id"`
	PaymentID PaymentID    `json:"payment_id"`
	OrderID   id.Ref       `json:"order_id"`
	Status    RefundStatus `json:"status"`
	Amount    money.Money  `json:"amount"`
	At        clock.Time   `json:"at"`
	// SellerOrder is whose share it was taken from, if that is one alone. Events of souk 0.1 have none.
	SellerOrder id.Ref `json:"seller_order"`
	// Retried says that the refund was refused before, and that an operator took it up again.
	Retried bool `json:"retried"`
	// Elsewhere says that the money went back another way than by the provider.
	Elsewhere bool `json:"elsewhere"`
}

// EventName is fixed for ever.
func (Refunded) EventName() string { return "payments.refunded.v1" }

// EventKey keeps the events of one order in order.
func (e Refunded) EventKey() string { return string(e.OrderID) }
