package orderssvc

import (
	"context"
	"fmt"

	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Audit streams every order with its saga, and with each page what is wrong within it.
func (s *Service) Audit(ctx context.Context, r audit.Request) (orders.AuditReply, error) {
	size := page.Request{Limit: r.Limit}.Size(200, 1000)
	var reply orders.AuditReply
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		reply = orders.AuditReply{}
		if sweep.First(r.Cursor) {
			var err error
			if reply.Standing, err = bus.Standing(q, s.Now()); err != nil {
				return err
			}
		}
		in, err := sweep.Page(q, sections, r, size)
		if err != nil {
			return err
		}
		reply.Next = in.Next
		if reply.Problems, err = in.Problems(q); err != nil {
			return err
		}
		reply.Orders, err = selectFacts(q, in)
		return err
	})
	return reply, err
}

type factRow struct {
	sumsRow
	ID        orders.OrderID     `db:"id"`
	Status    orders.Status      `db:"status"`
	Refunded  int64              `db:"refunded"`
	Payment   payments.PaymentID `db:"payment_id"`
	State     orders.SagaState   `db:"state"`
	Step      string             `db:"step"`
	Deadline  clock.Time         `db:"deadline"`
	Hold      string             `db:"reservation"`
	Due       clock.Time         `db:"due"`
	ToShip    int64              `db:"to_ship"`
	CreatedAt clock.Time         `db:"created_at"`
}

const factQuery = `
	SELECT o.id, o.status, o.currency, o.total, o.refunded, o.payment_id, o.created_at, s.state, s.step, s.deadline, s.reservation,
		coalesce((SELECT min(max(run_at, 1)) FROM jobs j WHERE j.kind IN ('orders.checkout', 'orders.ship_stock', 'orders.refund', 'orders.settle')
			AND j.key >= o.id AND j.key < o.id || '0' AND j.state <> 'dead'), 0) AS due,
		coalesce((SELECT sum(p.to_ship) FROM seller_orders p WHERE p.order_id = o.id), 0) AS to_ship
	FROM orders o JOIN sagas s ON s.order_id = o.id
	WHERE o.id > ? AND o.id <= ? ORDER BY o.id`

func selectFacts(q store.Queryer, in sweep.Range) ([]orders.OrderFact, error) {
	var rows []factRow
	if err := q.Select(&rows, factQuery, in.After, in.Upto); err != nil {
		return nil, fmt.Errorf("select order facts: %w", err)
	}
	facts := make([]orders.OrderFact, len(rows))
	for i, r := range rows {
		facts[i] = orders.OrderFact{
			ID: r.ID, Status: r.Status, Total: r.amount(r.Total), Refunded: r.amount(r.Refunded), Payment: r.Payment,
			Saga: r.State, Step: r.Step, Deadline: r.Deadline, Due: r.Due, ToShip: r.ToShip, CreatedAt: r.CreatedAt,
			Claim: keyOf(r.ID, stepClaim), Reservation: keyOf(r.ID, r.Hold),
		}
	}
	return facts, nil
}

// sections are what orders checks of itself, all of it beside the orders that are shown.
var sections = []sweep.Section{{
	Name: "orders", Keys: `SELECT id FROM orders WHERE id > ? ORDER BY id LIMIT ?`,
	Checks: []sweep.Check{
		{
			Invariant: "orders.shares_add_up", Says: "the frozen shares do not add up to the order",
			Query: `SELECT o.id AS subjects, '' AS detail FROM orders o WHERE o.id > ? AND o.id <= ?
				AND EXISTS (SELECT 1 FROM seller_orders p WHERE p.order_id = o.id) AND (
				o.total <> (SELECT sum(total) FROM seller_orders p WHERE p.order_id = o.id)
				OR o.goods <> (SELECT sum(goods) FROM order_lines l WHERE l.order_id = o.id)
				OR o.discount <> (SELECT sum(discount) FROM order_lines l WHERE l.order_id = o.id)
				OR o.shipping <> (SELECT sum(shipping) FROM order_lines l WHERE l.order_id = o.id)
				OR o.tax_added <> (SELECT sum(tax_added) FROM order_lines l WHERE l.order_id = o.id)
				OR o.total <> (SELECT sum(total) FROM order_lines l WHERE l.order_id = o.id)) LIMIT 20`,
		},
		{
			Invariant: "orders.refunds_add_up", Says: "what was refunded is not the sum of its refunds",
			Query: `SELECT o.id AS subjects, '' AS detail FROM orders o WHERE o.id > ? AND o.id <= ? AND (
				o.refunded <> coalesce((SELECT sum(amount) FROM refunds r WHERE r.order_id = o.id), 0)
				OR o.refunded <> coalesce((SELECT sum(refunded) FROM order_lines l WHERE l.order_id = o.id), 0)) LIMIT 20`,
		},
		{
			Invariant: "orders.placed_has_parts", Says: "the order is placed and has nothing in it",
			Query: `SELECT o.id AS subjects, '' AS detail FROM orders o WHERE o.id > ? AND o.id <= ? AND o.status IN ('placed', 'completed')
				AND NOT EXISTS (SELECT 1 FROM seller_orders p WHERE p.order_id = o.id) LIMIT 20`,
		},
		{
			Invariant: "orders.parcels_add_up", Says: "what was shipped is not what its parcels hold",
			Query: `SELECT l.id AS subjects, '' AS detail FROM order_lines l WHERE l.order_id > ? AND l.order_id <= ? AND l.shipped <> coalesce((
				SELECT sum(CAST(i.value ->> 'quantity' AS bigint)) FROM parcels p, json_each(p.items) i
				WHERE p.order_id = l.order_id AND i.value ->> 'line' = l.id), 0) LIMIT 20`,
		},
		{
			Invariant: "orders.has_saga", Says: "the order has no saga",
			Query: `SELECT o.id AS subjects, '' AS detail FROM orders o WHERE o.id > ? AND o.id <= ?
				AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.order_id = o.id) LIMIT 20`,
		},
	},
}}
