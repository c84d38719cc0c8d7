package carttest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
)

func (f *Fake) coupon(code string) *cart.Coupon {
	for _, k := range f.coupons {
		if k.Code == code {
			return k
		}
	}
	return nil
}

// unusable says why a coupon cannot be used now by that person.
func (f *Fake) unusable(k *cart.Coupon, person id.Ref) string {
	var mine int64
	for _, c := range f.claims {
		if person != "" && c.person == person && c.state != cart.StatusOpen && slices.Contains(c.uses, k) {
			mine++
		}
	}
	switch now := f.now(); {
	case k.Ended, !k.Until.IsZero() && !now.Before(k.Until):
		return "This code has ended."
	case !k.From.IsZero() && now.Before(k.From):
		return "This code is not valid yet."
	case k.Limit > 0 && k.Used >= k.Limit:
		return "This code has been used up."
	case k.LimitPerson > 0 && mine >= k.LimitPerson:
		return "You have used this code already."
	default:
		return ""
	}
}

// manages says whether by may set terms in the seller's name.
func manages(by actor.Actor, seller catalog.SellerID) error {
	switch {
	case by.IsSystem() || by.IsOperator():
		return nil
	case !by.SignedIn() || by.Seller == "" || !by.Has(actor.ScopeSell) || seller == "":
		return cart.ErrForbidden.With("only the seller's staff and operators may do this")
	case by.Seller != id.RefOf(seller):
		return cart.ErrNotFound.With("there is no such thing among yours")
	}
	return nil
}

func checkCoupon(k cart.Coupon, p *errs.Problems) {
	p.Check(len(k.Code) >= 3 && len(k.Code) <= 40, "code", "has 3 to 40 characters")
	p.Check(k.Label != "", "label", "is missing")
	p.Check((k.Percent > 0) != (k.Amount.Minor > 0) && k.Percent <= 10_000, "percent", "or an amount")
	p.Check(k.Amount.Minor == 0 || k.Amount.Minor > 0 && k.Amount.Currency.Valid(), "amount", "is not an amount")
	p.Check(k.Minimum.Minor == 0 || k.Minimum.Minor > 0 && k.Minimum.Currency.Valid(), "minimum", "is not an amount")
	p.Check(k.From.IsZero() || k.Until.IsZero() || k.From.Before(k.Until), "until", "is before its start")
	p.Check(k.Limit >= 0, "limit", "is negative")
	p.Check(k.LimitPerson >= 0, "limit_person", "is negative")
	p.Check(k.Funder == cart.FunderPlatform || k.Funder == cart.FunderSeller, "funder", "is nobody")
}

// PutCoupon implements cart.Service.
func (f *Fake) PutCoupon(_ context.Context, r cart.PutCouponRequest) (cart.CouponReply, error) {
	k := r.Coupon
	k.Code = normal(k.Code)
	if err := manages(r.By, k.Seller); err != nil {
		return cart.CouponReply{}, err
	}
	var p errs.Problems
	keyed(r.Key, &p)
	checkCoupon(k, &p)
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.CouponReply{}, err
	}
	if k.Funder != cart.FunderSeller && !r.By.IsOperator() && !r.By.IsSystem() {
		return cart.CouponReply{}, cart.ErrForbidden.With("a seller's coupon is at its own expense")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return once(f, r.By.Owner(), "put_coupon", r.Key, r.Coupon, func() (cart.CouponReply, error) { return f.putCoupon(r.By, k) })
}

func (f *Fake) putCoupon(by actor.Actor, k cart.Coupon) (cart.CouponReply, error) {
	if k.ID == "" {
		if f.coupon(k.Code) != nil {
			return cart.CouponReply{}, cart.ErrCodeTaken.With("the code %s is taken", k.Code)
		}
		k.ID, k.Used, k.CreatedAt, k.Version = cart.CouponIDs.New(), 0, f.now(), 1
		f.coupons = append(f.coupons, &k)
		return cart.CouponReply{Coupon: k}, nil
	}
	at := slices.IndexFunc(f.coupons, func(was *cart.Coupon) bool { return was.ID == k.ID })
	if at < 0 {
		return cart.CouponReply{}, cart.ErrNotFound.With("there is no coupon %s", k.ID)
	}
	was := f.coupons[at]
	switch {
	case was.Seller != k.Seller && !by.IsOperator() && !by.IsSystem():
		return cart.CouponReply{}, cart.ErrNotFound.With("there is no coupon %s", k.ID)
	case was.Version != k.Version:
		return cart.CouponReply{}, cart.ErrVersion.With("the coupon has changed")
	case was.Code != k.Code || was.Seller != k.Seller || was.Funder != k.Funder:
		return cart.CouponReply{}, cart.ErrStatus.With("a coupon keeps its code, seller and funder")
	case k.Limit > 0 && k.Limit < was.Used:
		return cart.CouponReply{}, cart.ErrLimit.With("%d uses are taken", was.Used)
	}
	k.Used, k.CreatedAt, k.Version = was.Used, was.CreatedAt, was.Version+1
	*was = k
	return cart.CouponReply{Coupon: k}, nil
}

// ListCoupons implements cart.Service.
func (f *Fake) ListCoupons(_ context.Context, r cart.ListCouponsRequest) (cart.ListCouponsReply, error) {
	seller := r.Seller
	if seller == "" && !r.By.IsOperator() && !r.By.IsSystem() {
		seller = catalog.SellerID(r.By.Seller)
	}
	if err := manages(r.By, seller); err != nil {
		return cart.ListCouponsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []cart.Coupon
	for _, k := range slices.Backward(f.coupons) {
		if seller == "" || k.Seller == seller {
			all = append(all, *k)
		}
	}
	got, next, err := pageOf(all, r.Page, []any{"coupons", seller}, func(k cart.Coupon) string { return string(k.ID) })
	return cart.ListCouponsReply{Coupons: got, Next: next}, err
}

// PutShipping implements cart.Service.
func (f *Fake) PutShipping(_ context.Context, r cart.PutShippingRequest) (cart.ShippingReply, error) {
	if err := manages(r.By, r.Table.Seller); err != nil {
		return cart.ShippingReply{}, err
	}
	var p errs.Problems
	keyed(r.Key, &p)
	withdraws := r.Table.Seller != "" && r.Table.Version > 0
	p.Check(len(r.Table.Zones) > 0 || withdraws, "zones", "are missing")
	for i, z := range r.Table.Zones {
		p.Check(len(z.Steps) > 0, fmt.Sprintf("zones[%d].steps", i), "are missing")
	}
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.ShippingReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return once(f, r.By.Owner(), "put_shipping", r.Key, r.Table, func() (cart.ShippingReply, error) {
		t := r.Table
		if t.Version != f.shipping[t.Seller].Version {
			return cart.ShippingReply{}, cart.ErrVersion.With("the table has changed")
		}
		t.Version++
		f.shipping[t.Seller] = copied(t)
		if len(t.Zones) == 0 {
			t.Zones = f.shipping[""].Zones
		}
		return cart.ShippingReply{Table: t}, nil
	})
}

// GetShipping implements cart.Service.
func (f *Fake) GetShipping(_ context.Context, r cart.GetShippingRequest) (cart.GetShippingReply, error) {
	if len(r.Sellers) > 200 {
		return cart.GetShippingReply{}, cart.ErrInvalid.WithField("sellers", "are more than 200")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply cart.GetShippingReply
	for _, seller := range r.Sellers {
		t := f.shipping[seller]
		if len(t.Zones) == 0 {
			t = cart.ShippingTable{Seller: seller, Zones: f.shipping[""].Zones, Version: t.Version}
		}
		reply.Tables = append(reply.Tables, t)
	}
	return copied(reply), nil
}

// PutTaxes implements cart.Service.
func (f *Fake) PutTaxes(_ context.Context, r cart.PutTaxesRequest) (cart.TaxesReply, error) {
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return cart.TaxesReply{}, cart.ErrForbidden.With("only operators may do this")
	}
	var p errs.Problems
	keyed(r.Key, &p)
	p.Check(r.Table.Country == "" || len(r.Table.Country) == 2, "country", "is not a country")
	for i, rate := range r.Table.Rates {
		p.Check(rate.BasisPoints >= 0 && rate.BasisPoints <= 10_000, fmt.Sprintf("rates[%d].basis_points", i), "are 0 to 10000")
	}
	if err := p.Err(cart.ErrInvalid); err != nil {
		return cart.TaxesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return once(f, r.By.Owner(), "put_taxes", r.Key, r.Table, func() (cart.TaxesReply, error) {
		t := r.Table
		if t.Version != f.taxes[t.Country].Version {
			return cart.TaxesReply{}, cart.ErrVersion.With("the table has changed")
		}
		t.Version++
		f.taxes[t.Country] = copied(t)
		return cart.TaxesReply{Table: t}, nil
	})
}

// ListTaxes implements cart.Service.
func (f *Fake) ListTaxes(context.Context, cart.ListTaxesRequest) (cart.ListTaxesReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply cart.ListTaxesReply
	for _, country := range slices.Sorted(maps.Keys(f.taxes)) {
		reply.Tables = append(reply.Tables, f.taxes[country])
	}
	return copied(reply), nil
}
