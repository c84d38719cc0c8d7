package cartsvc

import (
	"context"
	"fmt"

	"souk/internal/cart"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Audit streams open claims, and first what is wrong within cart itself.
func (s *Service) Audit(ctx context.Context, r audit.Request) (cart.AuditReply, error) {
	ask := page.Request{Cursor: r.Cursor, Limit: r.Limit}
	size := ask.Size(200, 1000)
	var after string
	more, err := ask.After("cart.audit", &after)
	if err != nil {
		return cart.AuditReply{}, err
	}
	var reply cart.AuditReply
	err = s.db.Read(ctx, func(q store.Queryer) error {
		reply = cart.AuditReply{}
		if !more {
			var err error
			if reply.Standing, err = bus.Standing(q, s.now()); err != nil {
				return err
			}
			if reply.Problems, err = selfCheck(q); err != nil {
				return err
			}
		}
		var rows []struct {
			Key   string      `db:"key"`
			Order id.Ref      `db:"order_id"`
			Cart  cart.CartID `db:"cart_id"`
			At    clock.Time  `db:"at"`
		}
		if err := q.Select(&rows, `
			SELECT key, order_id, cart_id, at FROM claims WHERE state = 'claimed' AND key > ? ORDER BY key LIMIT ?`,
			after, size+1); err != nil {
			return fmt.Errorf("select open claims: %w", err)
		}
		if len(rows) > size {
			rows = rows[:size]
			next, err := page.Cursor("cart.audit", rows[size-1].Key)
			if err != nil {
				return err
			}
			reply.Next = next
		}
		for _, row := range rows {
			reply.Claims = append(reply.Claims, cart.ClaimFact(row))
		}
		return nil
	})
	return reply, err
}

// selfChecks are cart's invariants within itself: each query finds the rows that break it.
var selfChecks = []struct{ name, query, says string }{
	{
		"cart.claim_locks_cart",
		`SELECT c.key FROM claims c JOIN carts k ON k.id = c.cart_id
		 WHERE c.state = 'claimed' AND k.status <> 'claimed' LIMIT 20`,
		"a claim is open and its cart is not locked",
	},
	{
		"cart.locked_by_claim",
		`SELECT k.id FROM carts k WHERE k.status = 'claimed'
		 AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.cart_id = k.id AND c.state = 'claimed') LIMIT 20`,
		"a cart is locked and no claim is open",
	},
	{
		"cart.coupon_uses_counted",
		`SELECT id FROM coupons k WHERE used <> (
			SELECT count(*) FROM coupon_uses u WHERE u.coupon_id = k.id AND u.given_back = 0) LIMIT 20`,
		"a coupon's count of uses is not the number of its uses",
	},
	{
		"cart.claim_holds_uses",
		`SELECT c.key FROM claims c JOIN coupon_uses u ON u.claim_key = c.key
		 WHERE (c.state = 'released') <> (u.given_back = 1) LIMIT 20`,
		"a released claim has kept its uses of coupons, or another has given them back",
	},
	{
		"cart.closed_with_claim",
		`SELECT c.key FROM claims c JOIN carts k ON k.id = c.cart_id
		 WHERE c.state = 'closed' AND k.status <> 'closed' LIMIT 20`,
		"a claim was closed and its cart was not",
	},
	{
		"cart.one_currency",
		`SELECT l.cart_id FROM cart_lines l JOIN carts k ON k.id = l.cart_id
		 WHERE k.status <> 'closed' GROUP BY l.cart_id HAVING count(DISTINCT l.seen_currency) > 1 LIMIT 20`,
		"a cart has lines in several currencies",
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
