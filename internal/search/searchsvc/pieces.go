package searchsvc

import (
	"slices"
	"strings"

	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/words"
)

// marker finds in a text what was searched for.
type marker struct {
	terms    map[string]bool
	prefixes []string
	tokens   []words.Token // room
}

func newMarker(q words.Query) *marker {
	m := &marker{terms: map[string]bool{}}
	for _, t := range q.Terms {
		for _, alt := range t.Any {
			for _, term := range alt.Terms {
				m.terms[term] = true
			}
		}
		if t.Prefix {
			m.prefixes = append(m.prefixes, t.Word)
		}
	}
	return m
}

// stretch is a part of a text, from one byte to another.
type stretch struct{ from, to int }

// matches are the stretches of a text that were searched for, in order, apart from each other.
func (m *marker) matches(text string) []stretch {
	if len(m.terms) == 0 {
		return nil
	}
	m.tokens = words.Tokens(m.tokens[:0], text)
	var all []stretch
	for i := range m.tokens {
		t := &m.tokens[i]
		if m.terms[t.Term] || slices.ContainsFunc(m.prefixes, func(p string) bool { return strings.HasPrefix(t.Word, p) }) {
			all = append(all, stretch{t.From, t.To})
		}
	}
	slices.SortFunc(all, func(a, b stretch) int { return a.from - b.from })
	apart := all[:0]
	for _, s := range all {
		if n := len(apart); n > 0 && s.from < apart[n-1].to {
			apart[n-1].to = max(apart[n-1].to, s.to)
			continue
		}
		apart = append(apart, s)
	}
	return apart
}

// pieces is a text cut into pieces, none of them empty.
func (m *marker) pieces(text string) []search.Piece { return cut(text, m.matches(text)) }

func cut(text string, matches []stretch) []search.Piece {
	var pieces []search.Piece
	add := func(s string, match bool) {
		if s != "" {
			pieces = append(pieces, search.Piece{Text: s, Match: match})
		}
	}
	at := 0
	for _, s := range matches {
		add(text[at:s.from], false)
		add(text[s.from:s.to], true)
		at = s.to
	}
	add(text[at:], false)
	return pieces
}

// Bounds of a snippet, in letters.
const (
	maxLead   = 160 // when nothing in it was searched for
	leadsIn   = 60  // before the first match
	maxAround = 200
)

// snippet is the part of a description around what was searched for, or its beginning.
func (m *marker) snippet(text string) []search.Piece {
	matches := m.matches(text)
	if len(matches) == 0 {
		return cut(lead(text), nil)
	}
	from := backward(text, matches[0].from, leadsIn)
	to := forward(text, matches[0].to, maxAround)
	var inside []stretch
	for _, s := range matches {
		if s.to <= to {
			inside = append(inside, stretch{s.from - from, s.to - from})
		}
	}
	pieces := cut(text[from:to], inside)
	if from > 0 {
		pieces = append([]search.Piece{{Text: "…"}}, pieces...)
	}
	if to < len(text) {
		pieces = append(pieces, search.Piece{Text: "…"})
	}
	return joinPlain(pieces)
}

// joinPlain makes one piece of neighbours that are no match.
func joinPlain(pieces []search.Piece) []search.Piece {
	out := pieces[:0]
	for _, p := range pieces {
		if n := len(out); n > 0 && !p.Match && !out[n-1].Match {
			out[n-1].Text += p.Text
			continue
		}
		out = append(out, p)
	}
	return out
}

// backward is where a word begins at most so many bytes before at.
func backward(text string, at, most int) int {
	if at <= most {
		return 0
	}
	if i := strings.IndexByte(text[at-most:at], ' '); i >= 0 {
		return at - most + i + 1
	}
	return at
}

// forward is where a word ends at most so many bytes after at.
func forward(text string, at, most int) int {
	if len(text) <= at+most {
		return len(text)
	}
	if i := strings.LastIndexByte(text[at:at+most], ' '); i > 0 {
		return at + i
	}
	return at
}

// lead is the beginning of a text, cut between words.
func lead(s string) string {
	if len(s) <= maxLead {
		return s
	}
	letters := []rune(cutAt(s, 4*maxLead+4))
	if len(letters) <= maxLead {
		return s
	}
	cut := string(letters[:maxLead])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;:.-–") + "…"
}
