package carttest

import (
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
)

func (w *world) merge(by, guest actor.Actor) cart.MergeReply {
	w.Helper()
	reply, err := w.Merge(w.Context(), cart.MergeRequest{By: by, Key: Key(), Guest: guest.Guest})
	require.NoError(w, err)
	return reply
}

var mergeTests = map[string]func(*world){
	"merging keeps the larger of both quantities and everything else": func(w *world) {
		by, guest := catalogtest.Person(), Guest()
		a, b, c := w.thing(100, 9), w.thing(100, 9), w.thing(100, 9)
		w.add(by, a, 2)
		w.add(by, b, 5)
		w.add(guest, b, 3)
		w.add(guest, a, 4)
		w.add(guest, c, 1)
		reply := w.merge(by, guest)
		assert.Empty(w, reply.Kept)
		got := map[any]int64{}
		for _, l := range reply.Cart.Lines {
			got[l.Offer.Variant] = l.Quantity
		}
		assert.Equal(w, map[any]int64{a: 4, b: 5, c: 1}, got)
		assert.Empty(w, w.get(guest).Lines)
		assert.Equal(w, reply.Cart, w.get(by))
	},
	"merging takes over the cart of who had none": func(w *world) {
		by, guest := catalogtest.Person(), Guest()
		w.add(guest, w.thing(100, 9), 2)
		assert.EqualValues(w, 2, w.merge(by, guest).Cart.Count)
	},
	"merging nothing does nothing": func(w *world) {
		by := catalogtest.Person()
		assert.Empty(w, w.merge(by, Guest()).Cart.ID)
		before := w.add(by, w.thing(100, 9), 2)
		assert.Equal(w, before, w.merge(by, Guest()).Cart)
	},
	"merging keeps what is sold in another currency where it was": func(w *world) {
		by, guest := catalogtest.Person(), Guest()
		w.add(by, w.thing(100, 9), 1)
		w.add(guest, w.dear(usd(100)), 3)
		reply := w.merge(by, guest)
		assert.Len(w, reply.Kept, 1)
		assert.EqualValues(w, 1, reply.Cart.Count)
		assert.EqualValues(w, 3, w.get(guest).Count)
	},
	"merging keeps what is past the bounds where it was": func(w *world) {
		by, guest, s := catalogtest.Person(), Guest(), w.shop("A")
		for i := range cart.MaxLines {
			w.add(by, w.goods(s, fmt.Sprint(i), 100, 1).Variants[0].ID, 1)
		}
		w.add(guest, w.thing(100, 9), 2)
		reply := w.merge(by, guest)
		assert.Len(w, reply.Kept, 1)
		assert.Len(w, reply.Cart.Lines, cart.MaxLines)
		assert.EqualValues(w, 2, w.get(guest).Count)
	},
	"merging keeps the codes of both, the person's first": func(w *world) {
		by, guest, v := catalogtest.Person(), Guest(), w.thing(10_000, 9)
		w.add(by, v, 1)
		w.add(guest, v, 1)
		for i, who := range []actor.Actor{guest, guest, by, by, by, guest, by} {
			code := fmt.Sprintf("CODE%d", i)
			w.coupon(cart.Coupon{Code: code, Percent: 100})
			_, err := w.apply(who, code)
			require.NoError(w, err)
		}
		reply := w.merge(by, guest)
		assert.Equal(w, "[CODE2 CODE3 CODE4 CODE6 CODE0]", codes(reply.Cart))
		assert.Len(w, reply.Kept, 2)
		assert.Equal(w, "[CODE1 CODE5]", codes(w.get(guest)))
	},
	"merging waits while a checkout has either cart": func(w *world) {
		by, guest := catalogtest.Person(), Guest()
		w.claimed(guest)
		reply := w.merge(by, guest)
		assert.Len(w, reply.Kept, 1)
		assert.Empty(w, reply.Cart.Lines)
		by, guest = catalogtest.Person(), Guest()
		w.claimed(by)
		w.add(guest, w.thing(100, 9), 1)
		assert.Len(w, w.merge(by, guest).Kept, 1)
		assert.EqualValues(w, 1, w.get(guest).Count)
	},
	"merging happens once per key": func(w *world) {
		by, guest, v := catalogtest.Person(), Guest(), w.thing(100, 9)
		w.add(guest, v, 2)
		r := cart.MergeRequest{By: by, Key: Key(), Guest: guest.Guest}
		first, err := w.Merge(w.Context(), r)
		require.NoError(w, err)
		w.add(guest, v, 5)
		again, err := w.Merge(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Guest = "another"
		_, err = w.Merge(w.Context(), r)
		w.refused(cart.ErrKeyReused, err)
	},
	"merging is for who is signed in": func(w *world) {
		_, err := w.Merge(w.Context(), cart.MergeRequest{By: Guest()})
		w.invalid(err, "by", "guest", "key")
	},
}
