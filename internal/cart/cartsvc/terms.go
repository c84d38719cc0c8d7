package cartsvc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

type couponRow struct {
	ID              cart.CouponID    `db:"id"`
	Seller          catalog.SellerID `db:"seller_id"`
	Code            string           `db:"code"`
	Label           string           `db:"label"`
	Funder          cart.Funder      `db:"funder"`
	Percent         int32            `db:"percent"`
	Amount          int64            `db:"amount"`
	AmountCurrency  money.Currency   `db:"amount_currency"`
	Minimum         int64            `db:"minimum"`
	MinimumCurrency money.Currency   `db:"minimum_currency"`
	From            clock.Time       `db:"from_at"`
	Until           clock.Time       `db:"until_at"`
	Limit           int64            `db:"use_limit"`
	LimitPerson     int64            `db:"person_limit"`
	Used            int64            `db:"used"`
	Ended           bool             `db:"ended"`
	CreatedAt       clock.Time       `db:"created_at"`
	Version         int64            `db:"version"`
}

func (r couponRow) coupon() cart.Coupon {
	return cart.Coupon{
		ID: r.ID, Code: r.Code, Label: r.Label, Seller: r.Seller, Funder: r.Funder, Percent: r.Percent,
		Amount:  money.Money{Minor: r.Amount, Currency: r.AmountCurrency},
		Minimum: money.Money{Minor: r.Minimum, Currency: r.MinimumCurrency},
		From:    r.From, Until: r.Until, Limit: r.Limit, LimitPerson: r.LimitPerson, Used: r.Used, Ended: r.Ended,
		CreatedAt: r.CreatedAt, Version: r.Version,
	}
}

var codeShape = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{2,39}$`)

// checkCoupon says everything that is wrong with a coupon.
func checkCoupon(c cart.Coupon, p *errs.Problems) {
	p.Check(codeShape.MatchString(c.Code), "code", "must have 3 to 40 letters, digits or dashes")
	p.Check(c.ID == "" || cart.CouponIDs.Valid(c.ID), "id", "is not the id of a coupon")
	p.Check(c.Seller == "" || catalog.SellerIDs.Valid(c.Seller), "seller", "is not the id of a seller")
	p.Check(c.Label != "" && len(c.Label) <= 200, "label", "must have 1 to 200 characters")
	p.Check((c.Percent > 0) != (c.Amount.Minor > 0), "percent", "give either a percentage or an amount")
	p.Check(c.Percent >= 0 && c.Percent <= basis, "percent", "must be at most 10000 basis points, which is 100%%")
	p.Check(c.Amount.Minor >= 0, "amount", "must not be negative")
	p.Check(c.Amount.Minor == 0 || c.Amount.Currency.Valid(), "amount", "must have a currency")
	p.Check(c.Minimum.Minor >= 0, "minimum", "must not be negative")
	p.Check(c.Minimum.Minor == 0 || c.Minimum.Currency.Valid(), "minimum", "must have a currency")
	p.Check(c.From.IsZero() || c.Until.IsZero() || c.From.Before(c.Until), "until", "must be after its start")
	p.Check(c.Limit >= 0, "limit", "must not be negative; 0 is without limit")
	p.Check(c.LimitPerson >= 0, "limit_person", "must not be negative; 0 is without limit")
	p.Check(c.Funder == cart.FunderPlatform || c.Funder == cart.FunderSeller, "funder", "must be platform or seller")
}

// manages says whether the caller may see or set terms in a seller's name: its staff whose
// credential has the scope, operators and the system; "" is the marketplace itself. Another
// seller's is not found.
func manages(by actor.Actor, seller catalog.SellerID, scope actor.Scope) error {
	switch {
	case by.IsOperator() || by.IsSystem():
		return nil
	case seller == "" || by.Seller == "" || !by.SignedIn() || !by.Has(scope):
		return cart.ErrForbidden.With("this is for operators, and for sellers about their own goods")
	case by.Seller != id.RefOf(seller):
		return cart.ErrNotFound.With("there is no such seller among yours")
	default:
		return nil
	}
}

// PutCoupon makes or changes a coupon.
func (s *Service) PutCoupon(ctx context.Context, r cart.PutCouponRequest) (reply cart.CouponReply, err error) {
	defer s.done("put_coupon", &err)
	c := r.Coupon
	c.Code, c.Used, c.CreatedAt = codeOf(c.Code), 0, 0
	if err := manages(r.By, c.Seller, actor.ScopeSell); err != nil {
		return cart.CouponReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	checkCoupon(c, &problems)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.CouponReply{}, err
	}
	if c.Funder != cart.FunderSeller && !r.By.IsOperator() && !r.By.IsSystem() {
		return cart.CouponReply{}, cart.ErrForbidden.With("a seller's coupon is at the seller's own expense")
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		command := store.Command{
			Owner: r.By.Owner(), Operation: "cart.put_coupon", Key: r.Key, Body: store.Hash(c), Until: s.now().Add(keysLive),
		}
		cid, _, err := tx.Once(command, func() (string, error) {
			if c.ID == "" {
				return s.insertCoupon(tx, r.By, c)
			}
			return s.updateCoupon(tx, r.By, c)
		})
		if err != nil {
			return err
		}
		reply.Coupon, err = selectCoupon(tx, cart.CouponID(cid))
		return err
	})
	return reply, err
}

func selectCoupon(q store.Queryer, cid cart.CouponID) (cart.Coupon, error) {
	var row couponRow
	err := q.Get(&row, `SELECT `+couponColumns+` FROM coupons WHERE id = ?`, cid)
	if errors.Is(err, sql.ErrNoRows) {
		return cart.Coupon{}, cart.ErrNotFound.With("there is no coupon %s", cid)
	}
	if err != nil {
		return cart.Coupon{}, fmt.Errorf("select coupon %s: %w", cid, err)
	}
	return row.coupon(), nil
}

func (s *Service) insertCoupon(tx *store.Tx, by actor.Actor, c cart.Coupon) (string, error) {
	c.ID = s.newCoupon()
	_, err := tx.Exec(`INSERT INTO coupons (`+couponColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 1)`,
		c.ID, c.Seller, c.Code, c.Label, c.Funder, c.Percent, c.Amount.Minor, c.Amount.Currency, c.Minimum.Minor,
		c.Minimum.Currency, c.From, c.Until, c.Limit, c.LimitPerson, c.Ended, s.now())
	if store.IsDuplicate(err) {
		return "", cart.ErrCodeTaken.With("there is a coupon with the code %s already", c.Code).WithField("code", "is taken")
	}
	if err != nil {
		return "", fmt.Errorf("insert coupon %s: %w", c.ID, err)
	}
	return string(c.ID), auditOf(tx, by, "cart.make_coupon", string(c.ID), nil, c)
}

// updateCoupon changes what may change: never the code, whose it is or who pays.
func (s *Service) updateCoupon(tx *store.Tx, by actor.Actor, c cart.Coupon) (string, error) {
	was, err := selectCoupon(tx, c.ID)
	if err != nil {
		return "", err
	}
	if was.Seller != c.Seller && !by.IsOperator() && !by.IsSystem() {
		return "", cart.ErrNotFound.With("there is no coupon %s", c.ID)
	}
	if was.Version != c.Version {
		return "", cart.ErrVersion.With("the coupon has changed meanwhile; look again")
	}
	if was.Code != c.Code || was.Funder != c.Funder || was.Seller != c.Seller {
		return "", cart.ErrStatus.With("a coupon keeps its code, its seller and who pays for it; make another one")
	}
	if c.Limit > 0 && c.Limit < was.Used {
		return "", cart.ErrLimit.With("%d uses are taken already", was.Used).WithField("limit", "is below the uses taken")
	}
	n, err := tx.Exec(`
		UPDATE coupons SET label = ?, percent = ?, amount = ?, amount_currency = ?, minimum = ?, minimum_currency = ?,
			from_at = ?, until_at = ?, use_limit = ?, person_limit = ?, ended = ?, version = version + 1
		WHERE seller_id = ? AND id = ? AND version = ?`,
		c.Label, c.Percent, c.Amount.Minor, c.Amount.Currency, c.Minimum.Minor, c.Minimum.Currency,
		c.From, c.Until, c.Limit, c.LimitPerson, c.Ended, c.Seller, c.ID, c.Version)
	if err != nil {
		return "", fmt.Errorf("update coupon %s: %w", c.ID, err)
	}
	if n == 0 {
		return "", cart.ErrVersion.With("the coupon has changed meanwhile; look again")
	}
	return string(c.ID), auditOf(tx, by, "cart.change_coupon", string(c.ID), was, c)
}

// auditOf leaves an audit row with both states as JSON.
func auditOf(tx *store.Tx, by actor.Actor, action, subject string, before, after any) error {
	text := func(v any) (string, error) {
		if v == nil {
			return "", nil
		}
		b, err := json.Marshal(v)
		return string(b), err
	}
	was, err := text(before)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	is, err := text(after)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return tx.Audit(store.Audit{By: by, Action: action, Subject: subject, Before: was, After: is})
}

type couponKey struct {
	CreatedAt clock.Time
	ID        cart.CouponID
}

// ListCoupons pages through coupons, newest first.
func (s *Service) ListCoupons(ctx context.Context, r cart.ListCouponsRequest) (cart.ListCouponsReply, error) {
	if r.Seller == "" && !r.By.IsOperator() && !r.By.IsSystem() {
		r.Seller = catalog.SellerID(r.By.Seller)
	}
	if err := manages(r.By, r.Seller, actor.ScopeRead); err != nil {
		return cart.ListCouponsReply{}, err
	}
	size := r.Page.Size(20, 100)
	var after couponKey
	filter := []any{"coupons", r.Seller}
	more, err := r.Page.After(filter, &after)
	if err != nil {
		return cart.ListCouponsReply{}, err
	}
	query, args := `SELECT `+couponColumns+` FROM coupons WHERE 1 = 1`, []any{}
	if r.Seller != "" {
		query, args = `SELECT `+couponColumns+` FROM coupons WHERE seller_id = ?`, []any{r.Seller}
	}
	if more {
		query, args = query+` AND (created_at, id) < (?, ?)`, append(args, after.CreatedAt, after.ID)
	}
	var rows []couponRow
	err = s.db.Read(ctx, func(q store.Queryer) error {
		return q.Select(&rows, query+` ORDER BY created_at DESC, id DESC LIMIT ?`, append(args, size+1)...)
	})
	if err != nil {
		return cart.ListCouponsReply{}, fmt.Errorf("list coupons: %w", err)
	}
	var reply cart.ListCouponsReply
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		if reply.Next, err = page.Cursor(filter, couponKey{last.CreatedAt, last.ID}); err != nil {
			return cart.ListCouponsReply{}, err
		}
	}
	for _, row := range rows {
		reply.Coupons = append(reply.Coupons, row.coupon())
	}
	return reply, nil
}
