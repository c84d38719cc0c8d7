package catalogsvc

import (
	"context"
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/bus"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Audit streams what reservations hold, by their keys, and with the pages what catalog finds wrong
// within itself; each page is of one moment.
func (s *Service) Audit(ctx context.Context, r audit.Request) (catalog.AuditReply, error) {
	size := page.Request{Limit: r.Limit}.Size(500, 2000)
	var reply catalog.AuditReply
	err := s.db.Read(ctx, func(q store.Queryer) error {
		reply = catalog.AuditReply{}
		in, err := sweep.Page(q, sections, r, size)
		if err != nil {
			return err
		}
		reply.Next = in.Next
		now := s.now()
		if in.Section.Name == "reservations" {
			open, err := selectOpen(q, in)
			if err != nil {
				return err
			}
			for _, r := range open {
				if !r.over(now) { // what is over holds nothing, though it may not be written down yet
					reply.Reservations = append(reply.Reservations, r.Reservation)
				}
			}
		}
		if reply.Problems, err = in.Problems(q); err != nil {
			return err
		}
		if sweep.First(r.Cursor) {
			reply.Standing, err = bus.Standing(q, now)
		}
		return err
	})
	return reply, err
}

// selectOpen reads reservations that hold or have allocated something.
func selectOpen(q store.Queryer, in sweep.Range) ([]taken, error) {
	var rows []reservationRow
	err := q.Select(&rows, `SELECT `+reservationColumns+` FROM `+reservationTables+`
		WHERE r.status IN ('held', 'confirmed', 'allocated') AND r.key > ? AND r.key <= ? ORDER BY r.key, i.position`, in.After, in.Upto)
	if err != nil {
		return nil, fmt.Errorf("select open reservations: %w", err)
	}
	return reservationsOf(rows)
}

// sections are what catalog checks of itself at any moment. The first is that of the reservations
// that are shown.
var sections = []sweep.Section{
	{
		Name: "reservations",
		Keys: `SELECT key FROM reservations WHERE status IN ('held', 'confirmed', 'allocated') AND key > ? ORDER BY key LIMIT ?`,
	},
	{
		Name: "stock", Most: 100, // each has a journal
		Keys: `SELECT variant_id FROM stock WHERE variant_id > ? ORDER BY variant_id LIMIT ?`,
		Checks: []sweep.Check{
			{
				Invariant: "stock.journal", Says: "the running row differs from the sum of the journal",
				Query: `SELECT t.variant_id AS subjects, t.on_hand || '/' || t.held || '/' || t.allocated || ' on hand/held/allocated, the journal says '
					|| coalesce(sum(m.on_hand), 0) || '/' || coalesce(sum(m.held), 0) || '/' || coalesce(sum(m.allocated), 0) AS detail
				FROM stock t LEFT JOIN movements m ON m.variant_id = t.variant_id WHERE t.variant_id > ? AND t.variant_id <= ? GROUP BY t.variant_id
				HAVING t.on_hand <> coalesce(sum(m.on_hand), 0) OR t.held <> coalesce(sum(m.held), 0) OR t.allocated <> coalesce(sum(m.allocated), 0)
				LIMIT 20`,
			},
			{
				Invariant: "stock.oversold", Says: "more was reserved than there was",
				Query: `SELECT variant_id || ' ' || order_id AS subjects, 'after movement ' || seq || ' ' || -rest || ' too many were held' AS detail
				FROM (SELECT seq, variant_id, order_id, kind, sum(on_hand - held - allocated) OVER (PARTITION BY variant_id ORDER BY seq) AS rest
					FROM movements WHERE variant_id > ? AND variant_id <= ?) AS ranged
				WHERE kind = 'reserve' AND rest < 0 LIMIT 20`,
			},
			{
				Invariant: "stock.negative", Says: "a quantity went below zero",
				Query: `SELECT variant_id || ' ' || order_id AS subjects, 'after movement ' || seq AS detail
				FROM (SELECT seq, variant_id, order_id, sum(on_hand) OVER own AS on_hand, sum(held) OVER own AS held, sum(allocated) OVER own AS allocated
					FROM movements WHERE variant_id > ? AND variant_id <= ? WINDOW own AS (PARTITION BY variant_id ORDER BY seq)) AS ranged
				WHERE on_hand < 0 OR held < 0 OR allocated < 0 LIMIT 20`,
			},
			{
				Invariant: "stock.held", Says: "what is held or set aside differs from what open reservations say",
				Query: `SELECT variant_id AS subjects, held || '/' || allocated || ' held/allocated, reservations say ' || open_held || '/' || open_allocated AS detail
				FROM (SELECT t.variant_id, t.held, t.allocated,
						coalesce((SELECT sum(i.quantity) FROM reservation_items i JOIN reservations r ON r.key = i.reservation
							WHERE i.variant_id = t.variant_id AND r.status IN ('held', 'confirmed')), 0) AS open_held,
						coalesce((SELECT sum(i.quantity) FROM reservation_items i JOIN reservations r ON r.key = i.reservation
							WHERE i.variant_id = t.variant_id AND r.status = 'allocated'), 0) AS open_allocated
					FROM stock t WHERE t.variant_id > ? AND t.variant_id <= ?) AS ranged
				WHERE held <> open_held OR allocated <> open_allocated LIMIT 20`,
			},
		},
	},
	{
		Name: "reserved goods", Keys: `SELECT reservation FROM reservation_items WHERE reservation > ? ORDER BY reservation LIMIT ?`,
		Checks: []sweep.Check{{
			Invariant: "stock.closed", Says: "a reservation that is over still has items",
			Query: `SELECT i.variant_id || ' ' || r.key AS subjects, r.status || ' with ' || i.quantity AS detail
			FROM reservation_items i JOIN reservations r ON r.key = i.reservation
			WHERE i.reservation > ? AND i.reservation <= ? AND r.status NOT IN ('held', 'confirmed', 'allocated') LIMIT 20`,
		}},
	},
	{
		Name: "listings", Keys: `SELECT id FROM listings WHERE id > ? ORDER BY id LIMIT ?`,
		Checks: []sweep.Check{
			{
				Invariant: "listings.variants", Says: "a listing has no variants, or is shown with all of them withdrawn",
				Query: `SELECT l.id || ' ' || l.seller_id AS subjects, l.status AS detail FROM listings l WHERE l.id > ? AND l.id <= ?
				AND NOT EXISTS (SELECT 1 FROM variants v WHERE v.listing_id = l.id AND (v.withdrawn = 0 OR l.status <> 'active')) LIMIT 20`,
			},
			{
				Invariant: "listings.category", Says: "a listing lies in a category that is not there",
				Query: `SELECT l.id || ' ' || l.category_id AS subjects, '' AS detail FROM listings l WHERE l.id > ? AND l.id <= ?
				AND l.category_id <> '' AND NOT EXISTS (SELECT 1 FROM categories c WHERE c.id = l.category_id) LIMIT 20`,
			},
		},
	},
}
