package payments

import (
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

// RefusedRefund is a refund that the provider has refused for good: its buyer waits for the money.
type RefusedRefund struct {
	Refund    Refund     `json:"refund"`
	Order     id.Ref     `json:"order"`
	Reason    string     `json:"reason"` // of the refusal, as the provider gave it
	RefusedAt clock.Time `json:"refused_at"`
}

// ListRefusedRefundsRequest asks for a page of refused refunds.
type ListRefusedRefundsRequest struct {
	By    actor.Actor  `json:"by"`
	Page  page.Request `json:"page"`
	Order *id.Ref      `json:"order"` // nil: of every order
}

// ListRefusedRefundsReply is a page of refused refunds, the first made first.
type ListRefusedRefundsReply struct {
	Refunds []RefusedRefund `json:"refunds"`
	Next    string          `json:"next"`
}

// RetryRefundRequest names a refused refund that the provider is to be asked for once more.
type RetryRefundRequest struct {
	By     actor.Actor `json:"by"`
	Key    string      `json:"key"`
	Refund RefundID    `json:"refund"`
	Why    string      `json:"why"`
}

// CloseRefundRequest names a refused refund whose money went back another way.
type CloseRefundRequest struct {
	By     actor.Actor `json:"by"`
	Key    string      `json:"key"`
	Refund RefundID    `json:"refund"`
	Why    string      `json:"why"` // how it went back; for the audit log
}
