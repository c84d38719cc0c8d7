package searchsvc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
	"souk/internal/search/searchsvc"
)

// TestRulesOfAFileAreAllThereAre starts a process after the other with a file of rules.
func TestRulesOfAFileAreAllThereAre(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "search")
	lines := func(s *searchsvc.Service) string {
		reply, err := s.ExportRules(t.Context(), search.ExportRulesRequest{By: actor.System("")})
		require.NoError(t, err)
		return reply.Text
	}
	alone := searchsvc.New(searchsvc.Config{DB: db})
	_, err := alone.AddRule(t.Context(), catalogtest.Operator(), "key-one", "same: sofa, couch", "")
	require.NoError(t, err)
	kept, err := alone.AddRule(t.Context(), catalogtest.Operator(), "key-two", "stop: the", "")
	require.NoError(t, err)
	// As two were kept before pins of lamp and lamps were known to be about the same.
	const old = `INSERT INTO rules (id, kind, query, words, listing_id, place, print, version, changed_at)
		VALUES (?, 'pin', ?, '[]', 'lst_01k5xk3v8dtq6c9m4j0e7r2a1b', 1, ?, 1, 1)`
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		for _, query := range []string{"lamp", "lamps"} {
			if _, err := tx.Exec(old, search.RuleIDs.New(), query, query); err != nil {
				return err
			}
		}
		return nil
	}))

	const file = "# ours\nstop: the\npin: lamp > lst_01k5xk3v8dtq6c9m4j0e7r2a1b at 1\nalso: tv > television\n"
	s := searchsvc.New(searchsvc.Config{DB: db, Part: true})
	_, err = s.AdoptRules(t.Context(), file+"same: alone\n")
	require.ErrorIs(t, err, search.ErrInvalid)
	assert.ErrorContains(t, err, "line 5: words should be two or more")
	assert.Contains(t, lines(s), "same: sofa, couch", "nothing changes for a file that is wrong")
	done, err := s.AdoptRules(t.Context(), file)
	require.NoError(t, err)
	assert.Equal(t, "also: tv > television\npin: lamp > lst_01k5xk3v8dtq6c9m4j0e7r2a1b at 1\nstop: the\n", lines(s))
	assert.EqualValues(t, 2, done.Kept)
	again, err := s.AdoptRules(t.Context(), file)
	require.NoError(t, err)
	assert.Equal(t, search.ImportRulesReply{Added: []string{}, Removed: []string{}, Kept: 3}, again)

	reply, err := s.ListRules(t.Context(), search.ListRulesRequest{By: catalogtest.Operator()})
	require.NoError(t, err)
	assert.True(t, reply.Fixed)
	_, err = s.AddRule(t.Context(), catalogtest.Operator(), "key-three", "stop: a", "")
	require.ErrorIs(t, err, search.ErrRulesFixed)
	_, err = s.RemoveRule(t.Context(), search.RemoveRuleRequest{By: catalogtest.Operator(), Key: "key-four", Rule: kept.ID})
	require.ErrorIs(t, err, search.ErrRulesFixed)
	_, err = s.ImportRules(t.Context(), search.ImportRulesRequest{By: actor.System(""), Key: "key-six", Text: "stop: a"})
	require.ErrorIs(t, err, search.ErrRulesFixed)
	_, err = s.ImportRules(t.Context(), search.ImportRulesRequest{By: actor.System(""), Text: "stop: a", DryRun: true})
	require.NoError(t, err, "a dry run says what is wrong with a file")
	_, err = searchsvc.New(searchsvc.Config{DB: db, Fixed: true}).AddRule(t.Context(), catalogtest.Operator(), "key-five", "stop: a", "")
	require.ErrorIs(t, err, search.ErrRulesFixed)

	said := []string{}
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&said, `SELECT kind || ': ' || before || after FROM audit_log WHERE why = 'import' ORDER BY id`)
	}))
	assert.ElementsMatch(t, []string{
		"system: same: sofa, couch", "system: pin: lamps > lst_01k5xk3v8dtq6c9m4j0e7r2a1b at 1", "system: also: tv > television",
	}, said)
}

// TestAnImportIsAudited looks at who did what and why, in the audit log.
func TestAnImportIsAudited(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "search")
	s := searchsvc.New(searchsvc.Config{DB: db})
	for key, why := range map[string]string{"key-one": "the sale begins", "key-two": ""} {
		_, err := s.ImportRules(t.Context(), search.ImportRulesRequest{By: catalogtest.Operator(), Key: key, Text: "stop: " + key[4:], Replace: why == "", Why: why})
		require.NoError(t, err)
	}
	said := []string{}
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&said, `SELECT kind || ': ' || after || ' (' || why || ')' FROM audit_log WHERE after <> '' ORDER BY id`)
	}))
	assert.ElementsMatch(t, []string{"operator: stop: one (the sale begins)", "operator: stop: two (import)"}, said)
}
