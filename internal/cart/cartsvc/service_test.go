package cartsvc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/cart/cartsvc"
	"souk/internal/cart/carttest"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep/sweeptest"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// house is cart with its database at hand.
type house struct {
	*cartsvc.Service
	carttest.Env
	t  *testing.T
	db *store.DB
}

func newHouse(t *testing.T, options ...storetest.Option) *house {
	t.Helper()
	env := carttest.NewEnv()
	db := storetest.Open(t, "cart", append([]storetest.Option{storetest.Clock(env.Clock.Now)}, options...)...)
	return &house{Service: cartsvc.New(cartsvc.Config{DB: db, Catalog: env.Catalog}), Env: env, t: t, db: db}
}

// thing is a fresh one at €10, of a fresh seller.
func (h *house) thing(n int64) catalog.VariantID {
	s := h.Catalog.AddSeller(catalog.Seller{Name: "Seller " + id.New("n_")})
	return h.Catalog.AddListing(s.ID, catalogtest.Draft("Thing", 1000, n)).Variants[0].ID
}

func (h *house) add(by actor.Actor, v catalog.VariantID) {
	h.t.Helper()
	_, err := h.ChangeLine(h.t.Context(), cart.ChangeLineRequest{By: by, Key: carttest.Key(), Variant: v, Quantity: 1, Add: true})
	require.NoError(h.t, err)
}

func (h *house) coupon(c cart.Coupon) {
	h.t.Helper()
	c.Label, c.Funder, c.Percent = "Something off", cart.FunderPlatform, 1000
	_, err := h.PutCoupon(h.t.Context(), cart.PutCouponRequest{By: carttest.System(), Key: carttest.Key(), Coupon: c})
	require.NoError(h.t, err)
}

func (h *house) apply(by actor.Actor, code string) {
	h.t.Helper()
	_, err := h.ApplyCoupon(h.t.Context(), cart.CouponCodeRequest{By: by, Key: carttest.Key(), Code: code})
	require.NoError(h.t, err)
}

// checkout is a claim of what the cart costs now.
func (h *house) checkout(by actor.Actor) cart.ClaimRequest {
	h.t.Helper()
	reply, err := h.Quote(h.t.Context(), cart.QuoteRequest{By: by, Destination: carttest.Germany})
	require.NoError(h.t, err)
	order := id.Ref(id.New("ord_"))
	return cart.ClaimRequest{
		By: carttest.System(), Key: string(order) + ":claim", Owner: by.Owner(), Cart: reply.Quote.Cart, CartVersion: reply.Quote.CartVersion,
		QuoteHash: reply.Quote.Hash, Destination: carttest.Germany, Person: id.Ref(id.New("per_")), Order: order,
	}
}

// all runs every claim at once and gives their errors.
func (h *house) all(claims []cart.ClaimRequest) []error {
	out := make([]error, len(claims))
	var together sync.WaitGroup
	for i, r := range claims {
		together.Go(func() { _, out[i] = h.Claim(h.t.Context(), r) })
	}
	together.Wait()
	return out
}

func (h *house) problems() []string {
	h.t.Helper()
	reply := whole(h.t, h.Audit)
	var out []string
	for _, p := range reply.Problems {
		out = append(out, p.Invariant)
	}
	return out
}

func TestFiftyBuyersAndOneUseOfACoupon(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.coupon(cart.Coupon{Code: "LAST", Limit: 1})
	v := h.thing(1000)
	var claims []cart.ClaimRequest
	for range 50 {
		by := catalogtest.Person()
		h.add(by, v)
		h.apply(by, "LAST")
		claims = append(claims, h.checkout(by))
	}
	var got int
	for _, err := range h.all(claims) {
		if err == nil {
			got++
			continue
		}
		assert.True(t, errors.Is(err, cart.ErrCoupon) || errors.Is(err, cart.ErrQuoteChanged), "%v", err)
	}
	assert.Equal(t, 1, got)
	assert.Empty(t, h.problems())
}

func TestOnePersonInTwentyCartsAndAPersonsOneUse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.coupon(cart.Coupon{Code: "MINE", LimitPerson: 1})
	v, person := h.thing(1000), id.Ref(id.New("per_"))
	var claims []cart.ClaimRequest
	for range 20 {
		by := carttest.Guest()
		h.add(by, v)
		h.apply(by, "MINE")
		r := h.checkout(by)
		r.Person = person
		claims = append(claims, r)
	}
	var got int
	for _, err := range h.all(claims) {
		if err == nil {
			got++
			continue
		}
		require.ErrorIs(t, err, cart.ErrCoupon)
	}
	assert.Equal(t, 1, got)
}

func TestTenCheckoutsOfOneCart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	by := carttest.Guest()
	h.add(by, h.thing(10))
	var claims []cart.ClaimRequest
	for range 10 {
		claims = append(claims, h.checkout(by))
	}
	var got int
	for _, err := range h.all(claims) {
		if err == nil {
			got++
			continue
		}
		require.ErrorIs(t, err, cart.ErrClaimed)
	}
	assert.Equal(t, 1, got)
	assert.Empty(t, h.problems())
}

func TestOneKeyFromTenClients(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.coupon(cart.Coupon{Code: "LAST", Limit: 1})
	by := carttest.Guest()
	h.add(by, h.thing(10))
	h.apply(by, "LAST")
	r := h.checkout(by)
	claims := make([]cart.ClaimRequest, 10)
	for i := range claims {
		claims[i] = r
	}
	for _, err := range h.all(claims) {
		require.NoError(t, err)
	}
	assert.Empty(t, h.problems())
}

func TestTenTabsFillOneCart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	by, v := carttest.Guest(), h.thing(100)
	var together sync.WaitGroup
	for range 10 {
		together.Go(func() {
			_, err := h.ChangeLine(t.Context(), cart.ChangeLineRequest{By: by, Key: carttest.Key(), Variant: v, Quantity: 1, Add: true})
			assert.NoError(t, err)
		})
	}
	together.Wait()
	reply, err := h.GetCart(t.Context(), cart.GetCartRequest{By: by})
	require.NoError(t, err)
	assert.EqualValues(t, 10, reply.Cart.Count)
	assert.EqualValues(t, 10, reply.Cart.Version)
}

func TestARepeatedClaimNeedsNoCatalog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	by := carttest.Guest()
	h.add(by, h.thing(10))
	r := h.checkout(by)
	first, err := h.Claim(t.Context(), r)
	require.NoError(t, err)
	alone := cartsvc.New(cartsvc.Config{DB: h.db, Catalog: nil})
	again, err := alone.Claim(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, first, again)
}

func TestACouponChangedWhileItIsClaimed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.coupon(cart.Coupon{Code: "NOW"})
	by := carttest.Guest()
	h.add(by, h.thing(10))
	h.apply(by, "NOW")
	r := h.checkout(by)
	slow := cartsvc.New(cartsvc.Config{DB: h.db, Catalog: between{h.Catalog, func() {
		list, err := h.ListCoupons(t.Context(), cart.ListCouponsRequest{By: carttest.System()})
		require.NoError(t, err)
		list.Coupons[0].Percent = 1
		_, err = h.PutCoupon(t.Context(), cart.PutCouponRequest{By: carttest.System(), Key: carttest.Key(), Coupon: list.Coupons[0]})
		require.NoError(t, err)
	}}})
	_, err := slow.Claim(t.Context(), r)
	require.ErrorIs(t, err, cart.ErrCoupon)
	assert.Equal(t, "cannot be used any more", errs.As(err).Fields["code"])
	assert.Empty(t, h.problems(), "nothing remains of the refused claim")
	r.Key = carttest.Key()
	_, err = h.Claim(t.Context(), r)
	require.ErrorIs(t, err, cart.ErrQuoteChanged)
}

// TestWhatACheckoutCosts holds the claim path to its statements.
func TestWhatACheckoutCosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Once(), storetest.SQLite()) // a published event costs one less on PostgreSQL
	h.coupon(cart.Coupon{Code: "NOW"})
	by := carttest.Guest()
	h.add(by, h.thing(10))
	plain := h.checkout(by)
	claim := func(r cart.ClaimRequest) int64 {
		before := h.db.Stats()
		_, err := h.Claim(t.Context(), r)
		require.NoError(t, err)
		cost := h.db.Stats().Sub(before)
		assert.EqualValues(t, 1, cost.Writes)
		return cost.Statements
	}
	assert.EqualValues(t, 9, claim(plain), "cart, lines, codes, shipping, taxes; key, lock, claim, key")
	assert.EqualValues(t, 6, claim(plain), "again: cart, lines, codes, its quote; key, quote")
	_, err := h.Release(t.Context(), cart.ReleaseRequest{By: carttest.System(), Key: plain.Key})
	require.NoError(t, err)
	h.apply(by, "NOW")
	r := h.checkout(by)
	assert.EqualValues(t, 12, claim(r), "each coupon two more, and one to read them")
	before := h.db.Stats()
	_, err = h.Close(t.Context(), cart.CloseRequest{By: carttest.System(), Key: carttest.Key(), Claim: r.Key})
	require.NoError(t, err)
	assert.EqualValues(t, 5, h.db.Stats().Sub(before).Statements, "look, claim, cart, and two of an event")
}

func TestTidyRemovesGuestsCartsThatNobodyTouches(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	v := h.thing(1000)
	require.NoError(t, h.Module().Start(t.Context()))
	old, person, claimed, fresh := carttest.Guest(), catalogtest.Person(), carttest.Guest(), carttest.Guest()
	for _, by := range []actor.Actor{old, person, claimed} {
		h.add(by, v)
	}
	for range 600 { // more than one Write removes
		h.add(carttest.Guest(), v)
	}
	_, err := h.Claim(t.Context(), h.checkout(claimed))
	require.NoError(t, err)
	h.Clock.Advance(61 * 24 * time.Hour)
	h.add(fresh, v)
	_, err = h.Module().Jobs.RunDue(t.Context())
	require.NoError(t, err)
	for by, want := range map[string]bool{old.Owner(): false, person.Owner(): true, claimed.Owner(): true, fresh.Owner(): true} {
		assert.Equal(t, want, h.count(`SELECT count(*) FROM carts WHERE owner = ?`, by) == 1)
	}
	assert.EqualValues(t, 3, h.count(`SELECT count(*) FROM carts`))
	assert.EqualValues(t, 3, h.count(`SELECT count(*) FROM cart_lines`), "lines go with their cart")
	assert.EqualValues(t, 1, h.count(`SELECT count(*) FROM jobs WHERE kind = 'cart.tidy' AND run_at = ?`, h.Clock.Now().Add(24*time.Hour)))
}

func (h *house) count(query string, args ...any) int64 {
	h.t.Helper()
	var n int64
	require.NoError(h.t, h.db.Read(h.t.Context(), func(q store.Queryer) error { return q.Get(&n, query, args...) }))
	return n
}

func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	require.NoError(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}))
}

func TestTheAuditFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	for invariant, plant := range map[string]string{
		"cart.claim_locks_cart":    `UPDATE carts SET status = 'open' WHERE id IN (SELECT cart_id FROM claims WHERE state = 'claimed')`,
		"cart.locked_by_claim":     `UPDATE carts SET status = 'claimed' WHERE status = 'open'`,
		"cart.coupon_uses_counted": `UPDATE coupons SET used = 7`,
		"cart.claim_holds_uses":    `UPDATE coupon_uses SET given_back = 1 - given_back`,
		"cart.closed_with_claim":   `UPDATE carts SET status = 'claimed' WHERE status = 'closed'`,
		"cart.one_currency":        `UPDATE cart_lines SET seen_currency = 'USD' WHERE place = 1`,
		"cart.released_holds_uses": `UPDATE claims SET state = 'released' WHERE state = 'closed'`,
		"nothing":                  `UPDATE carts SET changed_at = changed_at`,
	} {
		t.Run(invariant, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.coupon(cart.Coupon{Code: "NOW"})
			for i := range 3 { // one open with two lines, one claimed, one closed
				by := catalogtest.Person()
				h.add(by, h.thing(10))
				h.add(by, h.thing(10))
				h.apply(by, "NOW")
				if i == 0 {
					continue
				}
				r := h.checkout(by)
				_, err := h.Claim(t.Context(), r)
				require.NoError(t, err)
				if i == 1 {
					_, err = h.Close(t.Context(), cart.CloseRequest{By: carttest.System(), Key: carttest.Key(), Claim: r.Key})
					require.NoError(t, err)
				}
			}
			require.Empty(t, h.problems())
			h.exec(plant)
			switch invariant {
			case "nothing":
				assert.Empty(t, h.problems())
			case "cart.released_holds_uses":
				assert.Contains(t, h.problems(), "cart.claim_holds_uses")
			default:
				assert.Contains(t, h.problems(), invariant)
			}
		})
	}
}

func TestTheTableItselfKeepsCouponsWithinTheirLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.coupon(cart.Coupon{Code: "LAST", Limit: 1})
	require.Error(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE coupons SET used = 2`)
		return err
	}))
}

func TestWhatIsKeptOfAClaim(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, end := range []func(r cart.ClaimRequest) error{
		func(r cart.ClaimRequest) error {
			_, err := h.Close(t.Context(), cart.CloseRequest{By: carttest.System(), Key: carttest.Key(), Claim: r.Key})
			return err
		},
		func(r cart.ClaimRequest) error {
			_, err := h.Release(t.Context(), cart.ReleaseRequest{By: carttest.System(), Key: r.Key})
			return err
		},
	} {
		by := carttest.Guest()
		h.add(by, h.thing(10))
		r := h.checkout(by)
		_, err := h.Claim(t.Context(), r)
		require.NoError(t, err)
		assert.EqualValues(t, 1, h.count(`SELECT count(*) FROM claims WHERE quote LIKE '%10115%'`))
		require.NoError(t, end(r))
		assert.EqualValues(t, i+1, h.count(`SELECT count(*) FROM claims WHERE quote = ''`), "the quote is the order's, or nobody's")
	}
}

func TestWritesOfTermsLeaveAnAuditRow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.coupon(cart.Coupon{Code: "NOW"})
	s := h.Catalog.AddSeller(catalog.Seller{Name: "A"})
	_, err := h.PutShipping(t.Context(), cart.PutShippingRequest{By: catalogtest.Staff(s.ID), Key: carttest.Key(), Table: cart.ShippingTable{
		Seller: s.ID, Zones: []cart.ShippingZone{{Label: "Free", Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{}}}},
	}})
	require.NoError(t, err)
	_, err = h.PutTaxes(t.Context(), cart.PutTaxesRequest{By: catalogtest.Operator(), Key: carttest.Key(), Table: cart.TaxTable{Country: "CH"}})
	require.NoError(t, err)
	for _, action := range []string{"cart.make_coupon", "cart.put_shipping", "cart.put_taxes"} {
		assert.EqualValues(t, 1, h.count(`SELECT count(*) FROM audit_log WHERE action = ?`, action), action)
	}
}

func TestManyTablesOfOthersCostNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Once())
	by := carttest.Guest()
	h.add(by, h.thing(10))
	for i := range 50 {
		h.exec(`INSERT INTO shipping_tables (seller_id, zones, version, changed_at) VALUES (?, 'not read', 1, 0)`, fmt.Sprint(i))
		h.exec(`INSERT INTO tax_tables (country, included, rates, version, changed_at) VALUES (?, 0, 'not read', 1, 0)`, fmt.Sprint(i))
	}
	_, err := h.Claim(t.Context(), h.checkout(by))
	require.NoError(t, err)
}

// between is catalog with something that happens while it is asked.
type between struct {
	*carttest.Shop
	happens func()
}

func (b between) GetOffers(ctx context.Context, r catalog.GetOffersRequest) (catalog.GetOffersReply, error) {
	b.happens()
	return b.Shop.GetOffers(ctx, r)
}

// whole is an audit with the problems of every page.
func whole(t testing.TB, ask func(context.Context, audit.Request) (cart.AuditReply, error)) cart.AuditReply {
	t.Helper()
	return sweeptest.Whole(t, ask, func(r *cart.AuditReply) (*[]audit.Problem, *string) { return &r.Problems, &r.Next })
}
