// Package relevance measures how well results answer queries, by what people said of them.
//
// The measure is nDCG@10 with linear gain: each of the first ten results counts its grade (0
// to 1), divided by log2 of its place plus one; the sum is divided by that of the best order
// that the judgements allow. What nobody judged counts nothing. The condensed figure leaves the
// unjudged out and lets the others move up. Only queries with a relevant result count.
package relevance

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Depths of the measures.
const (
	Top  = 10 // nDCG
	Deep = 50 // recall
)

// bestGrade is the highest grade of a judgement.
const bestGrade = 3

// Judged is a query with what people said of results: 0 is wrong, 1 the best there is.
type Judged struct {
	Query string
	Gains map[string]float64 // by result
}

// Relevant says whether anything is right for the query.
func (j Judged) Relevant() bool {
	for _, gain := range j.Gains {
		if gain > 0 {
			return true
		}
	}
	return false
}

// Read reads judgements: lines of query, result and grade (0 to 3) with tabs between, after a
// line that names them. Queries come in the order in which they first appear.
func Read(r io.Reader) ([]Judged, error) {
	var all []Judged
	at := map[string]int{}
	scanner := bufio.NewScanner(r)
	for line := 1; scanner.Scan(); line++ {
		fields := strings.Split(strings.TrimRight(scanner.Text(), "\r"), "\t")
		if line == 1 && fields[0] == "query" || len(fields) == 1 && strings.TrimSpace(fields[0]) == "" {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d has %d fields, not query, result and grade", line, len(fields))
		}
		grade, err := strconv.ParseFloat(fields[2], 64)
		if err != nil || !(grade >= 0 && grade <= bestGrade) {
			return nil, fmt.Errorf("line %d: %q is no grade from 0 to %d", line, fields[2], bestGrade)
		}
		i, ok := at[fields[0]]
		if !ok {
			i = len(all)
			at[fields[0]] = i
			all = append(all, Judged{Query: fields[0], Gains: map[string]float64{}})
		}
		all[i].Gains[fields[1]] = grade / bestGrade
	}
	return all, scanner.Err()
}

// Figures are what one ranking is worth.
type Figures struct {
	NDCG      float64 `json:"ndcg"`
	Condensed float64 `json:"condensed"`
	Recall    float64 `json:"recall"` // share of what is right among the first Deep
}

// Measure is what a ranking is worth, best first. It has to be Deep results long, if there are so many.
func Measure(ranking []string, j Judged) Figures {
	judged := slices.DeleteFunc(slices.Clone(ranking), func(result string) bool {
		_, ok := j.Gains[result]
		return !ok
	})
	return Figures{NDCG: ndcg(ranking, j.Gains), Condensed: ndcg(judged, j.Gains), Recall: recall(ranking, j.Gains)}
}

func ndcg(ranking []string, gains map[string]float64) float64 {
	got := make([]float64, 0, Top)
	for _, result := range ranking[:min(Top, len(ranking))] {
		got = append(got, gains[result])
	}
	best := make([]float64, 0, len(gains))
	for _, gain := range gains {
		best = append(best, gain)
	}
	slices.Sort(best)
	slices.Reverse(best)
	ideal := dcg(best[:min(Top, len(best))])
	if ideal == 0 {
		return 0
	}
	return dcg(got) / ideal
}

func dcg(gains []float64) (sum float64) {
	for i, gain := range gains {
		sum += gain / math.Log2(float64(i+2))
	}
	return sum
}

func recall(ranking []string, gains map[string]float64) float64 {
	right, found := 0, 0
	for _, gain := range gains {
		if gain > 0 {
			right++
		}
	}
	for _, result := range ranking[:min(Deep, len(ranking))] {
		if gains[result] > 0 {
			found++
		}
	}
	if right == 0 {
		return 0
	}
	return float64(found) / float64(right)
}

// Mean is the mean of figures; zero of none.
func Mean(all []Figures) Figures {
	var sum Figures
	if len(all) == 0 {
		return sum
	}
	for _, f := range all {
		sum.NDCG += f.NDCG
		sum.Condensed += f.Condensed
		sum.Recall += f.Recall
	}
	n := float64(len(all))
	return Figures{NDCG: sum.NDCG / n, Condensed: sum.Condensed / n, Recall: sum.Recall / n}
}

// Folds divides the numbers below n by lot into k parts of almost the same size. The same seed
// gives the same parts.
func Folds(n, k int, seed uint64) [][]int {
	folds := make([][]int, max(1, min(k, n)))
	for place, i := range rand.New(rand.NewPCG(seed, 1)).Perm(n) { //nolint:gosec // to be repeatable, not secret
		folds[place%len(folds)] = append(folds[place%len(folds)], i)
	}
	return folds
}

// Long is from how many letters on a word may have a slip and still be known again: of the shorter ones nearly every slip is
// another word.
const Long = 4

// HasLong says whether a query has a long word, on which Typo's slip falls.
func HasLong(query string) bool {
	places, _ := slipPlaces([]rune(query))
	return len(places) > 0
}

// slipPlaces are the letters and digits of long words, and those of all.
func slipPlaces(letters []rune) (long, all []int) {
	for from := 0; from < len(letters); {
		to := from
		for to < len(letters) && (unicode.IsLetter(letters[to]) || unicode.IsDigit(letters[to])) {
			all = append(all, to)
			to++
		}
		for i := from; to-from >= Long && i < to; i++ {
			long = append(long, i)
		}
		from = to + 1
	}
	return long, all
}

// Typo is a query with one slip of the fingers: a letter left out, doubled by another, replaced,
// or changed with its neighbour. It falls on a long word if there is one. The
// same seed gives the same slip.
func Typo(query string, seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, hash(query))) //nolint:gosec // to be repeatable, not secret
	letters := []rune(query)
	places, anywhere := slipPlaces(letters)
	if len(places) == 0 {
		places = anywhere
	}
	if len(places) == 0 {
		return query
	}
	i := places[rng.IntN(len(places))]
	another := rune('a' + rng.IntN(26))
	for another == unicode.ToLower(letters[i]) {
		another = rune('a' + rng.IntN(26))
	}
	switch rng.IntN(4) {
	case 0:
		return string(slices.Delete(letters, i, i+1))
	case 1:
		return string(slices.Insert(letters, i, another))
	case 2:
		if i+1 < len(letters) && letters[i+1] != letters[i] && slices.Contains(places, i+1) {
			letters[i], letters[i+1] = letters[i+1], letters[i]
			return string(letters)
		}
	}
	letters[i] = another
	return string(letters)
}

// hash is FNV-1a.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
