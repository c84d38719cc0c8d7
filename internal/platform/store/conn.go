package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
)

// statementCache is how many prepared statements each connection keeps. A statement is
// taken out of the cache while it is in use, so the same text run again inside its own
// iteration is prepared a second time and cuts nothing off.
const statementCache = 128

// mode is what a connection is for. They have different DSNs: _txlock=immediate on a
// read-only connection makes every one of its transactions fail.
type mode int

const (
	modeWrite mode = iota
	modeRead
	modeFold      // which changes nothing, but moves what is committed from the log to the file
	modeImmutable // a file that nobody can write, in a folder that nobody can write
)

// dsn is everything that a connection is opened with.
func dsn(path string, m mode, o Options) string {
	v := url.Values{}
	v.Set("_busy_timeout", strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10))
	v.Set("_foreign_keys", "1")
	v.Set("_mutex", "no") // one goroutine at a time has the connection
	v.Set("_stmt_cache_size", strconv.Itoa(statementCache))
	v.Set("_cache_size", strconv.Itoa(cacheReader))
	switch m {
	case modeWrite:
		v.Set("_journal_mode", "WAL")
		v.Set("_txlock", "immediate")
		v.Set("_cache_size", strconv.Itoa(-o.WriterCache))
		v.Set("_synchronous", o.synchronous())
	case modeFold: // it writes to the file, and has to wait for the disk before the log starts over
		v.Set("mode", "rw")
		v.Set("_query_only", "1")
		v.Set("_synchronous", o.synchronous())
	case modeRead:
		v.Set("mode", "ro")
		v.Set("_query_only", "1")
	case modeImmutable:
		v.Set("mode", "ro")
		v.Set("_query_only", "1")
		v.Set("immutable", "1")
	}
	return "file:" + escapePath(path) + "?" + v.Encode()
}

// synchronous is when SQLite waits for the disk.
func (o Options) synchronous() string {
	if o.NoSync {
		return "OFF"
	}
	return "FULL"
}

// escapePath writes a path as SQLite's file: addresses want it.
func escapePath(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// pragmas are those that the DSN has no word for; the driver runs them on every connection
// that it opens. Checkpoints are the writer's business and the folder's.
const pragmas = `
	PRAGMA trusted_schema = OFF;
	PRAGMA cell_size_check = ON;
	PRAGMA temp_store = MEMORY;
	PRAGMA wal_autocheckpoint = 0;
	PRAGMA cache_spill = 4096;
	PRAGMA journal_size_limit = 67108864;`

// Pages kept by each connection, in KiB. There are many connections (modules times readers)
// and one page cache of the system beneath them all, so each keeps little: with four times as
// much, whole purchases cost as much processor time, and souk has 20 MB more.
//
// A transaction may change more than that: up to cache_spill pages (16 MB) stay in memory until it
// commits, and are let go then. A page that had to go to the log before is written again when it
// changes again, and every page behind it gets a new checksum.
const (
	cacheWriter = 2048
	cacheReader = -512
)

// connector opens connections of one kind to one file.
type connector struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

func newConnector(path string, m mode, o Options) connector {
	return connector{dsn: dsn(path, m, o), driver: &sqlite3.SQLiteDriver{
		ConnectHook: func(c *sqlite3.SQLiteConn) error {
			if _, err := c.Exec(pragmas, nil); err != nil {
				return err
			}
			if o.onConnect != nil {
				return o.onConnect(c, m == modeWrite)
			}
			return nil
		},
	}}
}

// Connect opens a connection.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver is SQLite's.
func (c connector) Driver() driver.Driver { return c.driver }

// conn is one connection, used by one goroutine at a time.
type conn struct {
	pool *sql.DB // of this one connection
	x    *sqlx.Conn
	raw  *sqlite3.SQLiteConn
	ctl  map[control]driver.Stmt
}

// control is a statement that begins or ends something. These are prepared once.
type control string

const (
	ctlBegin         control = "BEGIN"
	ctlBeginWrite    control = "BEGIN IMMEDIATE"
	ctlCommit        control = "COMMIT"
	ctlRollback      control = "ROLLBACK"
	ctlSavepoint     control = "SAVEPOINT fn"
	ctlRollbackTo    control = "ROLLBACK TO fn"
	ctlRelease       control = "RELEASE fn"
	ctlInner         control = "SAVEPOINT part"
	ctlInnerRollback control = "ROLLBACK TO part"
	ctlInnerRelease  control = "RELEASE part"
)

func connect(ctx context.Context, c connector) (*conn, error) {
	pool := sql.OpenDB(c)
	pool.SetMaxOpenConns(1)
	x, err := sqlx.NewDb(pool, "sqlite3").Connx(context.WithoutCancel(ctx))
	if err != nil {
		_ = pool.Close()
		return nil, err
	}
	made := &conn{pool: pool, x: x, ctl: map[control]driver.Stmt{}}
	// The driver's connection is kept beside database/sql's: it alone can say whether a
	// transaction still stands. Nothing else ever uses either.
	err = x.Raw(func(dc any) error {
		raw, ok := dc.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("not a SQLite connection but %T", dc)
		}
		made.raw = raw
		return nil
	})
	if err != nil {
		_ = made.close()
		return nil, err
	}
	return made, nil
}

// do runs a control statement.
func (c *conn) do(what control) error {
	stmt, ok := c.ctl[what]
	if !ok {
		var err error
		if stmt, err = c.raw.Prepare(string(what)); err != nil {
			return err
		}
		c.ctl[what] = stmt
	}
	_, err := stmt.Exec(nil) //nolint:staticcheck // the driver's own statement: no context wanted
	return err
}

// get reads the first row.
func (c *conn) get(ctx context.Context, dest any, query string, args []any) error {
	return c.x.GetContext(ctx, dest, query, args...)
}

// all reads every row.
func (c *conn) all(ctx context.Context, dest any, query string, args []any) error {
	return c.x.SelectContext(ctx, dest, query, args...)
}

// exec runs a statement and says how many rows it changed.
func (c *conn) exec(ctx context.Context, query string, args []any) (int64, error) {
	result, err := c.x.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// over says whether the transaction has ended, with whatever error.
func (c *conn) over(error) bool { return !c.inTransaction() }

// inTransaction says whether a transaction stands. SQLite ends one by itself when the disk
// is full, when reading or writing fails, when memory runs out and when it is interrupted.
func (c *conn) inTransaction() bool { return !c.raw.AutoCommit() }

// abandon ends whatever transaction stands.
func (c *conn) abandon() error {
	if !c.inTransaction() {
		return nil
	}
	return c.do(ctlRollback)
}

func (c *conn) close() error {
	for _, stmt := range c.ctl {
		_ = stmt.Close()
	}
	_ = c.x.Close()
	return c.pool.Close()
}

// defaultBusyTimeout is how long a statement waits for a lock that another process holds
// (a copy by hand, a shell) before it says so.
const defaultBusyTimeout = 5 * time.Second
