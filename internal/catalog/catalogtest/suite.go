// Package catalogtest holds every implementation of catalog to its contract, and has one in
// memory for the tests of the modules that ask catalog.
//
//	catalogtest.Run(t, func(t *testing.T, env catalogtest.Env) catalog.Service { … })
//
//	fake := catalogtest.NewFake(clock.Now)
//	seller := fake.AddSeller(catalog.Seller{Name: "North Lamp Works"})
//	lamp := fake.AddListing(seller.ID, catalogtest.Draft("Desk lamp", 1250, 10))
package catalogtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Env is what an implementation under test is made with.
type Env struct {
	Clock *clock.Manual
}

// Run holds one implementation to the contract. open makes a fresh, empty one.
func Run(t *testing.T, open func(*testing.T, Env) catalog.Service) {
	t.Helper()
	tests := map[string]func(*world){}
	for _, some := range []map[string]func(*world){sellerTests, categoryTests, listingTests, readTests, stockTests, reservationTests} {
		for name, test := range some {
			tests[name] = test
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := Env{Clock: clock.NewManual(clock.Of(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))}
			test(&world{T: t, Service: open(t, env), clock: env.Clock})
		})
	}
}

// world is one test's catalog with words to speak of it.
type world struct {
	*testing.T
	catalog.Service
	clock *clock.Manual
}

// Key is a fresh idempotency key.
func Key() string { return id.New("key_") }

// Person is someone signed in.
func Person() actor.Actor {
	return actor.Actor{
		Kind: actor.KindPerson, Person: id.Ref(id.New("per_")),
		Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell, actor.ScopeAccount},
	}
}

// Staff is someone who sells for the seller.
func Staff(seller catalog.SellerID) actor.Actor {
	by := Person()
	by.Seller = id.RefOf(seller)
	return by
}

// Operator is one who runs the marketplace.
func Operator() actor.Actor {
	return actor.Actor{
		Kind: actor.KindOperator, Person: id.Ref(id.New("per_")),
		Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeOperate},
	}
}

// Legal is a seller's legal party, filled in.
func Legal(name string) catalog.LegalParty {
	return catalog.LegalParty{
		Name: name + " GmbH", Line1: "Hauptstr. 1", PostalCode: "10115", City: "Berlin", Country: "DE",
		TaxID: "DE123456789", Email: "office@example.com",
	}
}

// Euro is an amount in euro cents.
func Euro(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }

// Draft is a listing with one variant at that price in euro cents, and so many of it.
func Draft(title string, price, quantity int64) catalog.Draft {
	return catalog.Draft{
		Title: title, Description: "About " + title, Brand: "Acme",
		Attributes: []catalog.Attribute{{Section: "Body", Name: "Colour", Value: "green"}},
		Images:     []catalog.Image{{URL: "https://pictures.example/1.svg", Alt: title, Width: 600, Height: 400}},
		Variants: []catalog.VariantDraft{{
			SKU: id.New("sku_"), GTIN: "4006381333931", Price: Euro(price), Grams: 400, Quantity: &quantity,
		}},
	}
}

// refused says that err is exactly that refusal.
func (w *world) refused(want *errs.Error, err error) {
	w.Helper()
	w.fields(want, err)
}

// fields says that err is exactly that refusal, and which fields it names.
func (w *world) fields(want *errs.Error, err error) map[string]string {
	w.Helper()
	require.ErrorIs(w, err, want)
	got := errs.As(err)
	assert.Equal(w, want.Kind, got.Kind)
	return got.Fields
}

// invalid says that err names each of these fields.
func (w *world) invalid(err error, fields ...string) {
	w.Helper()
	got := w.fields(catalog.ErrInvalid, err)
	for _, field := range fields {
		assert.Contains(w, got, field)
	}
}

func (w *world) apply(name string) (catalog.Seller, actor.Actor) {
	w.Helper()
	by := Person()
	reply, err := w.ApplySeller(w.Context(), catalog.ApplySellerRequest{
		By: by, Key: Key(), Name: name, About: "We sell.", Legal: Legal(name), Currency: "EUR",
	})
	require.NoError(w, err)
	return reply.Seller, by
}

// seller is an approved one, and one of its staff.
func (w *world) seller(name string) (catalog.Seller, actor.Actor) {
	w.Helper()
	s, _ := w.apply(name)
	s = w.move(s.ID, catalog.SellerApproved)
	return s, Staff(s.ID)
}

func (w *world) move(s catalog.SellerID, to catalog.SellerStatus) catalog.Seller {
	w.Helper()
	reply, err := w.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{
		By: Operator(), Key: Key(), Seller: s, Status: to, Why: "looked into it",
	})
	require.NoError(w, err)
	return reply.Seller
}

// listing is an active one with so many of its only variant.
func (w *world) listing(by actor.Actor, title string, quantity int64) catalog.Listing {
	w.Helper()
	return w.publish(by, Draft(title, 1250, quantity))
}

func (w *world) publish(by actor.Actor, d catalog.Draft) catalog.Listing {
	w.Helper()
	reply, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{
		By: by, Key: Key(), Seller: catalog.SellerID(by.Seller), Draft: d, Publish: true,
	})
	require.NoError(w, err)
	return reply.Listing
}

func (w *world) get(by actor.Actor, ids ...catalog.ListingID) []catalog.Listing {
	w.Helper()
	reply, err := w.GetListings(w.Context(), catalog.GetListingsRequest{By: by, IDs: ids})
	require.NoError(w, err)
	return reply.Listings
}

func (w *world) offer(v catalog.VariantID) catalog.Offer {
	w.Helper()
	reply, err := w.GetOffers(w.Context(), catalog.GetOffersRequest{Variants: []catalog.VariantID{v}})
	require.NoError(w, err)
	require.Len(w, reply.Offers, 1)
	return reply.Offers[0]
}

// stock is what staff see of a listing's first variant.
func (w *world) stock(l catalog.Listing) catalog.Stock {
	w.Helper()
	got := w.get(actor.System(""), l.ID)
	require.Len(w, got, 1)
	return got[0].Variants[0].Stock
}

// draftOf is what an unchanged edit of l would say.
func draftOf(l catalog.Listing) catalog.Draft {
	d := catalog.Draft{
		ExternalID: l.ExternalID, Title: l.Title, Description: l.Description, Brand: l.Brand, Category: l.Category,
		Condition: l.Condition, TaxClass: l.TaxClass, Attributes: l.Attributes, Images: l.Images,
	}
	for _, v := range l.Variants {
		if !v.Withdrawn {
			d.Variants = append(d.Variants, catalog.VariantDraft{
				ID: v.ID, SKU: v.SKU, GTIN: v.GTIN, Options: v.Options, Price: v.Price, WasPrice: v.WasPrice, Grams: v.Grams,
			})
		}
	}
	return d
}
