package orders

import (
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// AuditReply is a page of orders' facts.
type AuditReply struct {
	Orders   []OrderFact     `json:"orders"`
	Problems []audit.Problem `json:"problems"`
	Standing audit.Standing  `json:"standing"`
	Next     string          `json:"next"`
}

// SagaState is how far a checkout has come.
//
//rpc:fallback running
type SagaState string

// The states of a saga.
const (
	SagaRunning  SagaState = "running" // before the pivot
	SagaParked   SagaState = "parked"  // waiting for the buyer or the provider
	SagaUndoing  SagaState = "undoing" // giving back
	SagaForward  SagaState = "forward" // after the pivot, finishing
	SagaFinished SagaState = "finished"
	SagaCase     SagaState = "case" // stopped: someone must look
)

// OrderFact is what orders says of one order.
type OrderFact struct {
	ID          OrderID            `json:"id"`
	Status      Status             `json:"status"`
	Total       money.Money        `json:"total"`
	Refunded    money.Money        `json:"refunded"`
	Payment     payments.PaymentID `json:"payment"`
	Saga        SagaState          `json:"saga"`
	Step        string             `json:"step"`
	Deadline    clock.Time         `json:"deadline"` // of the saga
	Due         clock.Time         `json:"due"`      // of the job that goes on with it; zero without one
	Claim       string             `json:"claim"`    // keys of its steps
	Reservation string             `json:"reservation"`
	ToShip      int64              `json:"to_ship"` // pieces still allocated to it
	CreatedAt   clock.Time         `json:"created_at"`
}
