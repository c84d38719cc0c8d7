package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3/database"
)

// pgChecksums is the table of checksums, as on SQLite.
const pgChecksums = `
	CREATE TABLE IF NOT EXISTS migration_checksums (
		source  TEXT COLLATE "C" NOT NULL,
		version BIGINT NOT NULL,
		file    TEXT COLLATE "C" NOT NULL,
		sum     TEXT COLLATE "C" NOT NULL,
		PRIMARY KEY (source, version)
	)`

// pgMigrate checks what has run in the schema and, unless it is only to be read, runs what
// waits. Several processes may begin at once: one migrates, and the others wait for it.
func pgMigrate(ctx context.Context, o Options, at place, readOnly bool) error {
	all, err := sources(o)
	if err != nil {
		return err
	}
	pool := at.pool(o, pgOwner, 1) // one connection: the lock and the migrations are its session's
	defer func() { _ = pool.Close() }()
	waits, err := pgInspect(ctx, pool, o, at, all)
	switch {
	case err != nil || !waits:
		return err
	case readOnly:
		return ErrBehind.With("the stored data belong to an older version of souk").Because(
			fmt.Errorf("%s: migrations wait to be run; souk serve runs them, or use the souk that wrote it", at))
	}
	if _, err := pool.ExecContext(ctx, `SELECT pg_advisory_lock(hashtext('souk migrations'), hashtext($1))`, at.schema); err != nil {
		return fmt.Errorf("wait for another process that migrates: %w", err)
	}
	for i := range all { // what the other has done meanwhile
		for j := range all[i].steps {
			all[i].steps[j].Applied = false
		}
	}
	if waits, err = pgInspect(ctx, pool, o, at, all); err != nil || !waits {
		return err
	}
	if _, err := pool.ExecContext(ctx, pgChecksums); err != nil {
		return fmt.Errorf("make the table of checksums: %w", err)
	}
	for _, s := range all {
		if err := s.up(ctx, pool.DB, database.DialectPostgres); err != nil {
			return err
		}
	}
	return nil
}

// pgInspect compares what has run with what this binary has, before anything runs.
func pgInspect(ctx context.Context, pool *sqlx.DB, o Options, at place, all []source) (waits bool, err error) {
	done, err := pgApplied(ctx, pool, o, all)
	if err != nil {
		return false, err
	}
	return compareAll(o.Module, at.String(), all, done)
}

func pgApplied(ctx context.Context, pool *sqlx.DB, o Options, all []source) ([]ran, error) {
	var tables []string
	if err := pool.SelectContext(ctx, &tables, `SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()`); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return ranIn(o, all, tables, func(dest any, query string) error { return pool.SelectContext(ctx, dest, query) })
}

// pgStatus notes in all which migrations have run, for Migrations.
func pgStatus(ctx context.Context, o Options, all []source) error {
	at, err := placeOf(o)
	if err != nil {
		return pgExplain(at.String(), err)
	}
	if err := at.prepare(ctx, true); err != nil {
		if errors.Is(err, ErrBehind) {
			return nil // nothing has run
		}
		return pgExplain(at.String(), err)
	}
	pool := at.pool(o, pgReads, 1)
	defer func() { _ = pool.Close() }()
	_, err = pgInspect(ctx, pool, o, at, all)
	return pgExplain(at.String(), err)
}
