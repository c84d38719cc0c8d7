package searchsvc

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"souk/internal/search/searchsvc/internal/words"
)

// lexicon numbers the terms of titles, brands and categories, and counts the listings that can
// be found by them there.
type lexicon struct {
	at     map[string]uint32
	terms  []string
	counts []int32
	sorted btree.Map[string, uint32]
}

// id is a term's number, a new one if it has none.
func (l *lexicon) id(term string) uint32 {
	at, ok := l.at[term]
	if !ok {
		at = uint32(len(l.terms)) //nolint:gosec // far fewer
		term = strings.Clone(term)
		l.at[term] = at
		l.terms, l.counts = append(l.terms, term), append(l.counts, 0)
		l.sorted.Set(term, at)
	}
	return at
}

// ids are the numbers of a text's terms.
func (l *lexicon) ids(text string) []uint32 {
	tokens := words.Tokens(nil, text)
	ids := make([]uint32, len(tokens))
	for i := range tokens {
		ids[i] = l.id(tokens[i].Term)
	}
	return ids
}

// count is how many listings can be found by a term in title, brand or category.
func (l *lexicon) count(term string) int {
	at, ok := l.at[term]
	if !ok {
		return 0
	}
	return int(l.counts[at])
}

// Bounds of what the beginning of a word may stand for.
const (
	maxBegun     = 32
	maxBegunSeen = 5000
)

// beginning are terms that begin so, at most so many: of those that come first in the alphabet, which are all but of the
// shortest beginnings, those of most listings.
func (l *lexicon) beginning(prefix string, most int) []string {
	type begun struct {
		term  string
		count int32
	}
	var found []begun
	seen := 0
	l.sorted.Ascend(prefix, func(term string, at uint32) bool {
		if seen++; seen > maxBegunSeen || !strings.HasPrefix(term, prefix) {
			return false
		}
		if count := l.counts[at]; count > 0 {
			found = append(found, begun{term, count})
		}
		return true
	})
	slices.SortFunc(found, func(a, b begun) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.term, b.term)) })
	terms := make([]string, 0, most)
	for _, b := range found[:min(len(found), most)] {
		terms = append(terms, b.term)
	}
	return terms
}
