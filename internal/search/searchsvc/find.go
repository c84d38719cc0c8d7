package searchsvc

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/words"
)

// asked is one of the words that were asked for, with the listings that have it.
type asked struct {
	words.Term
	parts []part     // what fits it
	all   docset.Set // anywhere
	head  docset.Set // in title, brand or category
	idf   int32      // how much it says, in idfUnits

	guessed bool // some of what fits it is a guess
}

// part is one way to have a word: a term, or several in a row.
type part struct {
	words.Alt
	sets []docset.Set // of each term, anywhere
	rows docset.Set   // of several in a row: where they stand so
}

// idfUnits are in one: weights are whole numbers, so that a cursor keeps them as they are.
const idfUnits = 64

// find finds the listings of every word.
func (v view) find(sh *shelf, u understood) ([]asked, error) {
	all := make([]asked, len(u.Terms))
	texts := maxTexts
	for i, t := range u.Terms {
		a := &all[i]
		a.Term = t
		for _, alt := range t.Any {
			p := part{Alt: alt}
			for _, term := range alt.Terms {
				set, err := v.having(sh, term)
				if err != nil {
					return nil, err
				}
				p.sets = append(p.sets, set)
			}
			switch {
			case len(p.sets) == 0:
				continue
			case len(p.sets) > 1:
				var err error
				if p.rows, err = v.inARow(sh, p, &texts); err != nil {
					return nil, err
				}
			default:
				p.rows = p.sets[0]
			}
			a.guessed = a.guessed || p.Guess
			a.parts = append(a.parts, p)
		}
		sets := make([]docset.Set, len(a.parts))
		for j := range a.parts {
			sets[j] = a.parts[j].rows
		}
		if len(sets) > 0 {
			a.all = docset.Union(sets, int(v.marks.Docs)+1)
		}
	}
	return all, nil
}

// So many listings are read to see whether their descriptions have words in a row, and for all of a query.
const (
	phraseTexts = 128
	maxTexts    = 4 * phraseTexts
)

// inARow are the listings that have the terms of p one after the other: in the title, or, if
// only few have all of them, in the description. It takes what it reads off texts.
func (v view) inARow(sh *shelf, p part, texts *int) (docset.Set, error) {
	have := docset.Intersection(p.sets)
	var rows docset.Set
	_ = v.s.locked(func() error {
		rows = sh.inTitles(p, have, v.marks.Docs)
		return nil
	})
	if have.Len() > phraseTexts {
		return rows, nil
	}
	var others []uint32
	have.Each(func(doc uint32) {
		if !rows.Has(doc) && int64(doc) <= v.marks.Docs {
			others = append(others, doc)
		}
	})
	if len(others) == 0 || len(others) > *texts {
		return rows, nil
	}
	*texts -= len(others)
	more, err := v.followInTexts(others, p.Terms)
	if err != nil {
		return docset.Set{}, err
	}
	slices.Sort(more)
	return docset.Union([]docset.Set{rows, docset.Of(more, int(v.marks.Docs)+1)}, int(v.marks.Docs)+1), nil
}

// inTitles are those of have, which have all terms of p, whose title has them in a row.
func (s *shelf) inTitles(p part, have docset.Set, upto int64) docset.Set {
	ids := make([]uint32, len(p.Terms))
	for i, term := range p.Terms {
		at, known := s.lexicon.at[term]
		if !known { // in no title
			return docset.Set{}
		}
		ids[i] = at
	}
	set, _ := s.found.extended(rowKey+strings.Join(p.Terms, " "), upto, func(after int64) ([]uint32, error) {
		var rows []uint32
		have.EachAfter(after, func(doc uint32) {
			if int64(doc) <= upto && follow(s.termsOf(doc), ids) {
				rows = append(rows, doc)
			}
		})
		return rows, nil
	})
	return set
}

// follow says whether the wanted follow each other in all.
func follow[T comparable](all, wanted []T) bool {
	for i := 0; i+len(wanted) <= len(all); i++ {
		if slices.Equal(all[i:i+len(wanted)], wanted) {
			return true
		}
	}
	return false
}

// followInTexts are those of docs whose title or description has the terms in a row.
func (v view) followInTexts(docs []uint32, terms []string) ([]uint32, error) {
	query, args, err := store.In(v.texts, docs)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Doc         uint32 `db:"doc"`
		Title       string `db:"title"`
		Description string `db:"description"`
	}
	if err := v.q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("read %d texts: %w", len(docs), err)
	}
	var found []uint32
	var tokens []words.Token
	for _, row := range rows {
		for _, text := range []string{row.Title, row.Description} {
			tokens = words.Tokens(tokens[:0], text)
			said := make([]string, 0, len(tokens))
			for i := range tokens {
				if !tokens[i].Glued {
					said = append(said, tokens[i].Term)
				}
			}
			if follow(said, terms) {
				found = append(found, row.Doc)
				break
			}
		}
	}
	return found, nil
}

// weigh completes what memory knows of the words asked for: where they are in titles, brands and
// categories, and how much each says. The shelf is locked for reading.
func (w *walk) weigh(all []asked, idfs []int32) {
	there := docset.Count(w.visible)
	for i := range all {
		a := &all[i]
		heads := make([]docset.Set, 0, len(a.parts))
		for _, p := range a.parts {
			if len(p.Terms) == 1 {
				heads = append(heads, w.inHeads(p.Terms[0], p.rows, w.marks.Docs))
				continue
			}
			heads = append(heads, w.allInHead(p))
		}
		if len(heads) > 0 {
			a.head = docset.Union(heads, int(w.marks.Docs)+1)
		}
		if i < len(idfs) && len(idfs) == len(all) {
			a.idf = idfs[i] // as the page before had it
		} else {
			a.idf = idfOf(a.all.CountIn(w.visible), there) // not of numbers given up, which a set may still have
		}
	}
}

// allInHead are those of p's listings that have all its terms in title, brand or category.
func (w *walk) allInHead(p part) docset.Set {
	all := func(after int64) (docs []uint32, err error) {
		p.rows.EachAfter(after, func(doc uint32) {
			for _, term := range p.Terms {
				if at, known := w.lexicon.at[term]; !known || !w.inHead(doc, at) {
					return
				}
			}
			docs = append(docs, doc)
		})
		return docs, nil
	}
	if p.rows.Len() <= phraseTexts { // they may stand so in descriptions, which are not looked at again when there are more
		docs, _ := all(-1)
		return docset.Of(docs, int(w.marks.Docs)+1)
	}
	upto := w.marks.Docs
	set, _ := w.found.extended(headKey+rowKey+strings.Join(p.Terms, " "), upto, func(after int64) ([]uint32, error) {
		docs, err := all(after)
		return docs[:sort.Search(len(docs), func(i int) bool { return int64(docs[i]) > upto })], err
	})
	return set
}

// idfOf is how much a word says that so many of all listings have: next to nothing if most do.
func idfOf(have, all int) int32 {
	n, of := float64(have), float64(max(all, have))
	return int32(math.Round(idfUnits * math.Log(1+(of-n+.5)/(n+.5)))) //nolint:gosec // far below 2^31
}
