package ranking_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"souk/internal/search/searchsvc/internal/ranking"
)

// The terms of the tests.
const (
	laptop uint32 = iota + 1
	bag
	silver
	acme
	filler
)

func asked(ids ...uint32) *ranking.Query {
	q := &ranking.Query{}
	for _, id := range ids {
		q.Terms = append(q.Terms, ranking.Term{IDs: []uint32{id}, Weights: []float32{1}, IDF: 3})
	}
	return q
}

// titled is a candidate that has what is asked for in its title.
func titled(q *ranking.Query, ids ...uint32) *ranking.Candidate {
	c := &ranking.Candidate{Title: ids, Marks: make([]ranking.Mark, len(ids))}
	for i := range ids {
		if ids[i] == bag {
			c.Marks[i] = ranking.Accessory
		}
		for j := range q.Terms {
			if q.Terms[j].IDs[0] == ids[i] {
				c.Has |= 1 << j
				c.Head |= 1 << j
			}
		}
	}
	return c
}

func with(c *ranking.Candidate, change func(c *ranking.Candidate)) *ranking.Candidate {
	other := *c
	other.Marks = append([]ranking.Mark(nil), c.Marks...)
	change(&other)
	return &other
}

func TestScorePrefers(t *testing.T) {
	t.Parallel()
	one, two := asked(laptop), asked(laptop, silver)
	nowhere := func(c *ranking.Candidate) { c.Title, c.Marks, c.Head = []uint32{filler}, []ranking.Mark{0}, 0 }
	plain := titled(one, acme, laptop, filler)
	tests := map[string]struct {
		query         *ranking.Query
		better, worse *ranking.Candidate
	}{
		"the title before the description": {one, plain, with(plain, nowhere)},
		"a category that says so":          {one, with(plain, func(c *ranking.Candidate) { c.Category = 1 }), plain},
		"what is of the kind asked for":    {one, with(plain, func(c *ranking.Candidate) { c.Category, c.Kind = 1, true }), with(plain, func(c *ranking.Candidate) { c.Category = 1 })},
		"a brand that says so":             {one, with(plain, func(c *ranking.Candidate) { c.Brand = 1 }), plain},
		"what the description says, too":   {one, with(plain, func(c *ranking.Candidate) { c.Marks[1] |= ranking.Echoed }), plain},
		"what the description says often":  {one, with(plain, func(c *ranking.Candidate) { c.Marks[1] |= ranking.Stressed }), with(plain, func(c *ranking.Candidate) { c.Marks[1] |= ranking.Echoed })},
		"a short title before a long one":  {one, titled(one, acme, laptop), titled(one, acme, laptop, filler, filler, filler, filler, filler)},
		"the laptop before its bag":        {one, titled(one, acme, laptop, silver), titled(one, acme, laptop, bag)},
		"no bag later either":              {one, titled(one, acme, laptop, silver, silver), titled(one, acme, laptop, silver, bag)},
		"the word as typed before another": {one, plain, with(plain, func(c *ranking.Candidate) { c.Fit = []float32{.5} })},
		"whatever was typed before what was meant": {
			two, with(titled(two, laptop, bag), func(c *ranking.Candidate) { c.Title, c.Head, c.Has, c.Body = []uint32{bag}, 0, 3, 5000 }),
			with(titled(two, laptop, silver), func(c *ranking.Candidate) {
				c.Guessed, c.Brand, c.Category, c.Kind, c.InStock, c.Quality = 2, 3, 3, true, true, 31
			}),
		},
		"words that stand together":            {two, titled(two, laptop, silver, filler), titled(two, laptop, filler, silver)},
		"both words before one of them":        {two, titled(two, filler, filler, filler, laptop, filler, silver), titled(two, laptop)},
		"stock":                                {one, with(plain, func(c *ranking.Candidate) { c.InStock = true }), plain},
		"what is well described":               {one, with(plain, func(c *ranking.Candidate) { c.Quality = 9 }), plain},
		"the title before stock and much said": {one, plain, with(with(plain, nowhere), func(c *ranking.Candidate) { c.InStock, c.Quality = true, 31 })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Greater(t, ranking.Score(tt.query, tt.better, nil), ranking.Score(tt.query, tt.worse, nil))
		})
	}
}

func TestScoreOfTheRareWord(t *testing.T) {
	t.Parallel()
	q := asked(laptop, silver)
	q.AnyWord, q.Terms[0].IDF, q.Terms[1].IDF = true, 8, 2
	assert.Greater(t, ranking.Score(q, titled(q, laptop), nil), ranking.Score(q, titled(q, silver), nil), "who has the rare word fits better")
}

func TestAGuessWithAllWordsComesBeforeWhatHasSome(t *testing.T) {
	t.Parallel()
	q := asked(laptop, silver)
	q.AnyWord, q.Guesses, q.Terms[0].IDF, q.Terms[1].IDF = true, true, .01, 8
	all := with(titled(q, bag), func(c *ranking.Candidate) { c.Has, c.Guessed, c.Body = 3, 2, 5000 })
	some := with(titled(q, silver), func(c *ranking.Candidate) { c.Category, c.Kind, c.InStock, c.Quality = 2, true, true, 31 })
	assert.Greater(t, ranking.Score(q, all, nil), ranking.Score(q, some, nil))
}

func TestScoreForABag(t *testing.T) {
	t.Parallel()
	q := asked(laptop, bag)
	var why ranking.Explanation
	ranking.Score(q, titled(q, laptop, bag), &why)
	for _, part := range why.Parts {
		assert.NotContains(t, []string{"accessory", "beyond"}, part.Name, "it was asked for")
	}
}

// TestScoreIsTheSumOfItsParts also holds for what nobody would put into a title; a score is a
// number, and the same without being explained.
func TestScoreIsTheSumOfItsParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := &ranking.Query{AnyWord: rapid.Bool().Draw(t, "any")}
		for range rapid.IntRange(0, 5).Draw(t, "terms") {
			q.Terms = append(q.Terms, ranking.Term{
				IDs: rapid.SliceOfN(rapid.Uint32Range(0, 9), 0, 3).Draw(t, "ids"), IDF: rapid.Float32Range(0, 20).Draw(t, "idf"),
			})
		}
		c := &ranking.Candidate{
			Title: rapid.SliceOfN(rapid.Uint32Range(0, 9), 0, 12).Draw(t, "title"), Brand: rapid.Uint64().Draw(t, "brand"),
			Category: rapid.Uint64().Draw(t, "category"), Head: rapid.Uint64().Draw(t, "head"), Has: rapid.Uint64().Draw(t, "has"),
			Body: rapid.Uint16().Draw(t, "body"), InStock: rapid.Bool().Draw(t, "stock"), Quality: rapid.Uint8().Draw(t, "quality"),
			Kind: rapid.Bool().Draw(t, "kind"), Guessed: rapid.Uint64().Draw(t, "guessed"),
		}
		for range rapid.IntRange(0, len(c.Title)).Draw(t, "marked") {
			c.Marks = append(c.Marks, ranking.Mark(rapid.Uint8().Draw(t, "mark")))
		}
		var why ranking.Explanation
		score := ranking.Score(q, c, &why)
		sum := float32(0)
		for _, part := range why.Parts {
			sum += part.Value
		}
		assert.InDelta(t, sum, score, 1e-3)
		assert.InDelta(t, score, ranking.Score(q, c, nil), 0)
	})
}

func BenchmarkScore(b *testing.B) {
	q := asked(laptop, silver)
	c := titled(q, acme, laptop, filler, filler, filler, filler, bag, silver, filler, filler, filler, filler)
	b.ReportAllocs()
	for b.Loop() {
		ranking.Score(q, c, nil)
	}
}
