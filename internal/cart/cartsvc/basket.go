package cartsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
)

// basket reads everything that a quote of the owner's cart depends on: one snapshot of
// cart's own tables, and what the goods cost now. A code to try is added to the cart's.
func (s *Service) basket(ctx context.Context, owner string, to cart.Destination, person id.Ref, try string) (basket, error) {
	b := basket{destination: to, now: s.now(), coupons: map[string]couponInPlay{}}
	var k kept
	var tables map[catalog.SellerID]cart.ShippingTable
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		if k, err = selectCurrent(q, owner); err != nil {
			return err
		}
		b.codes = slices.Clone(k.codes)
		if try != "" && !k.hasCode(try) {
			b.codes = append(b.codes, try)
		}
		if b.coupons, err = selectInPlay(q, b.codes, person); err != nil {
			return err
		}
		if to.Country == "" {
			return nil
		}
		if tables, err = selectShipping(q); err != nil {
			return err
		}
		b.taxes, err = selectTaxes(q)
		return err
	})
	if err != nil {
		return basket{}, err
	}
	offers, err := s.offers(ctx, k.variants())
	if err != nil {
		return basket{}, err
	}
	b.cart, b.version, b.currency = k.row.ID, k.row.Version, k.currency()
	b.shipping = map[catalog.SellerID]cart.ShippingTable{}
	for _, l := range k.lines {
		offer, known := offers[l.Variant]
		if !known {
			offer = catalog.Offer{Variant: l.Variant}
			offer.Price.Currency = l.SeenCurrency
		}
		b.lines = append(b.lines, basketLine{offer: offer, quantity: l.Quantity})
		table, own := tables[offer.Seller]
		if !own {
			table = tables[""]
		}
		b.shipping[offer.Seller] = table
	}
	return b, nil
}

type tableRow struct {
	Name    string `db:"name"`
	Flag    bool   `db:"flag"`
	Rows    string `db:"rows"`
	Version int64  `db:"version"`
}

// selectShipping reads all shipping tables: they are few and short.
func selectShipping(q store.Queryer) (map[catalog.SellerID]cart.ShippingTable, error) {
	var rows []tableRow
	if err := q.Select(&rows, `SELECT seller_id AS name, 0 AS flag, zones AS rows, version FROM shipping_tables`); err != nil {
		return nil, fmt.Errorf("select shipping tables: %w", err)
	}
	out := map[catalog.SellerID]cart.ShippingTable{"": {Zones: defaultZones}}
	for _, r := range rows {
		t := cart.ShippingTable{Seller: catalog.SellerID(r.Name), Version: r.Version}
		if err := json.Unmarshal([]byte(r.Rows), &t.Zones); err != nil {
			return nil, fmt.Errorf("read shipping table of %q: %w", r.Name, err)
		}
		out[t.Seller] = t
	}
	return out, nil
}

// selectTaxes reads all tax tables, those of a fresh installation where no other was put.
func selectTaxes(q store.Queryer) (taxTables, error) {
	var rows []tableRow
	if err := q.Select(&rows, `SELECT country AS name, included AS flag, rates AS rows, version FROM tax_tables`); err != nil {
		return nil, fmt.Errorf("select tax tables: %w", err)
	}
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
