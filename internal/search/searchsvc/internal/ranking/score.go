package ranking

// Query is what was asked for.
type Query struct {
	Terms   []Term // at most 64
	AnyWord bool   // candidates have some of the words, not all
	Guesses bool   // a word also stands for what was perhaps meant by it
}

// Term is a word that was asked for, with all that fits it, as the terms of titles are numbered.
type Term struct {
	IDs     []uint32
	Weights []float32 // of each: 1 is as typed
	IDF     float32   // how much the word says: the fewer listings have it, the more
}

// Mark is what is known of one term of a title.
type Mark uint8

// The marks.
const (
	Echoed    Mark = 1 << iota // the description or the attributes have it, too
	Stressed                   // they have it several times
	Glued                      // made of several that are there themselves: dv71211ea of dv7-1211ea
	Accessory                  // a word as bag and charger: what goes with something else
)

// Candidate is a listing that fits, as far as an order depends on it. Bit i of a set of bits, and
// number i of Fit, stand for term i of the query.
type Candidate struct {
	Title    []uint32  // terms in order, glued ones last
	Marks    []Mark    // of each; nil when nothing is known of them
	Brand    uint64    // has the word in its brand
	Category uint64    // in its category
	Head     uint64    // in title, brand or category
	Has      uint64    // anywhere
	Guessed  uint64    // only what was perhaps meant by it, not what was typed
	Fit      []float32 // the weight of the best that fits and is there; nil is 1 for all
	Body     uint16    // words of description and attributes
	InStock  bool
	Kind     bool  // its category is what was asked for: all of it, and nothing else
	Quality  uint8 // how well it is described, 0 to 31
}

// The weights. They were set by hand: round numbers, each the middle of a range in which it made
// no difference, on queries that people had judged (docs/benchmarks/search.md says what each brings).
const (
	inTitle    = 3 // a title names the thing; a description mentions many
	inBrand    = 2
	inCategory = 3
	inBody     = 1

	repeats   = 2  // a word counts twice in a title, not thrice: more is stuffing
	longTitle = .6 // how much of a title's weight is spread over its words
	longBody  = .5
	usual     = 10 // words of a title
	usualBody = 30

	half = 3 // what a word reaches half of its worth with: fields add up to less and less

	worth    = 4  // of all words together
	weakest  = .5 // of the word that fits least: each has to be somewhere to the point
	guessed  = 6  // less for what was perhaps meant: more than all words are worth together
	coverage = 50 // of having a word at all, when any will do: more than anything else
	adjacent = .05

	kind      = .3 // who types the name of a category wants what is in it
	accessory = .1 // less for a bag when the laptop is wanted
	beyond    = .1 // less when what comes later in the title is an accessory
	stock     = .1
	quality   = .001
)

// Score says how well a candidate fits: more is better. It depends on its arguments alone, since pages
// of one ranking are scored one by one. why, unless nil, gets every part of the sum.
func Score(q *Query, c *Candidate, why *Explanation) float32 {
	total := float32(0)
	for i := range q.Terms {
		total += q.Terms[i].idf()
	}
	s := scorer{q: q, c: c, why: why}
	for i := range c.Title {
		if !s.mark(i, Glued) {
			s.plain++
		}
	}
	least := float32(1)
	before := -2 // where the term before was seen last
	for i := range q.Terms {
		share := q.Terms[i].idf() / total
		if c.Has>>i&1 == 0 {
			least, before = 0, -2
			value := -coverage * share
			if q.Guesses {
				value -= 2 * guessed // what has all words, if by a guess, comes before
			}
			s.add("missing", i, value)
			continue
		}
		if c.Guessed>>i&1 != 0 {
			s.add("guessed", i, -guessed)
		}
		seen := s.see(i)
		value := s.value(i, &seen)
		least = min(least, value)
		s.word(i, worth*share*value, &seen)
		if seen.count == 0 {
			before = -2
			continue
		}
		if seen.first == before+1 {
			s.add("adjacent", i, adjacent*share)
		}
		before = seen.first
		if seen.accessory {
			s.add("accessory", i, -accessory*share)
		}
		if s.accessoryAfter(seen.last) {
			s.add("beyond", i, -beyond*share)
		}
	}
	if len(q.Terms) > 0 {
		s.add("weakest", -1, weakest*least)
	}
	s.rest()
	return s.sum
}

// idf is never nothing: a word that every listing has is still to be had.
func (t *Term) idf() float32 { return max(t.IDF, .01) }

// scorer adds up one score.
type scorer struct {
	q     *Query
	c     *Candidate
	why   *Explanation
	plain int // terms of the title that are not glued
	sum   float32
}

func (s *scorer) add(name string, term int, value float32) {
	s.sum += value
	if s.why != nil {
		s.why.Parts = append(s.why.Parts, Part{Name: name, Term: term, Value: value})
	}
}

// word adds what a word is worth where it was seen.
func (s *scorer) word(i int, value float32, seen *sight) {
	s.sum += value
	if s.why != nil {
		s.why.Parts = append(s.why.Parts, Part{
			Name: "word", Term: i, Value: value, Title: seen.count, Body: seen.body,
			Brand: s.c.Brand>>i&1 != 0, Category: s.c.Category>>i&1 != 0, Fit: s.fit(i),
		})
	}
}

func (s *scorer) mark(at int, m Mark) bool { return at < len(s.c.Marks) && s.c.Marks[at]&m != 0 }

// fit is the weight of what fits term i.
func (s *scorer) fit(i int) float32 {
	if i < len(s.c.Fit) {
		return s.c.Fit[i]
	}
	return 1
}

// sight is where a term of the query was seen.
type sight struct {
	count       int // times in the title
	first, last int // there
	body        int // times in description and attributes, 2 at most
	accessory   bool
}

// see looks for term i in the title.
func (s *scorer) see(i int) sight {
	var seen sight
	ids := s.q.Terms[i].IDs
	for at, id := range s.c.Title {
		if !has(ids, id) {
			continue
		}
		if seen.count == 0 {
			seen.first = at
		}
		seen.count++
		if s.mark(at, Echoed) {
			seen.body = max(seen.body, 1)
		}
		if s.mark(at, Stressed) {
			seen.body = 2
		}
		if s.mark(at, Glued) {
			continue
		}
		seen.last = at
		follows := at+1 < s.plain && s.mark(at+1, Accessory) && !s.wanted(s.c.Title[at+1])
		seen.accessory = follows && (seen.accessory || seen.count == 1)
	}
	if seen.count == 0 { // a brand or a category does not say that the description has not
		seen.body = 1
	}
	return seen
}

// accessoryAfter says whether an accessory that nobody asked for is named after a place in the title.
func (s *scorer) accessoryAfter(at int) bool {
	for next := at + 1; next < s.plain; next++ {
		if s.mark(next, Accessory) && !s.wanted(s.c.Title[next]) {
			return true
		}
	}
	return false
}

// wanted says whether some term of the query is met by id.
func (s *scorer) wanted(id uint32) bool {
	for i := range s.q.Terms {
		if has(s.q.Terms[i].IDs, id) {
			return true
		}
	}
	return false
}

// has is slices.Contains for the few that there are.
func has(ids []uint32, id uint32) bool {
	for _, one := range ids {
		if one == id {
			return true
		}
	}
	return false
}

// value is how much of term i's worth was reached, 0 to 1.
func (s *scorer) value(i int, seen *sight) float32 {
	v := inTitle * float32(min(seen.count, repeats)) / spread(longTitle, s.plain, usual)
	v += inBrand * float32(s.c.Brand>>i&1)
	v += inCategory * float32(s.c.Category>>i&1)
	v += inBody * float32(seen.body) / spread(longBody, int(s.c.Body), usualBody)
	return v / (v + half) * s.fit(i)
}

// spread is by how much a word counts less in a text that is longer than usual.
func spread(share float32, words, usual int) float32 {
	return 1 - share + share*float32(words)/float32(usual)
}

// rest adds what does not depend on the words.
func (s *scorer) rest() {
	c := s.c
	if c.Kind {
		s.add("kind", -1, kind)
	}
	if c.InStock {
		s.add("in stock", -1, stock)
	}
	if c.Quality > 0 {
		s.add("quality", -1, quality*float32(c.Quality))
	}
}
