package spelling

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Typed is a word of a query.
type Typed struct {
	Text     string // lower case, without accents
	Listings int64  // that have it, anywhere
	Fixed    bool   // it stays: a phrase, the beginning of a word, what a rule is about
	Code     bool   // a model number or the like: only what Also has can be meant by it
	Also     []Word // that may have been meant, besides those of the book

	Parts  []Typed  // what signs part it into (hp-printer)
	Halves []string // or letters and digits (core i7 of corei7), where titles have both
}

// Change says that some words of a query stand for others.
type Change struct {
	First, Last int    // of the words typed, both included
	Text        string // what they stand for
}

// Correction is a query that may have been meant.
type Correction struct {
	Changes  []Change
	Words    []string     // all of them, changed or not; "desk lamp" are two that stand in a row
	Listings int64        // that have all of these words
	Titles   int64        // that have them in title, brand or category
	Others   []Correction // that match, too, likeliest first
	Slight   bool         // nothing but what hands do all the time: a letter left out, or two swapped
	cost     float64
	rare     string // a word among the changes that a single title has
	bold     bool   // words are changed that titles have as they are written
	known    bool   // words are changed that listings have
	loose    bool   // a word is taken for two that need not stand in a row
}

// MaxWords is how many words of a query are mended: longer ones are sentences, and costly.
const MaxWords = 12

// Bounds of a correction.
const (
	mostTried    = 8  // queries that are counted
	beam         = 24 // queries that are thought of at a time
	nearEnough   = 8  // words that one may stand for
	leastPart    = 2  // letters of each half of a split word
	leastOfShort = 5  // listings that have a word of two letters, for it to be offered
	leastOfRare  = 5  // letters of a word that one listing alone has: short ones are near to everything
)

// What is done to a query costs, beside the edits of its words.
const (
	costUnknown = 3.5 // to keep a word that nothing has
	costKnown   = 1.2 // to change one that listings have
	costRare    = .2  // for a word that a single title has: little, since others have it in their texts
	costSplit   = 1.1 // to make two words of one
	costJoin    = 1.0 // or one of two
	costParts   = .8  // to take what signs part for words that need not stand in a row: less than a slip that takes a letter too many
	costHalves  = .9  // or letters and digits: every sign is right
	costLoose   = .6  // more, for two words of one that need not stand in a row
	costNowhere = .7  // for words that no listing has all of: more than a second slip, which one that some have may take
	perMatches  = .35 // less for ten times as many listings that have all words
	perTitle    = 20  // as many as one that has them all in its title: long texts have many words
	knownRatio  = 5   // a word that listings have is only changed to one that so many times more have,
	lightest    = .75 // or by what hands do all the time, beside others that it goes with
)

// option is one reading of the next word or two.
type option struct {
	used    int
	cost    float64
	text    string
	asTyped bool
	rare    string
	bold    bool
	known   bool
	slight  bool
	apart   bool // its words need not stand in a row
	written bool // and are written apart
}

// thought is a query as far as it has been thought through.
type thought struct {
	cost    float64
	words   []string
	changes []Change
	rare    string
	bold    bool
	known   bool
	grave   bool // some change is not slight
	loose   bool // some word is taken for two that need not stand in a row
}

// Matches is how many listings have all words of a query, and how many in the title, brand or
// category.
type Matches struct {
	Listings, Titles int64
}

// Proposals are the queries that may have been meant.
type Proposals struct {
	likely []Correction // likeliest first
	typed  []Typed
	apart  [][]Word // by word that nothing has: what it may stand for by itself, likeliest first
}

// Propose thinks of the queries that may have been meant by what was typed.
func (b *Book) Propose(typed []Typed) Proposals {
	if len(typed) > MaxWords {
		return Proposals{}
	}
	return Proposals{likely: b.thinkOf(typed), typed: typed, apart: b.apart(typed)}
}

// Choose finds the one that was meant: few slips of the hand, and many listings that have all its
// words, as matching counts them. It asks matching a few times only. One whose words no listing
// has all of is chosen over one that takes much worse slips: game conrtoller is no game that is
// controlled, where none has a controller. Where no query matches anything, the words that nothing
// has are still mended, each for itself. Such corrections have no Listings. One seller's slip is
// nobody's correction: where none is found, what one listing alone has is returned, to be offered.
func (p Proposals) Choose(matching func(words []string) (Matches, error)) (best Correction, found bool, err error) {
	most := perMatches * math.Log10(mostListings)
	var fit []Correction
	var nowhere, alone *Correction
	for _, c := range p.likely {
		if found && c.cost-most >= best.cost {
			break // the rest is less likely still: no number of listings makes up for it
		}
		have, err := matching(c.Words)
		if err != nil {
			return Correction{}, false, err
		}
		if c.Listings, c.Titles = have.Listings, have.Titles; c.Listings == 0 && nowhere == nil && c.certain() {
			c.cost += costNowhere
			nowhere = &c
		}
		if c.Listings == 0 || (c.bold || c.loose) && have.Titles == 0 {
			continue
		}
		if c.rare != "" {
			have, err := matching([]string{c.rare})
			if err != nil {
				return Correction{}, false, err
			}
			if have.Listings < leastListings {
				if alone == nil && utf8.RuneCountInString(c.rare) >= leastOfRare {
					alone = &c
				}
				continue
			}
		}
		c.cost -= perMatches * have.weight()
		fit = append(fit, c)
		if !found || c.cost < best.cost {
			best, found = c, true
		}
	}
	if !found {
		if best, found, err = p.mend(matching); !found && err == nil && alone != nil {
			best = *alone
		}
		return best, found, err
	}
	slices.SortStableFunc(fit, func(a, b Correction) int { return cmp.Compare(a.cost, b.cost) })
	if nowhere != nil && nowhere.cost < best.cost {
		nowhere.Others = fit
		return *nowhere, true, nil
	}
	best.Others = fit[1:]
	return best, true, nil
}

// certain says whether every word is one that listings have, and none was changed that they had as typed.
func (c Correction) certain() bool { return !c.known && c.rare == "" && c.cost < costUnknown }

// mend puts the likeliest word for each that nothing has, where nothing has all words together.
func (p Proposals) mend(matching func(words []string) (Matches, error)) (c Correction, found bool, err error) {
	left := mostTried
	for i, w := range p.typed {
		text, best := w.Text, 0.0
		for _, near := range p.apart[i] {
			if left--; left < 0 {
				break
			}
			have, err := matching([]string{near.Text})
			if err != nil {
				return Correction{}, false, err
			}
			if have.Listings < leastListings {
				continue
			}
			if cost := near.Cost - perMatches*have.weight(); text == w.Text || cost < best {
				text, best = near.Text, cost
			}
		}
		if text != w.Text {
			c.Changes = append(c.Changes, Change{First: i, Last: i, Text: text})
		}
		c.Words = append(c.Words, text)
	}
	return c, len(c.Changes) > 0, nil
}

// weight grows with the matches.
func (m Matches) weight() float64 {
	return math.Log10(min(float64(m.Listings)+perTitle*float64(m.Titles), mostListings))
}

// apart is what each word that nothing has may stand for by itself.
func (b *Book) apart(typed []Typed) [][]Word {
	const most = 3
	all := make([][]Word, len(typed))
	for i, w := range typed {
		if w.Fixed || !b.unknown(w) {
			continue
		}
		near := append(b.Near(w.Text, most), w.Also...)
		near = slices.DeleteFunc(near, func(n Word) bool { return among(typed, n.Text) })
		all[i] = Likely(near, most)
	}
	return all
}

// unknown says whether nothing has a word.
func (b *Book) unknown(w Typed) bool { return w.Listings == 0 && b.Listings(w.Text) == 0 }

// thinkOf is what may have been meant, likeliest first.
func (b *Book) thinkOf(typed []Typed) []Correction {
	waiting := make([][]thought, len(typed)+2) // by how many words are thought through
	waiting[0] = []thought{{}}
	for i := range typed {
		here := waiting[i]
		slices.SortStableFunc(here, func(a, b thought) int { return cmp.Compare(a.cost, b.cost) })
		here = here[:min(len(here), beam)]
		for _, o := range b.options(typed, i) {
			for _, t := range here {
				if t.bold && o.bold {
					continue // who typed two words that listings have meant one of them at least
				}
				waiting[i+o.used] = append(waiting[i+o.used], t.with(i, o))
			}
		}
	}
	var out []Correction
	for _, t := range waiting[len(typed)] {
		if len(t.changes) > 0 {
			out = append(out, Correction{Changes: t.changes, Words: t.words, cost: t.cost, rare: t.rare, bold: t.bold, known: t.known, loose: t.loose, Slight: !t.grave})
		}
	}
	slices.SortStableFunc(out, func(a, b Correction) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), strings.Compare(strings.Join(a.Words, " "), strings.Join(b.Words, " ")))
	})
	return out[:min(len(out), mostTried)]
}

func among(typed []Typed, text string) bool {
	return slices.ContainsFunc(typed, func(w Typed) bool { return w.Text == text })
}

func (t thought) with(at int, o option) thought {
	next := thought{cost: t.cost + o.cost, words: append(slices.Clip(t.words), o.words()...), changes: t.changes, rare: cmp.Or(t.rare, o.rare), bold: t.bold || o.bold, known: t.known || o.known, grave: t.grave || !o.asTyped && !o.slight, loose: t.loose || o.apart && !o.written}
	if !o.asTyped {
		next.changes = append(slices.Clip(t.changes), Change{First: at, Last: at + o.used - 1, Text: o.text})
	}
	return next
}

// words are what has to be found: two in a row as one.
func (o option) words() []string {
	if o.apart {
		return strings.Fields(o.text)
	}
	return []string{o.text}
}

// options are the readings of a word of a query, alone or with the next one.
func (b *Book) options(typed []Typed, at int) []option {
	w := typed[at]
	kept := option{used: 1, text: w.Text, asTyped: true}
	if w.Fixed {
		return []option{kept}
	}
	unknown := b.unknown(w)
	if unknown && (w.Code || takes(w.Text)) {
		kept.cost = costUnknown
	}
	out := []option{kept}
	out = append(out, b.mended(typed, w, unknown)...)
	if unknown {
		out = append(out, b.split(w.Text)...)
		out = append(out, b.parted(w)...)
	}
	if at+1 < len(typed) && !typed[at+1].Fixed {
		out = append(out, b.joined(w, typed[at+1])...)
	}
	return out
}

// mended are the words that w may stand for: none that was typed as well, since who means a word
// twice types it once.
func (b *Book) mended(typed []Typed, w Typed, unknown bool) []option {
	near := append(b.Near(w.Text, nearEnough), w.Also...)
	if len(typed) > 1 {
		near = append(near, b.short(w.Text, nearEnough)...)
	}
	var out []option
	for _, n := range near {
		o := option{used: 1, cost: n.Cost, text: n.Text, slight: n.slight()}
		if among(typed, n.Text) {
			continue
		}
		if !unknown {
			if !b.bolder(w, n, len(typed) > 1) {
				continue
			}
			o.cost, o.known, o.bold = o.cost+costKnown, true, b.Listings(w.Text) > 0
		}
		if n.Listings < leastListings && !w.Code {
			o.rare = n.Text
			o.cost += costRare
		}
		out = append(out, o)
	}
	return out
}

// bolder says whether n may be meant by a word that listings have, which may well be meant itself:
// it takes a small slip, and a much commoner word or others that it goes with. Of a word that no
// title has as it is written, as gmaing, listings may only have the stem, so their number says nothing, unless
// it is several of what titles have: cats.
func (b *Book) bolder(w Typed, n Word, others bool) bool {
	if n.Edits > 1 || n.Listings < leastListings {
		return false
	}
	written := b.Listings(w.Text)
	if written >= leastListings && utf8.RuneCountInString(w.Text) < shortest {
		return false // everything is near to a tv, and hands rarely err in two letters
	}
	if written == 0 && others && n.slight() && !b.several(w.Text) {
		return true
	}
	if int64(n.Listings) < w.Listings {
		return false
	}
	commoner := n.Listings / max(written, 1)
	return commoner >= knownRatio || others && commoner >= 1 && n.slight()
}

// several says whether a word is the plural of one that titles have.
func (b *Book) several(text string) bool {
	for _, ending := range [][2]string{{"s", ""}, {"es", ""}, {"ies", "y"}} {
		if one, cut := strings.CutSuffix(text, ending[0]); cut && b.Listings(one+ending[1]) > 0 {
			return true
		}
	}
	return false
}

// slight says whether it takes no more than what hands do all the time.
func (w Word) slight() bool { return w.Edits == 1 && w.Cost <= lightest }

// parted are the words that a model number may be: hp-printer is none, and some write corei7.
func (b *Book) parted(w Typed) []option {
	var out []option
	if len(w.Halves) > 0 {
		out = append(out, option{used: 1, cost: costHalves, text: strings.Join(w.Halves, " "), apart: true})
	}
	if len(w.Parts) < 2 {
		return out
	}
	o := option{used: 1, cost: costParts, apart: true, written: true}
	said := make([]string, len(w.Parts))
	for i, part := range w.Parts {
		if said[i] = part.Text; b.unknown(part) {
			near := b.Near(part.Text, 1)
			if len(near) == 0 || near[0].Listings < leastListings {
				return out
			}
			said[i] = near[0].Text
			o.cost += near[0].Cost
		}
	}
	o.text = strings.Join(said, " ")
	return append(out, o)
}

// split are the two words that one may have been, each of which listings have; one of them may
// have a slip.
func (b *Book) split(text string) []option {
	var out []option
	if !takes(text) {
		return nil
	}
	for i := range text {
		left, right := text[:i], text[i:]
		if utf8.RuneCountInString(left) < leastPart || utf8.RuneCountInString(right) < leastPart {
			continue
		}
		l, r := b.Listings(left), b.Listings(right)
		switch {
		case l >= leastListings && r >= leastListings:
			row := pair(left, right, costSplit, l, r)
			loose := row
			loose.cost, loose.apart = loose.cost+costLoose, true
			out = append(out, row, loose)
		case l >= leastListings:
			for _, near := range b.Near(right, 1) {
				out = append(out, pair(left, near.Text, costSplit+float64(near.Edits), l, near.Listings))
			}
		case r >= leastListings:
			for _, near := range b.Near(left, 1) {
				out = append(out, pair(near.Text, right, costSplit+float64(near.Edits), near.Listings, r))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b option) int { return cmp.Compare(a.cost, b.cost) })
	return out[:min(len(out), nearEnough)]
}

func pair(left, right string, cost float64, l, r int) option {
	cost -= perListings * math.Log10(min(float64(l), float64(r), mostListings))
	if min(utf8.RuneCountInString(left), utf8.RuneCountInString(right)) < shortest {
		cost += .5 // every word begins with some word of two letters
	}
	return option{used: 1, cost: cost, text: left + " " + right}
}

// joined is the one word that two may have been; it may have a slip if one of them is not known.
func (b *Book) joined(left, right Typed) []option {
	text, known := left.Text+right.Text, !b.unknown(left) && !b.unknown(right)
	if n := b.Listings(text); n >= leastListings {
		return []option{{used: 2, cost: costJoin - perListings*math.Log10(min(float64(n), mostListings)), text: text, known: known}}
	}
	if left.Listings > 0 && right.Listings > 0 {
		return nil
	}
	near := b.Near(text, 1)
	if len(near) == 0 || near[0].Listings < leastListings {
		return nil
	}
	return []option{{used: 2, cost: costJoin + near[0].Cost, text: near[0].Text}}
}
