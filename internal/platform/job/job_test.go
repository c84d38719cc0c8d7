package job_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/job"
	"souk/internal/platform/reqid"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var operator = job.Change{By: actor.Actor{Kind: actor.KindOperator, Person: "per_x"}, Why: "because"}

// world is a module with work to do: jobs write down that they ran, and then do as told.
type world struct {
	t   testing.TB
	db  *store.DB
	now *clock.Manual
	r   *job.Runner

	mu    sync.Mutex
	ran   []string         // "kind key try"
	fails map[string]error // by key
}

func newWorld(t testing.TB, options ...storetest.Option) *world {
	t.Helper()
	w := &world{t: t, now: clock.NewManual(1_000_000), fails: map[string]error{}}
	w.db = storetest.Open(t, "jobs", append(options, storetest.Clock(w.now.Now))...)
	w.restart(job.Config{})
	return w
}

// restart makes a new runner, as the next process would.
func (w *world) restart(o job.Config) {
	o.DB, o.Rand = w.db, func() float64 { return 0 }
	w.r = job.NewRunner(o)
	for _, kind := range []string{"a.mail", "a.saga"} {
		w.r.Handle(kind, func(_ context.Context, j job.Job) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ran = append(w.ran, fmt.Sprintf("%s %s %d", j.Kind, j.Key, j.Tries))
			return w.fails[j.Key]
		})
	}
}

func (w *world) enqueue(kind, key string, at clock.Time) {
	w.t.Helper()
	require.NoError(w.t, w.db.Write(w.t.Context(), func(tx *store.Tx) error { return tx.Enqueue(kind, key, at) }))
}

func (w *world) runDue() int {
	w.t.Helper()
	n, err := w.r.RunDue(w.t.Context())
	require.NoError(w.t, err)
	return n
}

// takeRan is what ran since the last time.
func (w *world) takeRan() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ran := w.ran
	w.ran = nil
	return ran
}

func (w *world) list() []job.Info {
	w.t.Helper()
	all, err := job.List(w.t.Context(), w.db, job.Filter{})
	require.NoError(w.t, err)
	return all
}

func TestJobsRunWhenTheyAreDueAndThenAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.now.Now()
	w.enqueue("a.mail", "late", now.Add(time.Minute))
	w.enqueue("a.saga", "second", now)
	w.enqueue("a.mail", "first", now.Add(-time.Minute))
	assert.Equal(t, 2, w.runDue())
	assert.Equal(t, []string{"a.mail first 1", "a.saga second 1"}, w.takeRan())
	assert.Zero(t, w.runDue())
	w.now.Advance(time.Minute)
	assert.Equal(t, 1, w.runDue())
	assert.Empty(t, w.list())
}

func TestAJobThatIsNotHandledWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("a.other", "x", w.now.Now())
	assert.Zero(t, w.runDue())
	require.Len(t, w.list(), 1)
	n, err := job.NewRunner(job.Config{DB: w.db}).RunDue(t.Context())
	require.NoError(t, err, "a runner without handlers has nothing to do")
	assert.Zero(t, n)
}

func TestAFailureIsTriedAgainWithGrowingPausesAndDiesInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.restart(job.Config{MaxTries: 4})
	w.fails["x"] = errors.New("no")
	w.enqueue("a.mail", "x", w.now.Now())
	for try, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		assert.Equal(t, 1, w.runDue())
		info := w.list()[0]
		assert.Equal(t, job.StatePending, info.State)
		assert.Equal(t, try+1, info.Tries)
		assert.Equal(t, "no", info.Error)
		assert.Equal(t, pause, info.RunAt.Sub(w.now.Now()))
		w.now.Advance(pause - time.Millisecond)
		assert.Zero(t, w.runDue())
		w.now.Advance(time.Millisecond)
	}
	assert.Equal(t, 1, w.runDue())
	assert.Equal(t, job.StateDead, w.list()[0].State)
	w.now.Advance(24 * time.Hour)
	assert.Zero(t, w.runDue())
	stats, err := w.r.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []job.Stats{{Kind: "a.mail", Dead: 1}}, stats)

	t.Run("until somebody retries it", func(t *testing.T) {
		delete(w.fails, "x")
		w.takeRan()
		require.NoError(t, job.Retry(t.Context(), w.db, "a.mail", "x", operator))
		assert.Equal(t, 1, w.runDue())
		assert.Equal(t, []string{"a.mail x 1"}, w.takeRan())
		assert.Empty(t, w.list())
	})
}

// An error's text is kept whatever is in it, by either engine.
func TestAFailureIsKeptWhateverItsText(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB, string, ...storetest.Option) *store.DB{
		"where the tests are": storetest.Open, "on PostgreSQL": storetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, "jobs")
			r := job.NewRunner(job.Config{DB: db})
			r.Handle("a.mail", func(context.Context, job.Job) error { return errors.New("the provider said: a\x00b\xffc") })
			require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.Enqueue("a.mail", "x", tx.Now()) }))
			_, err := r.RunDue(t.Context())
			require.NoError(t, err)
			all, err := job.List(t.Context(), db, job.Filter{})
			require.NoError(t, err)
			require.Len(t, all, 1)
			assert.Equal(t, "the provider said: a\uFFFDb\uFFFDc", all[0].Error)
		})
	}
}

func TestADeadJobLivesWhenItIsEnqueuedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fails["x"] = job.Dead(errors.New("no such address"))
	w.enqueue("a.mail", "x", w.now.Now())
	assert.Equal(t, 1, w.runDue())
	info := w.list()[0]
	assert.Equal(t, job.StateDead, info.State, "at once")
	assert.Equal(t, "no such address", info.Error)
	delete(w.fails, "x")
	w.enqueue("a.mail", "x", w.now.Now())
	assert.Equal(t, 1, w.runDue())
	assert.Empty(t, w.list())
}

func TestAgainIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fails["x"] = errors.New("no")
	w.enqueue("a.saga", "x", w.now.Now())
	w.runDue()
	w.now.Advance(time.Minute)
	w.fails["x"] = fmt.Errorf("not yet: %w", job.Again(w.now.Now().Add(time.Hour)))
	w.runDue()
	info := w.list()[0]
	assert.Equal(t, 0, info.Tries, "it ends a series of failures")
	assert.Empty(t, info.Error)
	assert.Equal(t, w.now.Now().Add(time.Hour), info.RunAt)

	t.Run("and never at once", func(t *testing.T) {
		w.fails["x"] = job.Again(0)
		w.now.Advance(time.Hour)
		assert.Equal(t, 1, w.runDue())
		w.now.Advance(time.Millisecond)
		assert.Equal(t, 1, w.runDue())
	})
}

func TestPanicsAndEndedGoroutinesAreFailures(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]job.Handler{
		"a panic":            func(context.Context, job.Job) error { panic("boom") },
		"an ended goroutine": func(context.Context, job.Job) error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.r = job.NewRunner(job.Config{DB: w.db})
			w.r.Handle("a.bad", h)
			w.r.Handle("a.good", func(context.Context, job.Job) error { return nil })
			w.enqueue("a.bad", "x", w.now.Now())
			w.enqueue("a.good", "x", w.now.Now())
			assert.Equal(t, 2, w.runDue())
			left := w.list()
			require.Len(t, left, 1)
			assert.NotEmpty(t, left[0].Error)
		})
	}
}

func TestAJobEnqueuedWhileItRunsRunsOnceMore(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]error{
		"after success": nil,
		"after failure": errors.New("no"),
		"after again":   job.Again(9_000_000),
		"after death":   job.Dead(errors.New("no")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.r = job.NewRunner(job.Config{DB: w.db})
			runs := 0
			w.r.Handle("a.saga", func(_ context.Context, j job.Job) error {
				if runs++; runs > 1 {
					return nil
				}
				w.enqueue("a.saga", j.Key, w.now.Now())
				return result
			})
			w.enqueue("a.saga", "x", w.now.Now())
			assert.Equal(t, 2, w.runDue())
			assert.Equal(t, 2, runs)
			assert.Empty(t, w.list())
		})
	}
	t.Run("at the time asked for", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.r = job.NewRunner(job.Config{DB: w.db})
		w.r.Handle("a.saga", func(_ context.Context, j job.Job) error {
			w.enqueue("a.saga", j.Key, w.now.Now().Add(time.Hour))
			return nil
		})
		w.enqueue("a.saga", "x", w.now.Now())
		assert.Equal(t, 1, w.runDue())
		assert.Equal(t, w.now.Now().Add(time.Hour), w.list()[0].RunAt)
	})
}

func TestWhatJobsEnqueueRunsInTheSameRunDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.r = job.NewRunner(job.Config{DB: w.db})
	w.r.Handle("a.first", func(_ context.Context, j job.Job) error {
		w.enqueue("a.next", j.Key, w.now.Now())
		w.enqueue("a.next", "later", w.now.Now().Add(time.Second))
		return nil
	})
	w.r.Handle("a.next", func(context.Context, job.Job) error { return nil })
	w.enqueue("a.first", "x", w.now.Now())
	assert.Equal(t, 2, w.runDue())
	require.Len(t, w.list(), 1)
}

func TestADroppedRunIsFenced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.r = job.NewRunner(job.Config{DB: w.db})
	var before, after, anew error
	fence := func(j job.Job) error { return w.db.Write(t.Context(), j.Fence) }
	w.r.Handle("a.saga", func(ctx context.Context, j job.Job) error {
		before = fence(j)
		if err := job.Drop(ctx, w.db, j.Kind, j.Key, operator); err != nil {
			return err
		}
		after = fence(j)
		return nil
	})
	w.enqueue("a.saga", "x", w.now.Now())
	assert.Equal(t, 1, w.runDue())
	require.NoError(t, before)
	require.ErrorIs(t, after, job.ErrFenced)
	assert.Empty(t, w.list())

	t.Run("also when it was enqueued anew", func(t *testing.T) {
		w.r = job.NewRunner(job.Config{DB: w.db})
		runs := 0
		w.r.Handle("a.saga", func(ctx context.Context, j job.Job) error {
			if runs++; runs > 1 {
				return nil
			}
			if err := job.Drop(ctx, w.db, j.Kind, j.Key, operator); err != nil {
				return err
			}
			w.enqueue(j.Kind, j.Key, w.now.Now())
			anew = fence(j)
			return nil
		})
		w.enqueue("a.saga", "x", w.now.Now())
		assert.Equal(t, 2, w.runDue(), "the end of the old run does not end the new job")
		require.ErrorIs(t, anew, job.ErrFenced)
	})
}

// cutOff leaves a job as a crash does: running, with nobody running it.
func (w *world) cutOff(kind, key string, tries int) {
	w.enqueue(kind, key, w.now.Now())
	require.NoError(w.t, w.db.Write(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE jobs SET state = 'running', tries = ?, fence = 7, started_generation = generation, leased_until = ? WHERE kind = ? AND key = ?`,
			tries, w.now.Now().Add(time.Hour), kind, key)
		return err
	}))
}

func TestWhatACrashCutOffIsRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite()) // where one process alone has the database
	w.cutOff("a.saga", "x", 1)
	assert.Equal(t, 1, w.runDue())
	assert.Equal(t, []string{"a.saga x 2"}, w.takeRan())
	assert.Empty(t, w.list())
}

func TestAJobThatEndsTheProcessEveryTimeDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite())
	w.restart(job.Config{MaxTries: 3})
	w.cutOff("a.saga", "x", 3)
	assert.Zero(t, w.runDue())
	assert.Equal(t, job.StateDead, w.list()[0].State)

	w.restart(job.Config{MaxTries: 3})
	w.cutOff("a.saga", "y", 3)
	w.enqueue("a.saga", "y", w.now.Now()) // before the process ended
	assert.Equal(t, 1, w.runDue())
	assert.Equal(t, []string{"a.saga y 1"}, w.takeRan())
}

func TestListPagesAndFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, key := range []string{"1", "2", "3"} {
		w.enqueue("a.mail", key, w.now.Now())
		w.enqueue("a.saga", key, w.now.Now())
	}
	w.fails["2"] = job.Dead(errors.New("no"))
	first, err := job.List(t.Context(), w.db, job.Filter{Limit: 4})
	require.NoError(t, err)
	require.Len(t, first, 4)
	rest, err := job.List(t.Context(), w.db, job.Filter{Limit: 4, AfterKind: first[3].Kind, AfterKey: first[3].Key})
	require.NoError(t, err)
	require.Len(t, rest, 2)
	w.runDue()
	deads, err := job.List(t.Context(), w.db, job.Filter{State: job.StateDead, Kind: "a.saga"})
	require.NoError(t, err)
	require.Len(t, deads, 1)
	assert.Equal(t, "2", deads[0].Key)
}

func TestWhatAnOperatorDoesLeavesAnAuditRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("a.mail", "x", w.now.Now().Add(time.Hour))
	require.NoError(t, job.Retry(t.Context(), w.db, "a.mail", "x", operator), "one that waits runs now")
	assert.Equal(t, w.now.Now(), w.list()[0].RunAt)
	require.NoError(t, job.Drop(t.Context(), w.db, "a.mail", "x", operator))
	assert.Empty(t, w.list())
	require.ErrorIs(t, job.Drop(t.Context(), w.db, "a.mail", "x", operator), job.ErrNoJob)
	require.ErrorIs(t, job.Retry(t.Context(), w.db, "a.mail", "x", operator), job.ErrNoJob)
	w.cutOff("a.mail", "y", 1)
	require.ErrorIs(t, job.Retry(t.Context(), w.db, "a.mail", "y", operator), job.ErrRunning)
	var actions []string
	require.NoError(t, w.db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&actions, `SELECT action || ' ' || subject FROM audit_log ORDER BY id`)
	}))
	assert.Equal(t, []string{"jobs.retry a.mail x", "jobs.drop a.mail x"}, actions)
}

func TestAJobThatComesRoundByItselfIsNotDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := job.NewRunner(job.Config{DB: w.db})
	r.HandlePeriodic("a.tidy", func(context.Context, job.Job) error { return job.Again(w.now.Now().Add(time.Hour)) })
	r.Handle("a.mail", func(context.Context, job.Job) error { return nil })
	w.enqueue("a.tidy", "daily", w.now.Now().Add(time.Hour))
	w.enqueue("a.mail", "x", w.now.Now().Add(time.Hour))
	require.ErrorIs(t, r.Drop(t.Context(), "a.tidy", "daily", operator), job.ErrPeriodic)
	require.NoError(t, r.Drop(t.Context(), "a.mail", "x", operator))
	left := w.list()
	require.Len(t, left, 1)
	assert.Equal(t, "a.tidy", left[0].Kind)
}

func TestAJobCarriesTheTraceAndTheRequestOfWhoEnqueuedIt(t *testing.T) {
	t.Parallel()
	const id = "0af7651916cd43dd8448eb211c80319c"
	traced := propagation.TraceContext{}.Extract(t.Context(), propagation.MapCarrier{"traceparent": "00-" + id + "-b7ad6b7169203331-01"})
	tests := map[string]struct {
		ctx            context.Context
		trace, request string
	}{
		"both":           {ctx: reqid.With(traced, "request-1"), trace: id, request: "request-1"},
		"only a trace":   {ctx: traced, trace: id},
		"only a request": {ctx: reqid.With(t.Context(), "request-1"), trace: trace.TraceID{}.String(), request: "request-1"},
		"neither":        {ctx: t.Context(), trace: trace.TraceID{}.String()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.r = job.NewRunner(job.Config{DB: w.db})
			var inside context.Context
			w.r.Handle("a.mail", func(ctx context.Context, _ job.Job) error {
				inside = ctx //nolint:fatcontext // looked at once
				return nil
			})
			require.NoError(t, w.db.Write(tt.ctx, func(tx *store.Tx) error { return tx.Enqueue("a.mail", "x", tx.Now()) }))
			w.runDue()
			assert.Equal(t, tt.trace, trace.SpanContextFromContext(inside).TraceID().String())
			assert.Equal(t, tt.request, reqid.From(inside))
		})
	}
}

func TestAKindHandledTwiceIsADefect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	assert.Equal(t, []string{"a.mail", "a.saga"}, w.r.Kinds())
	assert.Panics(t, func() { w.r.Handle("a.mail", func(context.Context, job.Job) error { return nil }) })
}
