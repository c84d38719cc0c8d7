package store

import (
	"context"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

// things are the tables of these tests' module.
var things = fstest.MapFS{"0001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BLOB) STRICT;
`)}}

// openThings opens a database of things; change may alter how.
func openThings(t testing.TB, change func(*Options)) *DB {
	t.Helper()
	o := Options{Module: "things", Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, NoSync: true}
	o.MaxBatchTime = time.Hour // however slow the machine, what a test puts together stays together
	if change != nil {
		change(&o)
	}
	db, err := Open(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// add inserts a thing of that name.
func add(name string) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO things (name) VALUES (?)`, name)
		return err
	}
}

// names are the things there are, in order.
func names(t testing.TB, db *DB) []string {
	t.Helper()
	var out []string
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		return q.Select(&out, `SELECT name FROM things ORDER BY name`)
	}))
	return out
}

// one is a Write of a batch that a test puts together.
type one struct {
	ctx context.Context // default: Background
	fn  func(*Tx) error
}

// together runs Writes in one batch, in this order, and says what each was answered.
func together(t testing.TB, db *DB, ones ...one) []error {
	t.Helper()
	release, err := db.Hold(context.Background())
	require.NoError(t, err)
	var requests []*request
	for _, o := range ones {
		if o.ctx == nil {
			o.ctx = context.Background()
		}
		r := &request{ctx: o.ctx, fn: o.fn, done: make(chan struct{})}
		require.NoError(t, db.writer.enqueue(r))
		requests = append(requests, r)
	}
	release()
	var answers []error
	for _, r := range requests {
		<-r.done
		answers = append(answers, r.answer)
	}
	return answers
}
