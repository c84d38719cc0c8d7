package bustest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/bus"
	"souk/internal/platform/errs"
)

// Transport holds what factory makes to the contract of a transport: order per key, nothing lost and
// nothing applied twice whatever is restarted, replay, and a place that is gone when the log itself says so and never otherwise.
func Transport(t *testing.T, factory func(t *testing.T) Link) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *world){
		"events are heard once and in order":              inOrder,
		"news arrive without asking":                      newsArrive,
		"a page has what was asked for":                   pages,
		"nothing is lost or doubled by restarts":          restarts,
		"a log that is away is waited for":                away,
		"an event that fails is parked with its key":      parks,
		"what was heard can be replayed":                  replay,
		"a place that was trimmed away is gone":           trimmed,
		"a new reader of a trimmed log rebuilds":          newOfTrimmed,
		"a log of another epoch is another log":           epoch,
		"a log that was set back is noticed":              setBack,
		"a wait ends with its context, whatever it is at": waitEnds,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, factory(t)))
		})
	}
}

// Restarts is the part of Transport that restarts everything at random moments, alone: for what
// costs more to start.
func Restarts(t *testing.T, factory func(t *testing.T) Link) {
	t.Helper()
	restarts(t, newWorld(t, factory(t)))
}

// SlowReader holds a transport to the part of the contract that measures memory: 48 MiB are published while
// the reader has come to a stand. Nothing else may run beside it, so it goes into a
// test that is not parallel.
func SlowReader(t *testing.T, factory func(t *testing.T) Link) {
	t.Helper()
	backpressure(t, newWorld(t, factory(t)))
}

func inOrder(t *testing.T, w *world) {
	w.sell(700)
	w.untilHeard(700)
	assert.Equal(t, numbers(1, 700), w.heard())
	w.sell(1)
	w.untilHeard(701)
	assert.Equal(t, numbers(1, 701), w.heard())
	assert.Zero(t, w.rebuilt.Load())
}

func newsArrive(t *testing.T, w *world) {
	for n := range 20 {
		w.sell(1)
		w.untilHeard(n + 1)
	}
	assert.Equal(t, numbers(1, 20), w.heard())
}

func pages(t *testing.T, w *world) {
	w.settle()
	page := w.page(0, 10)
	assert.Empty(t, page.Events)
	assert.NotEmpty(t, page.Epoch)
	w.sell(30)
	w.settle()
	for _, after := range []int64{0, 1, 7, 29} {
		want, err := w.log.Page(t.Context(), after, 10)
		require.NoError(t, err)
		got := w.page(after, 10)
		assert.Equal(t, want.Events, got.Events, "whole, as they are in the log")
		assert.Equal(t, want.Epoch, got.Epoch)
		assert.Equal(t, want.Head, got.Head)
	}
	for _, after := range []int64{30, 31, 1000} {
		page := w.page(after, 10)
		assert.Empty(t, page.Events)
		assert.Equal(t, int64(30), page.Head)
	}
}

func restarts(t *testing.T, w *world) {
	random := seeded(t)
	mend := func() {}
	for range 60 {
		switch random.IntN(6) {
		case 0:
			w.restartShop()
		case 1:
			w.restartReader()
		case 2:
			if w.link.Break != nil {
				mend()
				mend = w.link.Break()
			}
		case 3:
			mend()
			mend = func() {}
		default:
			w.sell(1 + random.IntN(60))
		}
		if random.IntN(4) == 0 {
			mend()
			mend = func() {}
			w.untilHeard(int(w.next) - random.IntN(30))
		}
	}
	mend()
	w.sell(1)
	w.untilHeard(int(w.next))
	assert.Equal(t, numbers(1, w.next), w.heard())
	assert.Zero(t, w.rebuilt.Load(), "no place was gone")
}

func away(t *testing.T, w *world) {
	w.sell(5)
	w.untilHeard(5)
	w.settle()
	w.stopTheShop()
	w.restartReader() // finds nobody
	before, err := w.source.Page(t.Context(), 0, 1)
	if err != nil { // what keeps a copy may answer from it
		assert.Equal(t, errs.Unavailable, errs.KindOf(err), "circumstances: %v", err)
	} else {
		assert.NotEmpty(t, before.Epoch)
	}
	w.startShop()
	w.sell(5)
	w.untilHeard(10)
	assert.Equal(t, numbers(1, 10), w.heard())
	all, err := w.bus.List(t.Context())
	require.NoError(t, err)
	assert.Zero(t, all[0].Parked)
	assert.Zero(t, w.rebuilt.Load())
}

func parks(t *testing.T, w *world) {
	w.stopTheReader()
	w.handle = func(e sold) error {
		if e.N == 2 {
			return errors.New("no")
		}
		return nil
	}
	w.quiet = true
	w.startReader()
	w.sell(12) // 2, 6 and 10 are of one key
	w.settle()
	require.NoError(t, w.reached(func() error { return w.bus.Drain(t.Context()) }))
	assert.Equal(t, []int64{1, 3, 4, 5, 7, 8, 9, 11, 12}, w.heard())
	parked, err := w.bus.Show(t.Context(), subscriber, 0, 10)
	require.NoError(t, err)
	require.Len(t, parked, 3)
	assert.JSONEq(t, `{"item":"salt","n":2,"note":""}`, parked[0].Body)
}

func backpressure(t *testing.T, w *world) {
	const events, size, slack = 96, 512 << 10, 24 << 20
	w.stopTheReader()
	goOn := make(chan struct{})
	standing := make(chan struct{}, 1000)
	w.handle = func(sold) error {
		select {
		case standing <- struct{}{}:
		default:
		}
		<-goOn
		return nil
	}
	w.startReader()
	note := strings.Repeat("x", size)
	w.sellNoted(1, note)
	<-standing
	before := heap()
	w.sellNoted(events, note)
	w.settle()
	page := w.page(0, events)
	bytes := 0
	for _, e := range page.Events {
		bytes += len(e.Body)
	}
	if w.link.Settle != nil || w.link.Break != nil { // what is in one process hands out what it has
		assert.LessOrEqual(t, bytes, 8<<20, "a page is bounded in bytes")
	}
	page.Events = nil
	assert.Less(t, heap()-before, int64(slack), "a reader that stands costs no memory")
	close(goOn)
	w.untilHeard(3)
	assert.Equal(t, numbers(1, 3), w.heard()[:3])
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far from the bound
}

var operator = bus.Change{By: actor.Actor{Kind: actor.KindOperator, Person: "per_x"}, Why: "because"}

func replay(t *testing.T, w *world) {
	w.sell(50)
	w.untilHeard(50)
	w.settle()
	replay := func(after int64) error {
		return w.reached(func() error { return w.bus.Replay(t.Context(), subscriber, after, operator) })
	}
	require.NoError(t, replay(20))
	w.untilHeard(80)
	assert.Equal(t, slices.Concat(numbers(1, 50), numbers(21, 50)), w.heard())
	require.ErrorIs(t, replay(51), bus.ErrPosition)
}

// trimAll removes what the log holds, and publishes n more events.
func (w *world) trimAll(n int) {
	w.t.Helper()
	_, err := bus.Trim(w.t.Context(), w.shop, w.shop.Now().Add(time.Hour))
	require.NoError(w.t, err)
	w.sell(n)
	w.settle()
}

func trimmed(t *testing.T, w *world) {
	w.sell(5)
	w.untilHeard(5)
	w.stopTheReader()
	w.sell(5)
	w.trimAll(3)
	w.startReader()
	w.until("the reader to be rebuilt", func() bool { return w.rebuilt.Load() > 0 })
	w.sell(2)
	w.untilHeard(7)
	assert.Equal(t, []int64{1, 2, 3, 4, 5, 14, 15}, w.heard(), "it goes on from where the log ended when it was rebuilt")
	assert.Equal(t, int64(1), w.rebuilt.Load())
}

func newOfTrimmed(t *testing.T, w *world) {
	w.stopTheReader()
	w.readerDir = t.TempDir()
	w.sell(5)
	w.trimAll(3)
	w.startReader()
	w.until("the reader to be rebuilt", func() bool { return w.rebuilt.Load() > 0 })
	w.sell(2)
	w.untilHeard(2)
	assert.Equal(t, []int64{9, 10}, w.heard())
}

// becomes changes the log while its process is down, as a restore does.
func (w *world) becomes(changes ...string) {
	w.t.Helper()
	w.stopTheShop()
	link := w.link
	w.link.Serve = func(bus.Source) func() { return func() {} }
	w.startShop()
	for _, change := range changes {
		_, err := exec(w.shop, change)
		require.NoError(w.t, err)
	}
	w.stopTheShop()
	w.link = link
	w.startShop()
}

func epoch(t *testing.T, w *world) {
	w.sell(40)
	w.untilHeard(40)
	w.settle()
	w.becomes(`DELETE FROM event_log`, `UPDATE event_log_state SET epoch = 'another', head = 0`)
	w.until("the reader to be rebuilt", func() bool { return w.rebuilt.Load() > 0 })
	w.sell(60)
	w.untilHeard(100)
	assert.Equal(t, numbers(1, 100), w.heard())
	assert.Equal(t, int64(1), w.rebuilt.Load())
}

func setBack(t *testing.T, w *world) {
	w.sell(40)
	w.untilHeard(40)
	w.settle()
	w.becomes(`DELETE FROM event_log WHERE position > 30`, `UPDATE event_log_state SET head = 30`)
	w.until("the reader to be rebuilt", func() bool { return w.rebuilt.Load() > 0 })
	w.sell(5)
	w.untilHeard(45)
	assert.Equal(t, numbers(1, 45), w.heard())
	w.restartReader()
	w.sell(5)
	w.untilHeard(50)
	assert.True(t, once(w.heard()))
	assert.Equal(t, int64(1), w.rebuilt.Load())
}

func waitEnds(t *testing.T, w *world) {
	w.settle()
	page := w.page(0, 1)
	wait := func(seen bus.State) error {
		return w.reached(func() error { return w.source.Wait(t.Context(), seen) })
	}
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.source.Wait(ctx, page.State) }()
		cancel()
		require.Error(t, <-ended)
	}
	assert.NoError(t, wait(bus.State{Epoch: "another", Head: page.Head}))
	w.sell(1)
	assert.NoError(t, wait(page.State))
}
