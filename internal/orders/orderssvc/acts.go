package orderssvc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// act is one change of a seller order by someone: loaded, changed and stored in one Write, once
// per key, with an audit row where staff or an operator did it.
type act struct {
	name  string // "orders.ship"
	by    actor.Actor
	key   string
	body  any
	which orders.SellerOrderID
	link  string // by which a guest may act
	buyer bool   // whether its buyer may
	staff bool   // whether its seller's staff alone may
	why   string
	// change changes so, which is one of o's, and says what happened.
	change func(tx *store.Tx, o *orders.Order, so *orders.SellerOrder) (orders.Entry, error)
}

func (s *Service) do(ctx context.Context, a act) (orders.SellerOrderReply, error) {
	if err := s.prepare(ctx, a.link); err != nil {
		return orders.SellerOrderReply{}, err
	}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{Owner: ownerOf(a), Operation: a.name, Key: a.key, Body: store.Hash(a.body), Until: s.Now().Add(keysLive)}
		_, _, err := tx.Once(c, func() (string, error) { return string(a.which), s.apply(ctx, tx, a) })
		return err
	})
	if err != nil {
		return orders.SellerOrderReply{}, err
	}
	var reply orders.SellerOrderReply
	err = s.DB.Read(ctx, func(q store.Queryer) error {
		_, so, err := s.part(ctx, q, a)
		if err == nil {
			reply.SellerOrder = forEyes(*so, a.by)
		}
		return err
	})
	s.At("after "+a.name, reply.SellerOrder.Order)
	return reply, err
}

// ownerOf is whose key it is: whoever holds an order's link is known by nothing else.
func ownerOf(a act) string {
	if owner := a.by.Owner(); owner != "" {
		return owner
	}
	return "link:" + string(a.which)
}

func (s *Service) apply(ctx context.Context, tx *store.Tx, a act) error {
	o, so, err := s.part(ctx, tx, a)
	if err != nil {
		return err
	}
	if a.staff && !a.by.Sells(id.RefOf(so.Seller)) {
		return orders.ErrForbidden.With("only the seller itself ships")
	}
	if o.Status == orders.StatusPending || o.Status == orders.StatusRejected {
		return orders.ErrNotFound.With("there is no such order")
	}
	was := *so
	was.Lines = append([]orders.Line(nil), so.Lines...)
	entry, err := a.change(tx, o, so)
	if err != nil {
		return err
	}
	if err := updateSellerOrder(tx, so); err != nil {
		return err
	}
	entry.SellerOrder, entry.Who = so.ID, who(a.by, so.Seller)
	if err := note(tx, o.ID, entry); err != nil {
		return err
	}
	if err := s.afterwards(tx, o, so); err != nil {
		return err
	}
	if a.by.Kind == actor.KindOperator || a.by.Sells(id.RefOf(so.Seller)) {
		return tx.Audit(store.Audit{
			By: a.by, Action: a.name, Subject: string(so.ID), Before: string(was.Fulfilment), After: string(so.Fulfilment), Why: a.why,
		})
	}
	return nil
}

// who is how the timeline of a part calls an actor.
func who(by actor.Actor, seller catalog.SellerID) string {
	switch {
	case by.IsOperator():
		return "operator"
	case by.IsSystem():
		return "souk"
	case by.Sells(id.RefOf(seller)):
		return "seller"
	default:
		return "buyer"
	}
}

// part loads the order of a seller order for whoever may touch it: its seller's staff,
// operators, and where said its buyer or the holder of its link.
func (s *Service) part(ctx context.Context, q store.Queryer, a act) (*orders.Order, *orders.SellerOrder, error) {
	var found struct {
		Order  orders.OrderID   `db:"order_id"`
		Seller catalog.SellerID `db:"seller_id"`
		Buyer  id.Ref           `db:"buyer_id"`
	}
	err := q.Get(&found, `
		SELECT p.order_id, p.seller_id, o.buyer_id FROM seller_orders p JOIN orders o ON o.id = p.order_id
		WHERE p.id = ? AND p.placed_at > 0`, a.which)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, orders.ErrNotFound.With("there is no such order")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find seller order %s: %w", a.which, err)
	}
	opened := false
	if a.buyer && a.link != "" {
		if opened, err = s.opens(ctx, a.link, found.Order); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case a.by.IsOperator(), a.by.IsSystem(), a.by.Sells(id.RefOf(found.Seller)):
	case a.buyer && (opened || a.by.SignedIn() && a.by.Person == found.Buyer && a.by.Has(actor.ScopeShop)):
	default:
		return nil, nil, orders.ErrNotFound.With("there is no such order")
	}
	o, err := selectOrder(q, found.Order)
	if err != nil {
		return nil, nil, err
	}
	for i := range o.SellerOrders {
		if o.SellerOrders[i].ID == a.which {
			return o, &o.SellerOrders[i], nil
		}
	}
	return nil, nil, orders.ErrNotFound.With("there is no such order")
}

// afterwards does what follows from a part's new state: what is finished is settled, and an
// order all of whose parts are finished is completed.
func (s *Service) afterwards(tx *store.Tx, o *orders.Order, so *orders.SellerOrder) error {
	if !finished(so.Fulfilment) {
		return nil
	}
	if err := tx.Enqueue(jobSettle, jobKey(o.ID, string(so.ID)), tx.Now()); err != nil {
		return err
	}
	for _, other := range o.SellerOrders {
		if !finished(other.Fulfilment) {
			return nil
		}
	}
	if o.Status != orders.StatusPlaced {
		return nil
	}
	if err := moveTo(o, orders.StatusCompleted); err != nil {
		return err
	}
	if err := updateStates(tx, *o); err != nil {
		return err
	}
	o.Version++
	if err := note(tx, o.ID, orders.Entry{What: orders.WhatCompleted, Who: "souk", Detail: "Everything was delivered or cancelled."}); err != nil {
		return err
	}
	return tx.Publish(orders.Completed{OrderID: o.ID, BuyerID: o.Buyer, At: tx.Now()})
}

// jobKey begins with the order, so that an order's work is found by it.
func jobKey(oid orders.OrderID, what string) string { return string(oid) + "/" + what }

func splitKey(key string) (oid orders.OrderID, what string) {
	before, after, _ := strings.Cut(key, "/")
	return orders.OrderID(before), after
}

// Ship books a parcel.
func (s *Service) Ship(ctx context.Context, r orders.ShipRequest) (reply orders.SellerOrderReply, err error) {
	defer func() { s.done("ship", err) }()
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= 200, "key", "must have 1 to 200 characters")
	p.Check(len(r.Carrier) <= 100, "carrier", "must have at most 100 characters")
	p.Check(len(r.Tracking) <= 100, "tracking", "must have at most 100 characters")
	if r.TrackingURL != "" {
		u, err := url.Parse(r.TrackingURL)
		p.Check(err == nil && u.Scheme == "https" && u.Host != "" && len(r.TrackingURL) <= 500, "tracking_url", "must be an address that begins with https://")
	}
	if err := p.Err(orders.ErrInvalid); err != nil {
		return orders.SellerOrderReply{}, err
	}
	parcel := orders.ParcelIDs.New()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return s.do(ctx, act{
		name: "orders.ship", by: r.By, key: r.Key, body: body, which: r.SellerOrder, staff: true,
		change: func(tx *store.Tx, o *orders.Order, so *orders.SellerOrder) (orders.Entry, error) {
			items, err := pick(so, r.Items)
			if err != nil {
				return orders.Entry{}, err
			}
			sent := orders.Parcel{
				ID: parcel, Carrier: r.Carrier, Tracking: r.Tracking, TrackingURL: r.TrackingURL, Items: items, ShippedAt: tx.Now(),
			}
			if err := ship(so, sent); err != nil {
				return orders.Entry{}, err
			}
			if err := insertParcel(tx, o.ID, so.ID, sent); err != nil {
				return orders.Entry{}, err
			}
			if err := tx.Enqueue(jobShipStock, jobKey(o.ID, string(parcel)), tx.Now()); err != nil {
				return orders.Entry{}, err
			}
			return orders.Entry{What: orders.WhatShipped, Detail: shippedDetail(so, sent)}, tx.Publish(orders.Shipped{
				OrderID: o.ID, SellerOrderID: so.ID, SellerID: so.Seller, BuyerID: o.Buyer, ParcelID: parcel, At: tx.Now(),
			})
		},
	})
}

func shippedDetail(so *orders.SellerOrder, p orders.Parcel) string {
	said := fmt.Sprintf("%s sent a parcel of %s", so.SellerName, pieces(p.Items))
	if p.Carrier != "" {
		said += " with " + p.Carrier
	}
	return said + "."
}

func pieces(items []orders.ParcelItem) string {
	var n int64
	for _, item := range items {
		n += item.Quantity
	}
	if n == 1 {
		return "1 piece"
	}
	return fmt.Sprintf("%d pieces", n)
}

func insertParcel(tx *store.Tx, oid orders.OrderID, so orders.SellerOrderID, p orders.Parcel) error {
	text, err := toJSON(p.Items)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`
		INSERT INTO parcels (id, order_id, seller_order_id, carrier, tracking, tracking_url, items, shipped_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, oid, so, p.Carrier, p.Tracking, p.TrackingURL, text, p.ShippedAt)
	if err != nil {
		return fmt.Errorf("insert parcel %s: %w", p.ID, err)
	}
	return nil
}

// Deliver marks a parcel as arrived.
func (s *Service) Deliver(ctx context.Context, r orders.DeliverRequest) (reply orders.SellerOrderReply, err error) {
	defer func() { s.done("deliver", err) }()
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= 200, "key", "must have 1 to 200 characters")
	p.Check(orders.ParcelIDs.Valid(r.Parcel), "parcel", "is not the id of a parcel")
	if err := p.Err(orders.ErrInvalid); err != nil {
		return orders.SellerOrderReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return s.do(ctx, act{
		name: "orders.deliver", by: r.By, key: r.Key, body: body, which: r.SellerOrder,
		change: func(tx *store.Tx, o *orders.Order, so *orders.SellerOrder) (orders.Entry, error) {
			changed, err := deliver(so, r.Parcel, tx.Now())
			switch {
			case err != nil:
				return orders.Entry{}, err
			case !changed:
				return orders.Entry{}, orders.ErrStatus.With("this parcel is marked as arrived already")
			}
			if _, err := tx.Exec(`UPDATE parcels SET delivered_at = ? WHERE id = ?`, tx.Now(), r.Parcel); err != nil {
				return orders.Entry{}, fmt.Errorf("mark parcel %s delivered: %w", r.Parcel, err)
			}
			return orders.Entry{What: orders.WhatDelivered, Detail: "A parcel from " + so.SellerName + " arrived."}, tx.Publish(orders.Delivered{
				OrderID: o.ID, SellerOrderID: so.ID, SellerID: so.Seller, BuyerID: o.Buyer, ParcelID: r.Parcel, At: tx.Now(),
			})
		},
	})
}

// Cancel takes back what has not shipped, and has it refunded.
func (s *Service) Cancel(ctx context.Context, r orders.CancelRequest) (reply orders.SellerOrderReply, err error) {
	defer func() { s.done("cancel", err) }()
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= 200, "key", "must have 1 to 200 characters")
	p.Check(len(r.Why) <= 1000, "why", "must have at most 1000 characters")
	if err := p.Err(orders.ErrInvalid); err != nil {
		return orders.SellerOrderReply{}, err
	}
	rid := string(refundIDs.New())
	body := r
	body.By, body.Key, body.Link = actor.Actor{}, "", "" // whose key it is, Once knows
	return s.do(ctx, act{
		name: "orders.cancel", by: r.By, key: r.Key, body: body, which: r.SellerOrder, link: r.Link, buyer: true, why: r.Why,
		change: func(tx *store.Tx, o *orders.Order, so *orders.SellerOrder) (orders.Entry, error) {
			items, err := pick(so, r.Items)
			if err != nil {
				return orders.Entry{}, err
			}
			amount, err := cancel(so, items)
			if err != nil {
				return orders.Entry{}, err
			}
			if o.Refunded, err = o.Refunded.Add(amount); err != nil {
				return orders.Entry{}, fmt.Errorf("refund of order %s: %w", o.ID, err)
			}
			if err := updateStates(tx, *o); err != nil {
				return orders.Entry{}, err
			}
			o.Version++
			if err := s.insertRefund(tx, rid, o, so, items, amount, r.Why); err != nil {
				return orders.Entry{}, err
			}
			var n int64
			for _, item := range items {
				n += item.Quantity
			}
			then := "will be paid back"
			if o.Case {
				then = "less is to be paid"
			}
			return orders.Entry{What: orders.WhatCancelled, Detail: fmt.Sprintf("%s from %s cancelled; %s %s.", pieces(items), so.SellerName, amount, then)},
				tx.Publish(orders.Cancelled{
					OrderID: o.ID, SellerOrderID: so.ID, SellerID: so.Seller, BuyerID: o.Buyer, Pieces: n, Amount: amount, At: tx.Now(),
					Lines: cancelledLines(so, items),
				})
		},
	})
}

// cancelledLines are the variants that items were taken back of, once that has been done to so. Lines of the
// same variant count as one.
func cancelledLines(so *orders.SellerOrder, items []orders.ParcelItem) []orders.CancelledLine {
	var out []orders.CancelledLine
	at := map[catalog.VariantID]int{}
	now := map[orders.LineID]int64{}
	for _, item := range items {
		now[item.Line] += item.Quantity
	}
	for _, l := range so.Lines {
		i, known := at[l.Variant]
		if !known {
			i, at[l.Variant] = len(out), len(out)
			out = append(out, orders.CancelledLine{ListingID: l.Listing, VariantID: l.Variant})
		}
		out[i].Quantity += now[l.ID]
		out[i].Cancelled += l.Cancelled
	}
	return slices.DeleteFunc(out, func(l orders.CancelledLine) bool { return l.Quantity == 0 })
}

func (s *Service) insertRefund(tx *store.Tx, rid string, o *orders.Order, so *orders.SellerOrder, items []orders.ParcelItem, amount money.Money, why string) error {
	text, err := toJSON(goodsOf(so, items))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`
		INSERT INTO refunds (id, order_id, seller_order_id, amount, currency, items, why, state, at) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?)`,
		rid, o.ID, so.ID, amount.Minor, amount.Currency, text, why, tx.Now()); err != nil {
		return fmt.Errorf("insert refund %s: %w", rid, err)
	}
	return tx.Enqueue(jobRefund, jobKey(o.ID, rid), tx.Now())
}
