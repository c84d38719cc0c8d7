package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*/*.sql
var platformFiles embed.FS

// checksums is the table beside goose's own that says what each migration looked like when
// it ran, and to which module the file belongs.
const checksums = `
	CREATE TABLE IF NOT EXISTS migration_checksums (
		source  TEXT    NOT NULL,
		version INTEGER NOT NULL,
		file    TEXT    NOT NULL,
		sum     TEXT    NOT NULL,
		PRIMARY KEY (source, version)
	) STRICT, WITHOUT ROWID`

// platformSource is the name under which platform's own migrations are kept.
const platformSource = "platform"

// source is one set of migrations, with a version table of its own.
type source struct {
	name  string // "platform", or the module
	table string // goose's
	files fs.FS
	steps []Migration // in order
}

// Migration is one step of a database's schema.
type Migration struct {
	Source  string // "platform", or the module
	Version int64
	File    string
	Sum     string // SHA-256 of the file
	Applied bool
}

// engineOf is the folder of migrations.
func engineOf(o Options) string {
	if o.URL != "" {
		return "postgres"
	}
	return "sqlite"
}

// sources reads the migrations that this binary has for a database.
func sources(o Options) ([]source, error) {
	platform, err := fs.Sub(platformFiles, "migrations/"+engineOf(o))
	if err != nil {
		return nil, err
	}
	all := []source{{name: platformSource, table: "goose_platform", files: platform}}
	if o.Migrations != nil {
		all = append(all, source{name: o.Module, table: "goose_module", files: o.Migrations})
	}
	for i := range all {
		if err := all[i].read(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *source) read() error {
	names, err := fs.Glob(s.files, "*.sql")
	if err != nil {
		return err
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return fmt.Errorf("migration %s of %s: %w", name, s.name, err)
		}
		text, err := fs.ReadFile(s.files, name)
		if err != nil {
			return fmt.Errorf("migration %s of %s: %w", name, s.name, err)
		}
		if strings.Contains(strings.ToUpper(string(text)), "+GOOSE NO TRANSACTION") {
			return fmt.Errorf("migration %s of %s: every migration runs in a transaction of its own; take NO TRANSACTION out", name, s.name)
		}
		sum := sha256.Sum256(text)
		s.steps = append(s.steps, Migration{Source: s.name, Version: version, File: name, Sum: hex.EncodeToString(sum[:])})
	}
	slices.SortFunc(s.steps, func(a, b Migration) int { return int(a.Version - b.Version) })
	return nil
}

// ran is a migration that the database says has run.
type ran struct {
	Source  string `db:"source"`
	Version int64  `db:"version"`
	File    string `db:"file"`
	Sum     string `db:"sum"`
}

// migrate checks what has run in the database and runs what waits.
func migrate(ctx context.Context, o Options) error {
	all, err := sources(o)
	if err != nil {
		return err
	}
	c, err := connect(ctx, newConnector(o.Path, modeWrite, o))
	if err != nil {
		return err
	}
	waits, err := inspect(ctx, c, o, all)
	if e := c.close(); err == nil {
		err = e
	}
	if err != nil || !waits {
		return err
	}
	pool := sql.OpenDB(newConnector(o.Path, modeWrite, o))
	pool.SetMaxOpenConns(1)
	defer func() { _ = pool.Close() }()
	if _, err := pool.ExecContext(ctx, checksums); err != nil {
		return fmt.Errorf("make the table of checksums: %w", err)
	}
	for _, s := range all {
		if err := s.up(ctx, pool, database.DialectSQLite3); err != nil {
			return err
		}
	}
	return refuseDeferred(ctx, pool)
}

// inspect compares what has run with what this binary has, before anything runs.
func inspect(ctx context.Context, c *conn, o Options, all []source) (waits bool, err error) {
	done, err := applied(ctx, c, o, all)
	if err != nil {
		return false, err
	}
	return compareAll(o.Module, o.Path, all, done)
}

// compareAll compares what has run at a path with what this binary has.
func compareAll(module, path string, all []source, done []ran) (waits bool, err error) {
	for _, r := range done {
		if r.Source != platformSource && r.Source != module {
			return false, fmt.Errorf("%s is the database of %s, not of %s", path, r.Source, module)
		}
	}
	for _, s := range all {
		w, err := s.compare(path, done)
		if err != nil {
			return false, err
		}
		waits = waits || w
	}
	return waits, nil
}

// applied reads what has run in a file.
func applied(ctx context.Context, c *conn, o Options, all []source) ([]ran, error) {
	var tables []string
	if err := c.x.SelectContext(ctx, &tables, `SELECT name FROM sqlite_schema WHERE type = 'table'`); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return ranIn(o, all, tables, func(dest any, query string) error { return c.x.SelectContext(ctx, dest, query) })
}

// ranIn reads what has run. A migration leaves its row in the table of checksums, and goose's
// in its own, in its own transaction.
func ranIn(o Options, all []source, tables []string, read func(dest any, query string) error) ([]ran, error) {
	var done []ran
	if slices.Contains(tables, copyState) && !o.copying {
		if err := checkCopied(o, read); err != nil {
			return nil, err
		}
	}
	if slices.Contains(tables, "migration_checksums") {
		if err := read(&done, `SELECT source, version, file, sum FROM migration_checksums ORDER BY source, version`); err != nil {
			return nil, fmt.Errorf("read the checksums of migrations: %w", err)
		}
	}
	for _, s := range all {
		if !slices.Contains(tables, s.table) {
			continue
		}
		var versions []int64
		// NOT: the column is a number on one engine and a truth value on the other.
		if err := read(&versions, `SELECT version_id FROM `+s.table+` WHERE NOT NOT is_applied AND version_id > 0`); err != nil {
			return nil, fmt.Errorf("read the version table %s: %w", s.table, err)
		}
		for _, v := range versions {
			if !slices.ContainsFunc(done, func(r ran) bool { return r.Source == s.name && r.Version == v }) {
				done = append(done, ran{Source: s.name, Version: v})
			}
		}
	}
	return done, nil
}

// compare says whether s has steps that have not run, or why it may not go on.
func (s *source) compare(path string, done []ran) (waits bool, err error) {
	var highest, last int64
	if n := len(s.steps); n > 0 {
		last = s.steps[n-1].Version
	}
	known := map[int64]*Migration{}
	for i := range s.steps {
		known[s.steps[i].Version] = &s.steps[i]
	}
	for _, r := range done {
		if r.Source != s.name {
			continue
		}
		highest = max(highest, r.Version)
		step := known[r.Version]
		switch {
		case step == nil && r.Version > last:
			return false, ErrNewer.With("the stored data belong to a newer version of souk").Because(
				fmt.Errorf("%s: migration %d of %s (%s) has run, and this souk has none after %d; use the souk that wrote it, or restore a backup from before",
					path, r.Version, s.name, r.File, last))
		case step == nil:
			return false, ErrChanged.Because(fmt.Errorf("%s: migration %d of %s (%s) has run, and is gone; put the file back", path, r.Version, s.name, r.File))
		case step.Sum != r.Sum:
			return false, ErrChanged.Because(fmt.Errorf("%s: migration %s of %s was changed after it had run; put it back as it was, and make the change in a new one",
				path, step.File, s.name))
		}
		step.Applied = true
	}
	for _, step := range s.steps {
		if step.Applied {
			continue
		}
		if step.Version < highest {
			return false, ErrChanged.Because(fmt.Errorf("%s: migration %s of %s comes before %d, which has run; give it a higher number",
				path, step.File, s.name, highest))
		}
		waits = true
	}
	return waits, nil
}

// up runs what waits, each step in a transaction of its own.
func (s *source) up(ctx context.Context, pool *sql.DB, dialect database.Dialect) error {
	if len(s.steps) == 0 {
		return nil
	}
	inner, err := database.NewStore(dialect, s.table)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectCustom, pool, s.files,
		goose.WithStore(recorder{Store: inner, source: s}), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("migrations of %s: %w", s.name, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrations of %s: %w", s.name, err)
	}
	return nil
}

// recorder is goose's version table, with the checksum written in the same transaction.
type recorder struct {
	database.Store
	source *source
}

// Insert records that a step has run, and what it looked like.
func (r recorder) Insert(ctx context.Context, db database.DBTxConn, req database.InsertRequest) error {
	if err := r.Store.Insert(ctx, db, req); err != nil {
		return err
	}
	i := slices.IndexFunc(r.source.steps, func(m Migration) bool { return m.Version == req.Version })
	if i < 0 {
		return nil // goose's own row for version 0
	}
	step := r.source.steps[i]
	_, err := db.ExecContext(ctx, `INSERT INTO migration_checksums (source, version, file, sum) VALUES ($1, $2, $3, $4)`,
		step.Source, step.Version, step.File, step.Sum)
	return err
}

// refuseDeferred refuses deferred constraints: one would fail only at the commit, and so the
// commit of every neighbour.
func refuseDeferred(ctx context.Context, pool *sql.DB) error {
	var table string
	err := pool.QueryRowContext(ctx, `SELECT name FROM sqlite_schema WHERE upper(sql) GLOB '*INITIALLY*DEFERRED*' LIMIT 1`).Scan(&table)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for deferred constraints: %w", err)
	}
	return fmt.Errorf("table %s has a constraint INITIALLY DEFERRED: it would fail the commit of every neighbour; make it immediate", table)
}

// Migrations says which migrations this binary has for a database and which have run in it,
// without changing anything. The file need not exist.
func Migrations(ctx context.Context, o Options) ([]Migration, error) {
	o = o.withDefaults()
	all, err := sources(o)
	if err != nil {
		return nil, err
	}
	if o.URL != "" {
		if err := pgStatus(ctx, o, all); err != nil {
			return nil, err
		}
	} else if exists(o.Path) {
		c, err := connect(ctx, newConnector(o.Path, readMode(o.Path), o))
		if err != nil {
			return nil, explain(o.Path, func() string { return readHolder(o.Path) }, err)
		}
		_, err = inspect(ctx, c, o, all)
		if e := c.close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, explain(o.Path, func() string { return readHolder(o.Path) }, err)
		}
	}
	var out []Migration
	for _, s := range all {
		out = append(out, s.steps...)
	}
	return out, nil
}
