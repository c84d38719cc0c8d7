package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"souk/internal/platform/clock"
)

// Queryer asks questions within one transaction or one snapshot. Both verbs read to the
// end and close: no rows stay open behind them.
type Queryer interface {
	// Get reads the first row into dest, a struct with db tags or a scalar. Without a row it
	// is sql.ErrNoRows.
	Get(dest any, query string, args ...any) error
	// Select reads every row into dest, a pointer to a slice.
	Select(dest any, query string, args ...any) error
}

// Tx is one function's turn in a Write. It is good until that function returns, and for
// one goroutine at a time.
type Tx struct {
	db   *DB
	c    session
	ctx  context.Context // the caller's: asked between statements, never given to SQL
	over bool
	lost error // what ended the whole transaction, after which nothing more may run

	events, jobs bool
	refusals     []memory         // refusals to be remembered although the Write returns them
	doing        map[Command]bool // Once under way
}

// Get reads the first row into dest.
func (tx *Tx) Get(dest any, query string, args ...any) error {
	if err := tx.ready(query); err != nil {
		return err
	}
	// Not the caller's context: it would interrupt the neighbours too.
	return tx.done(tx.c.get(context.Background(), dest, query, args))
}

// Select reads every row into dest.
func (tx *Tx) Select(dest any, query string, args ...any) error {
	if err := tx.ready(query); err != nil {
		return err
	}
	return tx.done(tx.c.all(context.Background(), dest, query, args))
}

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if err := tx.ready(query); err != nil {
		return 0, err
	}
	n, err := tx.c.exec(context.Background(), query, args)
	return n, tx.done(err)
}

// Now is the time by the database's clock.
func (tx *Tx) Now() clock.Time { return tx.db.Now() }

// Module is the module whose database this is.
func (tx *Tx) Module() string { return tx.db.Module() }

// Context is that of Write's caller, for its trace, request id and logger. It is no licence
// for I/O: nothing waits inside a Write.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Under runs fn with ctx, made from tx.Context(), in its place: what fn publishes, enqueues
// and audits carries the trace and request id of ctx.
func (tx *Tx) Under(ctx context.Context, fn func() error) error { //nolint:contextcheck // ctx is made from the one it replaces
	was := tx.ctx
	tx.ctx = ctx
	defer func() { tx.ctx = was }()
	return fn()
}

// Savepoint runs fn as a part that can fail alone: its effects are undone when it returns an
// error or panics, and what was done before it stands. The error is returned.
func (tx *Tx) Savepoint(fn func() error) error {
	return tx.part(func() error { return guarded(fn) })
}

// part is Savepoint without the guard against panics: they pass through, and leave nothing of fn.
func (tx *Tx) part(fn func() error) error {
	if err := tx.usable(); err != nil {
		return err
	}
	if err := tx.control(ctlInner); err != nil {
		return err
	}
	finished := false
	defer func() {
		if !finished && tx.lost == nil {
			_ = tx.undoPart() // on the way out of a panic; if it fails the transaction is given up
		}
	}()
	err := fn()
	finished = true
	switch {
	case tx.lost != nil:
		return tx.lost
	case err == nil:
		return tx.control(ctlInnerRelease)
	default:
		return errors.Join(err, tx.undoPart())
	}
}

// undoPart undoes what has been done since the innermost savepoint. Half undone cannot
// stand: if that fails, the whole transaction has to go.
func (tx *Tx) undoPart() error {
	err := errors.Join(tx.control(ctlInnerRollback), tx.control(ctlInnerRelease))
	if err != nil && tx.lost == nil {
		tx.lost = err
	}
	return err
}

// guarded turns a panic of fn into an error.
func guarded(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	return fn()
}

func panicked(v any) error {
	return ErrPanicked.With("something went wrong on our side").Because(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
}

func (tx *Tx) control(what control) error {
	tx.db.count.control.Add(1)
	return tx.check(tx.c.do(what))
}

// usable says whether another statement may run.
func (tx *Tx) usable() error {
	switch {
	case tx.over:
		return ErrStatement.Because(errors.New("a Tx was used after its Write had ended"))
	case tx.lost != nil:
		return tx.lost
	case tx.ctx.Err() != nil:
		return notBegun(tx.ctx)
	}
	return nil
}

func (tx *Tx) ready(query string) error {
	if err := tx.usable(); err != nil {
		return err
	}
	if err := checkStatement(query); err != nil {
		return err
	}
	tx.db.count.statements.Add(1)
	return nil
}

// done looks after a statement whether the transaction still stands. If it does not, every
// further statement would commit by itself, so none may run.
func (tx *Tx) done(err error) error {
	if err == nil {
		return nil
	}
	return tx.check(err)
}

func (tx *Tx) check(err error) error {
	if err == nil {
		return nil
	}
	err = tx.db.explain(err)
	if tx.lost == nil && tx.c.over(err) {
		tx.lost = err
	}
	return err
}
