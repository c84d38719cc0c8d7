// Package migrations holds every module's SQL, embedded: one folder per module and engine,
// numbered files for goose, append-only.
//
//	migrations/orders/sqlite/0001_orders.sql
//
// A merged file never changes again: each database remembers the checksums of what it has run.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed *
var files embed.FS

// SQLite is the module's migrations for SQLite; nil when it has none.
func SQLite(module string) fs.FS { return of(module, "sqlite") }

// Postgres is the module's migrations for PostgreSQL; nil when it has none, as search has: its
// index is in every process.
func Postgres(module string) fs.FS { return of(module, "postgres") }

func of(module, engine string) fs.FS {
	dir := module + "/" + engine
	if info, err := fs.Stat(files, dir); err != nil || !info.IsDir() {
		return nil
	}
	sub, err := fs.Sub(files, dir)
	if err != nil {
		return nil
	}
	return sub
}
