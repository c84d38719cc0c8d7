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
		if errs.As(err).Fields["problem"] == "not_for_sale" {
			return orders.ReasonNotForSale, message
		}
		return orders.ReasonOutOfStock, message
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
	case step == stepAuthorise && errors.Is(err, payments.ErrStatus):
		return orders.ReasonDeclined, message
	default:
		return orders.ReasonFailed, message
	}
}

// reject turns the saga to undoing. What was done so far is then given back step by step.
func (s *Service) reject(ctx context.Context, c checkout, reason orders.Reason, message string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		saga, err := selectSaga(tx, c.order.ID)
		if err != nil {
			return err
		}
		if saga.State != orders.SagaRunning && saga.State != orders.SagaParked {
			return nil
		}
		saga.State, saga.Step, saga.Until, saga.ActionURL = orders.SagaUndoing, c.saga.Step, 0, ""
		saga.Reason, saga.Message = reason, message
		return updateSaga(tx, saga)
	})
}

// undo gives back the money, the stock and the cart, in this order. Every undo is by the key
// of what it undoes and succeeds also for what never was, so that a step whose outcome is
// unknown is undone like any other and cannot arrive later.
func (s *Service) undo(ctx context.Context, c checkout) error {
	o, by := c.order, systemFor(c.order.Buyer)
	s.At("before undo", o.ID)
	if _, err := s.Payments.Undo(ctx, payments.UndoRequest{By: by, Key: keyOf(o.ID, stepAuthorise), Why: string(c.saga.Reason)}); err != nil {
		return fmt.Errorf("undo the payment of order %s: %w", o.ID, err)
	}
	s.At("after undo of the payment", o.ID)
	if _, err := s.Catalog.Release(ctx, catalog.ReleaseRequest{By: by, Key: keyOf(o.ID, stepReserve)}); err != nil {
		return fmt.Errorf("release the stock of order %s: %w", o.ID, err)
	}
	s.At("after undo of the reservation", o.ID)
	if _, err := s.Cart.Release(ctx, cart.ReleaseRequest{By: by, Key: keyOf(o.ID, stepClaim)}); err != nil {
		return fmt.Errorf("release the cart of order %s: %w", o.ID, err)
	}
	s.At("after undo of the claim", o.ID)
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		o, err := selectOrder(tx, c.order.ID)
		if err != nil {
			return err
		}
		if o.Status == orders.StatusRejected {
			return nil
		}
		if err := moveTo(o, orders.StatusRejected); err != nil {
			return err
		}
		saga := c.saga
		o.Reason, o.Message = saga.Reason, saga.Message
		if err := updateStates(tx, o); err != nil {
			return err
		}
		saga.State, saga.Step = orders.SagaFinished, ""
		if err := updateSaga(tx, saga); err != nil {
			return err
		}
		if err := note(tx, o.ID, orders.Entry{What: orders.WhatRejected, Who: "souk", Detail: o.Message}); err != nil {
			return err
		}
		return tx.Publish(orders.Rejected{OrderID: o.ID, Reason: o.Reason, At: s.Now()})
	})
}

// paymentChanged wakes a checkout that waits for its payment.
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
