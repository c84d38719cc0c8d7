package searchsvc_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
)

// TestAForgedCursorDoesNoHarm changes what a cursor says. It is not signed, so anyone can.
func TestAForgedCursorDoesNoHarm(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 300 {
		goods.AddListing(by.ID, catalogtest.Draft("Brass lamp", int64(1000+i), 1))
	}
	b := newBench(t, goods, storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	b.Limit(20, 1000)
	ask := search.QueryRequest{Text: "brass lamp", Page: pageOf(10)}
	first, err := b.Query(t.Context(), ask)
	require.NoError(t, err)
	forged := func(field string, value any) search.QueryRequest {
		raw, err := base64.RawURLEncoding.DecodeString(first.Next)
		require.NoError(t, err)
		var cursor, mark map[string]any
		require.NoError(t, json.Unmarshal(raw, &cursor))
		require.NoError(t, json.Unmarshal([]byte(mustJSON(t, cursor["k"])), &mark))
		mark[field] = value
		cursor["k"] = mark
		r := ask
		r.Page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(mustJSON(t, cursor)))
		return r
	}
	for name, r := range map[string]search.QueryRequest{
		"fewer than no pins":     forged("q", -1),
		"fewer than no listings": forged("p", -1),
		"words without end":      forged("w", make([]int, 1000)),
		"words that say it all":  forged("w", []int{1 << 30, 1 << 30}),
		"words that say less":    forged("w", []int{-1, 5}),
		"what is no term":        forged("u", taken("\x00path home/lighting")),
		"a term of nothing":      forged("u", taken("")),
		"an endless term":        forged("u", taken(strings.Repeat("x", 1000))),
		"terms without end":      forged("u", taken("brass", "lamp", "oak")),
	} {
		_, err := b.Query(t.Context(), r)
		require.ErrorIs(t, err, page.ErrCursor, name)
	}
	reply, err := b.Query(t.Context(), forged("c", 0)) // everything is to be looked at closely
	require.NoError(t, err)
	assert.Len(t, reply.Hits, 10)
	assert.NotZero(t, b.Cut(t, reply.Next), "a few are, after all")
}

// taken is what a cursor says that the vocabulary had for a word: terms in a row.
func taken(terms ...string) any {
	return [][]map[string]any{{{"t": terms, "w": 1}}, {}}
}

// TestACursorOfTheReleaseBefore goes on from a page of another process, which knew no ranges and named terms otherwise.
func TestACursorOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 30 {
		d := catalogtest.Draft("Brass lamp", int64(1000+i), 1)
		d.Attributes = []catalog.Attribute{{Name: "Colour", Value: "Red"}}
		goods.AddListing(by.ID, d)
	}
	b := newBench(t, goods, storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	filter := search.Filter{Attributes: &[]search.AttributeFilter{{Name: "Colour", Values: []string{"Red"}}}}
	first, err := b.Query(t.Context(), search.QueryRequest{Text: "lam*", Filter: filter, Page: pageOf(10)})
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(first.Next)
	require.NoError(t, err)
	var cursor struct {
		K map[string]any `json:"k"`
	}
	require.NoError(t, json.Unmarshal(raw, &cursor))
	require.NotEmpty(t, cursor.K["u"])
	cursor.K["u"] = json.RawMessage(`[[{"Terms":["lamp"],"Weight":1}]]`)
	said := json.RawMessage(`{"path":"","brands":null,"sellers":null,"currency":"","price_min":null,"price_max":null,"in_stock":false,"attributes":[{"name":"Colour","values":["Red"]}]}`)
	before, err := page.Cursor([]any{"search", "lam*", said, search.SortRelevance}, cursor.K)
	require.NoError(t, err)
	want, err := b.Query(t.Context(), search.QueryRequest{Text: "lam*", Filter: filter, Page: page.Request{Cursor: first.Next, Limit: 10}})
	require.NoError(t, err)
	got, err := b.Query(t.Context(), search.QueryRequest{Text: "lam*", Filter: filter, Page: page.Request{Cursor: before, Limit: 10}})
	require.NoError(t, err)
	assert.Equal(t, want.Hits, got.Hits)
	assert.Len(t, got.Hits, 10)
}

// TestACursorFitsIntoAnAddress goes on from a page whose beginning stands for as many words as one can.
func TestACursorFitsIntoAnAddress(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 80 {
		goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Component co%s%02d", strings.Repeat("nstruction", 3), i), 1000, 1))
	}
	b := newBench(t, goods, storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	first, err := b.Query(t.Context(), search.QueryRequest{Text: "co*", Page: pageOf(10)})
	require.NoError(t, err)
	require.Greater(t, len(first.Next), 1024)
	require.Less(t, len(first.Next), 8192, "which is what httpx.Page takes")
	second, err := b.Query(t.Context(), search.QueryRequest{Text: "co*", Page: page.Request{Cursor: first.Next, Limit: 10}})
	require.NoError(t, err)
	assert.Len(t, second.Hits, 10)
}

// Cut is from which first sight on listings are looked at closely, as a cursor has it.
func (b *bench) Cut(t *testing.T, cursor string) uint64 {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	require.NoError(t, err)
	var c struct {
		K struct {
			C uint64 `json:"c"`
		} `json:"k"`
	}
	require.NoError(t, json.Unmarshal(raw, &c))
	return c.K.C
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
