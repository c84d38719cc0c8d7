package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSearchEvalMeasuresWhatIsFound asks for goods of which it is known what comes.
func TestSearchEvalMeasuresWhatIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	feed, judgements := filepath.Join(dir, "feed.csv"), filepath.Join(dir, "judgements.tsv")
	require.NoError(t, os.WriteFile(feed, []byte("id,title,price,availability,quantity,external_seller_id\n"+
		"l1,Desk lamp of brass,12.00 EUR,in_stock,4,north\nl2,Kettle,30.00 EUR,in_stock,1,south\nl3,Umbrella,30.00 EUR,in_stock,1,south\n"), 0o600))
	require.NoError(t, os.WriteFile(judgements, []byte("query\tid\tgrade\nbrass lamp\tl1\t3\nkettle\tl2\t2\nkettle\tl3\t2\nrocket\tl3\t0\n"), 0o600))

	got := souk(t, nil, "search", "eval", "--feed", feed, "--judgements", judgements, "--json")
	require.Equal(t, exitOK, got.status, got.stderr)
	var report evalReport
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &report))
	assert.EqualValues(t, 3, report.Listings)
	assert.Equal(t, 3, report.Queries)
	assert.Equal(t, 2, report.Counted)
	assert.InDelta(t, (1+1/(1+0.63093))/2, report.Mean.NDCG, 1e-4, "the kettle is the first of two")
	assert.InDelta(t, (1+.5)/2, report.Mean.Recall, 1e-9)
	assert.InDelta(t, 1./3, report.Empty, 1e-9)
	require.Len(t, report.Results, 3)
	assert.Equal(t, []string{"kettle", "brass lamp", "rocket"}, []string{report.Results[0].Query, report.Results[1].Query, report.Results[2].Query})
	assert.Len(t, report.Folds, 2)

	got = souk(t, nil, "search", "eval", "--feed", feed, "--judgements", judgements, "--typos", "1")
	require.Equal(t, exitOK, got.status, got.stderr)
	assert.Contains(t, got.stdout, "one slip in each (seed 1)")

	got = souk(t, nil, "search", "eval", "--feed", feed, "--judgements", judgements, "--typos", "7", "--seeds", "2", "--close", "1", "--json")
	require.Equal(t, exitOK, got.status, got.stderr)
	report = evalReport{}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &report))
	assert.InDelta(t, (1+1/(1+0.63093))/2, report.Mean.NDCG, 1e-4, "the queries as they are come first")
	assert.Empty(t, report.Harmed)
	require.NotNil(t, report.Slips)
	require.Len(t, report.Slips.Seeds, 2)
	left := 0.0
	for i, seed := range report.Slips.Seeds {
		assert.EqualValues(t, 7+i, seed.Seed)
		assert.InDelta(t, seed.NDCG/report.Mean.NDCG, seed.Left, 1e-9)
		left += seed.Left / 2
	}
	assert.InDelta(t, left, report.Slips.Left, 1e-9)
	assert.InDelta(t, left, report.Slips.Long, 1e-9, "all of them have a word that is long enough")

	for _, args := range [][]string{
		{},
		{"--feed", feed},
		{"--feed", feed, "--judgements", judgements, "--folds", "0"},
		{"--feed", feed, "--judgements", judgements, "--seeds", "2"},
		{"--feed", feed, "--judgements", judgements, "--close", "-1"},
	} {
		assert.Equal(t, exitMistake, souk(t, nil, append([]string{"search", "eval"}, args...)...).status)
	}
	assert.Equal(t, exitFailed, souk(t, nil, "search", "eval", "--feed", feed, "--judgements", feed).status)
}
