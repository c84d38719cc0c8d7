package searchtest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/search"
)

func (w *world) preview(r search.PreviewRequest) search.PreviewReply {
	w.Helper()
	r.By = catalogtest.Operator()
	reply, err := w.Preview(w.Context(), r)
	require.NoError(w, err)
	return reply
}

// texts are those that are told, in their order.
func (w *world) texts(reply search.PreviewReply) []string {
	w.Helper()
	out := []string{}
	for _, t := range reply.Texts {
		out = append(out, t.Text)
	}
	return out
}

// side is a side of a comparison: the titles.
func side(p search.PreviewedPage) []string {
	out := []string{}
	for _, h := range p.Hits {
		out = append(out, h.Title)
	}
	return out
}

var previewTests = map[string]func(*world){
	"a new rule is tried before it is kept": func(w *world) {
		w.stock(1, "Oak table", "Elm desk")
		w.stock(1, "Round sofa")
		w.ask("table", 5)
		w.ask("oak", 4)
		w.ask("sofa", 3)
		w.ask("desk", 2) // too few to be looked at
		rule := expansion("table", "desk")
		reply := w.preview(search.PreviewRequest{Rule: &rule})
		assert.Equal(w, rule.Words, reply.Rule.Words)
		assert.Equal(w, w.env.Clock.Now(), reply.Rule.ChangedAt)
		assert.EqualValues(w, 3, reply.Asked)
		assert.EqualValues(w, 1, reply.Differ)
		require.Equal(w, []string{"table"}, w.texts(reply))
		got := reply.Texts[0]
		assert.True(w, got.Named)
		assert.True(w, got.Differs)
		assert.EqualValues(w, 5, got.Searches)
		assert.Equal(w, []string{"Oak table"}, side(got.Before))
		assert.ElementsMatch(w, []string{"Oak table", "Elm desk"}, side(got.After))
		for i, h := range got.After.Hits {
			assert.EqualValues(w, i+1, h.Place)
			assert.Equal(w, h.Title == "Elm desk", h.Other == 0, "it comes in")
		}
		assert.EqualValues(w, 1, got.Before.Total)
		assert.EqualValues(w, 2, got.After.Total)
		assert.Empty(w, w.rules(""), "nothing is kept")
		assert.Equal(w, []string{"Oak table"}, w.found("table"))
		w.put(rule)
		assert.Len(w, w.found("table"), 2, "and it does what was said")
	},
	"what moves is told from both sides": func(w *world) {
		w.stock(12, "Brass lamp")
		usual := w.all(search.QueryRequest{Text: "lamp"}, 100)
		rule := pin("lamp", usual[11].Listing, 3)
		one := w.preview(search.PreviewRequest{Rule: &rule}).Texts[0]
		require.Len(w, one.Before.Hits, search.PreviewHits)
		require.Len(w, one.After.Hits, search.PreviewHits)
		for i, h := range one.Before.Hits {
			assert.Equal(w, usual[i].Listing, h.Listing)
			assert.EqualValues(w, i+1, h.Place)
			if want := i + 1; i < 2 {
				assert.EqualValues(w, want, h.Other)
			} else {
				assert.EqualValues(w, want+1, h.Other, "also where it is beyond the tenth place")
			}
		}
		assert.Equal(w, search.PreviewedHit{Listing: usual[11].Listing, Title: "Brass lamp", Place: 3, Other: 12}, one.After.Hits[2])
	},
	"a change of a rule is tried, and taking it away": func(w *world) {
		w.stock(1, "Oak table", "Elm desk", "Pine bench")
		w.ask("oak", 3)
		rule := w.put(expansion("table", "desk"))
		changed := rule
		changed.Query = "bench"
		reply := w.preview(search.PreviewRequest{Rule: &changed})
		require.Equal(w, []string{"bench", "table"}, w.texts(reply), "what it names, and what it named")
		assert.Equal(w, []string{"Pine bench"}, side(reply.Texts[0].Before))
		assert.Len(w, reply.Texts[0].After.Hits, 2)
		assert.Len(w, reply.Texts[1].Before.Hits, 2)
		assert.Equal(w, []string{"Oak table"}, side(reply.Texts[1].After))
		for _, t := range reply.Texts {
			assert.True(w, t.Named)
		}
		assert.EqualValues(w, 1, reply.Asked)
		assert.Zero(w, reply.Differ)
		reply = w.preview(search.PreviewRequest{Remove: rule.ID})
		assert.Equal(w, rule, reply.Rule)
		require.Equal(w, []string{"table"}, w.texts(reply))
		assert.Len(w, reply.Texts[0].Before.Hits, 2)
		assert.Equal(w, []string{"Oak table"}, side(reply.Texts[0].After))
		assert.Equal(w, []search.Rule{rule}, w.rules(""))
	},
	"what a rule names is told also where nothing moves": func(w *world) {
		l := w.stock(1, "Brass lamp")[0]
		rule := pin("lamp", l.ID, 1)
		reply := w.preview(search.PreviewRequest{Rule: &rule})
		require.Equal(w, []string{"lamp"}, w.texts(reply))
		assert.False(w, reply.Texts[0].Differs)
		assert.Equal(w, []search.PreviewedHit{{Listing: l.ID, Title: "Brass lamp", Place: 1, Other: 1}}, reply.Texts[0].Before.Hits)
		assert.Equal(w, reply.Texts[0].Before, reply.Texts[0].After)
		assert.Zero(w, reply.Texts[0].Searches)
	},
	"other texts that a rule changes are found": func(w *world) {
		w.stock(1, "Oak table", "Oak desk", "Elm desk")
		w.ask("oak table", 3)
		w.ask("the oak", 4)
		rule := expansion("table", "desk")
		reply := w.preview(search.PreviewRequest{Rule: &rule})
		assert.Equal(w, []string{"table", "oak table"}, w.texts(reply))
		assert.EqualValues(w, 2, reply.Asked)
		assert.EqualValues(w, 1, reply.Differ)
		stop := search.Rule{Kind: search.RuleStop, Query: "table"}
		reply = w.preview(search.PreviewRequest{Rule: &stop})
		assert.Equal(w, "table", w.texts(reply)[0])
		assert.Contains(w, w.texts(reply), "oak table")
	},
	"only so many texts are told, and only those of the last days looked at": func(w *world) {
		w.stock(1, "Oak table", "Elm desk")
		w.ask("table then", 3)
		w.env.Clock.Advance(40 * 24 * time.Hour)
		for i := range search.PreviewTold + 3 {
			w.ask(fmt.Sprintf("table %c", 'a'+i), 3)
		}
		stop := synonyms("table", "desk")
		reply := w.preview(search.PreviewRequest{Rule: &stop})
		assert.EqualValues(w, search.PreviewTold+3, reply.Asked)
		assert.EqualValues(w, search.PreviewTold+3, reply.Differ)
		assert.Len(w, reply.Texts, search.PreviewTold+2)
		assert.Equal(w, w.insights(search.InsightsRequest{}).Days[0].Day, reply.Since)
	},
	"a preview refuses what could not be kept": func(w *world) {
		kept := w.put(synonyms("sofa", "couch"))
		other := w.put(synonyms("lamp", "light"))
		ask := func(r search.PreviewRequest) error {
			r.By = actor.System("")
			_, err := w.Preview(w.Context(), r)
			return err
		}
		same, stale, gone, wrong := synonyms("Couch", "sofa"), kept, kept, synonyms("alone")
		stale.Version++
		gone.ID = search.RuleIDs.New()
		likeOther := kept
		likeOther.Words = other.Words
		w.refused(search.ErrRuleExists, ask(search.PreviewRequest{Rule: &same}))
		w.refused(search.ErrRuleExists, ask(search.PreviewRequest{Rule: &likeOther}))
		w.refused(search.ErrVersion, ask(search.PreviewRequest{Rule: &stale}))
		w.refused(search.ErrNotFound, ask(search.PreviewRequest{Rule: &gone}))
		w.refused(search.ErrNotFound, ask(search.PreviewRequest{Remove: gone.ID}))
		assert.Contains(w, w.refused(search.ErrInvalid, ask(search.PreviewRequest{Rule: &wrong})).Fields, "words")
		assert.Contains(w, w.refused(search.ErrInvalid, ask(search.PreviewRequest{})).Fields, "rule")
		assert.Contains(w, w.refused(search.ErrInvalid, ask(search.PreviewRequest{Rule: &kept, Remove: other.ID})).Fields, "rule")
	},
	"previews are for operators": func(w *world) {
		rule := synonyms("sofa", "couch")
		for _, by := range []actor.Actor{actor.Nobody(), catalogtest.Person(), catalogtest.Staff(catalog.SellerIDs.New())} {
			_, err := w.Preview(w.Context(), search.PreviewRequest{By: by, Rule: &rule})
			w.refused(search.ErrForbidden, err)
		}
	},
}
