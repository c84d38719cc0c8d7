package storetest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
	"souk/internal/platform/store/pgtest"
	"souk/migrations"
)

// Env names the environment variable that has Open use PostgreSQL: SOUK_TEST_STORE=postgres. A
// module without migrations for PostgreSQL stays on SQLite.
const Env = "SOUK_TEST_STORE"

// OnPostgres says whether the tests of a module run on PostgreSQL.
func OnPostgres(module string) bool {
	return os.Getenv(Env) == "postgres" && (migrations.SQLite(module) == nil || migrations.Postgres(module) != nil)
}

func onPostgres(module string, options []Option) bool {
	if !OnPostgres(module) {
		return false
	}
	asked := store.Options{URL: "postgres://"}
	for _, change := range options {
		change(&asked)
	}
	return asked.URL != ""
}

var schemas atomic.Int64

// Place is a schema of its own in a PostgreSQL for tests, dropped at the end of the test. A database copied from a migrated
// one (CREATE DATABASE … TEMPLATE) would be there in less time, but cart's tests then take twice as long, as measured; probably because copying
// and dropping hold back the numbering of events of the whole server, and every connection begins with empty caches.
func Place(t testing.TB, module string) (address, schema string) {
	t.Helper()
	address = pgtest.URL(t)
	schema = fmt.Sprintf("%s_%d_%d", module, os.Getpid(), schemas.Add(1))
	t.Cleanup(func() { drop(t, address, schema) })
	return address, schema
}

func drop(t testing.TB, address, schema string) {
	c, err := pgx.Connect(context.Background(), address)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	role := pgx.Identifier{c.Config().Database + "_" + schema}.Sanitize()
	_, err = c.Exec(context.Background(), `SET client_min_messages = warning; DROP SCHEMA IF EXISTS `+pgx.Identifier{schema}.Sanitize()+` CASCADE; DROP ROLE IF EXISTS `+role)
	require.NoError(t, err)
}

// Postgres opens a fresh database of the module on PostgreSQL, whatever the environment says.
func Postgres(t testing.TB, module string, options ...Option) *store.DB {
	t.Helper()
	_, schema := Place(t, module)
	return openPostgres(t, module, schema, options...)
}

func openPostgres(t testing.TB, module, schema string, options ...Option) *store.DB {
	t.Helper()
	o := store.Options{
		Module: module, URL: pgtest.URL(t), Schema: schema, Migrations: migrations.Postgres(module),
		RunTwice: true, NoSync: true,
	}
	o.NumberAtOnce()
	for _, change := range options {
		change(&o)
	}
	db, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// schemaFor are the schemas that stand for folders.
var schemaFor sync.Map

func schemaOf(t testing.TB, module, dir string) string {
	key := dir + "/" + module
	if known, ok := schemaFor.Load(key); ok {
		return known.(string) //nolint:forcetypeassert // only strings are kept
	}
	_, schema := Place(t, module)
	schemaFor.Store(key, schema)
	return schema
}
