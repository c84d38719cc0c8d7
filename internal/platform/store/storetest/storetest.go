// Package storetest opens databases for tests: real ones, in a folder or a schema of the test's
// own, with the module's migrations alone. They are SQLite's unless SOUK_TEST_STORE=postgres
// says otherwise. Every Write's function runs twice, so that one which
// has an effect outside its transaction is found out; commits do not wait for the disk.
package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/migrations"
)

// Option changes how a database is opened.
type Option func(*store.Options)

// Clock has the database use this clock.
func Clock(now func() clock.Time) Option { return func(o *store.Options) { o.Now = now } }

// Once has every function run only once, for tests that count runs or statements.
func Once() Option { return func(o *store.Options) { o.RunTwice = false } }

// SQLite keeps the database on SQLite, whatever the environment says: for tests of what is
// SQLite's alone, and of time that only passes when nothing waits for a connection (synctest).
func SQLite() Option { return func(o *store.Options) { o.URL = "" } }

// With changes any other option.
func With(change func(*store.Options)) Option { return change }

// Open is a fresh database of the module, closed at the end of the test.
func Open(t testing.TB, module string, options ...Option) *store.DB {
	t.Helper()
	if onPostgres(module, options) {
		return Postgres(t, module, options...)
	}
	return OpenAt(t, module, t.TempDir(), options...)
}

// OpenAt is the module's database in dir, made if it is not there. On PostgreSQL a folder stands
// for a schema, which goes with the test.
func OpenAt(t testing.TB, module, dir string, options ...Option) *store.DB {
	t.Helper()
	if onPostgres(module, options) {
		return openPostgres(t, module, schemaOf(t, module, dir), options...)
	}
	o := store.Options{
		Module: module, Path: filepath.Join(dir, module+".db"), Migrations: migrations.SQLite(module),
		RunTwice: true, NoSync: true,
	}
	own := o.Migrations
	for _, change := range options {
		change(&o)
	}
	fresh := o.Migrations == own && copyTemplate(t, o)
	db, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	if fresh { // the template's epoch is not this log's
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE event_log_state SET epoch = lower(hex(randomblob(16))) WHERE one = 1`)
			return err
		}))
	}
	return db
}

var (
	templates  sync.Mutex
	templateOf = map[string][]byte{} // by module
)

// copyTemplate puts a migrated database in place, since running migrations for every test
// costs more than most tests. It is made once per module and process.
func copyTemplate(t testing.TB, o store.Options) bool {
	t.Helper()
	if _, err := os.Stat(o.Path); err == nil {
		return false
	}
	templates.Lock()
	defer templates.Unlock()
	data, ok := templateOf[o.Module]
	if !ok {
		made := store.Options{Module: o.Module, Path: filepath.Join(t.TempDir(), "template.db"), Migrations: o.Migrations, NoSync: true}
		db, err := store.Open(t.Context(), made)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		data, err = os.ReadFile(made.Path)
		require.NoError(t, err)
		templateOf[o.Module] = data
	}
	require.NoError(t, os.WriteFile(o.Path, data, 0o600))
	return true
}
