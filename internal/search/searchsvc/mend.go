package searchsvc

import (
	"slices"
	"strings"
	"unicode/utf8"

	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/bloom"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/spelling"
	"souk/internal/search/searchsvc/internal/words"
)

// When another text is offered beside results: there are at most so many, and the other has at
// least so many times more.
const (
	fewListings   = 4
	manyTimes     = 10
	mentionedOnce = 1 // by a seller, in a text: it may be his slip, and what has many more is shown behind, whatever the slip
)

// said is what is told of a text that was not searched for as it is, or need not have been.
type said struct {
	corrected string
	meant     string
	alone     mended // what one listing alone says, which is no correction: to be offered
}

// settled is what was found of all words, of the text as typed or of the one that was probably
// meant.
func (d desk) settled(a ask) (l sighted, s said, err error) {
	if a.after != nil { // as the page before
		text, asked := a.text, a.words
		if a.after.Text != "" {
			text, asked = a.after.Text, words.Parse(a.after.Text)
		}
		l, err = d.lookFor(a, text, asked, a.after.Also)
		return l, said{corrected: a.after.Text}, err
	}
	l, err = d.look(a, a.text, a.words)
	if err != nil || a.exact || len(l.asked) == 0 || len(l.places.pins) > 0 {
		return l, s, err
	}
	unnamed := false
	if l.whole > 0 && d.mayGuess(a, l) {
		_ = d.s.locked(func() error {
			unnamed = !l.named()
			return nil
		})
	}
	if l.whole > fewListings && !unnamed {
		return l, s, nil
	}
	m, found, err := d.mend(a.text)
	if err != nil {
		l.free()
		return l, s, err
	}
	if !found {
		s.alone = m
		return l, s, nil
	}
	if unnamed {
		behind := m.slight()
		if l.whole == mentionedOnce && m.hasMany(l) && m.ofLong() {
			behind = append(behind, m.Correction)
		}
		l, err = d.behind(a, l, a.words, behind, m)
		if err != nil || l.also != "" {
			return l, s, err
		}
	}
	if l.whole > 0 {
		if l.whole <= fewListings && m.hasMany(l) {
			s.meant = m.text(m.Correction)
		}
		return l, s, nil
	}
	l.free()
	return d.instead(a, m)
}

// instead is what was found of the text that was probably meant.
func (d desk) instead(a ask, m mended) (l sighted, s said, err error) {
	other := m.text(m.Correction)
	asked := words.Parse(other)
	l, err = d.look(a, other, asked)
	s.corrected = other
	if err == nil && l.whole > 0 && d.mayGuess(a, l) {
		l, err = d.behind(a, l, asked, m.Others, m)
	}
	if err != nil || l.also != "" || l.whole > fewListings {
		return l, s, err
	}
	// A slip that a listing has too was left as it is.
	better, found, err := d.mend(other)
	if err != nil {
		l.free()
		return l, s, err
	}
	if found && better.Listings >= int64(manyTimes*max(l.whole, 1)) {
		s.meant = better.text(better.Correction)
	}
	return l, s, nil
}

// mended is a text that was probably meant by one that was typed.
type mended struct {
	spelling.Correction
	typed  string
	tokens []words.Token
}

// text is what was typed as a correction of it has it.
func (m mended) text(c spelling.Correction) string { return rewritten(m.typed, m.tokens, c.Changes) }

// hasMany says whether many times more listings have what was meant than have what was typed.
func (m mended) hasMany(l sighted) bool { return m.Listings >= int64(manyTimes*l.whole) }

// ofLong says whether no short word is changed: these are near to everything.
func (m mended) ofLong() bool {
	const long = 4
	return !slices.ContainsFunc(m.Changes, func(c spelling.Change) bool { return utf8.RuneCountInString(m.tokens[c.First].Word) < long })
}

// slight are the corrections that take no more than what hands do all the time.
func (m mended) slight() []spelling.Correction {
	all := append([]spelling.Correction{m.Correction}, m.Others...)
	return slices.DeleteFunc(all, func(c spelling.Correction) bool { return !c.Slight })
}

// mend is the text that was probably meant. If none is found, m may still be what one listing alone says.
func (d desk) mend(text string) (m mended, found bool, err error) {
	tokens := wholeWords(text)
	if len(tokens) > spelling.MaxWords {
		return m, false, nil
	}
	typed := make([]spelling.Typed, len(tokens))
	for i, t := range tokens {
		there, err := d.countOf(t.Term)
		if err != nil {
			return m, false, err
		}
		w := spelling.Typed{Text: t.Word, Listings: there, Fixed: fixed(text, t) || d.rules.About(words.Parse(t.Word))}
		if w.Code = t.Glued || hasDigit(t.Word); w.Code && !w.Fixed && w.Listings == 0 {
			_ = d.s.locked(func() error {
				w.Also = d.shelf.lexicon.codesNear(w.Text)
				w.Halves = d.shelf.lexicon.halves(w.Text)
				return nil
			})
			if w.Parts, err = d.parts(text[t.From:t.To]); err != nil {
				return m, false, err
			}
		}
		typed[i] = w
	}
	if err := d.elsewhere(typed); err != nil {
		return m, false, err
	}
	var p spelling.Proposals
	_ = d.s.locked(func() error {
		p = d.shelf.spelling.Propose(typed)
		return nil
	})
	m = mended{typed: text, tokens: tokens}
	m.Correction, found, err = p.Choose(func(all []string) (spelling.Matches, error) { return d.matches(spell(all)) })
	return m, found, err
}

// countOf is how many listings have a term: not of numbers given up, since a slip that its seller has put right is known no more.
func (d desk) countOf(term string) (n int64, err error) {
	have, err := d.having(d.shelf, term)
	if err != nil {
		return 0, err
	}
	_ = d.s.locked(func() error {
		n = int64(have.CountIn(d.shelf.visible))
		return nil
	})
	return n, nil
}

// elsewhere looks for words that only descriptions have, which the vocabulary does not know, near
// those typed that have nothing near in it.
func (d desk) elsewhere(typed []spelling.Typed) error {
	looks := maxLooks
	for i := range typed {
		t := &typed[i]
		if t.Fixed || t.Code || t.Listings > 0 || d.near(t.Text) {
			continue
		}
		for _, text := range d.said(spelling.Slips(t.Text)) {
			if text[0] != t.Text[0] && text[0] != t.Text[1] && text[1:] != t.Text {
				continue // people get the first letter right, swap it or leave it out
			}
			if looks--; looks < 0 {
				return nil
			}
			term := words.Tokens(nil, text)[0].Term
			docs, err := d.documents(d.q, term, 0, d.marks.Docs)
			if err != nil {
				return err
			}
			if len(docs) >= leastElsewhere {
				t.Also = append(t.Also, spelling.Slip(t.Text, text, len(docs)))
			}
		}
		t.Also = spelling.Likely(t.Also, maxAlso)
	}
	return nil
}

// Words of descriptions are full of slips: one that is offered stands in several.
const (
	leastElsewhere = 3
	maxAlso        = 4
	maxLooks       = 100 // into the index, for one text: far more than there are words so near, unless these are millions
)

// said are those of some words that descriptions have, as far as can be told without a look into the index.
func (d desk) said(all []string) (some []string) {
	_ = d.s.locked(func() error {
		some = slices.DeleteFunc(all, func(word string) bool { return !d.shelf.said.Has(bloom.Hash(word)) })
		return nil
	})
	return some
}

// near says whether the vocabulary has a word near this one.
func (d desk) near(text string) (near bool) {
	_ = d.s.locked(func() error {
		found := d.shelf.spelling.Near(text, 1)
		near = len(found) > 0 && found[0].Edits == 1
		return nil
	})
	return near
}

// fixed says whether a word of the text stays as it is: between quotation marks, or with a star.
func fixed(text string, t words.Token) bool {
	quotes := 0
	for _, r := range text[:t.From] {
		if strings.ContainsRune(`"“”„«»`, r) {
			quotes++
		}
	}
	return quotes%2 == 1 || strings.HasPrefix(text[t.To:], "*")
}

// spell is words as a text; those in a row are quoted.
func spell(all []string) string {
	said := make([]string, len(all))
	for i, w := range all {
		if said[i] = w; strings.Contains(w, " ") {
			said[i] = `"` + w + `"`
		}
	}
	return strings.Join(said, " ")
}

// rewritten is the text with some of its words changed.
func rewritten(text string, tokens []words.Token, changes []spelling.Change) string {
	var out strings.Builder
	at := 0
	for _, c := range changes {
		out.WriteString(text[at:tokens[c.First].From])
		out.WriteString(punctuated(text[tokens[c.First].From:tokens[c.Last].To], c.Text))
		at = tokens[c.Last].To
	}
	out.WriteString(text[at:])
	return tidy(out.String())
}

// tidy is a text with single spaces.
func tidy(text string) string { return strings.Join(strings.Fields(text), " ") }

// matches counts the listings that have all words of a text, and those that have them in the head.
func (d desk) matches(text string) (m spelling.Matches, err error) {
	l, err := d.look(ask{}, text, words.Parse(text))
	if err != nil {
		return m, err
	}
	defer l.free()
	if len(l.asked) == 0 {
		return m, nil
	}
	err = d.s.locked(func() error {
		m.Listings = int64(l.whole)
		for i := range l.asked {
			l.asked[i].head.And(l.base)
		}
		m.Titles = int64(docset.Count(l.base))
		return nil
	})
	return m, err
}

// countAll counts the listings that have all words of a text and pass the filter.
func (d desk) countAll(text string, filter search.Filter) (int64, error) {
	l, err := d.look(ask{filter: filter}, text, words.Parse(text))
	if err != nil {
		return 0, err
	}
	defer l.free()
	if len(l.asked) == 0 {
		return 0, nil
	}
	err = d.s.locked(func() error {
		l.prepare()
		return nil
	})
	return int64(docset.Count(l.all)), err
}
