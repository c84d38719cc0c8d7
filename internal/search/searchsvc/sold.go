package searchsvc

import (
	"fmt"
	"time"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/sales"
)

// salesSubscriber is fixed for ever: the cursor hangs on it.
const salesSubscriber = "search.orders"

// salesLinger is how much later what is sold may count, so that many orders are counted at once.
const salesLinger = time.Second

// linesKept is for how long a line is remembered, to be recognised when it is heard of again and to take
// off what is cancelled of it: longer than logs are kept.
const linesKept = 90 // days

// hearOrders follows orders' log.
func (s *Service) hearOrders(b *bus.Bus) {
	s.sales = bus.NewSubscriber(b, salesSubscriber, orders.Log, s.db)
	bus.On(s.sales, s.placed)
	bus.On(s.sales, s.cancelled)
	s.sales.OnPlaceGone(s.readSales)
	s.sales.Linger(salesLinger)
}

// dayOf is the day of a time, since 1970 in UTC.
func dayOf(t clock.Time) int64 { return t.Std().Unix() / int64(24*time.Hour/time.Second) }

// soldLine is what is known of a variant in a seller order.
type soldLine struct {
	SellerOrder orders.SellerOrderID `db:"seller_order_id"`
	Variant     catalog.VariantID    `db:"variant_id"`
	Listing     catalog.ListingID    `db:"listing_id"`
	Day         int64                `db:"day"`
	Placed      int64                `db:"placed"`
	Cancelled   int64                `db:"cancelled"`
	Round       int64                `db:"round"`
}

// kept is how many pieces of the line were sold in the end.
func (l soldLine) kept() int64 { return max(l.Placed-l.Cancelled, 0) }

// placedLines are the lines of an order. Lines of the same variant count as one.
func placedLines(e orders.Placed) []soldLine {
	type name struct {
		of      orders.SellerOrderID
		variant catalog.VariantID
	}
	at := map[name]int{}
	var lines []soldLine
	for _, l := range e.Lines {
		n := name{l.SellerOrderID, l.VariantID}
		i, known := at[n]
		if !known {
			i, at[n] = len(lines), len(lines)
			lines = append(lines, soldLine{SellerOrder: l.SellerOrderID, Variant: l.VariantID, Listing: l.ListingID, Day: dayOf(e.At)})
		}
		lines[i].Placed += l.Quantity
	}
	return lines
}

// placed counts what was sold. A line that is known already was heard of before.
func (s *Service) placed(tx *store.Tx, e orders.Placed) error {
	if dayOf(e.At) < dayOf(tx.Now())-sales.Window {
		return nil
	}
	for _, line := range placedLines(e) {
		was, err := selectLine(tx, line.SellerOrder, line.Variant)
		if err != nil {
			return err
		}
		if was.Placed > 0 || line.Placed <= 0 {
			continue
		}
		line.Cancelled, line.Round = was.Cancelled, was.Round
		if err := s.putLine(tx, line, line.kept()); err != nil {
			return err
		}
		if err := s.bought(tx, line.Listing, e.At); err != nil {
			return err
		}
	}
	return nil
}

// cancelled takes off what was taken back before it shipped.
func (s *Service) cancelled(tx *store.Tx, e orders.Cancelled) error {
	if len(e.Lines) == 0 {
		return s.cancelledWhole(tx, e)
	}
	for _, l := range e.Lines {
		line, err := selectLine(tx, e.SellerOrderID, l.VariantID)
		if err != nil {
			return err
		}
		if l.Cancelled <= line.Cancelled {
			continue // heard before
		}
		before := line.kept()
		line.SellerOrder, line.Variant, line.Listing, line.Cancelled = e.SellerOrderID, l.VariantID, l.ListingID, l.Cancelled
		if err := s.putLine(tx, line, line.kept()-before); err != nil {
			return err
		}
	}
	return nil
}

// cancelledWhole is for an event of souk 0.1, which does not say what was cancelled: only if it was
// everything is that known. Otherwise what was sold stays counted.
func (s *Service) cancelledWhole(tx *store.Tx, e orders.Cancelled) error {
	lines, err := selectLines(tx, e.SellerOrderID)
	if err != nil {
		return err
	}
	pieces := int64(0)
	for _, line := range lines {
		pieces += line.Placed
	}
	if e.Pieces < pieces {
		return nil
	}
	for _, line := range lines {
		less := -line.kept()
		line.Cancelled = line.Placed
		if err := s.putLine(tx, line, less); err != nil {
			return err
		}
	}
	return nil
}

// putLine stores a line, and that so many pieces more or less were sold by it.
func (s *Service) putLine(tx *store.Tx, line soldLine, more int64) error {
	if err := upsertLine(tx, line); err != nil {
		return err
	}
	if more == 0 {
		return nil
	}
	if err := addSold(tx, line.Listing, line.Day, more); err != nil {
		return err
	}
	return scoreAgain(tx, line.Listing)
}

// scoreAgain computes how well a listing sells.
func scoreAgain(tx *store.Tx, listing catalog.ListingID) error {
	var days []sales.Day
	if err := tx.Select(&days, `SELECT day, pieces FROM sold_days WHERE listing_id = ?`, listing); err != nil {
		return fmt.Errorf("select what was sold of listing %s: %w", listing, err)
	}
	return upsertScore(tx, listing, sales.Score(days))
}
