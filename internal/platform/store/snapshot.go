package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// Snapshot is one moment of a database, kept for as long as it is open, beside the Reads and
// not among them. While it is open the write-ahead log cannot start over: close it soon.
type Snapshot struct {
	db *DB
	mu sync.Mutex
	c  *conn // nil once closed
	pg *pgRead
}

// Snapshot keeps the present moment. Under Hold, those of several databases are one moment.
func (db *DB) Snapshot(ctx context.Context) (*Snapshot, error) {
	if db.pg != nil {
		return db.pg.snapshot(ctx)
	}
	c, err := connect(ctx, newConnector(db.path, db.readMode, db.o))
	if err != nil {
		return nil, db.explain(fmt.Errorf("open a snapshot: %w", err))
	}
	// BEGIN alone fixes nothing: the first reading does.
	var tables int
	err = c.do(ctlBegin)
	if err == nil {
		err = c.x.GetContext(ctx, &tables, `SELECT count(*) FROM sqlite_schema`)
	}
	if err != nil {
		return nil, errors.Join(db.explain(fmt.Errorf("open a snapshot: %w", err)), c.close())
	}
	return &Snapshot{db: db, c: c}, nil
}

// Read runs fn on the snapshot.
func (s *Snapshot) Read(ctx context.Context, fn func(q Queryer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pg != nil {
		return s.pg.run(ctx, fn)
	}
	if s.c == nil {
		return errClosed()
	}
	q := &snapshotReader{db: s.db, c: s.c, ctx: ctx}
	defer func() { q.over = true }()
	return fn(q)
}

// copyPages is how many pages are copied before the context is asked again.
const copyPages = 1024

// CopyTo writes the snapshot to a new database file, which is on the disk when it returns.
func (s *Snapshot) CopyTo(ctx context.Context, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db.pg != nil {
		return fmt.Errorf("%s cannot be copied to a file: PostgreSQL's own pg_dump does that", s.db.path)
	}
	if s.c == nil {
		return errClosed()
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the operator's choice
	if err != nil {
		return fmt.Errorf("copy %s: %w", s.db.path, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("copy %s: %w", s.db.path, err)
	}
	if err := s.copyPages(ctx, path); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("copy %s to %s: %w", s.db.path, path, explain(path, func() string { return "" }, err))
	}
	return nil
}

func (s *Snapshot) copyPages(ctx context.Context, path string) (err error) {
	drv := &sqlite3.SQLiteDriver{}
	dc, err := drv.Open("file:" + escapePath(path) + "?_journal_mode=OFF&_synchronous=OFF&_mutex=no")
	if err != nil {
		return err
	}
	to, ok := dc.(*sqlite3.SQLiteConn)
	if !ok {
		return errors.Join(fmt.Errorf("not a SQLite connection but %T", dc), dc.Close())
	}
	backup, err := to.Backup("main", s.c.raw, "main")
	if err != nil {
		return errors.Join(err, to.Close())
	}
	for done := false; !done && err == nil; {
		if err = ctx.Err(); err == nil {
			done, err = backup.Step(copyPages)
		}
	}
	if err := errors.Join(err, backup.Finish(), to.Close()); err != nil {
		return err
	}
	return errors.Join(syncFile(path), syncDir(filepath.Dir(path)))
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the file just written
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close lets the moment go.
func (s *Snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pg != nil {
		defer func() { s.pg = nil }()
		return s.pg.end()
	}
	if s.c == nil {
		return nil
	}
	err := errors.Join(s.c.abandon(), s.c.close())
	s.c = nil
	return err
}
