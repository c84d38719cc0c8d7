package job_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"pgregory.net/rapid"

	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// live is a module whose runner runs within a bubble, by the bubble's clock.
type live struct {
	t    *testing.T
	db   *store.DB
	r    *job.Runner
	stop func() error // ends Run and says what it returned
}

func newLive(t *testing.T, o job.Config, handlers map[string]job.Handler) *live {
	t.Helper()
	l := &live{t: t, db: storetest.Open(t, "jobs", storetest.SQLite())}
	o.DB = l.db
	l.r = job.NewRunner(o)
	for kind, h := range handlers {
		l.r.Handle(kind, h)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.r.Run(ctx) }()
	stopped := false
	l.stop = func() error {
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if !stopped {
			require.NoError(t, l.stop())
		}
	})
	return l
}

func (l *live) enqueue(kind, key string, in time.Duration) {
	l.t.Helper()
	require.NoError(l.t, l.db.Write(context.Background(), func(tx *store.Tx) error {
		return tx.Enqueue(kind, key, tx.Now().Add(in))
	}))
}

func (l *live) list() []job.Info {
	l.t.Helper()
	all, err := job.List(context.Background(), l.db, job.Filter{})
	require.NoError(l.t, err)
	return all
}

func TestACommitWakesATimerWaitsAndNothingPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran []time.Time
		l := newLive(t, job.Config{}, map[string]job.Handler{"a.mail": func(context.Context, job.Job) error {
			ran = append(ran, time.Now())
			return nil
		}})
		synctest.Wait()
		start := time.Now()
		l.enqueue("a.mail", "now", 0)
		synctest.Wait()
		assert.Equal(t, []time.Time{start}, ran)

		l.enqueue("a.mail", "later", 90*time.Second)
		l.enqueue("a.mail", "sooner", 5*time.Second)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, []time.Time{start, start.Add(5 * time.Second), start.Add(90 * time.Second)}, ran)

		before := l.db.Stats()
		time.Sleep(30 * 24 * time.Hour)
		synctest.Wait()
		assert.Zero(t, l.db.Stats().Sub(before).Statements, "idle")
	})
}

func TestNoMoreRunAtOnceThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most, all atomic.Int64
		l := newLive(t, job.Config{Concurrency: 3}, map[string]job.Handler{"a.mail": func(context.Context, job.Job) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			all.Add(1)
			return nil
		}})
		for i := range 10 {
			l.enqueue("a.mail", fmt.Sprint(i), 0)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, int64(3), most.Load())
		assert.Equal(t, int64(10), all.Load())
		assert.Empty(t, l.list())
	})
}

func TestAJobThatIsDoneCostsOneLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, job.Config{}, map[string]job.Handler{"a.mail": func(context.Context, job.Job) error { return nil }})
		synctest.Wait()
		before := l.db.Stats()
		for i := range 5 {
			l.enqueue("a.mail", fmt.Sprint(i), 0)
			synctest.Wait()
		}
		assert.Empty(t, l.list())
		assert.Equal(t, int64(5+1), l.db.Stats().Sub(before).Reads, "one for each, and the list")
	})
}

// A job is asked for again and again while it ends.
func TestARequestAtTheEndOfARunIsNotOverlooked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, job.Config{}, map[string]job.Handler{"a.saga": func(context.Context, job.Job) error { return nil }})
		for range 100 {
			var asking sync.WaitGroup
			for range 4 {
				asking.Go(func() {
					for range 5 {
						l.enqueue("a.saga", "x", 0)
					}
				})
			}
			asking.Wait()
			synctest.Wait()
			require.Empty(t, l.list())
		}
	})
}

func TestOneJobNeverRunsTwiceAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most, all atomic.Int64
		l := newLive(t, job.Config{}, map[string]job.Handler{"a.saga": func(context.Context, job.Job) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			all.Add(1)
			return nil
		}})
		l.enqueue("a.saga", "x", 0)
		synctest.Wait()
		l.enqueue("a.saga", "x", 0)
		require.NoError(t, job.Drop(t.Context(), l.db, "a.saga", "x", operator)) // forgotten while it runs
		l.enqueue("a.saga", "x", 0)                                              // and asked for anew
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, int64(1), most.Load())
		assert.Equal(t, int64(2), all.Load())
		assert.Empty(t, l.list())
	})
}

func TestAStopLetsJobsFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		finished := false
		l := newLive(t, job.Config{Grace: 10 * time.Second}, map[string]job.Handler{"a.mail": func(ctx context.Context, _ job.Job) error {
			time.Sleep(5 * time.Second)
			finished = ctx.Err() == nil
			return nil
		}})
		l.enqueue("a.mail", "x", 0)
		l.enqueue("a.mail", "later", time.Second)
		synctest.Wait()
		require.NoError(t, l.stop())
		assert.True(t, finished, "its context lives on until the grace is over")
		assert.Len(t, l.list(), 1, "and nothing new is begun")
	})
}

func TestAStopCancelsWhatTakesTooLongAndPutsItBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, job.Config{Grace: 10 * time.Second}, map[string]job.Handler{"a.mail": func(ctx context.Context, _ job.Job) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		l.enqueue("a.mail", "x", 0)
		synctest.Wait()
		began := time.Now()
		require.NoError(t, l.stop())
		assert.Equal(t, 10*time.Second, time.Since(began))
		info := l.list()[0]
		assert.Equal(t, job.StatePending, info.State)
		assert.Zero(t, info.Tries, "it did not fail")
	})
}

func TestAStopDoesNotWaitForEverForWhatCannotBeCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l := newLive(t, job.Config{Grace: time.Second}, map[string]job.Handler{"a.mail": func(context.Context, job.Job) error {
			<-release
			return nil
		}})
		l.enqueue("a.mail", "x", 0)
		synctest.Wait()
		require.ErrorContains(t, l.stop(), "1 jobs")
		close(release)
		synctest.Wait()
	})
}

func TestARunThatTakesTooLongIsCancelledAndFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, job.Config{Timeout: time.Minute}, map[string]job.Handler{"a.mail": func(ctx context.Context, _ job.Job) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		l.enqueue("a.mail", "x", 0)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, 1, l.list()[0].Tries)
	})
}

func TestTheEndOfARunIsWrittenDownWhenTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		l := &live{}
		*l = *newLive(t, job.Config{}, map[string]job.Handler{"a.mail": func(context.Context, job.Job) error {
			if runs.Add(1) == 1 {
				_, err := exec(l.db, `ALTER TABLE jobs RENAME TO hidden`)
				return err
			}
			return nil
		}})
		l.enqueue("a.mail", "x", 0)
		time.Sleep(time.Minute)
		synctest.Wait()
		_, err := exec(l.db, `ALTER TABLE hidden RENAME TO jobs`)
		require.NoError(t, err)
		require.Len(t, l.list(), 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Empty(t, l.list())
		assert.Equal(t, int64(1), runs.Load(), "it is not run again for that")
	})
}

// One job whose end the database refuses to keep holds up no other, and is not forgotten.
func TestAnEndThatCannotBeWrittenDownHoldsUpNoOtherJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		l := newLive(t, job.Config{}, map[string]job.Handler{"a.mail": func(context.Context, job.Job) error {
			runs.Add(1)
			return nil
		}})
		_, err := exec(l.db, `CREATE TABLE holds (kind TEXT, key TEXT, FOREIGN KEY (kind, key) REFERENCES jobs (kind, key)) STRICT`)
		require.NoError(t, err)
		require.NoError(t, l.db.Write(context.Background(), func(tx *store.Tx) error {
			if err := tx.Enqueue("a.mail", "stuck", tx.Now()); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO holds (kind, key) VALUES ('a.mail', 'stuck')`)
			return err
		}))
		l.enqueue("a.mail", "other", time.Second)
		time.Sleep(time.Hour) // its lease has ended long ago
		synctest.Wait()
		assert.Equal(t, int64(2), runs.Load(), "it is not run again for that")
		require.Len(t, l.list(), 1)
		_, err = exec(l.db, `DELETE FROM holds`)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Empty(t, l.list())
		assert.Equal(t, int64(2), runs.Load())
	})
}

func exec(db *store.DB, query string, args ...any) (n int64, err error) {
	err = db.Write(context.Background(), func(tx *store.Tx) error {
		n, err = tx.Exec(query, args...)
		return err
	})
	return n, err
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := sdkmetric.NewManualReader()
	require.NoError(t, w.r.Instrument(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"), nooptrace.NewTracerProvider()))
	w.fails["x"] = job.Dead(errors.New("no"))
	w.enqueue("a.mail", "x", w.now.Now())
	w.runDue()
	w.enqueue("a.mail", "y", w.now.Now())
	w.enqueue("a.mail", "z", w.now.Now().Add(time.Hour))
	w.now.Advance(90 * time.Second)
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &got))
	values := map[string]int64{}
	for _, m := range got.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Gauge[int64]:
			values[m.Name] = data.DataPoints[0].Value
		case metricdata.Sum[int64]:
			values[m.Name] = data.DataPoints[0].Value
		}
	}
	assert.Equal(t, map[string]int64{"souk.jobs.due": 1, "souk.jobs.dead": 1, "souk.jobs.oldest": 90, "souk.jobs.runs": 1}, values)
}

// Whatever is enqueued, fails, crashes, dies, is dropped or retried, in any order: what was
// asked for and has not gone well yet is still there, and in the end it all goes well.
func TestEveryRequestIsFollowedByARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		_, err := exec(w.db, `DELETE FROM jobs`)
		require.NoError(rt, err)
		w.restart(job.Config{MaxTries: 3})
		clear(w.fails)
		asked := map[string]bool{} // by key: no run that went well has followed
		run := func() {
			w.takeRan()
			_, err := w.r.RunDue(context.Background())
			require.NoError(rt, err)
			for _, ran := range w.takeRan() {
				if key := ran[len("a.saga "):][:1]; w.fails[key] == nil {
					delete(asked, key)
				}
			}
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			key := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(rt, "key")
			switch rapid.SampledFrom([]string{"enqueue", "enqueue", "run", "run", "fail", "kill", "mend", "advance", "crash", "drop", "retry"}).Draw(rt, "do") {
			case "enqueue":
				w.enqueue("a.saga", key, w.now.Now().Add(time.Duration(rapid.IntRange(-5, 5).Draw(rt, "in"))*time.Second))
				asked[key] = true
			case "run":
				run()
			case "fail":
				w.fails[key] = errors.New("no")
			case "kill":
				w.fails[key] = job.Dead(errors.New("no"))
			case "mend":
				delete(w.fails, key)
			case "advance":
				w.now.Advance(time.Duration(rapid.IntRange(1, 5000).Draw(rt, "ms")) * time.Millisecond)
			case "crash":
				_, err := exec(w.db, `UPDATE jobs SET state = 'running', tries = tries + 1, fence = fence + 1,
					started_generation = generation WHERE state = 'pending' AND run_at <= ?`, w.now.Now())
				require.NoError(rt, err)
				w.restart(job.Config{MaxTries: 3})
			case "drop":
				if err := job.Drop(context.Background(), w.db, "a.saga", key, operator); !errors.Is(err, job.ErrNoJob) {
					require.NoError(rt, err)
				}
				delete(asked, key)
			case "retry":
				err := job.Retry(context.Background(), w.db, "a.saga", key, operator)
				if !errors.Is(err, job.ErrNoJob) && !errors.Is(err, job.ErrRunning) {
					require.NoError(rt, err)
				}
			}
			left := map[string]bool{}
			for _, j := range w.list() {
				left[j.Key] = true
			}
			require.Equal(rt, asked, left, "there is a job for what was asked for, and no other")
		}
		clear(w.fails)
		w.now.Advance(24 * time.Hour)
		run()
		for _, j := range w.list() {
			require.Equal(rt, job.StateDead, j.State)
			require.NoError(rt, job.Retry(context.Background(), w.db, j.Kind, j.Key, operator))
		}
		run()
		require.Empty(rt, asked)
		require.Empty(rt, w.list())
	})
}

func BenchmarkJobs(b *testing.B) {
	db := storetest.Open(b, "jobs", storetest.Once(), storetest.With(func(o *store.Options) { o.NoSync = false }))
	r := job.NewRunner(job.Config{DB: db})
	left := make(chan struct{}, b.N)
	r.Handle("a.mail", func(context.Context, job.Job) error {
		left <- struct{}{}
		return nil
	})
	require.NoError(b, db.Write(b.Context(), func(tx *store.Tx) error {
		for i := range b.N {
			if err := tx.Enqueue("a.mail", fmt.Sprint(i), tx.Now()); err != nil {
				return err
			}
		}
		return nil
	}))
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	b.ResetTimer()
	go func() { done <- r.Run(ctx) }()
	for range b.N {
		<-left
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	cancel()
	require.NoError(b, <-done)
}
