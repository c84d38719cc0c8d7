package orderssvc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/job"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// later has a job tried again for as long as whoever it asks is merely out of reach; what it is
// refused, or a defect, counts as a failure, so that after some hours it lies dead and an
// operator sees it.
func (s *Service) later(begun clock.Time, err error) error {
	switch errs.KindOf(err) {
	case errs.Unavailable, errs.Unknown, errs.Exhausted:
		return job.Again(s.Now().Add(pauseAfter(begun, s.Now())))
	default:
		return err
	}
}

// shipStock books a parcel's goods as having left the shelf.
func (s *Service) shipStock(ctx context.Context, j job.Job) error {
	oid, parcel := splitKey(j.Key)
	c, err := s.load(ctx, oid)
	if err != nil {
		return err
	}
	var row parcelRow
	err = s.DB.Read(ctx, func(q store.Queryer) error {
		return q.Get(&row, `SELECT `+parcelColumns+` FROM parcels WHERE id = ? AND order_id = ?`, parcel, oid)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return job.Dead(fmt.Errorf("order %s has no parcel %s", oid, parcel))
	}
	if err != nil {
		return fmt.Errorf("select parcel %s: %w", parcel, err)
	}
	p, err := row.parcel()
	if err != nil {
		return err
	}
	so := partOf(c.order, row.SellerOrder)
	if so == nil {
		return job.Dead(fmt.Errorf("order %s has no part %s", oid, row.SellerOrder))
	}
	s.At("before ship stock", oid)
	_, err = s.Catalog.ShipStock(ctx, catalog.MoveAllocatedRequest{
		By: systemFor(c.order.Buyer), Key: keyOf(oid, parcel), Reservation: c.reservation(), Items: goodsOf(so, p.Items),
	})
	if err != nil {
		return s.later(j.EnqueuedAt, fmt.Errorf("ship the stock of parcel %s: %w", parcel, err))
	}
	s.At("after ship stock", oid)
	return nil
}

func partOf(o *orders.Order, which orders.SellerOrderID) *orders.SellerOrder {
	for i := range o.SellerOrders {
		if o.SellerOrders[i].ID == which {
			return &o.SellerOrders[i]
		}
	}
	return nil
}

// goodsOf are the variants of items, each once.
func goodsOf(so *orders.SellerOrder, items []orders.ParcelItem) []catalog.Item {
	picked := orders.Order{SellerOrders: []orders.SellerOrder{{}}}
	for _, item := range items {
		l := *lineOf(so, item.Line)
		l.Quantity = item.Quantity
		picked.SellerOrders[0].Lines = append(picked.SellerOrders[0].Lines, l)
	}
	return itemsOf(&picked)
}

// refund gives back the goods for sale and the money to the buyer. While the payment is not
// yet taken it waits; in a case, where the money never came, everything is given up.
func (s *Service) refund(ctx context.Context, j job.Job) error {
	oid, rid := splitKey(j.Key)
	c, err := s.load(ctx, oid)
	if err != nil {
		return err
	}
	var row refundRow
	err = s.DB.Read(ctx, func(q store.Queryer) error {
		return q.Get(&row, `SELECT id, order_id, seller_order_id, amount, currency, items, why, state, at FROM refunds WHERE id = ?`, rid)
	})
	if err != nil {
		return fmt.Errorf("select refund %s: %w", rid, err)
	}
	switch {
	case row.State == "done":
		return nil
	case c.saga.State == orders.SagaForward:
		return job.Again(s.Now().Add(pauseAfter(row.At, s.Now())))
	case c.saga.State == orders.SagaCase:
		return s.giveUp(ctx, c, row)
	}
	var back []catalog.Item
	if err := fromJSON(row.Items, &back); err != nil {
		return job.Dead(err)
	}
	by := systemFor(c.order.Buyer)
	s.At("before goods of a refund", oid)
	if _, err := s.Catalog.Deallocate(ctx, catalog.MoveAllocatedRequest{
		By: by, Key: keyOf(oid, rid), Reservation: c.reservation(), Items: back,
	}); err != nil {
		return s.later(row.At, fmt.Errorf("give back the goods of refund %s: %w", rid, err))
	}
	s.At("between goods and money of a refund", oid)
	amount := money.Money{Minor: row.Amount, Currency: row.Currency}
	if amount.IsZero() {
		return s.refundDone(ctx, row, "Nothing had been paid for what was cancelled.")
	}
	so := partOf(c.order, row.SellerOrder)
	if so == nil {
		return job.Dead(fmt.Errorf("order %s has no part %s", oid, row.SellerOrder))
	}
	share := payments.Share{Seller: id.RefOf(so.Seller), SellerOrder: id.RefOf(so.ID), Amount: amount}
	reply, err := s.Payments.Refund(ctx, payments.RefundRequest{
		By: by, Key: keyOf(oid, rid), Payment: c.order.Payment, Amount: amount, Shares: []payments.Share{share}, Why: row.Why,
	})
	if err != nil {
		return s.later(row.At, fmt.Errorf("refund %s: %w", rid, err))
	}
	s.At("after the money of a refund", oid)
	switch reply.Refund.Status {
	case payments.RefundDone:
		return s.refundDone(ctx, row, fmt.Sprintf("%s is on its way back.", amount))
	case payments.RefundFailed:
		return s.refundEnded(ctx, row, orders.Entry{
			What: orders.WhatCase, Detail: fmt.Sprintf("The payment provider could not pay back %s. We are looking into it.", amount),
		})
	default: // payments' event wakes this job when the provider has said what came of it
		return job.Again(s.Now().Add(refundWait))
	}
}

func (s *Service) refundDone(ctx context.Context, row refundRow, detail string) error {
	return s.refundEnded(ctx, row, orders.Entry{What: orders.WhatRefunded, Detail: detail})
}

// refundEnded says on the order, once, what a refund came to.
func (s *Service) refundEnded(ctx context.Context, row refundRow, e orders.Entry) error {
	e.SellerOrder, e.Who = row.SellerOrder, "souk"
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`UPDATE refunds SET state = 'done' WHERE id = ? AND state = 'pending'`, row.ID)
		if err != nil {
			return fmt.Errorf("finish refund %s: %w", row.ID, err)
		}
		if n == 0 {
			return nil
		}
		return note(tx, row.Order, e)
	})
}

// giveUp ends a case once everything of the order was cancelled: the authorisation is undone
// and the goods released. Until then the refunds of its parts wait.
func (s *Service) giveUp(ctx context.Context, c *checkout, row refundRow) error {
	for _, so := range c.order.SellerOrders {
		if so.Fulfilment != orders.FulfilmentCancelled {
			return job.Again(s.Now().Add(caseWait))
		}
	}
	by := systemFor(c.order.Buyer)
	if _, err := s.Payments.Undo(ctx, payments.UndoRequest{By: by, Key: keyOf(c.order.ID, stepAuthorise), Why: "the order was cancelled"}); err != nil {
		return s.later(row.At, fmt.Errorf("give up the payment of order %s: %w", c.order.ID, err))
	}
	s.At("between money and goods of a case", c.order.ID)
	if _, err := s.Catalog.Release(ctx, catalog.ReleaseRequest{By: by, Key: c.reservation()}); err != nil {
		return s.later(row.At, fmt.Errorf("release the goods of order %s: %w", c.order.ID, err))
	}
	return s.refundDone(ctx, row, "Nothing was taken, and what was reserved is free again.")
}

// settle divides what a finished part brought in, once nothing more can come back of it.
func (s *Service) settle(ctx context.Context, j job.Job) error {
	oid, which := splitKey(j.Key)
	c, err := s.load(ctx, oid)
	if err != nil {
		return err
	}
	switch c.saga.State {
	case orders.SagaForward:
		return job.Again(s.Now().Add(pauseAfter(j.EnqueuedAt, s.Now())))
	case orders.SagaCase:
		return nil // nothing was taken: there is nothing to divide
	default:
	}
	so := partOf(c.order, orders.SellerOrderID(which))
	if so == nil {
		return job.Dead(fmt.Errorf("order %s has no part %s", oid, which))
	}
	d, err := settle(*so)
	if err != nil {
		return job.Dead(fmt.Errorf("settle %s: %w", so.ID, err))
	}
	if d.earned.IsZero() && d.fee.IsZero() && d.tax.IsZero() && d.platform.IsZero() {
		return nil
	}
	s.At("before settle", oid)
	if _, err = s.Payments.Settle(ctx, payments.SettleRequest{
		By: systemFor(c.order.Buyer), Key: keyOf(oid, which), Payment: c.order.Payment, Seller: id.RefOf(so.Seller),
		SellerOrder: id.RefOf(so.ID), Earned: d.earned, Fee: d.fee, Tax: d.tax, Platform: d.platform,
	}); err != nil {
		return s.later(j.EnqueuedAt, fmt.Errorf("settle %s: %w", so.ID, err))
	}
	s.At("after settle", oid)
	return nil
}
