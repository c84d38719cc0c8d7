package paymentssvc

import (
	"context"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
)

type refusedWire struct {
	Refund    refundWire         `json:"refund"`
	Payment   payments.PaymentID `json:"payment" example:"pay_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Order     id.Ref             `json:"order"`
	Reason    string             `json:"reason" doc:"As the provider gave it."`
	RefusedAt clock.Time         `json:"refused_at"`
}

// ofOrderIn narrows what waits for an operator to one order.
type ofOrderIn struct {
	httpx.Page
	Order id.Ref `query:"order" maxLength:"40" doc:"Only what is of this order."`
}

// order is the one that is asked for, nil when none is.
func (in ofOrderIn) order() *id.Ref {
	if in.Order == "" {
		return nil
	}
	return &in.Order
}

type refusedOut struct {
	Body struct {
		Refunds    []refusedWire `json:"refunds" doc:"The first made first."`
		NextCursor string        `json:"next_cursor" doc:"Empty on the last page."`
	}
}

func (s *Service) getRefused(ctx context.Context, by actor.Actor, in ofOrderIn) (out refusedOut, err error) {
	reply, err := s.ListRefusedRefunds(ctx, payments.ListRefusedRefundsRequest{By: by, Page: in.Request(), Order: in.order()})
	out.Body.NextCursor = reply.Next
	out.Body.Refunds = mapped(reply.Refunds, func(r payments.RefusedRefund) refusedWire {
		return refusedWire{Refund: toRefund(r.Refund), Payment: r.Refund.Payment, Order: r.Order, Reason: r.Reason, RefusedAt: r.RefusedAt}
	})
	return out, err
}

type seeToIn struct {
	httpx.Keyed
	ID   payments.RefundID `path:"id" maxLength:"40" example:"rfd_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body struct {
		Why string `json:"why" minLength:"1" maxLength:"500" example:"by bank transfer, 24 November" doc:"For the audit log."`
	}
}

type seeToOut struct{ Body refundWire }

func (s *Service) postRefundRetry(ctx context.Context, by actor.Actor, in seeToIn) (seeToOut, error) {
	reply, err := s.RetryRefund(ctx, payments.RetryRefundRequest{By: by, Key: in.Key, Refund: in.ID, Why: in.Body.Why})
	return seeToOut{Body: toRefund(reply.Refund)}, err
}

func (s *Service) postRefundClose(ctx context.Context, by actor.Actor, in seeToIn) (seeToOut, error) {
	reply, err := s.CloseRefund(ctx, payments.CloseRefundRequest{By: by, Key: in.Key, Refund: in.ID, Why: in.Body.Why})
	return seeToOut{Body: toRefund(reply.Refund)}, err
}
