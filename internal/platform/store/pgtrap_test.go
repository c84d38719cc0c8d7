package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

// bump adds one to a counter by reading and writing it.
func bump(tx *Tx, name string) error {
	var n int64
	if err := tx.Get(&n, `SELECT n FROM counters WHERE name = ?`, name); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE counters SET n = ? WHERE name = ?`, n+1, name)
	return err
}

// counting is a database with the counters a and b at 0, and a look at them.
func counting(t *testing.T, change func(*Options)) (db *DB, look func(name string) int64) {
	t.Helper()
	db = pgOpen(t, change)
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO counters (name, n) VALUES ('a', 0), ('b', 0)`)
		return err
	}))
	return db, func(name string) (n int64) {
		require.NoError(t, db.Read(context.Background(), func(q Queryer) error { return q.Get(&n, `SELECT n FROM counters WHERE name = ?`, name) }))
		return n
	}
}

func TestPostgresWriteRunsAgainWhenAnotherCameBetween(t *testing.T) {
	t.Parallel()
	db, look := counting(t, nil)
	other := pgOpenWith(t, pgOptions(db.o.URL, db.o.Schema)) // another process
	before := db.Stats()
	runs := 0
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
		runs++
		var n int64
		if err := tx.Get(&n, `SELECT n FROM counters WHERE name = 'a'`); err != nil {
			return err
		}
		if runs == 1 {
			done := make(chan error)
			go func() { done <- other.Write(context.Background(), func(tx *Tx) error { return bump(tx, "a") }) }()
			if err := <-done; err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE counters SET n = ? WHERE name = 'a'`, n+10)
		return err
	}))
	assert.Equal(t, int64(11), look("a"), "neither is lost")
	assert.Equal(t, 2, runs)
	assert.Equal(t, int64(1), db.Stats().Sub(before).Reruns)
	assert.Equal(t, int64(1), db.Stats().Sub(before).Commits)
}

// Each of two Writes reads what the other writes: one after the other, in either order, one of
// them finds the other's. A weaker isolation lets both find nothing.
func TestPostgresWritesAreSerialisable(t *testing.T) {
	t.Parallel()
	db, look := counting(t, nil)
	both, arrived := make(chan struct{}), make(chan struct{}, 2)
	write := func(reads, writes string) error {
		first := true
		return db.Write(context.Background(), func(tx *Tx) error {
			var n int64
			if err := tx.Get(&n, `SELECT n FROM counters WHERE name = ?`, reads); err != nil {
				return err
			}
			if first {
				first = false
				arrived <- struct{}{}
				<-both
			}
			_, err := tx.Exec(`UPDATE counters SET n = ? WHERE name = ?`, n+1, writes)
			return err
		})
	}
	answers := make(chan error, 2)
	go func() { answers <- write("a", "b") }()
	go func() { answers <- write("b", "a") }()
	<-arrived
	<-arrived
	close(both)
	require.NoError(t, <-answers)
	require.NoError(t, <-answers)
	assert.Equal(t, int64(3), look("a")+look("b"), "one has seen the other's: 1 and 2")
	assert.Positive(t, db.Stats().Reruns)
}

func TestPostgresContendedCountersLoseNothing(t *testing.T) {
	t.Parallel()
	db, look := counting(t, nil)
	other := pgOpenWith(t, pgOptions(db.o.URL, db.o.Schema))
	var all sync.WaitGroup
	failed := make([]error, 60)
	for i := range failed {
		all.Go(func() {
			at := db
			if i%2 == 1 {
				at = other
			}
			for failed[i] = errs.Refusal(errs.Unavailable, "test.none"); errs.KindOf(failed[i]) == errs.Unavailable; {
				failed[i] = at.Write(context.Background(), func(tx *Tx) error { return bump(tx, "a") })
			}
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(failed...))
	assert.Equal(t, int64(60), look("a"))
}

// refusing makes boom(code), which fails with an error of the server's of that code, and
// stop(), which ends the connection.
func refusing(t *testing.T, db *DB) {
	t.Helper()
	c := pgAdmin(t, db.o.URL)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	pgRun(t, c, `CREATE FUNCTION `+quoteName(db.o.Schema)+`.boom(code text) RETURNS bigint LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'boom' USING ERRCODE = code; END $$;
		CREATE FUNCTION `+quoteName(db.o.Schema)+`.stop() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_terminate_backend(pg_backend_pid())'`)
}

func boom(tx *Tx, code string) error {
	var n int64
	return tx.Get(&n, `SELECT boom(?)`, code)
}

func TestPostgresTriesAreBounded(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	refusing(t, db)
	for code, text := range map[string]string{pgSerialize: "others kept writing", pgDeadlock: "others kept locking"} {
		runs := 0
		err := db.Write(context.Background(), func(tx *Tx) error {
			runs++
			_ = add("half")(tx)
			return fmt.Errorf("take a place: %w", boom(tx, code))
		})
		require.ErrorIs(t, err, ErrContended)
		assert.Equal(t, errs.Unavailable, errs.KindOf(err), "nothing was done")
		require.ErrorContains(t, err, "take a place")
		require.ErrorContains(t, err, text)
		assert.Equal(t, pgTries, runs)
	}
	assert.Empty(t, names(t, db))
	require.NoError(t, db.Write(context.Background(), add("next")), "all turns have been given back")
}

// The trap: a function that swallows a serialisation failure would go on in a dead transaction.
func TestPostgresSwallowedSerialisationFailureRunsAgain(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	refusing(t, db)
	runs := 0
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
		if runs++; runs == 1 {
			_ = tx.Savepoint(func() error { return boom(tx, pgSerialize) })
			return nil
		}
		return add("done")(tx)
	}))
	assert.Equal(t, []string{"done"}, names(t, db))
}

// The trap: the server answers COMMIT of a transaction in which a statement has failed by
// ROLLBACK, and calls it a success.
func TestPostgresTrapCommitOfAFailedTransactionIsNoError(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	s, err := pgConnect(context.Background(), db.pg.writers)
	require.NoError(t, err)
	defer s.giveBack()
	require.NoError(t, s.do("BEGIN"))
	_, err = s.exec(context.Background(), `INSERT INTO things (name) VALUES (NULL)`, nil)
	require.Error(t, err)
	tag, err := s.control(context.Background(), "COMMIT")
	require.NoError(t, err)
	assert.Equal(t, "ROLLBACK", tag)
}

func TestPostgresSwallowedErrorIsNoSuccess(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	require.NoError(t, db.Write(context.Background(), add("a")))
	err := db.Write(context.Background(), func(tx *Tx) error {
		if err := add("b")(tx); err != nil {
			return err
		}
		_ = add("a")(tx) // a duplicate
		return nil
	})
	require.ErrorIs(t, err, ErrStatement)
	require.ErrorContains(t, err, "tx.Savepoint")
	assert.Equal(t, []string{"a"}, names(t, db))
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
		if err := tx.Savepoint(func() error { return add("a")(tx) }); !IsDuplicate(err) {
			return fmt.Errorf("not a duplicate: %w", err)
		}
		return add("c")(tx)
	}))
	assert.Equal(t, []string{"a", "c"}, names(t, db))
}

// What is within many savepoints is slow to ask after: those that nothing goes back to are given up.
func TestPostgresPartsDoNotPileUp(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, func(o *Options) { o.RunTwice = true })
	var want []string
	for i := range 5 * mostParts {
		if name := fmt.Sprintf("%03d", i); i%3 != 0 {
			want = append(want, name)
		}
	}
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
		for i := range 5 * mostParts {
			err := tx.Savepoint(func() error {
				if err := tx.Savepoint(func() error { return add(fmt.Sprintf("%03d", i))(tx) }); err != nil || i%3 != 0 {
					return err
				}
				return errUndo
			})
			if i%3 != 0 && err != nil || i%3 == 0 && !errors.Is(err, errUndo) {
				return fmt.Errorf("part %d: %w", i, err)
			}
			if s, ok := tx.c.(*pgSession); !ok || s.height > mostParts+1 {
				return fmt.Errorf("%d savepoints stand", s.height)
			}
		}
		return nil
	}))
	assert.Equal(t, want, names(t, db))
}

func TestPostgresPanicAndGoexitAreErrorsOfThatFunctionAlone(t *testing.T) {
	t.Parallel()
	for _, twice := range []bool{false, true} {
		db := pgOpen(t, func(o *Options) { o.RunTwice = twice })
		err := db.Write(context.Background(), func(tx *Tx) error { _ = add("half")(tx); panic("oh no") })
		require.ErrorIs(t, err, ErrPanicked)
		require.ErrorContains(t, err, "oh no")
		err = db.Write(context.Background(), func(tx *Tx) error { _ = add("half")(tx); runtime.Goexit(); return nil })
		require.ErrorIs(t, err, ErrPanicked)
		require.NoError(t, db.Write(context.Background(), add("next")))
		assert.Equal(t, []string{"next"}, names(t, db))
	}
}

func TestPostgresRunTwice(t *testing.T) {
	t.Parallel()
	db, look := counting(t, func(o *Options) { o.RunTwice = true })
	runs := 0
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error { runs++; return bump(tx, "a") }))
	assert.Equal(t, 2, runs)
	assert.Equal(t, int64(1), look("a"))
}

func TestPostgresWriteInsideWriteIsRefused(t *testing.T) {
	t.Parallel()
	db, other := pgOpen(t, nil), openThings(t, nil)
	for _, at := range []struct{ outer, inner *DB }{{db, db}, {db, other}, {other, db}} {
		err := at.outer.Write(context.Background(), func(*Tx) error { return at.inner.Write(context.Background(), add("inner")) })
		require.ErrorIs(t, err, ErrNested)
	}
	assert.Empty(t, names(t, db))
}

func TestPostgresContextOfTheCallerIsNotInTheStatements(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	err := db.Write(ctx, func(tx *Tx) error {
		cancel()
		return add("never")(tx)
	})
	require.ErrorIs(t, err, ErrNotBegun, "asked between statements")
	ctx, cancel = context.WithCancel(context.Background())
	err = db.Write(ctx, func(tx *Tx) error {
		end := context.AfterFunc(ctx, func() {})
		defer end()
		go cancel() // while the server sleeps
		if _, err := tx.Exec(`INSERT INTO things (name) SELECT 'slept' FROM pg_sleep(0.05)`); err != nil {
			return fmt.Errorf("the statement must run to its end: %w", err)
		}
		return nil
	})
	require.NoError(t, err, "after the last statement the commit is waited for")
	assert.Equal(t, []string{"slept"}, names(t, db))
	<-ctx.Done()
	require.ErrorIs(t, db.Write(ctx, add("late")), ErrNotBegun)
}

func TestPostgresFailedCommitIsUnknown(t *testing.T) {
	t.Parallel()
	var lost error
	db := pgOpen(t, func(o *Options) { o.pgCommit = func() error { return lost } })
	lost = errors.New("the network is gone")
	err := db.Write(context.Background(), add("a"))
	require.ErrorIs(t, err, ErrUnknown)
	assert.Equal(t, errs.Unknown, errs.KindOf(err))
	assert.Equal(t, int64(1), db.Stats().FailedCommits)
	lost = nil
	require.NoError(t, db.Write(context.Background(), add("b")))
}

// ending has the server end the connection at the commit of a row named 'end'.
const ending = `CREATE FUNCTION %[1]s.ending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
	$$ BEGIN IF NEW.name = 'end' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$;
	CREATE CONSTRAINT TRIGGER ending AFTER INSERT ON %[1]s.things DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %[1]s.ending()`

func TestPostgresConnectionLostInTheCommitIsUnknown(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	c := pgAdmin(t, db.o.URL)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	pgRun(t, c, fmt.Sprintf(ending, quoteName(db.o.Schema)))
	require.ErrorIs(t, db.Write(context.Background(), add("end")), ErrUnknown)
	require.NoError(t, db.Write(context.Background(), add("next")))
}

func TestPostgresConnectionLostBeforeTheCommitIsUnavailable(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	refusing(t, db)
	before := db.Stats()
	err := db.Write(context.Background(), func(tx *Tx) error {
		if err := add("a")(tx); err != nil {
			return err
		}
		_, _ = tx.Exec(`SELECT stop()`) // the error is dropped
		_ = add("b")(tx)
		return nil
	})
	require.ErrorIs(t, err, ErrUnreachable, "a Write whose transaction is gone cannot succeed")
	assert.Equal(t, errs.Unavailable, errs.KindOf(err))
	assert.Zero(t, db.Stats().Sub(before).Commits)
	require.NoError(t, db.Write(context.Background(), add("c")))
	assert.Equal(t, []string{"c"}, names(t, db))
}

func TestPostgresDeadConnectionsAreReplacedUnnoticed(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	require.NoError(t, db.Write(context.Background(), add("a")))
	require.Equal(t, []string{"a"}, names(t, db))
	c := pgAdmin(t, db.o.URL)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	pgRun(t, c, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'souk `+db.o.Schema+` %'`)
	require.NoError(t, db.Write(context.Background(), add("b")), "nothing had begun on the dead connection")
	require.Equal(t, []string{"a", "b"}, names(t, db))
}
