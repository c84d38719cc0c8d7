package words

import (
	"slices"
	"strings"
)

// Query is what a text asks for.
type Query struct {
	Terms []Term // in order, each once
}

// Term is one thing asked for.
type Term struct {
	Word   string   // folded as typed
	Any    []Alt    // what fits it; the first is itself
	Phrase []string // more than one: quoted "desk lamp" (terms in order)
	Prefix bool     // typed lap*: the first alternative is what terms begin with
}

// Alt is one term, or several in a row: at consecutive positions, none of them glued. It weighs 1 as typed; synonyms, compounds, other
// spellings weigh less.
type Alt struct {
	Terms  []string `json:"t"`
	Weight float64  `json:"w"`
	Guess  bool     `json:"-"` // it may have been meant: what has nothing else comes behind what was typed
}

// How much words count that were not typed so.
const (
	inParts   = 0.95 // dv7 1211ea for dv7-1211ea
	sized     = 0.9  // 35.6 cm for 14"
	rounded   = 0.5  // 3 for 3.0: it may be 3 m
	compound  = 0.5  // toothbrush for tooth brush: what is written as typed comes first
	separated = 0.5  // tooth brush for toothbrush
)

// Parse is what a text asks for. No text is wrong; what is too long is cut.
func Parse(text string) Query {
	var q Query
	l := lexer{text: text, low: lower(text)}
	var p quotation
	for len(q.Terms) < MaxTerms && l.group() {
		g := &l.found
		if in := g.parts[0].quote; in != p.number {
			q.quoted(p)
			p = quotation{number: in, begin: len(q.Terms)}
		}
		if p.number > 0 {
			p.add(g)
		}
		q.Terms = g.terms(q.Terms)
	}
	q.Terms = q.Terms[:min(len(q.Terms), MaxTerms)]
	q.quoted(p)
	q.once()
	return q
}

// quotation is what stands between quotation marks.
type quotation struct {
	number int // 0 is none
	begin  int // in Terms
	groups int
	row    []string
	spoken []string
}

func (p *quotation) add(g *group) {
	p.groups++
	for i := range g.n {
		part := &g.parts[i]
		p.spoken = append(p.spoken, part.word)
		if part.kind != script {
			p.row = append(p.row, part.term())
			continue
		}
		tokens, _ := pairs(nil, part, 0)
		for _, token := range tokens {
			p.row = append(p.row, token.Term)
		}
	}
}

// quoted makes one term of those that a quotation has.
func (q *Query) quoted(p quotation) {
	if p.groups < 2 || p.begin >= len(q.Terms) {
		return
	}
	row := p.row[:min(len(p.row), MaxTerms)]
	q.Terms = append(q.Terms[:p.begin], Term{
		Word: clip(strings.Join(p.spoken, " ")), Phrase: row, Any: []Alt{{Terms: row, Weight: 1}},
	})
}

// once leaves out what was asked for before.
func (q *Query) once() {
	kept := q.Terms[:0]
	for _, t := range q.Terms {
		same := func(o Term) bool { return o.Prefix == t.Prefix && slices.Equal(o.Any[0].Terms, t.Any[0].Terms) }
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, t)
		}
	}
	q.Terms = kept
}

// terms appends what a group asks for.
func (g *group) terms(all []Term) []Term {
	parts := g.parts[:g.n]
	switch {
	case parts[0].kind == script:
		return scriptTerms(all, &parts[0])
	case g.shape == single && parts[0].star:
		return append(all, prefixTerm(&parts[0]))
	case g.shape == measure && len(g.glued) > 0:
		return append(all, g.measureTerm())
	case g.shape == product && len(g.glued) > 0:
		return append(all, Term{Word: g.glued[0].word, Any: []Alt{{Terms: []string{g.glued[0].word}, Weight: 1}}})
	case g.shape == chain && len(g.glued) > 0 && g.glued[0].last == g.n-1:
		return g.chainTerms(all)
	}
	for i := range parts {
		p := &parts[i]
		if p.exact != "" {
			all = append(all, typed(p.word, p.exact))
			continue
		}
		all = append(all, typed(p.word, p.term()))
	}
	return all
}

func typed(word string, terms ...string) Term {
	return Term{Word: word, Any: []Alt{{Terms: terms, Weight: 1}}}
}

func (g *group) measureTerm() Term {
	t := typed(g.measure, g.measure)
	if same := sameSize(g.measure); same != "" {
		t.Any = append(t.Any, Alt{Terms: []string{same}, Weight: sized})
	}
	return t
}

// chainTerms asks for dv7-1211ea as one word, and for laptop-bag as two.
func (g *group) chainTerms(all []Term) []Term {
	const whole = 3 // letters of a word that stands by itself
	each := true    // stands by itself
	row := make([]string, 0, g.n)
	for i := range g.n {
		p := &g.parts[i]
		each = each && p.plain && len(p.word) >= whole
		row = append(row, p.term())
	}
	one := g.glued[0].term()
	if each {
		for i := range g.n {
			t := typed(g.parts[i].word, row[i])
			t.Any = append(t.Any, Alt{Terms: []string{one}, Weight: compound})
			all = append(all, t)
		}
		return all
	}
	t := typed(g.glued[0].word, one)
	t.Any = append(t.Any, Alt{Terms: row, Weight: inParts})
	return append(all, t)
}

// scriptTerms asks for each pair of letters; for a single letter, for what begins with it.
func scriptTerms(all []Term, p *part) []Term {
	tokens, _ := pairs(nil, p, 0)
	if len(tokens) == 1 {
		t := typed(tokens[0].Word, tokens[0].Term)
		t.Prefix = true
		return append(all, t)
	}
	for _, token := range tokens[:len(tokens)-1] {
		if len(all) == MaxTerms {
			break
		}
		all = append(all, typed(token.Word, token.Term))
	}
	return all
}

// prefixTerm asks for what begins as typed: as far as the stem goes along.
func prefixTerm(p *part) Term {
	const least = 2
	reduced := p.term()
	n := 0
	for n < min(len(reduced), len(p.word)) && reduced[n] == p.word[n] {
		n++
	}
	if n < least {
		return typed(p.word, reduced)
	}
	t := typed(p.word, p.word[:n])
	t.Prefix = true
	return t
}

// Compounds adds what q's words are when written together (tooth brush: toothbrush) or apart
// (toothbrush: tooth brush; iphone7: iphone 7), as far as listings have that: known is in how
// many listings a term is.
func Compounds(q *Query, known func(term string) (listings int)) {
	const least = 2 // listings: less is a slip, but of a model number there may be one
	plain := func(t *Term) bool {
		return len(t.Phrase) == 0 && !t.Prefix && len(t.Any[0].Terms) == 1 && !strings.Contains(t.Word, point)
	}
	for i := range q.Terms {
		t := &q.Terms[i]
		if !plain(t) {
			continue
		}
		if row := split(t.Word, known, least); row != nil {
			t.add(Alt{Terms: row, Weight: separated})
		}
		if i+1 == len(q.Terms) || !plain(&q.Terms[i+1]) {
			continue
		}
		next := &q.Terms[i+1]
		together := t.Word + next.Word
		if len(together) > maxGlued {
			continue
		}
		enough := least
		if hasDigit(t.Word) != hasDigit(next.Word) { // hd 5405
			enough = 1
		}
		if one := termOf(together); known(one) >= enough {
			t.add(Alt{Terms: []string{one}, Weight: compound})
			next.add(Alt{Terms: []string{one}, Weight: compound})
		}
	}
}

// Rounded is what a number such as 3.0 is otherwise: 3, which a cable of 3 m has too.
func (t *Term) Rounded() (alt Alt, ok bool) {
	if len(t.Phrase) > 0 || t.Prefix || len(t.Any[0].Terms) != 1 || t.Any[0].Terms[0] != t.Word+point+"0" {
		return alt, false
	}
	return Alt{Terms: []string{t.Word}, Weight: rounded}, true
}

// add adds an alternative that is not there yet.
func (t *Term) add(a Alt) {
	if !slices.ContainsFunc(t.Any, func(b Alt) bool { return slices.Equal(a.Terms, b.Terms) }) {
		t.Any = append(t.Any, a)
	}
}

func hasDigit(word string) bool { return strings.ContainsAny(word, "0123456789") }

// termOf is the term of one folded word.
func termOf(word string) string {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return word
		}
	}
	return stem(word)
}

// split is a word as the two that it is most likely made of; nil if it is made of none.
func split(word string, known func(string) int, least int) []string {
	const shortest = 3 // letters of a part; a number may be shorter
	var best []string
	most := least - 1
	for i := 1; i < len(word); i++ {
		if word[i] >= 0x80 || word[i-1] >= 0x80 {
			continue
		}
		border := isDigit(word, i) != isDigit(word, i-1)
		if !border && (i < shortest || len(word)-i < shortest || isDigit(word, i)) {
			continue
		}
		left, right := termOf(word[:i]), termOf(word[i:])
		if n := min(known(left), known(right)); n > most {
			best, most = []string{left, right}, n
		}
	}
	return best
}
