package catalogtest

import (
	"strconv"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

var stockTests = map[string]func(*world){
	"stock is received, counted, written off and comes back": func(w *world) {
		_, staff := w.seller("Shop")
		v := w.listing(staff, "Lamp", 5).Variants[0].ID
		for _, step := range []struct {
			kind     catalog.MovementKind
			quantity int64
			want     int64
		}{
			{catalog.MoveReceive, 3, 8},
			{catalog.MoveWriteOff, 2, 6},
			{catalog.MoveCount, 10, 10},
			{catalog.MoveRestock, 1, 11},
			{catalog.MoveCount, 0, 0},
		} {
			got, err := w.adjust(staff, v, step.kind, step.quantity, 0)
			require.NoError(w, err)
			assert.Equal(w, catalog.Stock{OnHand: step.want, Available: step.want}, got)
		}
		_, err := w.adjust(staff, v, catalog.MoveWriteOff, 1, 0)
		w.refused(catalog.ErrOutOfStock, err)
	},
	"an adjustment is booked once per key": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		r := catalog.AdjustStockRequest{By: staff, Key: Key(), Variant: l.Variants[0].ID, Kind: catalog.MoveReceive, Quantity: 2}
		first, err := w.AdjustStock(w.Context(), r)
		require.NoError(w, err)
		again, err := w.AdjustStock(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		assert.Equal(w, int64(7), w.stock(l).OnHand)
		r.Quantity = 3
		_, err = w.AdjustStock(w.Context(), r)
		w.refused(catalog.ErrKeyReused, err)
	},
	"bad adjustments are named": func(w *world) {
		_, staff := w.seller("Shop")
		_, err := w.AdjustStock(w.Context(), catalog.AdjustStockRequest{By: staff, Variant: "x", Kind: catalog.MoveShip, Quantity: -1, CountedAt: w.clock.Now().Add(time.Second)})
		w.invalid(err, "key", "variant", "kind", "quantity", "counted_at")
	},
	"only staff of the seller adjust": func(w *world) {
		_, staff := w.seller("Shop")
		_, other := w.seller("Other")
		v := w.listing(staff, "Lamp", 5).Variants[0].ID
		_, err := w.adjust(other, v, catalog.MoveReceive, 1, 0)
		w.refused(catalog.ErrNotFound, err)
		_, err = w.adjust(Person(), v, catalog.MoveReceive, 1, 0)
		w.refused(catalog.ErrForbidden, err)
		_, err = w.adjust(staff, catalog.VariantIDs.New(), catalog.MoveReceive, 1, 0)
		w.refused(catalog.ErrNotFound, err)
	},
	"a count is booked less what left since": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		counted := w.clock.Advance(time.Minute)
		w.clock.Advance(time.Minute)
		held := w.allocated(items(l, 2))
		w.ship(held, items(l, 1))
		w.clock.Advance(time.Minute)
		got, err := w.adjust(staff, l.Variants[0].ID, catalog.MoveCount, 10, counted)
		require.NoError(w, err)
		assert.Equal(w, catalog.Stock{OnHand: 9, Allocated: 1, Available: 8}, got, "one was shipped since, one is set aside")
	},
	"a count older than the last one changes nothing": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		old := w.clock.Now().Add(-time.Hour)
		got, err := w.adjust(staff, l.Variants[0].ID, catalog.MoveCount, 50, old)
		require.NoError(w, err)
		assert.Equal(w, int64(5), got.OnHand)
	},
	"a count below what is promised leaves nothing for sale": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		w.reserve(Key(), w.clock.Now().Add(time.Hour), items(l, 4))
		got, err := w.adjust(staff, l.Variants[0].ID, catalog.MoveCount, 2, 0)
		require.NoError(w, err)
		assert.Equal(w, catalog.Stock{OnHand: 2, Held: 4}, got)
	},
	"the journal tells everything, newest first": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		v := l.Variants[0].ID
		key := w.allocated(items(l, 2))
		w.ship(key, items(l, 1))
		_, err := w.Deallocate(w.Context(), catalog.MoveAllocatedRequest{By: actor.System(""), Key: Key(), Reservation: key, Items: items(l, 1)})
		require.NoError(w, err)
		var kinds []catalog.MovementKind
		var sum catalog.Movement
		next, seq := "", int64(0)
		for {
			reply, err := w.ListMovements(w.Context(), catalog.ListMovementsRequest{By: staff, Variant: v, Page: page.Request{Cursor: next, Limit: 2}})
			require.NoError(w, err)
			for _, m := range reply.Movements {
				kinds = append(kinds, m.Kind)
				sum.OnHand, sum.Held, sum.Allocated = sum.OnHand+m.OnHand, sum.Held+m.Held, sum.Allocated+m.Allocated
				assert.Equal(w, v, m.Variant)
				assert.Equal(w, m.Kind != catalog.MoveCount, m.For != "", "what is for an order names it")
				assert.True(w, seq == 0 || m.Seq < seq)
				seq = m.Seq
			}
			if next = reply.Next; next == "" {
				break
			}
		}
		assert.Equal(w, []catalog.MovementKind{
			catalog.MoveDeallocate, catalog.MoveShip, catalog.MoveAllocate, catalog.MoveReserve, catalog.MoveCount,
		}, kinds)
		assert.Equal(w, catalog.Movement{OnHand: 4}, sum)
		assert.Equal(w, catalog.Stock{OnHand: 4, Available: 4}, w.stock(l))
	},
	"the journal is for staff and operators": func(w *world) {
		_, staff := w.seller("Shop")
		_, other := w.seller("Other")
		v := w.listing(staff, "Lamp", 5).Variants[0].ID
		read := func(by actor.Actor) error {
			_, err := w.ListMovements(w.Context(), catalog.ListMovementsRequest{By: by, Variant: v})
			return err
		}
		require.NoError(w, read(Operator()))
		w.refused(catalog.ErrNotFound, read(other))
		w.refused(catalog.ErrForbidden, read(Person()))
		w.refused(catalog.ErrForbidden, read(actor.Nobody()))
	},
}

func (w *world) adjust(by actor.Actor, v catalog.VariantID, kind catalog.MovementKind, n int64, at clock.Time) (catalog.Stock, error) {
	reply, err := w.AdjustStock(w.Context(), catalog.AdjustStockRequest{By: by, Key: Key(), Variant: v, Kind: kind, Quantity: n, CountedAt: at, Why: "because"})
	return reply.Stock, err
}

// items are so many of the first variant of a listing.
func items(l catalog.Listing, n int64) []catalog.Item {
	return []catalog.Item{{Variant: l.Variants[0].ID, Quantity: n}}
}

func order() id.Ref { return id.Ref(id.New("ord_")) }

func (w *world) tryReserve(key string, until clock.Time, what []catalog.Item) (catalog.Reservation, error) {
	reply, err := w.Reserve(w.Context(), catalog.ReserveRequest{By: actor.System(""), Key: key, For: order(), Items: what, Until: until})
	return reply.Reservation, err
}

func (w *world) reserve(key string, until clock.Time, what []catalog.Item) catalog.Reservation {
	w.Helper()
	got, err := w.tryReserve(key, until, what)
	require.NoError(w, err)
	return got
}

func (w *world) confirm(key string) (catalog.Reservation, error) {
	reply, err := w.Confirm(w.Context(), catalog.ConfirmRequest{By: actor.System(""), Key: Key(), Reservation: key})
	return reply.Reservation, err
}

func (w *world) allocate(key string) (catalog.Reservation, error) {
	reply, err := w.Allocate(w.Context(), catalog.AllocateRequest{By: actor.System(""), Key: Key(), Reservation: key})
	return reply.Reservation, err
}

func (w *world) release(key string) (catalog.Reservation, error) {
	reply, err := w.Release(w.Context(), catalog.ReleaseRequest{By: actor.System(""), Key: key})
	return reply.Reservation, err
}

func (w *world) ship(key string, what []catalog.Item) catalog.Reservation {
	w.Helper()
	reply, err := w.ShipStock(w.Context(), catalog.MoveAllocatedRequest{By: actor.System(""), Key: Key(), Reservation: key, Items: what})
	require.NoError(w, err)
	return reply.Reservation
}

// allocated is the key of a reservation that has come that far.
func (w *world) allocated(what []catalog.Item) string {
	w.Helper()
	key := Key()
	w.reserve(key, w.clock.Now().Add(time.Hour), what)
	_, err := w.confirm(key)
	require.NoError(w, err)
	_, err = w.allocate(key)
	require.NoError(w, err)
	return key
}

// shortOf says how many the refusal says that there are.
func (w *world) shortOf(err error, v catalog.VariantID) int64 {
	w.Helper()
	n, e := strconv.ParseInt(w.fields(catalog.ErrOutOfStock, err)[string(v)], 10, 64)
	require.NoError(w, e)
	return n
}
