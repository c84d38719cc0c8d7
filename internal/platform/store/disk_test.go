package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

// inChild runs this test again in a process of its own, since what it does (a bound on the
// size of files) would hit every other test. It says whether this is that process.
func inChild(t *testing.T) bool {
	t.Helper()
	if os.Getenv("SOUK_STORE_CHILD") == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v") //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), "SOUK_STORE_CHILD="+t.Name())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}

// limitFiles bounds how large this process may make a file; 0 takes the bound away.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	limit.Cur = limit.Max
	if bytes > 0 {
		limit.Cur = bytes
	}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
}

// spilling makes the writer write pages out long before the commit, so that a disk's error
// comes inside a statement.
func spilling(c *sqlite3.SQLiteConn, writer bool) error {
	if !writer {
		return nil
	}
	_, err := c.Exec(`PRAGMA cache_size = 10; PRAGMA cache_spill = 10`, nil)
	return err
}

func TestIOErrorInsideAFunctionEndsOnlyTheCulprit(t *testing.T) {
	if !inChild(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	db := openThings(t, func(o *Options) { o.onConnect = spilling })
	lost := false
	got := together(t, db,
		one{fn: add("before")},
		one{fn: func(tx *Tx) error {
			limitFiles(t, 512<<10)
			defer limitFiles(t, 0)
			err := big("too big", 4<<20)(tx)
			lost = tx.c.over(nil)
			return err
		}},
		one{fn: add("after")})
	require.NoError(t, got[0])
	require.ErrorIs(t, got[1], ErrIO)
	assert.Equal(t, errs.Unavailable, errs.KindOf(got[1]))
	assert.Contains(t, got[1].Error(), "things.db: reading or writing failed (file too large)")
	require.NoError(t, got[2])
	assert.True(t, lost, "the trap: an I/O error ends the transaction of everyone")
	assert.Equal(t, []string{"after", "before"}, names(t, db))
}

func TestIOErrorInACommitIsUnknown(t *testing.T) {
	if !inChild(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	db := openThings(t, nil)
	got := together(t, db,
		one{fn: add("neighbour")},
		one{fn: func(tx *Tx) error {
			defer limitFiles(t, 512<<10) // the pages are written by the commit
			return big("big", 4<<20)(tx)
		}})
	require.ErrorIs(t, got[0], ErrUnknown)
	require.ErrorIs(t, got[1], ErrUnknown)
	limitFiles(t, 0)
	require.NoError(t, db.Write(context.Background(), add("next")))
	assert.Contains(t, names(t, db), "next", "on a new connection")
	assert.Equal(t, int64(1), db.Stats().Reconnects)
}

// onFullDisk mounts a disk of its own of four megabytes, or skips and says so.
func onFullDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("SKIPPED: a small tmpfs cannot be mounted here (%v); what a full disk does is not tested in this run", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := onFullDisk(t)
	db := openThings(t, func(o *Options) { o.onConnect = spilling; o.Path = filepath.Join(dir, "things.db"); o.NoSync = false })
	got := together(t, db,
		one{fn: add("before")},
		one{fn: big("too big", 8<<20)},
		one{fn: add("after")})
	require.NoError(t, got[0])
	require.ErrorIs(t, got[1], ErrFull)
	assert.Contains(t, got[1].Error(), filepath.Join(dir, "things.db")+": the disk is full; free space")
	require.NoError(t, got[2])

	rest := filepath.Join(dir, "rest")
	f, err := os.Create(rest)
	require.NoError(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	var answers []error
	for i := range 100 { // what fits into the log's own file may still go well
		answers = append(answers, db.Write(context.Background(), big(fmt.Sprintf("more%03d", i), 64<<10)))
	}
	require.Error(t, errors.Join(answers...))
	for _, err := range answers {
		if err != nil {
			assert.Contains(t, []errs.Kind{errs.Unavailable, errs.Unknown}, errs.KindOf(err), err)
		}
	}
	require.NoError(t, os.Remove(rest))
	require.NoError(t, db.Write(context.Background(), add("space again")), "without a restart")
	have := names(t, db)
	assert.Subset(t, have, []string{"after", "before", "space again"})
	for i, err := range answers {
		if err == nil {
			assert.Contains(t, have, fmt.Sprintf("more%03d", i), "acknowledged")
		}
	}
}

func TestAcknowledgedWritesSurviveSIGKILL(t *testing.T) {
	dir := os.Getenv("SOUK_STORE_DIR")
	if dir != "" { // the child: writes until it is killed, and says what was acknowledged
		db, err := Open(context.Background(), Options{Module: "things", Path: filepath.Join(dir, "things.db"), Migrations: things})
		require.NoError(t, err)
		for w := range 8 {
			go func() {
				for i := 0; ; i++ {
					name := fmt.Sprintf("%d-%d", w, i)
					if err := db.Write(context.Background(), add(name)); err != nil {
						panic(err)
					}
					fmt.Println("ACK", name)
				}
			}()
		}
		select {}
	}
	dir = t.TempDir()
	var acknowledged []string
	for range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$") //nolint:gosec // this very program
		cmd.Env = append(os.Environ(), "SOUK_STORE_DIR="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			name, ok := strings.CutPrefix(lines.Text(), "ACK ")
			if !ok {
				continue
			}
			acknowledged = append(acknowledged, name)
			if n++; n == 100 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "killed")
		db := openThings(t, func(o *Options) { o.Path = filepath.Join(dir, "things.db") })
		assert.Subset(t, names(t, db), acknowledged)
		assert.Equal(t, "ok", integrity(t, db))
		require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
			_, err := tx.Exec(`DELETE FROM things`) // the next round counts from the start
			return err
		}))
		acknowledged = nil
		require.NoError(t, db.Close())
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() (*DB, error) {
		return Open(context.Background(), Options{Module: "things", Path: filepath.Join(dir, "things.db"), Migrations: things, NoSync: true})
	}
	assert.Empty(t, Holder(filepath.Join(dir, "things.db")))
	db, err := open()
	require.NoError(t, err)
	_, err = open()
	require.ErrorIs(t, err, ErrLocked)
	assert.Contains(t, err.Error(), fmt.Sprintf("process %d", os.Getpid()))
	assert.Contains(t, err.Error(), "things.db is open in")
	assert.Contains(t, Holder(filepath.Join(dir, "things.db")), fmt.Sprintf("process %d", os.Getpid()))
	require.NoError(t, db.Close())
	assert.Empty(t, Holder(filepath.Join(dir, "things.db")))
	db, err = open()
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestLockHoldsAcrossProcesses(t *testing.T) {
	dir := os.Getenv("SOUK_STORE_DIR")
	child := dir != ""
	if !child {
		dir = t.TempDir()
		t.Setenv("SOUK_STORE_DIR", dir)
	}
	o := Options{Module: "things", Path: filepath.Join(dir, "things.db"), Migrations: things, NoSync: true}
	if child {
		_, err := Open(context.Background(), o)
		require.ErrorIs(t, err, ErrLocked)
		assert.Contains(t, err.Error(), fmt.Sprintf("process %d", os.Getppid()))
		return
	}
	db, err := Open(context.Background(), o)
	require.NoError(t, err)
	inChild(t)
	require.NoError(t, db.Close())
}

func TestErrorsSayWhichFileAndWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(name string) error {
		db, err := Open(context.Background(), Options{Module: "things", Path: filepath.Join(dir, name), Migrations: things, NoSync: true})
		if err == nil {
			require.NoError(t, db.Close())
		}
		return err
	}
	garbage := filepath.Join(dir, "garbage.db")
	require.NoError(t, os.WriteFile(garbage, []byte(strings.Repeat("this is no database ", 500)), 0o600))
	err := open("garbage.db")
	require.ErrorIs(t, err, ErrCorrupt)
	assert.Contains(t, err.Error(), garbage+": the file is damaged")
	assert.Contains(t, err.Error(), "souk restore")
	assert.NotContains(t, errs.As(err).Message, dir, "clients see no paths")

	err = open("no/such/folder.db")
	require.ErrorIs(t, err, ErrReadOnly)
	assert.Contains(t, err.Error(), "check that the folder exists")

	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder.db"), 0o700))
	err = open("folder.db")
	require.ErrorIs(t, err, ErrReadOnly)
	assert.Contains(t, err.Error(), "folder.db: the file cannot be opened")

	tests := map[sqlite3.ErrNo]*errs.Error{
		sqlite3.ErrFull: ErrFull, sqlite3.ErrBusy: ErrLocked, sqlite3.ErrLocked: ErrLocked, sqlite3.ErrCorrupt: ErrCorrupt,
		sqlite3.ErrNotADB: ErrCorrupt, sqlite3.ErrReadonly: ErrReadOnly, sqlite3.ErrCantOpen: ErrReadOnly,
		sqlite3.ErrNomem: ErrIO, sqlite3.ErrIoErr: ErrIO,
	}
	for code, want := range tests {
		cause := fmt.Errorf("insert: %w", sqlite3.Error{Code: code})
		got := explain("/data/x.db", func() string { return "process 7 (souk)" }, cause)
		require.ErrorIs(t, got, want)
		require.ErrorIs(t, got, cause)
		assert.Contains(t, got.Error(), "/data/x.db: ")
		assert.Equal(t, got, explain("/data/y.db", nil, got), "explained once")
	}
	enospc := explain("x", nil, sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC})
	require.ErrorIs(t, enospc, ErrFull)
	other := sqlite3.Error{Code: sqlite3.ErrConstraint}
	assert.Equal(t, error(other), explain("x", nil, other))
}

func TestLockedByAnotherProcessIsSaid(t *testing.T) {
	t.Parallel()
	db := openThings(t, func(o *Options) { o.BusyTimeout = 1 })
	// Somebody's shell, which knows nothing of souk's lock.
	shell, err := connect(context.Background(), newConnector(db.path, modeWrite, db.o))
	require.NoError(t, err)
	require.NoError(t, shell.do(ctlBeginWrite))
	got := together(t, db, one{fn: add("a")}, one{fn: add("b")})
	require.ErrorIs(t, got[0], ErrLocked)
	require.ErrorIs(t, got[1], ErrLocked)
	assert.Contains(t, got[0].Error(), "another process has locked it")
	require.NoError(t, shell.close())
	require.NoError(t, db.Write(context.Background(), add("c")))
	assert.Equal(t, []string{"c"}, names(t, db))
}

func TestReadOnlyFile(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		// The kernel lets root write everything; what SQLite then says is in TestErrorsSayWhichFileAndWhatToDo.
		t.Skip("SKIPPED: running as root, whom no permission stops")
	}
	db := openThings(t, nil)
	path := db.path
	require.NoError(t, db.Close())
	require.NoError(t, os.Chmod(path, 0o400))
	_, err := Open(context.Background(), Options{Module: "things", Path: path, Migrations: things})
	require.ErrorIs(t, err, ErrReadOnly)
	assert.Contains(t, err.Error(), "check owner and permissions")
}

func TestErrorsCrossAWire(t *testing.T) {
	t.Parallel()
	err := explain("/data/x.db", func() string { return "" }, sqlite3.Error{Code: sqlite3.ErrFull})
	wire, e := json.Marshal(errs.As(err))
	require.NoError(t, e)
	assert.JSONEq(t, `{"kind":"unavailable","code":"store.full","message":"storage is full","fields":{}}`, string(wire))
}
