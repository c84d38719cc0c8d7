package cartsvc

import (
	"context"
	"fmt"

	"souk/internal/cart"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Audit streams open claims, and with the pages what is wrong within cart itself.
func (s *Service) Audit(ctx context.Context, r audit.Request) (cart.AuditReply, error) {
	size := page.Request{Limit: r.Limit}.Size(200, 1000)
	var reply cart.AuditReply
	err := s.db.Read(ctx, func(q store.Queryer) error {
		reply = cart.AuditReply{}
		if sweep.First(r.Cursor) {
			var err error
			if reply.Standing, err = bus.Standing(q, s.now()); err != nil {
				return err
			}
		}
		in, err := sweep.Page(q, sections, r, size)
		if err != nil {
			return err
		}
		reply.Next = in.Next
		if in.Section.Name == "open claims" {
			if reply.Claims, err = selectOpenClaims(q, in); err != nil {
				return err
			}
		}
		reply.Problems, err = in.Problems(q)
		return err
	})
	return reply, err
}

func selectOpenClaims(q store.Queryer, in sweep.Range) ([]cart.ClaimFact, error) {
	var rows []struct {
		Key   string      `db:"key"`
		Order id.Ref      `db:"order_id"`
		Cart  cart.CartID `db:"cart_id"`
		At    clock.Time  `db:"at"`
	}
	err := q.Select(&rows, `SELECT key, order_id, cart_id, at FROM claims WHERE state = 'claimed' AND key > ? AND key <= ? ORDER BY key`, in.After, in.Upto)
	if err != nil {
		return nil, fmt.Errorf("select open claims: %w", err)
	}
	var claims []cart.ClaimFact
	for _, row := range rows {
		claims = append(claims, cart.ClaimFact(row))
	}
	return claims, nil
}

// sections are what cart checks of itself. The first is that of the claims that are shown.
var sections = []sweep.Section{
	{
		Name: "open claims", Keys: `SELECT key FROM claims WHERE state = 'claimed' AND key > ? ORDER BY key LIMIT ?`,
		Checks: []sweep.Check{{
			Invariant: "cart.claim_locks_cart", Says: "a claim is open and its cart is not locked",
			Query: `SELECT c.key AS subjects, '' AS detail FROM claims c JOIN carts k ON k.id = c.cart_id
			WHERE c.key > ? AND c.key <= ? AND c.state = 'claimed' AND k.status <> 'claimed' LIMIT 20`,
		}},
	},
	{
		Name: "claims", Keys: `SELECT key FROM claims WHERE key > ? ORDER BY key LIMIT ?`,
		Checks: []sweep.Check{
			{
				Invariant: "cart.claim_holds_uses", Says: "a released claim has kept its uses of coupons, or another has given them back",
				Query: `SELECT c.key AS subjects, '' AS detail FROM claims c JOIN coupon_uses u ON u.claim_key = c.key
				WHERE c.key > ? AND c.key <= ? AND (c.state = 'released') <> (u.given_back = 1) LIMIT 20`,
			},
			{
				Invariant: "cart.closed_with_claim", Says: "a claim was closed and its cart was not",
				Query: `SELECT c.key AS subjects, '' AS detail FROM claims c JOIN carts k ON k.id = c.cart_id
				WHERE c.key > ? AND c.key <= ? AND c.state = 'closed' AND k.status <> 'closed' LIMIT 20`,
			},
		},
	},
	{
		Name: "carts", Keys: `SELECT id FROM carts WHERE id > ? ORDER BY id LIMIT ?`,
		Checks: []sweep.Check{
			{
				Invariant: "cart.locked_by_claim", Says: "a cart is locked and no claim is open",
				Query: `SELECT k.id AS subjects, '' AS detail FROM carts k WHERE k.id > ? AND k.id <= ? AND k.status = 'claimed'
				AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.cart_id = k.id AND c.state = 'claimed') LIMIT 20`,
			},
			{
				Invariant: "cart.one_currency", Says: "a cart has lines in several currencies",
				Query: `SELECT l.cart_id AS subjects, '' AS detail FROM cart_lines l JOIN carts k ON k.id = l.cart_id
				WHERE l.cart_id > ? AND l.cart_id <= ? AND k.status <> 'closed' GROUP BY l.cart_id HAVING count(DISTINCT l.seen_currency) > 1 LIMIT 20`,
			},
		},
	},
	{
		Name: "coupons", Most: 50, Keys: `SELECT id FROM coupons WHERE id > ? ORDER BY id LIMIT ?`,
		Checks: []sweep.Check{{
			Invariant: "cart.coupon_uses_counted", Says: "a coupon's count of uses is not the number of its uses",
			Query: `SELECT k.id AS subjects, '' AS detail FROM coupons k WHERE k.id > ? AND k.id <= ? AND k.used <> (
				SELECT count(*) FROM coupon_uses u WHERE u.coupon_id = k.id AND u.given_back = 0) LIMIT 20`,
		}},
	},
}
