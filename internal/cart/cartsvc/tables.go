package cartsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
)

// checkZones says everything that is wrong with a shipping table.
func checkZones(zones []cart.ShippingZone, p *errs.Problems) {
	p.Check(len(zones) > 0 && len(zones) <= 100, "zones", "must have 1 to 100 rows")
	for i, z := range zones {
		at := fmt.Sprintf("zones[%d]", i)
		p.Check(z.Label != "" && len(z.Label) <= 100, at+".label", "must have 1 to 100 characters")
		p.Check(z.Currency == "" || z.Currency.Valid(), at+".currency", "is not a currency")
		p.Check(z.GramsUnknown >= 0, at+".grams_unknown", "must not be negative")
		for _, c := range z.Countries {
			p.Check(isCountry(c), at+".countries", "%q is not two capitals, as in DE", c)
		}
		p.Check(len(z.Steps) > 0 && len(z.Steps) <= 100, at+".steps", "must have 1 to 100 rows")
		switch z.Kind {
		case cart.ShippingFlat:
			p.Check(len(z.Steps) == 1, at+".steps", "a flat price has one row")
		case cart.ShippingByWeight:
			p.Check(slices.IsSortedFunc(z.Steps, func(a, b cart.ShippingStep) int { return int(max(-1, min(1, a.Grams-b.Grams))) }),
				at+".steps", "must go up by weight")
		case cart.ShippingByPrice:
			p.Check(slices.IsSortedFunc(z.Steps, func(a, b cart.ShippingStep) int { return int(max(-1, min(1, a.From.Minor-b.From.Minor))) }),
				at+".steps", "must go up by the goods' price")
			p.Check(len(z.Steps) == 0 || z.Steps[0].From.Minor == 0, at+".steps", "must begin with goods from 0")
		default:
			p.Add(at+".kind", "must be flat, by_weight or by_price")
		}
		for _, step := range z.Steps {
			p.Check(step.Price.Minor >= 0 && (step.Price.Minor == 0 || step.Price.Currency == z.Currency),
				at+".steps", "prices must be in the zone's currency and not negative")
		}
	}
}

// PutShipping replaces a table.
func (s *Service) PutShipping(ctx context.Context, r cart.PutShippingRequest) (cart.ShippingReply, error) {
	seller := r.Table.Seller
	if !r.By.IsOperator() && !r.By.IsSystem() && !r.By.Sells(id.RefOf(seller)) {
		return cart.ShippingReply{}, cart.ErrForbidden.With("a shipping table is changed by its seller's staff and by operators")
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	checkZones(r.Table.Zones, &problems)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.ShippingReply{}, err
	}
	zones, err := json.Marshal(r.Table.Zones)
	if err != nil {
		return cart.ShippingReply{}, fmt.Errorf("keep the zones of %q: %w", seller, err)
	}
	err = s.once(ctx, r.By.Owner(), "cart.put_shipping", r.Key, r, func(tx *store.Tx) error {
		tables, err := selectShipping(tx)
		if err != nil {
			return err
		}
		was := tables[seller]
		if was.Version != r.Table.Version {
			return cart.ErrVersion.With("the shipping table has changed meanwhile; look again")
		}
		if _, err := tx.Exec(`
			INSERT INTO shipping_tables (seller_id, zones, version, changed_at) VALUES (?, ?, 1, ?)
			ON CONFLICT (seller_id) DO UPDATE SET zones = excluded.zones, version = version + 1, changed_at = excluded.changed_at`,
			seller, string(zones), s.now()); err != nil {
			return fmt.Errorf("store the shipping table of %q: %w", seller, err)
		}
		return auditOf(tx, r.By, "cart.put_shipping", string(seller), was, r.Table)
	})
	if err != nil {
		return cart.ShippingReply{}, err
	}
	reply, err := s.GetShipping(ctx, cart.GetShippingRequest{Sellers: []catalog.SellerID{seller}})
	if err != nil {
		return cart.ShippingReply{}, err
	}
	return cart.ShippingReply{Table: reply.Tables[0]}, nil
}

// GetShipping reads tables in batch.
func (s *Service) GetShipping(ctx context.Context, r cart.GetShippingRequest) (cart.GetShippingReply, error) {
	if len(r.Sellers) > 200 {
		return cart.GetShippingReply{}, cart.ErrInvalid.With("at most 200 at a time").WithField("sellers", "too many")
	}
	var tables map[catalog.SellerID]cart.ShippingTable
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		tables, err = selectShipping(q)
		return err
	})
	if err != nil {
		return cart.GetShippingReply{}, err
	}
	var reply cart.GetShippingReply
	for _, seller := range r.Sellers {
		t, own := tables[seller]
		if !own {
			t = cart.ShippingTable{Seller: seller, Zones: tables[""].Zones} // version 0: to be put for the first time
		}
		reply.Tables = append(reply.Tables, t)
	}
	return reply, nil
}

// PutTaxes replaces a country's table.
func (s *Service) PutTaxes(ctx context.Context, r cart.PutTaxesRequest) (cart.TaxesReply, error) {
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return cart.TaxesReply{}, cart.ErrForbidden.With("tax tables are changed by operators")
	}
	t := r.Table
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(t.Country == "" || isCountry(t.Country), "country", "must be two capitals, as in DE")
	for i, rate := range t.Rates {
		at := fmt.Sprintf("rates[%d]", i)
		problems.Check(rate.BasisPoints >= 0 && rate.BasisPoints <= basis, at+".basis_points", "must be 0 to 10000")
		problems.Check(slices.Contains([]catalog.TaxClass{catalog.TaxStandard, catalog.TaxReduced, catalog.TaxZero}, rate.Class),
			at+".class", "must be standard, reduced or zero")
	}
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.TaxesReply{}, err
	}
	rates, err := json.Marshal(t.Rates)
	if err != nil {
		return cart.TaxesReply{}, fmt.Errorf("keep the rates of %q: %w", t.Country, err)
	}
	err = s.once(ctx, r.By.Owner(), "cart.put_taxes", r.Key, r, func(tx *store.Tx) error {
		tables, err := selectTaxes(tx)
		if err != nil {
			return err
		}
		was := tables[t.Country]
		if was.Version != t.Version {
			return cart.ErrVersion.With("the tax table has changed meanwhile; look again")
		}
		if _, err := tx.Exec(`
			INSERT INTO tax_tables (country, included, rates, version, changed_at) VALUES (?, ?, ?, 1, ?)
			ON CONFLICT (country) DO UPDATE SET included = excluded.included, rates = excluded.rates,
				version = version + 1, changed_at = excluded.changed_at`,
			t.Country, t.Included, string(rates), s.now()); err != nil {
			return fmt.Errorf("store the tax table of %q: %w", t.Country, err)
		}
		return auditOf(tx, r.By, "cart.put_taxes", t.Country, was, t)
	})
	if err != nil {
		return cart.TaxesReply{}, err
	}
	tables, err := s.taxes(ctx)
	return cart.TaxesReply{Table: tables[t.Country]}, err
}

func (s *Service) taxes(ctx context.Context) (taxTables, error) {
	var tables taxTables
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		tables, err = selectTaxes(q)
		return err
	})
	return tables, err
}

// ListTaxes reads all tables, by country.
func (s *Service) ListTaxes(ctx context.Context, _ cart.ListTaxesRequest) (cart.ListTaxesReply, error) {
	tables, err := s.taxes(ctx)
	if err != nil {
		return cart.ListTaxesReply{}, err
	}
	var reply cart.ListTaxesReply
	for _, country := range slices.Sorted(maps.Keys(tables)) {
		reply.Tables = append(reply.Tables, tables[country])
	}
	return reply, nil
}
