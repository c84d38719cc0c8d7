// Package job runs a module's own future work: mail, expiry, asking a provider, waking a
// saga.
//
// Work is enqueued in the transaction that makes it necessary (store.Tx.Enqueue) and run
// outside of any, at least once, with its key: whoever is asked on the way recognises a repetition by
// it. There is one job per kind and key. A run that fails is tried again after a pause that
// grows; after many tries the job is dead, and lies beside the parked events for an operator.
//
//	r := job.NewRunner(job.Config{DB: db})
//	r.Handle("orders.checkout", func(ctx context.Context, j job.Job) error { … })
//	go r.Run(ctx)
//
// A commit that enqueues wakes the runner, a timer waits for the next due time, and
// nothing polls.
//
// # Several runners
//
// Any number of runners may share a database. Each run holds a lease, renewed while it goes on;
// one whose runner died or was paused is taken over when its lease has ended. Every run has a
// fencing number of its own, higher than those before it. The owner that was only paused wakes up
// with an old number: the runner writes down nothing of it, and a job's own writes are to check
// the number too, in the same transaction: with Job.Write, Job.Fence, or in a statement with
// Job.Held. So a run which has been overtaken changes nothing.
//
// Where one process alone has the database (unless Config.Shared) what is found running at the
// start was cut off by a crash, and is run again without waiting for its lease.
package job

import (
	"context"
	"errors"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
)

// What this package itself refuses.
var (
	// ErrFenced says that a run has been overtaken: its job was dropped, or is run by another.
	ErrFenced = errs.Refusal(errs.Conflict, "job.fenced")
	// ErrNoJob says that there is no job of that kind and key.
	ErrNoJob = errs.Refusal(errs.NotFound, "job.not_found")
	// ErrPeriodic says that the job comes round by itself for as long as its module runs, and cannot be dropped.
	ErrPeriodic = errs.Refusal(errs.Conflict, "job.periodic")
	// ErrRunning says that the job is being run just now.
	ErrRunning = errs.Refusal(errs.Conflict, "job.running")
)

// Job is one run of a piece of work.
type Job struct {
	Kind       string     // "orders.checkout"
	Key        string     // what it is about, and the idempotency key of what it asks for
	Tries      int        // which try this is, from 1
	EnqueuedAt clock.Time // when it was first asked for

	fence int64
	trace string
}

// Handler does the work. It runs outside any transaction, may be run again after it has
// succeeded, and returns nil when nothing is left to do.
type Handler func(ctx context.Context, j Job) error

// again is the error of a run that went well and wants another.
type again struct{ at clock.Time }

func (a again) Error() string { return "once more at " + a.at.String() }

// Again is what a handler returns to be run once more at a time. It is no failure, and
// ends a series of failures.
func Again(at clock.Time) error { return again{at: at} }

// dead is the error of a run after which no other makes sense.
type dead struct{ err error }

func (d dead) Error() string { return d.err.Error() }
func (d dead) Unwrap() error { return d.err }

// Dead is what a handler returns when trying again cannot help: the job joins the dead
// at once, with err as the reason.
func Dead(err error) error {
	if err == nil {
		err = errors.New("given up")
	}
	return dead{err: err}
}
