package storefront_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
)

// refuse has a refund of the order refused by the provider.
func (w *world) refuse(minor int64) {
	w.t.Helper()
	order, ctx, system := id.RefOf(w.order.ID), w.t.Context(), paymentstest.System()
	share := payments.Share{Seller: id.RefOf(w.lamps.ID), SellerOrder: id.RefOf(w.order.SellerOrders[0].ID), Amount: paymentstest.EUR(minor)}
	made, err := w.payments.Authorize(ctx, payments.AuthorizeRequest{
		By: system, Key: id.New("key_"), Order: order, Amount: share.Amount, Method: paymentstest.RefundFailed, ReturnURL: "/", Until: w.clock.Now().Add(1e12),
	})
	require.NoError(w.t, err)
	_, err = w.payments.Capture(ctx, payments.CaptureRequest{By: system, Key: id.New("key_"), Payment: made.Payment.ID, Amount: share.Amount, Shares: []payments.Share{share}})
	require.NoError(w.t, err)
	reply, err := w.payments.Refund(ctx, payments.RefundRequest{
		By: system, Key: id.New("key_"), Payment: made.Payment.ID, Amount: share.Amount, Shares: []payments.Share{share}, Why: "cancelled by the buyer",
	})
	require.NoError(w.t, err)
	require.Equal(w.t, payments.RefundFailed, reply.Refund.Status)
}

func TestARefusedRefundNeedsTheOperator(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o := w.as("operator")
	assert.Contains(t, o.get("/operator").text(), "0 refused refunds")
	assert.Contains(t, o.get("/operator/refunds").text(), "No refused refunds")
	w.refuse(2500)
	p := o.get("/operator")
	assert.Contains(t, p.text(), "1 refused refund")
	p = o.get(p.link("refused refund"))
	for _, said := range []string{"€25.00", "order " + w.order.Number, w.order.Contact.Email, "The card does not take refunds.", "by bank transfer perhaps, and say so here"} {
		assert.Contains(t, p.text(), said)
	}
	p.sound()
	assert.Equal(t, 200, o.get(p.link(w.order.Number)).status)

	p = p.submit(findForm(p, "/retry"), nil)
	assert.Contains(t, p.text(), "The provider is being asked again.")
	assert.Contains(t, p.text(), "No refused refunds", "it is under way")
	require.NoError(t, w.payments.RunDue(t.Context()))
	p = o.get("/operator/refunds")
	assert.Contains(t, p.text(), "1 refund waits", "refused again")

	shut := findForm(p, "/close")
	assert.Contains(t, p.submit(shut, nil).text(), "Say how the money went back")
	done := p.submit(shut, map[string]string{"how": "by bank transfer"})
	assert.Contains(t, done.text(), "€25.00 was paid back another way.")
	assert.Contains(t, done.text(), "No refused refunds")
	assert.Contains(t, p.submit(findForm(p, "/retry"), nil).text(), "has to see to it", "from a page of before")
	assert.Contains(t, o.get("/operator").text(), "0 refused refunds")
}

// TestAnOrderSaysWhatIsRefusedOfItsMoney, to operators alone, with a link to where that is seen to.
func TestAnOrderSaysWhatIsRefusedOfItsMoney(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	o, here := w.as("operator"), "/operator/orders/"+string(w.order.ID)
	assert.NotContains(t, o.get(here).body, "/operator/refunds?order=", "nothing is")
	assert.Contains(t, o.get("/operator/refunds?order="+string(w.order.ID)).text(), "Nothing is refused of this order")
	w.refuse(2500)
	w.refuse(700)
	other := w.orders.Put(w.buyer.ID, w.item(w.lamp))
	p := o.get(here)
	assert.Contains(t, p.text(), "A refund of €25.00 was refused. See to it")
	assert.Contains(t, p.text(), "A refund of €7.00 was refused. See to it")
	p.sound()
	assert.NotContains(t, o.get("/operator/orders/"+string(other.ID)).text(), "was refused.", "of another order")
	assert.NotContains(t, w.as("buyer").get("/orders/"+string(w.order.ID)).text(), "See to it")

	w.order, p = other, o.get(p.link("See to it"))
	w.refuse(900)
	assert.Contains(t, p.text(), "€25.00")
	assert.Contains(t, p.text(), "2 refunds wait")
	p = o.get(p.path)
	assert.NotContains(t, p.text(), "€9.00", "it is of another order")
	p.sound()
	assert.Contains(t, o.get("/operator/refunds").text(), "€9.00")
}

func TestLateMoneyThatCannotGoBackNeedsTheOperator(t *testing.T) {
	t.Parallel()
	w := newShop(t)
	ctx, system := t.Context(), actor.System("")
	made, err := w.payments.Authorize(ctx, payments.AuthorizeRequest{
		By: system, Key: "late", Order: id.RefOf(w.order.ID), Amount: paymentstest.EUR(900), Method: paymentstest.RefundFailed, ReturnURL: "/", Until: w.clock.Now().Add(1e12),
	})
	require.NoError(t, err)
	_, err = w.payments.Undo(ctx, payments.UndoRequest{By: system, Key: "late"})
	require.NoError(t, err)
	require.NoError(t, w.payments.Take(ctx, made.Payment.ID))
	o := w.as("operator")
	for range 5 {
		assert.Contains(t, o.get("/operator").text(), "0 refused refunds", "it is still tried by itself")
		require.NoError(t, w.payments.RunDue(ctx))
		w.clock.Advance(4 * 24 * 3600 * 1e9)
	}
	o = w.as("operator")
	p := o.get("/operator/refunds")
	assert.Contains(t, p.text(), "€9.00")
	assert.Contains(t, p.text(), "It came on 4 May 2026, after the order had ended.")
	page := o.get("/operator/orders/" + string(w.order.ID))
	assert.Contains(t, page.text(), "€9.00 came after the order had ended, and the provider will not take it back. See to it")
	assert.Contains(t, o.get(page.link("See to it")).text(), "€9.00 of order")
	assert.Empty(t, findForm(p, "/close"))
	p = p.submit(findForm(p, "/late/"), nil)
	assert.Contains(t, p.text(), "The provider is being asked again.")
	assert.Contains(t, p.text(), "No refused refunds")
}
