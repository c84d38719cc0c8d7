// Package carttest holds every implementation of cart to its contract, and has one in memory
// for the tests of the modules that ask cart.
//
//	shop := catalogtest.NewFake(clock.Now)
//	lamp := shop.AddListing(shop.AddSeller(catalog.Seller{Name: "North Lamp Works"}).ID, catalogtest.Draft("Desk lamp", 1250, 10))
//	carts := carttest.NewFake(clock.Now, shop)
//	carts.Put(buyer.Owner(), carttest.Want{Variant: lamp.Variants[0].ID, Quantity: 2})
package carttest

import "souk/internal/platform/id"

// Key is a fresh idempotency key.
func Key() string { return id.New("key_") }
