package searchtest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/search"
)

// exported is all rules as a file.
func (w *world) exported() search.ExportRulesReply {
	w.Helper()
	reply, err := w.ExportRules(w.Context(), search.ExportRulesRequest{By: catalogtest.Operator()})
	require.NoError(w, err)
	return reply
}

// importing takes over a file.
func (w *world) importing(text string, replace bool) search.ImportRulesReply {
	w.Helper()
	reply, err := w.ImportRules(w.Context(), search.ImportRulesRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Text: text, Replace: replace})
	require.NoError(w, err)
	return reply
}

// did counts what an import did: added, removed, kept.
func did(r search.ImportRulesReply) []int { return []int{len(r.Added), len(r.Removed), int(r.Kept)} }

const (
	anyListing = "lst_01k5xk3v8dtq6c9m4j0e7r2a1b"
	ruleFile   = "bury: desk lamp > " + anyListing + "\nalso: tv > television, flat screen\npin: lamp > " + anyListing + " at 3\nstop: the\nsame: sofa, couch\n"
)

var ruleFileTests = map[string]func(*world){
	"rules go into a file and come back": func(w *world) {
		assert.Equal(w, search.ExportRulesReply{Edition: w.exported().Edition}, w.exported(), "nothing yet")
		done := w.importing("# ours\n\n"+strings.ReplaceAll(ruleFile, "\n", "  # said\r\n"), false)
		assert.Equal(w, strings.Split(strings.TrimSpace(ruleFile), "\n"), done.Added)
		assert.Empty(w, done.Removed)
		assert.Zero(w, done.Kept)
		got := w.exported()
		assert.Equal(w, ruleFile, got.Text)
		assert.EqualValues(w, 5, got.Rules)
		assert.False(w, got.Fixed)
		rules := w.rules("")
		require.Len(w, rules, 5)
		for _, r := range rules {
			assert.True(w, search.RuleIDs.Valid(r.ID))
			assert.EqualValues(w, 1, r.Version)
			assert.Equal(w, w.env.Clock.Now(), r.ChangedAt)
		}
		assert.Equal(w, []int{0, 0, 5}, did(w.importing(got.Text, true)), "what is there stays as it is")
		assert.Equal(w, rules, w.rules(""))
	},
	"imported rules apply": func(w *world) {
		w.stock(1, "Round sofa")
		assert.Empty(w, w.found("couch"))
		w.importing("same: sofa, couch", false)
		assert.Equal(w, []string{"Round sofa"}, w.found("couch"))
	},
	"a file adds, and replaces only if that is asked": func(w *world) {
		w.importing("same: sofa, couch\nstop: the\n", false)
		added := w.importing("stop: THE\nalso: tv > television", false)
		assert.Equal(w, []string{"also: tv > television"}, added.Added)
		assert.Equal(w, []int{1, 0, 1}, did(added))
		replaced := w.importing("also: tv > television\nstop: a", true)
		assert.Equal(w, []string{"stop: a"}, replaced.Added)
		assert.ElementsMatch(w, []string{"same: sofa, couch", "stop: the"}, replaced.Removed)
		assert.EqualValues(w, 1, replaced.Kept)
		assert.Equal(w, "also: tv > television\nstop: a\n", w.exported().Text)
		assert.Len(w, w.importing("", true).Removed, 2)
		assert.Empty(w, w.exported().Text)
	},
	"a place in a file takes the place of the one that is there": func(w *world) {
		w.put(pin("lamp", anyListing, 2))
		done := w.importing("bury: lamp > "+anyListing, false)
		assert.Equal(w, []string{"pin: lamp > " + anyListing + " at 2"}, done.Removed)
		done = w.importing("pin: Lamp > "+anyListing+" at 4", false)
		assert.Equal(w, []string{"bury: lamp > " + anyListing}, done.Removed)
		assert.Equal(w, "pin: Lamp > "+anyListing+" at 4\n", w.exported().Text)
	},
	"every wrong line is named, and nothing is imported": func(w *world) {
		w.importing("stop: the", false)
		const file = "same: sofa, couch\nsame: alone\n# fine\nwhat: is this\nsame: Couch, sofa\n"
		for _, dry := range []bool{false, true} {
			_, err := w.ImportRules(w.Context(), search.ImportRulesRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Text: file, Replace: true, DryRun: dry})
			said := strings.Split(w.refused(search.ErrInvalid, err).Message, "\n")
			require.Len(w, said, 3)
			for i, line := range []string{"line 2: ", "line 4: ", "line 5: "} {
				assert.True(w, strings.HasPrefix(said[i], line), said[i])
			}
		}
		_, err := w.PreviewImport(w.Context(), search.PreviewImportRequest{By: catalogtest.Operator(), Text: file})
		assert.Contains(w, w.refused(search.ErrInvalid, err).Message, "line 4: ")
		_, err = w.PreviewImport(w.Context(), search.PreviewImportRequest{By: catalogtest.Operator(), Text: strings.Repeat("#", search.MaxRulesText+1)})
		w.refused(search.ErrInvalid, err)
		assert.Equal(w, "stop: the\n", w.exported().Text)
	},
	"a dry run says what would be done": func(w *world) {
		w.importing("stop: the", false)
		before := w.exported()
		done, err := w.ImportRules(w.Context(), search.ImportRulesRequest{By: catalogtest.Operator(), Text: "same: sofa, couch", Replace: true, DryRun: true})
		require.NoError(w, err)
		assert.Equal(w, search.ImportRulesReply{Added: []string{"same: sofa, couch"}, Removed: []string{"stop: the"}}, done)
		assert.Equal(w, before, w.exported())
	},
	"rules that have changed meanwhile are not overwritten": func(w *world) {
		w.importing("stop: the", false)
		preview, err := w.PreviewImport(w.Context(), search.PreviewImportRequest{By: catalogtest.Operator(), Text: "stop: a", Replace: true})
		require.NoError(w, err)
		seen := w.exported().Edition
		assert.Equal(w, seen, preview.Edition)
		r := search.ImportRulesRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Text: "stop: a", Replace: true, Edition: &seen}
		other := w.put(synonyms("sofa", "couch"))
		for _, dry := range []bool{true, false} {
			r.DryRun = dry
			_, err = w.ImportRules(w.Context(), r)
			w.refused(search.ErrVersion, err)
		}
		_, err = w.RemoveRule(w.Context(), search.RemoveRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: other.ID})
		require.NoError(w, err)
		r.Key = catalogtest.Key()
		_, err = w.ImportRules(w.Context(), r)
		w.refused(search.ErrVersion, err)
		seen = w.exported().Edition
		r.Key = catalogtest.Key()
		_, err = w.ImportRules(w.Context(), r)
		require.NoError(w, err)
		assert.NotEqual(w, seen, w.exported().Edition)
		assert.Equal(w, "stop: a\n", w.exported().Text)
	},
	"one key is one import": func(w *world) {
		edition := w.exported().Edition
		r := search.ImportRulesRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Text: "stop: the", Edition: &edition, Why: "asked for"}
		first, err := w.ImportRules(w.Context(), r)
		require.NoError(w, err)
		w.importing("", true)
		again, err := w.ImportRules(w.Context(), r)
		require.NoError(w, err, "it was done when the rules were in that edition")
		assert.Equal(w, first, again)
		assert.Empty(w, w.exported().Text, "a late repetition brings nothing back")
		r.Text = "stop: a"
		_, err = w.ImportRules(w.Context(), r)
		w.refused(search.ErrKeyReused, err)
		r.Key = ""
		_, err = w.ImportRules(w.Context(), r)
		assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "key")
	},
	"no more rules come from a file than are kept": func(w *world) {
		var file strings.Builder
		for i := range search.MaxRules {
			fmt.Fprintf(&file, "stop: w%d\n", i)
		}
		w.importing(file.String(), false)
		r := search.ImportRulesRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Text: "stop: the"}
		for _, dry := range []bool{true, false} {
			r.DryRun = dry
			_, err := w.ImportRules(w.Context(), r)
			w.refused(search.ErrRuleLimit, err)
		}
		_, err := w.PreviewImport(w.Context(), search.PreviewImportRequest{By: r.By, Text: r.Text})
		w.refused(search.ErrRuleLimit, err)
		r.Key, r.Replace = catalogtest.Key(), true
		done, err := w.ImportRules(w.Context(), r)
		require.NoError(w, err, "others go")
		assert.Len(w, done.Removed, search.MaxRules)
		assert.Equal(w, "stop: the\n", w.exported().Text)
	},
	"what a file moves is told before it is imported": func(w *world) {
		w.stock(1, "Oak table", "Elm desk", "Pine bench")
		w.ask("table", 5)
		w.ask("bench", 3)
		w.importing("also: bench > desk", false)
		preview, err := w.PreviewImport(w.Context(), search.PreviewImportRequest{By: catalogtest.Operator(), Text: "also: table > desk\nsame: pine, elm", Replace: true})
		require.NoError(w, err)
		assert.Equal(w, []string{"also: table > desk", "same: pine, elm"}, preview.Added)
		assert.Equal(w, []string{"also: bench > desk"}, preview.Removed)
		assert.EqualValues(w, 2, preview.Moved.Asked)
		assert.EqualValues(w, 2, preview.Moved.Differ)
		require.Equal(w, []string{"table", "bench", "pine", "elm"}, w.texts(preview.Moved), "frequent ones first, then what the rules name")
		for i, one := range preview.Moved.Texts {
			assert.True(w, one.Differs)
			assert.Equal(w, i > 1, one.Named)
		}
		table := preview.Moved.Texts[0]
		assert.EqualValues(w, 5, table.Searches)
		assert.Equal(w, []string{"Oak table"}, side(table.Before))
		assert.ElementsMatch(w, []string{"Oak table", "Elm desk"}, side(table.After))
		assert.EqualValues(w, 4, preview.Named)
		assert.EqualValues(w, 4, preview.Tried)
		assert.Equal(w, "also: bench > desk\n", w.exported().Text, "nothing is changed")
		same, err := w.PreviewImport(w.Context(), search.PreviewImportRequest{By: catalogtest.Operator(), Text: w.exported().Text, Replace: true})
		require.NoError(w, err)
		assert.Equal(w, []any{0, 0, int32(1), 0}, []any{len(same.Added), len(same.Removed), same.Kept, len(same.Moved.Texts)})
	},
	"files of rules are for operators and the system": func(w *world) {
		for _, by := range []actor.Actor{actor.Nobody(), catalogtest.Person(), catalogtest.Staff(catalog.SellerIDs.New()), actor.Guest("hash")} {
			_, err := w.ExportRules(w.Context(), search.ExportRulesRequest{By: by})
			w.refused(search.ErrForbidden, err)
			for _, dry := range []bool{false, true} {
				_, err = w.ImportRules(w.Context(), search.ImportRulesRequest{By: by, Key: catalogtest.Key(), Text: "stop: the", DryRun: dry})
				w.refused(search.ErrForbidden, err)
			}
			_, err = w.PreviewImport(w.Context(), search.PreviewImportRequest{By: by, Text: "stop: the"})
			w.refused(search.ErrForbidden, err)
		}
		_, err := w.ImportRules(w.Context(), search.ImportRulesRequest{By: actor.System(""), Key: catalogtest.Key(), Text: "stop: the"})
		require.NoError(w, err)
	},
}
