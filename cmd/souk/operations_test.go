package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
)

// TestAnOperatorSeesAndMendsWhatOtherProcessesHave: with every module in a process of its own the operators'
// pages show all of them, and what is done there is done where it belongs.
func TestAnOperatorSeesAndMendsWhatOtherProcessesHave(t *testing.T) {
	t.Parallel()
	s := openAs(t, mustTopology(t, "apart"))
	s.halt(t)
	setup(t, s.dir, func(a *app) { // dead jobs in two of them, as if they had failed for days; search's comes round by itself
		for _, j := range [][]any{{"payments", "payments.drive", "pay_gone"}, {"search", "search.forget", "by_test"}} {
			require.NoError(t, a.dbs[j[0].(string)].Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`INSERT INTO jobs (kind, key, run_at, state, tries, generation, error, trace, enqueued_at, updated_at)
					VALUES (?, ?, 1, 'dead', 9, 1, 'it failed', '', 1, 1)`, j[1:]...)
				return err
			}))
		}
	})
	s.serve(t, s.dir)
	page := func(path string) string {
		browser := &shopper{url: s.url, session: s.operator.session}
		a, err := browser.do(t.Context(), http.MethodGet, path, "", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.status, path)
		return string(a.body)
	}
	// A page waits for another process only a while: on a slow machine what is there may be on a later one.
	has := func(path string, parts ...string) (text string) {
		t.Helper()
		until(t, fmt.Sprintf("%s has %v", path, parts), func() bool {
			text = page(path)
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
		})
		return text
	}
	until(t, "every process says how it is", func() bool { return !strings.Contains(has("/operator", moduleNames...), "souk.unavailable") })
	dead := has("/operator/jobs", "pay_gone", "by_test")
	assert.Equal(t, 2, strings.Count(dead, "Run it again"))
	assert.Equal(t, 1, strings.Count(dead, "Drop it for good"), "search says of its own that it comes round by itself")
	has("/operator/modules", "search.catalog", "search.orders") // subscribers of another process
	has("/operator/audit", "catalog")

	operator := &shopper{url: s.url, session: s.operator.session}
	dropped := operator.form(t, "/operator/jobs/drop", url.Values{"module": {"payments"}, "kind": {"payments.drive"}, "job": {"pay_gone"}})
	assert.Equal(t, http.StatusSeeOther, dropped)
	assert.NotContains(t, page("/operator/jobs"), "pay_gone")
	refused := operator.form(t, "/operator/jobs/drop", url.Values{"module": {"search"}, "kind": {"search.forget"}, "job": {"by_test"}})
	assert.Equal(t, http.StatusSeeOther, refused)
	has("/operator/jobs", "by_test")
	has("/operator/audit?module=payments", "pay_gone") // who did it is written down where it was done

	s.others[2].stop() // the process with payments, as topologies order them
	require.Equal(t, exitOK, <-s.others[2].status)
	assert.Contains(t, page("/operator"), "souk.unavailable", "it shows what does not answer")
}
