package orderssvc

import (
	"context"
	"fmt"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

// forwardFromPivot finishes what the placement promised: it takes the money, sets the goods
// aside and closes the cart. From here on it only goes forward; but money that is refused
// for good opens a case.
func (s *Service) forwardFromPivot(ctx context.Context, c *checkout) error {
	o, by := c.order, systemFor(c.order.Buyer)
	s.At("before "+stepCapture, o.ID)
	if !o.Sums.Total.IsZero() {
		_, err := s.Payments.Capture(ctx, payments.CaptureRequest{
			By: by, Key: c.captureKey(), Payment: o.Payment, Amount: o.Sums.Total, Shares: captureShares(o),
		})
		switch {
		case errs.Refused(err) && errs.KindOf(err) != errs.Exhausted:
			return s.openCase(ctx, c, err)
		case err != nil:
			return fmt.Errorf("capture for order %s: %w", o.ID, err)
		}
	}
	s.At("after "+stepCapture, o.ID)
	c.saga.Step = stepAllocate
	if _, err := s.Catalog.Allocate(ctx, catalog.AllocateRequest{
		By: by, Key: keyOf(o.ID, stepAllocate), Reservation: c.reservation(),
	}); err != nil {
		return fmt.Errorf("allocate for order %s: %w", o.ID, err)
	}
	s.At("after "+stepAllocate, o.ID)
	c.saga.Step = stepClose
	if err := s.closeCart(ctx, c); err != nil {
		return err
	}
	s.At("after "+stepClose, o.ID)
	return s.finish(ctx, c)
}

func (s *Service) closeCart(ctx context.Context, c *checkout) error {
	if _, err := s.Cart.Close(ctx, cart.CloseRequest{
		By: systemFor(c.order.Buyer), Key: keyOf(c.order.ID, stepClose), Claim: keyOf(c.order.ID, stepClaim),
	}); err != nil {
		return fmt.Errorf("close the cart of order %s: %w", c.order.ID, err)
	}
	return nil
}

// finish ends the saga: the order is paid and may ship.
func (s *Service) finish(ctx context.Context, c *checkout) error {
	saga, paid := c.saga, "The payment was taken."
	saga.State, saga.Step = orders.SagaFinished, ""
	if c.order.Sums.Total.IsZero() {
		paid = "There was nothing to pay."
	}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := c.move(tx, saga); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE orders SET captured = 1, version = version + 1 WHERE id = ?`, c.order.ID); err != nil {
			return fmt.Errorf("mark order %s paid: %w", c.order.ID, err)
		}
		if _, err := tx.Exec(`UPDATE seller_orders SET paid = 1, version = version + 1 WHERE order_id = ?`, c.order.ID); err != nil {
			return fmt.Errorf("mark the parts of order %s paid: %w", c.order.ID, err)
		}
		return note(tx, c.order.ID, orders.Entry{What: orders.WhatPaid, Who: "souk", Detail: paid})
	})
	if err == nil {
		c.saga = saga
	}
	return err
}

// openCase stops fulfilment: the provider will not give the money that it had authorised, and
// someone must decide. Operators see it, and have it tried again (RetryCapture); cancelling the
// order gives everything back.
func (s *Service) openCase(ctx context.Context, c *checkout, cause error) error {
	if err := s.closeCart(ctx, c); err != nil {
		return err
	}
	saga := c.saga
	saga.State, saga.Step = orders.SagaCase, stepCapture
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := c.move(tx, saga); err != nil {
			return err
		}
		return note(tx, c.order.ID, orders.Entry{
			What: orders.WhatCase, Who: "souk",
			Detail: "The payment provider refused to pay out what it had authorised. Nothing ships until this is settled.",
		})
	})
	if err != nil {
		return err
	}
	s.Telemetry.Log.Error().Err(cause).Str("order_id", string(c.order.ID)).Msg("capture refused for good")
	s.counted("checkouts", "case")
	c.saga = saga
	s.At("after case", c.order.ID)
	return nil
}
