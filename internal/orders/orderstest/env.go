// Package orderstest holds every implementation of orders to its contract, and lends fakes to
// the tests of those that ask orders.
//
// NewFake is orders in memory: a checkout is over at once, as the test says with Then. Carts
// and Guests stand in for what orders asks of cart and accounts: just that, exactly once per key,
// with undo before do, and with counts for what must happen once.
package orderstest

import (
	"context"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Hooks are what the suite needs of an implementation beside its contract. Who makes the
// service under test fills them in.
type Hooks struct {
	RunDue func(ctx context.Context) error // do all that is due by the clock, and hear all events
}

// Env is the world of the service under test.
type Env struct {
	Clock    *clock.Manual
	Catalog  *catalogtest.Fake
	Payments *paymentstest.Fake
	Carts    *Carts
	Guests   *Guests
	Hooks    *Hooks
}

// Start is when the clocks of these tests begin.
const Start clock.Time = 1_767_225_600_000 // 2026-01-01T00:00:00Z

// NewEnv is a world whose clock stands still. Listeners hear what payments publishes.
func NewEnv(listeners ...func(paymentstest.Event)) Env {
	c := clock.NewManual(Start)
	return Env{
		Clock: c, Catalog: catalogtest.NewFake(c.Now), Payments: paymentstest.NewFake(c.Now, listeners...),
		Carts: NewCarts(), Guests: NewGuests(), Hooks: &Hooks{},
	}
}

// Person is someone signed in.
func Person() actor.Actor { return catalogtest.Person() }

// Guest is the holder of a cart token.
func Guest() actor.Actor { return actor.Guest(id.New("tok_")) }

// Staff is someone who sells for the seller.
func Staff(seller catalog.SellerID) actor.Actor { return catalogtest.Staff(seller) }

// Operator is one who runs the marketplace.
func Operator() actor.Actor { return catalogtest.Operator() }

// Key is a fresh idempotency key.
func Key() string { return id.New("key_") }

// EUR is an amount of euro cents.
func EUR(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }

// Address is somewhere to deliver to.
func Address() accounts.Postal {
	return accounts.Postal{Name: "Ada Byron", Line1: "Lindenstr. 7", PostalCode: "10969", City: "Berlin", Country: "DE", Phone: "+49 30 1234567"}
}

// Contact is how the buyer of these tests is reached.
func Contact() orders.Contact { return orders.Contact{Email: "ada@example.com", Name: "Ada Byron"} }

// Offer is goods that can be bought, of a catalog that the test has filled.
func Offer(ctx context.Context, c catalog.Service, variant catalog.VariantID) (catalog.Offer, error) {
	reply, err := c.GetOffers(ctx, catalog.GetOffersRequest{Variants: []catalog.VariantID{variant}})
	if err != nil || len(reply.Offers) == 0 {
		return catalog.Offer{}, err
	}
	return reply.Offers[0], nil
}
