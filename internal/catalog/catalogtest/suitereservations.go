package catalogtest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
)

var reservationTests = map[string]func(*world){
	"a reservation goes all the way": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		key, until := Key(), w.clock.Now().Add(time.Hour)

		got := w.reserve(key, until, items(l, 3))
		assert.Equal(w, catalog.ReservationHeld, got.Status)
		assert.Equal(w, key, got.Key)
		assert.Equal(w, until, got.Until)
		assert.Equal(w, items(l, 3), got.Items)
		assert.Equal(w, catalog.Stock{OnHand: 5, Held: 3, Available: 2}, w.stock(l))

		got, err := w.confirm(key)
		require.NoError(w, err)
		assert.Equal(w, catalog.ReservationConfirmed, got.Status)
		assert.True(w, got.Until.IsZero())
		assert.Equal(w, catalog.Stock{OnHand: 5, Held: 3, Available: 2}, w.stock(l))

		got, err = w.allocate(key)
		require.NoError(w, err)
		assert.Equal(w, catalog.ReservationAllocated, got.Status)
		assert.Equal(w, catalog.Stock{OnHand: 5, Allocated: 3, Available: 2}, w.stock(l))

		got = w.ship(key, items(l, 1))
		assert.Equal(w, catalog.ReservationAllocated, got.Status)
		assert.Equal(w, items(l, 2), got.Items)
		assert.Equal(w, catalog.Stock{OnHand: 4, Allocated: 2, Available: 2}, w.stock(l))

		reply, err := w.Deallocate(w.Context(), catalog.MoveAllocatedRequest{By: actor.System(""), Key: Key(), Reservation: key, Items: items(l, 1)})
		require.NoError(w, err)
		assert.Equal(w, items(l, 1), reply.Reservation.Items)
		assert.Equal(w, catalog.Stock{OnHand: 4, Allocated: 1, Available: 3}, w.stock(l))

		got = w.ship(key, items(l, 1))
		assert.Equal(w, catalog.ReservationDone, got.Status)
		assert.Empty(w, got.Items)
		assert.Equal(w, catalog.Stock{OnHand: 3, Available: 3}, w.stock(l))
	},
	"all or nothing, and every short one is named": func(w *world) {
		_, staff := w.seller("Shop")
		a, b, c := w.listing(staff, "A", 5), w.listing(staff, "B", 1), w.listing(staff, "C", 0)
		_, err := w.tryReserve(Key(), w.clock.Now().Add(time.Hour), append(append(items(a, 2), items(b, 2)...), items(c, 1)...))
		assert.Equal(w, int64(1), w.shortOf(err, b.Variants[0].ID))
		assert.Equal(w, int64(0), w.shortOf(err, c.Variants[0].ID))
		assert.Len(w, w.fields(catalog.ErrOutOfStock, err), 2)
		assert.Equal(w, catalog.Stock{OnHand: 5, Available: 5}, w.stock(a))
	},
	"what is not for sale cannot be reserved": func(w *world) {
		s, staff := w.seller("Shop")
		a, b := w.listing(staff, "A", 5), w.listing(staff, "B", 5)
		_, err := w.status(staff, a.ID, catalog.ListingArchived)
		require.NoError(w, err)
		_, err = w.tryReserve(Key(), w.clock.Now().Add(time.Hour), append(items(a, 1), items(b, 1)...))
		assert.Contains(w, w.fields(catalog.ErrNotForSale, err), string(a.Variants[0].ID))
		_, err = w.tryReserve(Key(), w.clock.Now().Add(time.Hour), []catalog.Item{{Variant: catalog.VariantIDs.New(), Quantity: 1}})
		w.refused(catalog.ErrNotForSale, err)
		w.move(s.ID, catalog.SellerSuspended)
		_, err = w.tryReserve(Key(), w.clock.Now().Add(time.Hour), items(b, 1))
		w.refused(catalog.ErrNotForSale, err)
	},
	"only the system reserves": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "A", 5)
		for _, by := range []actor.Actor{actor.Nobody(), Person(), staff, Operator()} {
			_, err := w.Reserve(w.Context(), catalog.ReserveRequest{By: by, Key: Key(), For: order(), Items: items(l, 1), Until: w.clock.Now().Add(time.Hour)})
			w.refused(catalog.ErrForbidden, err)
			_, err = w.Confirm(w.Context(), catalog.ConfirmRequest{By: by, Key: Key(), Reservation: "x"})
			w.refused(catalog.ErrForbidden, err)
			_, err = w.Release(w.Context(), catalog.ReleaseRequest{By: by, Key: Key()})
			w.refused(catalog.ErrForbidden, err)
			_, err = w.Allocate(w.Context(), catalog.AllocateRequest{By: by, Key: Key(), Reservation: "x"})
			w.refused(catalog.ErrForbidden, err)
			_, err = w.ShipStock(w.Context(), catalog.MoveAllocatedRequest{By: by, Key: Key(), Reservation: "x", Items: items(l, 1)})
			w.refused(catalog.ErrForbidden, err)
			_, err = w.Deallocate(w.Context(), catalog.MoveAllocatedRequest{By: by, Key: Key(), Reservation: "x", Items: items(l, 1)})
			w.refused(catalog.ErrForbidden, err)
		}
	},
	"bad reservations are named": func(w *world) {
		v := catalog.VariantIDs.New()
		_, err := w.Reserve(w.Context(), catalog.ReserveRequest{By: actor.System(""), Items: []catalog.Item{
			{Variant: v, Quantity: 1}, {Variant: v, Quantity: 0}, {Variant: "x", Quantity: catalog.MaxQuantity + 1},
		}})
		w.invalid(err, "key", "for", "until", "items[1].variant", "items[1].quantity", "items[2].variant", "items[2].quantity")
		_, err = w.Confirm(w.Context(), catalog.ConfirmRequest{By: actor.System("")})
		w.invalid(err, "key", "reservation")
		_, err = w.Release(w.Context(), catalog.ReleaseRequest{By: actor.System("")})
		w.invalid(err, "key")
		_, err = w.Allocate(w.Context(), catalog.AllocateRequest{By: actor.System("")})
		w.invalid(err, "key", "reservation")
		_, err = w.ShipStock(w.Context(), catalog.MoveAllocatedRequest{By: actor.System("")})
		w.invalid(err, "key", "reservation", "items")
	},
	"a reservation is made once per key, whoever the system acts for": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		r := catalog.ReserveRequest{By: actor.System(Person().Person), Key: Key(), For: order(), Items: items(l, 2), Until: w.clock.Now().Add(time.Hour)}
		first, err := w.Reserve(w.Context(), r)
		require.NoError(w, err)
		again, err := w.Reserve(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.By = actor.System("")
		_, err = w.Reserve(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, int64(2), w.stock(l).Held)
		r.Items = items(l, 1)
		_, err = w.Reserve(w.Context(), r)
		w.refused(catalog.ErrKeyReused, err)
	},
	"a refused reservation stays refused": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 1)
		r := catalog.ReserveRequest{By: actor.System(""), Key: Key(), For: order(), Items: items(l, 2), Until: w.clock.Now().Add(time.Hour)}
		_, err := w.Reserve(w.Context(), r)
		assert.Equal(w, int64(1), w.shortOf(err, l.Variants[0].ID))
		_, err = w.adjust(staff, l.Variants[0].ID, catalog.MoveReceive, 5, 0)
		require.NoError(w, err)
		_, err = w.Reserve(w.Context(), r)
		assert.Equal(w, int64(1), w.shortOf(err, l.Variants[0].ID), "word for word")
		_, err = w.confirm(r.Key)
		w.refused(catalog.ErrNotFound, err)
		_, err = w.release(r.Key)
		require.NoError(w, err, "undoing what was refused is fine")
		_, err = w.Reserve(w.Context(), r)
		w.refused(catalog.ErrKeyUndone, err)
	},
	"release before reserve leaves a tombstone": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		key := Key()
		got, err := w.release(key)
		require.NoError(w, err)
		assert.Equal(w, key, got.Key)
		assert.Equal(w, catalog.ReservationReleased, got.Status)
		_, err = w.release(key)
		require.NoError(w, err)
		_, err = w.tryReserve(key, w.clock.Now().Add(time.Hour), items(l, 1))
		w.refused(catalog.ErrKeyUndone, err)
		_, err = w.confirm(key)
		w.refused(catalog.ErrReservation, err)
		assert.Zero(w, w.stock(l).Held)
	},
	"release gives everything back, once": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		for _, confirmed := range []bool{false, true} {
			key := Key()
			w.reserve(key, w.clock.Now().Add(time.Hour), items(l, 5))
			if confirmed {
				_, err := w.confirm(key)
				require.NoError(w, err)
			}
			for range 2 {
				got, err := w.release(key)
				require.NoError(w, err)
				assert.Equal(w, catalog.ReservationReleased, got.Status)
				assert.Empty(w, got.Items)
				assert.Equal(w, catalog.Stock{OnHand: 5, Available: 5}, w.stock(l))
			}
			_, err := w.allocate(key)
			w.refused(catalog.ErrReservation, err)
		}
	},
	"what is allocated is not released": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		key := w.allocated(items(l, 2))
		_, err := w.release(key)
		w.refused(catalog.ErrReservation, err)
		assert.Equal(w, int64(2), w.stock(l).Allocated)
		w.ship(key, items(l, 2))
		_, err = w.release(key)
		w.refused(catalog.ErrReservation, err)
	},
	"the term ends the hold at once": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		key := Key()
		w.reserve(key, w.clock.Now().Add(time.Minute), items(l, 5))
		assert.Zero(w, w.offer(l.Variants[0].ID).Available)
		assert.Zero(w, w.get(actor.Nobody(), l.ID)[0].Variants[0].Stock.Available)
		w.clock.Advance(time.Minute)
		assert.Equal(w, int64(5), w.offer(l.Variants[0].ID).Available)
		assert.Equal(w, int64(5), w.get(actor.Nobody(), l.ID)[0].Variants[0].Stock.Available)
		assert.Equal(w, catalog.Stock{OnHand: 5, Available: 5}, w.stock(l))
		_, err := w.confirm(key)
		w.refused(catalog.ErrExpired, err)
		_, err = w.allocate(key)
		w.refused(catalog.ErrExpired, err)
		w.reserve(Key(), w.clock.Now().Add(time.Minute), items(l, 5))
		got, err := w.release(key)
		require.NoError(w, err)
		assert.Equal(w, catalog.ReservationExpired, got.Status)
		assert.Equal(w, int64(5), w.stock(l).Held, "the new hold stands")
	},
	"a hold whose term is over is in nobody's way": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		w.reserve(Key(), w.clock.Now().Add(time.Minute), items(l, 3))
		w.reserve(Key(), w.clock.Now().Add(time.Hour), items(l, 1))
		w.clock.Advance(2 * time.Minute)
		_, err := w.tryReserve(Key(), w.clock.Now().Add(time.Minute), items(l, 5))
		assert.Equal(w, int64(4), w.shortOf(err, l.Variants[0].ID))
		w.reserve(Key(), w.clock.Now().Add(time.Minute), items(l, 4))
		assert.Equal(w, catalog.Stock{OnHand: 5, Held: 5}, w.stock(l))
	},
	"a term that is over already holds nothing": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		_, err := w.tryReserve(Key(), w.clock.Now(), items(l, 1))
		w.refused(catalog.ErrExpired, err)
	},
	"a confirmed hold has no term": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		key := Key()
		w.reserve(key, w.clock.Now().Add(time.Minute), items(l, 5))
		_, err := w.confirm(key)
		require.NoError(w, err)
		w.clock.Advance(time.Hour)
		assert.Zero(w, w.offer(l.Variants[0].ID).Available)
		_, err = w.confirm(key)
		require.NoError(w, err, "confirming again changes nothing")
		_, err = w.allocate(key)
		require.NoError(w, err)
	},
	"the steps come in order": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 5)
		key := Key()
		_, err := w.confirm(key)
		w.refused(catalog.ErrNotFound, err)
		_, err = w.allocate(key)
		w.refused(catalog.ErrNotFound, err)
		w.reserve(key, w.clock.Now().Add(time.Minute), items(l, 2))
		_, err = w.allocate(key)
		w.refused(catalog.ErrReservation, err)
		_, err = w.ShipStock(w.Context(), catalog.MoveAllocatedRequest{By: actor.System(""), Key: Key(), Reservation: key, Items: items(l, 1)})
		w.refused(catalog.ErrReservation, err)
		set := w.allocated(items(l, 2))
		_, err = w.confirm(set)
		w.refused(catalog.ErrReservation, err)
		_, err = w.allocate(set)
		w.refused(catalog.ErrReservation, err)
	},
	"each step is done once per key": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 9)
		key, other, by := Key(), Key(), actor.System("")
		w.reserve(key, w.clock.Now().Add(time.Hour), items(l, 4))
		w.reserve(other, w.clock.Now().Add(time.Hour), items(l, 1))

		confirm := catalog.ConfirmRequest{By: by, Key: Key(), Reservation: key}
		for range 2 {
			got, err := w.Confirm(w.Context(), confirm)
			require.NoError(w, err)
			assert.Equal(w, catalog.ReservationConfirmed, got.Reservation.Status)
		}
		confirm.Reservation = other
		_, err := w.Confirm(w.Context(), confirm)
		w.refused(catalog.ErrKeyReused, err)

		allocate := catalog.AllocateRequest{By: by, Key: Key(), Reservation: key}
		for range 2 {
			got, err := w.Allocate(w.Context(), allocate)
			require.NoError(w, err)
			assert.Equal(w, catalog.ReservationAllocated, got.Reservation.Status)
		}
		ship := catalog.MoveAllocatedRequest{By: by, Key: Key(), Reservation: key, Items: items(l, 1)}
		for range 2 {
			got, err := w.ShipStock(w.Context(), ship)
			require.NoError(w, err)
			assert.Equal(w, items(l, 3), got.Reservation.Items)
		}
		ship.Items = items(l, 2)
		_, err = w.ShipStock(w.Context(), ship)
		w.refused(catalog.ErrKeyReused, err)
		back := catalog.MoveAllocatedRequest{By: by, Key: Key(), Reservation: key, Items: items(l, 2)}
		for range 2 {
			got, err := w.Deallocate(w.Context(), back)
			require.NoError(w, err)
			assert.Equal(w, items(l, 1), got.Reservation.Items)
		}
		assert.Equal(w, catalog.Stock{OnHand: 8, Held: 1, Allocated: 1, Available: 6}, w.stock(l))
	},
	"a refused step stays refused under its key": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 9)
		of := Key()
		early := catalog.ConfirmRequest{By: actor.System(""), Key: Key(), Reservation: of}
		_, err := w.Confirm(w.Context(), early)
		w.refused(catalog.ErrNotFound, err)
		w.reserve(of, w.clock.Now().Add(time.Hour), items(l, 1))
		_, err = w.Confirm(w.Context(), early)
		w.refused(catalog.ErrNotFound, err)
		_, err = w.confirm(of)
		require.NoError(w, err, "another key is another try")
	},
	"no more leaves than is set aside": func(w *world) {
		_, staff := w.seller("Shop")
		l, other := w.listing(staff, "Lamp", 9), w.listing(staff, "Chair", 9)
		key := w.allocated(items(l, 2))
		for _, what := range [][]catalog.Item{items(l, 3), items(other, 1), append(items(l, 1), items(other, 1)...)} {
			_, err := w.ShipStock(w.Context(), catalog.MoveAllocatedRequest{By: actor.System(""), Key: Key(), Reservation: key, Items: what})
			w.refused(catalog.ErrReservation, err)
			_, err = w.Deallocate(w.Context(), catalog.MoveAllocatedRequest{By: actor.System(""), Key: Key(), Reservation: key, Items: what})
			w.refused(catalog.ErrReservation, err)
		}
		assert.Equal(w, catalog.Stock{OnHand: 9, Allocated: 2, Available: 7}, w.stock(l))
	},
	"two hundred want ten": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 10)
		until := w.clock.Now().Add(time.Hour)
		var held, short atomic.Int64
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				_, err := w.tryReserve(Key(), until, items(l, 1))
				switch {
				case err == nil:
					held.Add(1)
				case errors.Is(err, catalog.ErrOutOfStock):
					short.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(w, int64(10), held.Load())
		assert.Equal(w, int64(190), short.Load())
		assert.Equal(w, catalog.Stock{OnHand: 10, Held: 10}, w.stock(l))
	},
	"one key from many is one hold": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 10)
		r := catalog.ReserveRequest{By: actor.System(""), Key: Key(), For: order(), Items: items(l, 3), Until: w.clock.Now().Add(time.Hour)}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, err := w.Reserve(w.Context(), r)
				assert.NoError(w, err)
			})
		}
		all.Wait()
		assert.Equal(w, int64(3), w.stock(l).Held)
	},
	"the audit lists what holds and what is set aside": func(w *world) {
		_, staff := w.seller("Shop")
		l := w.listing(staff, "Lamp", 9)
		want := map[string]catalog.ReservationStatus{}
		held, confirmed, over, given := Key(), Key(), Key(), Key()
		w.reserve(over, w.clock.Now().Add(time.Second), items(l, 1))
		w.clock.Advance(time.Minute)
		w.reserve(held, w.clock.Now().Add(time.Hour), items(l, 1))
		w.reserve(confirmed, w.clock.Now().Add(time.Hour), items(l, 1))
		_, err := w.confirm(confirmed)
		require.NoError(w, err)
		w.reserve(given, w.clock.Now().Add(time.Hour), items(l, 1))
		_, err = w.release(given)
		require.NoError(w, err)
		want[held], want[confirmed] = catalog.ReservationHeld, catalog.ReservationConfirmed
		want[w.allocated(items(l, 2))] = catalog.ReservationAllocated

		got := map[string]catalog.ReservationStatus{}
		for next := ""; ; {
			reply, err := w.Audit(w.Context(), audit.Request{Cursor: next, Limit: 2})
			require.NoError(w, err)
			assert.Empty(w, reply.Problems)
			for _, r := range reply.Reservations {
				got[r.Key] = r.Status
				assert.NotEmpty(w, r.Items)
				assert.NotEmpty(w, r.For)
			}
			if next == "" {
				assert.Positive(w, reply.Standing.Head)
				assert.NotEmpty(w, reply.Standing.Epoch)
			}
			if next = reply.Next; next == "" {
				break
			}
		}
		assert.Equal(w, want, got)
	},
}
