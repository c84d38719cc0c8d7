package searchtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// put keeps a rule.
func (w *world) put(r search.Rule) search.Rule {
	w.Helper()
	reply, err := w.PutRule(w.Context(), search.PutRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: r})
	require.NoError(w, err)
	return reply.Rule
}

// rules are all rules of a kind, "" for all.
func (w *world) rules(kind search.RuleKind) []search.Rule {
	w.Helper()
	reply, err := w.ListRules(w.Context(), search.ListRulesRequest{By: catalogtest.Operator(), Kind: kind})
	require.NoError(w, err)
	assert.Len(w, reply.Rules, int(reply.Total))
	return reply.Rules
}

// Rules as operators make them.
func synonyms(words ...string) search.Rule {
	return search.Rule{Kind: search.RuleSynonyms, Words: words}
}

func expansion(query string, words ...string) search.Rule {
	return search.Rule{Kind: search.RuleExpansion, Query: query, Words: words}
}

func pin(query string, l catalog.ListingID, place int32) search.Rule {
	return search.Rule{Kind: search.RulePin, Query: query, Listing: l, Place: place}
}

func bury(query string, l catalog.ListingID) search.Rule {
	return search.Rule{Kind: search.RuleBury, Query: query, Listing: l}
}

var ruleTests = map[string]func(*world){
	"rules are kept, changed and taken away": func(w *world) {
		made := w.put(synonyms(" notebook", "laptop ", "", "laptop", "portable  computer"))
		assert.True(w, search.RuleIDs.Valid(made.ID))
		assert.Equal(w, []string{"notebook", "laptop", "portable computer"}, made.Words, "without what does not matter")
		assert.EqualValues(w, 1, made.Version)
		assert.Equal(w, w.env.Clock.Now(), made.ChangedAt)
		assert.Equal(w, []search.Rule{made}, w.rules(""))
		made.Words = []string{"notebook", "laptop"}
		changed := w.put(made)
		assert.Equal(w, made.ID, changed.ID)
		assert.EqualValues(w, 2, changed.Version)
		assert.Equal(w, []search.Rule{changed}, w.rules(search.RuleSynonyms))
		removed, err := w.RemoveRule(w.Context(), search.RemoveRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: made.ID})
		require.NoError(w, err)
		assert.Equal(w, changed, removed.Rule)
		assert.Empty(w, w.rules(""))
	},
	"rules are listed by kind and by what they are about": func(w *world) {
		listing := catalog.ListingIDs.New()
		for _, r := range []search.Rule{
			{Kind: search.RuleStop, Query: "the"}, pin("lamp", listing, 2), expansion("tv", "television"), synonyms("sofa", "couch"), bury("desk", listing), synonyms("mobile", "cell phone"),
		} {
			w.put(r)
		}
		kinds := []search.RuleKind{}
		for _, r := range w.rules("") {
			kinds = append(kinds, r.Kind)
		}
		assert.Equal(w, []search.RuleKind{search.RuleBury, search.RuleExpansion, search.RulePin, search.RuleStop, search.RuleSynonyms, search.RuleSynonyms}, kinds)
		assert.Equal(w, []string{"mobile", "cell phone"}, w.rules(search.RuleSynonyms)[0].Words)
		for text, want := range map[string]int{"PHONE": 1, "lamp": 1, string(listing): 2, "nothing like it": 0} {
			reply, err := w.ListRules(w.Context(), search.ListRulesRequest{By: catalogtest.Operator(), Text: text})
			require.NoError(w, err)
			assert.Len(w, reply.Rules, want, text)
		}
		r := search.ListRulesRequest{By: actor.System(""), Page: page.Request{Limit: 4}}
		first, err := w.ListRules(w.Context(), r)
		require.NoError(w, err)
		assert.Len(w, first.Rules, 4)
		assert.EqualValues(w, 6, first.Total)
		r.Page.Cursor = first.Next
		second, err := w.ListRules(w.Context(), r)
		require.NoError(w, err)
		assert.Empty(w, second.Next)
		assert.Equal(w, w.rules(""), append(slices.Clone(first.Rules), second.Rules...))
		_, err = w.RemoveRule(w.Context(), search.RemoveRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: first.Rules[3].ID})
		require.NoError(w, err)
		again, err := w.ListRules(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, second.Rules, again.Rules, "what the page before ended with is gone")
		r.Kind = search.RuleStop
		_, err = w.ListRules(w.Context(), r)
		w.refused(page.ErrCursor, err)
	},
	"a rule has only what its kind has": func(w *world) {
		listing := catalog.ListingIDs.New()
		full := search.Rule{Query: "lamp", Words: []string{"light", "lantern"}, Listing: listing, Place: 3}
		for kind, want := range map[search.RuleKind]search.Rule{
			search.RuleSynonyms:  {Words: full.Words},
			search.RuleExpansion: {Query: "lamp", Words: full.Words},
			search.RulePin:       {Query: "lamp", Listing: listing, Place: 3},
			search.RuleStop:      {Query: "lamp"},
		} {
			full.Kind = kind
			got := w.put(full)
			want.Kind, want.ID, want.Version, want.ChangedAt = kind, got.ID, got.Version, got.ChangedAt
			assert.Equal(w, want.Query, got.Query)
			assert.ElementsMatch(w, want.Words, got.Words)
			assert.Equal(w, []any{want.Listing, want.Place}, []any{got.Listing, got.Place})
		}
		assert.EqualValues(w, 1, w.put(pin("desk", listing, 0)).Place, "the first place when none is said")
	},
	"what is wrong with a rule is said field by field": func(w *world) {
		listing := catalog.ListingIDs.New()
		for field, r := range map[string]search.Rule{
			"kind":     {Kind: search.RuleOther, Query: "lamp"},
			"query":    {Kind: search.RuleStop, Query: "two words"},
			"words":    synonyms("alone"),
			"words[1]": synonyms("lamp", "!!", "light"),
			"listing":  pin("lamp", "someone", 1),
			"place":    pin("lamp", listing, search.MaxPlace+1),
			"id":       {ID: "lamp", Kind: search.RuleStop, Query: "the"},
		} {
			_, err := w.PutRule(w.Context(), search.PutRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: r})
			assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, field)
		}
		for _, r := range []search.Rule{expansion("", "light"), expansion("…", "light"), {Kind: search.RuleStop, Query: "laptop-bag"}, pin(strings.Repeat("x", search.MaxRuleText+1), listing, 1)} {
			_, err := w.PutRule(w.Context(), search.PutRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: r})
			assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "query", r.Query)
		}
		assert.Empty(w, w.rules(""))
	},
	"no two rules say the same, and a listing has one place": func(w *world) {
		listing := catalog.ListingIDs.New()
		kept := w.put(synonyms("sofa", "couch"))
		w.put(pin("lamp", listing, 2))
		for _, r := range []search.Rule{synonyms("Couch", "Sofa"), pin("Lamp", listing, 5), pin("lamp!", listing, 6), bury(" LAMP…", listing)} {
			_, err := w.PutRule(w.Context(), search.PutRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: r})
			w.refused(search.ErrRuleExists, err)
		}
		other := w.put(synonyms("sofa", "settee"))
		other.Words = []string{"couch", "sofa"}
		_, err := w.PutRule(w.Context(), search.PutRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: other})
		w.refused(search.ErrRuleExists, err)
		w.put(kept) // itself it may say again
	},
	"a rule that has changed meanwhile, or is gone, is not overwritten": func(w *world) {
		stale := w.put(synonyms("sofa", "couch"))
		w.put(stale)
		_, err := w.PutRule(w.Context(), search.PutRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: stale})
		w.refused(search.ErrVersion, err)
		stale.ID = search.RuleIDs.New()
		_, err = w.PutRule(w.Context(), search.PutRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: stale})
		w.refused(search.ErrNotFound, err)
		_, err = w.RemoveRule(w.Context(), search.RemoveRuleRequest{By: catalogtest.Operator(), Key: catalogtest.Key(), Rule: stale.ID})
		w.refused(search.ErrNotFound, err)
	},
	"one key is one change of the rules": func(w *world) {
		by := catalogtest.Operator()
		put := search.PutRuleRequest{By: by, Key: catalogtest.Key(), Rule: synonyms("sofa", "couch"), Why: "asked for"}
		first, err := w.PutRule(w.Context(), put)
		require.NoError(w, err)
		remove := search.RemoveRuleRequest{By: by, Key: catalogtest.Key(), Rule: first.Rule.ID}
		for range 2 {
			again, err := w.PutRule(w.Context(), put)
			require.NoError(w, err)
			assert.Equal(w, first, again)
		}
		gone, err := w.RemoveRule(w.Context(), remove)
		require.NoError(w, err)
		again, err := w.RemoveRule(w.Context(), remove)
		require.NoError(w, err)
		assert.Equal(w, gone, again)
		late, err := w.PutRule(w.Context(), put)
		require.NoError(w, err)
		assert.Equal(w, first, late, "a late repetition brings nothing back")
		assert.Empty(w, w.rules(""))
		put.Why = "something else"
		_, err = w.PutRule(w.Context(), put)
		w.refused(search.ErrKeyReused, err)
		put.Key = ""
		_, err = w.PutRule(w.Context(), put)
		assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "key")
	},
	"rules are for operators and the system": func(w *world) {
		for _, by := range []actor.Actor{actor.Nobody(), catalogtest.Person(), catalogtest.Staff(catalog.SellerIDs.New()), actor.Guest("hash")} {
			_, err := w.ListRules(w.Context(), search.ListRulesRequest{By: by})
			w.refused(search.ErrForbidden, err)
			_, err = w.PutRule(w.Context(), search.PutRuleRequest{By: by, Key: catalogtest.Key(), Rule: synonyms("sofa", "couch")})
			w.refused(search.ErrForbidden, err)
			_, err = w.RemoveRule(w.Context(), search.RemoveRuleRequest{By: by, Key: catalogtest.Key(), Rule: search.RuleIDs.New()})
			w.refused(search.ErrForbidden, err)
		}
		_, err := w.PutRule(w.Context(), search.PutRuleRequest{By: actor.System(""), Key: catalogtest.Key(), Rule: synonyms("sofa", "couch")})
		require.NoError(w, err)
	},
	"rules stay when the index is rebuilt": func(w *world) {
		for i := range 3 {
			w.put(synonyms("sofa", fmt.Sprintf("couch%d", i)))
		}
		before := w.rules("")
		_, err := w.Rebuild(w.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
		require.NoError(w, err)
		assert.Equal(w, before, w.rules(""))
	},
}
