package bus_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"souk/internal/platform/actor"
	"souk/internal/platform/bus"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shopLog bus.Log = "shop"

// sold and closed are what the shop publishes; hearing of them is what is tested.
type sold struct {
	Item string `json:"item"`
	N    int64  `json:"n"`
}

func (sold) EventName() string  { return "shop.sold.v1" }
func (e sold) EventKey() string { return e.Item }

type closed struct{}

func (closed) EventName() string { return "shop.closed.v1" }
func (closed) EventKey() string  { return "shop" }

var operator = bus.Change{By: actor.Actor{Kind: actor.KindOperator, Person: "per_x"}, Why: "because"}

// world is a shop that publishes and a reader that writes down what it hears.
type world struct {
	t       testing.TB
	shop    *store.DB
	reader  *store.DB
	source  bus.Source
	b       *bus.Bus
	s       *bus.Subscriber
	failing map[int64]error // by sold.N
}

func newWorld(t testing.TB, options ...storetest.Option) *world {
	t.Helper()
	w := &world{t: t, shop: storetest.Open(t, "shop", options...), reader: storetest.Open(t, "reader", options...), failing: map[int64]error{}}
	heard := `CREATE TABLE heard (id INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL, n INTEGER NOT NULL) STRICT`
	if w.reader.Shared() {
		heard = `CREATE TABLE heard (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item TEXT NOT NULL, n BIGINT NOT NULL)`
	}
	_, err := exec(w.reader, heard)
	require.NoError(t, err)
	w.source = bus.LocalSource(w.shop)
	w.restart()
	return w
}

// restart makes a new bus on the same databases, as the next process would.
func (w *world) restart() {
	w.b = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source}, Batch: 16})
	w.s = w.subscribe(w.b)
}

func (w *world) subscribe(b *bus.Bus) *bus.Subscriber {
	s := bus.NewSubscriber(b, "reader.sales", shopLog, w.reader)
	bus.On(s, func(tx *store.Tx, e sold) error {
		// First the effect, then the failure: nothing of it may remain.
		if _, err := tx.Exec(`INSERT INTO heard (item, n) VALUES (?, ?)`, e.Item, e.N); err != nil {
			return err
		}
		return w.failing[e.N]
	})
	return s
}

func exec(db *store.DB, query string, args ...any) (n int64, err error) {
	err = db.Write(context.Background(), func(tx *store.Tx) error {
		n, err = tx.Exec(query, args...)
		return err
	})
	return n, err
}

func (w *world) publish(events ...store.Event) {
	w.t.Helper()
	require.NoError(w.t, w.shop.Write(w.t.Context(), func(tx *store.Tx) error { return tx.Publish(events...) }))
}

// sell publishes one sale per number, of the item.
func (w *world) sell(item string, numbers ...int64) {
	w.t.Helper()
	for _, n := range numbers {
		w.publish(sold{Item: item, N: n})
	}
}

func (w *world) drain() {
	w.t.Helper()
	require.NoError(w.t, w.b.Drain(w.t.Context()))
}

func (w *world) heard() []int64 { return w.heardOf("%") }

func (w *world) heardOf(item string) []int64 {
	w.t.Helper()
	numbers := []int64{}
	require.NoError(w.t, w.reader.Read(w.t.Context(), func(q store.Queryer) error {
		return q.Select(&numbers, `SELECT n FROM heard WHERE item LIKE ? ORDER BY id`, item)
	}))
	return numbers
}

func (w *world) status() bus.Status {
	w.t.Helper()
	all, err := w.b.List(w.t.Context())
	require.NoError(w.t, err)
	require.Len(w.t, all, 1)
	s := all[0]
	if s.State != "new" {
		assert.Equal(w.t, s.Position-s.Start, s.Applied+s.Skipped+s.Parked, "every position passed is accounted for")
		assert.Len(w.t, w.parked(), int(s.Parked), "what is counted as parked lies there")
	}
	return s
}

func (w *world) parked() []bus.Parked {
	w.t.Helper()
	parked, err := w.b.Show(w.t.Context(), "reader.sales", 0, 1000)
	require.NoError(w.t, err)
	return parked
}

func (w *world) audits(action string) int {
	w.t.Helper()
	n := 0
	require.NoError(w.t, w.reader.Read(w.t.Context(), func(q store.Queryer) error {
		return q.Get(&n, `SELECT COUNT(*) FROM audit_log WHERE action = ?`, action)
	}))
	return n
}

func TestEventsAreAppliedOnceInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	assert.Equal(t, "new", w.status().State)
	w.sell("tea", 1, 2, 3)
	w.drain()
	w.drain()
	w.sell("tea", 4)
	w.drain()
	assert.Equal(t, []int64{1, 2, 3, 4}, w.heard())
	s := w.status()
	assert.Equal(t, int64(4), s.Applied)
	assert.Equal(t, int64(4), s.Position)
	assert.Zero(t, s.Lag)
	assert.Equal(t, "following", s.State)
}

func TestANewBusGoesOnWhereTheLastOneWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1, 2)
	w.drain()
	w.sell("tea", 3)
	w.restart()
	w.drain()
	assert.Equal(t, []int64{1, 2, 3}, w.heard())
}

func TestUnknownEventsAreSkippedAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(sold{"tea", 1}, closed{}, sold{"tea", 2}, closed{})
	w.drain()
	assert.Equal(t, []int64{1, 2}, w.heard())
	assert.Equal(t, int64(2), w.status().Skipped)
}

func TestManyEventsShareOneWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Once())
	w.drain()
	events := make([]store.Event, 64)
	for i := range events {
		events[i] = sold{"tea", int64(i)}
	}
	w.publish(events...)
	before := w.reader.Stats()
	w.drain()
	assert.Len(t, w.heard(), 64)
	// Four batches of sixteen; a slow machine may cut one short.
	assert.Less(t, w.reader.Stats().Sub(before).Writes, int64(64))
}

func TestWhatASubscriberPublishesIsHeardInTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const readerLog bus.Log = "reader"
	b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source, readerLog: bus.LocalSource(w.reader)}})
	var heard int64
	echo := bus.NewSubscriber(b, "shop.echo", readerLog, w.shop) // registered first, heard last
	bus.On(echo, func(_ *store.Tx, e sold) error { heard = e.N; return nil })
	first := bus.NewSubscriber(b, "reader.forward", shopLog, w.reader)
	bus.On(first, func(tx *store.Tx, e sold) error { return tx.Publish(sold{e.Item, e.N * 10}) })
	w.sell("tea", 7)
	require.NoError(t, b.Drain(t.Context()))
	assert.Equal(t, int64(70), heard)
}

func TestAnEventThatFailsIsParkedWithAllLaterOnesOfItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.failing[2] = errors.New("no")
	w.sell("tea", 1, 2, 3)
	w.sell("rice", 10)
	w.sell("tea", 4)
	w.sell("rice", 11)
	w.drain()
	assert.Equal(t, []int64{1, 10, 11}, w.heard(), "other keys go on, in order")
	parked := w.parked()
	require.Len(t, parked, 3)
	assert.Equal(t, int64(2), parked[0].Position)
	assert.Equal(t, "no", parked[0].Error)
	assert.Equal(t, int64(bus.MaxTries), parked[0].Tries)
	assert.JSONEq(t, `{"item":"tea","n":2}`, parked[0].Body)
	assert.Equal(t, int64(3), parked[1].Position)
	assert.Empty(t, parked[1].Error, "it only waits")
	assert.Equal(t, int64(3), w.status().Parked)

	t.Run("also those that come later, and after a restart", func(t *testing.T) {
		w.restart()
		w.sell("tea", 5)
		w.sell("rice", 12)
		w.drain()
		assert.Equal(t, []int64{1, 10, 11, 12}, w.heard())
		assert.Equal(t, int64(4), w.status().Parked)
	})
	t.Run("retry leaves them while the cause stands", func(t *testing.T) {
		got, err := w.b.Retry(t.Context(), "reader.sales", "tea", operator)
		require.NoError(t, err)
		assert.Equal(t, bus.Drained{Left: 4, Error: "no"}, got)
		assert.Equal(t, int64(bus.MaxTries+1), w.parked()[0].Tries)
	})
	t.Run("retry drains the key in order", func(t *testing.T) {
		delete(w.failing, 2)
		got, err := w.b.Retry(t.Context(), "reader.sales", "tea", operator)
		require.NoError(t, err)
		assert.Equal(t, bus.Drained{Applied: 4}, got)
		assert.Equal(t, []int64{1, 2, 3, 4, 5}, w.heardOf("tea"))
		w.sell("tea", 6)
		w.drain()
		assert.Equal(t, []int64{1, 2, 3, 4, 5, 6}, w.heardOf("tea"))
		assert.Zero(t, w.status().Parked)
		assert.Equal(t, 2, w.audits("events.retry"))
	})
	t.Run("and then there is nothing to retry", func(t *testing.T) {
		_, err := w.b.Retry(t.Context(), "reader.sales", "tea", operator)
		require.ErrorIs(t, err, bus.ErrNotParked)
		_, err = w.b.Skip(t.Context(), "reader.sales", "tea", operator)
		require.ErrorIs(t, err, bus.ErrNotParked)
	})
}

func TestSkipDropsTheFirstAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.failing[2], w.failing[4] = errors.New("no"), errors.New("neither")
	w.sell("tea", 1, 2, 3, 4, 5)
	w.drain()
	got, err := w.b.Skip(t.Context(), "reader.sales", "tea", operator)
	require.NoError(t, err)
	assert.Equal(t, bus.Drained{Applied: 1, Skipped: 1, Left: 2, Error: "neither"}, got)
	got, err = w.b.Skip(t.Context(), "reader.sales", "tea", operator)
	require.NoError(t, err)
	assert.Equal(t, bus.Drained{Applied: 1, Skipped: 1}, got)
	assert.Equal(t, []int64{1, 3, 5}, w.heard())
	assert.Equal(t, int64(2), w.status().Skipped)
	assert.Equal(t, 2, w.audits("events.skip"))
}

func TestRetryAllTakesUpEveryKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range int64(4) {
		w.failing[n] = errors.New("no")
	}
	w.sell("tea", 0, 10)
	w.sell("rice", 1, 11)
	w.sell("salt", 2)
	w.sell("", 3, 13) // an empty key is a key
	w.drain()
	assert.Empty(t, w.heard())
	delete(w.failing, 0)
	delete(w.failing, 3)
	got, err := w.b.RetryAll(t.Context(), "reader.sales", operator)
	require.NoError(t, err)
	assert.Equal(t, bus.Drained{Applied: 4, Left: 3, Error: "no"}, got)
	assert.Equal(t, []int64{0, 10, 3, 13}, w.heard())
	assert.Equal(t, int64(3), w.status().Parked)
}

func TestALongKeyIsDrainedInSeveralWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.failing[0] = errors.New("no")
	want := []int64{}
	var events []store.Event
	for n := range int64(250) {
		want, events = append(want, n), append(events, sold{"tea", n})
	}
	w.publish(events...)
	w.drain()
	assert.Equal(t, int64(250), w.status().Parked)
	delete(w.failing, 0)
	got, err := w.b.Retry(t.Context(), "reader.sales", "tea", operator)
	require.NoError(t, err)
	assert.Equal(t, 250, got.Applied)
	assert.Equal(t, want, w.heard())
	assert.Equal(t, 1, w.audits("events.retry"))
	w.status()
}

func TestWhatAHandlerBreaksIsTheEventsOwnFault(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(db *store.DB, tx *store.Tx) error{
		"a panic":            func(*store.DB, *store.Tx) error { panic("no") },
		"an ended goroutine": func(*store.DB, *store.Tx) error { runtime.Goexit(); return nil },
		"a refusal":          func(*store.DB, *store.Tx) error { return errs.Refusal(errs.Conflict, "reader.no") },
		"a defect in SQL": func(_ *store.DB, tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO nowhere VALUES (1)`)
			return err
		},
		"a Write inside": func(db *store.DB, _ *store.Tx) error {
			_, err := exec(db, `DELETE FROM heard`)
			return err
		},
		"the transaction ended": func(_ *store.DB, tx *store.Tx) error {
			_, err := tx.Exec(`INSERT OR ROLLBACK INTO fuse (n) VALUES (1)`)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := exec(w.reader, `CREATE TABLE fuse (n INTEGER PRIMARY KEY)`)
			require.NoError(t, err)
			_, err = exec(w.reader, `INSERT INTO fuse (n) VALUES (1)`)
			require.NoError(t, err)
			w.b = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source}})
			s := bus.NewSubscriber(w.b, "reader.sales", shopLog, w.reader)
			bus.On(s, func(tx *store.Tx, e sold) error {
				if _, err := tx.Exec(`INSERT INTO heard (item, n) VALUES (?, ?)`, e.Item, e.N); err != nil {
					return err
				}
				if e.N%2 == 1 {
					return broken(w.reader, tx)
				}
				return nil
			})
			w.sell("tea", 0, 1, 2)
			w.sell("rice", 4, 5, 6)
			w.sell("salt", 8)
			w.drain()
			assert.Equal(t, []int64{0, 4, 8}, w.heard())
			parked := w.parked()
			require.Len(t, parked, 4)
			assert.NotEmpty(t, parked[0].Error)
			assert.Equal(t, int64(4), w.status().Parked)

			got, err := w.b.Skip(t.Context(), "reader.sales", "tea", operator)
			require.NoError(t, err)
			assert.Equal(t, bus.Drained{Applied: 1, Skipped: 1}, got)
			got, err = w.b.Retry(t.Context(), "reader.sales", "rice", operator)
			require.NoError(t, err)
			assert.Equal(t, 2, got.Left)
			assert.NotEmpty(t, got.Error)
			w.status()
		})
	}
}

func TestABodyThatCannotBeReadIsParked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sell("tea", 1)
	_, err := exec(w.shop, `UPDATE event_log SET body = '{"n":"many"}'`)
	require.NoError(t, err)
	w.drain()
	require.Len(t, w.parked(), 1)
}

func TestCircumstancesParkNothing(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"unavailable": errs.Refusal(errs.Unavailable, "reader.away"),
		"full":        fmt.Errorf("write down: %w", store.ErrFull),
		"locked":      store.ErrLocked,
		"cancelled":   context.Canceled,
		"unknown":     errs.Refusal(errs.Unknown, "reader.perhaps"),
		"exhausted":   errs.Refusal(errs.Exhausted, "reader.quota"),
		"corrupt":     store.ErrCorrupt,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.failing[2] = cause
			w.sell("tea", 1, 2, 3)
			w.sell("rice", 4)
			for range bus.MaxTries + 1 {
				require.ErrorIs(t, w.b.Drain(t.Context()), cause)
			}
			assert.Equal(t, []int64{1}, w.heard(), "what went well before it stays")
			s := w.status()
			assert.Equal(t, "waiting", s.State)
			assert.NotEmpty(t, s.Error)
			assert.Equal(t, int64(1), s.Position)
			assert.Equal(t, int64(3), s.Lag)
			delete(w.failing, 2)
			w.drain()
			assert.Equal(t, []int64{1, 2, 3, 4}, w.heard())
			assert.Equal(t, "following", w.status().State)
			assert.Empty(t, w.status().Error)
		})
	}
}

func TestTriesOutliveTheProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.failing[1] = errors.New("no")
	w.sell("tea", 1)
	ctx, cancel := context.WithCancel(t.Context())
	b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source}})
	calls := 0
	s := bus.NewSubscriber(b, "reader.sales", shopLog, w.reader)
	bus.On(s, func(*store.Tx, sold) error {
		if calls++; calls == 2*3 { // every function runs twice
			cancel() // the process ends after the third try
		}
		return errors.New("no")
	})
	require.Error(t, b.Drain(ctx))
	require.Equal(t, int64(2), w.status().Tries, "the third was given up with its context")
	w.drain()
	require.Len(t, w.parked(), 1)
	assert.Equal(t, int64(bus.MaxTries), w.parked()[0].Tries)
}
