package orderssvc

import (
	"context"
	"fmt"

	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Audit streams every order with its saga, and first what is wrong within orders itself.
func (s *Service) Audit(ctx context.Context, r audit.Request) (orders.AuditReply, error) {
	ask := page.Request{Cursor: r.Cursor, Limit: r.Limit}
	size := ask.Size(200, 1000)
	var after string
	more, err := ask.After("orders.audit", &after)
	if err != nil {
		return orders.AuditReply{}, err
	}
	var reply orders.AuditReply
	err = s.DB.Read(ctx, func(q store.Queryer) error {
		reply = orders.AuditReply{}
		if !more {
			var err error
			if reply.Standing, err = bus.Standing(q, s.Now()); err != nil {
				return err
			}
			if reply.Problems, err = selfCheck(q); err != nil {
				return err
			}
		}
		reply.Orders, reply.Next, err = selectFacts(q, after, size)
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

func selectFacts(q store.Queryer, after string, size int) ([]orders.OrderFact, string, error) {
	var rows []factRow
	if err := q.Select(&rows, `
		SELECT o.id, o.status, o.currency, o.total, o.refunded, o.payment_id, o.created_at, s.state, s.step, s.deadline, s.reservation,
			coalesce((SELECT min(max(run_at, 1)) FROM jobs j WHERE j.kind IN ('orders.checkout', 'orders.ship_stock', 'orders.refund', 'orders.settle')
				AND j.key >= o.id AND j.key < o.id || '0' AND j.state <> 'dead'), 0) AS due,
			coalesce((SELECT sum(p.to_ship) FROM seller_orders p WHERE p.order_id = o.id), 0) AS to_ship
		FROM orders o JOIN sagas s ON s.order_id = o.id
		WHERE o.id > ? ORDER BY o.id LIMIT ?`, after, size+1); err != nil {
		return nil, "", fmt.Errorf("select order facts: %w", err)
	}
	next := ""
	if len(rows) > size {
		rows = rows[:size]
		var err error
		if next, err = page.Cursor("orders.audit", string(rows[size-1].ID)); err != nil {
			return nil, "", err
		}
	}
	facts := make([]orders.OrderFact, len(rows))
	for i, r := range rows {
		facts[i] = orders.OrderFact{
			ID: r.ID, Status: r.Status, Total: r.amount(r.Total), Refunded: r.amount(r.Refunded), Payment: r.Payment,
			Saga: r.State, Step: r.Step, Deadline: r.Deadline, Due: r.Due, ToShip: r.ToShip, CreatedAt: r.CreatedAt,
			Claim: keyOf(r.ID, stepClaim), Reservation: keyOf(r.ID, r.Hold),
		}
	}
	return facts, next, nil
}

// selfChecks are the module's invariants within itself: each query finds the ids that break it.
var selfChecks = []struct{ name, query, says string }{
	{
		"orders.shares_add_up",
		`SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM seller_orders p WHERE p.order_id = o.id) AND (
			o.total <> (SELECT sum(total) FROM seller_orders p WHERE p.order_id = o.id)
			OR o.goods <> (SELECT sum(goods) FROM order_lines l WHERE l.order_id = o.id)
			OR o.discount <> (SELECT sum(discount) FROM order_lines l WHERE l.order_id = o.id)
			OR o.shipping <> (SELECT sum(shipping) FROM order_lines l WHERE l.order_id = o.id)
			OR o.tax_added <> (SELECT sum(tax_added) FROM order_lines l WHERE l.order_id = o.id)
			OR o.total <> (SELECT sum(total) FROM order_lines l WHERE l.order_id = o.id)) LIMIT 20`,
		"the frozen shares do not add up to the order",
	},
	{
		"orders.refunds_add_up",
		`SELECT o.id FROM orders o WHERE o.refunded <> coalesce((SELECT sum(amount) FROM refunds r WHERE r.order_id = o.id), 0)
			OR o.refunded <> coalesce((SELECT sum(refunded) FROM order_lines l WHERE l.order_id = o.id), 0) LIMIT 20`,
		"what was refunded is not the sum of its refunds",
	},
	{
		"orders.placed_has_parts",
		`SELECT id FROM orders o WHERE status IN ('placed', 'completed')
			AND NOT EXISTS (SELECT 1 FROM seller_orders p WHERE p.order_id = o.id) LIMIT 20`,
		"the order is placed and has nothing in it",
	},
	{
		"orders.parcels_add_up",
		`SELECT l.id FROM order_lines l WHERE l.shipped <> coalesce((
			SELECT sum(json_extract(i.value, '$.quantity')) FROM parcels p, json_each(p.items) i
			WHERE p.order_id = l.order_id AND json_extract(i.value, '$.line') = l.id), 0) LIMIT 20`,
		"what was shipped is not what its parcels hold",
	},
	{
		"orders.has_saga",
		`SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM sagas s WHERE s.order_id = o.id) LIMIT 20`,
		"the order has no saga",
	},
}

func selfCheck(q store.Queryer) ([]audit.Problem, error) {
	var problems []audit.Problem
	for _, check := range selfChecks {
		var ids []string
		if err := q.Select(&ids, check.query); err != nil {
			return nil, fmt.Errorf("check %s: %w", check.name, err)
		}
		for _, broken := range ids {
			problems = append(problems, audit.Problem{Invariant: check.name, Subjects: []string{broken}, Detail: check.says})
		}
	}
	return problems, nil
}
