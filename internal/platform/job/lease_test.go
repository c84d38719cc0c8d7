package job_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// pair is two runners on one database, as two processes would have it.
type pair struct {
	t   testing.TB
	db  *store.DB
	now *clock.Manual
}

func newPair(t testing.TB) *pair {
	t.Helper()
	p := &pair{t: t, now: clock.NewManual(1_000_000)}
	p.db = storetest.Open(t, "jobs", storetest.Clock(p.now.Now))
	return p
}

func (p *pair) runner(h job.Handler) *job.Runner {
	r := job.NewRunner(job.Config{DB: p.db, Shared: true, MaxTries: 3})
	r.Handle("a.saga", h)
	return r
}

func (p *pair) enqueue(key string, in time.Duration) {
	p.t.Helper()
	require.NoError(p.t, p.db.Write(context.Background(), func(tx *store.Tx) error { return tx.Enqueue("a.saga", key, tx.Now().Add(in)) }))
}

// runDue is safe on any goroutine.
func (p *pair) runDue(r *job.Runner) int {
	p.t.Helper()
	n, err := r.RunDue(context.Background())
	assert.NoError(p.t, err)
	return n
}

// paused is a runner that stands still in the middle of a job until wake is called, which returns
// when its run has ended.
func (p *pair) paused(then func(ctx context.Context, j job.Job) error) (wake func()) {
	p.t.Helper()
	begun, woken, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	r := p.runner(func(ctx context.Context, j job.Job) error {
		close(begun)
		<-woken
		return then(ctx, j)
	})
	go func() {
		defer close(ended)
		p.runDue(r)
	}()
	<-begun
	return func() {
		close(woken)
		<-ended
	}
}

func TestAJobIsTakenOverWhenItsLeaseHasEnded(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.enqueue("x", 0)
	wake := p.paused(func(context.Context, job.Job) error { return nil })
	var tries []int
	other := p.runner(func(_ context.Context, j job.Job) error {
		tries = append(tries, j.Tries)
		return nil
	})
	p.now.Advance(6*time.Second - time.Millisecond)
	assert.Zero(t, p.runDue(other), "its owner may be at work")
	p.now.Advance(time.Millisecond)
	assert.Equal(t, 1, p.runDue(other))
	assert.Equal(t, []int{2}, tries, "the run that was lost counts")

	p.enqueue("x", time.Minute) // anew
	wake()
	p.now.Advance(time.Minute)
	assert.Equal(t, 1, p.runDue(other), "the end of the old run does not end the new job")
}

func TestAPausedOwnerThatWakesUpWritesNothing(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	require.NoError(t, p.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`CREATE TABLE effects (who TEXT)`)
		return err
	}))
	effect := func(who string) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO effects (who) VALUES (?)`, who)
			return err
		}
	}
	held := func(j job.Job) (n int64) {
		require.NoError(t, p.db.Write(context.Background(), func(tx *store.Tx) (err error) {
			condition, args := j.Held()
			n, err = tx.Exec(`UPDATE effects SET who = who WHERE `+condition, args...)
			return err
		}))
		return n
	}
	p.enqueue("x", 0)
	var late, fenced error
	var touched int64
	wake := p.paused(func(ctx context.Context, j job.Job) error {
		late, fenced = j.Write(ctx, p.db, effect("old")), p.db.Write(ctx, j.Fence)
		touched = held(j)
		return job.Dead(fmt.Errorf("the old owner gives up"))
	})
	p.now.Advance(time.Minute)
	var good int64
	second := p.paused(func(ctx context.Context, j job.Job) error {
		assert.NoError(t, j.Write(ctx, p.db, effect("new")))
		good = held(j)
		return nil
	})
	wake()
	require.ErrorIs(t, late, job.ErrFenced)
	require.ErrorIs(t, fenced, job.ErrFenced)
	assert.Zero(t, touched)
	left, err := job.List(t.Context(), p.db, job.Filter{})
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, job.StateRunning, left[0].State, "the end that the old owner wrote down changed nothing")
	second()
	assert.Equal(t, int64(1), good)
	var who []string
	require.NoError(t, p.db.Read(t.Context(), func(q store.Queryer) error { return q.Select(&who, `SELECT who FROM effects`) }))
	assert.Equal(t, []string{"new"}, who)
	left, err = job.List(t.Context(), p.db, job.Filter{})
	require.NoError(t, err)
	assert.Empty(t, left)
}

// worn has the job at the head go through all its tries, each owner of which pauses until its lease has ended.
func (p *pair) worn() (wake func()) {
	p.t.Helper()
	var wakes []func()
	for range 3 {
		p.now.Advance(time.Minute)
		wakes = append(wakes, p.paused(func(context.Context, job.Job) error { return nil }))
	}
	return func() {
		for _, one := range wakes {
			one()
		}
	}
}

func TestAJobThatEveryOwnerLosesDies(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.enqueue("x", 0)
	defer p.worn()()
	p.now.Advance(time.Minute)
	assert.Zero(t, p.runDue(p.runner(func(context.Context, job.Job) error { return nil })))
	left, err := job.List(t.Context(), p.db, job.Filter{State: job.StateDead})
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestAJobAskedForInItsLastTryOutlivesItsOwner(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.enqueue("x", 0)
	defer p.worn()()
	p.enqueue("x", 0)
	p.now.Advance(time.Minute)
	tries := 0
	assert.Equal(t, 1, p.runDue(p.runner(func(_ context.Context, j job.Job) error {
		tries = j.Tries
		return nil
	})))
	assert.Equal(t, 1, tries)
}

func TestAJobThatDiesHoldsUpNobody(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.enqueue("x", 0)
	defer p.worn()()
	p.enqueue("y", 0)
	defer p.paused(func(context.Context, job.Job) error { return nil })()
	p.now.Advance(time.Minute) // x has had its tries, y has not
	assert.Equal(t, 1, p.runDue(p.runner(func(context.Context, job.Job) error { return nil })), "y")
}

func TestSeveralRunnersShareTheJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t, "jobs", storetest.SQLite())
		var mu sync.Mutex
		ran := map[string][]int{} // which runner ran a job
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for i := range 3 {
			r := job.NewRunner(job.Config{DB: db, Shared: true, Concurrency: 2})
			r.Handle("a.saga", func(_ context.Context, j job.Job) error {
				mu.Lock()
				ran[j.Key] = append(ran[j.Key], i)
				mu.Unlock()
				time.Sleep(5 * time.Minute / 2) // far longer than a lease
				return nil
			})
			running.Go(func() { assert.NoError(t, r.Run(ctx)) })
		}
		synctest.Wait()
		for n := range 12 {
			require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.Enqueue("a.saga", fmt.Sprint(n), tx.Now()) }))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		cancel()
		running.Wait()
		shares := map[int]int{}
		for key, who := range ran {
			assert.Len(t, who, 1, "job %s ran once, its lease renewed", key)
			shares[who[0]]++
		}
		assert.Len(t, ran, 12)
		assert.Equal(t, map[int]int{0: 4, 1: 4, 2: 4}, shares)
	})
}

func TestARunThatWasOvertakenIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cause atomic.Value
		l := newLive(t, job.Config{Shared: true}, map[string]job.Handler{"a.saga": func(ctx context.Context, _ job.Job) error {
			<-ctx.Done()
			cause.Store(context.Cause(ctx))
			return ctx.Err()
		}})
		l.enqueue("a.saga", "x", 0)
		synctest.Wait()
		_, err := exec(l.db, `UPDATE jobs SET fence = fence + 1, leased_until = leased_until + 3600000`)
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.ErrorIs(t, cause.Load().(error), job.ErrFenced)
		assert.Equal(t, job.StateRunning, l.list()[0].State, "it is the other's")
	})
}

func TestWhatAnotherProcessLeftBehindIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Int64
		l := newLive(t, job.Config{Shared: true}, map[string]job.Handler{"a.saga": func(context.Context, job.Job) error {
			ran.Add(1)
			return nil
		}})
		synctest.Wait()
		_, err := exec(l.db, `INSERT INTO jobs (kind, key, run_at, state, enqueued_at, updated_at) VALUES ('a.saga', 'x', 1, 'pending', 1, 1)`)
		require.NoError(t, err) // past Enqueue, which wakes this process's runner alone
		time.Sleep(30 * time.Second)
		synctest.Wait()
		assert.Equal(t, int64(1), ran.Load())
	})
}

// The clocks of processes differ; leases go by the database server's. One that is ahead takes nothing that is another's,
// and what one has that is behind is not taken, nor kept longer than it should be from one that is ahead.
func TestAClockThatIsWrongNeitherStealsNorKeepsJobs(t *testing.T) {
	t.Parallel()
	const lease, skew = time.Hour, 24 * time.Hour
	tests := map[string]struct{ owner, other time.Duration }{
		"the owner is behind": {owner: -skew},
		"the owner is ahead":  {owner: skew},
		"the other is ahead":  {other: skew},
		"the other is behind": {other: -skew},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pair{t: t, db: storetest.Postgres(t, "jobs")}
			runner := func(off time.Duration, h job.Handler) *job.Runner {
				r := job.NewRunner(job.Config{DB: p.db, Lease: lease, Now: func() clock.Time { return clock.Now().Add(off) }})
				r.Handle("a.saga", h)
				return r
			}
			p.enqueue("x", -skew)
			var others int
			assert.Equal(t, 1, p.runDue(runner(tt.owner, func(context.Context, job.Job) error {
				others = p.runDue(runner(tt.other, func(context.Context, job.Job) error { return nil }))
				return p.db.Read(t.Context(), func(q store.Queryer) error {
					now, ok := p.db.ServerTime()
					assert.True(t, ok)
					var left int64
					err := q.Get(&left, `SELECT leased_until - `+now+` FROM jobs`)
					assert.LessOrEqual(t, time.Duration(left)*time.Millisecond, lease)
					return err
				})
			})))
			assert.Zero(t, others, "its owner is at work")
		})
	}
}
