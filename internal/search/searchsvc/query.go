package searchsvc

import (
	"fmt"

	"souk/internal/platform/clock"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
)

// query answers a from the snapshot.
func (v view) query(a ask) (search.QueryReply, error) {
	sh, err := v.atHand()
	if err != nil {
		return search.QueryReply{}, err
	}
	var u understood
	_ = v.s.locked(func() error {
		u = v.s.understand(sh, a.words)
		return nil
	})
	words, err := v.find(sh, u)
	if err != nil {
		return search.QueryReply{}, err
	}
	w := &walk{
		shelf: sh, limits: v.s.limits, marks: v.marks, filter: a.filter, sort: a.sort, size: a.size, after: a.after, asked: words,
	}
	defer w.free()
	var page []ranked
	var last *mark
	hits := map[uint32]search.Hit{} // what memory knows of them
	err = v.s.locked(func() error {
		w.run(a.facets)
		page, last = w.page()
		for _, r := range page {
			by := sh.sellers[sh.columns.seller[r.doc]]
			hits[r.doc] = search.Hit{
				Seller: by.id, SellerName: by.name, SellerSlug: by.slug, InStock: docset.Test(sh.inStock, r.doc), CreatedAt: clock.Time(sh.created[r.doc]),
			}
		}
		return nil
	})
	if err != nil {
		return search.QueryReply{}, err
	}
	reply := search.QueryReply{Total: w.total, Facets: w.facets, AnyWord: w.anyWord, Approximate: w.rough}
	if reply.Hits, err = v.hits(page, hits, newMarker(u.Query)); err != nil {
		return search.QueryReply{}, err
	}
	if last != nil {
		last.Spot.ID = reply.Hits[len(reply.Hits)-1].Listing
	}
	reply.Next, err = a.next(last)
	return reply, err
}

// run finds the page and counts what there is. The shelf is locked for reading.
func (w *walk) run(facets bool) {
	var idfs []int32
	if w.after != nil {
		w.anyWord, idfs, w.afterID = w.after.AnyWord, w.after.IDFs, keyOf(w.after.Spot.ID)
	}
	w.weigh(w.asked, idfs)
	w.findAll()
	if w.after == nil && len(w.asked) > 1 && docset.Count(w.base) == 0 {
		w.anyWord = true // nobody has them all; who has some?
		w.findAll()
		w.anyWord = docset.Count(w.base) > 0
	}
	w.prepare()
	w.choose()
	if facets {
		w.tell()
	}
}

// hits fills in what is only in the database.
func (v view) hits(page []ranked, known map[uint32]search.Hit, m *marker) ([]search.Hit, error) {
	if len(page) == 0 {
		return nil, nil
	}
	docs := make([]int64, len(page))
	for i, r := range page {
		docs[i] = int64(r.doc)
	}
	rows, err := v.selectHits(v.q, docs)
	if err != nil {
		return nil, err
	}
	hits := make([]search.Hit, 0, len(page))
	for _, r := range page {
		row, ok := rows[int64(r.doc)]
		if !ok {
			return nil, fmt.Errorf("read listing number %d: %w", r.doc, errOvertaken)
		}
		h, k := row.hit(m), known[r.doc]
		h.Seller, h.SellerName, h.SellerSlug = k.Seller, k.SellerName, k.SellerSlug
		h.InStock, h.CreatedAt = k.InStock, k.CreatedAt
		hits = append(hits, h)
	}
	return hits, nil
}
