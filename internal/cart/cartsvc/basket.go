package cartsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// basket reads everything that a quote of the owner's cart depends on: one snapshot of
// cart's own tables, and what the goods cost now. A code to try is added to the cart's. Of a
// cart that a checkout has, it reads the quote that was claimed, and nothing else counts.
func (s *Service) basket(ctx context.Context, owner string, to cart.Destination, person id.Ref, try string) (basket, error) {
	var b basket
	var k kept
	err := s.db.Read(ctx, func(q store.Queryer) error {
		b = basket{destination: to, now: s.now(), coupons: map[string]couponInPlay{}, shipping: shippingTables{}, taxes: taxTables{}}
		var err error
		if k, err = selectCurrent(q, owner); err != nil {
			return err
		}
		if k.row.Status == cart.StatusClaimed {
			b.claimed, err = selectClaimed(q, k.row.ID)
			return err
		}
		b.codes = slices.Clone(k.codes)
		if try != "" && !k.hasCode(try) {
			b.codes = append(b.codes, try)
		}
		if b.coupons, err = selectInPlay(q, b.codes, person); err != nil {
			return err
		}
		if to.Country == "" || len(k.lines) == 0 {
			return nil
		}
		if b.shipping, err = selectShippingOf(q, k.row.ID); err != nil {
			return err
		}
		b.taxes, err = selectTaxesOf(q, to.Country)
		return err
	})
	if err != nil {
		return basket{}, err
	}
	b.cart, b.version, b.currency = k.row.ID, k.row.Version, k.currency()
	if b.claimed != nil {
		return b, nil
	}
	offers, err := s.offers(ctx, k.variants())
	if err != nil {
		return basket{}, err
	}
	for _, l := range k.lines {
		offer, known := offers[l.Variant]
		if !known {
			offer = catalog.Offer{Variant: l.Variant, Seller: l.Seller, Price: money.Zero(l.SeenCurrency)}
		}
		b.lines = append(b.lines, basketLine{offer: offer, quantity: l.Quantity})
	}
	return b, nil
}

// selectClaimed reads the quote that the checkout has which has the cart.
func selectClaimed(q store.Queryer, cid cart.CartID) (*cart.Quote, error) {
	var text string
	if err := q.Get(&text, `SELECT quote FROM claims WHERE cart_id = ? AND state = 'claimed'`, cid); err != nil {
		return nil, fmt.Errorf("select the claim of cart %s: %w", cid, err)
	}
	var claimed cart.Quote
	if err := json.Unmarshal([]byte(text), &claimed); err != nil {
		return nil, fmt.Errorf("read the claimed quote of cart %s: %w", cid, err)
	}
	return &claimed, nil
}

type tableRow struct {
	Name    string `db:"name"`
	Flag    bool   `db:"flag"`
	Rows    string `db:"rows"`
	Version int64  `db:"version"`
}

// shippingTables are tables by seller; "" is the marketplace's own.
type shippingTables map[catalog.SellerID]cart.ShippingTable

// of is how a seller ships: by its own table, else by the marketplace's, which is then to be
// put for the first time under version 0. One that was withdrawn keeps its version.
func (t shippingTables) of(seller catalog.SellerID) cart.ShippingTable {
	own := t[seller]
	if len(own.Zones) > 0 {
		return own
	}
	return cart.ShippingTable{Seller: seller, Zones: t[""].Zones, Version: own.Version}
}

func shippingOf(rows []tableRow) (shippingTables, error) {
	out := shippingTables{"": {Zones: defaultZones}}
	for _, r := range rows {
		t := cart.ShippingTable{Seller: catalog.SellerID(r.Name), Version: r.Version}
		if err := json.Unmarshal([]byte(r.Rows), &t.Zones); err != nil {
			return nil, fmt.Errorf("read shipping table of %q: %w", r.Name, err)
		}
		out[t.Seller] = t
	}
	return out, nil
}

// selectShipping reads the tables of sellers, and the marketplace's.
func selectShipping(q store.Queryer, sellers ...catalog.SellerID) (shippingTables, error) {
	query, args, err := store.In(`SELECT seller_id AS name, 0 AS flag, zones AS rows, version FROM shipping_tables WHERE seller_id IN (?)`,
		append([]catalog.SellerID{""}, sellers...))
	if err != nil {
		return nil, err
	}
	var rows []tableRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select shipping tables: %w", err)
	}
	return shippingOf(rows)
}

// selectShippingOf reads the tables of those whose goods are in a cart, and the marketplace's.
func selectShippingOf(q store.Queryer, cid cart.CartID) (shippingTables, error) {
	var rows []tableRow
	if err := q.Select(&rows, `
		SELECT seller_id AS name, 0 AS flag, zones AS rows, version FROM shipping_tables
		WHERE seller_id = '' OR seller_id IN (SELECT seller_id FROM cart_lines WHERE cart_id = ?)`, cid); err != nil {
		return nil, fmt.Errorf("select shipping tables of cart %s: %w", cid, err)
	}
	return shippingOf(rows)
}

func taxesOf(rows []tableRow) (taxTables, error) {
	out := defaultTaxes()
	for _, r := range rows {
		t := cart.TaxTable{Country: r.Name, Included: r.Flag, Version: r.Version}
		if err := json.Unmarshal([]byte(r.Rows), &t.Rates); err != nil {
			return nil, fmt.Errorf("read tax table of %q: %w", r.Name, err)
		}
		out[t.Country] = t
	}
	return out, nil
}

// selectTaxes reads all tax tables, those of a fresh installation where no other was put.
func selectTaxes(q store.Queryer) (taxTables, error) {
	var rows []tableRow
	if err := q.Select(&rows, `SELECT country AS name, included AS flag, rates AS rows, version FROM tax_tables`); err != nil {
		return nil, fmt.Errorf("select tax tables: %w", err)
	}
	return taxesOf(rows)
}

// selectTaxesOf reads the tables that can apply in a country.
func selectTaxesOf(q store.Queryer, country string) (taxTables, error) {
	var rows []tableRow
	if err := q.Select(&rows, `
		SELECT country AS name, included AS flag, rates AS rows, version FROM tax_tables WHERE country IN (?, '')`, country); err != nil {
		return nil, fmt.Errorf("select tax tables of %s: %w", country, err)
	}
	return taxesOf(rows)
}

const couponColumns = `id, seller_id, code, label, funder, percent, amount, amount_currency, minimum, minimum_currency,
	from_at, until_at, use_limit, person_limit, used, ended, created_at, version`

// selectInPlay reads the coupons of codes, and how often the person has used each.
func selectInPlay(q store.Queryer, codes []string, person id.Ref) (map[string]couponInPlay, error) {
	out := map[string]couponInPlay{}
	if len(codes) == 0 {
		return out, nil
	}
	query, args, err := store.In(`
		SELECT `+couponColumns+`, (
			SELECT count(*) FROM coupon_uses u
			WHERE u.coupon_id = coupons.id AND u.person = ? AND u.person <> '' AND u.given_back = 0) AS used_by_me
		FROM coupons WHERE code IN (?)`, person, codes)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		couponRow
		UsedByMe int64 `db:"used_by_me"`
	}
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select coupons: %w", err)
	}
	for _, r := range rows {
		out[r.Code] = couponInPlay{coupon: r.coupon(), usedByMe: r.UsedByMe}
	}
	return out, nil
}
