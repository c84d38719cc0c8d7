package store

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

// and is things' migrations with more.
func and(more map[string]string) fstest.MapFS {
	out := maps.Clone(things)
	for name, text := range more {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	const second = "-- +goose Up\nALTER TABLE things ADD COLUMN price INTEGER;\n"
	tests := map[string]struct {
		now   fstest.MapFS
		wants *errs.Error
		says  string
	}{
		"the same":        {now: things},
		"one more":        {now: and(map[string]string{"0002_price.sql": second})},
		"a changed one":   {now: and(map[string]string{"0001_things.sql": string(things["0001_things.sql"].Data) + "-- nicer\n"}), wants: ErrChanged, says: "0001_things.sql of things was changed after it had run"},
		"one gone":        {now: fstest.MapFS{}, wants: ErrNewer, says: "use the souk that wrote it"},
		"one replaced":    {now: fstest.MapFS{"0002_price.sql": {Data: []byte(second)}}, wants: ErrChanged, says: "put the file back"},
		"no transaction":  {now: and(map[string]string{"0002_price.sql": "-- +goose NO TRANSACTION\n" + second}), says: "in a transaction of its own"},
		"deferred":        {now: and(map[string]string{"0002_d.sql": "-- +goose Up\nCREATE TABLE d (id INTEGER REFERENCES things (id) DEFERRABLE INITIALLY DEFERRED) STRICT;\n"}), says: "table d has a constraint INITIALLY DEFERRED"},
		"a broken second": {now: and(map[string]string{"0002_b.sql": "-- +goose Up\nCREATE TABLE b (id INTEGER) STRICT;\nCREATE TABLE things (id INTEGER);\n"}), says: "things already exists"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{Module: "things", Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, NoSync: true}
			db, err := Open(context.Background(), o)
			require.NoError(t, err)
			require.NoError(t, db.Write(context.Background(), add("kept")))
			require.NoError(t, db.Close())

			o.Migrations = tt.now
			db, err = Open(context.Background(), o)
			if tt.says == "" {
				require.NoError(t, err)
				assert.Equal(t, []string{"kept"}, names(t, db))
				require.NoError(t, db.Close())
				return
			}
			require.Error(t, err)
			if tt.wants != nil {
				require.ErrorIs(t, err, tt.wants)
				assert.Contains(t, err.Error(), o.Path)
			}
			assert.Contains(t, err.Error(), tt.says)

			o.Migrations = things
			db, err = Open(context.Background(), o)
			if name != "deferred" { // which has run, and is refused afterwards
				require.NoError(t, err, "a refusal leaves the file, and the lock, as they were")
				assert.Equal(t, []string{"kept"}, names(t, db))
				require.NoError(t, db.Close())
			}
		})
	}
}

func TestMigrationBeforeOneThatHasRunIsRefused(t *testing.T) {
	t.Parallel()
	const nothing = "-- +goose Up\nSELECT 1;\n"
	db := openThings(t, func(o *Options) { o.Migrations = and(map[string]string{"0003_c.sql": nothing}) })
	require.NoError(t, db.Close())
	_, err := Open(context.Background(), Options{
		Module: "things", Path: db.path,
		Migrations: and(map[string]string{"0002_b.sql": nothing, "0003_c.sql": nothing}),
	})
	require.ErrorIs(t, err, ErrChanged)
	assert.Contains(t, err.Error(), "give it a higher number")
}

func TestAnotherModulesFileIsRefused(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	require.NoError(t, db.Close())
	_, err := Open(context.Background(), Options{Module: "orders", Path: db.path, Migrations: things})
	require.ErrorContains(t, err, "is the database of things, not of orders")
}

func TestMigrationStatus(t *testing.T) {
	t.Parallel()
	type step struct {
		name    string
		applied bool
	}
	status := func(o Options) (steps []step) {
		all, err := Migrations(context.Background(), o)
		require.NoError(t, err)
		for _, m := range all {
			steps = append(steps, step{m.Source + " " + m.File, m.Applied})
		}
		return steps
	}
	o := Options{Module: "things", Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, NoSync: true}
	assert.Equal(t, []step{{"platform 0001_platform.sql", false}, {"things 0001_things.sql", false}}, status(o))
	db, err := Open(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	o.Migrations = and(map[string]string{"0002_x.sql": "-- +goose Up\nSELECT 1;\n"})
	assert.Equal(t, []step{{"platform 0001_platform.sql", true}, {"things 0001_things.sql", true}, {"things 0002_x.sql", false}}, status(o), "beside the souk that has it open")
}

func TestPlatformMigrationsAreStrict(t *testing.T) {
	t.Parallel()
	db := openThings(t, nil)
	var loose []string
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		return q.Select(&loose, `SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%STRICT%' ORDER BY name`)
	}))
	slices.Sort(loose)
	assert.Equal(t, []string{"goose_module", "goose_platform", "sqlite_sequence"}, loose, "all but goose's and SQLite's own")
}
