package searchsvc

import (
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/words"
)

// places are the listings that have a place in what a query finds.
type places struct {
	pins   []placed // by place
	buried []placed
}

type placed struct {
	doc  uint32
	rule rules.Place
}

// placesOf are the listings that operators have given a place in what the words find. They count
// in order of relevance only.
func (d desk) placesOf(a ask, asked words.Query) (p places, err error) {
	pins, buried := d.rules.Places(asked)
	if a.sort != search.SortRelevance || len(pins)+len(buried) == 0 {
		return p, nil
	}
	var ids []catalog.ListingID
	for _, one := range append(pins[:len(pins):len(pins)], buried...) {
		ids = append(ids, one.Listing)
	}
	docs, err := d.selectDocs(d.q, ids)
	if err != nil {
		return p, err
	}
	for _, one := range pins {
		if doc, ok := docs[one.Listing]; ok {
			p.pins = append(p.pins, placed{doc, one})
		}
	}
	for _, one := range buried {
		if doc, ok := docs[one.Listing]; ok {
			p.buried = append(p.buried, placed{doc, one})
		}
	}
	return p, nil
}

// selectDocs reads the numbers of listings. One that is not known is left out.
func (s *set) selectDocs(q store.Queryer, ids []catalog.ListingID) (map[catalog.ListingID]uint32, error) {
	query, args, err := store.In(s.numbers, ids)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID  catalog.ListingID `db:"id"`
		Doc int64             `db:"doc"`
	}
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("look up %d listings: %w", len(ids), err)
	}
	docs := make(map[catalog.ListingID]uint32, len(rows))
	for _, row := range rows {
		docs[row.ID] = uint32(row.Doc) //nolint:gosec // documents are numbered in 32 bits
	}
	return docs, nil
}

// addPinned puts what is pinned among what was found, as far as it can be seen.
func (w *walk) addPinned() {
	kept := w.places.pins[:0:0]
	for _, p := range w.places.pins {
		if int64(p.doc) <= w.marks.Docs && docset.Test(w.visible, p.doc) {
			setBit(w.base, p.doc, true)
			kept = append(kept, p)
		}
	}
	w.places.pins = kept
}

// setAside takes what has a place out of the listings that are put in order, and leaves of the
// places those that pass the filters.
func (w *walk) setAside() (others []uint64) {
	others = w.scratch()
	copy(others, w.all)
	aside := func(some []placed) []placed {
		kept := some[:0:0]
		for _, p := range some {
			if docset.Test(w.all, p.doc) {
				setBit(others, p.doc, false)
				kept = append(kept, p)
			}
		}
		return kept
	}
	w.places.pins, w.places.buried = aside(w.places.pins), aside(w.places.buried)
	return others
}

// seen is how many listings were on the pages before.
func (w *walk) seen() int {
	if w.after == nil {
		return 0
	}
	return w.after.Seen
}

// withPins puts what is pinned among the page's others, from the place on where the page before
// ended; other is where the last of these is, -1 if there is none.
func (w *walk) withPins() (page []ranked, other int) {
	pins, others := w.places.pins, w.best
	if w.after != nil {
		pins = pins[min(w.after.Pinned, len(pins)):]
	}
	for other = -1; len(page) < w.size && len(pins)+len(others) > 0; {
		if len(pins) > 0 && (int(pins[0].rule.At) <= w.seen()+len(page)+1 || len(others) == 0) {
			page = append(page, ranked{doc: pins[0].doc})
			pins = pins[1:]
			continue
		}
		other = len(page)
		page = append(page, others[0])
		others = others[1:]
	}
	w.others, w.pinned = len(w.best)-len(others), len(w.places.pins)-len(pins)
	return page, other
}
