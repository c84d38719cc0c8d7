package carttest

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/id"
)

func (w *world) close(claim string) (cart.CloseReply, error) {
	return w.Close(w.Context(), cart.CloseRequest{By: System(), Key: Key(), Claim: claim})
}

func (w *world) release(claim string) (cart.ReleaseReply, error) {
	return w.Release(w.Context(), cart.ReleaseRequest{By: System(), Key: claim})
}

// audited are all open claims, page by page.
func (w *world) audited() []string {
	w.Helper()
	var keys []string
	for cursor := ""; ; {
		reply, err := w.Audit(w.Context(), audit.Request{Cursor: cursor, Limit: 2})
		require.NoError(w, err)
		assert.Empty(w, reply.Problems)
		for _, c := range reply.Claims {
			assert.NotEmpty(w, c.Cart)
			assert.NotEmpty(w, c.Order)
			keys = append(keys, c.Key)
		}
		if cursor = reply.Next; cursor == "" {
			return keys
		}
	}
}

var claimTests = map[string]func(*world){
	"a claim locks the cart and answers with the quote": func(w *world) {
		by, v := Guest(), w.thing(100, 9)
		r, q := w.claimed(by)
		assert.Equal(w, r.QuoteHash, q.Hash)
		assert.Equal(w, cart.StatusClaimed, w.get(by).Status)
		assert.Equal(w, q, w.quote(by, Germany), "the quote of a claimed cart is the one that was claimed")
		_, err := w.ChangeLine(w.Context(), w.line(by, v, 1))
		w.refused(cart.ErrClaimed, err)
		_, err = w.AcceptChanges(w.Context(), cart.AcceptChangesRequest{By: by, Key: Key()})
		w.refused(cart.ErrClaimed, err)
		_, err = w.apply(by, "ABC")
		w.refused(cart.ErrClaimed, err)
		_, err = w.RemoveCoupon(w.Context(), cart.CouponCodeRequest{By: by, Key: Key(), Code: "ABC"})
		w.refused(cart.ErrClaimed, err)
		again, err := w.Claim(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, q, again.Quote)
		r.QuoteHash = "other"
		_, err = w.Claim(w.Context(), r)
		w.refused(cart.ErrKeyReused, err)
		_, err = w.Claim(w.Context(), w.checkout(by, q))
		w.refused(cart.ErrClaimed, err)
		assert.Equal(w, []string{r.Key}, w.audited())
	},
	"a claim is refused when the quote has changed, and the new one can be claimed": func(w *world) {
		by, l := Guest(), w.goods(w.shop("A"), "1", 1000, 9)
		w.add(by, l.Variants[0].ID, 1)
		r := w.checkout(by, w.quote(by, Germany))
		w.reprice(l, catalogtest.Euro(1100))
		_, err := w.Claim(w.Context(), r)
		got := w.refused(cart.ErrQuoteChanged, err)
		now := w.quote(by, Germany)
		assert.Equal(w, now.Hash, got.Fields["quote_hash"])
		assert.Equal(w, now.Sums.Total.String(), got.Fields["total"])
		_, err = w.AcceptChanges(w.Context(), cart.AcceptChangesRequest{By: by, Key: Key()})
		require.NoError(w, err)
		_, err = w.Claim(w.Context(), r)
		w.refused(cart.ErrQuoteChanged, err)
		_, err = w.Claim(w.Context(), w.checkout(by, now))
		require.NoError(w, err, "taking note of the price does not make its quote stale")
	},
	"a claim is refused when the cart has changed": func(w *world) {
		by, v := Guest(), w.thing(1000, 9)
		w.add(by, v, 1)
		r := w.checkout(by, w.quote(by, Germany))
		w.add(by, v, 1)
		_, err := w.Claim(w.Context(), r)
		w.refused(cart.ErrVersion, err)
	},
	"what cannot be bought cannot be claimed": func(w *world) {
		by, l := Guest(), w.goods(w.shop("A"), "1", 1000, 9)
		w.add(by, l.Variants[0].ID, 2)
		_, err := w.Claim(w.Context(), w.checkout(by, w.quote(by, cart.Destination{})))
		w.refused(cart.ErrUnbuyable, err)
		w.stock(l, 1)
		_, err = w.Claim(w.Context(), w.checkout(by, w.quote(by, Germany)))
		assert.Equal(w, "out_of_stock", w.refused(cart.ErrUnbuyable, err).Fields["problem"])
		assert.Equal(w, cart.StatusOpen, w.get(by).Status)
	},
	"a claim names its cart and whose it is": func(w *world) {
		by := Guest()
		w.add(by, w.thing(1000, 9), 1)
		good := w.checkout(by, w.quote(by, Germany))
		_, err := w.Claim(w.Context(), cart.ClaimRequest{
			By: System(), Cart: "x", Order: id.Ref(id.New("per_")), Person: id.Ref(id.New("ord_")), Destination: cart.Destination{Country: "x"},
		})
		w.invalid(err, "key", "owner", "cart", "order", "person", "country")
		r := good
		r.Owner, r.Key = Guest().Owner(), Key()
		_, err = w.Claim(w.Context(), r)
		w.refused(cart.ErrNotFound, err)
		r = good
		r.Cart, r.Key = cart.CartIDs.New(), Key()
		_, err = w.Claim(w.Context(), r)
		w.refused(cart.ErrNotFound, err)
		_, err = w.Close(w.Context(), cart.CloseRequest{By: System()})
		w.invalid(err, "key", "claim")
		_, err = w.Release(w.Context(), cart.ReleaseRequest{By: System()})
		w.invalid(err, "key")
	},
	"only the system claims, closes and releases": func(w *world) {
		for _, by := range []actor.Actor{actor.Nobody(), Guest(), catalogtest.Person(), catalogtest.Operator()} {
			_, err := w.Claim(w.Context(), cart.ClaimRequest{By: by})
			w.refused(cart.ErrForbidden, err)
			_, err = w.Close(w.Context(), cart.CloseRequest{By: by})
			w.refused(cart.ErrForbidden, err)
			_, err = w.Release(w.Context(), cart.ReleaseRequest{By: by})
			w.refused(cart.ErrForbidden, err)
		}
	},
	"closing leaves a new, empty cart": func(w *world) {
		by := Guest()
		r, q := w.claimed(by)
		for range 2 {
			reply, err := w.close(r.Key)
			require.NoError(w, err)
			assert.Equal(w, q.Cart, reply.Cart)
		}
		assert.Empty(w, w.get(by).ID)
		assert.Empty(w, w.audited())
		_, err := w.release(r.Key)
		w.refused(cart.ErrStatus, err)
		_, err = w.Claim(w.Context(), r)
		w.refused(cart.ErrStatus, err)
		_, err = w.Claim(w.Context(), w.checkout(by, q))
		w.refused(cart.ErrStatus, err)
		c := w.add(by, w.thing(100, 9), 1)
		assert.NotEqual(w, q.Cart, c.ID)
		_, err = w.close("never seen")
		w.refused(cart.ErrNotFound, err)
	},
	"releasing opens the cart as it was": func(w *world) {
		by := catalogtest.Person()
		r, q := w.claimed(by)
		for range 2 {
			reply, err := w.release(r.Key)
			require.NoError(w, err)
			assert.Equal(w, cart.ReleaseReply{Known: true, Cart: q.Cart}, reply)
		}
		assert.Equal(w, cart.StatusOpen, w.get(by).Status)
		assert.Empty(w, w.audited())
		_, err := w.close(r.Key)
		w.refused(cart.ErrStatus, err)
		_, err = w.Claim(w.Context(), r)
		w.refused(cart.ErrKeyUndone, err)
		_, err = w.Claim(w.Context(), w.checkout(by, q))
		require.NoError(w, err, "with another key, and the quote that the buyer saw")
	},
	"undo before do": func(w *world) {
		by := catalogtest.Person()
		w.add(by, w.thing(1000, 9), 1)
		r := w.checkout(by, w.quote(by, Germany))
		for range 2 {
			reply, err := w.release(r.Key)
			require.NoError(w, err)
			assert.Equal(w, cart.ReleaseReply{}, reply)
		}
		_, err := w.Claim(w.Context(), r)
		w.refused(cart.ErrKeyUndone, err)
		assert.Equal(w, cart.StatusOpen, w.get(by).Status)
	},
	"a refused claim can be undone too": func(w *world) {
		by := catalogtest.Person()
		w.add(by, w.thing(1000, 9), 1)
		r := w.checkout(by, w.quote(by, Germany))
		r.QuoteHash = "other"
		_, err := w.Claim(w.Context(), r)
		w.refused(cart.ErrQuoteChanged, err)
		reply, err := w.release(r.Key)
		require.NoError(w, err)
		assert.False(w, reply.Known)
		_, err = w.Claim(w.Context(), r)
		w.refused(cart.ErrKeyUndone, err)
	},
	"coupons are used by a claim and given back by its release": func(w *world) {
		k := w.coupon(cart.Coupon{Code: "ONCE", Percent: 1000, Limit: 1})
		one, two, v := catalogtest.Person(), catalogtest.Person(), w.thing(1000, 9)
		for _, by := range []actor.Actor{one, two} {
			w.add(by, v, 1)
			_, err := w.apply(by, "ONCE")
			require.NoError(w, err)
		}
		seen := w.quote(two, Germany)
		r := w.checkout(one, w.quote(one, Germany))
		reply, err := w.Claim(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, catalogtest.Euro(100), reply.Quote.Sums.Discount)
		assert.EqualValues(w, 1, w.used(k.ID))
		assert.True(w, w.quote(one, Germany).Codes[0].Applied, "it is the claimant's still")
		assert.False(w, w.quote(two, Germany).Codes[0].Applied)
		_, err = w.Claim(w.Context(), w.checkout(two, seen))
		w.refused(cart.ErrQuoteChanged, err)
		_, err = w.release(r.Key)
		require.NoError(w, err)
		assert.Zero(w, w.used(k.ID))
		r = w.checkout(two, w.quote(two, Germany))
		_, err = w.Claim(w.Context(), r)
		require.NoError(w, err)
		_, err = w.close(r.Key)
		require.NoError(w, err)
		assert.EqualValues(w, 1, w.used(k.ID))
		_, err = w.apply(Guest(), "ONCE")
		w.refused(cart.ErrCoupon, err)
	},
	"a coupon's limit does not go below its uses": func(w *world) {
		k := w.coupon(cart.Coupon{Code: "TWICE", Percent: 1000, Limit: 2})
		v := w.thing(1000, 9)
		for range 2 {
			by := catalogtest.Person()
			w.add(by, v, 1)
			_, err := w.apply(by, "TWICE")
			require.NoError(w, err)
			_, err = w.Claim(w.Context(), w.checkout(by, w.quote(by, Germany)))
			require.NoError(w, err)
		}
		k.Limit = 1
		_, err := w.PutCoupon(w.Context(), cart.PutCouponRequest{By: catalogtest.Operator(), Key: Key(), Coupon: k})
		w.refused(cart.ErrLimit, err)
	},
	"a person's limit counts, also that of a guest who turns out to be one": func(w *world) {
		w.coupon(cart.Coupon{Code: "FIRST", Percent: 1000, LimitPerson: 1})
		v, person := w.thing(1000, 9), id.Ref(id.New("per_"))
		for i, by := range []actor.Actor{Guest(), Guest()} {
			w.add(by, v, 1)
			_, err := w.apply(by, "FIRST")
			require.NoError(w, err)
			r := w.checkout(by, w.quote(by, Germany))
			r.Person = person
			_, err = w.Claim(w.Context(), r)
			if i == 0 {
				require.NoError(w, err)
				continue
			}
			told := w.refused(cart.ErrCoupon, err).Fields["code"]
			assert.NotEmpty(w, told)
			assert.NotContains(w, told, "FIRST", "what is wrong with the code, not the code")
			known, err := w.Quote(w.Context(), cart.QuoteRequest{By: by, Destination: Germany, Person: person})
			require.NoError(w, err)
			assert.False(w, known.Quote.Codes[0].Applied)
		}
		by := catalogtest.Person()
		by.Person = person
		w.add(by, v, 1)
		_, err := w.apply(by, "FIRST")
		w.refused(cart.ErrCoupon, err)
	},
	"the audit pages through open claims": func(w *world) {
		var want []string
		for range 5 {
			r, _ := w.claimed(Guest())
			want = append(want, r.Key)
		}
		slices.SortFunc(want, strings.Compare)
		assert.Equal(w, want, w.audited())
	},
}

// used is how often a coupon has been used.
func (w *world) used(c cart.CouponID) int64 {
	w.Helper()
	reply, err := w.ListCoupons(w.Context(), cart.ListCouponsRequest{By: catalogtest.Operator()})
	require.NoError(w, err)
	for _, k := range reply.Coupons {
		if k.ID == c {
			return k.Used
		}
	}
	require.Fail(w, "there is no coupon "+string(c))
	return 0
}
