// Package carttest holds every implementation of cart to its contract, and has one in memory
// for the tests of the modules that ask cart.
//
//	shop := catalogtest.NewFake(clock.Now)
//	lamp := shop.AddListing(shop.AddSeller(catalog.Seller{Name: "North Lamp Works"}).ID, catalogtest.Draft("Desk lamp", 1250, 10))
//	carts := carttest.NewFake(clock.Now, shop)
//	carts.Put(buyer.Owner(), carttest.Want{Variant: lamp.Variants[0].ID, Quantity: 2})
package carttest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Env is what an implementation under test is made with.
type Env struct {
	Clock   *clock.Manual
	Catalog *Shop
}

// Shop is catalog with one thing more: offers can change their currency, which catalog does
// not let a seller do today, and a cart must bear all the same.
type Shop struct {
	*catalogtest.Fake

	mu     sync.Mutex
	abroad map[catalog.VariantID]money.Money
}

// Reprice has a variant cost this, whatever catalog says.
func (s *Shop) Reprice(v catalog.VariantID, price money.Money) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abroad[v] = price
}

// GetOffers implements catalog.Service.
func (s *Shop) GetOffers(ctx context.Context, r catalog.GetOffersRequest) (catalog.GetOffersReply, error) {
	reply, err := s.Fake.GetOffers(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range reply.Offers {
		if price, ok := s.abroad[o.Variant]; ok {
			reply.Offers[i].Price = price
		}
	}
	return reply, err
}

// NewEnv is a still clock and an empty catalog.
func NewEnv() Env {
	c := clock.NewManual(clock.Of(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	return Env{Clock: c, Catalog: &Shop{Fake: catalogtest.NewFake(c.Now), abroad: map[catalog.VariantID]money.Money{}}}
}

// Run holds one implementation to the whole contract. open makes a fresh, empty one.
func Run(t *testing.T, open func(*testing.T, Env) cart.Service) {
	t.Helper()
	RunBasics(t, open)
	run(t, open, ruleTests)
}

// RunBasics leaves out how shipping by weight and price and tax are computed, which a fake
// need not know.
func RunBasics(t *testing.T, open func(*testing.T, Env) cart.Service) {
	t.Helper()
	run(t, open, lineTests, mergeTests, couponTests, quoteTests, claimTests, termTests)
}

func run(t *testing.T, open func(*testing.T, Env) cart.Service, groups ...map[string]func(*world)) {
	t.Helper()
	tests := map[string]func(*world){}
	for _, group := range groups {
		maps.Copy(tests, group)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := NewEnv()
			test(&world{T: t, Service: open(t, env), Env: env})
		})
	}
}

// Key is a fresh idempotency key.
func Key() string { return id.New("key_") }

// Guest is a fresh guest with a cart token.
func Guest() actor.Actor { return actor.Guest(id.New("hash_")) }

// System is a checkout acting for someone.
func System() actor.Actor { return actor.System("") }

// Germany is where most things go in these tests.
var Germany = cart.Destination{Country: "DE", PostalCode: "10115"}

// CheckQuote says that every share of a quote is accounted for and that no line costs less
// than nothing.
func CheckQuote(t require.TestingT, q cart.Quote) {
	whole := noSums(q.Currency)
	for _, s := range q.Sellers {
		part := noSums(q.Currency)
		for _, l := range s.Lines {
			checkLine(t, q.Currency, l)
			part = plus(part, l.Sums)
		}
		require.Equal(t, part, s.Sums, "the lines of %s do not sum to it", s.Name)
		whole = plus(whole, s.Sums)
	}
	require.Equal(t, whole, q.Sums, "the sellers do not sum to the whole")
	off := money.Zero(q.Currency)
	for _, c := range q.Codes {
		off.Minor += c.Amount.Minor
		require.Equal(t, c.Applied, c.Why == "")
		require.Equal(t, c.Applied, c.Amount.Minor > 0)
	}
	require.Equal(t, off, q.Sums.Discount, "the codes do not sum to the discount")
}

func checkLine(t require.TestingT, c money.Currency, l cart.LineQuote) {
	s := l.Sums
	require.Equal(t, s.Goods.Minor-s.Discount.Minor+s.Shipping.Minor+s.TaxAdded.Minor, s.Total.Minor)
	for _, m := range []money.Money{s.Goods, s.Discount, s.Shipping, s.TaxAdded, s.TaxIncluded, s.Total, l.TaxGoods, l.TaxShipping} {
		require.Equal(t, c, m.Currency)
		require.GreaterOrEqual(t, m.Minor, int64(0))
	}
	require.LessOrEqual(t, s.Discount.Minor, s.Goods.Minor)
	require.LessOrEqual(t, s.TaxIncluded.Minor, s.Goods.Minor-s.Discount.Minor+s.Shipping.Minor)
	require.Equal(t, s.TaxAdded.Minor+s.TaxIncluded.Minor, l.TaxGoods.Minor+l.TaxShipping.Minor)
	var off int64
	for _, a := range l.Adjustments {
		require.Positive(t, a.Amount.Minor)
		require.Equal(t, c, a.Amount.Currency)
		off += a.Amount.Minor
	}
	require.Equal(t, s.Discount.Minor, off, "the adjustments do not sum to the discount")
}

func noSums(c money.Currency) cart.Sums { return sumsIn(c) }

func plus(a, b cart.Sums) cart.Sums {
	add(&a, b)
	a.TaxAdded.Minor += b.TaxAdded.Minor
	a.TaxIncluded.Minor += b.TaxIncluded.Minor
	return a
}

// world is one test's cart with words to speak of it.
type world struct {
	*testing.T
	cart.Service
	Env
}

// told is what a refusal tells the client.
type told struct {
	Message string
	Fields  map[string]string
}

// refused says that err is exactly that refusal, and returns what it tells.
func (w *world) refused(want *errs.Error, err error) told {
	w.Helper()
	require.ErrorIs(w, err, want)
	got := errs.As(err)
	assert.Equal(w, want.Kind, got.Kind)
	return told{Message: got.Message, Fields: got.Fields}
}

// invalid says that err names each of these fields.
func (w *world) invalid(err error, fields ...string) {
	w.Helper()
	got := w.refused(cart.ErrInvalid, err)
	for _, field := range fields {
		assert.Contains(w, got.Fields, field)
	}
}

// shop is a fresh seller.
func (w *world) shop(name string) catalog.Seller {
	return w.Catalog.AddSeller(catalog.Seller{Name: name})
}

// goods are a fresh thing of a seller at a price in euro cents, and so many of it.
func (w *world) goods(s catalog.Seller, title string, price, quantity int64) catalog.Listing {
	return w.Catalog.AddListing(s.ID, catalogtest.Draft(title, price, quantity))
}

// thing is the variant of a fresh thing of a fresh seller.
func (w *world) thing(price, quantity int64) catalog.VariantID {
	return w.goods(w.shop("Seller "+id.New("n_")), "Thing "+id.New("n_"), price, quantity).Variants[0].ID
}

// dear is a thing that is sold in another currency.
func (w *world) dear(price money.Money) catalog.VariantID {
	s := w.Catalog.AddSeller(catalog.Seller{Name: "Seller " + id.New("n_"), Currency: price.Currency})
	d := catalogtest.Draft("Thing "+id.New("n_"), 1, 10)
	d.Variants[0].Price = price
	return w.Catalog.AddListing(s.ID, d).Variants[0].ID
}

// reprice changes what a listing's variant costs.
func (w *world) reprice(l catalog.Listing, price money.Money) {
	w.Helper()
	w.edit(l, func(d *catalog.Draft) { d.Variants[0].Price = price })
}

func (w *world) edit(l catalog.Listing, fn func(*catalog.Draft)) {
	w.Helper()
	got, err := w.Catalog.GetListings(w.Context(), catalog.GetListingsRequest{By: System(), IDs: []catalog.ListingID{l.ID}})
	require.NoError(w, err)
	require.Len(w, got.Listings, 1)
	l = got.Listings[0]
	v := l.Variants[0]
	d := catalog.Draft{
		ExternalID: l.ExternalID, Title: l.Title, Description: l.Description, Brand: l.Brand, Condition: l.Condition, TaxClass: l.TaxClass,
		Attributes: l.Attributes, Images: l.Images, Category: l.Category,
		Variants: []catalog.VariantDraft{{ID: v.ID, SKU: v.SKU, Price: v.Price, Grams: v.Grams}},
	}
	fn(&d)
	_, err = w.Catalog.EditListing(w.Context(), catalog.EditListingRequest{By: System(), Key: Key(), Listing: l.ID, Version: l.Version, Draft: d})
	require.NoError(w, err)
}

// archive withdraws a listing from sale.
func (w *world) archive(l catalog.Listing) {
	w.Helper()
	_, err := w.Catalog.ChangeListingStatus(w.Context(), catalog.ChangeListingStatusRequest{
		By: System(), Key: Key(), Listing: l.ID, Status: catalog.ListingArchived,
	})
	require.NoError(w, err)
}

// stock counts how many there are of a listing.
func (w *world) stock(l catalog.Listing, n int64) {
	w.Helper()
	w.Clock.Advance(time.Second)
	_, err := w.Catalog.AdjustStock(w.Context(), catalog.AdjustStockRequest{
		By: System(), Key: Key(), Variant: l.Variants[0].ID, Kind: catalog.MoveCount, Quantity: n, CountedAt: w.Clock.Now(), Why: "counted",
	})
	require.NoError(w, err)
}

func (w *world) line(by actor.Actor, v catalog.VariantID, n int64) cart.ChangeLineRequest {
	return cart.ChangeLineRequest{By: by, Key: Key(), Variant: v, Quantity: n, Add: true}
}

func (w *world) add(by actor.Actor, v catalog.VariantID, n int64) cart.Cart {
	w.Helper()
	reply, err := w.ChangeLine(w.Context(), w.line(by, v, n))
	require.NoError(w, err)
	return reply.Cart
}

func (w *world) get(by actor.Actor) cart.Cart {
	w.Helper()
	reply, err := w.GetCart(w.Context(), cart.GetCartRequest{By: by})
	require.NoError(w, err)
	return reply.Cart
}

func (w *world) apply(by actor.Actor, code string) (cart.Cart, error) {
	reply, err := w.ApplyCoupon(w.Context(), cart.CouponCodeRequest{By: by, Key: Key(), Code: code})
	return reply.Cart, err
}

func (w *world) quote(by actor.Actor, to cart.Destination) cart.Quote {
	w.Helper()
	reply, err := w.Quote(w.Context(), cart.QuoteRequest{By: by, Destination: to})
	require.NoError(w, err)
	CheckQuote(w, reply.Quote)
	return reply.Quote
}

// coupon makes one as an operator.
func (w *world) coupon(c cart.Coupon) cart.Coupon {
	w.Helper()
	if c.Label == "" {
		c.Label = "Something off"
	}
	if c.Funder == "" {
		c.Funder = cart.FunderPlatform
	}
	reply, err := w.PutCoupon(w.Context(), cart.PutCouponRequest{By: catalogtest.Operator(), Key: Key(), Coupon: c})
	require.NoError(w, err)
	return reply.Coupon
}

// checkout is a claim of what q says, for a fresh order.
func (w *world) checkout(by actor.Actor, q cart.Quote) cart.ClaimRequest {
	order, person := id.Ref(id.New("ord_")), by.Person
	if person == "" {
		person = id.Ref(id.New("per_"))
	}
	return cart.ClaimRequest{
		By: actor.System(person), Key: string(order) + ":claim", Owner: by.Owner(), Cart: q.Cart, CartVersion: q.CartVersion,
		QuoteHash: q.Hash, Destination: q.Destination, Person: person, Order: order,
	}
}

// claimed is a cart with one thing in it that a checkout has.
func (w *world) claimed(by actor.Actor) (cart.ClaimRequest, cart.Quote) {
	w.Helper()
	w.add(by, w.thing(1250, 10), 2)
	r := w.checkout(by, w.quote(by, Germany))
	reply, err := w.Claim(w.Context(), r)
	require.NoError(w, err)
	return r, reply.Quote
}

func codes(c cart.Cart) string { return fmt.Sprint(c.Codes) }
