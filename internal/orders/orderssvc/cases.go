package orderssvc

import (
	"context"
	"fmt"

	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

// captureKey is the key of the present try to take an order's money: a provider that has refused
// one would answer a repeat of its key as it did.
func (c *checkout) captureKey() string {
	if c.saga.Captures <= 1 {
		return keyOf(c.order.ID, stepCapture)
	}
	return fmt.Sprintf("%s-%d", keyOf(c.order.ID, stepCapture), c.saga.Captures)
}

// RetryCapture has the money of an order that is a case asked for once more. If it comes, the
// checkout is finished as any other, and what was cancelled meanwhile is paid back.
func (s *Service) RetryCapture(ctx context.Context, r orders.RetryCaptureRequest) (reply orders.OrderReply, err error) {
	defer func() { s.done("retry_capture", err) }()
	if !r.By.IsOperator() {
		return orders.OrderReply{}, orders.ErrForbidden.With("only operators have a charge tried again")
	}
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= 200, "key", "must have 1 to 200 characters")
	p.Check(orders.OrderIDs.Valid(r.Order), "order", "is not the id of an order")
	p.Check(len(r.Why) <= 1000, "why", "must have at most 1000 characters")
	if err := p.Err(orders.ErrInvalid); err != nil {
		return orders.OrderReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{Owner: r.By.Owner(), Operation: "orders.retry_capture", Key: r.Key, Body: store.Hash(body), Until: s.Now().Add(keysLive)}
		_, _, err := tx.Once(c, func() (string, error) { return string(r.Order), s.reopenCapture(tx, r) })
		return err
	})
	if err != nil {
		return orders.OrderReply{}, err
	}
	return s.GetOrder(ctx, orders.GetOrderRequest{By: r.By, Order: r.Order})
}

// reopenCapture moves a saga from its case forward again. What was cancelled whole is being given
// up, authorisation and goods, and has nothing left to be paid for.
func (s *Service) reopenCapture(tx *store.Tx, r orders.RetryCaptureRequest) error {
	row, err := selectOrderRow(tx, `id = ?`, r.Order)
	if err != nil {
		return err
	}
	if row.Status != orders.StatusPlaced {
		return orders.ErrStatus.With("order %s is %s: there is nothing to charge", row.Number, row.Status)
	}
	n, err := tx.Exec(`UPDATE sagas SET state = 'forward', step = ?, captures = captures + 1 WHERE order_id = ? AND state = 'case'`, stepCapture, r.Order)
	if err != nil {
		return fmt.Errorf("take up the case of %s: %w", r.Order, err)
	}
	if n == 0 {
		return orders.ErrStatus.With("the charge of order %s does not wait for anybody", row.Number)
	}
	if err := note(tx, r.Order, orders.Entry{What: orders.WhatNoted, Who: "operator", Detail: "The charge is tried once more."}); err != nil {
		return err
	}
	if err := tx.Audit(store.Audit{
		By: r.By, Action: "orders.retry_capture", Subject: string(r.Order), Before: string(orders.SagaCase), After: string(orders.SagaForward), Why: r.Why,
	}); err != nil {
		return err
	}
	if err := wakeRefunds(tx, r.Order); err != nil { // of what was cancelled meanwhile
		return err
	}
	return tx.Enqueue(jobCheckout, string(r.Order), tx.Now())
}

// isCaseOf is isCase in a list: of the order that the row of SQL belongs to.
func isCaseOf(order string) string {
	return `EXISTS (SELECT 1 FROM sagas s JOIN orders c ON c.id = s.order_id
		WHERE s.order_id = ` + order + ` AND s.state = 'case' AND c.status = 'placed' AND c.captured = 0) AS stopped`
}

// isCase says whether an order waits for somebody to settle its refused charge.
func isCase(q store.Queryer, o *orders.Order) (bool, error) {
	if o.Captured || o.Status != orders.StatusPlaced {
		return false, nil
	}
	saga, err := selectSaga(q, o.ID)
	return saga.State == orders.SagaCase, err
}
