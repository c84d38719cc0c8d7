package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/semaphore"
)

// postgres is the engine behind a DB whose data are a schema of a PostgreSQL database.
// Connections are of four kinds: those that write, those that read, one for the sequencer
// and for waking other processes, and one that listens.
type postgres struct {
	db      *DB
	at      place
	writers *sqlx.DB
	readers *sqlx.DB
	aux     *sqlx.DB

	writeTurns *semaphore.Weighted // one per Write; all of them for a Write that must be alone, or a barrier
	readTurns  *semaphore.Weighted
	seq        *sequencer // nil when only opened to read

	life context.Context // ends when closing begins
	end  context.CancelFunc
	work sync.WaitGroup // sequencer and listener
}

// pgHooks are for store's own tests.
type pgHooks struct {
	pgAtOnce     bool          // a Write that publishes waits until its events have been numbered
	pgNoNumbers  bool          // nobody numbers events but who calls Settle
	pgHeldAfter  time.Duration // heldAfter
	pgFenceLease time.Duration // lease
	pgUnguarded  bool          // the sequencer takes what is committed without regard to who is still writing
	pgCommit     func() error  // called in place of the COMMIT; what it returns is the commit's error
	pgOnHeld     func(pid int64)
	pgClosing    time.Duration // ClosePatience
	pgSilence    func() time.Duration
}

// NumberAtOnce has a Write that publishes return only when its events have been numbered, on
// PostgreSQL. It is for tests that look at the log at once.
func (o *Options) NumberAtOnce() { o.pgAtOnce = true }

// LookNever is NumberAtOnce, and the process knows only what it is told: now and then it looks by itself, and would find out in the
// end what nobody has told it. It is for tests of news.
func (o *Options) LookNever() { o.pgAtOnce, o.pgNoNumbers = true, true }

func openPostgres(ctx context.Context, o Options, readOnly bool) (*DB, error) {
	fail := func(at place, err error) error {
		return fmt.Errorf("open the database of %s: %w", o.Module, pgExplain(at.String(), err))
	}
	at, err := placeOf(o)
	if err != nil {
		return nil, fail(at, err)
	}
	db := &DB{o: o, path: at.String(), readOnly: readOnly, closing: make(chan struct{})}
	if err := at.prepare(ctx, readOnly); err != nil {
		return nil, fail(at, err)
	}
	if err := pgMigrate(ctx, o, at, readOnly); err != nil {
		return nil, fail(at, err)
	}
	p := &postgres{
		db: db, at: at,
		writeTurns: semaphore.NewWeighted(int64(o.MaxWriters)),
		readTurns:  semaphore.NewWeighted(int64(o.MaxReaders)),
		readers:    at.pool(o, pgReads, o.MaxReaders),
	}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	db.pg = p
	if readOnly {
		return db, nil
	}
	p.writers, p.aux = at.pool(o, pgWrites, o.MaxWriters), at.pool(o, pgAux, 2)
	if _, err := p.aux.ExecContext(ctx, readopt); err != nil {
		return nil, errors.Join(fail(at, err), p.close()) //nolint:contextcheck // it ends whatever becomes of ctx
	}
	p.seq = newSequencer(p)
	p.work.Go(func() { p.listen(p.life) })
	if !o.pgNoNumbers {
		p.work.Go(func() { p.seq.run(p.life) })
	}
	return db, nil
}

// ClosePatience is how long what runs on PostgreSQL may take to finish when the database is closed. Whoever wanted an answer in time
// has had its own patience before.
const ClosePatience = 5 * time.Second

// close lets what runs finish, and ends what wakes others. What waits for a server that does not answer is cut off.
func (p *postgres) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(p.db.o.pgClosing, ClosePatience))
	defer cancel()
	cut := false
	for _, finish := range []func(context.Context) bool{p.allTurns, p.endWork} {
		if finish(ctx) {
			continue
		}
		if n := p.at.lines.cut(); !cut {
			p.db.o.Log.Error().Str("module", p.db.o.Module).Int("connections", n).
				Msg("the database server did not answer to the end; what was begun there is not known to have been done")
		}
		cut = true
		finish(context.Background())
	}
	var failed []error
	for _, pool := range []*sqlx.DB{p.writers, p.readers, p.aux} {
		if pool == nil {
			continue
		}
		if err := pool.Close(); !cut { // or they are closed already
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// allTurns waits until nothing runs, or for ctx, and says which; nothing begins then.
func (p *postgres) allTurns(ctx context.Context) bool {
	writes, reads := int64(p.db.o.MaxWriters), int64(p.db.o.MaxReaders)
	if p.writeTurns.Acquire(ctx, writes) != nil {
		return false
	}
	if p.readTurns.Acquire(ctx, reads) != nil {
		p.writeTurns.Release(writes)
		return false
	}
	return true
}

// endWork ends sequencer and listener, waits until they have ended, or for ctx, and says which.
func (p *postgres) endWork(ctx context.Context) bool {
	p.end()
	ended := make(chan struct{})
	go func() {
		p.work.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// hold is a barrier for the Writes of this process.
func (p *postgres) hold(ctx context.Context) (release func(), err error) {
	if err := p.turn(ctx, p.writeTurns, int64(p.db.o.MaxWriters)); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { p.writeTurns.Release(int64(p.db.o.MaxWriters)) }), nil
}

// turn waits for n of the turns, for ctx and for the end. Those that wait when Close is called
// still have theirs.
func (p *postgres) turn(ctx context.Context, turns *semaphore.Weighted, n int64) error {
	if p.closing() {
		return errClosed()
	}
	if turns.TryAcquire(n) {
		return nil
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)() //nolint:contextcheck // the end of the database ends the waiting too
	switch err := turns.Acquire(waiting, n); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return notBegun(ctx)
	default:
		return errClosed()
	}
}

func (p *postgres) closing() bool {
	select {
	case <-p.db.closing:
		return true
	default:
		return false
	}
}

// Settle returns when every event that had been published when it was called, by whatever
// process, has its position in the log. On SQLite it always has.
func (db *DB) Settle(ctx context.Context) error {
	if db.pg == nil || db.pg.seq == nil {
		return nil
	}
	return db.explain(db.pg.seq.settle(ctx))
}

// The server's time, by which leases run: the clocks of processes may differ. That of the statement can be looked up in an index.
const (
	serverNow     = `CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)`
	statementTime = `CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)`
)
