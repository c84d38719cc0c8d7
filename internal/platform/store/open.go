// Package store keeps one module's data in a database that no other module can open.
//
// Two verbs do everything. Write runs a function in a transaction and returns nil only
// once its effects are on the disk; the writes that queue at the same time share one
// commit, each in a savepoint of its own, so that one that fails undoes itself alone. Read
// gives a function one snapshot. In a Write a module also publishes events, enqueues jobs,
// remembers idempotency keys and leaves audit rows, all in the same transaction.
//
//	err := db.Write(ctx, func(tx *store.Tx) error {
//		if _, err := tx.Exec(`UPDATE orders SET status = ? WHERE id = ? AND version = ?`, …); err != nil {
//			return err
//		}
//		return tx.Publish(orders.Placed{OrderID: oid})
//	})
//
// A database is a SQLite file (Options.Path), or a schema of a PostgreSQL database
// (Options.URL), with a role that sees nothing else. There a Write is one SERIALIZABLE
// transaction, whose function runs again when it could not be serialised, and many processes
// may have the same database open.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/rs/zerolog"

	"souk/internal/platform/clock"
)

// Options say which database to open and how.
type Options struct {
	Module     string            // "orders": in error codes, log lines and the lock
	Path       string            // on SQLite, the file: ".../orders.db"
	URL        string            // on PostgreSQL, the database: "postgres://…"
	Schema     string            // in it; default: Module
	Migrations fs.FS             // the module's own, for goose; nil for none
	Now        func() clock.Time // default: clock.Now
	Log        zerolog.Logger    // default: silent

	MaxReaders   int           // Reads in flight; default: one per processor, 4 at least, 16 at most; 6 on PostgreSQL
	BusyReaders  int           // of these, while writes are under way; default: all processors but one
	MaxBatch     int           // functions in one commit; default 256
	MaxBatchTime time.Duration // after which no more join a commit; default 20 ms
	MaxQueued    int           // Writes waiting for their turn; default 4096
	BusyTimeout  time.Duration // patience with a lock of another process; default 5 s
	MaxWriters   int           // on PostgreSQL, Writes at once in this process; default 6
	WriterCache  int           // on SQLite, KiB of pages kept for writing; default 2048

	RunTwice bool // for tests: every function runs, is undone, and runs again
	NoSync   bool // for tests: a commit does not wait for the disk

	copying    bool // by a Copy, to an unfinished target
	serverTime bool // on PostgreSQL, and no other clock was given

	// For store's own tests.
	onConnect  func(c *sqlite3.SQLiteConn, writer bool) error
	forceFolds int64 // checkpointForce
	pgHooks
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now, o.serverTime = clock.Now, o.URL != ""
	}
	if o.MaxReaders <= 0 && o.URL != "" {
		o.MaxReaders = 6 // all modules of a process together stay below the server's default of 100 connections
	}
	if o.MaxReaders <= 0 {
		o.MaxReaders = min(max(processors(), 4), 16)
	}
	if o.BusyReaders <= 0 {
		o.BusyReaders = max(processors()-1, 1)
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 256
	}
	if o.MaxBatchTime <= 0 {
		o.MaxBatchTime = 20 * time.Millisecond
	}
	if o.MaxQueued <= 0 {
		o.MaxQueued = 4096
	}
	if o.forceFolds <= 0 {
		o.forceFolds = checkpointForce
	}
	if o.MaxWriters <= 0 {
		o.MaxWriters = 6
	}
	if o.WriterCache <= 0 {
		o.WriterCache = cacheWriter
	}
	if o.Schema == "" {
		o.Schema = o.Module
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = defaultBusyTimeout
	}
	return o
}

// processors is how many there really are to share.
func processors() int { return min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) }

// DB is one module's database. It may be used by many goroutines.
type DB struct {
	o        Options
	path     string
	lock     *fileLock
	readOnly bool
	count    counters
	writer   *writer
	pg       *postgres // the engine, if it is not SQLite

	readers   *readers
	readMode  mode          // of these
	turns     chan struct{} // full when as many Reads run as may beside writes
	closing   chan struct{} // closed when Close begins
	closeOnce sync.Once
	closeErr  error

	mu        sync.Mutex
	listeners atomic.Pointer[[]func(Commit)]
}

// Commit says what a committed batch may have left for others to do.
type Commit struct {
	Events bool // something was published
	Jobs   bool // something was enqueued
	// Elsewhere says that it was, or may have been, another process: what this one keeps in memory of the
	// database may be old.
	Elsewhere bool
}

// Open opens the database, making the file if need be: it takes the lock on it, or says who
// has it, checks what migrations have run, and runs those that wait. On PostgreSQL it makes the
// schema and its role if need be, and there is no lock: others may have it open too.
func Open(ctx context.Context, o Options) (*DB, error) {
	o = o.withDefaults()
	if err := check(o); err != nil {
		return nil, err
	}
	if o.URL != "" {
		return openPostgres(ctx, o, false)
	}
	lock, err := takeLock(o.Path)
	if err != nil {
		return nil, fmt.Errorf("open the database of %s: %w", o.Module, err)
	}
	db := newDB(o, lock)
	if err := db.start(ctx); err != nil {
		lock.release()
		return nil, fmt.Errorf("open the database of %s: %w", o.Module, db.explain(err))
	}
	return db, nil
}

func check(o Options) error {
	if o.Module == "" || (o.Path == "") == (o.URL == "") {
		return errors.New("store: a database needs a module and either a path or a URL")
	}
	return nil
}

func newDB(o Options, lock *fileLock) *DB {
	return &DB{
		o: o, path: o.Path, lock: lock,
		readers: newReaders(o.MaxReaders), readMode: modeRead,
		turns: make(chan struct{}, o.BusyReaders), closing: make(chan struct{}),
	}
}

func (db *DB) start(ctx context.Context) error {
	if err := migrate(ctx, db.o); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(db.path)); err != nil {
		return fmt.Errorf("make the new file last: %w", err)
	}
	w, err := newWriter(ctx, db)
	if err != nil {
		return err
	}
	db.writer = w
	go w.run() // it outlives the opening, and serves each caller's context
	return nil
}

// syncDir makes the names in a folder last through a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own data folder
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// Module is the module whose database this is.
func (db *DB) Module() string { return db.o.Module }

// Path is the database's file, or which schema of which server. Nothing else in this process may open it: when any
// descriptor of a file is closed, the kernel drops all the locks that the process has on
// it, SQLite's among them. Snapshot.CopyTo makes copies.
func (db *DB) Path() string { return db.path }

// Shared says that other processes may work on this database too.
func (db *DB) Shared() bool { return db.pg != nil }

// Now is the time by the database's clock.
func (db *DB) Now() clock.Time { return db.o.Now() }

// ServerTime is an SQL expression for the time by the database server's clock, the same during one statement: what
// processes agree on by time goes by it, since their own clocks may differ. There is none in files, nor where Options.Now says the time.
func (db *DB) ServerTime() (expression string, ok bool) {
	return statementTime, db.o.serverTime
}

// OnCommit has fn called after every commit that published or enqueued something, from the
// writer's own goroutine: it wakes somebody, waits for nothing and writes nothing. It may
// be called too often, never too seldom.
func (db *DB) OnCommit(fn func(Commit)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	var all []func(Commit)
	if old := db.listeners.Load(); old != nil {
		all = append(all, *old...)
	}
	all = append(all, fn)
	db.listeners.Store(&all)
}

func (db *DB) tell(c Commit) {
	if all := db.listeners.Load(); all != nil && c != (Commit{}) {
		for _, fn := range *all {
			fn(c)
		}
	}
}

// Close lets what is queued finish, waits for the Reads in flight, folds the write-ahead
// log into the file and gives the lock back. What comes later is ErrNotBegun.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		if db.pg != nil {
			close(db.closing)
			db.closeErr = db.pg.close()
			return
		}
		if db.writer != nil {
			db.writer.stop()
		}
		close(db.closing)
		for range db.o.MaxReaders {
			<-db.readers.turns
			if c := db.readers.take(); c != nil {
				db.closeErr = errors.Join(db.closeErr, c.close())
			}
		}
		if db.writer != nil {
			db.closeErr = errors.Join(db.closeErr, db.writer.finish())
		}
		if db.lock != nil {
			db.lock.release()
		}
	})
	return db.closeErr
}

// holder is whom the lock file names, for messages.
func (db *DB) holder() string { return readHolder(db.path) }
