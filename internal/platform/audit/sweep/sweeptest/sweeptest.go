// Package sweeptest holds the sections of a module's audit to what they promise.
package sweeptest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/store"
)

// Bounded fails the test when a query of a section would read more than its range: its plan has no
// scan of a table, but for what the range itself has put out.
func Bounded(t *testing.T, db *store.DB, sections []sweep.Section) {
	t.Helper()
	for _, s := range sections {
		explain(t, db, "the keys of "+s.Name, s.Keys, "a", 10)
		for _, c := range s.Checks {
			require.Zero(t, strings.Count(c.Query, "?")%2, "%s: after and upto come in pairs", c.Invariant)
			var args []any
			for range strings.Count(c.Query, "?") / 2 {
				args = append(args, "a", "b")
			}
			explain(t, db, c.Invariant, c.Query, args...)
		}
	}
}

func explain(t *testing.T, db *store.DB, name, query string, args ...any) {
	t.Helper()
	var plan []struct {
		ID, Parent, Notused int64
		Detail              string
	}
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error { return q.Select(&plan, `EXPLAIN QUERY PLAN `+query, args...) }), name)
	for _, step := range plan {
		own := strings.Contains(step.Detail, "VIRTUAL TABLE") || strings.Contains(step.Detail, "CONSTANT ROW") ||
			strings.HasPrefix(step.Detail, "SCAN ranged") || strings.HasPrefix(step.Detail, "SCAN (subquery")
		assert.False(t, strings.HasPrefix(step.Detail, "SCAN") && !own, "%s reads beyond its range: %s", name, step.Detail)
	}
}

// Whole is an Audit that turns every page: what it answers has the first page's facts and standing,
// and the problems of all. next and problems name where those are in a reply.
func Whole[R any](t testing.TB, ask func(context.Context, audit.Request) (R, error), fields func(*R) (problems *[]audit.Problem, next *string)) R {
	t.Helper()
	whole, err := ask(t.Context(), audit.Request{})
	require.NoError(t, err)
	problems, next := fields(&whole)
	for *next != "" {
		page, err := ask(t.Context(), audit.Request{Cursor: *next})
		require.NoError(t, err)
		more, after := fields(&page)
		*problems, *next = append(*problems, *more...), *after
	}
	return whole
}
