package demo

import (
	"context"
	"fmt"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/money"
)

func euros(cents int64) money.Money { return money.Money{Minor: cents, Currency: currency} }

// coupons of sellers, at their own expense, by the name of the shop.
var coupons = map[string]cart.Coupon{
	"Paper Heron": {
		Code: "HERON5", Label: "5 euros off paper and pens", Funder: cart.FunderSeller, Amount: euros(500), Minimum: euros(2500), LimitPerson: 1,
	},
}

// shipping of sellers who have a table of their own, by the name of the shop.
var shipping = map[string][]cart.ShippingZone{
	"Juniper & Oak": {
		{
			Label: "Carrier to the kerb, 5 to 8 days", Countries: []string{"SE", "DK", "FI", "NO"}, Currency: currency,
			Kind: cart.ShippingByWeight, GramsUnknown: 10_000, Steps: weights(1900, 3900, 7900),
		},
		{
			Label: "Carrier to the kerb, 8 to 14 days", Currency: currency,
			Kind: cart.ShippingByWeight, GramsUnknown: 10_000, Steps: weights(2900, 5900, 11900),
		},
	},
	"Paper Heron": {
		{Label: "Letter, 2 to 5 days", Currency: currency, Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{Price: euros(290)}}},
	},
}

// weights is a table for parcels, pallets and whatever a lorry takes.
func weights(parcel, pallet, lorry int64) []cart.ShippingStep {
	return []cart.ShippingStep{
		{Grams: 10_000, Price: euros(parcel)}, {Grams: 60_000, Price: euros(pallet)}, {Grams: 2_000_000, Price: euros(lorry)},
	}
}

// newcomer is a seller that does not sell: an operator has to decide, or has decided.
type newcomer struct {
	shop
	suspended string // why; "" for one that has only applied
}

var newcomers = []newcomer{
	{shop: shop{
		name: "Moss & Lantern", about: "Terrariums in old jam jars. We have forty of them and would like to begin.",
		street: "Lange Reihe 61", zip: "20099", city: "Hamburg", country: "DE",
	}},
	{shop: shop{
		name: "Tide Table", about: "Barometers, tide clocks and charts of harbours, restored by a retired pilot.",
		street: "Kade 7", zip: "8401", city: "Oostende", country: "BE",
	}},
	{shop: shop{
		name: "Bargain Barn", about: "Everything must go, always.",
		street: "Industrieweg 200", zip: "1110", city: "Wien", country: "AT",
	}, suspended: "Three buyers were sent empty boxes; waiting for an answer."},
}

// newcomers apply, so that operators have something to decide.
func (f *filler) newcomers(ctx context.Context) error {
	for _, n := range newcomers {
		_, seller, err := f.apply(ctx, n.shop)
		if err != nil {
			return fmt.Errorf("have %s apply: %w", n.name, err)
		}
		if n.suspended == "" {
			continue
		}
		if err := f.put(ctx, seller, catalog.SellerApproved, "part of the demo"); err != nil {
			return fmt.Errorf("approve %s: %w", n.name, err)
		}
		if err := f.put(ctx, seller, catalog.SellerSuspended, n.suspended); err != nil {
			return fmt.Errorf("suspend %s: %w", n.name, err)
		}
	}
	return nil
}

// sellersTerms makes the coupon and the shipping table that a shop has of its own.
func (f *filler) sellersTerms(ctx context.Context, s shop, owner actor.Actor, seller catalog.SellerID) error {
	if c, ok := coupons[s.name]; ok {
		c.Seller = seller
		if _, err := f.services.Cart.PutCoupon(ctx, cart.PutCouponRequest{By: owner, Key: "demo:coupon:" + c.Code, Coupon: c}); err != nil {
			return fmt.Errorf("make the coupon %s: %w", c.Code, err)
		}
	}
	if zones, ok := shipping[s.name]; ok {
		table := cart.ShippingTable{Seller: seller, Zones: zones}
		if _, err := f.services.Cart.PutShipping(ctx, cart.PutShippingRequest{By: owner, Key: "demo:shipping:" + s.name, Table: table}); err != nil {
			return fmt.Errorf("make a shipping table: %w", err)
		}
	}
	return nil
}

// siteCoupon makes a code for everything, which the marketplace pays for.
func (f *filler) siteCoupon(ctx context.Context) error {
	_, err := f.services.Cart.PutCoupon(ctx, cart.PutCouponRequest{
		By: f.operator, Key: "demo:coupon", Coupon: cart.Coupon{
			Code: "WELCOME10", Label: "10% off to try the demo", Funder: cart.FunderPlatform, Percent: 1000,
			Amount: money.Zero(currency), Minimum: euros(2000),
		},
	})
	if err != nil {
		return fmt.Errorf("make the demo's coupon: %w", err)
	}
	return nil
}

// addresses gives the buyer somewhere to have things sent to.
func (f *filler) addresses(ctx context.Context, buyer actor.Actor) error {
	for _, a := range []accounts.Address{
		{Label: "Home", Default: true, Postal: accounts.Postal{
			Name: "Bea Buyer", Line1: "Kastanienallee 14", PostalCode: "10435", City: "Berlin", Country: "DE",
		}},
		{Label: "Summer house", Postal: accounts.Postal{
			Name: "Bea Buyer", Line1: "Strandvägen 3", PostalCode: "271 50", City: "Ystad", Country: "SE",
		}},
	} {
		if _, err := f.services.Accounts.PutAddress(ctx, accounts.PutAddressRequest{By: buyer, Key: "demo:address:" + a.Label, Address: a}); err != nil {
			return fmt.Errorf("note the buyer's address %q: %w", a.Label, err)
		}
	}
	return nil
}
