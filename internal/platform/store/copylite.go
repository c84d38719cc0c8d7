package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
)

// liteCopy is a file as one side of a Copy: locked, like one that a souk serves.
type liteCopy struct {
	o    Options
	lock *fileLock
	c    *conn
}

func openCopyLite(ctx context.Context, o Options, source bool) (_ *liteCopy, err error) {
	if source && !exists(o.Path) {
		return nil, fmt.Errorf("%s: %w", o.Path, os.ErrNotExist)
	}
	s := &liteCopy{o: o}
	if s.lock, err = takeLock(o.Path); err != nil {
		return nil, err
	}
	how := modeWrite
	if source {
		how = readMode(o.Path)
	}
	if s.c, err = connect(ctx, newConnector(o.Path, how, o)); err != nil {
		s.lock.release()
		return nil, s.explain(err)
	}
	return s, nil
}

func (s *liteCopy) String() string { return s.o.Path }

func (s *liteCopy) explain(err error) error {
	return explain(s.o.Path, func() string { return readHolder(s.o.Path) }, err)
}

func (s *liteCopy) close() error {
	err := s.c.close()
	s.lock.release()
	return err
}

// hold has nothing to do: the lock is held.
func (s *liteCopy) hold(context.Context) error { return nil }

func (s *liteCopy) rows(ctx context.Context, query string, args []any) (_ [][]any, err error) {
	rows, err := s.c.x.QueryxContext(ctx, query, args...)
	if err != nil {
		return nil, s.explain(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	return s.scan(rows)
}

func (s *liteCopy) scan(rows *sqlx.Rows) (all [][]any, err error) {
	for rows.Next() {
		row, err := rows.SliceScan()
		if err != nil {
			return nil, s.explain(err)
		}
		all = append(all, row)
	}
	return all, s.explain(rows.Err())
}

func (s *liteCopy) tables(ctx context.Context) ([]copyTable, error) {
	var columns []struct {
		Table string `db:"tbl"`
		Name  string `db:"name"`
		Type  string `db:"type"`
		Key   int64  `db:"pk"`
	}
	if err := s.c.x.SelectContext(ctx, &columns, `SELECT t.name AS tbl, c.name, c.type, c.pk
		FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.name`); err != nil {
		return nil, fmt.Errorf("read the schema: %w", s.explain(err))
	}
	var refers []struct {
		Child  string `db:"child"`
		Parent string `db:"parent"`
	}
	if err := s.c.x.SelectContext(ctx, &refers, `SELECT t.name AS child, f."table" AS parent
		FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'`); err != nil {
		return nil, fmt.Errorf("read the references: %w", s.explain(err))
	}
	var all []described
	for _, c := range columns {
		all = append(all, described{table: c.Table, name: c.Name, kind: c.Type, key: c.Key})
	}
	var pairs [][2]string
	for _, r := range refers {
		pairs = append(pairs, [2]string{r.Child, r.Parent})
	}
	return tablesOf(all, pairs)
}

func (s *liteCopy) mark(ctx context.Context) (there bool, err error) {
	var tables []string
	if err := s.c.x.SelectContext(ctx, &tables, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name = ? DESC`, copyState); err != nil {
		return false, s.explain(err)
	}
	switch {
	case len(tables) > 0 && tables[0] == copyState:
		return true, nil
	case len(tables) > 0:
		return false, errHasData(s)
	}
	_, err = s.c.x.ExecContext(ctx, `CREATE TABLE `+copyState+` (name TEXT PRIMARY KEY, source TEXT NOT NULL, done INTEGER NOT NULL) STRICT, WITHOUT ROWID`)
	return false, s.explain(err)
}

func (s *liteCopy) migrate(ctx context.Context) error { return s.explain(migrate(ctx, s.o)) }

// change runs fn in a transaction. Triggers rest by not being there: SQLite has no other way, and
// puts them back with the same text, in the same transaction.
func (s *liteCopy) change(ctx context.Context, resting []copyTable, fn func(tx copyTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // a batch is short, and cutting it off ends the transaction beneath it
	if err := s.c.do(ctlBeginWrite); err != nil {
		return s.explain(err)
	}
	tx := &liteCopyTx{s: s, ctx: ctx}
	err := tx.without(resting, func() error { return fn(tx) })
	if err == nil {
		err = s.c.do(ctlCommit)
	}
	if err != nil {
		return errors.Join(s.explain(err), s.c.abandon())
	}
	return nil
}

func (s *liteCopy) acceptable(copyTable, [][]any) error { return nil }

// tidy makes the new file's name last; its rows have been on the disk since their commits.
func (s *liteCopy) tidy(context.Context, []copyTable) error {
	return syncDir(filepath.Dir(s.o.Path))
}

type liteCopyTx struct {
	s   *liteCopy
	ctx context.Context //nolint:containedctx // a transaction has one, as Tx has
}

func (tx *liteCopyTx) exec(query string, args ...any) error {
	_, err := tx.s.c.x.ExecContext(tx.ctx, query, args...)
	return err
}

func (tx *liteCopyTx) without(tables []copyTable, fn func() error) error {
	type trigger struct {
		Name string `db:"name"`
		Text string `db:"sql"`
	}
	var triggers []trigger
	for _, t := range tables {
		var found []trigger
		if err := tx.s.c.x.SelectContext(tx.ctx, &found, `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?`, t.name); err != nil {
			return err
		}
		for _, f := range found {
			if err := tx.exec(`DROP TRIGGER ` + quoteName(f.Name)); err != nil {
				return err
			}
		}
		triggers = append(triggers, found...)
	}
	if err := fn(); err != nil {
		return err
	}
	for _, back := range triggers {
		if err := tx.exec(back.Text); err != nil {
			return fmt.Errorf("put the trigger %s back: %w", back.Name, err)
		}
	}
	return nil
}

func (tx *liteCopyTx) insert(t copyTable, rows [][]any) error {
	query := `INSERT INTO ` + quoteName(t.name) + ` (` + quoted(t.names()) + `) VALUES (?` + strings.Repeat(", ?", len(t.columns)-1) + `)`
	for _, row := range rows {
		if err := tx.exec(query, row...); err != nil {
			return fmt.Errorf("the row %s: %w", t.describe(row), err)
		}
	}
	return nil
}

// numberFrom has nothing to do: SQLite numbers after the greatest there is.
func (tx *liteCopyTx) numberFrom(copyTable) error { return nil }
