package orderssvc

import (
	"database/sql"
	"errors"
	"fmt"

	"souk/internal/orders"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// selectOrderRow reads one row of orders by a condition.
func selectOrderRow(q store.Queryer, where string, args ...any) (orderRow, error) {
	var row orderRow
	err := q.Get(&row, `SELECT `+orderColumns+` FROM orders WHERE `+where, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return row, orders.ErrNotFound.With("there is no such order")
	}
	if err != nil {
		return row, fmt.Errorf("select an order: %w", err)
	}
	return row, nil
}

// selectOrder reads an order whole.
func selectOrder(q store.Queryer, oid orders.OrderID) (*orders.Order, error) {
	row, err := selectOrderRow(q, `id = ?`, oid)
	if err != nil {
		return nil, err
	}
	return fill(q, row)
}

// agreed reads what an order is about: its seller orders and lines. One that is not quoted yet
// has none.
func agreed(q store.Queryer, row orderRow) (*orders.Order, error) {
	o, err := row.order()
	if err != nil || row.Currency == "" {
		return o, err
	}
	var rows []sellerOrderRow
	if err := q.Select(&rows, `SELECT `+sellerOrderColumns+` FROM seller_orders WHERE order_id = ? ORDER BY place`, o.ID); err != nil {
		return nil, fmt.Errorf("select seller orders of %s: %w", o.ID, err)
	}
	at := map[orders.SellerOrderID]int{}
	for i, r := range rows {
		so, err := r.sellerOrder(o)
		if err != nil {
			return nil, err
		}
		at[so.ID] = i
		o.SellerOrders = append(o.SellerOrders, so)
	}
	var lines []lineRow
	if err := q.Select(&lines, `SELECT `+lineColumns+` FROM order_lines WHERE order_id = ? ORDER BY place`, o.ID); err != nil {
		return nil, fmt.Errorf("select lines of %s: %w", o.ID, err)
	}
	for _, r := range lines {
		l, err := r.line()
		if err != nil {
			return nil, err
		}
		so := &o.SellerOrders[at[r.SellerOrder]]
		so.Lines = append(so.Lines, l)
	}
	return o, nil
}

// fill reads everything that belongs to an order.
func fill(q store.Queryer, row orderRow) (*orders.Order, error) {
	o, err := agreed(q, row)
	if err != nil {
		return nil, err
	}
	at := map[orders.SellerOrderID]int{}
	for i, so := range o.SellerOrders {
		at[so.ID] = i
	}
	var parcels []parcelRow
	if err := q.Select(&parcels, `SELECT `+parcelColumns+` FROM parcels WHERE order_id = ? ORDER BY shipped_at, id`, o.ID); err != nil {
		return nil, fmt.Errorf("select parcels of %s: %w", o.ID, err)
	}
	for _, r := range parcels {
		p, err := r.parcel()
		if err != nil {
			return nil, err
		}
		so := &o.SellerOrders[at[r.SellerOrder]]
		so.Parcels = append(so.Parcels, p)
	}
	if o.Case, err = isCase(q, o); err != nil {
		return nil, err
	}
	o.Timeline, err = selectTimeline(q, o.ID)
	for i := range o.SellerOrders {
		o.SellerOrders[i].Timeline, o.SellerOrders[i].Case = timelineOf(o.Timeline, o.SellerOrders[i].ID), o.Case
	}
	return o, err
}

func selectTimeline(q store.Queryer, oid orders.OrderID) ([]orders.Entry, error) {
	var rows []struct {
		At          clock.Time           `db:"at"`
		What        orders.What          `db:"what"`
		SellerOrder orders.SellerOrderID `db:"seller_order_id"`
		Who         string               `db:"who"`
		Detail      string               `db:"detail"`
	}
	if err := q.Select(&rows, `SELECT at, what, seller_order_id, who, detail FROM timeline WHERE order_id = ? ORDER BY seq`, oid); err != nil {
		return nil, fmt.Errorf("select timeline of %s: %w", oid, err)
	}
	out := make([]orders.Entry, len(rows))
	for i, r := range rows {
		out[i] = orders.Entry(r)
	}
	return out, nil
}

// timelineOf is what concerns one seller's part: its own entries and those of the whole order.
func timelineOf(all []orders.Entry, so orders.SellerOrderID) []orders.Entry {
	var out []orders.Entry
	for _, e := range all {
		if e.SellerOrder == so || e.SellerOrder == "" && (e.What == orders.WhatPlaced || e.What == orders.WhatPaid || e.What == orders.WhatCase) {
			out = append(out, e)
		}
	}
	return out
}

// note appends to an order's timeline.
func note(tx *store.Tx, oid orders.OrderID, entries ...orders.Entry) error {
	for _, e := range entries {
		if _, err := tx.Exec(`
			INSERT INTO timeline (order_id, seq, at, what, seller_order_id, who, detail)
			SELECT ?, 1 + coalesce(max(seq), 0), ?, ?, ?, ?, ? FROM timeline WHERE order_id = ?`,
			oid, tx.Now(), e.What, e.SellerOrder, e.Who, e.Detail, oid); err != nil {
			return fmt.Errorf("note %s of order %s: %w", e.What, oid, err)
		}
	}
	return nil
}

// errNumberTaken says that another order has the number.
var errNumberTaken = errors.New("the number is another order's")

func insertOrder(tx *store.Tx, o *orders.Order) error {
	delivery, err := toJSON(o.Delivery)
	if err != nil {
		return err
	}
	invoice, err := toJSON(o.Invoice)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`
		INSERT INTO orders (id, buyer_id, number, guest, status, contact_email, contact_name, delivery, invoice, method, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO NOTHING`,
		o.ID, o.Buyer, o.Number, o.Guest, o.Status, o.Contact.Email, o.Contact.Name, delivery, invoice, o.Method, o.CreatedAt)
	if err != nil {
		return fmt.Errorf("insert order %s: %w", o.ID, err)
	}
	if n == 0 {
		return errNumberTaken
	}
	return nil
}

// insertFrozen stores what was agreed: the order's sums, its seller orders and lines.
func insertFrozen(tx *store.Tx, o *orders.Order) error {
	s, pieces := shownOf(o)
	text, err := toJSON(s)
	if err != nil {
		return err
	}
	u := o.Sums
	n, err := tx.Exec(`
		UPDATE orders SET currency = ?, goods = ?, discount = ?, shipping = ?, tax_added = ?, tax_contained = ?, total = ?,
			pieces = ?, shown = ?, version = version + 1
		WHERE id = ? AND status = 'pending' AND currency = ''`,
		u.Total.Currency, u.Goods.Minor, u.Discount.Minor, u.Shipping.Minor, u.TaxAdded.Minor, u.TaxIncluded.Minor, u.Total.Minor,
		pieces, text, o.ID)
	if err != nil {
		return fmt.Errorf("freeze order %s: %w", o.ID, err)
	}
	if n != 1 {
		return errMoved
	}
	place := 0
	for i := range o.SellerOrders {
		if err := insertSellerOrder(tx, o, i, &o.SellerOrders[i]); err != nil {
			return err
		}
		for _, l := range o.SellerOrders[i].Lines {
			if err := insertLine(tx, o.ID, o.SellerOrders[i].ID, place, l); err != nil {
				return err
			}
			place++
		}
	}
	return nil
}

func insertSellerOrder(tx *store.Tx, o *orders.Order, place int, so *orders.SellerOrder) error {
	legal, err := toJSON(so.Legal)
	if err != nil {
		return err
	}
	var titles []string
	var pieces int64
	for _, l := range so.Lines {
		pieces += l.Quantity
		if len(titles) < maxTitles {
			titles = append(titles, l.Title)
		}
	}
	shownTitles, err := toJSON(titles)
	if err != nil {
		return err
	}
	u := so.Sums
	_, err = tx.Exec(`
		INSERT INTO seller_orders (id, order_id, place, seller_id, number, seller_name, legal, fulfilment, currency, goods, discount,
			shipping, tax_added, tax_contained, total, commission, shipping_label, shipping_rule, pieces, to_ship, titles, country)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		so.ID, o.ID, place, so.Seller, so.Number, so.SellerName, legal, so.Fulfilment, u.Total.Currency, u.Goods.Minor, u.Discount.Minor,
		u.Shipping.Minor, u.TaxAdded.Minor, u.TaxIncluded.Minor, u.Total.Minor, so.Commission.Minor, so.Shipping.Label,
		so.Shipping.Rule, pieces, pieces, shownTitles, o.Delivery.Country)
	if err != nil {
		return fmt.Errorf("insert seller order %s: %w", so.ID, err)
	}
	return nil
}

func insertLine(tx *store.Tx, oid orders.OrderID, so orders.SellerOrderID, place int, l orders.Line) error {
	options, err := toJSON(l.Options)
	if err != nil {
		return err
	}
	adjustments, err := toJSON(l.Adjustments)
	if err != nil {
		return err
	}
	u := l.Sums
	_, err = tx.Exec(`
		INSERT INTO order_lines (id, order_id, seller_order_id, place, variant_id, listing_id, title, options, sku, image, currency,
			unit_price, goods, discount, shipping, tax_added, tax_contained, total, adjustments, tax_rate, tax_included, tax_goods,
			tax_shipping, commission_rate, commission_base, commission, quantity)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.ID, oid, so, place, l.Variant, l.Listing, l.Title, options, l.SKU, l.Image, u.Total.Currency,
		l.UnitPrice.Minor, u.Goods.Minor, u.Discount.Minor, u.Shipping.Minor, u.TaxAdded.Minor, u.TaxIncluded.Minor, u.Total.Minor,
		adjustments, l.TaxRate, l.TaxIncluded, l.TaxGoods.Minor, l.TaxShipping.Minor, l.CommissionRate, l.CommissionBase.Minor,
		l.Commission.Minor, l.Quantity)
	if err != nil {
		return fmt.Errorf("insert line %s: %w", l.ID, err)
	}
	return nil
}

// updateSellerOrder stores a seller order's states and its lines' quantities.
func updateSellerOrder(tx *store.Tx, so *orders.SellerOrder) error {
	var open int64
	for _, l := range so.Lines {
		open += toShip(l)
		if _, err := tx.Exec(`UPDATE order_lines SET shipped = ?, delivered = ?, cancelled = ?, refunded = ? WHERE id = ?`,
			l.Shipped, l.Delivered, l.Cancelled, l.Refunded.Minor, l.ID); err != nil {
			return fmt.Errorf("update line %s: %w", l.ID, err)
		}
	}
	n, err := tx.Exec(`
		UPDATE seller_orders SET fulfilment = ?, refunded = ?, to_ship = ?, version = version + 1 WHERE id = ? AND version = ?`,
		so.Fulfilment, so.Refunded.Minor, open, so.ID, so.Version)
	if err != nil {
		return fmt.Errorf("update seller order %s: %w", so.ID, err)
	}
	if n == 0 {
		return orders.ErrVersion.With("order %s has changed meanwhile; look again", so.Number)
	}
	so.Version++
	return nil
}

// updateStates stores an order's states, unless it was changed since o was read. It leaves o
// alone, since it may run twice.
func updateStates(tx *store.Tx, o orders.Order) error {
	n, err := tx.Exec(`
		UPDATE orders SET status = ?, reason = ?, message = ?, refunded = ?, payment_id = ?, captured = ?, placed_at = ?,
			version = version + 1
		WHERE id = ? AND version = ?`,
		o.Status, o.Reason, o.Message, o.Refunded.Minor, o.Payment, o.Captured, o.PlacedAt, o.ID, o.Version)
	if err != nil {
		return fmt.Errorf("update order %s: %w", o.ID, err)
	}
	if n == 0 {
		return orders.ErrVersion.With("order %s has changed meanwhile; look again", o.Number)
	}
	return nil
}

func selectSaga(q store.Queryer, oid orders.OrderID) (sagaRow, error) {
	var row sagaRow
	err := q.Get(&row, `SELECT `+sagaColumns+` FROM sagas WHERE order_id = ?`, oid)
	if errors.Is(err, sql.ErrNoRows) {
		return row, orders.ErrNotFound.With("there is no checkout of order %s", oid)
	}
	if err != nil {
		return row, fmt.Errorf("select the saga of %s: %w", oid, err)
	}
	return row, nil
}

func insertSaga(tx *store.Tx, s sagaRow) error {
	_, err := tx.Exec(`INSERT INTO sagas (`+sagaColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.Order, s.State, s.Step, s.CartOwner, s.Cart, s.CartVersion, s.QuoteHash, s.Deadline, s.Reservation, s.ReservedUntil, s.Until, s.ActionURL, s.Reason, s.Message, s.Captures)
	if store.IsDuplicate(err) {
		return orders.ErrCheckoutOpen.With("another checkout is under way with this cart")
	}
	if err != nil {
		return fmt.Errorf("insert the saga of %s: %w", s.Order, err)
	}
	return nil
}

// move stores what becomes of c's saga, or says errMoved when it stands elsewhere by now, or when
// another run drives it: whoever had it meanwhile is not overruled.
func (c *checkout) move(tx *store.Tx, s sagaRow) error {
	held, fence := c.run.Held()
	args := []any{s.State, s.Step, s.Reservation, s.ReservedUntil, s.Until, s.ActionURL, s.Reason, s.Message, s.Order, c.saga.State}
	n, err := tx.Exec(`
		UPDATE sagas SET state = ?, step = ?, reservation = ?, reserved_until = ?, until = ?, action_url = ?, reason = ?, message = ?
		WHERE order_id = ? AND state = ? AND `+held, append(args, fence...)...)
	if err != nil {
		return fmt.Errorf("update the saga of %s: %w", s.Order, err)
	}
	if n != 1 {
		return errMoved
	}
	return nil
}
