package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// Fence refuses, in a job's own Write, when this run is not the job's present one any more.
func (j Job) Fence(tx *store.Tx) error {
	var fence int64
	err := tx.Get(&fence, `SELECT fence FROM jobs WHERE kind = ? AND key = ? AND state = 'running'`, j.Kind, j.Key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrFenced.With("job %s %s is not running any more", j.Kind, j.Key)
	case err != nil:
		return fmt.Errorf("check the fence of %s %s: %w", j.Kind, j.Key, err)
	case fence != j.fence:
		return ErrFenced.With("job %s %s is being run by another", j.Kind, j.Key)
	}
	return nil
}

// Write is a Write of db, the job's own database, that ends with ErrFenced and without effect
// when this run has been overtaken.
func (j Job) Write(ctx context.Context, db *store.DB, fn func(tx *store.Tx) error) error {
	return db.Write(ctx, func(tx *store.Tx) error {
		if err := j.Fence(tx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// Held is the fence as a condition for the WHERE of a statement, with its arguments: for an
// UPDATE whose row count is looked at anyway, so that the fence costs no statement of its own.
func (j Job) Held() (condition string, args []any) {
	return `EXISTS (SELECT 1 FROM jobs WHERE kind = ? AND key = ? AND state = 'running' AND fence = ?)`, []any{j.Kind, j.Key, j.fence}
}

// leaseTime is the time by which leases run, in SQL: the server's where processes share the database, or one whose clock is wrong
// would take from the others what they are at, or keep it long after it has died.
func (r *Runner) leaseTime(now clock.Time) (expression string, args []any) {
	if server, ok := r.o.DB.ServerTime(); ok {
		return server, nil
	}
	return "CAST(? AS BIGINT)", []any{now} // PostgreSQL would not know what a sum of two parameters is
}

// takeOver takes at most limit jobs whose lease has ended: whoever ran them died, or was paused and
// will find itself fenced. One that was cut off in every one of its tries may be the reason for
// that, and is dead, unless somebody has asked for it since.
func (r *Runner) takeOver(tx *store.Tx, now clock.Time, limit int, taken map[name]bool) (due []Job, died int, err error) {
	at, is := r.leaseTime(now)
	query, args, err := store.In(`
		SELECT kind, key, tries, trace, enqueued_at, generation <> started_generation AS anew FROM jobs
		WHERE state = 'running' AND leased_until <= `+at+` AND kind IN (?)
		ORDER BY leased_until, kind, key LIMIT ?`, append(is, r.kinds, limit+len(taken))...)
	if err != nil {
		return nil, 0, err
	}
	var rows, left []jobRow
	if err := tx.Select(&rows, query, args...); err != nil {
		return nil, 0, err
	}
	for _, row := range rows {
		switch {
		case taken[name{row.Kind, row.Key}]: // it is our own, and late to renew its lease
		case row.Tries >= r.o.MaxTries && row.Anew:
			if _, err := tx.Exec(`UPDATE jobs SET tries = 0 WHERE kind = ? AND key = ?`, row.Kind, row.Key); err != nil {
				return nil, 0, err
			}
			row.Tries = 0
			left = append(left, row)
		case row.Tries >= r.o.MaxTries:
			died++
			if _, err := tx.Exec(`UPDATE jobs SET state = 'dead', error = ?, leased_until = 0, updated_at = ? WHERE kind = ? AND key = ?`,
				cutOffLast, now, row.Kind, row.Key); err != nil {
				return nil, 0, err
			}
		default:
			left = append(left, row)
		}
	}
	due, err = r.start(tx, now, left, limit, taken)
	return due, died, err
}

// start begins a run of each row, at most limit.
func (r *Runner) start(tx *store.Tx, now clock.Time, rows []jobRow, limit int, taken map[name]bool) ([]Job, error) {
	var due []Job
	for _, row := range rows {
		if len(due) == limit {
			break
		}
		if taken[name{row.Kind, row.Key}] {
			continue
		}
		j := Job{Kind: row.Kind, Key: row.Key, Tries: row.Tries + 1, EnqueuedAt: row.EnqueuedAt, trace: row.Trace}
		// The time keeps the number rising also where a job was forgotten and asked for anew.
		at, is := r.leaseTime(now)
		err := tx.Get(&j.fence, `
			UPDATE jobs SET state = 'running', tries = tries + 1, started_generation = generation,
				fence = CASE WHEN fence < `+at+` THEN `+at+` ELSE fence + 1 END, leased_until = `+at+` + ?, updated_at = ?
			WHERE kind = ? AND key = ? RETURNING fence`,
			slices.Concat(is, is, is, []any{r.o.Lease.Milliseconds(), now, row.Kind, row.Key})...)
		if err != nil {
			return nil, err
		}
		due = append(due, j)
	}
	return due, nil
}

// renew prolongs the lease of a run that goes on. It is ErrFenced when the run has been overtaken.
func (r *Runner) renew(ctx context.Context, j Job) error {
	err := r.o.DB.Write(ctx, func(tx *store.Tx) error {
		at, is := r.leaseTime(r.o.Now())
		n, err := tx.Exec(`UPDATE jobs SET leased_until = `+at+` + ? WHERE kind = ? AND key = ? AND fence = ? AND state = 'running'`,
			append(is, r.o.Lease.Milliseconds(), j.Kind, j.Key, j.fence)...)
		if err == nil && n == 0 {
			return ErrFenced.With("job %s %s was taken over, or dropped", j.Kind, j.Key)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("renew the lease of job %s %s: %w", j.Kind, j.Key, err)
	}
	return nil
}

// keepLease waits for the result of a run and renews its lease meanwhile; most runs end before it
// is due the first time. A run that was overtaken is cancelled. One that does not end when its
// time is over is not kept any more, so that others can take it over.
func (r *Runner) keepLease(ctx context.Context, j Job, result <-chan error, cancel context.CancelCauseFunc) error {
	every := time.NewTicker(r.o.Lease / 3)
	defer every.Stop()
	for {
		select {
		case err := <-result:
			return err
		case <-ctx.Done():
			return <-result
		case <-every.C:
			switch err := r.renew(ctx, j); {
			case errors.Is(err, ErrFenced):
				cancel(err)
			case err != nil && ctx.Err() == nil:
				r.log.Warn().Err(err).Str("job", j.Kind).Str("key", j.Key).Msg("the lease of a job could not be renewed yet")
			}
		}
	}
}
