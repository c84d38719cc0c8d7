package orderssvc

import (
	"context"
	"errors"
	"fmt"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

// reasonOf says to the buyer why a step was refused.
func reasonOf(step string, err error) (orders.Reason, string) {
	message := errs.As(err).Message
	switch {
	case errors.Is(err, cart.ErrQuoteChanged):
		return orders.ReasonQuoteChanged, message
	case errors.Is(err, cart.ErrUnbuyable):
		switch errs.As(err).Fields["problem"] {
		case "not_for_sale":
			return orders.ReasonNotForSale, message
		case "out_of_stock":
			return orders.ReasonOutOfStock, message
		default: // nothing in it, or it cannot be sent there
			return orders.ReasonFailed, message
		}
	case errors.Is(err, cart.ErrCoupon):
		return orders.ReasonCoupon, message
	case errors.Is(err, cart.ErrClaimed), errors.Is(err, cart.ErrVersion), errors.Is(err, cart.ErrStatus), errors.Is(err, cart.ErrNotFound):
		return orders.ReasonCartTaken, message
	case errors.Is(err, catalog.ErrOutOfStock):
		return orders.ReasonOutOfStock, message
	case errors.Is(err, catalog.ErrNotForSale):
		return orders.ReasonNotForSale, message
	case errors.Is(err, catalog.ErrExpired):
		return orders.ReasonTimeout, "It took too long, and the goods are no longer held."
	case errors.Is(err, errNotInTime):
		return orders.ReasonTimeout, message
	case step == stepAuthorise && errors.Is(err, payments.ErrStatus):
		return orders.ReasonDeclined, message
	default:
		return orders.ReasonFailed, message
	}
}

// reject turns the saga to undoing. What was done so far is then given back step by step.
func (s *Service) reject(ctx context.Context, c *checkout, reason orders.Reason, message string) error {
	saga := c.saga
	saga.State, saga.Until, saga.ActionURL, saga.Reason, saga.Message = orders.SagaUndoing, 0, "", reason, message
	if err := s.DB.Write(ctx, func(tx *store.Tx) error { return c.move(tx, saga) }); err != nil {
		return err
	}
	c.saga = saga
	return nil
}

// undo gives back the money, the stock and the cart, in this order. Every undo is by the key
// of what it undoes and succeeds also for what never was, so that a step whose outcome is
// unknown is undone like any other and cannot arrive later.
func (s *Service) undo(ctx context.Context, c *checkout) error {
	oid, by := c.order.ID, systemFor(c.order.Buyer)
	s.At("before undo", oid)
	if _, err := s.Payments.Undo(ctx, payments.UndoRequest{By: by, Key: keyOf(oid, stepAuthorise), Why: string(c.saga.Reason)}); err != nil {
		return fmt.Errorf("undo the payment of order %s: %w", oid, err)
	}
	s.At("after undo of the payment", oid)
	holds := []string{stepReserve}
	if c.saga.Reservation != stepReserve {
		holds = append(holds, c.saga.Reservation)
	}
	for _, hold := range holds {
		if _, err := s.Catalog.Release(ctx, catalog.ReleaseRequest{By: by, Key: keyOf(oid, hold)}); err != nil {
			return fmt.Errorf("release the stock of order %s: %w", oid, err)
		}
	}
	s.At("after undo of the reservation", oid)
	if _, err := s.Cart.Release(ctx, cart.ReleaseRequest{By: by, Key: keyOf(oid, stepClaim)}); err != nil {
		return fmt.Errorf("release the cart of order %s: %w", oid, err)
	}
	s.At("after undo of the claim", oid)
	return s.rejected(ctx, c)
}

// rejected ends an order of which everything was given back.
func (s *Service) rejected(ctx context.Context, c *checkout) error {
	o, saga := *c.order, c.saga
	if err := moveTo(&o, orders.StatusRejected); err != nil {
		return errMoved
	}
	o.Reason, o.Message = saga.Reason, saga.Message
	saga.State, saga.Step = orders.SagaFinished, ""
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := c.move(tx, saga); err != nil {
			return err
		}
		if err := updateStates(tx, o); err != nil {
			return moved(err)
		}
		if err := note(tx, o.ID, orders.Entry{What: orders.WhatRejected, Who: "souk", Detail: o.Message}); err != nil {
			return err
		}
		return tx.Publish(orders.Rejected{OrderID: o.ID, Reason: o.Reason, At: s.Now()})
	})
	if err != nil {
		return err
	}
	o.Version++ // as updateStates did
	c.order, c.saga = &o, saga
	s.counted("checkouts", string(o.Reason))
	return nil
}

// paymentChanged wakes a checkout that waits for its payment. One that is not parked yet asks
// once more when it has parked: see authorise.
func (s *Service) paymentChanged(tx *store.Tx, e payments.Changed) error {
	oid := orders.OrderID(e.OrderID)
	saga, err := selectSaga(tx, oid)
	if errors.Is(err, orders.ErrNotFound) {
		return nil // a payment for something else
	}
	if err != nil || saga.State != orders.SagaParked {
		return err
	}
	return tx.Enqueue(jobCheckout, string(oid), tx.Now())
}

// wakeAll has every unfinished checkout look for itself: what it does when the place in
// payments' log is gone, since it then cannot know what it has missed.
func (s *Service) wakeAll(ctx context.Context) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		var waiting []string
		if err := tx.Select(&waiting, `SELECT order_id FROM sagas WHERE state = 'parked'`); err != nil {
			return fmt.Errorf("select parked sagas: %w", err)
		}
		for _, oid := range waiting {
			if err := tx.Enqueue(jobCheckout, oid, tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// refundRetried tells what came of a refund that had been refused, once an operator took it up again: its job is over.
func (s *Service) refundRetried(tx *store.Tx, oid orders.OrderID, e payments.Refunded) error {
	if _, err := selectOrderRow(tx, `id = ?`, oid); err != nil {
		if errors.Is(err, orders.ErrNotFound) {
			return nil // a payment for something else
		}
		return err
	}
	told := orders.Entry{What: orders.WhatRefunded, SellerOrder: orders.SellerOrderID(e.SellerOrder), Who: "souk", Detail: fmt.Sprintf("%s is on its way back after all.", e.Amount)}
	switch {
	case e.Elsewhere:
		told.Detail = fmt.Sprintf("%s was paid back another way.", e.Amount)
	case e.Status == payments.RefundFailed:
		told.What, told.Detail = orders.WhatCase, fmt.Sprintf("The payment provider could not pay back %s this time either. We are looking into it.", e.Amount)
	}
	if e.SellerOrder == "" {
		told.What = orders.WhatNoted // a case of the whole order is told to every seller, and this is not theirs
	}
	return note(tx, oid, told)
}

// paymentRefunded wakes the refunds of an order that wait for what the provider says. What one came
// to is told by its job alone: were it told here too, the two could tell it in either order.
func (s *Service) paymentRefunded(tx *store.Tx, e payments.Refunded) error {
	oid := orders.OrderID(e.OrderID)
	if e.Retried {
		return s.refundRetried(tx, oid, e)
	}
	return wakeRefunds(tx, oid)
}

// wakeRefunds has the refunds of an order that are not at their end look how things stand.
func wakeRefunds(tx *store.Tx, oid orders.OrderID) error {
	var waiting []string
	if err := tx.Select(&waiting, `SELECT id FROM refunds WHERE order_id = ? AND state = 'pending'`, oid); err != nil {
		return fmt.Errorf("select the pending refunds of %s: %w", oid, err)
	}
	for _, rid := range waiting {
		if err := tx.Enqueue(jobRefund, jobKey(oid, rid), tx.Now()); err != nil {
			return err
		}
	}
	return nil
}
