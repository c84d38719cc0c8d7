package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// waysToLoseAPlace spoil the log or the cursor of a reader that has heard 1, 2 and 3.
var waysToLoseAPlace = map[string]func(t *testing.T, w *world){
	"another epoch": func(t *testing.T, w *world) {
		_, err := exec(w.shop, `UPDATE event_log_state SET epoch = 'another'`)
		require.NoError(t, err)
	},
	"beyond the head": func(t *testing.T, w *world) { // the shop's database was restored from an old copy
		_, err := exec(w.shop, `DELETE FROM event_log WHERE position > 1`)
		require.NoError(t, err)
		_, err = exec(w.shop, `UPDATE event_log_state SET head = 1`)
		require.NoError(t, err)
	},
	"behind what was trimmed": func(t *testing.T, w *world) {
		w.sell("tea", 4, 5)
		n, err := bus.Trim(t.Context(), w.shop, w.shop.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, int64(5), n)
	},
}

func TestAPlaceThatIsGoneIsRebuilt(t *testing.T) {
	t.Parallel()
	for name, lose := range waysToLoseAPlace {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.failing[3] = errors.New("no")
			w.sell("tea", 1, 2)
			w.sell("rice", 3)
			w.drain()
			require.Equal(t, int64(1), w.status().Parked)
			lose(t, w)
			w.restart()
			assert.Equal(t, "gone", w.status().State)
			rebuilt := 0
			w.s.OnPlaceGone(func(context.Context) error {
				rebuilt++
				// Something happens while the module rebuilds: it must not be lost.
				w.sell("salt", 100)
				_, err := exec(w.reader, `DELETE FROM heard`)
				return err
			})
			w.drain()
			assert.Equal(t, 1, rebuilt)
			assert.Equal(t, []int64{100}, w.heard())
			w.sell("rice", 101)
			w.drain()
			assert.Equal(t, []int64{100, 101}, w.heard(), "what was parked in the old place holds nothing up")
			s := w.status()
			assert.Equal(t, "following", s.State)
			assert.Equal(t, int64(2), s.Applied)
			assert.Zero(t, s.Lag)
			assert.Equal(t, 1, w.audits("events.place_gone"))
		})
	}
}

func TestAPlaceThatIsGoneWithoutRebuildStopsLoudly(t *testing.T) {
	t.Parallel()
	for name, lose := range waysToLoseAPlace {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.sell("tea", 1, 2, 3)
			w.drain()
			lose(t, w)
			w.restart()
			for range 2 {
				require.ErrorIs(t, w.b.Drain(t.Context()), bus.ErrPlaceGone)
			}
			assert.Equal(t, "gone", w.status().State)
			require.ErrorIs(t, w.b.Rebuild(t.Context(), "reader.sales", operator), bus.ErrNoRebuild)

			head := w.status().Head
			require.NoError(t, w.b.Replay(t.Context(), "reader.sales", head, operator))
			w.sell("tea", 200)
			w.drain()
			heard := w.heard()
			assert.Equal(t, int64(200), heard[len(heard)-1])
			assert.Equal(t, "following", w.status().State)
		})
	}
}

func TestARebuildThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1)
	w.drain()
	waysToLoseAPlace["another epoch"](t, w)
	w.restart()
	fails := []func() error{
		func() error { return errors.New("catalog is away") },
		func() error { panic("a defect") },
		func() error { return nil },
	}
	w.s.OnPlaceGone(func(context.Context) error {
		fail := fails[0]
		fails = fails[1:]
		return fail()
	})
	require.ErrorContains(t, w.b.Drain(t.Context()), "catalog is away")
	require.ErrorContains(t, w.b.Drain(t.Context()), "a defect")
	w.drain()
	assert.Empty(t, fails)
	assert.Equal(t, "following", w.status().State)
}

func TestALogThatChangesWithEveryLookIsNotRebuiltForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1)
	w.drain()
	epoch := 0
	w.b = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: spoilt{w.source, func(p *bus.Page) {
		epoch++
		p.Epoch = string(rune('a' + epoch))
	}}}})
	rebuilt := 0
	w.subscribe(w.b).OnPlaceGone(func(context.Context) error { rebuilt++; return nil })
	require.ErrorIs(t, w.b.Drain(t.Context()), bus.ErrPlaceGone)
	assert.LessOrEqual(t, rebuilt, 6)
}

func TestANewSubscriberOfATrimmedLogRebuilds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1, 2)
	_, err := bus.Trim(t.Context(), w.shop, w.shop.Now().Add(time.Hour))
	require.NoError(t, err)
	rebuilt := 0
	w.s.OnPlaceGone(func(context.Context) error { rebuilt++; return nil })
	w.sell("tea", 3)
	w.drain()
	w.sell("tea", 4)
	w.drain()
	assert.Equal(t, 1, rebuilt)
	assert.Equal(t, []int64{4}, w.heard(), "3 was there before the rebuild began")
	assert.Equal(t, int64(1), w.status().Applied)
}

func TestRebuildOnRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1, 2, 3)
	w.s.OnPlaceGone(func(context.Context) error {
		w.sell("tea", 4)
		return nil
	})
	require.NoError(t, w.b.Rebuild(t.Context(), "reader.sales", operator))
	assert.Equal(t, 1, w.audits("events.rebuild"))
	w.drain()
	assert.Equal(t, []int64{4}, w.heard())
}

func TestReplayBackHearsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.failing[1], w.failing[4] = errors.New("no"), errors.New("no")
	w.sell("rice", 1)
	w.sell("tea", 2, 3, 4, 5)
	w.drain()
	require.Equal(t, int64(3), w.status().Parked)
	delete(w.failing, 4)
	require.NoError(t, w.b.Replay(t.Context(), "reader.sales", 2, operator))
	s := w.status()
	assert.Equal(t, int64(2), s.Position)
	assert.Equal(t, int64(1), s.Parked, "what lies before the new place stays parked")
	w.sell("rice", 6)
	w.drain()
	assert.Equal(t, []int64{2, 3, 3, 4, 5}, w.heard())
	assert.Equal(t, int64(2), w.status().Parked, "and holds up its key as before")
	assert.Equal(t, 1, w.audits("events.replay"))
}

func TestReplayForwardSkips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.failing[1] = errors.New("no")
	w.sell("tea", 1, 2, 3)
	w.drain()
	w.sell("rice", 4, 5)
	require.NoError(t, w.b.Replay(t.Context(), "reader.sales", 4, operator))
	assert.Equal(t, int64(1), w.status().Skipped)
	w.drain()
	assert.Equal(t, []int64{5}, w.heard())
	assert.Equal(t, int64(3), w.status().Parked)
}

func TestReplayOfOneThatHasNeverRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1, 2)
	require.NoError(t, w.b.Replay(t.Context(), "reader.sales", 1, operator))
	w.drain()
	assert.Equal(t, []int64{2}, w.heard())
	w.status()
}

func TestReplayRefusesPositionsThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1, 2)
	_, err := bus.Trim(t.Context(), w.shop, w.shop.Now().Add(time.Hour))
	require.NoError(t, err)
	w.sell("tea", 3)
	for _, to := range []int64{-1, 1, 4} {
		require.ErrorIs(t, w.b.Replay(t.Context(), "reader.sales", to, operator), bus.ErrPosition)
	}
	require.NoError(t, w.b.Replay(t.Context(), "reader.sales", 2, operator))
}

func TestTrimKeepsWhatIsYoungAndLeavesNoGap(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(1_000_000)
	w := newWorld(t, storetest.Clock(now.Now))
	w.sell("tea", 1, 2)
	now.Advance(time.Hour)
	w.sell("tea", 3)
	now.Advance(-2 * time.Hour) // a clock put back: 4 looks older than 3 and stays behind it
	w.sell("tea", 4)
	now.Advance(3 * time.Hour)

	n, err := bus.Trim(t.Context(), w.shop, clock.Time(1_000_000).Add(time.Minute))
	require.NoError(t, err)
	assert.Equal(t, int64(2), n)
	n, err = bus.Trim(t.Context(), w.shop, clock.Time(1_000_000).Add(time.Minute))
	require.NoError(t, err)
	assert.Zero(t, n)
	page, err := w.source.Page(t.Context(), 2, 10)
	require.NoError(t, err)
	assert.Equal(t, int64(2), page.Trimmed)
	require.Len(t, page.Events, 2)
	assert.Equal(t, int64(3), page.Events[0].Position)

	n, err = bus.Trim(t.Context(), w.shop, now.Now())
	require.NoError(t, err)
	assert.Equal(t, int64(2), n)
	w.sell("tea", 5)
	page, err = w.source.Page(t.Context(), 4, 10)
	require.NoError(t, err)
	assert.Equal(t, int64(5), page.Head, "an emptied log does not begin again")
	require.Len(t, page.Events, 1)
}

func TestTrimTakesManyInTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := make([]store.Event, 2500)
	for i := range events {
		events[i] = sold{"tea", int64(i)}
	}
	w.publish(events...)
	before := w.shop.Stats()
	n, err := bus.Trim(t.Context(), w.shop, w.shop.Now().Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, int64(2500), n)
	assert.Equal(t, int64(3), w.shop.Stats().Sub(before).Writes)
}
