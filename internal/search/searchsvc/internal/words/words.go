// Package words says what the words of a text are: for indexing, asking, marking and spelling
// alike, so that there is one truth about it.
//
// A word becomes a term: in lower case, without accents, reduced to its stem. On top of that
//
//	16 GB, 16GB, 16-gb     are 16gb
//	14", 14 inch, 14in     are 14in; who asks for it also finds 35.6 cm, and the reverse
//	1440 x 900, 1440×900   are 1440x900
//	USB 3.0                is 3.0 beside 3, which a cable of 3 m has too
//	dv7-1211ea             is dv71211ea, and dv7, and 1211ea
//	wi-fi, wifi            are wifi
//	mice                   is mouse
//
// Where words are not kept apart by spaces (Chinese, Japanese, Korean, Thai and the like) each
// pair of neighbouring letters is a word. Emoji and other signs are none.
//
// Terms consist of letters and digits alone, so that any index can take them. A decimal point
// within a number is written as point, which is a letter to Unicode.
package words

import "unicode/utf8"

// Version grows whenever the terms of some text change: an index built with another one is
// out of date.
const Version = 4

// Bounds of words. What is longer is cut, not refused: any text has words.
const (
	MaxTerms  = 24 // of a query
	MaxLetter = 64 // of a word
)

// point stands for the decimal point in terms: a letter that nobody types.
const point = "ˑ"

// Token is one word of a text. Its strings share the text's memory: who keeps one, clones it.
type Token struct {
	Term     string // as the index knows it: folded (lower case, no accents), stemmed (Porter)
	Word     string // folded, not stemmed
	From, To int    // bytes of the text
	At       int    // position; glued forms share the position of their first part
	Glued    bool   // made of several, or a second form: 16gb of "16 GB", dv71211ea of "dv7-1211ea", 3.0 beside 3
}

// Tokens appends the words of a text to dst, in order.
func Tokens(dst []Token, text string) []Token {
	l := lexer{text: text, low: lower(text)}
	at := 0
	for {
		for l.easy(&dst, at) {
			at++
		}
		if !l.group() {
			return dst
		}
		dst, at = l.found.tokens(dst, at)
	}
}

// Length is how long a text is by its tokens: a second form of a number does not make it longer.
func Length(tokens []Token) int {
	n := len(tokens)
	for i := 1; i < len(tokens); i++ {
		if t, before := &tokens[i], &tokens[i-1]; t.From == before.From && t.To == before.To {
			n--
		}
	}
	return n
}

// easy appends the next word if it is one of the many that consist of a to z and have nothing
// around them that could make them part of another.
func (l *lexer) easy(dst *[]Token, at int) bool {
	if l.n > 0 || l.times || !l.skip() {
		return false
	}
	s, i := l.low, l.pos
	j := i
	for j < len(s) && s[j] >= 'a' && s[j] <= 'z' {
		j++
	}
	if j == i || j-i > MaxLetter || j < len(s) && !separates(s[j]) {
		return false
	}
	word := s[i:j]
	l.pos = j
	*dst = append(*dst, Token{Term: stem(word), Word: word, From: i, To: j, At: at})
	return true
}

// separates says whether c behind a word ends it and all that it could be part of.
func separates(c byte) bool {
	return c < 0x80 && (classes[c] == space || classes[c] == other)
}

// tokens appends the words of a group, the first of them at a position, and says which
// position is next.
func (g *group) tokens(dst []Token, at int) (_ []Token, next int) {
	parts := g.parts[:g.n]
	if parts[0].kind == script {
		return pairs(dst, &parts[0], at)
	}
	for i := range parts {
		p := &parts[i]
		dst = append(dst, Token{Term: p.term(), Word: p.word, From: p.from, To: p.end, At: at})
		for j := range g.glued {
			if glued := &g.glued[j]; glued.first == i {
				dst = append(dst, Token{
					Term: glued.term(), Word: glued.word, From: p.from, To: parts[glued.last].to, At: at, Glued: true,
				})
			}
		}
		if p.exact != "" && g.shape != measure && g.shape != product {
			dst = append(dst, Token{Term: p.exact, Word: p.exact, From: p.from, To: p.end, At: at, Glued: true})
		}
		at++
	}
	return dst, at
}

// pairs appends each two neighbouring letters of a run, and its last letter: so each letter
// begins a term, and a single one can be looked for by prefix.
func pairs(dst []Token, p *part, at int) (_ []Token, next int) {
	run, from := p.word, p.from
	sizes := p.sizes
	for i, here := 0, 0; here < len(run); i++ {
		_, one := utf8.DecodeRuneInString(run[here:])
		word, to := run[here:here+one], from+int(sizes[i])
		if rest := run[here+one:]; rest != "" {
			_, two := utf8.DecodeRuneInString(rest)
			word, to = run[here:here+one+two], to+int(sizes[i+1])
		}
		dst = append(dst, Token{Term: word, Word: word, From: from, To: to, At: at})
		here, from, at = here+one, from+int(sizes[i]), at+1
	}
	return dst, at
}
