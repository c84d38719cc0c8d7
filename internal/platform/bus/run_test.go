package bus_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/bus"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// running starts the world's bus within a bubble and stops it at the test's end.
func (w *world) running() {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error)
	go func() { done <- w.b.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		require.NoError(w.t, <-done)
	})
}

func TestACommitWakesAndNothingPollsWhileIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite())
		w.running()
		synctest.Wait()
		w.sell("tea", 1)
		synctest.Wait()
		assert.Equal(t, []int64{1}, w.heard())
		w.sell("tea", 2, 3)
		synctest.Wait()
		assert.Equal(t, []int64{1, 2, 3}, w.heard())

		shop, reader := w.shop.Stats(), w.reader.Stats()
		time.Sleep(24 * time.Hour) // of the bubble's clock
		synctest.Wait()
		assert.Zero(t, w.shop.Stats().Sub(shop).Statements)
		assert.Zero(t, w.reader.Stats().Sub(reader).Statements)
	})
}

func TestWhatIsHeardIsNotLookedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite())
		w.running()
		synctest.Wait()
		w.sell("tea", 1)
		synctest.Wait()
		before := w.shop.Stats()
		w.sell("tea", 2)
		synctest.Wait()
		assert.Equal(t, []int64{1, 2}, w.heard())
		assert.Equal(t, int64(1), w.shop.Stats().Sub(before).Reads)
	})
}

func TestASubscriberLingersForMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite())
		w.s.Linger(time.Second)
		w.running()
		synctest.Wait()
		before := w.reader.Stats()
		for i := range int64(5) {
			w.sell("tea", i)
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			assert.Empty(t, w.heard())
		}
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, []int64{0, 1, 2, 3, 4}, w.heard())
		assert.Equal(t, int64(1), w.reader.Stats().Sub(before).Writes)

		w.sell("tea", 5)
		synctest.Wait()
		began := time.Now()
		w.drain()
		assert.Equal(t, []int64{0, 1, 2, 3, 4, 5}, w.heard())
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, time.Minute, time.Since(began), "who drains does not wait")

		require.NoError(t, w.b.Replay(t.Context(), "reader.sales", 3, operator))
		synctest.Wait()
		assert.Equal(t, []int64{0, 1, 2, 3, 4, 5, 3, 4, 5}, w.heard(), "nor does who is sent back")
	})
}

func TestAFailingEventIsTriedWithPausesAndThenParked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite())
		w.failing[1] = errors.New("no")
		w.running()
		w.sell("tea", 1)
		w.sell("rice", 2)
		synctest.Wait()
		assert.Equal(t, "retrying", w.status().State)
		assert.Equal(t, int64(1), w.status().Tries)
		assert.Empty(t, w.heard(), "the others wait behind it")
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, int64(1), w.status().Tries, "there is a pause")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, int64(1), w.status().Parked)
		assert.Equal(t, []int64{2}, w.heard())
	})
}

func TestCircumstancesStopOneSubscriberAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.Once(), storetest.SQLite())
		var away atomic.Bool
		away.Store(true)
		var others atomic.Int64
		stuck := bus.NewSubscriber(w.b, "reader.stuck", shopLog, w.reader)
		var tries atomic.Int64
		bus.On(stuck, func(*store.Tx, sold) error {
			tries.Add(1)
			if away.Load() {
				return errs.Refusal(errs.Unavailable, "reader.away")
			}
			others.Add(1)
			return nil
		})
		w.running()
		w.sell("tea", 1, 2)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, []int64{1, 2}, w.heard())
		assert.Less(t, tries.Load(), int64(200), "its pauses grow")
		assert.Greater(t, tries.Load(), int64(100), "but it does not give up")
		away.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, int64(2), others.Load())
		parked, err := w.b.Show(t.Context(), "reader.stuck", 0, 10)
		require.NoError(t, err)
		assert.Empty(t, parked)
	})
}

func TestReplayWakesASubscriberThatLostItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite())
		w.sell("tea", 1)
		w.drain()
		waysToLoseAPlace["another epoch"](t, w)
		w.restart()
		w.running()
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, "gone", w.status().State)
		before := time.Now()
		require.NoError(t, w.b.Replay(t.Context(), "reader.sales", 0, operator))
		synctest.Wait()
		assert.Equal(t, []int64{1, 1}, w.heard())
		assert.Equal(t, before, time.Now(), "at once, not after its pause")

		require.NoError(t, w.b.Replay(t.Context(), "reader.sales", 0, operator), "also while it is idle")
		synctest.Wait()
		assert.Equal(t, []int64{1, 1, 1}, w.heard())
	})
}

func TestASourceOutOfReachIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite())
		far := &flaky{Source: w.source}
		far.down.Store(true)
		w.b = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: far}})
		w.subscribe(w.b)
		w.running()
		w.sell("tea", 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Empty(t, w.heard())
		assert.Equal(t, int64(-1), w.status().Lag)
		far.down.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int64{1}, w.heard())
	})
}

type flaky struct {
	bus.Source
	down atomic.Bool
}

var errDown = errs.Refusal(errs.Unavailable, "test.down")

func (f *flaky) Page(ctx context.Context, after int64, limit int) (bus.Page, error) {
	if f.down.Load() {
		return bus.Page{}, errDown
	}
	return f.Source.Page(ctx, after, limit)
}

// Two buses stand for two processes: whoever moves the cursor has applied the event.
func TestTwoBusesApplyEachEventOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: bus.LocalSource(w.shop)}, Batch: 5})
	w.subscribe(other)
	const n = 300
	done := make(chan error, 3)
	go func() {
		for i := range int64(n) {
			if err := w.shop.Write(context.Background(), func(tx *store.Tx) error { return tx.Publish(sold{"tea", i}) }); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for _, b := range []*bus.Bus{w.b, other} {
		go func() {
			for {
				if err := b.Drain(context.Background()); err != nil {
					done <- err
					return
				}
				if all, err := b.List(context.Background()); err != nil || all[0].Position == n {
					done <- err
					return
				}
			}
		}()
	}
	for range 3 {
		require.NoError(t, <-done)
	}
	want := make([]int64, n)
	for i := range want {
		want[i] = int64(i)
	}
	assert.Equal(t, want, w.heard())
	assert.Equal(t, int64(n), w.status().Applied)
}

func TestAnEventsTraceGoesOnInWhatItLeadsTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.b = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source}})
	s := bus.NewSubscriber(w.b, "reader.sales", shopLog, w.reader)
	var inside trace.SpanContext
	bus.On(s, func(tx *store.Tx, e sold) error {
		inside = trace.SpanContextFromContext(tx.Context())
		return tx.Enqueue("reader.later", e.Item, tx.Now())
	})
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := propagation.TraceContext{}.Extract(t.Context(), propagation.MapCarrier{"traceparent": parent})
	require.NoError(t, w.shop.Write(ctx, func(tx *store.Tx) error { return tx.Publish(sold{"tea", 1}) }))
	w.sell("rice", 2) // of no trace
	w.drain()
	assert.False(t, inside.IsValid())
	var traces []string
	require.NoError(t, w.reader.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&traces, `SELECT trace FROM jobs ORDER BY key`)
	}))
	require.Len(t, traces, 2)
	assert.Empty(t, traces[0])
	assert.Contains(t, traces[1], "0af7651916cd43dd8448eb211c80319c")
}

func TestMetricsSayLagAndWhatIsParked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := sdkmetric.NewManualReader()
	require.NoError(t, w.b.Instrument(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")))
	w.failing[1] = errors.New("no")
	w.sell("tea", 1, 2)
	w.drain()
	w.sell("tea", 3)
	w.sell("rice", 4)
	w.sell("salt", 5)
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &got))
	values := map[string]int64{}
	for _, m := range got.ScopeMetrics[0].Metrics {
		point := m.Data.(metricdata.Gauge[int64]).DataPoints[0]
		values[m.Name] = point.Value
		name, ok := point.Attributes.Value(attribute.Key("subscriber"))
		require.True(t, ok)
		assert.Equal(t, "reader.sales", name.AsString())
	}
	assert.Equal(t, map[string]int64{"souk.events.lag": 3, "souk.events.parked": 2, "souk.events.following": 1}, values)
}

func BenchmarkApply(b *testing.B) {
	w := newWorld(b, storetest.Once(), storetest.With(func(o *store.Options) { o.NoSync = false }))
	w.b = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source}})
	w.subscribe(w.b)
	events := make([]store.Event, 0, 1000)
	for n := range b.N {
		events = append(events, sold{"tea", int64(n)})
		if len(events) == cap(events) || n == b.N-1 {
			w.publish(events...)
			events = events[:0]
		}
	}
	before := w.reader.Stats()
	b.ResetTimer()
	require.NoError(b, w.b.Drain(b.Context()))
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.N)/float64(w.reader.Stats().Sub(before).Commits), "events/commit")
}
