package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

// expiring gives connections an SQL function, expire(), that ends a context while the
// statement around it is still running, and waits until SQLite has been told.
func expiring(end func()) func(*sqlite3.SQLiteConn, bool) error {
	return func(c *sqlite3.SQLiteConn, _ bool) error {
		return c.RegisterFunc("expire", func() int64 { end(); return 1 }, false)
	}
}

// manyRows inserts long enough after expire() that an interruption is seen.
const manyRows = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
	INSERT INTO things (name) SELECT 'late' || (i + expire() - 1) FROM n WHERE i > 1 OR expire() = 1`

// The trap: SQL that carries a context which ends inside an INSERT makes SQLite roll back
// the whole transaction, with what others did in it.
func TestTrapInterruptedInsertRollsBackNeighbours(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	db := openThings(t, func(o *Options) { o.onConnect = expiring(cancel) })
	c, err := connect(context.Background(), newConnector(db.path, modeWrite, db.o))
	require.NoError(t, err)
	defer func() { require.NoError(t, c.close()) }()
	require.NoError(t, c.do(ctlBeginWrite))
	_, err = c.x.ExecContext(context.Background(), `INSERT INTO things (name) VALUES ('neighbour')`)
	require.NoError(t, err)
	require.NoError(t, c.do(ctlSavepoint))
	_, err = c.x.ExecContext(ctx, manyRows)
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, c.inTransaction(), "the neighbour's insert is gone with the transaction")
}

func TestContextThatExpiresInsideAnInsertHarmsNobody(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db := openThings(t, func(o *Options) { o.onConnect = expiring(cancel) })
	got := together(t, db,
		one{fn: add("before")},
		one{ctx: ctx, fn: func(tx *Tx) error {
			if _, err := tx.Exec(manyRows); err != nil {
				return fmt.Errorf("the statement must run to its end: %w", err)
			}
			return add("next statement")(tx)
		}},
		one{fn: add("after")})
	require.NoError(t, got[0])
	require.ErrorIs(t, got[1], ErrNotBegun, "asked between statements")
	require.ErrorIs(t, got[1], context.Canceled)
	require.NoError(t, got[2])
	assert.Equal(t, []string{"after", "before"}, names(t, db))
	assert.Zero(t, db.Stats().Reruns)
}

func TestContextThatEndsAfterTheLastStatementIsCommitted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	db := openThings(t, nil)
	require.NoError(t, db.Write(ctx, func(tx *Tx) error {
		defer cancel()
		return add("done")(tx)
	}))
	assert.Equal(t, []string{"done"}, names(t, db))
}

func TestContextThatEndsInTheQueueWithdraws(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	release, err := db.Hold(context.Background())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	answer := make(chan error)
	never := add("never")
	go func() { answer <- db.Write(ctx, never) }()
	cancel()
	require.ErrorIs(t, <-answer, ErrNotBegun, "no waiting for the writer")
	release()
	require.NoError(t, db.Write(context.Background(), add("next")))
	assert.Equal(t, []string{"next"}, names(t, db))
}

// limitPages makes a database full after some pages.
func limitPages(pages int) func(*sqlite3.SQLiteConn, bool) error {
	return func(c *sqlite3.SQLiteConn, writer bool) error {
		if !writer {
			return nil
		}
		_, err := c.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages), nil)
		return err
	}
}

// big inserts a thing of some megabytes.
func big(name string, bytes int) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO things (name, body) VALUES (?, zeroblob(?))`, name, bytes)
		return err
	}
}

func TestFullEndsOnlyTheCulprit(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.onConnect = limitPages(200) })
	var runs [4]atomic.Int64
	counted := func(i int, fn func(*Tx) error) one {
		return one{fn: func(tx *Tx) error { runs[i].Add(1); return fn(tx) }}
	}
	var lost bool
	got := together(t, db,
		counted(0, add("first")),
		counted(1, add("second")),
		counted(2, func(tx *Tx) error {
			err := big("too big", 4<<20)(tx)
			lost = tx.c.over(nil)
			return fmt.Errorf("add a picture: %w", err)
		}),
		counted(3, add("last")))
	assert.True(t, lost, "the trap: a full disk ends the transaction of everyone")
	require.NoError(t, got[0])
	require.NoError(t, got[1])
	require.ErrorIs(t, got[2], ErrFull)
	assert.Equal(t, errs.Unavailable, errs.KindOf(got[2]))
	assert.Contains(t, got[2].Error(), "add a picture")
	assert.Contains(t, got[2].Error(), "things.db: the disk is full; free space")
	require.NoError(t, got[3])
	assert.Equal(t, []string{"first", "last", "second"}, names(t, db))
	assert.Equal(t, []int64{2, 2, 1, 1}, []int64{runs[0].Load(), runs[1].Load(), runs[2].Load(), runs[3].Load()},
		"innocents run again once, the culprit does not")
	s := db.Stats()
	assert.Equal(t, int64(2), s.Reruns)
	assert.Equal(t, int64(2), s.Commits, "what ran again is committed before anything new is tried")
}

func TestManyCulpritsInOneBatch(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.onConnect = limitPages(200) })
	var ones []one
	var want []string
	for i := range 60 {
		name := fmt.Sprintf("%02d", i)
		if i%3 == 1 {
			ones = append(ones, one{fn: big(name, 4<<20)})
			continue
		}
		want = append(want, name)
		ones = append(ones, one{fn: add(name)})
	}
	got := together(t, db, ones...)
	for i, err := range got {
		if i%3 == 1 {
			require.ErrorIs(t, err, ErrFull)
		} else {
			require.NoError(t, err)
		}
	}
	assert.Equal(t, want, names(t, db))
	assert.LessOrEqual(t, db.Stats().Reruns, int64(60), "each at most about once")
}

// The trap: after the transaction has gone, a function that goes on regardless would have
// each further statement committed by itself.
func TestStatementsAfterALostTransactionDoNotRun(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.onConnect = limitPages(200) })
	var second error
	err := db.Write(context.Background(), func(tx *Tx) error {
		_ = big("too big", 4<<20)(tx) // the error is dropped
		second = add("alone")(tx)
		return nil
	})
	require.ErrorIs(t, second, ErrFull)
	require.ErrorIs(t, err, ErrFull, "a Write whose transaction is gone cannot succeed")
	assert.Empty(t, names(t, db))
}

func TestPanicIsTheErrorOfThatFunctionAlone(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	got := together(t, db,
		one{fn: add("before")},
		one{fn: func(tx *Tx) error { _ = add("half")(tx); panic("oh no") }},
		one{fn: add("after")})
	require.NoError(t, got[0])
	require.ErrorIs(t, got[1], ErrPanicked)
	assert.Contains(t, got[1].Error(), "oh no")
	require.NoError(t, got[2])
	assert.Equal(t, []string{"after", "before"}, names(t, db))
	assert.Equal(t, int64(1), db.Stats().Commits)
}

func TestGoexitIsTheErrorOfThatFunctionAlone(t *testing.T) {
	t.Parallel()
	for _, twice := range []bool{false, true} {
		t.Run(fmt.Sprintf("run twice %v", twice), func(t *testing.T) {
			t.Parallel()
			db := openThings(t, func(o *Options) { o.RunTwice = twice })
			runs := 0
			got := together(t, db,
				one{fn: add("before")},
				one{fn: func(tx *Tx) error { _ = add("half")(tx); runtime.Goexit(); return nil }},
				one{fn: func(tx *Tx) error {
					if runs++; runs == 2 {
						runtime.Goexit() // in the second run of the test mode
					}
					return add("between")(tx)
				}},
				one{fn: add("after")})
			require.NoError(t, got[0])
			require.ErrorIs(t, got[1], ErrPanicked)
			want := []string{"after", "before", "between"}
			if twice {
				require.ErrorIs(t, got[2], ErrPanicked)
				want = []string{"after", "before"}
			} else {
				require.NoError(t, got[2])
			}
			require.NoError(t, got[3])
			assert.Equal(t, want, names(t, db))
			assert.Equal(t, int64(1), db.Stats().Commits, "the next goroutine went on with the same batch")
		})
	}
}

func TestFailedCommitIsUnknownToAll(t *testing.T) {
	t.Parallel()
	var fail atomic.Bool
	db := openThings(t, func(o *Options) {
		o.onConnect = func(c *sqlite3.SQLiteConn, writer bool) error {
			if writer {
				c.RegisterCommitHook(func() int {
					if fail.Load() {
						return 1
					}
					return 0
				})
			}
			return nil
		}
	})
	fail.Store(true)
	refused := errs.Refusal(errs.Conflict, "things.sold_out")
	got := together(t, db,
		one{fn: add("a")},
		one{fn: add("b")},
		one{fn: func(*Tx) error { return refused }})
	fail.Store(false)
	require.ErrorIs(t, got[0], ErrUnknown)
	assert.Equal(t, errs.Unknown, errs.KindOf(got[0]))
	require.ErrorIs(t, got[1], ErrUnknown)
	require.ErrorIs(t, got[2], ErrNotBegun, "it did nothing, but its refusal may rest on what is not there")
	require.NoError(t, db.Write(context.Background(), add("c")))
	s := db.Stats()
	assert.Equal(t, int64(1), s.Reconnects, "the connection is replaced")
	assert.Equal(t, int64(1), s.FailedCommits)
	assert.Equal(t, []string{"c"}, names(t, db))
}

func TestWriteInsideWriteIsRefused(t *testing.T) {
	t.Parallel()
	db, other := openThings(t, nil), openThings(t, nil)
	for name, inner := range map[string]*DB{"same database": db, "another": other} {
		err := db.Write(context.Background(), func(*Tx) error {
			return inner.Write(context.Background(), add("inner"))
		})
		require.ErrorIs(t, err, ErrNested, name)
		assert.Empty(t, names(t, inner))
	}
	require.NoError(t, db.Write(context.Background(), add("afterwards")))
}

func TestReadInsideWriteIsRefusedInTests(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.RunTwice = true })
	err := db.Write(context.Background(), func(*Tx) error {
		return db.Read(context.Background(), func(Queryer) error { return nil })
	})
	require.ErrorIs(t, err, ErrNested)
}

// The trap: a statement run again inside its own iteration is the same statement: what is
// left of the outer rows is cut off, or begins again, without an error.
func TestTrapStatementReusedInsideItsIteration(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		require.NoError(t, db.Write(context.Background(), add(name)))
	}
	c, err := connect(context.Background(), newConnector(db.path, modeRead, db.o))
	require.NoError(t, err)
	defer func() { require.NoError(t, c.close()) }()
	stmt, err := c.raw.Prepare(`SELECT name FROM things ORDER BY name`)
	require.NoError(t, err)
	defer func() { require.NoError(t, stmt.Close()) }()

	row := []driver.Value{nil}
	outer, err := stmt.Query(nil) //nolint:staticcheck // the driver's own
	require.NoError(t, err)
	require.NoError(t, outer.Next(row))
	seen := []driver.Value{row[0]}
	inner, err := stmt.Query(nil) //nolint:staticcheck // the driver's own
	require.NoError(t, err)
	for !errors.Is(inner.Next(row), io.EOF) {
	}
	for len(seen) < 10 && !errors.Is(outer.Next(row), io.EOF) {
		seen = append(seen, row[0])
	}
	assert.NotEqual(t, []driver.Value{"a", "b", "c"}, seen, "if they are equal the driver has closed the trap itself")
}

func TestStatementReusedInsideItsOwnIteration(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		require.NoError(t, db.Write(context.Background(), add(name)))
	}
	pairs := func(q Queryer) (n int, err error) {
		const query = `SELECT name FROM things ORDER BY name`
		var outer []string
		if err := q.Select(&outer, query); err != nil {
			return 0, err
		}
		for range outer {
			var inner []string
			if err := q.Select(&inner, query); err != nil {
				return 0, err
			}
			n += len(inner)
		}
		return n, nil
	}
	var read, written int
	require.NoError(t, db.Read(context.Background(), func(q Queryer) (err error) { read, err = pairs(q); return err }))
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) (err error) { written, err = pairs(tx); return err }))
	assert.Equal(t, []int{9, 9}, []int{read, written})
}

// The trap: _txlock=immediate makes each transaction of a connection that may only ask fail.
// (Where the file itself is opened with mode=ro, SQLite has begun to take it for a plain BEGIN.)
func TestTrapReadOnlyWithTxlockImmediate(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	pool, err := sql.Open("sqlite3", "file:"+db.path+"?_query_only=1&_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	_, err = pool.Begin()
	require.Error(t, err)
}

func TestReadersHaveTheirOwnDSN(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	assert.NotContains(t, dsn(db.path, modeRead, db.o), "immediate")
	err := db.Read(context.Background(), func(q Queryer) error {
		var n int
		return q.Get(&n, `INSERT INTO things (name) VALUES ('x') RETURNING id`)
	})
	require.ErrorIs(t, err, ErrReadOnly)
	assert.Empty(t, names(t, db))
}

func TestPragmasHoldOnEveryConnection(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.NoSync = false })
	for _, m := range []mode{modeWrite, modeRead} {
		c, err := connect(context.Background(), newConnector(db.path, m, db.o))
		require.NoError(t, err)
		var got []int
		for _, p := range []string{"foreign_keys", "trusted_schema", "wal_autocheckpoint", "busy_timeout", "query_only"} {
			var v int
			require.NoError(t, c.x.GetContext(context.Background(), &v, "PRAGMA "+p))
			got = append(got, v)
		}
		assert.Equal(t, []int{1, 0, 0, 5000, int(m)}, got)
		if m == modeWrite {
			var journal, synchronous string
			require.NoError(t, c.x.GetContext(context.Background(), &journal, "PRAGMA journal_mode"))
			require.NoError(t, c.x.GetContext(context.Background(), &synchronous, "PRAGMA synchronous"))
			assert.Equal(t, []string{"wal", "2"}, []string{journal, synchronous}, "synchronous=FULL")
		}
		require.NoError(t, c.close())
	}
}

func TestPathsWithSignsOfAnAddress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b%20?c#d.db")
	db := openThings(t, func(o *Options) { o.Path = path })
	require.NoError(t, db.Write(context.Background(), add("x")))
	assert.Equal(t, []string{"x"}, names(t, db))
	assert.FileExists(t, path)
}
