// Package rules is what operators tell search about words and places: what a rule may say, and
// how rules are written in a file.
//
// A file has one rule a line; empty lines and what follows a # do not count:
//
//	same: notebook, laptop, portable computer
//	also: tv > television, flat screen
//	pin: desk lamp > lst_01k5xk3v8dtq6c9m4j0e7r2a1b at 1
//	bury: desk lamp > lst_01k5xk3v8dtq6c9m4j0e7r2a1c
//	stop: the
package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/words"
)

// Clean is r without what does not matter: spaces, words said twice, fields that its kind does
// not have.
func Clean(r search.Rule) search.Rule {
	out := search.Rule{ID: r.ID, Kind: r.Kind, Version: r.Version, ChangedAt: r.ChangedAt}
	if r.Kind != search.RuleSynonyms {
		out.Query = tidy(r.Query)
	}
	if r.Kind == search.RuleSynonyms || r.Kind == search.RuleExpansion {
		seen := map[string]bool{"": true, fold(out.Query): true}
		for _, w := range r.Words {
			if w = tidy(w); !seen[fold(w)] {
				seen[fold(w)] = true
				out.Words = append(out.Words, w)
			}
		}
	}
	if r.Kind == search.RulePin || r.Kind == search.RuleBury {
		out.Listing = r.Listing
	}
	if r.Kind == search.RulePin {
		out.Place = max(r.Place, 1)
	}
	return out
}

// tidy is text with single spaces, and without the signs that separate in a file.
func tidy(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, " "), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(",>#", r)
	}), " ")
}

func fold(text string) string { return strings.ToLower(text) }

// Check says everything that is wrong with a clean rule.
func Check(r search.Rule, p *errs.Problems) {
	inQuery := r.Kind != search.RuleSynonyms
	p.Check(!inQuery || hasWords(r.Query), "query", "should have a word")
	p.Check(utf8.RuneCountInString(r.Query) <= search.MaxRuleText, "query", "may have %d characters", search.MaxRuleText)
	for i, w := range r.Words {
		at := fmt.Sprintf("words[%d]", i)
		p.Check(hasWords(w), at, "should have a letter or a digit")
		p.Check(utf8.RuneCountInString(w) <= search.MaxRuleText, at, "may have %d characters", search.MaxRuleText)
	}
	p.Check(len(r.Words) <= search.MaxRuleWords, "words", "may be %d", search.MaxRuleWords)
	switch r.Kind {
	case search.RuleSynonyms:
		p.Check(len(r.Words) >= 2, "words", "should be two or more that mean the same")
	case search.RuleExpansion:
		p.Check(len(r.Words) >= 1, "words", "should be one or more that are found too")
	case search.RulePin, search.RuleBury:
		p.Check(catalog.ListingIDs.Valid(r.Listing), "listing", "should be the id of a listing, as in lst_…")
		p.Check(r.Place <= search.MaxPlace, "place", "should be 1 to %d", search.MaxPlace)
	case search.RuleStop:
		p.Check(isWord(r.Query), "query", "should be one whole word")
	default:
		p.Add("kind", "should be synonyms, expansion, pin, bury or stop")
	}
}

// isWord says whether a query has text as one word that can be left out. laptop-bag is two, and one letter of a script
// without spaces stands for all words that begin with it.
func isWord(text string) bool {
	terms := words.Parse(text).Terms
	return len(strings.Fields(text)) == 1 && len(terms) == 1 && !terms[0].Prefix && len(terms[0].Phrase) == 0
}

func hasWords(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) >= 0
}

// Print is equal for rules that say the same, or that could not both hold: a listing has one
// place in what a query finds.
func Print(r search.Rule) string {
	said := slices.Clone(r.Words)
	for i := range said {
		said[i] = fold(said[i])
	}
	slices.Sort(said)
	kind, query := r.Kind, fold(r.Query)
	if kind == search.RuleBury {
		kind = search.RulePin
	}
	if kind == search.RulePin {
		query = cmp.Or(Key(words.Parse(r.Query)), query) // however it is spelt
	}
	return strings.Join([]string{string(kind), query, strings.Join(said, ","), string(r.Listing)}, "|")
}

// Compare is the order in which rules are listed: by kind, and by what they are about.
func Compare(a, b search.Rule) int {
	return SpotOf(a).Compare(SpotOf(b))
}

// Spot is where a rule stands in that order.
type Spot struct {
	Kind  search.RuleKind `json:"k"`
	About string          `json:"a"`
	Place int32           `json:"p"`
	ID    search.RuleID   `json:"i"`
}

// mostOfSpot is how many bytes of what a rule is about its place goes by, or a letter more.
const mostOfSpot = 120

// SpotOf is where r stands.
func SpotOf(r search.Rule) Spot {
	text := fold(about(r))
	for n := range text { // a cursor has it whole
		if n >= mostOfSpot {
			text = text[:n]
			break
		}
	}
	return Spot{Kind: r.Kind, About: text, Place: r.Place, ID: r.ID}
}

// Compare is the order of spots.
func (s Spot) Compare(o Spot) int {
	return cmp.Or(cmp.Compare(s.Kind, o.Kind), cmp.Compare(s.About, o.About), cmp.Compare(s.Place, o.Place), cmp.Compare(s.ID, o.ID))
}

// about is what a rule is about, in words.
func about(r search.Rule) string {
	if r.Kind == search.RuleSynonyms {
		return strings.Join(r.Words, ", ")
	}
	return r.Query
}

// About are the texts that a rule itself names: searches that it changes, if it changes any.
func About(r search.Rule) []string {
	if r.Kind == search.RuleSynonyms {
		return r.Words
	}
	return []string{r.Query}
}

// Has says whether a text is in what the rule says.
func Has(r search.Rule, text string) bool {
	text = fold(tidy(text))
	return strings.Contains(fold(r.Query), text) || strings.Contains(fold(strings.Join(r.Words, ", ")), text) || string(r.Listing) == text
}
