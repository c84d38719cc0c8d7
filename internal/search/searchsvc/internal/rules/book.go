package rules

import (
	"cmp"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/words"
)

// How much words count that a rule has put beside those typed.
const (
	synonym  = .9
	expanded = .8
)

// Book is rules as queries need them. It does not change.
type Book struct {
	Edition int64 // that the rules were read at

	finds   map[string][]find      // by key: what is found too
	places  map[string][]Place     // by key
	stops   map[string]search.Rule // by term
	longest int                    // terms of the longest key of finds
}

type find struct {
	alt  words.Alt
	text string
	rule search.Rule
}

// Place says where a listing stands.
type Place struct {
	Listing catalog.ListingID
	At      int32 // 0 is the end
	Rule    search.Rule
}

// Applied says that a rule was about a query.
type Applied struct {
	Rule search.Rule
	Word string // of the query
}

// NewBook is rules for queries.
func NewBook(edition int64, all []search.Rule) *Book {
	b := &Book{Edition: edition, finds: map[string][]find{}, places: map[string][]Place{}, stops: map[string]search.Rule{}}
	for _, r := range all {
		switch r.Kind {
		case search.RuleSynonyms:
			for i, from := range r.Words {
				others := slices.Delete(slices.Clone(r.Words), i, i+1)
				b.find(r, from, others, synonym)
			}
		case search.RuleExpansion:
			b.find(r, r.Query, r.Words, expanded)
		case search.RulePin:
			b.place(r, r.Place)
		case search.RuleBury:
			b.place(r, 0)
		case search.RuleStop:
			b.stops[key(words.Parse(r.Query).Terms)] = r
		default: // of a later release
		}
	}
	for _, some := range b.places {
		slices.SortFunc(some, func(a, b Place) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Listing, b.Listing)) })
	}
	return b
}

func (b *Book) find(r search.Rule, from string, others []string, weight float64) {
	terms := words.Parse(from).Terms
	at := key(terms)
	if at == "" {
		return
	}
	b.longest = max(b.longest, len(terms))
	for _, other := range others {
		if row := rowOf(words.Parse(other).Terms); len(row) > 0 {
			b.finds[at] = append(b.finds[at], find{alt: words.Alt{Terms: row, Weight: weight}, text: other, rule: r})
		}
	}
}

func (b *Book) place(r search.Rule, at int32) {
	name := Key(words.Parse(r.Query))
	one := Place{Listing: r.Listing, At: at, Rule: r}
	for i, other := range b.places[name] {
		if other.Listing == r.Listing { // of two that were made before they were known for the same, the later holds
			if cmp.Or(cmp.Compare(other.Rule.ChangedAt, r.ChangedAt), cmp.Compare(other.Rule.ID, r.ID)) < 0 {
				b.places[name][i] = one
			}
			return
		}
	}
	b.places[name] = append(b.places[name], one)
}

// Key is equal for queries that a rule takes for the same.
func Key(q words.Query) string { return key(q.Terms) }

func key(terms []words.Term) string { return strings.Join(rowOf(terms), " ") }

// Beginning is what stands behind a term in a row that stands for all that begin so. It is in no term.
const Beginning = "*"

// rowOf are the terms that were typed, in a row.
func rowOf(terms []words.Term) []string {
	var row []string
	for _, t := range terms {
		if t.Prefix {
			row = append(row, t.Any[0].Terms[0]+Beginning)
			continue
		}
		row = append(row, t.Any[0].Terms...)
	}
	return row
}

// Places are the listings that have a place in what q finds: pins by place, then burials.
func (b *Book) Places(q words.Query) (pins, buried []Place) {
	for _, p := range b.places[Key(q)] {
		if p.At > 0 {
			pins = append(pins, p)
		} else {
			buried = append(buried, p)
		}
	}
	return pins, buried
}

// Apply leaves out of q what does not count, puts beside its words what is found too, and says by
// which rules. What q shares with others is not changed.
func (b *Book) Apply(q *words.Query) []Applied {
	applied := b.leaveOut(q)
	typed := slices.Clone(q.Terms)
	for i := range typed {
		for n := min(b.longest, len(typed)-i); n > 0; n-- {
			some := typed[i : i+n]
			for _, f := range b.finds[key(some)] {
				for j := range some {
					t := &q.Terms[i+j]
					if !slices.ContainsFunc(t.Any, func(a words.Alt) bool { return slices.Equal(a.Terms, f.alt.Terms) }) {
						t.Any = append(slices.Clip(t.Any), f.alt)
					}
				}
				applied = append(applied, Applied{Rule: f.rule, Word: spoken(some)})
			}
		}
	}
	return applied
}

// leaveOut takes out of q the words that do not count, unless there are no others.
func (b *Book) leaveOut(q *words.Query) (applied []Applied) {
	if len(b.stops) == 0 {
		return nil
	}
	var kept []words.Term
	for _, t := range q.Terms {
		if rule, ok := b.stops[key([]words.Term{t})]; ok && !t.Prefix && len(t.Phrase) == 0 {
			applied = append(applied, Applied{Rule: rule, Word: t.Word})
			continue
		}
		kept = append(kept, t)
	}
	if len(kept) == 0 {
		return nil
	}
	q.Terms = kept
	return applied
}

func spoken(terms []words.Term) string {
	said := make([]string, len(terms))
	for i, t := range terms {
		said[i] = t.Word
	}
	return strings.Join(said, " ")
}

// About says whether a rule is about a word, by itself or among others.
func (b *Book) About(q words.Query) bool {
	for i := range q.Terms {
		for n := min(b.longest, len(q.Terms)-i); n > 0; n-- {
			if len(b.finds[key(q.Terms[i:i+n])]) > 0 {
				return true
			}
		}
	}
	return len(b.places[Key(q)]) > 0
}
