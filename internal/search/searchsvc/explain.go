package searchsvc

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/ranking"
)

// maxExplained is how far down a place is told.
const maxExplained = 1000

// Explain says why a listing stands where it does.
func (s *Service) Explain(ctx context.Context, r search.ExplainRequest) (_ search.ExplainReply, err error) {
	defer s.done("explain", &err)
	if err := mayRule(r.By); err != nil {
		return search.ExplainReply{}, err
	}
	var p errs.Problems
	p.Check(catalog.ListingIDs.Valid(r.Listing), "listing", "should be the id of a listing, as in lst_…")
	if err := p.Err(search.ErrInvalid); err != nil {
		return search.ExplainReply{}, err
	}
	a, err := askOf(search.QueryRequest{Text: r.Text, Filter: r.Filter, Sort: sortOf(r.Sort), Exact: &r.Exact})
	if err != nil {
		return search.ExplainReply{}, err
	}
	a.size = maxExplained
	var reply search.ExplainReply
	err = s.read(ctx, func(v view) error {
		reply, err = v.explain(a, r.Listing)
		return err
	})
	return reply, err
}

func (v view) explain(a ask, listing catalog.ListingID) (reply search.ExplainReply, err error) {
	d, err := v.desk()
	if err != nil {
		return reply, err
	}
	docs, err := v.selectDocs(v.q, []catalog.ListingID{listing})
	if err != nil {
		return reply, err
	}
	doc, known := docs[listing]
	if !known {
		return reply, search.ErrNotFound.With("search has never heard of listing %s", listing)
	}
	l, said, err := d.settled(a)
	if err != nil {
		return reply, err
	}
	defer l.free()
	reply.Corrected, reply.Also, reply.Rules = said.corrected, l.also, l.ruling(doc)
	return reply, v.s.locked(func() error {
		l.run()
		page, _, _ := l.page()
		reply.Place = int64(1 + slices.IndexFunc(page, func(r ranked) bool { return r.doc == doc }))
		reply.Found = int64(doc) <= v.marks.Docs && docset.Test(l.all, doc)
		r := l.ranker()
		defer r.free()
		l.why(r, doc, &reply)
		return nil
	})
}

// sortOf is the order that is asked for; relevance if none is.
func sortOf(asked *search.Sort) search.Sort {
	if asked == nil {
		return search.SortRelevance
	}
	return *asked
}

// explainHits explains each hit of a page that has run.
func (d desk) explainHits(a ask, l sighted, corrected string, page []ranked, hits []search.Hit) error {
	places, err := d.placesFrom(a, page)
	if err != nil {
		return err
	}
	return d.s.locked(func() error {
		r := l.ranker()
		defer r.free()
		for i := range hits {
			doc := page[i].doc
			reply := search.ExplainReply{Corrected: corrected, Also: l.also, Rules: l.ruling(doc), Found: true, Place: places[doc]}
			l.why(r, doc, &reply)
			hits[i].Explanation = &reply
		}
		return nil
	})
}

// placesFrom are the places of a page's listings. Those of a page after the first are counted from the first one on, as far as
// places are told.
func (d desk) placesFrom(a ask, page []ranked) (map[uint32]int64, error) {
	if a.after != nil {
		a.after, a.size = nil, maxExplained
		l, _, err := d.settled(a)
		if err != nil {
			return nil, err
		}
		defer l.free()
		_ = d.s.locked(func() error {
			l.run()
			page, _, _ = l.page()
			return nil
		})
	}
	places := make(map[uint32]int64, len(page))
	for i, r := range page {
		places[r.doc] = int64(i + 1)
	}
	return places, nil
}

// ruling are the rules that had a say about a listing.
func (l sighted) ruling(doc uint32) []search.Rule {
	var all []search.Rule
	for _, one := range l.applied {
		if !slices.ContainsFunc(all, func(r search.Rule) bool { return r.ID == one.Rule.ID }) {
			all = append(all, one.Rule)
		}
	}
	for _, one := range append(slices.Clone(l.places.pins), l.places.buried...) {
		if one.doc == doc {
			all = append(all, one.rule.Rule)
		}
	}
	return all
}

// why fills in words, score and what is missing. The shelf is locked for reading.
func (w *walk) why(r *ranker, doc uint32, reply *search.ExplainReply) {
	reply.Total, reply.AnyWord = w.total, w.anyWord
	w.explainWords(doc, reply)
	switch {
	case !reply.Found:
		reply.Missing = w.missing(doc, reply)
	case w.sort == search.SortRelevance && len(w.asked) > 0:
		w.explainScore(r, doc, reply)
	}
}

// explainScore adds the parts of the score. The shelf is locked for reading.
func (w *walk) explainScore(r *ranker, doc uint32, reply *search.ExplainReply) {
	var why ranking.Explanation
	reply.Score = thousandths(r.score(doc, &why))
	for _, p := range why.Parts {
		part := search.ScorePart{Name: p.Name, Score: thousandths(p.Value)}
		if p.Term >= 0 && p.Term < len(w.asked) {
			part.Word = w.asked[p.Term].Word
		}
		reply.Parts = append(reply.Parts, part)
	}
}

func thousandths(v float32) int64 { return int64(math.Round(float64(v) * 1000)) }

// explainWords says of each word where the listing has it.
func (w *walk) explainWords(doc uint32, reply *search.ExplainReply) {
	for i := range w.asked {
		a := &w.asked[i]
		word := search.ExplainedWord{Word: a.Word}
		in := map[string]bool{}
		for _, p := range a.parts {
			way := strings.Join(p.Terms, " ")
			word.Ways = append(word.Ways, way)
			if !p.rows.Has(doc) {
				continue
			}
			word.Has = append(word.Has, way)
			head := false
			for _, term := range p.Terms {
				at, known := w.lexicon.at[term]
				if !known {
					continue
				}
				for name, terms := range map[string][]uint32{
					"title": w.termsOf(doc), "brand": w.inBrand[w.traits[doc].brand], "category": w.inNode[w.traits[doc].node],
				} {
					if slices.Contains(terms, at) {
						in[name], head = true, true
					}
				}
			}
			in["text"] = in["text"] || !head
		}
		for _, name := range []string{"title", "brand", "category", "text"} {
			if in[name] {
				word.Fields = append(word.Fields, name)
			}
		}
		reply.Words = append(reply.Words, word)
	}
}

// missing is why a listing is not found, in words.
func (w *walk) missing(doc uint32, reply *search.ExplainReply) []string {
	var out []string
	switch {
	case !docset.Test(w.shown, doc):
		return []string{"it is not on offer: not active, or without anything to buy"}
	case !docset.Test(w.visible, doc):
		return []string{"its seller is not approved"}
	}
	without := 0
	for _, word := range reply.Words {
		if len(word.Has) == 0 {
			without++
			out = append(out, fmt.Sprintf("it has no %q", word.Word))
		}
	}
	if w.anyWord && without < len(reply.Words) {
		out = nil // any would have done
	}
	for _, n := range w.narrow {
		if !docset.Test(n.pass, doc) {
			out = append(out, fmt.Sprintf("the filter by %s leaves it out", n.by))
		}
	}
	return out
}
