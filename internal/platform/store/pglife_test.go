package store

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgtest"
)

func TestPostgresReadIsOneSnapshot(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	require.NoError(t, db.Write(context.Background(), add("a")))
	count := func(q Queryer) (n int64, err error) { err = q.Get(&n, `SELECT count(*) FROM things`); return n, err }
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		first, err := count(q)
		require.NoError(t, err)
		require.NoError(t, db.Write(context.Background(), add("b")))
		second, err := count(q)
		require.NoError(t, err)
		assert.Equal(t, []int64{1, 1}, []int64{first, second})
		return nil
	}))
	s, err := db.Snapshot(context.Background())
	require.NoError(t, err)
	require.NoError(t, db.Write(context.Background(), add("c")))
	require.NoError(t, s.Read(context.Background(), func(q Queryer) error {
		n, err := count(q)
		assert.Equal(t, int64(2), n)
		return err
	}))
	require.ErrorContains(t, s.CopyTo(context.Background(), "x"), "pg_dump")
	require.NoError(t, s.Close())
	require.Error(t, s.Read(context.Background(), func(Queryer) error { return nil }))
}

func TestPostgresReadWritesNothing(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	err := db.Read(context.Background(), func(q Queryer) error {
		var n int64
		return q.Get(&n, `INSERT INTO things (name) VALUES ('x') RETURNING id`)
	})
	require.ErrorIs(t, err, ErrReadOnly)
	assert.Empty(t, names(t, db))
}

func TestPostgresReadMayBeInterrupted(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, func(o *Options) { o.MaxReaders = 1 })
	ctx, cancel := context.WithCancel(context.Background())
	err := db.Read(ctx, func(q Queryer) error {
		go cancel()
		var n int64
		return q.Get(&n, `SELECT 1 FROM pg_sleep(60)`)
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, names(t, db), "the only connection is good for the next")
}

func TestPostgresReadsAndWritesAreBounded(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, func(o *Options) { o.MaxReaders, o.MaxWriters, o.MaxQueued = 1, 1, 1 })
	inside, release := make(chan struct{}), make(chan struct{})
	answers := make(chan error, 3)
	go func() {
		answers <- db.Write(context.Background(), func(*Tx) error { inside <- struct{}{}; <-release; return nil })
	}()
	<-inside
	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan error)
	go func() { waiting <- db.Write(ctx, add("never")) }()
	for db.count.queued.Load() == 0 { // until it waits
	}
	require.ErrorIs(t, db.Write(context.Background(), add("too many")), ErrBusy)
	cancel()
	require.ErrorIs(t, <-waiting, ErrNotBegun)
	close(release)
	require.NoError(t, <-answers)
	err := db.Read(context.Background(), func(Queryer) error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return db.Read(ctx, func(Queryer) error { return nil })
	})
	require.ErrorIs(t, err, ErrNotBegun)
	assert.Empty(t, names(t, db))
}

func TestPostgresHoldIsABarrier(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	release, err := db.Hold(context.Background())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, db.Write(ctx, add("a")), ErrNotBegun)
	done := make(chan error)
	go func() { done <- db.Write(context.Background(), add("b")) }()
	assert.Empty(t, names(t, db))
	release()
	require.NoError(t, <-done)
}

func TestPostgresCloseFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	o := pgOptions(pgPlace(t))
	o.pgClosing = time.Hour
	db, err := Open(context.Background(), o)
	require.NoError(t, err)
	inside, release, answer := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		answer <- db.Write(context.Background(), func(tx *Tx) error { close(inside); <-release; return add("a")(tx) })
	}()
	<-inside
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	<-db.closing
	require.ErrorIs(t, db.Write(context.Background(), add("b")), ErrNotBegun)
	require.ErrorIs(t, db.Read(context.Background(), func(Queryer) error { return nil }), ErrNotBegun)
	close(release)
	require.NoError(t, <-answer)
	require.NoError(t, <-closed)
	again := pgOpenWith(t, o)
	assert.Equal(t, []string{"a"}, names(t, again))
}

// A Write waits for its server as long as the connection stands. At the end it does not: what it says then is what is known.
func TestPostgresCloseCutsOffWhoWaitsForTheServer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		write func(tx *Tx) error
		want  error
	}{
		"for a statement": {want: ErrUnreachable, write: func(tx *Tx) error {
			_, err := tx.Exec(`SELECT pg_sleep(3600)`)
			return err
		}},
		"for the commit": {want: ErrUnknown, write: add("a")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, schema := pgPlace(t)
			o := pgOptions(address, schema)
			o.pgClosing = time.Millisecond
			db, err := Open(context.Background(), o)
			require.NoError(t, err)
			require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
				_, err := tx.Exec(`CREATE FUNCTION wait_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3600); RETURN NULL; END'`)
				if err == nil {
					_, err = tx.Exec(`CREATE CONSTRAINT TRIGGER late AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_long()`)
				}
				return err
			}))
			answer := make(chan error, 1)
			go func() { answer <- db.Write(context.Background(), tt.write) }()

			server, err := pgx.Connect(context.Background(), address)
			require.NoError(t, err)
			defer server.Close(context.Background())
			defer awaitSleeper(t, server, "souk "+schema+" write")()
			require.NoError(t, db.Close())
			require.ErrorIs(t, <-answer, tt.want)
		})
	}
}

// awaitSleeper waits until a connection of that name sleeps in the server. wake ends it: it notices no earlier that nobody is there.
func awaitSleeper(t *testing.T, server *pgx.Conn, name string) (wake func()) {
	t.Helper()
	sleeping := func() (pid int32) {
		require.NoError(t, server.QueryRow(context.Background(), `
			SELECT COALESCE(MAX(pid), 0) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name = $1`, name).Scan(&pid))
		return pid
	}
	require.Eventually(t, func() bool { return sleeping() != 0 }, time.Minute, time.Millisecond)
	return func() {
		_, err := server.Exec(context.Background(), `SELECT pg_terminate_backend($1)`, sleeping())
		require.NoError(t, err)
	}
}

// The sequencer has no turn, and numbers to the end what it has begun to.
func TestPostgresCloseCutsOffWhoNumbers(t *testing.T) {
	t.Parallel()
	address, schema := pgPlace(t)
	o := pgOptions(address, schema)
	o.pgClosing = 100 * time.Millisecond // the turns are had in that, so that only the sequencer is waited for
	var said bytes.Buffer
	o.Log = zerolog.New(zerolog.SyncWriter(&said))
	db, err := Open(context.Background(), o)
	require.NoError(t, err)
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
		// It ends, for a Close that would wait for it; a lock would be given up long before.
		_, err := tx.Exec(`CREATE FUNCTION wait_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'`)
		if err == nil {
			_, err = tx.Exec(`CREATE TRIGGER late BEFORE INSERT ON event_log FOR EACH STATEMENT EXECUTE FUNCTION wait_long()`)
		}
		return err
	}))
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error { return tx.Publish(fact{"a"}) }))
	server := pgAdmin(t, address)
	defer server.Close(context.Background())
	defer awaitSleeper(t, server, "souk "+schema+" sequencer")()
	require.NoError(t, db.Close())
	assert.Contains(t, said.String(), "did not answer to the end")
}

func TestPostgresManyProcessesOpenAtOnce(t *testing.T) {
	t.Parallel()
	o := pgOptions(pgPlace(t))
	var all sync.WaitGroup
	dbs, failed := make([]*DB, 6), make([]error, 6)
	for i := range dbs {
		all.Go(func() { dbs[i], failed[i] = Open(context.Background(), o) })
	}
	all.Wait()
	require.NoError(t, errors.Join(failed...))
	for _, db := range dbs {
		require.NoError(t, db.Write(context.Background(), func(*Tx) error { return nil }))
		require.NoError(t, db.Close())
	}
}

func TestPostgresMigrations(t *testing.T) {
	t.Parallel()
	o := pgOptions(pgPlace(t))
	all, err := Migrations(context.Background(), o)
	require.NoError(t, err)
	assert.False(t, all[len(all)-1].Applied, "nothing is there yet, and nothing is made by asking")
	_, err = OpenReadOnly(context.Background(), o)
	require.ErrorIs(t, err, ErrBehind)
	db, err := Open(context.Background(), o)
	require.NoError(t, err)
	require.NoError(t, db.Write(context.Background(), add("a")))
	require.NoError(t, db.Close())
	all, err = Migrations(context.Background(), o)
	require.NoError(t, err)
	for _, m := range all {
		assert.True(t, m.Applied, m.File)
	}

	own := pgThings["0001_things.sql"]
	second := &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE more (id BIGINT PRIMARY KEY);\n")}
	o.Migrations = fstest.MapFS{"0001_things.sql": own, "0002_more.sql": second}
	_, err = OpenReadOnly(context.Background(), o)
	require.ErrorIs(t, err, ErrBehind)
	db, err = Open(context.Background(), o)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	o.Migrations = pgThings
	_, err = Open(context.Background(), o)
	require.ErrorIs(t, err, ErrNewer)
	require.ErrorContains(t, err, "schema "+o.Schema)
	o.Migrations = fstest.MapFS{"0001_things.sql": {Data: append([]byte("-- changed\n"), own.Data...)}, "0002_more.sql": second}
	_, err = Open(context.Background(), o)
	require.ErrorIs(t, err, ErrChanged)
	o.Migrations, o.Module = fstest.MapFS{}, "others"
	_, err = Open(context.Background(), o)
	require.ErrorContains(t, err, "is the database of things, not of others")
}

func TestPostgresRoleSeesItsOwnSchemaOnly(t *testing.T) {
	t.Parallel()
	mine, other := pgOpen(t, nil), pgOpen(t, nil)
	require.NoError(t, other.Write(context.Background(), add("secret")))
	for name, statement := range map[string]string{
		"read":   `SELECT id FROM ` + quoteName(other.o.Schema) + `.things LIMIT 1`,
		"write":  `INSERT INTO ` + quoteName(other.o.Schema) + `.things (name) VALUES ('mine') RETURNING id`,
		"make":   `SELECT 1 FROM (SELECT has_schema_privilege('` + other.o.Schema + `', 'CREATE') AS may) AS x WHERE may`,
		"become": `SELECT 1 FROM (SELECT pg_has_role('` + other.pg.at.role + `', 'MEMBER') AS may) AS x WHERE may`,
	} {
		err := mine.Write(context.Background(), func(tx *Tx) error { var n int64; return tx.Get(&n, statement) })
		require.Error(t, err, name)
		if name == "read" || name == "write" {
			require.ErrorIs(t, err, ErrDenied, name)
		}
	}
	var path, schema, role string
	require.NoError(t, mine.Read(context.Background(), func(q Queryer) error {
		return errors.Join(q.Get(&path, `SELECT current_setting('search_path')`), q.Get(&schema, `SELECT current_schema()`), q.Get(&role, `SELECT current_user`))
	}))
	assert.Equal(t, quoteName(mine.o.Schema)+", pg_temp", path)
	assert.Equal(t, mine.o.Schema, schema)
	assert.Equal(t, mine.pg.at.role, role)
	for _, statement := range []string{`SET ROLE none`, `RESET ROLE`, `SET search_path TO public`, `LISTEN x`, `COPY things TO STDOUT`, `DO $$ BEGIN END $$`} {
		err := mine.Write(context.Background(), func(tx *Tx) error { _, err := tx.Exec(statement); return err })
		require.ErrorIs(t, err, ErrStatement, statement)
	}
}

func TestPostgresErrorsSayWhichDatabaseAndWhatToDo(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	with := func(change func(u *url.URL)) string {
		u, err := url.Parse(address)
		require.NoError(t, err)
		change(u)
		return u.String()
	}
	c := pgAdmin(t, address)
	pgRun(t, c, `DROP ROLE IF EXISTS souk_weak; CREATE ROLE souk_weak LOGIN`)
	t.Cleanup(func() {
		pgRun(t, c, `DROP ROLE souk_weak`)
		require.NoError(t, c.Close(context.Background()))
	})
	for name, tt := range map[string]struct {
		url  string
		want error
		says string
	}{
		"no server":   {with(func(u *url.URL) { u.RawQuery = "host=" + t.TempDir() }), ErrUnreachable, "check that it runs and can be reached"},
		"no database": {with(func(u *url.URL) { u.Path = "/nowhere" }), ErrUnreachable, "there is no such database; make it (createdb)"},
		"nobody":      {with(func(u *url.URL) { q := u.Query(); q.Set("user", "nobody-known"); u.RawQuery = q.Encode() }), ErrDenied, "refuses the user or the password"},
		"weak": {
			with(func(u *url.URL) { q := u.Query(); q.Set("user", "souk_weak"); u.RawQuery = q.Encode() }),
			ErrDenied, `CREATE SCHEMA "weak" AUTHORIZATION`,
		},
	} {
		_, err := Open(context.Background(), Options{Module: "things", URL: tt.url, Schema: "weak", Migrations: pgThings})
		require.ErrorIs(t, err, tt.want, name)
		require.ErrorContains(t, err, tt.says, name)
		require.ErrorContains(t, err, "schema weak of the database", name)
	}
	_, err := Open(context.Background(), Options{Module: "things", URL: "postgres://a:secret@[::1/x"})
	require.ErrorContains(t, err, "is not one like postgres://")
	assert.NotContains(t, err.Error(), "secret")
	for code, want := range map[string]error{
		"28P01": ErrDenied, "42501": ErrDenied, "53100": ErrFull, "53300": ErrBusy, "25006": ErrReadOnly, "57P01": ErrUnreachable,
		"55P03": ErrLocked, "40001": ErrContended, "08006": ErrUnreachable, "XX001": ErrCorrupt, "58030": ErrIO, "22021": ErrText,
	} {
		err := pgExplain("schema x", &pgconn.PgError{Code: code, Message: "m"})
		require.ErrorIs(t, err, want, code)
		require.ErrorContains(t, err, "schema x: ", code)
	}
}

// An administrator who gives souk no more rights than it needs makes role and schema.
func TestPostgresRolesMadeByAnAdministrator(t *testing.T) {
	t.Parallel()
	address, schema := pgPlace(t)
	c := pgAdmin(t, address)
	login, role := "login_"+schema, quoteName(c.Config().Database+"_"+schema)
	pgRun(t, c, `CREATE ROLE `+login+` LOGIN; CREATE ROLE `+role+` NOLOGIN; GRANT `+role+` TO `+login+`; CREATE SCHEMA `+schema+` AUTHORIZATION `+role)
	t.Cleanup(func() {
		pgRun(t, c, `DROP ROLE `+login)
		require.NoError(t, c.Close(context.Background()))
	})
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	q.Set("user", login)
	u.RawQuery = q.Encode()
	db := pgOpenWith(t, pgOptions(u.String(), schema))
	require.NoError(t, db.Write(context.Background(), add("a")))
}

func TestRebind(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`SELECT 1`: `SELECT 1`,
		`SELECT a FROM t WHERE b = ? AND c IN (?, ?)`:               `SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)`,
		`SELECT '?', "?" FROM t WHERE a = ?`:                        `SELECT '?', "?" FROM t WHERE a = $1`,
		"SELECT 1 -- why?\n FROM t WHERE /* ? */ a = ?":             "SELECT 1  FROM t WHERE  a = $1",
		`SELECT a FROM t WHERE b LIKE ? ESCAPE '\' AND c = 'it''s'`: `SELECT a FROM t WHERE b LIKE $1 ESCAPE '\' AND c = 'it''s'`,
	} {
		assert.Equal(t, want, rewrite(query))
		assert.Equal(t, want, rebind(query))
		assert.Equal(t, want, rebind(query), "from memory")
	}
}
