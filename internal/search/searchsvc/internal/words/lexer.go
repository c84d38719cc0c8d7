package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is what a part of a text is.
type kind uint8

const (
	word   kind = iota
	number      // 16, 2.4
	script      // letters of a script that has no spaces
)

// gap is what stands between a part and the one before it.
type gap uint8

const (
	apart  gap = iota // a space at least, or the beginning
	blank             // nothing but space
	hyphen            // one hyphen, apostrophe, & or _: what lies around it may be one word
	stroke            // one / or full stop
	times             // the × of 2 × 3
)

// part is a stretch of text without anything between its letters.
type part struct {
	word     string // folded
	from, to int    // bytes of the text, its unit included
	end      int    // without its unit
	kind     kind
	gap      gap
	plain    bool   // nothing but a to z
	digits   bool   // some of it
	unit     string // of a number, when it stands right behind it
	exact    string // 3.0 of a number that is 3
	star     bool   // an asterisk follows
	quote    int    // which quotation it is in; 0 is none
	sizes    []uint8
}

// term is the part as the index knows it.
func (p *part) term() string {
	if p.plain {
		return stem(p.word)
	}
	return p.word
}

// lexer takes a text apart.
type lexer struct {
	text, low string // as it is; with A to Z in lower case, byte by byte
	pos       int
	gap       gap
	times     bool // the next part is multiplied by the one before
	quote     int  // the quotation it is in
	quotes    int  // so far

	ahead [maxChain + 2]part // parts looked at already, a ring
	head  int
	n     int
	found group
}

// peek is the part that many ahead; nil past the end.
func (l *lexer) peek(i int) *part {
	for l.n <= i {
		p := &l.ahead[(l.head+l.n)%len(l.ahead)]
		if !l.lex(p) {
			return nil
		}
		l.n++
	}
	return &l.ahead[(l.head+i)%len(l.ahead)]
}

// drop forgets the first parts.
func (l *lexer) drop(n int) {
	l.head = (l.head + n) % len(l.ahead)
	l.n -= n
}

// Classes of ASCII.
const (
	other = iota
	letter
	digit
	space
	joiner
	slash
	mark
)

var classes = func() (c [128]uint8) {
	for i := range c {
		switch {
		case i >= 'a' && i <= 'z' || i >= 'A' && i <= 'Z':
			c[i] = letter
		case i >= '0' && i <= '9':
			c[i] = digit
		case i == ' ' || i == '\t' || i == '\n' || i == '\r':
			c[i] = space
		case i == '-' || i == '_' || i == '&' || i == '\'':
			c[i] = joiner
		case i == '/' || i == '.':
			c[i] = slash
		case i == '"':
			c[i] = mark
		}
	}
	return c
}()

func isDigit(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }

func isLetter(s string, i int) bool { return i < len(s) && s[i] < 0x80 && classes[s[i]] == letter }

// lex finds the next part.
func (l *lexer) lex(p *part) bool {
	for {
		if !l.skip() {
			return false
		}
		*p = part{from: l.pos, gap: l.gap, quote: l.quote}
		if l.times {
			p.gap, l.times = times, false
		}
		if l.low[l.pos] < 0x80 && l.ascii(p) || l.letters(p) {
			p.star = l.pos < len(l.low) && l.low[l.pos] == '*'
			return true
		}
	}
}

// skip goes to the next letter or digit, and remembers what lay before it.
func (l *lexer) skip() bool {
	seen := 0
	first, blanks := other, true
	for l.pos < len(l.low) {
		c := l.low[l.pos]
		var class int
		size := 1
		if c < 0x80 {
			class = int(classes[c])
			if class == letter || class == digit {
				break
			}
			if c == '"' {
				l.quotation(`"`, 1)
			}
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(l.low[l.pos:])
			if inWord(r) {
				break
			}
			class = l.sign(r, size)
		}
		if seen == 0 {
			first = class
		}
		blanks = blanks && class == space
		seen++
		l.pos += size
	}
	l.gap = apart
	switch {
	case seen == 1 && first == joiner:
		l.gap = hyphen
	case seen == 1 && first == slash:
		l.gap = stroke
	case seen > 0 && blanks:
		l.gap = blank
	}
	return l.pos < len(l.low)
}

// sign is the class of a rune that is in no word.
func (l *lexer) sign(r rune, size int) int {
	switch r {
	case '‐', '‑', '–', '’', 'ʼ', '＇':
		return joiner
	case '“', '«', '„':
		l.quotation("”", size)
	case '”', '»':
		l.quote = 0
	}
	if unicode.IsSpace(r) {
		return space
	}
	return other
}

// quotation begins or ends one here. One that nothing ends is none.
func (l *lexer) quotation(end string, size int) {
	if l.quote > 0 {
		l.quote = 0
		return
	}
	if strings.Contains(l.low[l.pos+size:], end) {
		l.quotes++
		l.quote = l.quotes
	}
}

// ascii takes a part that begins with an ASCII letter or digit, unless letters beyond ASCII
// belong to it.
func (l *lexer) ascii(p *part) bool {
	i, s := l.pos, l.low
	j := i
	plain := true
	for ; j < len(s) && s[j] < 0x80; j++ {
		class := classes[s[j]]
		if class == digit {
			plain = false
		} else if class != letter {
			break
		}
	}
	if l.runsOn(j) {
		return false
	}
	if classes[s[i]] == digit {
		return l.number(p)
	}
	p.word, p.to, p.end, p.plain, p.digits = clipASCII(s[i:j]), j, j, plain, !plain
	l.pos = j
	if plain && j+1 < len(s) && l.possessive(j) {
		l.pos = j + l.apostrophe(j) + 1 // kid's is kid
	}
	return true
}

// runsOn says whether a word goes on at i with a letter beyond ASCII.
func (l *lexer) runsOn(i int) bool {
	if i >= len(l.low) || l.low[i] < 0x80 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(l.low[i:])
	return (inWord(r) || extends(r)) && !unspaced(r)
}

// apostrophe is how many bytes one at i has; 0 if there is none.
func (l *lexer) apostrophe(i int) int {
	switch {
	case l.low[i] == '\'':
		return 1
	case strings.HasPrefix(l.low[i:], "’"):
		return len("’")
	}
	return 0
}

// possessive says whether the word that ends at i has 's behind it.
func (l *lexer) possessive(i int) bool {
	n := l.apostrophe(i)
	if n == 0 || i+n >= len(l.low) || l.low[i+n] != 's' {
		return false
	}
	after := i + n + 1
	return !isLetter(l.low, after) && !isDigit(l.low, after) && !l.runsOn(after)
}

// number takes a part that begins with a digit: a number, perhaps with its unit, or a word
// that begins with digits.
func (l *lexer) number(p *part) bool {
	i, s := l.pos, l.low
	value, e := l.amount(i)
	m := e
	for isLetter(s, m) || isDigit(s, m) {
		m++
	}
	if l.runsOn(m) {
		return false
	}
	p.kind, p.word, p.digits = number, value, true
	suffix := s[e:m]
	unit := unitBehind(suffix)
	switch {
	case unit != "":
		p.unit, p.end, p.to = unit, e, m
	case len(suffix) > 1 && suffix[0] == 'x' && suffix[1] >= '0' && suffix[1] <= '9':
		p.end, p.to = e, e
		l.times, m = true, e+1
	case suffix != "":
		p.kind, p.word, p.end, p.to = word, clipASCII(value+suffix), m, m
	default:
		p.end, p.to = e, e
		if size := l.inches(e); size > 0 {
			p.unit, p.to, m = "in", e+size, e+size
		} else if next := l.multiplied(e); next > 0 {
			l.times, m = true, next
		} else if j := digitsEnd(s, i); j < e && value == s[i:j] {
			p.exact = value + point + "0"
		}
	}
	l.pos = m
	return true
}

// amount is the number at i as a term has it, and where it ends.
func (l *lexer) amount(i int) (value string, end int) {
	s := l.low
	j := digitsEnd(s, i)
	if j >= len(s) || s[j] != '.' && s[j] != ',' || !isDigit(s, j+1) {
		return clipASCII(s[i:j]), j
	}
	k := digitsEnd(s, j+1)
	goesOn := k < len(s) && s[k] == s[j] && isDigit(s, k+1)
	if s[j] == ',' && k-j-1 == 3 && j-i <= 3 { // 1,024,000
		value, j = s[i:j]+s[j+1:k], k
		for j < len(s) && s[j] == ',' && digitsEnd(s, j+1)-j-1 == 3 && len(value) < MaxLetter-3 {
			value += s[j+1 : j+4]
			j += 4
		}
		return clipASCII(value), j
	}
	version := goesOn || i > 1 && (s[i-1] == '.' || s[i-1] == ',') && isDigit(s, i-2)
	if version || k-i > 24 || s[j] == ',' && k-j-1 > 3 {
		return clipASCII(s[i:j]), j
	}
	fraction := strings.TrimRight(s[j+1:k], "0")
	if fraction == "" {
		return clipASCII(s[i:j]), k
	}
	return s[i:j] + point + fraction, k
}

func digitsEnd(s string, i int) int {
	for isDigit(s, i) {
		i++
	}
	return i
}

// inches is how many bytes an inch mark at i has. In a quotation it is the end of that.
func (l *lexer) inches(i int) int {
	rest := l.low[i:]
	for _, sign := range [...]string{`"`, "''", "″", "”", "’’"} {
		if strings.HasPrefix(rest, sign) && (l.quote == 0 || sign == "″" || sign == "''") {
			return len(sign)
		}
	}
	return 0
}

// multiplied is where the second factor begins if a number that ends at i is the first; else 0.
func (l *lexer) multiplied(i int) int {
	const spaces = 2
	s := l.low
	skip := func(i int) int {
		for n := 0; n < spaces && i < len(s) && s[i] == ' '; n++ {
			i++
		}
		return i
	}
	j := skip(i)
	switch {
	case j < len(s) && s[j] == 'x':
		j = skip(j + 1)
	case strings.HasPrefix(s[j:], "×"):
		j = skip(j + len("×"))
	default:
		return 0
	}
	if !isDigit(s, j) {
		return 0
	}
	return j
}

// letters takes a part with letters beyond ASCII. Where nothing is left of it, there is none.
func (l *lexer) letters(p *part) bool {
	from := l.pos
	r, _ := utf8.DecodeRuneInString(l.low[from:])
	if unspaced(r) {
		return l.run(p)
	}
	end := from
	for l.pos < len(l.low) {
		r, size := utf8.DecodeRuneInString(l.low[l.pos:])
		if unspaced(r) || !inWord(r) && !extends(r) {
			break
		}
		l.pos += size
		if !ignorable(r) {
			end = l.pos
		}
	}
	p.word = fold(l.low[from:end])
	p.to, p.end = end, end
	p.plain, p.digits = true, false
	for i := range len(p.word) {
		p.plain = p.plain && p.word[i] >= 'a' && p.word[i] <= 'z'
		p.digits = p.digits || isDigit(p.word, i)
	}
	return p.word != ""
}

// run takes a run of letters of a script without spaces.
func (l *lexer) run(p *part) bool {
	var b strings.Builder
	p.kind = script
	for l.pos < len(l.low) {
		r, size := utf8.DecodeRuneInString(l.low[l.pos:])
		if !unspaced(r) || !inWord(r) && !extends(r) {
			break
		}
		b.WriteRune(r)
		p.sizes = append(p.sizes, uint8(size)) //nolint:gosec // at most 4
		l.pos += size
	}
	p.word, p.to, p.end = b.String(), l.pos, l.pos
	return true
}
