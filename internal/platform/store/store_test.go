package store_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

type happened struct {
	Key  string `json:"key"`
	What string `json:"what"`
}

func (happened) EventName() string  { return "test.happened.v1" }
func (h happened) EventKey() string { return h.Key }

type logged struct {
	Position int64  `db:"position"`
	Name     string `db:"name"`
	Key      string `db:"key"`
	Body     string `db:"body"`
}

func events(t *testing.T, db *store.DB) []logged {
	t.Helper()
	var rows []logged
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&rows, `SELECT position, name, key, body FROM event_log ORDER BY position`)
	}))
	return rows
}

func TestPublish(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	publish := func(what string, fail error) error {
		return db.Write(t.Context(), func(tx *store.Tx) error {
			if err := tx.Publish(happened{"a", what}, happened{"b", what}); err != nil {
				return err
			}
			return fail
		})
	}
	require.NoError(t, publish("one", nil))
	refused := errors.New("no")
	require.ErrorIs(t, publish("two", refused), refused)
	require.NoError(t, publish("three", nil))
	assert.Equal(t, []logged{
		{1, "test.happened.v1", "a", `{"key":"a","what":"one"}`},
		{2, "test.happened.v1", "b", `{"key":"b","what":"one"}`},
		{3, "test.happened.v1", "a", `{"key":"a","what":"three"}`},
		{4, "test.happened.v1", "b", `{"key":"b","what":"three"}`},
	}, events(t, db), "an undone Write gives its positions back")
}

func TestGetWithoutRowIsErrNoRows(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	var n int64
	ask := func(q store.Queryer) error { return q.Get(&n, `SELECT position FROM event_log WHERE position = 7`) }
	require.ErrorIs(t, db.Read(t.Context(), ask), sql.ErrNoRows)
	require.ErrorIs(t, db.Write(t.Context(), func(tx *store.Tx) error { return ask(tx) }), sql.ErrNoRows)
}

func TestOnCommitTellsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	var told []store.Commit
	db.OnCommit(func(c store.Commit) {
		if !c.Elsewhere { // on PostgreSQL: news may have been missed before the first
			told = append(told, c)
		}
	})
	write := func(fn func(*store.Tx) error) { _ = db.Write(context.Background(), fn) }
	write(func(tx *store.Tx) error { return tx.Publish(happened{"a", "x"}) })
	write(func(tx *store.Tx) error { return tx.Enqueue("test.job", "1", clock.Time(5)) })
	write(func(tx *store.Tx) error { _, err := tx.Exec(`DELETE FROM jobs`); return err })
	write(func(tx *store.Tx) error { return errors.Join(tx.Publish(happened{"a", "x"}), errors.New("no")) })
	assert.Equal(t, []store.Commit{{Events: true}, {Jobs: true}}, told)
}
