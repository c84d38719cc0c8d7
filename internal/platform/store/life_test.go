package store

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/mattn/go-sqlite3"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQueuedWritesShareOneCommit(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	was := db.Stats()
	var ones []one
	for i := range 50 {
		ones = append(ones, one{fn: add(fmt.Sprint(i))})
	}
	for _, err := range together(t, db, ones...) {
		require.NoError(t, err)
	}
	assert.Equal(t, Stats{Writes: 50, Runs: 50, Batches: 1, Commits: 1, Statements: 50, Control: 1 + 50*2 + 1, WALPages: db.Stats().WALPages}, db.Stats().Sub(was))
}

func TestStatsAreExact(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	was := db.Stats()
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
		if err := tx.Enqueue("things.job", "k", 1); err != nil { // 1
			return err
		}
		_, _, err := tx.Once(Command{Key: "k"}, func() (string, error) { // 2: look, remember
			return "r", add("x")(tx) // 1
		})
		return err
	}))
	require.Error(t, db.Write(context.Background(), func(tx *Tx) error { return add("x")(tx) })) // 1: there already
	names(t, db)                                                                                 // 1
	got := db.Stats().Sub(was)
	got.WALPages = 0
	assert.Equal(t, Stats{
		Writes: 1, Refused: 1, Runs: 2, Batches: 2, Commits: 2, Reads: 1, Statements: 6, Jobs: 1,
		Control: (1 + 2 + 2 + 1) + (1 + 3 + 1), // with Once's part; with what was undone
	}, got)
}

func TestBatchesAreBounded(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.MaxBatch = 3 })
	var ones []one
	for i := range 10 {
		ones = append(ones, one{fn: add(fmt.Sprint(i))})
	}
	for _, err := range together(t, db, ones...) {
		require.NoError(t, err)
	}
	assert.Equal(t, int64(4), db.Stats().Commits)

	slow := openThings(t, func(o *Options) { o.MaxBatchTime = 1 })
	for _, err := range together(t, slow, ones...) {
		require.NoError(t, err)
	}
	assert.Equal(t, int64(10), slow.Stats().Commits, "each took longer than a nanosecond")
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.MaxQueued = 2 })
	release, err := db.Hold(context.Background())
	require.NoError(t, err)
	answers := make(chan error)
	for i := range 2 {
		r := &request{ctx: context.Background(), fn: add(fmt.Sprint(i)), done: make(chan struct{})}
		require.NoError(t, db.writer.enqueue(r))
		go func() { <-r.done; answers <- r.answer }()
	}
	require.ErrorIs(t, db.Write(context.Background(), add("one too many")), ErrBusy)
	assert.Equal(t, int64(2), db.Stats().Queued)
	release()
	require.NoError(t, <-answers)
	require.NoError(t, <-answers)
	assert.Zero(t, db.Stats().Queued)
}

func TestCloseFinishesWhatIsQueued(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	release, err := db.Hold(context.Background())
	require.NoError(t, err)
	r := &request{ctx: context.Background(), fn: add("queued"), done: make(chan struct{})}
	require.NoError(t, db.writer.enqueue(r))
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	release()
	<-r.done
	require.NoError(t, r.answer)
	require.NoError(t, <-closed)
	require.NoError(t, db.Close(), "twice is once")
	require.ErrorIs(t, db.Write(context.Background(), add("late")), ErrNotBegun)
	require.ErrorIs(t, db.Read(context.Background(), func(Queryer) error { return nil }), ErrNotBegun)
	_, err = db.Hold(context.Background())
	require.ErrorIs(t, err, ErrNotBegun)
	assert.NoFileExists(t, db.path+"-wal", "the log is folded in")
	again := openThings(t, func(o *Options) { o.Path = db.path })
	assert.Equal(t, []string{"queued"}, names(t, again))
}

func TestReadIsOneSnapshot(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	require.NoError(t, db.Write(context.Background(), add("a")))
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		var before, after int
		if err := q.Get(&before, `SELECT count(*) FROM things`); err != nil {
			return err
		}
		if err := db.Write(context.Background(), add("b")); err != nil {
			return err
		}
		err := q.Get(&after, `SELECT count(*) FROM things`)
		assert.Equal(t, []int{1, 1}, []int{before, after})
		return err
	}))
	assert.Equal(t, []string{"a", "b"}, names(t, db))
}

func TestReadsAreBounded(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.MaxReaders = 2 })
	var now, most atomic.Int64
	inside, leave, done := make(chan struct{}), make(chan struct{}), make(chan error)
	for range 6 {
		go func() {
			done <- db.Read(context.Background(), func(Queryer) error {
				most.Store(max(most.Load(), now.Add(1)))
				inside <- struct{}{}
				<-leave
				now.Add(-1)
				return nil
			})
		}()
	}
	<-inside
	<-inside // two are in; the others wait
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, db.Read(ctx, func(Queryer) error { return nil }), ErrNotBegun)
	for i := range 6 {
		leave <- struct{}{}
		require.NoError(t, <-done)
		if i < 4 {
			<-inside
		}
	}
	assert.Equal(t, int64(2), most.Load())
}

func TestReadMayBeInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	db := openThings(t, func(o *Options) { o.onConnect = expiring(cancel) })
	err := db.Read(ctx, func(q Queryer) error {
		var n int64
		return q.Get(&n, `WITH RECURSIVE n (i) AS (SELECT expire() UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`) // for ever
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, names(t, db), "the connection goes on")
}

func TestPanicInAReadLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.MaxReaders = 1 })
	assert.Panics(t, func() { _ = db.Read(context.Background(), func(Queryer) error { panic("oh no") }) })
	assert.Empty(t, names(t, db))
}

func TestCheckpointsKeepTheLogSmall(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	for i := range 200 {
		require.NoError(t, db.Write(context.Background(), big(fmt.Sprint(i), 256<<10)))
	}
	info, err := os.Stat(db.path + "-wal")
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(40<<20), "50 MB were written")
	s := db.Stats()
	assert.Positive(t, s.Checkpoints)
	assert.Less(t, s.Checkpoints, int64(200), "not after every batch")
}

func TestLogStartsOverDespiteOverlappingReads(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.MaxReaders = 2; o.forceFolds = 1600 })
	var stop atomic.Bool
	done := make(chan error)
	for range 2 { // there is hardly a moment without a Read
		go func() {
			for !stop.Load() {
				if err := db.Read(context.Background(), func(q Queryer) error {
					var n int
					return q.Get(&n, `SELECT count(*) FROM things`)
				}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for i := range 60 {
		require.NoError(t, db.Write(context.Background(), big(fmt.Sprint(i), 256<<10)))
	}
	stop.Store(true)
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	info, err := os.Stat(db.path + "-wal")
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(12<<20), "15 MB were written")
}

func TestALongReadDoesNotStopTheWriter(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.forceFolds = 500 })
	require.NoError(t, db.Write(context.Background(), add("before")))
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		var n int
		if err := q.Get(&n, `SELECT count(*) FROM things`); err != nil {
			return err
		}
		for i := range 80 {
			require.NoError(t, db.Write(context.Background(), big(fmt.Sprint(i), 32<<10)))
		}
		return nil
	}))
	assert.Greater(t, db.writer.forceAt, int64(500), "asked once for the readers to pause, and not after every batch")
	require.NoError(t, db.Write(context.Background(), add("after")))
	assert.Len(t, names(t, db), 82)
}

func TestHoldAndSnapshot(t *testing.T) {
	t.Parallel()
	orders, catalog := openThings(t, nil), openThings(t, nil)
	for _, db := range []*DB{orders, catalog} {
		require.NoError(t, db.Write(context.Background(), add("before")))
	}
	var snapshots []*Snapshot
	var releases []func()
	for _, db := range []*DB{orders, catalog} {
		release, err := db.Hold(context.Background())
		require.NoError(t, err)
		releases = append(releases, release)
	}
	r := &request{ctx: context.Background(), fn: add("during"), done: make(chan struct{})}
	require.NoError(t, orders.writer.enqueue(r))
	for _, db := range []*DB{orders, catalog} {
		s, err := db.Snapshot(context.Background())
		require.NoError(t, err)
		snapshots = append(snapshots, s)
	}
	for _, release := range releases {
		release()
		release() // twice is once
	}
	<-r.done
	require.NoError(t, r.answer)
	for i := range 30 { // more than one step of the copy
		require.NoError(t, orders.Write(context.Background(), big(fmt.Sprint(i), 1<<20)))
	}
	for _, s := range snapshots {
		path := filepath.Join(t.TempDir(), "things.db")
		require.NoError(t, s.CopyTo(context.Background(), path))
		require.Error(t, s.CopyTo(context.Background(), path), "over nothing that is there")
		var n int
		require.NoError(t, s.Read(context.Background(), func(q Queryer) error { return q.Get(&n, `SELECT count(*) FROM things`) }))
		assert.Equal(t, 1, n)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.CopyTo(context.Background(), path+"2"), ErrNotBegun)

		copied := openThings(t, func(o *Options) { o.Path = path })
		assert.Equal(t, []string{"before"}, names(t, copied))
		assert.Equal(t, "ok", integrity(t, copied))
		assert.Equal(t, epoch(t, s.db), epoch(t, copied), "cursors still fit")
	}
}

func TestCopyOfALargeSnapshotWhileWritesGoOn(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	require.NoError(t, db.Write(context.Background(), big("big", 12<<20))) // three steps
	s, err := db.Snapshot(context.Background())
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, db.Write(context.Background(), add("later")))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	require.ErrorIs(t, s.CopyTo(ctx, filepath.Join(dir, "cancelled.db")), context.Canceled)
	assert.NoFileExists(t, filepath.Join(dir, "cancelled.db"), "nothing half done stays")
	require.NoError(t, s.CopyTo(context.Background(), filepath.Join(dir, "things.db")))
	copied := openThings(t, func(o *Options) { o.Path = filepath.Join(dir, "things.db") })
	assert.Equal(t, []string{"big"}, names(t, copied))
	assert.Equal(t, "ok", integrity(t, copied))
}

func integrity(t *testing.T, db *DB) (says string) {
	t.Helper()
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		return q.Get(&says, `SELECT integrity_check FROM pragma_integrity_check`)
	}))
	return says
}

func epoch(t *testing.T, db *DB) (epoch string) {
	t.Helper()
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error { return q.Get(&epoch, `SELECT epoch FROM event_log_state`) }))
	return epoch
}

func TestHoldMayBeGivenUp(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	release, err := db.Hold(context.Background())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = db.Hold(ctx)
	require.ErrorIs(t, err, ErrNotBegun)
	release()
	require.NoError(t, db.Write(context.Background(), add("a")))
}

func TestOpenReadOnly(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	o := Options{Module: "things", Path: db.path, Migrations: things}
	require.NoError(t, db.Write(context.Background(), add("a")))
	beside, err := OpenReadOnly(context.Background(), o)
	require.NoError(t, err)
	require.NoError(t, db.Write(context.Background(), add("b")))
	assert.Equal(t, []string{"a", "b"}, names(t, beside), "beside the souk that has it open")
	require.ErrorIs(t, beside.Write(context.Background(), add("c")), ErrReadOnly)
	s, err := beside.Snapshot(context.Background())
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, beside.Close())
	require.NoError(t, db.Close())

	alone, err := OpenReadOnly(context.Background(), o)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, names(t, alone))
	require.NoError(t, alone.Close())

	o.Migrations = and(map[string]string{"0002_x.sql": "-- +goose Up\nSELECT 1;\n"})
	_, err = OpenReadOnly(context.Background(), o)
	require.ErrorIs(t, err, ErrBehind)
	o.Path += "x"
	_, err = OpenReadOnly(context.Background(), o)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.NoFileExists(t, o.Path, "nothing is made")
}

func TestOpenReadOnlyOnAFolderNobodyCanWrite(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	require.NoError(t, db.Write(context.Background(), add("a")))
	require.NoError(t, db.Close())
	c, err := connect(context.Background(), newConnector(db.path, modeImmutable, db.o))
	require.NoError(t, err)
	var n int
	require.NoError(t, c.x.GetContext(context.Background(), &n, `SELECT count(*) FROM things`))
	require.NoError(t, c.close())
	assert.Equal(t, 1, n)
	assert.NoFileExists(t, db.path+"-shm")
}

// A lost connection that cannot be replaced at once is replaced later.
func TestWriterReconnectsWhenItCan(t *testing.T) {
	t.Parallel()
	var broken, fail atomic.Bool
	db := openThings(t, func(o *Options) {
		o.onConnect = func(c *sqlite3.SQLiteConn, writer bool) error {
			if !writer {
				return nil
			}
			if broken.Load() {
				return sqlite3.Error{Code: sqlite3.ErrCantOpen}
			}
			c.RegisterCommitHook(func() int {
				if fail.Load() {
					return 1
				}
				return 0
			})
			return nil
		}
	})
	broken.Store(true)
	fail.Store(true)
	require.ErrorIs(t, db.Write(context.Background(), add("a")), ErrUnknown)
	got := together(t, db, one{fn: add("b")}, one{fn: add("c")})
	require.ErrorIs(t, got[0], ErrReadOnly)
	require.ErrorIs(t, got[1], ErrReadOnly)
	broken.Store(false)
	fail.Store(false)
	require.NoError(t, db.Write(context.Background(), add("d")))
	assert.Equal(t, []string{"d"}, names(t, db))
}

func TestTheLogIsFoldedBesideTheWriter(t *testing.T) {
	t.Parallel()
	said := &bytes.Buffer{}
	db := openThings(t, func(o *Options) { o.Log = zerolog.New(said) })
	require.NoError(t, db.Write(context.Background(), big("before", 256<<10)))
	require.NoError(t, db.Write(context.Background(), func(*Tx) error {
		// A transaction is open: the log is folded up to the one before.
		db.writer.folder.begin()
		db.writer.folder.wait()
		return nil
	}))
	var pages, folded int64
	require.NoError(t, db.Write(context.Background(), func(*Tx) error { return nil })) // which changes nothing
	release, err := db.Hold(context.Background())
	require.NoError(t, err)
	pages, folded, err = db.writer.c.checkpoint("NOOP")
	release()
	require.NoError(t, err)
	assert.Equal(t, pages, folded)
	assert.EqualValues(t, 1, db.Stats().Checkpoints)
	assert.Empty(t, said.String())
	assert.Len(t, names(t, db), 1)
}

func TestTheReaderThatCameBackLastIsTakenFirst(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.MaxReaders = 3 })
	read := func(inside func()) (c *conn) {
		require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
			c = q.(*snapshotReader).c.(*conn)
			inside()
			return nil
		}))
		return c
	}
	var second *conn
	first := read(func() {})
	assert.Same(t, first, read(func() { second = read(func() {}) }), "and it is the only one as long as one is enough")
	assert.NotSame(t, first, second)
	assert.Same(t, first, read(func() {}), "the outer Read ended after the inner")
	assert.Equal(t, []*conn{second, first}, db.readers.idle, "the third was never opened")
}
