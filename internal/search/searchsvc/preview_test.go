package searchsvc_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/search"
)

// TestAPreviewSaysWhatComesToBe tries changes of rules and then makes them: what people searched for finds before and
// after what the preview said, and where it told nothing nothing has moved.
func TestAPreviewSaysWhatComesToBe(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	var all []catalog.Listing
	for i := range 4 {
		for _, title := range []string{"Brass desk lamp", "Oak table", "Elm desk", "Wall torchiere", "The who poster", "Floor lamp shade"} {
			all = append(all, goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("%s N%d", title, i), int64(1000+i), 1)))
		}
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	put := func(r search.Rule) search.Rule {
		t.Helper()
		reply, err := b.PutRule(t.Context(), search.PutRuleRequest{By: actor.System(""), Key: catalogtest.Key(), Rule: r})
		require.NoError(t, err)
		return reply.Rule
	}
	kept := put(search.Rule{Kind: search.RuleStop, Query: "the"})
	put(search.Rule{Kind: search.RuleExpansion, Query: "table", Words: []string{"desk"}})
	changed := put(search.Rule{Kind: search.RulePin, Query: "desk lamp", Listing: all[4].ID, Place: 2})
	changed.Query, changed.Place = "lamp", 5

	texts := []string{
		"lamp", "lamps", "desk lamp", "brass lamp", "lamp the shade", "lmap", "torchire", "torchiere", "the", "the who", "table", "tabel", "oak desk", "bras lamp", "nothing", `"desk lamp"`, "lam*",
	}
	for _, text := range texts {
		for range 3 {
			key := catalogtest.Key()
			_, err := b.Query(t.Context(), search.QueryRequest{Text: text, Count: &key})
			require.NoError(t, err)
		}
	}
	first := func(text string) (ids []catalog.ListingID) {
		reply, err := b.Query(t.Context(), search.QueryRequest{Text: text, Page: pageOf(search.PreviewHits)})
		require.NoError(t, err)
		for _, h := range reply.Hits {
			ids = append(ids, h.Listing)
		}
		return ids
	}
	moved := 0
	for _, r := range []search.PreviewRequest{
		{Rule: &search.Rule{Kind: search.RuleSynonyms, Words: []string{"lamp", "torchiere"}}},
		{Rule: &search.Rule{Kind: search.RuleExpansion, Query: "lamp shade", Words: []string{"poster"}}},
		{Rule: &search.Rule{Kind: search.RulePin, Query: "lamp", Listing: all[1].ID, Place: 1}},
		{Rule: &search.Rule{Kind: search.RuleBury, Query: "oak desk", Listing: all[2].ID}},
		{Rule: &search.Rule{Kind: search.RuleStop, Query: "desk"}},
		{Rule: &changed},
		{Remove: kept.ID},
	} {
		r.By = actor.System("")
		reply, err := b.Preview(t.Context(), r)
		require.NoError(t, err)
		assert.EqualValues(t, len(texts), reply.Asked)
		told := map[string]search.PreviewedText{}
		for _, text := range reply.Texts {
			told[text.Text] = text
		}
		before := map[string][]catalog.ListingID{}
		for _, text := range texts {
			before[text] = first(text)
		}
		if r.Rule != nil {
			put(*r.Rule)
		} else {
			_, err := b.RemoveRule(t.Context(), search.RemoveRuleRequest{By: r.By, Key: catalogtest.Key(), Rule: r.Remove})
			require.NoError(t, err)
		}
		differ := 0
		for _, text := range texts {
			after, one := first(text), told[text]
			if fmt.Sprint(after) != fmt.Sprint(before[text]) {
				differ++
				require.True(t, one.Differs, "%q changes by %+v", text, r)
			}
			if one.Text == "" {
				continue
			}
			for i, h := range one.Before.Hits {
				assert.Equal(t, before[text][i], h.Listing)
			}
			for i, h := range one.After.Hits {
				assert.Equal(t, after[i], h.Listing)
			}
			assert.Len(t, one.Before.Hits, len(before[text]))
			assert.Len(t, one.After.Hits, len(after))
		}
		assert.EqualValues(t, differ, reply.Differ, "%+v", r)
		moved += differ
	}
	assert.Greater(t, moved, 12, "the changes change something")
	previewedFile(t, b, texts, first)
}

// previewedFile previews a file, imports it, and compares.
func previewedFile(t *testing.T, b *bench, texts []string, first func(string) []catalog.ListingID) {
	t.Helper()
	const file = "same: table, torchiere\nalso: elm desk > poster\nstop: oak\n"
	_, err := b.PreviewImport(t.Context(), search.PreviewImportRequest{By: actor.Nobody(), Text: file, Replace: true})
	require.ErrorIs(t, err, search.ErrForbidden)
	_, err = b.PreviewImport(t.Context(), search.PreviewImportRequest{By: actor.System(""), Text: "what: is this"})
	require.ErrorIs(t, err, search.ErrInvalid)

	preview, err := b.PreviewImport(t.Context(), search.PreviewImportRequest{By: actor.System(""), Text: file, Replace: true})
	require.NoError(t, err)
	dry, err := b.ImportRules(t.Context(), search.ImportRulesRequest{By: actor.System(""), Text: file, Replace: true, DryRun: true})
	require.NoError(t, err)
	assert.Equal(t, search.ImportRulesReply{Added: preview.Added, Removed: preview.Removed, Kept: preview.Kept}, dry)
	assert.NotEmpty(t, dry.Added)
	assert.NotEmpty(t, dry.Removed)
	assert.EqualValues(t, len(texts), preview.Moved.Asked)
	named := []string{"elm desk", "lamp shade"} // by rules that come and go, and not frequent
	asked := append(slices.Clone(named), texts...)
	before := map[string]string{}
	for _, text := range asked {
		before[text] = fmt.Sprint(first(text))
	}
	_, err = b.ImportRules(t.Context(), search.ImportRulesRequest{By: actor.System(""), Key: "import-one", Text: file, Replace: true, Edition: &preview.Edition})
	require.NoError(t, err)
	var want, got []string
	for _, text := range asked {
		if fmt.Sprint(first(text)) != before[text] {
			want = append(want, text)
		}
	}
	for _, one := range preview.Moved.Texts {
		assert.True(t, one.Differs, one.Text)
		got = append(got, one.Text)
		assert.Equal(t, slices.Contains(named, one.Text), one.Named, one.Text)
	}
	assert.ElementsMatch(t, want, got)
	assert.Subset(t, got, named)
	assert.EqualValues(t, len(want)-len(named), preview.Moved.Differ)
	assert.Positive(t, preview.Named)
	assert.Equal(t, preview.Named, preview.Tried)
	var long strings.Builder
	for i := range search.PreviewTexts + 5 {
		fmt.Fprintf(&long, "also: rare %d > poster\n", i)
	}
	preview, err = b.PreviewImport(t.Context(), search.PreviewImportRequest{By: actor.System(""), Text: long.String()})
	require.NoError(t, err)
	assert.EqualValues(t, search.PreviewTexts+5, preview.Named)
	assert.EqualValues(t, search.PreviewTold, preview.Tried, "all of them differ")
}

func TestPreviewsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	status, body := s.do("", http.MethodGet, "previews?kind=pin&query=lamp&listing="+string(fixed[catalog.ListingID]("lst_", 3)))
	assert.Equal(t, http.StatusUnauthorized, status, string(body))
	status, body = s.do("operator", http.MethodGet, "previews?kind=pin&query=lamp&listing="+string(fixed[catalog.ListingID]("lst_", 2)))
	require.Equal(t, http.StatusOK, status, string(body))
	golden(t, "preview", body)
	status, body = s.do("operator", http.MethodGet, "previews?remove=rul_00000000000000000000000001")
	assert.Equal(t, http.StatusNotFound, status, string(body))
	status, body = s.do("operator", http.MethodGet, "previews")
	assert.Equal(t, http.StatusBadRequest, status, string(body))
}

func TestFilesOfRulesOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ask := func(who, method, path, body string, header ...string) (int, []byte) {
		t.Helper()
		return s.send(who, method, path, strings.NewReader(body), append(header, "Content-Type", "application/json")...)
	}
	for _, path := range []string{"rules/imports", "previews"} {
		status, body := ask("buyer", http.MethodPost, path, `{"text":"stop: a"}`, "Idempotency-Key", "import-zero")
		assert.Equal(t, http.StatusForbidden, status, string(body))
	}
	pin := "pin: lamp > " + string(fixed[catalog.ListingID]("lst_", 2))
	status, body := ask("operator", http.MethodPost, "previews", `{"text":"`+pin+`","replace":true}`)
	require.Equal(t, http.StatusOK, status, string(body))
	golden(t, "preview-import", body)
	const key = "import-one"
	for range 2 {
		status, body = ask("operator", http.MethodPost, "rules/imports", `{"text":"`+pin+`\nstop: the","edition":1}`, "Idempotency-Key", key)
		require.Equal(t, http.StatusCreated, status, string(body))
		golden(t, "import", body)
	}
	status, body = s.do("operator", http.MethodGet, "rules/file")
	require.Equal(t, http.StatusOK, status, string(body))
	golden(t, "rules-file", body)
	status, body = ask("operator", http.MethodPost, "rules/imports", `{"text":"stop: a","edition":1}`, "Idempotency-Key", "import-two")
	assert.Equal(t, http.StatusConflict, status, string(body))
	status, body = ask("operator", http.MethodPost, "rules/imports", `{"text":"stop: a\nsame: alone\nwhat"}`, "Idempotency-Key", "import-three")
	assert.Equal(t, http.StatusBadRequest, status, string(body))
	assert.Contains(t, string(body), `line 2: words should be two or more that mean the same\nline 3: `)
	status, body = ask("operator", http.MethodPost, "rules/imports", `{"text":"# `+strings.Repeat("#", 3<<20)+`\nstop: a","dry_run":true}`, "Idempotency-Key", "import-four")
	assert.Equal(t, http.StatusCreated, status, string(body))
	assert.JSONEq(t, `{"added":["stop: a"],"removed":[],"kept":0}`, string(body))
}
