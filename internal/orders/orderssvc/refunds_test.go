package orderssvc_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/orders/orderssvc"
	"souk/internal/orders/orderstest"
	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
)

// slowRefunds is a payments whose provider has not said yet what becomes of a refund.
type slowRefunds struct {
	payments.Service
	pending int // answers to come
	asked   map[string]int
}

func (s *slowRefunds) Refund(ctx context.Context, r payments.RefundRequest) (payments.RefundReply, error) {
	reply, err := s.Service.Refund(ctx, r)
	if s.asked[r.Key]++; err == nil && s.pending > 0 {
		s.pending--
		reply.Refund.Status = payments.RefundPending
	}
	return reply, err
}

// told is what an order tells of a cancellation and after it.
func told(o orders.Order) []string {
	var out []string
	for _, e := range o.Timeline {
		switch e.What {
		case orders.WhatCancelled, orders.WhatRefunded, orders.WhatCase:
			out = append(out, string(e.What)+" "+e.Detail)
		default:
		}
	}
	return out
}

// TestARefundIsToldInOneOrder: whether payments' event or the answer to the job is heard first, once or late.
func TestARefundIsToldInOneOrder(t *testing.T) {
	t.Parallel()
	cancelled := "cancelled 3 pieces from Acme cancelled; 64.87 EUR will be paid back."
	want := map[string][]string{
		paymentstest.OK:           {cancelled, "refunded 64.87 EUR is on its way back."},
		paymentstest.RefundFailed: {cancelled, "case The payment provider could not pay back 64.87 EUR. We are looking into it."},
	}
	for method, want := range want {
		for name, answers := range map[string]int{"at once": 0, "after a while": 2} {
			for _, eventFirst := range []bool{false, true} {
				t.Run(method+" "+name+map[bool]string{true: ", the event first"}[eventFirst], func(t *testing.T) {
					t.Parallel()
					slow := &slowRefunds{pending: answers, asked: map[string]int{}}
					h := newHouse(t, func(c *orderssvc.Config) { slow.Service, c.Payments = c.Payments, slow })
					h.at = func(point string, _ orders.OrderID) {
						if eventFirst && point == "after the money of a refund" {
							require.NoError(t, h.bus.Drain(t.Context()))
						}
					}
					p := h.purchase(method)
					which := h.checkout(p)
					require.NoError(t, h.runDue(t.Context()))
					_, err := h.svc.Cancel(t.Context(), orders.CancelRequest{By: p.request.By, Key: orderstest.Key(), SellerOrder: h.order(which).SellerOrders[0].ID})
					require.NoError(t, err)
					h.pass(time.Hour)
					assert.Equal(t, want, told(h.order(which)))
					assert.Zero(t, slow.pending)
					assert.Len(t, slow.asked, 1, "one refund, however often it was asked for")
				})
			}
		}
	}
}

// TestARefusedRefundThatIsTakenUpAgainIsTold, each time that something came of it.
func TestARefusedRefundThatIsTakenUpAgainIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.purchase(paymentstest.RefundFailed)
	which := h.checkout(p)
	require.NoError(t, h.runDue(t.Context()))
	_, err := h.svc.Cancel(t.Context(), orders.CancelRequest{By: p.request.By, Key: orderstest.Key(), SellerOrder: h.order(which).SellerOrders[0].ID})
	require.NoError(t, err)
	h.pass(time.Minute)
	waiting, err := h.Payments.ListRefusedRefunds(t.Context(), payments.ListRefusedRefundsRequest{By: orderstest.Operator()})
	require.NoError(t, err)
	require.Len(t, waiting.Refunds, 1)
	refused := waiting.Refunds[0].Refund
	before := told(h.order(which))
	_, err = h.Payments.RetryRefund(t.Context(), payments.RetryRefundRequest{By: orderstest.Operator(), Key: "retry", Refund: refused.ID})
	require.NoError(t, err)
	h.pass(time.Minute)
	_, err = h.Payments.CloseRefund(t.Context(), payments.CloseRefundRequest{By: orderstest.Operator(), Key: "close", Refund: refused.ID})
	require.NoError(t, err)
	h.pass(time.Minute)
	assert.Equal(t, append(before,
		"case The payment provider could not pay back 64.87 EUR this time either. We are looking into it.",
		"refunded 64.87 EUR was paid back another way."), told(h.order(which)))
	for _, e := range h.order(which).SellerOrders[1].Timeline {
		assert.NotContains(t, e.Detail, "64.87", "it is not the other seller's business")
	}
	h.fact(which)
}
