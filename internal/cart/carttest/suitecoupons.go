package carttest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
)

var couponTests = map[string]func(*world){
	"a code is applied in any case, once, and removed": func(w *world) {
		by := Guest()
		c := w.add(by, w.thing(1000, 9), 1)
		w.coupon(cart.Coupon{Code: "spring 10", Percent: 1000})
		got, err := w.apply(by, " Spring10 ")
		require.NoError(w, err)
		assert.Equal(w, "[SPRING10]", codes(got))
		assert.Equal(w, c.Version+1, got.Version)
		again, err := w.apply(by, "SPRING10")
		require.NoError(w, err)
		assert.Equal(w, got, again)
		q := w.quote(by, Germany)
		assert.Equal(w, catalogtest.Euro(100), q.Sums.Discount)
		assert.Equal(w, cart.FunderPlatform, q.Sellers[0].Lines[0].Adjustments[0].Funder)
		reply, err := w.RemoveCoupon(w.Context(), cart.CouponCodeRequest{By: by, Key: Key(), Code: "spring10"})
		require.NoError(w, err)
		assert.Empty(w, reply.Cart.Codes)
		assert.Zero(w, w.quote(by, Germany).Sums.Discount.Minor)
	},
	"a code that does nothing is refused": func(w *world) {
		by, now := catalogtest.Person(), w.Clock.Now()
		other := w.shop("Other")
		w.add(by, w.thing(1000, 9), 1)
		w.coupon(cart.Coupon{Code: "ENDED", Percent: 1000, Ended: true})
		w.coupon(cart.Coupon{Code: "EARLY", Percent: 1000, From: now.Add(time.Hour)})
		w.coupon(cart.Coupon{Code: "LATE", Percent: 1000, Until: now})
		w.coupon(cart.Coupon{Code: "THEIRS", Percent: 1000, Seller: other.ID, Funder: cart.FunderSeller})
		w.coupon(cart.Coupon{Code: "DEAR", Percent: 1000, Minimum: catalogtest.Euro(1001)})
		w.coupon(cart.Coupon{Code: "ABROAD", Amount: usd(100)})
		w.coupon(cart.Coupon{Code: "ABROAD2", Percent: 1000, Minimum: usd(1)})
		for _, code := range []string{"NOSUCH", "ENDED", "EARLY", "LATE", "THEIRS", "DEAR", "ABROAD", "ABROAD2"} {
			_, err := w.apply(by, code)
			got := w.refused(cart.ErrCoupon, err)
			assert.NotEmpty(w, got.Message, code)
		}
		assert.Empty(w, w.get(by).Codes)
		_, err := w.apply(Guest(), "NOSUCH")
		w.refused(cart.ErrCoupon, err)
		_, err = w.apply(by, "")
		w.invalid(err, "code")
		_, err = w.RemoveCoupon(w.Context(), cart.CouponCodeRequest{By: by})
		w.invalid(err, "key", "code")
	},
	"a code that has come to do nothing is said in the quote": func(w *world) {
		by := Guest()
		w.add(by, w.thing(1000, 9), 1)
		w.coupon(cart.Coupon{Code: "TODAY", Percent: 1000, Until: w.Clock.Now().Add(time.Hour)})
		_, err := w.apply(by, "TODAY")
		require.NoError(w, err)
		before := w.quote(by, Germany)
		w.Clock.Advance(time.Hour)
		after := w.quote(by, Germany)
		require.Len(w, after.Codes, 1)
		assert.False(w, after.Codes[0].Applied)
		assert.NotEmpty(w, after.Codes[0].Why)
		assert.NotEqual(w, before.Hash, after.Hash)
		assert.Empty(w, after.Problems, "it can be bought all the same")
	},
	"a cart takes so many codes": func(w *world) {
		by := Guest()
		w.add(by, w.thing(10_000, 9), 1)
		for i := range cart.MaxCodes + 1 {
			code := fmt.Sprintf("CODE%d", i)
			w.coupon(cart.Coupon{Code: code, Percent: 100})
			_, err := w.apply(by, code)
			if i < cart.MaxCodes {
				require.NoError(w, err)
			} else {
				w.refused(cart.ErrLimit, err)
			}
		}
	},
	"an amount never takes off more than the goods cost": func(w *world) {
		by, s := Guest(), w.shop("A")
		w.add(by, w.goods(s, "1", 300, 9).Variants[0].ID, 1)
		w.add(by, w.thing(1000, 9), 1)
		w.coupon(cart.Coupon{Code: "MINE", Amount: catalogtest.Euro(500), Seller: s.ID, Funder: cart.FunderSeller})
		_, err := w.apply(by, "MINE")
		require.NoError(w, err)
		q := w.quote(by, cart.Destination{})
		assert.Equal(w, catalogtest.Euro(300), q.Sums.Discount)
		assert.Equal(w, catalogtest.Euro(1000), q.Sums.Total)
	},
	"a coupon is made, changed and kept to what it was": func(w *world) {
		by := catalogtest.Operator()
		r := cart.PutCouponRequest{By: by, Key: Key(), Coupon: cart.Coupon{
			Code: "WELCOME", Label: "Hello", Funder: cart.FunderPlatform, Amount: catalogtest.Euro(500), Limit: 2, Used: 7, Version: 9,
		}}
		first, err := w.PutCoupon(w.Context(), r)
		require.NoError(w, err)
		c := first.Coupon
		assert.True(w, cart.CouponIDs.Valid(c.ID))
		assert.Zero(w, c.Used)
		assert.EqualValues(w, 1, c.Version)
		assert.Equal(w, w.Clock.Now(), c.CreatedAt)
		again, err := w.PutCoupon(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Coupon.Limit = 3
		_, err = w.PutCoupon(w.Context(), r)
		w.refused(cart.ErrKeyReused, err)
		r.Key = Key()
		_, err = w.PutCoupon(w.Context(), r)
		w.refused(cart.ErrCodeTaken, err)

		put := func(change func(*cart.Coupon)) error {
			changed := c
			change(&changed)
			_, err := w.PutCoupon(w.Context(), cart.PutCouponRequest{By: by, Key: Key(), Coupon: changed})
			return err
		}
		w.refused(cart.ErrStatus, put(func(c *cart.Coupon) { c.Code = "OTHER" }))
		w.refused(cart.ErrStatus, put(func(c *cart.Coupon) { c.Funder = cart.FunderSeller }))
		w.refused(cart.ErrStatus, put(func(c *cart.Coupon) { c.Seller = w.shop("A").ID }))
		w.refused(cart.ErrVersion, put(func(c *cart.Coupon) { c.Version = 2 }))
		w.refused(cart.ErrNotFound, put(func(c *cart.Coupon) { c.ID = cart.CouponIDs.New() }))
		require.NoError(w, put(func(c *cart.Coupon) { c.Ended, c.Label = true, "Bye" }))
		w.refused(cart.ErrVersion, put(func(c *cart.Coupon) { c.Ended = false }))
		list, err := w.ListCoupons(w.Context(), cart.ListCouponsRequest{By: by})
		require.NoError(w, err)
		require.Len(w, list.Coupons, 1)
		assert.Equal(w, "Bye", list.Coupons[0].Label)
		assert.EqualValues(w, 2, list.Coupons[0].Version)
	},
	"what is wrong with a coupon is all said": func(w *world) {
		_, err := w.PutCoupon(w.Context(), cart.PutCouponRequest{By: catalogtest.Operator(), Coupon: cart.Coupon{
			Code: "a", Percent: 1, Amount: catalogtest.Euro(1), Minimum: catalogtest.Euro(-1), From: 10, Until: 5, Limit: -1, LimitPerson: -1,
		}})
		w.invalid(err, "key", "code", "label", "percent", "minimum", "until", "limit", "limit_person", "funder")
	},
	"sellers make coupons for their own goods at their own expense": func(w *world) {
		mine, theirs := w.shop("A"), w.shop("B")
		staff := catalogtest.Staff(mine.ID)
		c := cart.Coupon{Code: "MINE", Label: "Mine", Seller: mine.ID, Funder: cart.FunderSeller, Percent: 1000}
		put := func(by actor.Actor, c cart.Coupon) (cart.Coupon, error) {
			reply, err := w.PutCoupon(w.Context(), cart.PutCouponRequest{By: by, Key: Key(), Coupon: c})
			return reply.Coupon, err
		}
		made, err := put(staff, c)
		require.NoError(w, err)
		wide, free, other := c, c, c
		wide.Seller, free.Funder, other.Seller = "", cart.FunderPlatform, theirs.ID
		_, err = put(staff, wide)
		w.refused(cart.ErrForbidden, err)
		_, err = put(staff, free)
		w.refused(cart.ErrForbidden, err)
		_, err = put(staff, other)
		w.refused(cart.ErrNotFound, err)
		made.Seller = theirs.ID
		_, err = put(catalogtest.Staff(theirs.ID), made)
		w.refused(cart.ErrNotFound, err)
		for _, by := range []actor.Actor{actor.Nobody(), Guest(), catalogtest.Person()} {
			_, err = put(by, c)
			w.refused(cart.ErrForbidden, err)
			_, err = w.ListCoupons(w.Context(), cart.ListCouponsRequest{By: by})
			w.refused(cart.ErrForbidden, err)
		}
		_, err = w.ListCoupons(w.Context(), cart.ListCouponsRequest{By: staff, Seller: theirs.ID})
		w.refused(cart.ErrNotFound, err)
		w.coupon(cart.Coupon{Code: "SITE", Percent: 500})
		for by, want := range map[*actor.Actor]int{&staff: 1, ptr(catalogtest.Operator()): 2} {
			list, err := w.ListCoupons(w.Context(), cart.ListCouponsRequest{By: *by})
			require.NoError(w, err)
			assert.Len(w, list.Coupons, want)
		}
	},
	"coupons are paged newest first, and pages stay as they are": func(w *world) {
		by := catalogtest.Operator()
		for i := range 7 {
			w.coupon(cart.Coupon{Code: fmt.Sprintf("CODE%d", i), Percent: 100})
			w.Clock.Advance(time.Second)
		}
		var got, cursor string
		for range 4 {
			reply, err := w.ListCoupons(w.Context(), cart.ListCouponsRequest{By: by, Page: page.Request{Cursor: cursor, Limit: 2}})
			require.NoError(w, err)
			for _, c := range reply.Coupons {
				got += c.Code[4:]
			}
			if cursor == "" {
				w.coupon(cart.Coupon{Code: "CODE9", Percent: 100})
			}
			cursor = reply.Next
		}
		assert.Equal(w, "6543210", got)
		assert.Empty(w, cursor)
		_, err := w.ListCoupons(w.Context(), cart.ListCouponsRequest{By: by, Page: page.Request{Cursor: "nonsense"}})
		w.refused(page.ErrCursor, err)
	},
}

func ptr[T any](v T) *T { return &v }
