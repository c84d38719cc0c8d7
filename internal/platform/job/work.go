package job

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/clock"
	"souk/internal/platform/reqid"
	"souk/internal/platform/store"
)

// fate is what becomes of a job after a run.
type fate string

const (
	fateDone   fate = "done"
	fateAgain  fate = "again"
	fateFailed fate = "failed"
	fateDead   fate = "dead"
	fateBack   fate = "cut_off"
)

// settlement is the end of a run, to be written down.
type settlement struct {
	job    Job
	fate   fate
	now    clock.Time
	at     clock.Time // when it is due next
	tries  int        // failures so far
	reason string
}

type jobRow struct {
	Kind       string     `db:"kind"`
	Key        string     `db:"key"`
	Tries      int        `db:"tries"`
	Trace      string     `db:"trace"`
	EnqueuedAt clock.Time `db:"enqueued_at"`
	Anew       bool       `db:"anew"` // asked for again while it ran
}

// found is what a look brought.
type found struct {
	due  []Job      // taken, to be run
	more bool       // there may be more: look again at once
	next clock.Time // otherwise, when something comes to be due that nobody tells of; 0 for never
}

// claim takes at most limit jobs that are due, in the order of their times.
func (r *Runner) claim(ctx context.Context, limit int) (found, error) {
	if len(r.kinds) == 0 {
		return found{}, nil
	}
	r.claiming.Lock()
	defer r.claiming.Unlock()
	if err := r.recover(ctx); err != nil {
		return found{}, err
	}
	now := r.o.Now()
	seen, err := r.look(ctx, now)
	if err != nil || !seen.Due && !seen.Lapsed {
		return found{next: seen.Next}, err
	}
	taken := r.taken()
	var due []Job
	var passed []name
	died := 0
	err = r.o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		due, passed, died = nil, nil, 0
		if seen.Lapsed {
			if due, died, err = r.takeOver(tx, now, limit, taken); err != nil {
				return err
			}
		}
		if !seen.Due || len(due) == limit {
			return nil
		}
		var more []Job
		more, passed, err = r.take(tx, now, limit-len(due), taken)
		due = slices.Concat(due, more)
		return err
	})
	if err != nil {
		return found{}, fmt.Errorf("claim jobs: %w", err)
	}
	more := died > 0 || len(due) > 0 && (len(due) == limit || seen.Lapsed)
	return found{due: due, more: r.began(due, passed) || more, next: seen.Next}, nil
}

// began notes who runs, and who was passed over since it runs already: says whether one of these has ended meanwhile, so
// that it can be taken after all.
func (r *Runner) began(due []Job, passed []name) (ended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range passed {
		ended = ended || !r.running[n]
		r.missed = true
	}
	for _, j := range due {
		r.running[name{j.Kind, j.Key}] = true
	}
	return ended
}

// taken are the jobs that this process runs; they are never run twice at a time.
func (r *Runner) taken() map[name]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := make(map[name]bool, len(r.running))
	for n := range r.running {
		taken[n] = true
	}
	return taken
}

// seen is what there is to do.
type seen struct {
	Due    bool       `db:"due"`    // something waits, and its time has come
	Lapsed bool       `db:"lapsed"` // something runs, and its lease has ended
	Next   clock.Time `db:"next"`   // when the first of the others comes to that, by this process's clock; 0 for never
}

// look says what there is to do, without a Write.
func (r *Runner) look(ctx context.Context, now clock.Time) (seen, error) {
	var out seen
	at, is := r.leaseTime(now)
	err := r.o.DB.Read(ctx, func(q store.Queryer) error {
		query, args, err := store.In(`
			SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'pending' AND run_at <= ? AND kind IN (?)) AS due,
				EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND leased_until <= `+at+` AND kind IN (?)) AS lapsed`,
			slices.Concat([]any{now, r.kinds}, is, []any{r.kinds})...)
		if err != nil {
			return err
		}
		if err := q.Get(&out, query, args...); err != nil {
			return err
		}
		query, args, err = store.In(`
			SELECT COALESCE(MIN(at), 0) FROM (
				SELECT MIN(run_at) AS at FROM jobs WHERE state = 'pending' AND run_at > ? AND kind IN (?)
				UNION ALL SELECT MIN(leased_until) - `+at+` + ? FROM jobs WHERE state = 'running' AND leased_until > `+at+` AND kind IN (?)) AS times`,
			slices.Concat([]any{now, r.kinds}, is, []any{now}, is, []any{r.kinds})...)
		if err != nil {
			return err
		}
		return q.Get(&out.Next, query, args...)
	})
	if err != nil {
		return seen{}, fmt.Errorf("look for jobs: %w", err)
	}
	return out, nil
}

// take takes at most limit jobs whose time has come, and says which it passed over because they run here.
func (r *Runner) take(tx *store.Tx, now clock.Time, limit int, taken map[name]bool) (due []Job, passed []name, err error) {
	query, args, err := store.In(`
		SELECT kind, key, tries, trace, enqueued_at FROM jobs
		WHERE state = 'pending' AND run_at <= ? AND kind IN (?)
		ORDER BY run_at, kind, key LIMIT ?`, now, r.kinds, limit+len(taken))
	if err != nil {
		return nil, nil, err
	}
	var rows []jobRow
	if err := tx.Select(&rows, query, args...); err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		if n := (name{row.Kind, row.Key}); taken[n] {
			passed = append(passed, n)
		}
	}
	due, err = r.start(tx, now, rows, limit, taken)
	return due, passed, err
}

// cutOffLast is the reason of a job that is dead because nobody ever came to its end.
const cutOffLast = "the process ended during its last try"

// recover takes up what a crash cut off: whatever is found running when the runner
// begins, unless it may be another's. A job that was running in every one of its
// tries when the process ended may be the reason for that, and is dead, unless somebody has asked for it since.
func (r *Runner) recover(ctx context.Context) error {
	if r.recovered || r.o.Shared {
		return nil
	}
	var back, over int64
	err := r.o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		now := r.o.Now()
		query, args, err := store.In(`
			UPDATE jobs SET state = 'dead', error = ?, leased_until = 0, updated_at = ?
			WHERE state = 'running' AND tries >= ? AND generation = started_generation AND kind IN (?)`, cutOffLast, now, r.o.MaxTries, r.kinds)
		if err != nil {
			return err
		}
		if over, err = tx.Exec(query, args...); err != nil {
			return err
		}
		query, args, err = store.In(`
			UPDATE jobs SET state = 'pending', run_at = min(run_at, ?), leased_until = 0, updated_at = ?,
				tries = CASE WHEN generation = started_generation THEN tries ELSE 0 END
			WHERE state = 'running' AND kind IN (?)`, now, now, r.kinds)
		if err != nil {
			return err
		}
		back, err = tx.Exec(query, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("take up jobs that were cut off: %w", err)
	}
	r.recovered = true
	if back+over > 0 {
		r.log.Warn().Int64("again", back).Int64("dead", over).Msg("jobs had been cut off")
	}
	return nil
}

// call runs the handler on a goroutine of its own, which it may end, under the trace and the id of the
// request that asked for the job.
func (r *Runner) call(ctx context.Context, j Job) error {
	traceparent, request := store.Errand(j.trace)
	ctx = reqid.With(propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent}), request)
	ctx, span := r.tracer.Start(ctx, "job "+j.Kind, trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("souk.module", r.o.DB.Module()), attribute.String("souk.job.key", j.Key), attribute.Int("souk.job.tries", j.Tries)))
	defer span.End()
	about := r.log.With().Str("job", j.Kind).Str("key", j.Key)
	if request != "" {
		about = about.Str("request_id", request)
	}
	log := about.Logger()
	ctx, overtaken := context.WithCancelCause(log.WithContext(ctx))
	defer overtaken(nil)
	ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		returned := false
		defer func() {
			if returned {
				return
			}
			if v := recover(); v != nil {
				result <- fmt.Errorf("panic: %v\n%s", v, debug.Stack())
				return
			}
			result <- errors.New("the handler ended its goroutine")
		}()
		err := r.handlers[j.Kind](ctx, j)
		returned = true
		result <- err
	}()
	err := r.keepLease(ctx, j, result, overtaken)
	var more again
	if err != nil && !errors.As(err, &more) {
		span.SetStatus(codes.Error, "the job failed")
	}
	return err
}

// finish writes the end of a run down, and says whether that leaves the runner something to do. If it fails the end is
// kept for settle.
func (r *Runner) finish(ctx context.Context, s settlement) (left bool, err error) {
	gone := false
	err = r.o.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		gone, err = s.write(tx)
		return err
	})
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unsettled = append(r.unsettled, s)
		return true, fmt.Errorf("write down the end of job %s %s: %w", s.job.Kind, s.job.Key, err)
	}
	missed := r.ended(s.job)
	r.say(ctx, s)
	return missed || !gone, nil
}

// ended notes that a job runs no more, and says whether something waits for that.
func (r *Runner) ended(j Job) (missed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, name{j.Kind, j.Key})
	missed, r.missed = r.missed, false
	return missed
}

// settle writes down what could not be written down before.
func (r *Runner) settle(ctx context.Context) error {
	r.mu.Lock()
	open := r.unsettled
	r.unsettled = nil
	r.mu.Unlock()
	var failed []error
	for _, s := range open {
		_, err := r.finish(ctx, s)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// say tells what a person should know of a run.
func (r *Runner) say(ctx context.Context, s settlement) {
	if r.runs != nil {
		r.runs.Add(ctx, 1, metric.WithAttributes(attribute.String("module", r.o.DB.Module()),
			attribute.String("kind", s.job.Kind), attribute.String("outcome", string(s.fate))))
	}
	switch s.fate {
	case fateDead:
		r.log.Error().Str("job", s.job.Kind).Str("key", s.job.Key).Int("tries", s.job.Tries).Str("error", s.reason).Msg("job is dead")
	case fateFailed, fateBack:
		r.log.Warn().Str("job", s.job.Kind).Str("key", s.job.Key).Int("tries", s.job.Tries).Str("error", s.reason).
			Stringer("again_at", s.at).Msg("job did not finish")
	case fateDone, fateAgain:
	}
}

// write is the job's row after the run. A row that is another run's by now, or gone, is left
// alone. One that was enqueued meanwhile (its generation has moved) runs once more, whatever
// became of this run. It says whether the job waits for nothing more: it is forgotten, or dead.
func (s settlement) write(tx *store.Tx) (gone bool, err error) {
	const (
		mine = ` WHERE kind = ? AND key = ? AND fence = ? AND state = 'running'`
		same = ` AND generation = started_generation`
	)
	who := []any{s.job.Kind, s.job.Key, s.job.fence}
	if s.fate == fateDone {
		n, err := tx.Exec(`DELETE FROM jobs`+mine+same, who...)
		if err != nil || n == 1 {
			return true, err
		}
	}
	if s.fate == fateDead {
		n, err := tx.Exec(`UPDATE jobs SET state = 'dead', tries = ?, error = ?, leased_until = 0, updated_at = ?`+mine+same,
			append([]any{s.tries, s.reason, s.now}, who...)...)
		if err != nil || n == 1 {
			return true, err
		}
		s.tries = 0 // it lives again
	}
	at := s.at
	if s.fate == fateDone || s.fate == fateDead {
		at = 1 << 62 // the time that was asked for meanwhile
	}
	_, err = tx.Exec(`UPDATE jobs SET state = 'pending', tries = ?, error = ?, leased_until = 0, updated_at = ?,
			run_at = CASE WHEN generation <> started_generation AND run_at < ? THEN run_at ELSE ? END`+mine,
		append([]any{s.tries, s.reason, s.now, at, at}, who...)...)
	return false, err
}

// text is an error as it is kept in a row: not longer than a person would read.
func text(err error) string {
	const longest = 2000
	s := err.Error()
	if len(s) > longest {
		s = s[:longest] + "…"
	}
	return store.Text(s)
}
