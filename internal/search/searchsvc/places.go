package searchsvc

import (
	"cmp"
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

// pinned is the last pin on the pages so far, as a cursor keeps it: pins may have come and gone before the next page.
type pinned struct {
	At int32             `json:"a"`
	ID catalog.ListingID `json:"i"`
}

func (p *pinned) sound() bool {
	return p.At >= 0 && p.At <= search.MaxPlace && (p.ID == "" || catalog.ListingIDs.Valid(p.ID))
}

// covers says whether one is not after p in the order of pins.
func (p *pinned) covers(one placed) bool {
	return cmp.Or(cmp.Compare(one.rule.At, p.At), cmp.Compare(one.rule.Listing, p.ID)) <= 0
}

// lastPin is the last pin on the pages so far; nil without any.
func (w *walk) lastPin() *pinned {
	if w.pinned == 0 {
		if w.after != nil {
			return w.after.Pin // all before are gone
		}
		return nil
	}
	if w.after != nil && w.after.Pin != nil && w.after.Pin.covers(w.places.pins[w.pinned-1]) {
		return w.after.Pin
	}
	last := w.places.pins[w.pinned-1].rule
	return &pinned{At: last.At, ID: last.Listing}
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
	if w.after != nil && w.after.Pin != nil {
		for len(pins) > 0 && w.after.Pin.covers(pins[0]) {
			pins = pins[1:]
		}
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
