package carttest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/money"
)

func usd(minor int64) money.Money { return money.Money{Minor: minor, Currency: "USD"} }

var lineTests = map[string]func(*world){
	"who has no cart gets an empty one without an id": func(w *world) {
		c := w.get(Guest())
		assert.Empty(w, c.ID)
		assert.Equal(w, cart.StatusOpen, c.Status)
		assert.Empty(w, c.Lines)
		assert.Zero(w, c.Version)
	},
	"adding adds, setting sets, and nothing removes": func(w *world) {
		by, v := catalogtest.Person(), w.thing(1250, 10)
		c := w.add(by, v, 2)
		assert.True(w, cart.CartIDs.Valid(c.ID))
		assert.EqualValues(w, "EUR", c.Currency)
		c = w.add(by, v, 3)
		require.Len(w, c.Lines, 1)
		assert.EqualValues(w, 5, c.Lines[0].Quantity)
		assert.Equal(w, catalogtest.Euro(6250), c.Lines[0].Total)
		assert.Equal(w, catalogtest.Euro(6250), c.Goods)
		assert.Equal(w, catalogtest.Euro(1250), c.Lines[0].Seen)
		assert.Equal(w, w.Clock.Now(), c.Lines[0].AddedAt)
		for _, n := range []int64{4, 0} {
			reply, err := w.ChangeLine(w.Context(), cart.ChangeLineRequest{By: by, Key: Key(), Variant: v, Quantity: n})
			require.NoError(w, err)
			assert.Equal(w, n, reply.Cart.Count)
			assert.Greater(w, reply.Cart.Version, c.Version)
			c = reply.Cart
		}
		assert.Empty(w, c.Lines)
		assert.Empty(w, c.Currency)
		assert.Equal(w, c, w.get(by))
	},
	"lines come by seller, in the order added": func(w *world) {
		by, a, b := Guest(), w.shop("A"), w.shop("B")
		first, second, third := w.goods(a, "1", 100, 9), w.goods(b, "2", 100, 9), w.goods(a, "3", 100, 9)
		for _, l := range []catalog.Listing{first, second, third} {
			w.add(by, l.Variants[0].ID, 1)
		}
		var titles string
		for _, l := range w.get(by).Lines {
			titles += l.Offer.Title
		}
		assert.Equal(w, "132", titles)
	},
	"a key takes effect once": func(w *world) {
		by, v := Guest(), w.thing(1250, 10)
		r := w.line(by, v, 2)
		first, err := w.ChangeLine(w.Context(), r)
		require.NoError(w, err)
		again, err := w.ChangeLine(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Quantity = 3
		_, err = w.ChangeLine(w.Context(), r)
		w.refused(cart.ErrKeyReused, err)
		r.By = Guest() // another's key is another key
		_, err = w.ChangeLine(w.Context(), r)
		require.NoError(w, err)
	},
	"a refusal is remembered under its key": func(w *world) {
		by, l := Guest(), w.goods(w.shop("A"), "1", 100, 1)
		r := w.line(by, l.Variants[0].ID, 2)
		_, err := w.ChangeLine(w.Context(), r)
		w.refused(cart.ErrOutOfStock, err)
		w.stock(l, 5)
		_, err = w.ChangeLine(w.Context(), r)
		w.refused(cart.ErrOutOfStock, err)
	},
	"what cannot be had is refused": func(w *world) {
		by, s := catalogtest.Person(), w.shop("A")
		few, gone, out := w.goods(s, "few", 100, 3), w.goods(s, "gone", 100, 3), w.goods(s, "out", 100, 0)
		w.archive(gone)
		_, err := w.ChangeLine(w.Context(), w.line(by, few.Variants[0].ID, 4))
		assert.Contains(w, w.refused(cart.ErrOutOfStock, err).Fields, "quantity")
		_, err = w.ChangeLine(w.Context(), w.line(by, out.Variants[0].ID, 1))
		w.refused(cart.ErrOutOfStock, err)
		_, err = w.ChangeLine(w.Context(), w.line(by, gone.Variants[0].ID, 1))
		w.refused(cart.ErrNotForSale, err)
		_, err = w.ChangeLine(w.Context(), w.line(by, catalog.VariantIDs.New(), 1))
		w.refused(cart.ErrNotForSale, err)
		assert.Empty(w, w.get(by).ID, "nothing was begun")
		w.add(by, few.Variants[0].ID, 1)
		_, err = w.ChangeLine(w.Context(), w.line(by, w.dear(usd(100)), 1))
		w.refused(cart.ErrCurrency, err)
	},
	"a cart has bounds": func(w *world) {
		by, v := Guest(), w.thing(1, 5000)
		w.add(by, v, cart.MaxQuantity)
		for _, n := range []int64{1, 1 << 62} {
			_, err := w.ChangeLine(w.Context(), w.line(by, v, n))
			w.refused(cart.ErrLimit, err)
		}
		s := w.shop("A")
		for i := range cart.MaxLines - 1 {
			w.add(by, w.goods(s, fmt.Sprint(i), 100, 1).Variants[0].ID, 1)
		}
		_, err := w.ChangeLine(w.Context(), w.line(by, w.goods(s, "too many", 100, 1).Variants[0].ID, 1))
		w.refused(cart.ErrLimit, err)
		assert.Len(w, w.get(by).Lines, cart.MaxLines)
	},
	"bad fields are all named": func(w *world) {
		_, err := w.ChangeLine(w.Context(), cart.ChangeLineRequest{By: Guest(), Variant: "x", Quantity: -1})
		w.invalid(err, "key", "variant", "quantity")
		_, err = w.ChangeLine(w.Context(), cart.ChangeLineRequest{By: Guest(), Key: Key(), Variant: catalog.VariantIDs.New(), Add: true})
		w.invalid(err, "quantity")
		_, err = w.AcceptChanges(w.Context(), cart.AcceptChangesRequest{By: Guest()})
		w.invalid(err, "key")
	},
	"a cart is someone's": func(w *world) {
		v := w.thing(1250, 10)
		reader := catalogtest.Person()
		reader.Scopes = []actor.Scope{actor.ScopeRead}
		for _, by := range []actor.Actor{actor.Nobody(), System(), {}, {Kind: actor.KindGuest}, reader} {
			_, err := w.ChangeLine(w.Context(), w.line(by, v, 1))
			w.refused(cart.ErrForbidden, err)
			_, err = w.AcceptChanges(w.Context(), cart.AcceptChangesRequest{By: by, Key: Key()})
			w.refused(cart.ErrForbidden, err)
			_, err = w.ApplyCoupon(w.Context(), cart.CouponCodeRequest{By: by, Key: Key(), Code: "ABC"})
			w.refused(cart.ErrForbidden, err)
			_, err = w.RemoveCoupon(w.Context(), cart.CouponCodeRequest{By: by, Key: Key(), Code: "ABC"})
			w.refused(cart.ErrForbidden, err)
			_, err = w.Merge(w.Context(), cart.MergeRequest{By: by, Key: Key(), Guest: "x"})
			w.refused(cart.ErrForbidden, err)
			if by.SignedIn() {
				assert.Empty(w, w.get(by).ID)
				continue
			}
			_, err = w.GetCart(w.Context(), cart.GetCartRequest{By: by})
			w.refused(cart.ErrForbidden, err)
			_, err = w.Quote(w.Context(), cart.QuoteRequest{By: by})
			w.refused(cart.ErrForbidden, err)
		}
		one, other := Guest(), Guest()
		w.add(one, v, 1)
		assert.Empty(w, w.get(other).Lines)
	},
	"lines say what has changed since": func(w *world) {
		by, s := Guest(), w.shop("A")
		up, down, short, out, gone := w.goods(s, "up", 100, 9), w.goods(s, "down", 100, 9), w.goods(s, "short", 100, 9), w.goods(s, "out", 100, 9), w.goods(s, "gone", 100, 9)
		for _, l := range []catalog.Listing{up, down, short, out, gone} {
			w.add(by, l.Variants[0].ID, 5)
		}
		w.reprice(up, catalogtest.Euro(120))
		w.reprice(down, catalogtest.Euro(80))
		w.stock(short, 4)
		w.stock(out, 0)
		w.archive(gone)
		before := w.get(by)
		was := catalogtest.Euro(100)
		for i, want := range []cart.Notice{
			{Kind: cart.NoticePriceUp, Was: &was},
			{Kind: cart.NoticePriceDown, Was: &was},
			{Kind: cart.NoticeShort, Available: 4},
			{Kind: cart.NoticeSoldOut},
			{Kind: cart.NoticeNotForSale},
		} {
			require.Len(w, before.Lines[i].Notices, 1, want.Kind)
			assert.Equal(w, want, before.Lines[i].Notices[0])
		}
		assert.Equal(w, catalogtest.Euro(5*(120+80+100+100+100)), before.Goods)

		reply, err := w.AcceptChanges(w.Context(), cart.AcceptChangesRequest{By: by, Key: Key()})
		require.NoError(w, err)
		assert.Empty(w, reply.Cart.Lines[0].Notices)
		assert.Empty(w, reply.Cart.Lines[1].Notices)
		assert.NotEmpty(w, reply.Cart.Lines[2].Notices, "stock is not a matter of consent")
		assert.Equal(w, before.Version, reply.Cart.Version, "nothing else is to be bought")

		fewer, err := w.ChangeLine(w.Context(), cart.ChangeLineRequest{By: by, Key: Key(), Variant: out.Variants[0].ID, Quantity: 1})
		require.NoError(w, err, "less of what is short can always be had")
		assert.EqualValues(w, 1, fewer.Cart.Lines[3].Quantity)
	},
	"a lone thing repriced into another currency takes the cart along once accepted": func(w *world) {
		by, l := Guest(), w.goods(w.shop("A"), "1", 100, 9)
		w.add(by, l.Variants[0].ID, 1)
		w.Catalog.Reprice(l.Variants[0].ID, usd(90))
		c := w.get(by)
		assert.EqualValues(w, "EUR", c.Currency)
		assert.Zero(w, c.Goods.Minor)
		assert.Equal(w, cart.NoticeChanged, c.Lines[0].Notices[0].Kind)
		assert.NotEmpty(w, w.quote(by, Germany).Problems)
		reply, err := w.AcceptChanges(w.Context(), cart.AcceptChangesRequest{By: by, Key: Key()})
		require.NoError(w, err)
		assert.Equal(w, usd(90), reply.Cart.Goods)
		assert.Empty(w, reply.Cart.Lines[0].Notices)
		assert.Empty(w, w.quote(by, Germany).Problems)
	},
	"one of several repriced into another currency stays noticed": func(w *world) {
		by, s := Guest(), w.shop("A")
		l, other := w.goods(s, "1", 100, 9), w.goods(s, "2", 100, 9)
		w.add(by, l.Variants[0].ID, 1)
		w.add(by, other.Variants[0].ID, 1)
		w.Catalog.Reprice(l.Variants[0].ID, usd(90))
		reply, err := w.AcceptChanges(w.Context(), cart.AcceptChangesRequest{By: by, Key: Key()})
		require.NoError(w, err)
		assert.EqualValues(w, "EUR", reply.Cart.Currency)
		assert.Equal(w, catalogtest.Euro(100), reply.Cart.Goods)
		assert.Equal(w, cart.NoticeChanged, reply.Cart.Lines[0].Notices[0].Kind)
		_, err = w.ChangeLine(w.Context(), w.line(by, l.Variants[0].ID, 1))
		w.refused(cart.ErrCurrency, err)
		reply, err = w.ChangeLine(w.Context(), cart.ChangeLineRequest{By: by, Key: Key(), Variant: l.Variants[0].ID})
		require.NoError(w, err)
		assert.Empty(w, w.quote(by, Germany).Problems)
	},
	"more of a lone thing repriced into another currency is bought in that": func(w *world) {
		by, l := Guest(), w.goods(w.shop("A"), "1", 100, 9)
		w.add(by, l.Variants[0].ID, 1)
		w.Catalog.Reprice(l.Variants[0].ID, usd(90))
		assert.Equal(w, usd(180), w.add(by, l.Variants[0].ID, 1).Goods)
	},
	"a change that changes nothing keeps the version": func(w *world) {
		by, v := Guest(), w.thing(100, 9)
		c := w.add(by, v, 2)
		w.Clock.Advance(time.Hour)
		reply, err := w.ChangeLine(w.Context(), cart.ChangeLineRequest{By: by, Key: Key(), Variant: v, Quantity: 2})
		require.NoError(w, err)
		assert.Equal(w, c, reply.Cart)
		reply, err = w.RemoveCoupon(w.Context(), cart.CouponCodeRequest{By: by, Key: Key(), Code: "NEVERTHERE"})
		require.NoError(w, err)
		assert.Equal(w, c, reply.Cart)
		reply, err = w.ChangeLine(w.Context(), cart.ChangeLineRequest{By: Guest(), Key: Key(), Variant: v})
		require.NoError(w, err)
		assert.Empty(w, reply.Cart.ID, "removing from nothing begins no cart")
	},
}
