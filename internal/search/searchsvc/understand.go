package searchsvc

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/words"
)

// understood is what a text is taken to ask for.
type understood struct {
	words.Query
	applied []rules.Applied // the rules that changed it
	taken   [][]words.Alt   // by word: what the vocabulary added; nil if that is nothing at all
}

// maxTaken is how many alternatives the vocabulary adds to a query at most, whatever its beginnings may become: each
// is a look into the index.
const maxTaken = 64

// understand makes of the words of a text what is looked for: what a beginning may become, what
// is written together or apart, what operators said. What the vocabulary adds is found for the first page, and
// given for those after it, since words may have come and gone meanwhile. The shelf is locked for reading.
func (sh *shelf) understand(book *rules.Book, asked words.Query, taken [][]words.Alt) understood {
	u := understood{Query: words.Query{Terms: slices.Clone(asked.Terms)}, taken: taken}
	for i := range u.Terms {
		u.Terms[i].Any = slices.Clip(u.Terms[i].Any) // what is added is not the text's
	}
	u.applied = book.Apply(&u.Query)
	for i := range u.Terms {
		u.Terms[i].Any = sh.spellOut(u.Terms[i].Any)
	}
	if len(u.taken) != len(u.Terms) {
		u.taken = sh.alternatives(u.Query)
	}
	for i := range u.Terms {
		t, some := &u.Terms[i], u.taken[i]
		switch {
		case !t.Prefix:
			t.Any = append(t.Any, some...)
		case len(some) > 0: // the beginning stands for these, and for itself only where descriptions may have it
			t.Any = slices.Concat(some, t.Any[1:])
		}
	}
	return u
}

// mostRows is for how many rows of terms a beginning in a rule's words stands.
const mostRows = 64

// spellOut puts for what rules say of beginnings (lap*, or one letter of a script without spaces) the terms that begin so.
func (sh *shelf) spellOut(alts []words.Alt) []words.Alt {
	begins := func(term string) bool { return strings.HasSuffix(term, rules.Beginning) }
	if !slices.ContainsFunc(alts, func(a words.Alt) bool { return slices.ContainsFunc(a.Terms, begins) }) {
		return alts
	}
	var out []words.Alt
	for _, a := range alts {
		rows := [][]string{nil}
		for _, term := range a.Terms {
			last := []string{term}
			if begin, ok := strings.CutSuffix(term, rules.Beginning); ok {
				if last = sh.lexicon.beginning(begin, maxBegun); len(last) == 0 {
					last = []string{begin} // it may stand in descriptions
				}
			}
			var longer [][]string
			for _, row := range rows {
				for _, one := range last[:min(len(last), mostRows/len(rows))] {
					longer = append(longer, append(slices.Clip(row), one))
				}
			}
			rows = longer
		}
		for _, row := range rows {
			out = append(out, words.Alt{Terms: row, Weight: a.Weight})
		}
	}
	return out
}

// alternatives are by word what the vocabulary has for it besides what was typed.
func (sh *shelf) alternatives(q words.Query) [][]words.Alt {
	taken := make([][]words.Alt, len(q.Terms))
	with := words.Query{Terms: slices.Clone(q.Terms)}
	begun := 0
	for i := range with.Terms {
		with.Terms[i].Any = slices.Clip(with.Terms[i].Any)
		if with.Terms[i].Prefix || sh.begins(&with.Terms[i]) {
			begun++
		}
	}
	words.Compounds(&with, sh.lexicon.count)
	for i := range with.Terms {
		t := &with.Terms[i]
		if other, ok := t.Rounded(); ok && sh.lexicon.count(t.Any[0].Terms[0]) < enoughExact {
			t.Any = append(t.Any, other)
		}
		taken[i] = t.Any[len(q.Terms[i].Any):]
		weight := 1.0
		switch {
		case t.Prefix:
		case sh.begins(t):
			weight = weightOfModel
		default:
			continue
		}
		for _, term := range sh.lexicon.beginning(t.Any[0].Terms[0], min(maxBegun, maxTaken/begun)) {
			taken[i] = append(taken[i], words.Alt{Terms: []string{term}, Weight: weight})
		}
	}
	return taken
}

// The first part of a model number stands for those that begin so, where it is in no title itself.
const (
	leastOfModel  = 4  // letters and digits that say which it is
	weightOfModel = .8 // they are not quite what was typed
)

// enoughExact is how many titles say 3.0 for those that have a 3 to be left aside: a page of them is better than cables of 3 m.
const enoughExact = 10

// begins says whether a word is the beginning of a model number (dv7-1211), which stands for what it may be of
// (dv7-1211ea).
func (sh *shelf) begins(t *words.Term) bool {
	if len(t.Any) == 0 || len(t.Any[0].Terms) != 1 || len(t.Phrase) > 0 {
		return false
	}
	begin := t.Any[0].Terms[0]
	digits := strings.ContainsFunc(begin, unicode.IsDigit)
	letters := strings.ContainsFunc(begin, unicode.IsLetter)
	return digits && letters && utf8.RuneCountInString(begin) >= leastOfModel && sh.lexicon.count(begin) == 0
}

// ruleBook is what operators said, as the snapshot has it.
func (s *Service) ruleBook(q store.Queryer) (*rules.Book, error) {
	edition, err := selectRulesEdition(q)
	if err != nil {
		return nil, err
	}
	if book := s.rules.Load(); book != nil && book.Edition == edition {
		return book, nil
	}
	all, err := selectRules(q)
	if err != nil {
		return nil, err
	}
	book := rules.NewBook(edition, all)
	s.rules.Store(book)
	return book, nil
}
