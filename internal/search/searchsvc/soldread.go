package searchsvc

import (
	"context"
	"fmt"
	"time"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/sales"
)

// readSales counts again what was sold, from orders themselves, when the place in their log is lost. Until
// all is read the counts stay as they were; one that is broken off begins anew.
//
// An order is read whole, as an operator reads it, for there is no lesser way to ask for its lines. Nothing of it
// is kept but listing, variant, day and pieces.
func (s *Service) readSales(ctx context.Context) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	var round int64
	err := s.db.Read(ctx, func(q store.Queryer) error {
		return q.Get(&round, `SELECT coalesce(max(round), 0) + 1 FROM sold_lines`)
	})
	if err != nil {
		return fmt.Errorf("see which reading of orders this is: %w", err)
	}
	by, from := actor.System(""), s.now().Add(-sales.Window*24*time.Hour)
	for cursor := ""; ; {
		reply, err := s.orders.ListOrders(ctx, orders.ListOrdersRequest{
			By: by, All: true, From: from, Page: page.Request{Cursor: cursor, Limit: batch},
		})
		if err != nil {
			return fmt.Errorf("read orders: %w", err)
		}
		var lines []soldLine
		for _, o := range reply.Orders {
			if o.Status != orders.StatusPlaced && o.Status != orders.StatusCompleted {
				continue
			}
			whole, err := s.orders.GetOrder(ctx, orders.GetOrderRequest{By: by, Order: o.ID})
			if err != nil {
				return fmt.Errorf("read order %s: %w", o.ID, err)
			}
			lines = append(lines, linesOf(whole.Order, round)...)
		}
		err = s.db.Write(ctx, func(tx *store.Tx) error {
			for _, line := range lines {
				if err := upsertLine(tx, line); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if cursor = reply.Next; cursor == "" {
			break
		}
	}
	return s.db.Write(ctx, func(tx *store.Tx) error { return countAgain(tx, round) })
}

// linesOf are the lines of an order as they stand. Lines of the same variant count as one.
func linesOf(o orders.Order, round int64) []soldLine {
	placed := orders.Placed{OrderID: o.ID, At: o.PlacedAt}
	type name struct {
		of      orders.SellerOrderID
		variant catalog.VariantID
	}
	cancelled := map[name]int64{}
	for _, so := range o.SellerOrders {
		for _, l := range so.Lines {
			placed.Lines = append(placed.Lines, orders.PlacedLine{
				SellerOrderID: so.ID, SellerID: so.Seller, ListingID: l.Listing, VariantID: l.Variant, Quantity: l.Quantity,
			})
			cancelled[name{so.ID, l.Variant}] += l.Cancelled
		}
	}
	lines := placedLines(placed)
	for i := range lines {
		lines[i].Cancelled, lines[i].Round = cancelled[name{lines[i].SellerOrder, lines[i].Variant}], round
	}
	return lines
}
