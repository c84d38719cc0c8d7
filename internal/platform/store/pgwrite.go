package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"souk/internal/platform/errs"
)

// How often a Write is run again when it cannot be serialised. Others of this process may
// run beside it at first; later tries are alone in it, so that it gets done unless other
// processes keep in its way.
const (
	pgTries     = 12
	pgTogether  = 3
	pgPause     = 2 * time.Millisecond // twice as long after each try
	pgMostPause = 100 * time.Millisecond
)

// pgTurn is one Write on its way.
type pgTurn struct {
	p    *postgres
	ctx  context.Context
	fn   func(*Tx) error
	tx   *Tx   // of the last run
	err  error // what fn returned
	kept bool  // err is a refusal whose memory is in the transaction
}

// write is Write on PostgreSQL: one SERIALIZABLE transaction.
func (p *postgres) write(ctx context.Context, fn func(*Tx) error) error {
	db := p.db
	if err := p.writeTurn(ctx); err != nil {
		return err
	}
	w := &pgTurn{p: p, ctx: ctx, fn: fn}
	if err := w.run(); err != nil { //nolint:contextcheck // the caller's context is not for SQL
		db.count.refused.Add(1)
		return err
	}
	db.count.writes.Add(1)
	return nil
}

// writeTurn waits for a turn, unless too many wait already.
func (p *postgres) writeTurn(ctx context.Context) error {
	if !p.closing() && p.writeTurns.TryAcquire(1) {
		return nil
	}
	defer p.db.count.queued.Add(-1)
	if p.db.count.queued.Add(1) > int64(p.db.o.MaxQueued) {
		return ErrBusy.With("too much is being written just now").Because(fmt.Errorf("%s: %d writes are waiting", p.db.path, p.db.o.MaxQueued))
	}
	return p.turn(ctx, p.writeTurns, 1)
}

// run tries until it is done or refused. It begins with one turn, and gives back what it has.
func (w *pgTurn) run() error {
	turns, all := int64(1), int64(w.p.db.o.MaxWriters)
	defer func() { w.p.writeTurns.Release(turns) }()
	for try := 1; ; try++ {
		err := w.attempt()
		if err == nil || !pgAgain(err) {
			w.tell(err)
			return err
		}
		if try == pgTries {
			return err
		}
		w.p.db.count.reruns.Add(1)
		if try >= pgTogether && turns < all {
			w.p.writeTurns.Release(turns)
			turns = 0
			if err := w.p.turn(w.ctx, w.p.writeTurns, all); err != nil {
				return err // nothing of it stands
			}
			turns = all
			continue
		}
		pause := time.NewTimer(time.Duration(rand.Int64N(int64(min(pgPause<<try, pgMostPause))))) //nolint:gosec // jitter
		select {
		case <-pause.C:
		case <-w.ctx.Done():
			pause.Stop()
			return notBegun(w.ctx)
		}
	}
}

// tell says what a commit may have left for others to do.
func (w *pgTurn) tell(err error) {
	if w.tx == nil || err != nil && !errors.Is(err, ErrUnknown) {
		return
	}
	if w.tx.events {
		w.p.seq.published(w.p.db.o.pgAtOnce)
	}
	if w.tx.jobs {
		w.p.db.tell(Commit{Jobs: true})
		w.p.seq.announce(newsJobs)
	}
}

// begin is everything that a turn begins with, in one round trip. The savepoint is for
// refusals that are remembered though what else was done is undone.
const begin = "BEGIN ISOLATION LEVEL SERIALIZABLE; SAVEPOINT fn"

// attempt runs the function once in a transaction of its own. What the function does in SQL
// carries no context of the caller's, so the server is never told to stop in the middle.
func (w *pgTurn) attempt() error {
	w.tx, w.err, w.kept = nil, nil, false
	s, err := w.begin()
	if err != nil {
		return w.p.db.explain(fmt.Errorf("begin a write: %w", err))
	}
	defer s.giveBack()
	w.p.db.count.batches.Add(1)
	if err := w.fnInTx(s); err != nil {
		return err
	}
	if w.err != nil {
		if err := w.remember(s); err != nil {
			return err
		}
		if !w.kept {
			return w.err
		}
	}
	if s.raw.PgConn().TxStatus() == txFailed {
		return ErrStatement.With("something went wrong on our side").Because(
			fmt.Errorf("a statement had failed and the function given to Write went on as if not; on PostgreSQL what may fail belongs in tx.Savepoint: %w", s.failed))
	}
	if err := w.commit(s); err != nil {
		return err
	}
	return w.err
}

// begin opens a transaction, on a fresh connection if the one at hand turns out to be dead.
func (w *pgTurn) begin() (*pgSession, error) {
	for first := true; ; first = false {
		s, err := pgConnect(context.Background(), w.p.writers)
		if err != nil {
			return nil, err
		}
		w.p.db.count.control.Add(1)
		if _, err = s.control(context.Background(), begin); err == nil {
			return s, nil
		}
		dead := s.raw.IsClosed()
		s.discard()
		w.p.db.count.reconnects.Add(1)
		if !dead || !first {
			return nil, err
		}
	}
}

// fnInTx runs the function, in test mode twice. Its error is what makes the transaction useless.
func (w *pgTurn) fnInTx(s *pgSession) error {
	for round := 1; ; round++ {
		w.call(s)
		if w.tx.lost != nil {
			if w.err != nil && errors.Is(w.err, w.tx.lost) {
				return w.err // says also what was being done
			}
			return w.tx.lost
		}
		if !w.p.db.o.RunTwice || round == 2 || w.err != nil && len(w.memories()) == 0 {
			return nil
		}
		if s.raw.PgConn().TxStatus() == txFailed {
			return nil // attempt says what that means
		}
		if err := s.do(ctlRollbackTo); err != nil {
			return w.p.db.explain(err)
		}
	}
}

// call runs the function on a goroutine of its own, which it may end.
func (w *pgTurn) call(s *pgSession) {
	w.p.db.count.runs.Add(1)
	w.tx = &Tx{db: w.p.db, c: s, ctx: w.ctx}
	done := make(chan struct{})
	began := time.Now()
	go func() {
		returned := false
		defer func() {
			w.tx.over = true
			if !returned {
				w.err = ended(recover())
			}
			close(done)
		}()
		w.err = invoke(w.fn, w.tx)
		returned = true
	}()
	<-done
	if took := time.Since(began); took > slowWrite {
		w.p.db.o.Log.Warn().Str("module", w.p.db.o.Module).Dur("took", took).Msg("slow function in a write: what it has locked others waited for")
	}
}

// ended is the error of a function that did not return: v is its panic, if it was one.
func ended(v any) error {
	if v != nil {
		return panicked(v)
	}
	return ErrPanicked.With("something went wrong on our side").Because(
		errors.New("the function given to Write ended its goroutine (runtime.Goexit; in a test, FailNow)"))
}

func (w *pgTurn) memories() []memory { return memoriesOf(w.tx, w.err) }

// remember undoes what the function did, and keeps the refusals that it returned.
func (w *pgTurn) remember(s *pgSession) error {
	memories := w.memories()
	if len(memories) == 0 {
		return nil
	}
	if err := s.do(ctlRollbackTo); err != nil {
		return w.p.db.explain(err)
	}
	tx := &Tx{db: w.p.db, c: s, ctx: context.WithoutCancel(w.ctx)}
	for _, m := range memories {
		if err := tx.insertOnce(m.command, "", m.text); err != nil {
			return err
		}
	}
	w.tx.events, w.tx.jobs, w.kept = false, false, true
	return nil
}

// commit makes the transaction last. What the server refuses for a reason that it states is
// not done; whatever else goes wrong after COMMIT was sent leaves it unknown. Whether it was sent pgx does not tell: of a
// connection that is lost while it waits for the answer it says that it was closed, as of one that was closed before.
func (w *pgTurn) commit(s *pgSession) error {
	if s.raw.IsClosed() {
		return ErrUnreachable.With("storage does not answer; nothing was done").Because(fmt.Errorf("%s: commit: %w", w.p.db.path, pgconn.ErrConnClosed))
	}
	w.p.db.count.control.Add(1)
	tag, err := "", error(nil)
	if hook := w.p.db.o.pgCommit; hook != nil {
		err = hook()
	}
	if err == nil {
		tag, err = s.control(context.Background(), "COMMIT")
	}
	switch {
	case err == nil && tag == "COMMIT":
		w.p.db.count.commits.Add(1)
		return nil
	case err == nil:
		return ErrStatement.Because(fmt.Errorf("the server answered COMMIT by %s: a statement had failed", tag))
	case pgAgain(err), errs.KindOf(w.p.db.explain(err)) != errs.Unavailable && IsConstraint(err):
		return w.p.db.explain(fmt.Errorf("commit: %w", err))
	}
	w.p.db.count.failedCommits.Add(1)
	w.p.db.o.Log.Error().Str("module", w.p.db.o.Module).Err(err).Msg("commit failed")
	s.discard()
	return ErrUnknown.With("it is not known whether this was saved").Because(fmt.Errorf("%s: commit: %w", w.p.db.path, err))
}
