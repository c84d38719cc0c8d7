package searchsvc

import (
	"souk/internal/search/searchsvc/internal/words"
)

// understood is what a text is taken to ask for.
type understood struct {
	words.Query
}

// understand makes of the words of a text what is looked for: what a beginning may become.
// The shelf is locked for reading.
func (s *Service) understand(sh *shelf, asked words.Query) understood {
	u := understood{Query: words.Query{Terms: make([]words.Term, len(asked.Terms))}}
	copy(u.Terms, asked.Terms)
	for i := range u.Terms {
		t := &u.Terms[i]
		if !t.Prefix {
			continue
		}
		begin := t.Any[0].Terms[0]
		t.Any = nil
		for _, term := range sh.lexicon.beginning(begin) {
			t.Any = append(t.Any, words.Alt{Terms: []string{term}, Weight: 1})
		}
		if len(t.Any) == 0 { // it may stand in descriptions
			t.Any = []words.Alt{{Terms: []string{begin}, Weight: 1}}
		}
	}
	return u
}
