package catalogsvc

import (
	"context"
	"fmt"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Audit streams what reservations hold, and on the first page what catalog finds wrong within
// itself, all of one moment.
func (s *Service) Audit(ctx context.Context, r audit.Request) (catalog.AuditReply, error) {
	ask := page.Request{Cursor: r.Cursor, Limit: r.Limit}
	filter := "catalog.audit"
	var after string
	if _, err := ask.After(filter, &after); err != nil {
		return catalog.AuditReply{}, err
	}
	size := ask.Size(500, 2000)
	var reply catalog.AuditReply
	err := s.db.Read(ctx, func(q store.Queryer) error {
		open, err := selectOpen(q, after, size)
		if err != nil {
			return err
		}
		var next string
		if open, next, err = cut(open, size, filter, func(last taken) any { return last.Key }); err != nil {
			return err
		}
		reply = catalog.AuditReply{Next: next, Reservations: make([]catalog.Reservation, 0, len(open))}
		now := s.now()
		for _, r := range open {
			if !r.over(now) { // what is over holds nothing, though it may not be written down yet
				reply.Reservations = append(reply.Reservations, r.Reservation)
			}
		}
		if r.Cursor != "" {
			return nil
		}
		if reply.Problems, err = problems(q); err != nil {
			return err
		}
		reply.Standing, err = bus.Standing(q, now)
		return err
	})
	return reply, err
}

// selectOpen reads reservations that hold or have allocated something, one more than asked
// for if there are more.
func selectOpen(q store.Queryer, after string, size int) ([]taken, error) {
	var rows []reservationRow
	err := q.Select(&rows, `SELECT `+reservationColumns+` FROM `+reservationTables+` WHERE r.key IN (
		SELECT key FROM reservations WHERE status IN ('held', 'confirmed', 'allocated') AND key > ? ORDER BY key LIMIT ?)
		ORDER BY r.key, i.position`, after, size+1)
	if err != nil {
		return nil, fmt.Errorf("select open reservations: %w", err)
	}
	return reservationsOf(rows)
}

// check is one invariant: a query for what breaks it, and how to say so.
type check struct {
	invariant string
	says      string
	query     string
}

// checks are what must be true of catalog at any moment.
var checks = []check{
	{
		invariant: "stock.journal", says: "the running row differs from the sum of the journal",
		query: `SELECT t.variant_id AS subject, '' AS other, t.on_hand || '/' || t.held || '/' || t.allocated || ' on hand/held/allocated, the journal says '
			|| coalesce(sum(m.on_hand), 0) || '/' || coalesce(sum(m.held), 0) || '/' || coalesce(sum(m.allocated), 0) AS detail
		FROM stock t LEFT JOIN movements m ON m.variant_id = t.variant_id GROUP BY t.variant_id
		HAVING t.on_hand <> coalesce(sum(m.on_hand), 0) OR t.held <> coalesce(sum(m.held), 0) OR t.allocated <> coalesce(sum(m.allocated), 0)
		LIMIT 100`,
	},
	{
		invariant: "stock.oversold", says: "more was reserved than there was",
		query: `SELECT variant_id AS subject, order_id AS other, 'after movement ' || seq || ' ' || -rest || ' too many were held' AS detail
		FROM (SELECT seq, variant_id, order_id, kind, sum(on_hand - held - allocated) OVER (PARTITION BY variant_id ORDER BY seq) AS rest FROM movements)
		WHERE kind = 'reserve' AND rest < 0 LIMIT 100`,
	},
	{
		invariant: "stock.negative", says: "a quantity went below zero",
		query: `SELECT variant_id AS subject, order_id AS other, 'after movement ' || seq AS detail
		FROM (SELECT seq, variant_id, order_id, sum(on_hand) OVER own AS on_hand, sum(held) OVER own AS held, sum(allocated) OVER own AS allocated
			FROM movements WINDOW own AS (PARTITION BY variant_id ORDER BY seq))
		WHERE on_hand < 0 OR held < 0 OR allocated < 0 LIMIT 100`,
	},
	{
		invariant: "stock.held", says: "what is held or set aside differs from what open reservations say",
		query: `SELECT t.variant_id AS subject, '' AS other, t.held || '/' || t.allocated || ' held/allocated, reservations say ' || coalesce(o.held, 0) || '/'
			|| coalesce(o.allocated, 0) AS detail
		FROM stock t LEFT JOIN (
			SELECT i.variant_id, sum(CASE WHEN r.status = 'allocated' THEN 0 ELSE i.quantity END) AS held,
				sum(CASE WHEN r.status = 'allocated' THEN i.quantity ELSE 0 END) AS allocated
			FROM reservation_items i JOIN reservations r ON r.key = i.reservation WHERE r.status IN ('held', 'confirmed', 'allocated') GROUP BY i.variant_id
		) o ON o.variant_id = t.variant_id
		WHERE t.held <> coalesce(o.held, 0) OR t.allocated <> coalesce(o.allocated, 0) LIMIT 100`,
	},
	{
		invariant: "stock.closed", says: "a reservation that is over still has items",
		query: `SELECT i.variant_id AS subject, r.key AS other, r.status || ' with ' || i.quantity AS detail
		FROM reservation_items i JOIN reservations r ON r.key = i.reservation WHERE r.status NOT IN ('held', 'confirmed', 'allocated') LIMIT 100`,
	},
	{
		invariant: "listings.variants", says: "a listing has no variants, or is shown with all of them withdrawn",
		query: `SELECT l.id AS subject, l.seller_id AS other, l.status AS detail FROM listings l
		WHERE NOT EXISTS (SELECT 1 FROM variants v WHERE v.listing_id = l.id AND (v.withdrawn = 0 OR l.status <> 'active')) LIMIT 100`,
	},
	{
		invariant: "listings.category", says: "a listing lies in a category that is not there",
		query: `SELECT l.id AS subject, l.category_id AS other, '' AS detail FROM listings l
		WHERE l.category_id <> '' AND NOT EXISTS (SELECT 1 FROM categories c WHERE c.id = l.category_id) LIMIT 100`,
	},
}

type problemRow struct {
	Subject string `db:"subject"`
	Other   string `db:"other"`
	Detail  string `db:"detail"`
}

// problems runs every check.
func problems(q store.Queryer) ([]audit.Problem, error) {
	found := []audit.Problem{}
	for _, c := range checks {
		var rows []problemRow
		if err := q.Select(&rows, c.query); err != nil {
			return nil, fmt.Errorf("check %s: %w", c.invariant, err)
		}
		for _, row := range rows {
			p := audit.Problem{Invariant: c.invariant, Subjects: []string{row.Subject}, Detail: strings.TrimSuffix(c.says+": "+row.Detail, ": ")}
			if row.Other != "" {
				p.Subjects = append(p.Subjects, row.Other)
			}
			found = append(found, p)
		}
	}
	return found, nil
}
