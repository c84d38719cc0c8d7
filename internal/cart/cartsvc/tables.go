package cartsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

// The bounds of a table.
const (
	maxRows  = 100
	maxGrams = 1_000_000_000 // a thousand tonnes
)

// checkZones says everything that is wrong with a shipping table.
func checkZones(zones []cart.ShippingZone, p *errs.Problems) {
	p.Check(len(zones) > 0 && len(zones) <= maxRows, "zones", "must have 1 to %d rows", maxRows)
	for i, z := range zones {
		at := fmt.Sprintf("zones[%d]", i)
		p.Check(z.Label != "" && len(z.Label) <= 100, at+".label", "must have 1 to 100 characters")
		p.Check(z.Currency == "" || z.Currency.Valid(), at+".currency", "is not a currency")
		p.Check(z.GramsUnknown >= 0 && z.GramsUnknown <= maxGrams, at+".grams_unknown", "must be 0 to %d", maxGrams)
		for _, c := range z.Countries {
			p.Check(isCountry(c), at+".countries", "%q is not two capitals, as in DE", c)
		}
		p.Check(len(z.Steps) > 0 && len(z.Steps) <= maxRows, at+".steps", "must have 1 to %d rows", maxRows)
		checkSteps(z, at+".steps", p)
	}
}

func checkSteps(z cart.ShippingZone, at string, p *errs.Problems) {
	switch z.Kind {
	case cart.ShippingFlat:
		p.Check(len(z.Steps) == 1, at, "a flat price has one row")
	case cart.ShippingByWeight:
		for i, step := range z.Steps {
			p.Check(step.Grams >= 0 && (i == 0 || step.Grams > z.Steps[i-1].Grams), at, "must go up by weight")
		}
	case cart.ShippingByPrice:
		for i, step := range z.Steps {
			p.Check(i == 0 || step.From.Minor > z.Steps[i-1].From.Minor, at, "must go up by the goods' price")
			p.Check(step.From.Minor == 0 || step.From.Currency == z.Currency, at, "must be in the zone's currency")
		}
		p.Check(len(z.Steps) == 0 || z.Steps[0].From.Minor == 0, at, "must begin with goods from 0")
	default:
		p.Add(strings.TrimSuffix(at, "steps")+"kind", "must be flat, by_weight or by_price")
	}
	for _, step := range z.Steps {
		p.Check(step.Price.Minor >= 0 && (step.Price.Minor == 0 || z.Currency != "" && step.Price.Currency == z.Currency),
			at, "prices must be in the zone's currency and not negative")
	}
}

// PutShipping replaces a table.
func (s *Service) PutShipping(ctx context.Context, r cart.PutShippingRequest) (reply cart.ShippingReply, err error) {
	defer s.done("put_shipping", &err)
	seller := r.Table.Seller
	if err := manages(r.By, seller, actor.ScopeSell); err != nil {
		return cart.ShippingReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(seller == "" || catalog.SellerIDs.Valid(seller), "seller", "is not the id of a seller")
	withdraws := len(r.Table.Zones) == 0 && seller != "" && r.Table.Version > 0
	if !withdraws {
		checkZones(r.Table.Zones, &problems)
	}
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.ShippingReply{}, err
	}
	if withdraws {
		r.Table.Zones = []cart.ShippingZone{}
	}
	zones, err := json.Marshal(r.Table.Zones)
	if err != nil {
		return cart.ShippingReply{}, fmt.Errorf("keep the zones of %q: %w", seller, err)
	}
	err = s.once(ctx, r.By.Owner(), "cart.put_shipping", r.Key, r.Table, func(tx *store.Tx) error {
		tables, err := selectShipping(tx, seller)
		if err != nil {
			return err
		}
		was := tables.of(seller)
		if was.Version != r.Table.Version {
			return cart.ErrVersion.With("the shipping table has changed meanwhile; look again")
		}
		if _, err := tx.Exec(`
			INSERT INTO shipping_tables (seller_id, zones, version, changed_at) VALUES (?, ?, 1, ?)
			ON CONFLICT (seller_id) DO UPDATE SET zones = excluded.zones, version = shipping_tables.version + 1, changed_at = excluded.changed_at`,
			seller, string(zones), s.now()); err != nil {
			return fmt.Errorf("store the shipping table of %q: %w", seller, err)
		}
		return auditOf(tx, r.By, "cart.put_shipping", string(seller), was, r.Table)
	})
	if err != nil {
		return cart.ShippingReply{}, err
	}
	tables, err := s.GetShipping(ctx, cart.GetShippingRequest{Sellers: []catalog.SellerID{seller}})
	if err != nil {
		return cart.ShippingReply{}, err
	}
	return cart.ShippingReply{Table: tables.Tables[0]}, nil
}

// GetShipping reads tables in batch.
func (s *Service) GetShipping(ctx context.Context, r cart.GetShippingRequest) (cart.GetShippingReply, error) {
	if len(r.Sellers) > 200 {
		return cart.GetShippingReply{}, cart.ErrInvalid.With("at most 200 at a time").WithField("sellers", "too many")
	}
	var tables shippingTables
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		tables, err = selectShipping(q, r.Sellers...)
		return err
	})
	if err != nil {
		return cart.GetShippingReply{}, err
	}
	var reply cart.GetShippingReply
	for _, seller := range r.Sellers {
		reply.Tables = append(reply.Tables, tables.of(seller))
	}
	return reply, nil
}

// checkRates says everything that is wrong with a country's rates.
func checkRates(rates []cart.TaxRate, p *errs.Problems) {
	p.Check(len(rates) <= 10*maxRows, "rates", "must have at most %d rows", 10*maxRows)
	seen := map[cart.TaxRate]bool{}
	for i, rate := range rates {
		at := fmt.Sprintf("rates[%d]", i)
		p.Check(rate.BasisPoints >= 0 && rate.BasisPoints <= basis, at+".basis_points", "must be 0 to 10000")
		p.Check(slices.Contains([]catalog.TaxClass{catalog.TaxStandard, catalog.TaxReduced, catalog.TaxZero}, rate.Class),
			at+".class", "must be standard, reduced or zero")
		p.Check(len(rate.Region) <= 10, at+".region", "must have at most 10 characters")
		name := cart.TaxRate{Region: rate.Region, Class: rate.Class}
		p.Check(!seen[name], at, "there is a rate for this region and class already")
		seen[name] = true
	}
}

// PutTaxes replaces a country's table.
func (s *Service) PutTaxes(ctx context.Context, r cart.PutTaxesRequest) (reply cart.TaxesReply, err error) {
	defer s.done("put_taxes", &err)
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return cart.TaxesReply{}, cart.ErrForbidden.With("tax tables are changed by operators")
	}
	t := r.Table
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(t.Country == "" || isCountry(t.Country), "country", "must be two capitals, as in DE")
	checkRates(t.Rates, &problems)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.TaxesReply{}, err
	}
	rates, err := json.Marshal(t.Rates)
	if err != nil {
		return cart.TaxesReply{}, fmt.Errorf("keep the rates of %q: %w", t.Country, err)
	}
	err = s.once(ctx, r.By.Owner(), "cart.put_taxes", r.Key, t, func(tx *store.Tx) error {
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
				version = tax_tables.version + 1, changed_at = excluded.changed_at`,
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
