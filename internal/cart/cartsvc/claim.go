package cartsvc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"souk/internal/cart"
	"souk/internal/platform/actor"
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
// catalog; what may have changed since is checked inside by the cart's version and by the
// coupons' versions and counts.
func (s *Service) Claim(ctx context.Context, r cart.ClaimRequest) (reply cart.ClaimReply, err error) {
	defer s.done("claim", &err)
	if err := onlySystem(r.By); err != nil {
		return cart.ClaimReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	checkDestination(r.Destination, &problems)
	problems.Check(r.Owner != "", "owner", "must say whose cart it is")
	problems.Check(cart.CartIDs.Valid(r.Cart), "cart", "is not the id of a cart")
	problems.Check(r.Order.HasPrefix("ord_"), "order", "must name the order")
	problems.Check(r.Person.HasPrefix("per_"), "person", "must name the person")
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.ClaimReply{}, err
	}
	o, unable := s.offer(ctx, r)
	body := r
	body.By, body.Key = actor.Actor{}, ""
	var claimed string
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{Owner: checkouts, Operation: opClaim, Key: r.Key, Body: store.Hash(body)}
		_, repeat, err := tx.Once(c, func() (string, error) {
			if unable != nil {
				return "", unable // but a key that was seen is answered without a new quote
			}
			return r.Key, s.claim(tx, r, o)
		})
		if err != nil {
			return err
		}
		if claimed = o.text; repeat {
			claimed, err = selectAgreed(tx, r.Key)
		}
		return err
	})
	if err != nil {
		return cart.ClaimReply{}, err
	}
	if err := json.Unmarshal([]byte(claimed), &reply.Quote); err != nil {
		return cart.ClaimReply{}, fmt.Errorf("read the quote of claim %s: %w", r.Key, err)
	}
	return reply, nil
}

// offer is a cart quoted for a checkout.
type offer struct {
	quote   cart.Quote
	coupons map[string]couponInPlay
	text    string // the quote as it is kept
	spent   string // the code that makes the difference to what the buyer saw, by having been used up by this person
	taken   bool   // another checkout has the cart
}

func (s *Service) offer(ctx context.Context, r cart.ClaimRequest) (offer, error) {
	b, err := s.basket(ctx, r.Owner, r.Destination, r.Person, "")
	if err != nil || b.claimed != nil {
		return offer{taken: b.claimed != nil}, err
	}
	o := offer{coupons: b.coupons}
	if o.quote, err = quote(b); err != nil {
		return offer{}, fmt.Errorf("quote cart %s: %w", r.Cart, err)
	}
	if o.quote.Hash != r.QuoteHash {
		if o.spent, err = b.spentBy(r.QuoteHash); err != nil {
			return offer{}, fmt.Errorf("quote cart %s: %w", r.Cart, err)
		}
	}
	text, err := json.Marshal(o.quote)
	if err != nil {
		return offer{}, fmt.Errorf("keep the quote of cart %s: %w", r.Cart, err)
	}
	o.text = string(text)
	return o, nil
}

// spentBy says which code the person has used as often as allowed, when that alone makes the
// quote another than the one with that hash. So it is for guests: whose limits count is
// known only at checkout, and showing them the same quote again would lead nowhere.
func (b basket) spentBy(hash string) (string, error) {
	var spent string
	anyone := map[string]couponInPlay{}
	for code, c := range b.coupons {
		if c.usable(b.now) != "" && (couponInPlay{coupon: c.coupon}).usable(b.now) == "" {
			spent = code
		}
		anyone[code] = couponInPlay{coupon: c.coupon}
	}
	if spent == "" {
		return "", nil
	}
	b.coupons = anyone
	q, err := quote(b)
	if err != nil || q.Hash != hash {
		return "", err
	}
	return spent, nil
}

// claim checks that the cart is still what was quoted, and locks it.
func (s *Service) claim(tx *store.Tx, r cart.ClaimRequest, o offer) error {
	if o.taken {
		return whyNot(tx, r)
	}
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
	if err := o.agreed(r); err != nil {
		return err
	}
	if _, err := tx.Exec(`
		INSERT INTO claims (key, cart_id, order_id, person, state, quote, at) VALUES (?, ?, ?, ?, 'claimed', ?, ?)`,
		r.Key, r.Cart, r.Order, r.Person, o.text, s.now()); err != nil {
		return fmt.Errorf("claim cart %s: %w", r.Cart, err)
	}
	for _, code := range o.quote.Codes {
		if !code.Applied {
			continue
		}
		if err := claimUse(tx, r, o.coupons[code.Code].coupon); err != nil {
			return err
		}
	}
	return nil
}

// agreed says whether what is offered is what the buyer saw, and can be bought.
func (o offer) agreed(r cart.ClaimRequest) error {
	switch {
	case o.quote.Cart != r.Cart || o.quote.CartVersion != r.CartVersion:
		return cart.ErrVersion.With("the cart has changed meanwhile")
	case o.spent != "":
		return cart.ErrCoupon.With("you have used the code %s already", o.spent).WithField("code", "was used as often as one person may")
	case o.quote.Hash != r.QuoteHash:
		return quoteChanged(o.quote)
	case len(o.quote.Problems) > 0:
		return cart.ErrUnbuyable.With("%s", o.quote.Problems[0].Message).WithField("problem", o.quote.Problems[0].Code)
	default:
		return nil
	}
}

func quoteChanged(now cart.Quote) error {
	return cart.ErrQuoteChanged.With("what the cart costs has changed: it is %s now", now.Sums.Total).
		WithField("quote_hash", now.Hash).WithField("total", now.Sums.Total.String())
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
	case row.Status == cart.StatusClaimed || row.Version == r.CartVersion && row.Status == cart.StatusOpen: // or was a moment ago
		return cart.ErrClaimed.With("another checkout is under way with this cart")
	case row.Status == cart.StatusClosed:
		return cart.ErrStatus.With("this cart has become an order already")
	default:
		return cart.ErrVersion.With("the cart has changed meanwhile")
	}
}

// claimUse takes one use of a coupon as it was quoted, or says that there is none left.
func claimUse(tx *store.Tx, r cart.ClaimRequest, c cart.Coupon) error {
	n, err := tx.Exec(`
		UPDATE coupons SET used = used + 1 WHERE id = ? AND version = ?
			AND (use_limit = 0 OR used < use_limit)
			AND (person_limit = 0 OR person_limit > (
				SELECT count(*) FROM coupon_uses u WHERE u.coupon_id = coupons.id AND u.person = ? AND u.given_back = 0))`,
		c.ID, c.Version, r.Person)
	if err != nil {
		return fmt.Errorf("claim a use of %s: %w", c.ID, err)
	}
	if n == 0 {
		return cart.ErrCoupon.With("the code %s cannot be used any more", c.Code).WithField("code", "cannot be used any more")
	}
	if _, err := tx.Exec(`INSERT INTO coupon_uses (claim_key, coupon_id, person) VALUES (?, ?, ?)`, r.Key, c.ID, r.Person); err != nil {
		return fmt.Errorf("claim a use of %s: %w", c.ID, err)
	}
	return nil
}

// selectAgreed reads the quote that a claim was made with. It is kept until the cart is closed.
func selectAgreed(q store.Queryer, key string) (string, error) {
	var text string
	if err := q.Get(&text, `SELECT quote FROM claims WHERE key = ?`, key); err != nil {
		return "", fmt.Errorf("select the quote of claim %s: %w", key, err)
	}
	if text == "" {
		return "", cart.ErrStatus.With("this cart has become an order already")
	}
	return text, nil
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
func (s *Service) Close(ctx context.Context, r cart.CloseRequest) (reply cart.CloseReply, err error) {
	defer s.done("close", &err)
	if err := onlySystem(r.By); err != nil {
		return cart.CloseReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(r.Claim != "", "claim", "must name the claim")
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.CloseReply{}, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
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
		if _, err := tx.Exec(`UPDATE claims SET state = 'closed', quote = '', ended_at = ? WHERE key = ?`, s.now(), r.Claim); err != nil {
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
func (s *Service) Release(ctx context.Context, r cart.ReleaseRequest) (reply cart.ReleaseReply, err error) {
	defer s.done("release", &err)
	if err := onlySystem(r.By); err != nil {
		return cart.ReleaseReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.ReleaseReply{}, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
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
	if _, err := tx.Exec(`UPDATE claims SET state = 'released', quote = '', ended_at = ? WHERE key = ?`, s.now(), c.Key); err != nil {
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
