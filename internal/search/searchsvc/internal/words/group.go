package words

import "strings"

// Bounds of what is taken for one word written in parts.
const (
	maxChain = 6  // parts
	maxGlued = 40 // bytes
)

// glued is a word made of several parts of a group.
type glued struct {
	word        string
	first, last int
	plain       bool
}

func (g *glued) term() string {
	if g.plain {
		return stem(g.word)
	}
	return g.word
}

// shape is how the parts of a group belong together.
type shape uint8

const (
	single  shape = iota // one part
	measure              // a number with its unit
	product              // 1440 × 900
	chain                // dv7-1211ea
)

// group is a few parts that say one thing.
type group struct {
	shape   shape
	parts   [maxChain + 1]part
	n       int
	glued   []glued
	measure string // 14in of 14", for one that has another unit that says the same
}

// group finds what comes next.
func (l *lexer) group() bool {
	p := l.peek(0)
	if p == nil {
		return false
	}
	g := &l.found
	g.shape, g.n, g.glued, g.measure = single, 0, g.glued[:0], ""
	switch {
	case p.kind == script:
		g.take(l, 1)
	case p.kind == number && l.factors() > 1:
		g.takeProduct(l)
	case l.measures(0) > 0:
		g.takeMeasure(l, l.measures(0))
	default:
		g.takeChain(l)
	}
	return true
}

// take moves parts into the group.
func (g *group) take(l *lexer, n int) {
	for i := range n {
		g.parts[g.n] = *l.peek(i)
		g.n++
	}
	l.drop(n)
}

// glue makes one word of some parts, unless it were too long to be one.
func (g *group) glue(first, last int, word string, plain bool) {
	if len(word) <= maxGlued {
		g.glued = append(g.glued, glued{word: word, first: first, last: last, plain: plain})
	}
}

// measures is of how many parts the measure consists that begins that far ahead; 0 if none does.
func (l *lexer) measures(i int) int {
	p := l.peek(i)
	switch {
	case p == nil || p.kind != number:
		return 0
	case p.unit != "":
		return 1
	}
	if p.to < len(l.low) && separates(l.low[p.to]) && classes[l.low[p.to]] != space {
		return 0
	}
	u := l.peek(i + 1)
	if u == nil || u.kind != word || !u.plain || u.quote != p.quote || u.gap != blank && u.gap != hyphen || unitApart(u.word) == "" {
		return 0
	}
	if u.word == "in" { // 2 in 1
		if after := l.peek(i + 2); after != nil && after.kind == number {
			return 0
		}
	}
	return 2
}

func (g *group) takeMeasure(l *lexer, n int) {
	g.take(l, n)
	g.shape = measure
	g.measureAt(0)
}

// measureAt glues the number that is part i to its unit: its own, or the part that follows.
func (g *group) measureAt(i int) {
	p, last := &g.parts[i], i
	unit := p.unit
	if unit == "" {
		last = i + 1
		unit = unitApart(g.parts[last].word)
	}
	g.measure = p.word + unit
	g.glue(i, last, g.measure, false)
}

// factors is how many numbers are multiplied here.
func (l *lexer) factors() int {
	n := 1
	for n < maxChain-1 {
		if l.ahead[(l.head+n-1)%len(l.ahead)].unit != "" {
			break
		}
		p := l.peek(n)
		if p == nil || p.gap != times || p.kind != number {
			break
		}
		n++
	}
	return n
}

func (g *group) takeProduct(l *lexer) {
	factors := l.factors()
	n := factors - 1 + max(l.measures(factors-1), 1)
	g.take(l, n)
	g.shape = product
	var b strings.Builder
	for i := range factors {
		if i > 0 {
			b.WriteByte('x')
		}
		b.WriteString(g.parts[i].word)
	}
	g.glue(0, factors-1, b.String(), false)
	if g.parts[factors-1].unit != "" || n > factors {
		g.measureAt(factors - 1)
		g.measure = ""
	}
}

// joins says whether the part that far ahead is of one word with the part before it.
func (l *lexer) joins(i int) bool {
	before := l.peek(i - 1)
	if before.to == len(l.low) || separates(l.low[before.to]) {
		return false
	}
	p := l.peek(i)
	if p == nil || p.kind == script || p.quote != before.quote || before.star {
		return false
	}
	switch p.gap {
	case hyphen:
		return l.measures(i) == 0
	case stroke: // a model number may have strokes: MD101LL/A
		return before.kind == word && before.digits && len(before.word) >= 5 && l.measures(i) == 0
	default:
		return false
	}
}

func (g *group) takeChain(l *lexer) {
	n := 1
	for n < maxChain && l.joins(n) {
		n++
	}
	g.take(l, n)
	if n == 1 {
		return
	}
	g.shape = chain
	parts := g.parts[:n]
	digits, size, numbers := false, 0, 0
	for i := range parts {
		digits = digits || parts[i].digits
		size += len(parts[i].word)
		if parts[i].kind == number {
			numbers++
		}
	}
	const longNumber = 8 // 978-3-16-148410-0 is one, 10-20 is a range
	if numbers == n && size < longNumber {
		return
	}
	g.join(0, n-1)
	for i := 0; digits && n > 2 && i+1 < n; i++ {
		g.join(i, i+1)
	}
}

func (g *group) join(first, last int) {
	var b strings.Builder
	plain := true
	for i := first; i <= last; i++ {
		b.WriteString(g.parts[i].word)
		plain = plain && g.parts[i].plain
	}
	g.glue(first, last, b.String(), plain)
}
