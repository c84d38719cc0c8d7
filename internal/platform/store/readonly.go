package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// OpenReadOnly opens a database for Read and Snapshot alone, beside a souk that has it open
// or on a folder that nobody serves. It takes no lock and changes nothing; migrations that
// wait are ErrBehind.
func OpenReadOnly(ctx context.Context, o Options) (*DB, error) {
	o = o.withDefaults()
	if err := check(o); err != nil {
		return nil, err
	}
	if o.URL != "" {
		return openPostgres(ctx, o, true)
	}
	if !exists(o.Path) {
		return nil, fmt.Errorf("open the database of %s: %s: %w", o.Module, o.Path, os.ErrNotExist)
	}
	db := newDB(o, nil)
	db.readOnly, db.readMode = true, readMode(o.Path)
	if err := db.inspect(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database of %s: %w", o.Module, db.explain(err)), db.Close()) //nolint:contextcheck // closing is not for ctx to stop
	}
	return db, nil
}

func (db *DB) inspect(ctx context.Context) error {
	all, err := sources(db.o)
	if err != nil {
		return err
	}
	c, err := db.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { db.readers.put(c) }()
	waits, err := inspect(ctx, c, db.o, all)
	if err == nil && waits {
		err = ErrBehind.With("the stored data belong to an older version of souk").Because(
			fmt.Errorf("%s: migrations wait to be run; souk serve runs them, or use the souk that wrote it", db.path))
	}
	return err
}

// readMode is how a file can be read: one with no log in a folder that cannot be written
// has nobody to change it, and no place for the index that readers share.
func readMode(path string) mode {
	if !exists(path+"-wal") && unix.Access(filepath.Dir(path), unix.W_OK) != nil {
		return modeImmutable
	}
	return modeRead
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
