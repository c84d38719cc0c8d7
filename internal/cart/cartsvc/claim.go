package cartsvc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"souk/internal/cart"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
)

// checkouts is the owner of the keys with which checkouts claim: they are unique by
// themselves, being made of an order's id and a step.
const (
	checkouts = "checkouts"
	opClaim   = "cart.claim"
)

// Claim gives the cart to a checkout. The quote is made before the Write, since it asks
// catalog; what may have changed since is checked inside by the cart's version and the
// coupons' counts.
func (s *Service) Claim(ctx context.Context, r cart.ClaimRequest) (cart.ClaimReply, error) {
	if err := onlySystem(r.By); err != nil {
		return cart.ClaimReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(r.Owner != "", "owner", "must say whose cart it is")
	problems.Check(cart.CartIDs.Valid(r.Cart), "cart", "is not the id of a cart")
	problems.Check(r.Order != "", "order", "must name the order")
	problems.Check(r.Person != "", "person", "must name the person")
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.ClaimReply{}, err
	}
	b, err := s.basket(ctx, r.Owner, r.Destination, r.Person, "")
	if err != nil {
		return cart.ClaimReply{}, err
	}
	quoted, err := quote(b)
	if err != nil {
		return cart.ClaimReply{}, fmt.Errorf("quote cart %s: %w", r.Cart, err)
	}
	text, err := json.Marshal(quoted)
	if err != nil {
		return cart.ClaimReply{}, fmt.Errorf("keep the quote of cart %s: %w", r.Cart, err)
	}
	var claimed string
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{Owner: checkouts, Operation: opClaim, Key: r.Key, Body: store.Hash(r)}
		fresh := false
		_, _, err := tx.Once(c, func() (string, error) {
			fresh = true
			return r.Key, s.claim(tx, r, quoted, string(text))
		})
		if err != nil {
			return err
		}
		claimed = string(text)
		if fresh {
			return nil
		}
		return tx.Get(&claimed, `SELECT quote FROM claims WHERE key = ?`, r.Key)
	})
	if err != nil {
		return cart.ClaimReply{}, err
	}
	var reply cart.ClaimReply
	if err := json.Unmarshal([]byte(claimed), &reply.Quote); err != nil {
		return cart.ClaimReply{}, fmt.Errorf("read the quote of claim %s: %w", r.Key, err)
	}
	return reply, nil
}

// claim checks that the cart is still what was quoted, and locks it.
func (s *Service) claim(tx *store.Tx, r cart.ClaimRequest, quoted cart.Quote, text string) error {
	n, err := tx.Exec(`
		UPDATE carts SET status = 'claimed', changed_at = ?
		WHERE id = ? AND owner = ? AND status = 'open' AND version = ?`,
		s.now(), r.Cart, r.Owner, r.CartVersion)
	if err != nil {
		return fmt.Errorf("claim cart %s: %w", r.Cart, err)
	}
	if n == 0 {
		return whyNot(tx, r)
	}
	switch {
	case quoted.CartVersion != r.CartVersion || quoted.Cart != r.Cart:
		return cart.ErrVersion.With("the cart has changed meanwhile")
	case quoted.Hash != r.QuoteHash:
		return cart.ErrQuoteChanged.With("what the cart costs has changed: it is %s now", quoted.Sums.Total).
			WithField("quote_hash", quoted.Hash).WithField("total", quoted.Sums.Total.String())
	case len(quoted.Problems) > 0:
		return cart.ErrUnbuyable.With("%s", quoted.Problems[0].Message).WithField("problem", quoted.Problems[0].Code)
	}
	if _, err := tx.Exec(`
		INSERT INTO claims (key, cart_id, order_id, person, state, quote, at) VALUES (?, ?, ?, ?, 'claimed', ?, ?)`,
		r.Key, r.Cart, r.Order, r.Person, text, s.now()); err != nil {
		return fmt.Errorf("claim cart %s: %w", r.Cart, err)
	}
	for _, code := range quoted.Codes {
		if !code.Applied {
			continue
		}
		if err := claimUse(tx, r, code.Code); err != nil {
			return err
		}
	}
	return nil
}

// whyNot says why a cart could not be claimed.
func whyNot(tx *store.Tx, r cart.ClaimRequest) error {
	var row cartRow
	err := tx.Get(&row, `SELECT `+cartColumns+` FROM carts WHERE id = ? AND owner = ?`, r.Cart, r.Owner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return cart.ErrNotFound.With("there is no cart %s", r.Cart)
	case err != nil:
		return fmt.Errorf("select cart %s: %w", r.Cart, err)
	case row.Status == cart.StatusClaimed:
		return cart.ErrClaimed.With("another checkout is under way with this cart")
	case row.Status == cart.StatusClosed:
		return cart.ErrStatus.With("this cart has become an order already")
	default:
		return cart.ErrVersion.With("the cart has changed meanwhile")
	}
}

// claimUse takes one use of a coupon, or says that there is none left.
func claimUse(tx *store.Tx, r cart.ClaimRequest, code string) error {
	n, err := tx.Exec(`
		UPDATE coupons SET used = used + 1 WHERE code = ? AND ended = 0
			AND (use_limit = 0 OR used < use_limit)
			AND (person_limit = 0 OR person_limit > (
				SELECT count(*) FROM coupon_uses u WHERE u.coupon_id = coupons.id AND u.person = ? AND u.given_back = 0))`,
		code, r.Person)
	if err != nil {
		return fmt.Errorf("claim a use of %s: %w", code, err)
	}
	if n == 0 {
		return cart.ErrCoupon.With("the code %s has been used up", code).WithField("code", code)
	}
	if _, err := tx.Exec(`
		INSERT INTO coupon_uses (claim_key, coupon_id, person) SELECT ?, id, ? FROM coupons WHERE code = ?`,
		r.Key, r.Person, code); err != nil {
		return fmt.Errorf("claim a use of %s: %w", code, err)
	}
	return nil
}

type claimRow struct {
	Key   string      `db:"key"`
	Cart  cart.CartID `db:"cart_id"`
	Order id.Ref      `db:"order_id"`
	State string      `db:"state"`
}

func selectClaim(q store.Queryer, key string) (claimRow, error) {
	var row claimRow
	err := q.Get(&row, `SELECT key, cart_id, order_id, state FROM claims WHERE key = ?`, key)
	if errors.Is(err, sql.ErrNoRows) {
		return row, cart.ErrNotFound.With("there is no claim %s", key)
	}
	if err != nil {
		return row, fmt.Errorf("select claim %s: %w", key, err)
	}
	return row, nil
}

// Close ends a claimed cart. Repeating it changes nothing, whatever the key.
func (s *Service) Close(ctx context.Context, r cart.CloseRequest) (cart.CloseReply, error) {
	if err := onlySystem(r.By); err != nil {
		return cart.CloseReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(r.Claim != "", "claim", "must name the claim")
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.CloseReply{}, err
	}
	var reply cart.CloseReply
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		c, err := selectClaim(tx, r.Claim)
		if err != nil {
			return err
		}
		reply.Cart = c.Cart
		switch c.State {
		case "closed":
			return nil
		case "released":
			return cart.ErrStatus.With("the claim %s was released", r.Claim)
		}
		if _, err := tx.Exec(`UPDATE claims SET state = 'closed', ended_at = ? WHERE key = ?`, s.now(), r.Claim); err != nil {
			return fmt.Errorf("close claim %s: %w", r.Claim, err)
		}
		if _, err := tx.Exec(`UPDATE carts SET status = 'closed', changed_at = ? WHERE id = ?`, s.now(), c.Cart); err != nil {
			return fmt.Errorf("close cart %s: %w", c.Cart, err)
		}
		return tx.Publish(cart.Closed{CartID: c.Cart, OrderID: c.Order, At: s.now()})
	})
	return reply, err
}

// Release undoes a claim, made or still to arrive.
func (s *Service) Release(ctx context.Context, r cart.ReleaseRequest) (cart.ReleaseReply, error) {
	if err := onlySystem(r.By); err != nil {
		return cart.ReleaseReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.ReleaseReply{}, err
	}
	var reply cart.ReleaseReply
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		reply = cart.ReleaseReply{}
		c, err := selectClaim(tx, r.Key)
		if err != nil && !errors.Is(err, cart.ErrNotFound) {
			return err
		}
		known := err == nil
		if known && c.State == "closed" {
			return cart.ErrStatus.With("the cart of claim %s has become an order", r.Key)
		}
		if _, _, err := tx.Undo(checkouts, opClaim, r.Key); err != nil {
			return err
		}
		reply = cart.ReleaseReply{Known: known, Cart: c.Cart}
		if !known || c.State == "released" {
			return nil
		}
		return s.release(tx, c)
	})
	return reply, err
}

func (s *Service) release(tx *store.Tx, c claimRow) error {
	if _, err := tx.Exec(`UPDATE claims SET state = 'released', ended_at = ? WHERE key = ?`, s.now(), c.Key); err != nil {
		return fmt.Errorf("release claim %s: %w", c.Key, err)
	}
	if _, err := tx.Exec(`UPDATE carts SET status = 'open', changed_at = ? WHERE id = ?`, s.now(), c.Cart); err != nil {
		return fmt.Errorf("reopen cart %s: %w", c.Cart, err)
	}
	if _, err := tx.Exec(`
		UPDATE coupons SET used = used - 1 WHERE id IN (SELECT coupon_id FROM coupon_uses WHERE claim_key = ? AND given_back = 0)`,
		c.Key); err != nil {
		return fmt.Errorf("give back coupons of claim %s: %w", c.Key, err)
	}
	if _, err := tx.Exec(`UPDATE coupon_uses SET given_back = 1 WHERE claim_key = ?`, c.Key); err != nil {
		return fmt.Errorf("give back coupons of claim %s: %w", c.Key, err)
	}
	return nil
}
