package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/reqid"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

type jobRow struct {
	Key        string     `db:"key"`
	RunAt      clock.Time `db:"run_at"`
	State      string     `db:"state"`
	Tries      int        `db:"tries"`
	Generation int        `db:"generation"`
}

func jobs(t *testing.T, db *store.DB) []jobRow {
	t.Helper()
	var rows []jobRow
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&rows, `SELECT key, run_at, state, tries, generation FROM jobs ORDER BY key`)
	}))
	return rows
}

func TestEnqueue(t *testing.T) {
	t.Parallel()
	enqueue := func(tx *store.Tx, at ...clock.Time) error {
		for _, at := range at {
			if err := tx.Enqueue("test.job", "k", at); err != nil {
				return err
			}
		}
		return nil
	}
	tests := map[string]struct {
		before string // what has become of the job in the meantime
		at     []clock.Time
		want   jobRow
	}{
		"a later time changes nothing":              {at: []clock.Time{70}, want: jobRow{"k", 50, "pending", 0, 2}},
		"an earlier time counts":                    {at: []clock.Time{30}, want: jobRow{"k", 30, "pending", 0, 2}},
		"a running one is asked to run once more":   {before: `state = 'running', started_generation = 1`, at: []clock.Time{90}, want: jobRow{"k", 90, "running", 0, 2}},
		"a running one asked twice: the earlier":    {before: `state = 'running', started_generation = 1`, at: []clock.Time{90, 60}, want: jobRow{"k", 60, "running", 0, 3}},
		"one that waits to be tried again: earlier": {before: `tries = 3`, at: []clock.Time{20}, want: jobRow{"k", 20, "pending", 3, 2}},
		"a dead one lives again":                    {before: `state = 'dead', tries = 9, error = 'x'`, at: []clock.Time{90}, want: jobRow{"k", 90, "pending", 0, 2}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.Open(t, "test")
			require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
				if err := enqueue(tx, 50); err != nil {
					return err
				}
				if tt.before != "" {
					if _, err := tx.Exec(`UPDATE jobs SET ` + tt.before); err != nil {
						return err
					}
				}
				return enqueue(tx, tt.at...)
			}))
			assert.Equal(t, []jobRow{tt.want}, jobs(t, db))
		})
	}
}

func TestDequeue(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.Enqueue("test.job", "a", 1), tx.Enqueue("test.job", "b", 1),
			tx.Dequeue("test.job", "a"), tx.Dequeue("test.job", "never there"))
	}))
	assert.Equal(t, []jobRow{{"b", 1, "pending", 0, 1}}, jobs(t, db))
}

func TestTraceAndRequestAreKept(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: 1})
	ctx := reqid.With(trace.ContextWithSpanContext(context.Background(), span), "req-1")
	require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Publish(happened{"a", "x"}), tx.Enqueue("test.job", "a", 1),
			tx.Audit(store.Audit{By: actor.System("ord_1"), Action: "test.act", Subject: "s", Before: "1", After: "2", Why: "because"}))
	}))
	var ofEvent, ofJob, ofAct string
	var row struct {
		Kind   string `db:"kind"`
		Behalf string `db:"on_behalf_of"`
		What   string `db:"what"`
	}
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		return errors.Join(q.Get(&ofEvent, `SELECT trace FROM event_log`), q.Get(&ofJob, `SELECT trace FROM jobs`),
			q.Get(&ofAct, `SELECT request FROM audit_log`),
			q.Get(&row, `SELECT kind, on_behalf_of, action || subject || before || after || why AS what FROM audit_log`))
	}))
	const want = "00-01000000000000000000000000000000-0200000000000000-01"
	assert.Equal(t, []string{want, want + " req-1", "req-1"}, []string{ofEvent, ofJob, ofAct})
	assert.Equal(t, []string{"system", "ord_1", "test.acts12because"}, []string{row.Kind, row.Behalf, row.What})
}

func TestSavepoint(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	act := func(tx *store.Tx, name string) error { return tx.Audit(store.Audit{Action: name}) }
	no := errors.New("no")
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		if err := act(tx, "outer"); err != nil {
			return err
		}
		if err := tx.Savepoint(func() error { return errors.Join(act(tx, "undone"), no) }); !errors.Is(err, no) {
			return errors.New("the part's error is returned")
		}
		if err := tx.Savepoint(func() error { _ = act(tx, "half"); panic("oh no") }); !errors.Is(err, store.ErrPanicked) {
			return errors.New("a panic is an error of the part")
		}
		return tx.Savepoint(func() error {
			_ = tx.Savepoint(func() error { return errors.Join(act(tx, "inner"), no) })
			return act(tx, "part")
		})
	}))
	assert.Equal(t, []string{"outer", "part"}, effects(t, db))
}

func TestStatementsThatReachOutOfATurnAreRefused(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	for _, query := range []string{
		`COMMIT`, ` -- a comment
			rollback`, `/* so */ END`, `begin`, `SAVEPOINT x`, `RELEASE fn`, `ATTACH 'x' AS y`, `PRAGMA foreign_keys = off`, `VACUUM`,
		`DELETE FROM jobs; COMMIT`, `DELETE FROM jobs; -- and
			COMMIT`, ``, ` -- nothing`,
	} {
		err := db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query); return err })
		require.ErrorIs(t, err, store.ErrStatement, query)
		require.ErrorIs(t, db.Read(t.Context(), func(q store.Queryer) error { var n int; return q.Get(&n, query) }), store.ErrStatement, query)
	}
	for _, query := range []string{
		`DELETE FROM jobs WHERE key = ';' OR kind = 'a;b' -- c;d
			;`, `DELETE FROM "jobs" /* ; */ WHERE key = ''';'`, `UPDATE jobs SET error = 'begin; commit'; `,
	} {
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query); return err }), query)
	}
}

func TestTxIsOverWithItsWrite(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	var kept *store.Tx
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error { kept = tx; return nil }))
	_, err := kept.Exec(`DELETE FROM jobs`)
	require.ErrorIs(t, err, store.ErrStatement)
	var q store.Queryer
	require.NoError(t, db.Read(t.Context(), func(r store.Queryer) error { q = r; return nil }))
	var n int
	require.ErrorIs(t, q.Get(&n, `SELECT 1`), store.ErrStatement)
}

func TestIn(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	var found []string
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			if err := tx.Enqueue("test.job", key, 1); err != nil {
				return err
			}
		}
		query, args, err := store.In(`SELECT key FROM jobs WHERE kind = ? AND key IN (?) ORDER BY key`, "test.job", []string{"e", "a", "x", "c", "c"})
		if err != nil {
			return err
		}
		assert.Len(t, args, 1+8, "filled up to a power of two")
		return tx.Select(&found, query, args...)
	}))
	assert.Equal(t, []string{"a", "c", "e"}, found)
	_, _, err := store.In(`SELECT 1 WHERE 1 IN (?)`, []string{})
	require.Error(t, err)
}

func TestDuplicateAndConstraint(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	insert := func(state string) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO jobs (kind, key, run_at, state, enqueued_at, updated_at) VALUES ('k', 'k', 1, ?, 1, 1)`, state)
			return err
		}
	}
	require.NoError(t, db.Write(t.Context(), insert("pending")))
	twice := db.Write(t.Context(), insert("pending"))
	assert.True(t, store.IsDuplicate(twice))
	assert.True(t, store.IsConstraint(twice))
	wrong := db.Write(t.Context(), insert("strange"))
	assert.False(t, store.IsDuplicate(wrong))
	assert.True(t, store.IsConstraint(wrong))
	assert.False(t, store.IsConstraint(errors.New("other")))
}

// The test mode: what runs twice and appends shows it.
func TestRunTwice(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	runs := 0
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		runs++
		return tx.Publish(happened{"a", "x"})
	}))
	assert.Equal(t, 2, runs)
	assert.Len(t, events(t, db), 1, "the first run was undone")
	assert.Equal(t, int64(1), events(t, db)[0].Position)

	runs = 0
	require.Error(t, db.Write(t.Context(), func(*store.Tx) error { runs++; return errors.New("no") }))
	assert.Equal(t, 1, runs, "what failed has left nothing to find twice")

	once := storetest.Open(t, "test", storetest.Once())
	runs = 0
	require.NoError(t, once.Write(t.Context(), func(*store.Tx) error { runs++; return nil }))
	assert.Equal(t, 1, runs)
}

func TestEpochsDiffer(t *testing.T) {
	t.Parallel()
	epoch := func(db *store.DB) (epoch string) {
		require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error { return q.Get(&epoch, `SELECT epoch FROM event_log_state`) }))
		return epoch
	}
	dir := t.TempDir()
	first := storetest.OpenAt(t, "test", dir)
	was := epoch(first)
	assert.Len(t, was, 32)
	assert.NotEqual(t, was, epoch(storetest.Open(t, "test")))
	require.NoError(t, first.Close())
	assert.Equal(t, was, epoch(storetest.OpenAt(t, "test", dir)), "and last")
}

func TestHash(t *testing.T) {
	t.Parallel()
	type body struct {
		A string `json:"a"`
	}
	same, err := json.Marshal(body{"x"})
	require.NoError(t, err)
	assert.Equal(t, store.Hash(body{"x"}), store.Hash(json.RawMessage(same)))
	assert.NotEqual(t, store.Hash(body{"x"}), store.Hash(body{"y"}))
	assert.Panics(t, func() { store.Hash(func() {}) })
}
