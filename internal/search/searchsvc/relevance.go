package searchsvc

import (
	"math"
	"slices"

	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/ranking"
)

// What is in order of relevance is looked at twice. By first sight every listing that was found
// has a number: how much of what was asked for is in its title, brand and category, then its
// grade. Those with the highest, some twelve hundred, are looked at closely and come first, in the
// order of their scores; the others follow in the order of their numbers. The number from which
// on listings are looked at closely is found for the first page, and kept in the cursor.

// distant is the group of what was not looked at closely.
const distant = "~"

// lastOfAll is the group of what operators have put last.
const lastOfAll = "~~"

// chooseBest finds the page's best.
func (w *walk) chooseBest() {
	all := w.all
	if len(w.places.pins)+len(w.places.buried) > 0 {
		all = w.setAside()
		defer docset.Free(all)
		defer w.bury()
	}
	sums := docset.Sums(all, w.weights())
	planes := append(sums[:len(sums):len(sums)], w.grades...)
	defer func() {
		for _, p := range sums {
			docset.Free(p)
		}
	}()
	near := w.near(planes, all)
	defer docset.Free(near)
	if w.after == nil || w.after.Spot.Group != distant {
		w.lookClosely(near)
	}
	if len(w.best) > w.size || w.cut == 0 {
		return
	}
	for i := range near {
		near[i] = all[i] &^ near[i]
	}
	docset.Each(near, func(doc uint32) {
		n := -int64(planes.Of(doc)) //nolint:gosec // 40 bits at most
		w.see(ranked{doc: doc, n: n, group: distant})
	})
}

// near is what of all is looked at closely, and sets the cut.
func (w *walk) near(planes docset.Planes, all []uint64) (near []uint64) {
	if w.after != nil {
		w.cut = w.after.Cut
		near = w.scratch()
		copy(near, all)
		planes.AtLeast(near, w.cut)
		if docset.Count(near) <= 4*w.close {
			return near
		}
		docset.Free(near) // many times as many came since, or somebody wrote the cursor
	}
	near, w.cut = planes.Top(all, w.close)
	return near
}

// bury has what operators put last come last.
func (w *walk) bury() {
	for i, p := range w.places.buried {
		w.see(ranked{doc: p.doc, n: int64(i), group: lastOfAll})
	}
}

// weights say how much it counts by first sight to have a word, and to have it in the head. When
// any word will do, having it counts for most. A word as typed counts for more than all that, and having all words, if only
// by a guess, for still more.
func (w *walk) weights() []docset.Weighted {
	weighted := make([]docset.Weighted, 0, 2*len(w.asked)+1)
	all := uint32(0)
	for i := range w.asked {
		a := &w.asked[i]
		weight := uint32(max(a.idf*2/idfUnits, 1)) //nolint:gosec // small and positive
		all += weight
		weighted = append(weighted, docset.Weighted{Set: a.head, Weight: weight})
		if w.anyWord {
			all += 3 * weight
			weighted = append(weighted, docset.Weighted{Set: a.all, Weight: 3 * weight})
		}
	}
	if !w.guesses() {
		return weighted
	}
	words := make([]docset.Set, len(w.asked))
	for i := range w.asked {
		a := &w.asked[i]
		words[i] = a.all
		if a.guessed {
			weighted = append(weighted, docset.Weighted{Set: a.sure(int(w.marks.Docs) + 1), Weight: all + 1})
			all += all + 1
		}
	}
	if w.anyWord {
		weighted = append(weighted, docset.Weighted{Set: docset.Intersection(words), Weight: all + 1})
	}
	return weighted
}

// guesses says whether some word also stands for what was perhaps meant.
func (w *walk) guesses() bool {
	return slices.ContainsFunc(w.asked, func(a asked) bool { return a.guessed })
}

// lookClosely scores listings and keeps the page's best.
func (w *walk) lookClosely(docs []uint64) {
	r := w.ranker()
	defer r.free()
	all := make([]uint32, 0, w.close)
	docset.Each(docs, func(doc uint32) { all = append(all, doc) })
	for some := range slices.Chunk(all, fetchedAtOnce) {
		r.fetch(some)
		for _, doc := range some {
			w.see(ranked{doc: doc, n: -order(r.score(doc, nil))})
		}
	}
}

// fetchedAtOnce are so few listings that what is fetched is still there when they are looked at.
const fetchedAtOnce = 16

// fetch has the processor fetch what is known of listings: far apart in memory, one by one that takes most of the time of
// looking at them.
func (r *ranker) fetch(docs []uint32) {
	touched := uint32(0)
	for _, doc := range docs {
		if of := &r.w.traits[doc]; of.said > 0 {
			touched += r.w.terms[of.terms] + uint32(r.w.marked[of.terms])
		}
	}
	r.touched = touched
}

// order is a number that grows with a score.
func order(score float32) int64 {
	bits := int64(math.Float32bits(score))
	if bits>>31 != 0 { // negative
		return -(bits & 0x7fffffff)
	}
	return bits
}

// ranker scores one listing after the other.
type ranker struct {
	w         *walk
	query     ranking.Query
	bits      map[uint32]uint64 // the words, as bits, that a term stands for
	brands    []uint64          // what of them each brand has, as far as it was looked at, and then looked
	nodes     []uint64          // and each category
	fit       []float32
	candidate ranking.Candidate
	touched   uint32 // by fetch; it says nothing
}

// looked says that the bits of a brand or category are there, and whole that it is all that was asked
// for and nothing else.
const (
	looked = 1 << 63
	whole  = 1 << 62
)

func (w *walk) ranker() *ranker {
	r := &ranker{
		w: w, bits: make(map[uint32]uint64, 2*len(w.asked)), brands: docset.Scratch(len(w.shelf.brands)), nodes: docset.Scratch(len(w.nodes)),
		query: ranking.Query{AnyWord: w.anyWord, Guesses: w.guesses()}, fit: make([]float32, len(w.asked)),
	}
	for i := range w.asked {
		a := &w.asked[i]
		t := ranking.Term{IDF: float32(a.idf) / idfUnits}
		for _, p := range a.parts {
			for _, term := range p.Terms {
				if at, known := w.lexicon.at[term]; known {
					t.IDs, t.Weights = append(t.IDs, at), append(t.Weights, float32(p.Weight))
					r.bits[at] |= 1 << i
				}
			}
		}
		r.query.Terms = append(r.query.Terms, t)
	}
	return r
}

func (r *ranker) free() { docset.Free(r.brands, r.nodes) }

// score is how well a listing fits.
func (r *ranker) score(doc uint32, why *ranking.Explanation) float32 {
	w, c := r.w, &r.candidate
	*c = ranking.Candidate{
		Title: w.termsOf(doc), Marks: w.marksOf(doc), Body: w.traits[doc].body, InStock: docset.Test(w.inStock, doc), Quality: w.traits[doc].quality,
		Fit: r.fit,
	}
	brand, node := w.traits[doc].brand, w.traits[doc].node
	c.Brand, _ = r.said(&r.brands[brand], w.inBrand[brand], 0)
	c.Category, c.Kind = r.said(&r.nodes[node], w.inNode[node], len(w.inNode[w.nodes[node].parent]))
	c.Head = c.Brand | c.Category
	for i := range w.asked {
		a := &w.asked[i]
		var guess bool
		if r.fit[i], guess = a.fit(doc); r.fit[i] > 0 {
			c.Has |= 1 << i
		}
		if guess {
			c.Guessed |= 1 << i
		}
		if a.head.Has(doc) {
			c.Head |= 1 << i
		}
	}
	return ranking.Score(&r.query, c, why)
}

// fit is the weight of the best that fits the word and that a listing has, 0 if it has none, and whether that is a
// guess: nothing else that it has fits.
func (a *asked) fit(doc uint32) (best float32, guess bool) {
	for i := range a.parts {
		p := &a.parts[i]
		weight := float32(p.Weight)
		better := best == 0 || guess && !p.Guess || guess == p.Guess && weight > best
		if better && p.rows.Has(doc) {
			best, guess = weight, p.Guess
		}
	}
	return best, guess
}

// said are the words that are among terms, and whether those from own on are all of what was asked
// for and nothing else; it remembers them.
func (r *ranker) said(known *uint64, terms []uint32, own int) (said uint64, all bool) {
	if *known == 0 {
		*known = looked
		alone := len(terms) > own
		inOwn := uint64(0)
		for i, term := range terms {
			*known |= r.bits[term]
			if i >= own {
				inOwn |= r.bits[term]
				alone = alone && r.bits[term] != 0
			}
		}
		if alone && inOwn == 1<<len(r.w.asked)-1 {
			*known |= whole
		}
	}
	return *known &^ (looked | whole), *known&whole != 0
}
