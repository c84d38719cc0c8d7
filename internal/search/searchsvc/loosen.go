package searchsvc

import (
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
)

// loosen has base also have what says the greater part of what was asked for, if only few have all
// of it; and what says any of it, if nobody has all. Where prices or ages make the order only what has
// all of it will do, as long as there is any: the others would come between.
func (w *walk) loosen() {
	if w.after != nil || len(w.asked) < 2 {
		return
	}
	whole := w.whole
	if whole > 0 && (whole >= w.few || w.sort != search.SortRelevance) {
		return
	}
	w.anyWord = true
	if whole > 0 {
		for i := range w.asked {
			w.least += uint64(w.asked[i].weight())
		}
		w.least = w.least/2 + 1
	}
	w.findAll()
	w.anyWord = docset.Count(w.base) > whole
}

// atLeast takes out of base what says less than the least of what was asked for.
func (w *walk) atLeast() {
	sums := w.says(w.base)
	sums.AtLeast(w.base, w.least)
	for _, p := range sums {
		docset.Free(p)
	}
}

// says is how much of what was asked for each of docs says.
func (w *walk) says(docs []uint64) docset.Planes {
	weighted := make([]docset.Weighted, len(w.asked))
	for i := range w.asked {
		weighted[i] = docset.Weighted{Set: w.asked[i].all, Weight: w.asked[i].weight()}
	}
	return docset.Sums(docs, weighted)
}

// weight is how much a word says, in few steps.
func (a *asked) weight() uint32 {
	const step = idfUnits / 4
	return uint32(max(a.idf/step, 1)) //nolint:gosec // small and positive
}
