package relevance_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/relevance"
)

func TestMeasure(t *testing.T) {
	t.Parallel()
	gains := map[string]float64{"a": 1, "b": 1. / 3, "c": 0}
	second := 1 / math.Log2(3)
	ideal := 1 + second/3
	tests := map[string]struct {
		ranking string
		want    relevance.Figures
	}{
		"the best order":            {"a b c", relevance.Figures{NDCG: 1, Condensed: 1, Recall: 1}},
		"nothing":                   {"", relevance.Figures{}},
		"nothing right":             {"c x y", relevance.Figures{}},
		"the other way round":       {"b a", relevance.Figures{NDCG: (1./3 + second) / ideal, Condensed: (1./3 + second) / ideal, Recall: 1}},
		"the unjudged before":       {"x a b", relevance.Figures{NDCG: (second + 1./3/2) / ideal, Condensed: 1, Recall: 1}},
		"beyond the tenth":          {"x x x x x x x x x x a", relevance.Figures{NDCG: 0, Condensed: 1 / ideal, Recall: 0.5}},
		"beyond what recall counts": {strings.Repeat("x ", 50) + "a", relevance.Figures{NDCG: 0, Condensed: 1 / ideal, Recall: 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := relevance.Measure(strings.Fields(tt.ranking), relevance.Judged{Gains: gains})
			assert.InDelta(t, tt.want.NDCG, got.NDCG, 1e-9)
			assert.InDelta(t, tt.want.Condensed, got.Condensed, 1e-9)
			assert.InDelta(t, tt.want.Recall, got.Recall, 1e-9)
		})
	}
}

func TestMeasureOfAQueryThatNothingIsRightFor(t *testing.T) {
	t.Parallel()
	j := relevance.Judged{Gains: map[string]float64{"a": 0}}
	assert.False(t, j.Relevant())
	assert.Zero(t, relevance.Measure([]string{"a"}, j))
}

func TestRead(t *testing.T) {
	t.Parallel()
	all, err := relevance.Read(strings.NewReader("query\tid\tgrade\nusb hub\t7\t3\nlamp\t8\t0\r\nusb hub\t9\t1.5\n\n"))
	require.NoError(t, err)
	assert.Equal(t, []relevance.Judged{
		{Query: "usb hub", Gains: map[string]float64{"7": 1, "9": .5}},
		{Query: "lamp", Gains: map[string]float64{"8": 0}},
	}, all)
	for _, bad := range []string{"lamp\t7\n", "lamp\t7\t4\n", "lamp\t7\tnan\n", "lamp\t7\tgood\n"} {
		_, err := relevance.Read(strings.NewReader(bad))
		assert.Error(t, err, bad)
	}
}

func TestMean(t *testing.T) {
	t.Parallel()
	assert.Zero(t, relevance.Mean(nil))
	got := relevance.Mean([]relevance.Figures{{NDCG: 1, Condensed: 1, Recall: .5}, {NDCG: .5, Recall: .25}})
	assert.Equal(t, relevance.Figures{NDCG: .75, Condensed: .5, Recall: .375}, got)
}

func TestFoldsHaveEachOnce(t *testing.T) {
	t.Parallel()
	folds := relevance.Folds(23, 5, 7)
	assert.Equal(t, folds, relevance.Folds(23, 5, 7))
	assert.NotEqual(t, folds, relevance.Folds(23, 5, 8))
	seen := map[int]int{}
	for _, fold := range folds {
		assert.Contains(t, []int{4, 5}, len(fold))
		for _, i := range fold {
			seen[i]++
		}
	}
	assert.Len(t, seen, 23)
	assert.Len(t, relevance.Folds(2, 5, 7), 2)
}

func FuzzTypoIsOneEditAway(f *testing.F) {
	f.Add("external dvd drive", uint64(1))
	f.Add("aa", uint64(2))
	f.Add("", uint64(3))
	f.Add("ünïcode 手机", uint64(4))
	f.Fuzz(func(t *testing.T, query string, seed uint64) {
		if !utf8.ValidString(query) {
			t.Skip()
		}
		slip := relevance.Typo(query, seed)
		require.Equal(t, slip, relevance.Typo(query, seed))
		before, after := []rune(query), []rune(slip)
		from, to, end := 0, len(before), len(after)
		for from < min(to, end) && before[from] == after[from] {
			from++
		}
		for to > from && end > from && before[to-1] == after[end-1] {
			to, end = to-1, end-1
		}
		require.LessOrEqual(t, to-from, 2, "%q %q", query, slip)
		require.LessOrEqual(t, end-from, 2, "%q %q", query, slip)
	})
}

// FuzzRead: judgements that are read can be measured, and every figure is a share.
func FuzzRead(f *testing.F) {
	f.Add("query\tresult\tgrade\nlamp\tlst_1\t3\nlamp\tlst_2\t0\n")
	f.Add("lamp\tx\tNaN\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := relevance.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, j := range all {
			ranking := slices.Sorted(maps.Keys(j.Gains))
			got := relevance.Measure(ranking, j)
			for _, share := range []float64{got.NDCG, got.Condensed, got.Recall} {
				require.True(t, share >= 0 && share <= 1+1e-9, "%q: %+v", text, got)
			}
		}
	})
}

func TestWhichQueriesHaveALongWord(t *testing.T) {
	for query, want := range map[string]bool{"aa": false, "ps4": false, "hp ssd": false, "": false, "--": false, "xbox": true, "hp 1030": true, "fs-1030d": true, "día": false, "über": true} {
		assert.Equal(t, want, relevance.HasLong(query), query)
	}
}
