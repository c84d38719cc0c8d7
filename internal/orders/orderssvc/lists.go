package orderssvc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// GetOrder reads an order whole.
func (s *Service) GetOrder(ctx context.Context, r orders.GetOrderRequest) (orders.OrderReply, error) {
	if err := s.prepare(ctx, r.Link); err != nil {
		return orders.OrderReply{}, err
	}
	var reply orders.OrderReply
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		row, err := s.visible(ctx, q, r)
		if err != nil {
			return err
		}
		o, err := fill(q, row)
		if err != nil {
			return err
		}
		for i := range o.SellerOrders {
			o.SellerOrders[i] = forEyes(o.SellerOrders[i], r.By)
		}
		reply.Order = *o
		return nil
	})
	return reply, err
}

// forEyes leaves out of a part what is not for the caller: buyers do not see the commission.
func forEyes(so orders.SellerOrder, by actor.Actor) orders.SellerOrder {
	if by.IsOperator() || by.IsSystem() || by.Sells(id.RefOf(so.Seller)) {
		return so
	}
	so.Commission = money.Zero(so.Commission.Currency)
	lines := make([]orders.Line, len(so.Lines))
	for i, l := range so.Lines {
		l.Commission, l.CommissionBase, l.CommissionRate = money.Zero(l.Commission.Currency), money.Zero(l.Commission.Currency), 0
		lines[i] = l
	}
	so.Lines = lines
	return so
}

// GetSellerOrder reads one seller's part.
func (s *Service) GetSellerOrder(ctx context.Context, r orders.GetSellerOrderRequest) (orders.SellerOrderReply, error) {
	var reply orders.SellerOrderReply
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		_, so, err := s.part(ctx, q, act{by: r.By, which: r.SellerOrder})
		if err == nil {
			reply.SellerOrder = *so
		}
		return err
	})
	return reply, err
}

// listKey is where a list of orders goes on.
type listKey struct {
	At clock.Time
	ID string
}

// conditions collects what a list filters by.
type conditions struct {
	where []string
	args  []any
}

func (c *conditions) and(cond string, args ...any) {
	c.where, c.args = append(c.where, cond), append(c.args, args...)
}

func (c *conditions) String() string {
	if len(c.where) == 0 {
		return "1 = 1"
	}
	return strings.Join(c.where, " AND ")
}

// between narrows to a time; zero is open.
func (c *conditions) between(column string, from, until clock.Time) {
	if !from.IsZero() {
		c.and(column+" >= ?", from)
	}
	if !until.IsZero() {
		c.and(column+" < ?", until)
	}
}

// number narrows to numbers that contain what was typed, dashes and case aside.
func (c *conditions) number(text string) {
	if plain := plainNumber(text); plain != "" {
		c.and(`instr(replace(number, '-', ''), ?) > 0`, plain)
	}
}

// isStopped is true of orders whose checkout someone must look at: a case that was not settled
// by cancelling everything, or one whose job gave up.
const isStopped = `id IN (SELECT s.order_id FROM sagas s WHERE s.state <> 'finished' AND (
	s.state = 'case' OR EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'orders.checkout' AND j.key = s.order_id AND j.state = 'dead')))
	AND status IN ('pending', 'placed')`

// direction is how SQL sorts by time, and what comes after the row of a cursor.
func direction(sort *orders.Sort, p *errs.Problems) (way, beyond string) {
	switch {
	case sort == nil || *sort == orders.SortNewest:
		return "DESC", "<"
	case *sort == orders.SortOldest:
		return "ASC", ">"
	default:
		p.Add("sort", "must be newest or oldest")
		return "DESC", "<"
	}
}

// ListOrders pages through orders, newest first or oldest first.
func (s *Service) ListOrders(ctx context.Context, r orders.ListOrdersRequest) (orders.ListOrdersReply, error) {
	var c conditions
	switch {
	case r.All && (r.By.IsOperator() || r.By.IsSystem()):
	case r.All:
		return orders.ListOrdersReply{}, orders.ErrForbidden.With("only operators see everyone's orders")
	case r.By.SignedIn():
		c.and("buyer_id = ?", r.By.Person)
	default:
		return orders.ListOrdersReply{}, orders.ErrForbidden.With("sign in to see your orders")
	}
	var p errs.Problems
	p.Check(len(r.Text) <= 40, "text", "must have at most 40 characters")
	switch r.Status {
	case "":
		c.and("status <> 'rejected'")
	case orders.StatusPending:
		c.and("status = 'pending'") // written out, as in the index of these few
	case orders.StatusRejected:
		c.and("status = 'rejected'")
	case orders.StatusPlaced, orders.StatusCompleted:
		c.and("status = ?", r.Status)
	default:
		p.Add("status", "must be pending, placed, completed or rejected")
	}
	way, beyond := direction(r.Sort, &p)
	stopped := r.Stopped != nil && *r.Stopped
	p.Check(r.All || !stopped, "stopped", "is for operators, about everyone's orders")
	if err := p.Err(orders.ErrInvalid); err != nil {
		return orders.ListOrdersReply{}, err
	}
	order := "created_at"
	if stopped {
		c.and(isStopped)
		order = "+created_at" // they are few: found by their sagas, not by going through all orders
	}
	c.between(order, r.From, r.Until)
	if full := fullNumber(r.Text); len(full) == 9 {
		c.and("number = ?", full) // whole: there is an index
	} else {
		c.number(r.Text)
	}
	size := r.Page.Size(20, 100)
	filter := []any{"orders", r.By.Owner(), r.All, r.Status, r.Text, r.From, r.Until}
	if stopped {
		filter = append(filter, "stopped")
	}
	if way == "ASC" {
		filter = append(filter, orders.SortOldest)
	}
	var after listKey
	more, err := r.Page.After(filter, &after)
	if err != nil {
		return orders.ListOrdersReply{}, err
	}
	if more {
		c.and("("+order+", id) "+beyond+" (?, ?)", after.At, after.ID)
	}
	var rows []listedOrder
	parts := map[orders.OrderID][]orders.Fulfilment{}
	err = s.DB.Read(ctx, func(q store.Queryer) error {
		if err := q.Select(&rows, `SELECT `+orderColumns+`, `+isCaseOf(`orders.id`)+` FROM orders WHERE `+c.String()+` ORDER BY `+order+` `+way+`, id `+way+` LIMIT ?`,
			append(c.args, size+1)...); err != nil {
			return fmt.Errorf("list orders: %w", err)
		}
		return selectFulfilments(q, rows, parts)
	})
	if err != nil {
		return orders.ListOrdersReply{}, err
	}
	var reply orders.ListOrdersReply
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		if reply.Next, err = page.Cursor(filter, listKey{last.CreatedAt, string(last.ID)}); err != nil {
			return orders.ListOrdersReply{}, err
		}
	}
	for _, row := range rows {
		summary, err := row.summary(parts[row.ID])
		if err != nil {
			return orders.ListOrdersReply{}, err
		}
		reply.Orders = append(reply.Orders, summary)
	}
	return reply, nil
}

// selectFulfilments reads how far the parts of a page of orders are, in one query.
func selectFulfilments(q store.Queryer, rows []listedOrder, parts map[orders.OrderID][]orders.Fulfilment) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]orders.OrderID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	query, args, err := store.In(`SELECT order_id, fulfilment FROM seller_orders WHERE order_id IN (?) ORDER BY order_id, place`, ids)
	if err != nil {
		return err
	}
	var found []struct {
		Order      orders.OrderID    `db:"order_id"`
		Fulfilment orders.Fulfilment `db:"fulfilment"`
	}
	if err := q.Select(&found, query, args...); err != nil {
		return fmt.Errorf("select fulfilment of %d orders: %w", len(ids), err)
	}
	for _, f := range found {
		parts[f.Order] = append(parts[f.Order], f.Fulfilment)
	}
	return nil
}

// listedOrder is an order in a list.
type listedOrder struct {
	orderRow
	Case bool `db:"stopped"`
}

func (r listedOrder) summary(parts []orders.Fulfilment) (orders.Summary, error) {
	var s shown
	if err := fromJSON(r.Shown, &s); err != nil {
		return orders.Summary{}, fmt.Errorf("read order %s: %w", r.ID, err)
	}
	return orders.Summary{
		ID: r.ID, Number: r.Number, Status: r.Status, Reason: r.Reason, Total: r.amount(r.Total), Refunded: r.amount(r.Refunded),
		CreatedAt: r.CreatedAt, PlacedAt: r.PlacedAt, Pieces: r.Pieces, Titles: s.Titles, Image: s.Image, Sellers: s.Sellers,
		Fulfilment: parts, Captured: r.Captured, Case: r.Case,
	}, nil
}

// fulfilments are all states of fulfilment.
var fulfilments = []orders.Fulfilment{
	orders.FulfilmentOpen, orders.FulfilmentPartlyShipped, orders.FulfilmentShipped, orders.FulfilmentDelivered, orders.FulfilmentCancelled,
}

// maySell refuses whoever is not staff of the seller, an operator or souk itself: as not found,
// since which sellers have orders is nobody else's business.
func maySell(by actor.Actor, seller id.Ref) error {
	if by.IsOperator() || by.IsSystem() || by.Sells(seller) {
		return nil
	}
	return orders.ErrNotFound.With("there is no such seller")
}

// listedPart is a seller order in a list.
type listedPart struct {
	sellerOrderRow
	Case bool `db:"stopped"`
}

// ListSellerOrders pages through a seller's orders, newest first or oldest first.
func (s *Service) ListSellerOrders(ctx context.Context, r orders.ListSellerOrdersRequest) (orders.ListSellerOrdersReply, error) {
	if err := maySell(r.By, id.RefOf(r.Seller)); err != nil {
		return orders.ListSellerOrdersReply{}, err
	}
	var p errs.Problems
	p.Check(len(r.Text) <= 40, "text", "must have at most 40 characters")
	p.Check(r.Fulfilment == "" || slices.Contains(fulfilments, r.Fulfilment), "fulfilment", "is not a state of fulfilment")
	way, beyond := direction(r.Sort, &p)
	if err := p.Err(orders.ErrInvalid); err != nil {
		return orders.ListSellerOrdersReply{}, err
	}
	var c conditions
	c.and("seller_id = ?", r.Seller)
	if r.Fulfilment != "" {
		c.and("fulfilment = ?", r.Fulfilment)
	}
	c.and("placed_at > 0")
	order := "placed_at"
	waiting := r.Shippable != nil && *r.Shippable
	if waiting {
		c.and(shippable)
		order = "+placed_at" // they are found by how far they have come, not by going through all that was ever sold
	}
	c.between(order, r.From, r.Until)
	c.number(r.Text)
	size := r.Page.Size(20, 100)
	filter := []any{"seller orders", r.Seller, r.Fulfilment, r.Text, r.From, r.Until}
	if waiting {
		filter = append(filter, "shippable")
	}
	if way == "ASC" {
		filter = append(filter, orders.SortOldest)
	}
	var after listKey
	more, err := r.Page.After(filter, &after)
	if err != nil {
		return orders.ListSellerOrdersReply{}, err
	}
	if more {
		c.and("("+order+", id) "+beyond+" (?, ?)", after.At, after.ID)
	}
	var rows []listedPart
	err = s.DB.Read(ctx, func(q store.Queryer) error {
		return q.Select(&rows, `SELECT `+sellerOrderColumns+`, `+isCaseOf(`seller_orders.order_id`)+` FROM seller_orders WHERE `+c.String()+` ORDER BY `+order+` `+way+`, id `+way+` LIMIT ?`,
			append(c.args, size+1)...)
	})
	if err != nil {
		return orders.ListSellerOrdersReply{}, fmt.Errorf("list orders of seller %s: %w", r.Seller, err)
	}
	var reply orders.ListSellerOrdersReply
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		if reply.Next, err = page.Cursor(filter, listKey{last.PlacedAt, string(last.ID)}); err != nil {
			return orders.ListSellerOrdersReply{}, err
		}
	}
	for _, row := range rows {
		summary := orders.SellerOrderSummary{
			ID: row.ID, Order: row.Order, Number: row.Number, Fulfilment: row.Fulfilment, Paid: row.Paid,
			Total: row.amount(row.Total), Pieces: row.Pieces, ToShip: row.ToShip, PlacedAt: row.PlacedAt, Country: row.Country, Case: row.Case,
		}
		if err := fromJSON(row.Titles, &summary.Titles); err != nil {
			return orders.ListSellerOrdersReply{}, fmt.Errorf("read seller order %s: %w", row.ID, err)
		}
		reply.SellerOrders = append(reply.SellerOrders, summary)
	}
	return reply, nil
}

// CountSellerOrders counts a seller's orders by fulfilment, and those that may ship now.
func (s *Service) CountSellerOrders(ctx context.Context, r orders.CountSellerOrdersRequest) (orders.CountSellerOrdersReply, error) {
	if err := maySell(r.By, id.RefOf(r.Seller)); err != nil {
		return orders.CountSellerOrdersReply{}, err
	}
	var rows []struct {
		Fulfilment orders.Fulfilment `db:"fulfilment"`
		Count      int64             `db:"count"`
	}
	var reply orders.CountSellerOrdersReply
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		if err := q.Get(&reply.Shippable, `
			SELECT count(*) FROM seller_orders WHERE seller_id = ? AND placed_at > 0 AND `+shippable, r.Seller); err != nil {
			return err
		}
		return q.Select(&rows, `
			SELECT fulfilment, count(*) AS count FROM seller_orders WHERE seller_id = ? AND placed_at > 0
			GROUP BY fulfilment ORDER BY fulfilment`, r.Seller)
	})
	if err != nil {
		return orders.CountSellerOrdersReply{}, fmt.Errorf("count orders of seller %s: %w", r.Seller, err)
	}
	for _, row := range rows {
		reply.Counts = append(reply.Counts, orders.FulfilmentCount(row))
	}
	return reply, nil
}
