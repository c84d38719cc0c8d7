package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// Change says who has an operator's act done, and why. It goes into the audit log.
type Change struct {
	By  actor.Actor
	Why string
}

// State is where a job stands.
type State string

// The states of jobs. One that is done is gone.
const (
	StatePending State = "pending"
	StateRunning State = "running"
	StateDead    State = "dead"
)

// Info is a job as an operator sees it.
type Info struct {
	Kind       string     `db:"kind"`
	Key        string     `db:"key"`
	State      State      `db:"state"`
	RunAt      clock.Time `db:"run_at"`
	Tries      int        `db:"tries"`
	Error      string     `db:"error"` // of the last try that failed
	EnqueuedAt clock.Time `db:"enqueued_at"`
	UpdatedAt  clock.Time `db:"updated_at"`
}

const infoColumns = `kind, key, state, run_at, tries, error, enqueued_at, updated_at`

// Filter chooses jobs. Its zero value is the first page of all.
type Filter struct {
	State               State  // "" for any
	Kind                string // "" for any
	AfterKind, AfterKey string // the last one of the page before
	Limit               int    // default 100
}

// List is a page of the jobs in db, by kind and key.
func List(ctx context.Context, db *store.DB, f Filter) ([]Info, error) {
	where, args := []string{"(kind, key) > (?, ?)"}, []any{f.AfterKind, f.AfterKey}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, string(f.State))
	}
	if f.Kind != "" {
		where, args = append(where, "kind = ?"), append(args, f.Kind)
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	var out []Info
	err := db.Read(ctx, func(q store.Queryer) error {
		out = nil
		return q.Select(&out, `SELECT `+infoColumns+` FROM jobs WHERE `+strings.Join(where, " AND ")+
			` ORDER BY kind, key LIMIT ?`, append(args, f.Limit)...)
	})
	if err != nil {
		return nil, fmt.Errorf("list the jobs of %s: %w", db.Module(), err)
	}
	return out, nil
}

// Retry has a job run now that is dead or waits; a runner of db is woken.
func Retry(ctx context.Context, db *store.DB, kind, key string, c Change) error {
	return change(ctx, db, kind, key, store.Audit{By: c.By, Action: "jobs.retry", Why: c.Why}, func(tx *store.Tx, j Info) error {
		if j.State == StateRunning {
			return ErrRunning.With("job %s %s is running", kind, key)
		}
		if _, err := tx.Exec(`UPDATE jobs SET tries = 0 WHERE kind = ? AND key = ?`, kind, key); err != nil {
			return err
		}
		// A dead job takes the time asked for, a waiting one the earlier.
		return tx.Enqueue(kind, key, tx.Now())
	})
}

// Drop forgets a job for ever. One that is running is not stopped, but writes nothing more
// past its fence, and is not run again.
func Drop(ctx context.Context, db *store.DB, kind, key string, c Change) error {
	return change(ctx, db, kind, key, store.Audit{By: c.By, Action: "jobs.drop", Why: c.Why}, func(tx *store.Tx, _ Info) error {
		return tx.Dequeue(kind, key)
	})
}

// Drop forgets a job of the runner's database for ever, as the function Drop does, but none that is periodic.
func (r *Runner) Drop(ctx context.Context, kind, key string, c Change) error {
	if r.Periodic(kind) {
		return ErrPeriodic.With("job %s %s comes round by itself and is not dropped; retry has it run now", kind, key)
	}
	return Drop(ctx, r.o.DB, kind, key, c)
}

func change(ctx context.Context, db *store.DB, kind, key string, act store.Audit, do func(tx *store.Tx, j Info) error) error {
	act.Subject = kind + " " + key
	err := db.Write(ctx, func(tx *store.Tx) error {
		var j Info
		err := tx.Get(&j, `SELECT `+infoColumns+` FROM jobs WHERE kind = ? AND key = ?`, kind, key)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoJob.With("there is no job %s %s", kind, key)
		}
		if err != nil {
			return err
		}
		if err := do(tx, j); err != nil {
			return err
		}
		act.Before = fmt.Sprintf("%s, %d tries: %s", j.State, j.Tries, j.Error)
		return tx.Audit(act)
	})
	if err != nil {
		return fmt.Errorf("%s %s %s: %w", act.Action, kind, key, err)
	}
	return nil
}

// Stats are counts of jobs.
type Stats struct {
	Kind    string     `db:"kind"`
	Waiting int64      `db:"waiting"` // for their time
	Due     int64      `db:"due"`     // and not begun
	Running int64      `db:"running"`
	Dead    int64      `db:"dead"`
	Oldest  clock.Time `db:"oldest"` // since when the first of the due ones is due; none without
}

// StatsOf counts the jobs in db by kind.
func StatsOf(ctx context.Context, db *store.DB) ([]Stats, error) {
	var out []Stats
	err := db.Read(ctx, func(q store.Queryer) error {
		out = nil
		now := db.Now()
		return q.Select(&out, `SELECT kind,
				count(*) FILTER (WHERE state = 'pending' AND run_at > ?) AS waiting,
				count(*) FILTER (WHERE state = 'pending' AND run_at <= ?) AS due,
				count(*) FILTER (WHERE state = 'running') AS running,
				count(*) FILTER (WHERE state = 'dead') AS dead,
				COALESCE(MIN(CASE WHEN state = 'pending' AND run_at <= ? THEN run_at END), 0) AS oldest
			FROM jobs GROUP BY kind ORDER BY kind`, now, now, now)
	})
	if err != nil {
		return nil, fmt.Errorf("count the jobs of %s: %w", db.Module(), err)
	}
	return out, nil
}

// Stats counts the jobs of the runner's database by kind.
func (r *Runner) Stats(ctx context.Context) ([]Stats, error) { return StatsOf(ctx, r.o.DB) }

// Instrument has meter observe the jobs, by kind: souk.jobs.due, souk.jobs.dead,
// souk.jobs.oldest (seconds that the first of the due ones has been waiting), and count runs by
// their outcome as souk.jobs.runs; and has traces show the runs. Call it before Run.
func (r *Runner) Instrument(meter metric.Meter, traces trace.TracerProvider) error {
	r.tracer = traces.Tracer(tracerName)
	var failed []error
	gauge := func(name, what string) metric.Int64ObservableGauge {
		g, err := meter.Int64ObservableGauge(name, metric.WithDescription(what))
		failed = append(failed, err)
		return g
	}
	due := gauge("souk.jobs.due", "jobs whose time has come and that have not begun")
	dead := gauge("souk.jobs.dead", "jobs that were given up")
	oldest := gauge("souk.jobs.oldest", "seconds that the first of the due jobs has been waiting")
	var err error
	r.runs, err = meter.Int64Counter("souk.jobs.runs", metric.WithDescription("runs of jobs by outcome"))
	failed = append(failed, err)
	_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		all, err := r.Stats(ctx)
		if err != nil {
			return err
		}
		now := r.o.DB.Now()
		for _, s := range all {
			labels := metric.WithAttributes(attribute.String("module", r.o.DB.Module()), attribute.String("kind", s.Kind))
			o.ObserveInt64(due, s.Due, labels)
			o.ObserveInt64(dead, s.Dead, labels)
			age := int64(0)
			if !s.Oldest.IsZero() {
				age = int64(now.Sub(s.Oldest).Seconds())
			}
			o.ObserveInt64(oldest, age, labels)
		}
		return nil
	}, due, dead, oldest)
	if err := errors.Join(append(failed, err)...); err != nil {
		return fmt.Errorf("instrument the jobs of %s: %w", r.o.DB.Module(), err)
	}
	return nil
}
