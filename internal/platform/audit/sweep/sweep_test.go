package sweep_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

var sections = []sweep.Section{
	{Name: "a", Keys: `SELECT key FROM a WHERE key > ? ORDER BY key LIMIT ?`, Checks: []sweep.Check{
		{Invariant: "odd", Says: "it is odd", Query: `SELECT key AS subjects, n AS detail FROM a WHERE key > ? AND key <= ? AND n % 2 = 1`},
	}},
	{Name: "b", Most: 1, Keys: `SELECT key FROM b WHERE key > ? ORDER BY key LIMIT ?`, Checks: []sweep.Check{
		{Invariant: "orphan", Query: `SELECT b.key || ' ' || b.of AS subjects, 'of nobody' AS detail FROM b WHERE key > ? AND key <= ?
			AND NOT EXISTS (SELECT 1 FROM a WHERE a.key = b.of)`},
	}},
}

func TestEveryKeyIsInOnePage(t *testing.T) {
	t.Parallel()
	for rows := range 6 {
		db := storetest.Open(t, "jobs")
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
			for _, table := range []string{`CREATE TABLE a (key TEXT PRIMARY KEY, n INTEGER) STRICT`, `CREATE TABLE b (key TEXT PRIMARY KEY, of TEXT) STRICT`} {
				if _, err := tx.Exec(table); err != nil {
					return err
				}
			}
			for i := range rows {
				if _, err := tx.Exec(`INSERT INTO a (key, n) VALUES (?, ?)`, fmt.Sprint("a_", i), i); err != nil {
					return err
				}
				if _, err := tx.Exec(`INSERT INTO b (key, of) VALUES (?, ?)`, fmt.Sprint("b_", i), fmt.Sprint("a_", 2*i)); err != nil {
					return err
				}
			}
			return nil
		}))
		var found []string
		pages := map[string]int{}
		r := audit.Request{Limit: 2}
		for {
			require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
				in, err := sweep.Page(q, sections, r, 2)
				if err != nil {
					return err
				}
				pages[in.Section.Name]++
				problems, err := in.Problems(q)
				for _, p := range problems {
					found = append(found, fmt.Sprint(p.Invariant, p.Subjects, p.Detail))
				}
				r.Cursor = in.Next
				return err
			}))
			if r.Cursor == "" {
				break
			}
		}
		var want []string
		for i := 1; i < rows; i += 2 {
			want = append(want, fmt.Sprintf("odd[a_%d]it is odd: %d", i, i))
		}
		for i := range rows {
			if 2*i >= rows {
				want = append(want, fmt.Sprintf("orphan[b_%d a_%d]of nobody", i, 2*i))
			}
		}
		assert.Equal(t, want, found)
		assert.Equal(t, map[string]int{"a": rows/2 + 1, "b": rows + 1}, pages)
	}
}

func TestACursorOfSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "jobs")
	other, err := page.Cursor("another list", sweep.Place{})
	require.NoError(t, err)
	beyond, err := page.Cursor("sweep", sweep.Place{Section: 7})
	require.NoError(t, err)
	for _, cursor := range []string{other, beyond, "nonsense"} {
		err := db.Read(t.Context(), func(q store.Queryer) error {
			_, err := sweep.Page(q, sections, audit.Request{Cursor: cursor}, 2)
			return err
		})
		require.ErrorIs(t, err, page.ErrCursor)
	}
}
