package searchsvc

import (
	"slices"

	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/spelling"
	"souk/internal/search/searchsvc/internal/words"
)

// What was typed may be a word that only texts mention while another, a small slip away, names things; and what a slip is
// taken for may be one of two. Where that leaves room on the first page, what was found comes first and what was perhaps
// meant behind it, in order of relevance: the word also stands for the other (words.Alt, Guess), and the ranking puts
// what has nothing better last. The cursor keeps the other text, so that all pages are of the same order.

// apart is which of its words two texts differ in, if it is one. What has the same stem does not differ.
func apart(a, b words.Query) (at int, ok bool) {
	if len(a.Terms) != len(b.Terms) {
		return 0, false
	}
	at = -1
	for i := range a.Terms {
		if slices.EqualFunc(a.Terms[i].Any, b.Terms[i].Any, func(x, y words.Alt) bool { return slices.Equal(x.Terms, y.Terms) }) {
			continue
		}
		if at >= 0 {
			return 0, false
		}
		at = i
	}
	return at, at >= 0
}

// guess has u also stand for what other says, if that is one word apart from what was asked and no rule has taken
// words away.
func (u *understood) guess(asked, other words.Query) bool {
	at, ok := apart(asked, other)
	if !ok || len(u.Terms) != len(asked.Terms) {
		return false
	}
	for _, alt := range other.Terms[at].Any {
		alt.Guess = true
		u.Terms[at].Any = append(u.Terms[at].Any, alt)
	}
	return true
}

// mayGuess says whether what was found leaves room for a guess behind it.
func (d desk) mayGuess(a ask, l sighted) bool {
	return a.sort == search.SortRelevance && l.whole < d.s.limits.few
}

// named says whether some listing that was found has all the words in title, brand or category.
func (l sighted) named() bool {
	named := l.scratch()
	defer docset.Free(named)
	copy(named, l.base)
	for i := range l.asked {
		l.asked[i].head.And(named)
	}
	return docset.Count(named) > 0
}

// behind finds what l has and, behind that, what has the words of the first of these corrections that names something and
// is one word apart.
func (d desk) behind(a ask, l sighted, asked words.Query, all []spelling.Correction, m mended) (sighted, error) {
	for _, c := range all {
		other := m.text(c)
		if _, ok := apart(asked, words.Parse(other)); !ok || c.Titles == 0 {
			continue
		}
		l.free()
		return d.lookFor(a, l.text, asked, other)
	}
	return l, nil
}

// sure are the listings that have the word otherwise than by a guess.
func (a *asked) sure(docs int) docset.Set {
	var sets []docset.Set
	for i := range a.parts {
		if p := &a.parts[i]; !p.Guess {
			sets = append(sets, p.rows)
		}
	}
	return docset.Union(sets, docs)
}
