package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// snapshotReader is a Queryer on one read transaction. The caller's context may interrupt it.
type snapshotReader struct {
	db   *DB
	c    session
	ctx  context.Context
	over bool
}

// Get reads the first row into dest.
func (q *snapshotReader) Get(dest any, query string, args ...any) error {
	if err := q.ready(query); err != nil {
		return err
	}
	return q.db.explain(q.c.get(q.ctx, dest, query, args))
}

// Select reads every row into dest.
func (q *snapshotReader) Select(dest any, query string, args ...any) error {
	if err := q.ready(query); err != nil {
		return err
	}
	return q.db.explain(q.c.all(q.ctx, dest, query, args))
}

func (q *snapshotReader) ready(query string) error {
	if q.over {
		return ErrStatement.Because(errors.New("a Queryer was used after its Read had ended"))
	}
	if err := checkStatement(query); err != nil {
		return err
	}
	q.db.count.statements.Add(1)
	return nil
}

// Read runs fn on one snapshot: everything that it asks has the same moment for answer. The
// caller's context may interrupt it at any time. Few Reads run at once; the others wait.
func (db *DB) Read(ctx context.Context, fn func(q Queryer) error) error {
	if db.o.RunTwice && insideWrite() {
		return ErrNested.Because(errors.New("a Read inside a Write sees what was before it: ask tx"))
	}
	if db.pg != nil {
		return db.pg.read(ctx, fn)
	}
	giveBack, err := db.readTurn(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	c, err := db.reader(ctx)
	if err != nil {
		return err
	}
	db.count.reads.Add(1)
	if err := c.do(ctlBegin); err != nil {
		db.readers.put(db.dropped(c))
		return db.explain(fmt.Errorf("begin a read: %w", err))
	}
	q := &snapshotReader{db: db, c: c, ctx: ctx}
	defer func() { // also when fn panics or ends its goroutine
		q.over = true
		if err := c.abandon(); err != nil {
			c = db.dropped(c)
		}
		db.readers.put(c)
	}()
	return fn(q)
}

// slowRead is how long a Read may keep others waiting while writes are under way. One that
// takes longer goes on, beside those it made wait.
const slowRead = 50 * time.Millisecond

// readTurn lets only a few Reads run beside writes: on few processors they would starve the
// writer. It returns how the turn is given back, which may be done twice.
func (db *DB) readTurn(ctx context.Context) (giveBack func(), err error) {
	if db.writer == nil || !db.writer.underWay() {
		return func() {}, nil
	}
	select {
	case db.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, notBegun(ctx)
	case <-db.closing:
		return nil, errClosed()
	}
	once := sync.OnceFunc(func() { <-db.turns })
	slow := time.AfterFunc(slowRead, once)
	return func() { slow.Stop(); once() }, nil
}

// reader waits for one of the few read connections.
func (db *DB) reader(ctx context.Context) (*conn, error) {
	select {
	case <-db.closing:
		return nil, errClosed()
	default:
	}
	select {
	case <-ctx.Done():
		return nil, notBegun(ctx)
	case <-db.closing:
		return nil, errClosed()
	case <-db.readers.turns:
		if c := db.readers.take(); c != nil {
			return c, nil
		}
		c, err := connect(ctx, newConnector(db.path, db.readMode, db.o))
		if err != nil {
			db.readers.put(nil)
			return nil, db.explain(fmt.Errorf("open a connection to read: %w", err))
		}
		return c, nil
	}
}

// dropped closes a connection that can no longer be relied on; the next Read opens another.
func (db *DB) dropped(c *conn) *conn {
	if err := c.close(); err != nil {
		db.o.Log.Warn().Str("module", db.o.Module).Err(err).Msg("read connection closed with an error")
	}
	return nil
}

func errClosed() error {
	return ErrNotBegun.With("the service is closing").Because(errors.New("the database is closed"))
}
