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
}

// understand makes of the words of a text what is looked for: what a beginning may become, what
// is written together or apart, what operators said. The shelf is locked for reading.
func (sh *shelf) understand(book *rules.Book, asked words.Query) understood {
	u := understood{Query: words.Query{Terms: slices.Clone(asked.Terms)}}
	for i := range u.Terms {
		u.Terms[i].Any = slices.Clip(u.Terms[i].Any) // what is added is not the text's
	}
	u.applied = book.Apply(&u.Query)
	for i := range u.Terms {
		u.Terms[i].Any = sh.spellOut(u.Terms[i].Any)
	}
	words.Compounds(&u.Query, sh.lexicon.count)
	for i := range u.Terms {
		t := &u.Terms[i]
		if !t.Prefix {
			sh.complete(t)
			continue
		}
		begin, added := t.Any[0].Terms[0], t.Any[1:]
		t.Any = nil
		for _, term := range sh.lexicon.beginning(begin) {
			t.Any = append(t.Any, words.Alt{Terms: []string{term}, Weight: 1})
		}
		if len(t.Any) == 0 { // it may stand in descriptions
			t.Any = []words.Alt{{Terms: []string{begin}, Weight: 1}}
		}
		t.Any = append(t.Any, added...) // by rules
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
				if last = sh.lexicon.beginning(begin); len(last) == 0 {
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

// The first part of a model number stands for those that begin so, where it is in no title itself.
const (
	leastOfModel  = 4  // letters and digits that say which it is
	weightOfModel = .8 // they are not quite what was typed
)

// complete adds to the beginning of a model number (dv7-1211) what it may be of (dv7-1211ea).
func (sh *shelf) complete(t *words.Term) {
	if len(t.Any) == 0 || len(t.Any[0].Terms) != 1 || len(t.Phrase) > 0 {
		return
	}
	begin := t.Any[0].Terms[0]
	digits := strings.ContainsFunc(begin, unicode.IsDigit)
	letters := strings.ContainsFunc(begin, unicode.IsLetter)
	if !digits || !letters || utf8.RuneCountInString(begin) < leastOfModel || sh.lexicon.count(begin) > 0 {
		return
	}
	for _, term := range sh.lexicon.beginning(begin) {
		t.Any = append(t.Any, words.Alt{Terms: []string{term}, Weight: weightOfModel})
	}
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
