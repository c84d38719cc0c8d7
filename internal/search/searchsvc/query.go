package searchsvc

import (
	"fmt"

	"souk/internal/platform/clock"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/words"
)

// desk is where one query is answered: the snapshot, the shelf as new as it, and the rules.
type desk struct {
	view
	shelf *shelf
	rules *rules.Book
}

func (v view) desk() (desk, error) {
	sh, err := v.atHand()
	if err != nil {
		return desk{}, err
	}
	book, err := v.s.ruleBook(v.q)
	return desk{view: v, shelf: sh, rules: book}, err
}

// sighted is a walk and what the words were taken for.
type sighted struct {
	*walk
	understood
	text string // that was looked for
	also string // and behind it; "" for nothing
}

// query answers a from the snapshot, and says whether some listing has all the words.
func (v view) query(a ask) (reply search.QueryReply, whole bool, err error) {
	d, err := v.desk()
	if err != nil {
		return reply, false, err
	}
	l, said, err := d.settled(a)
	if err != nil {
		return reply, false, err
	}
	defer l.free()
	page, last, other, hits, err := d.show(a, l)
	if err != nil {
		return reply, false, err
	}
	reply = search.QueryReply{
		Hits: hits, Total: l.total, Facets: l.facets, AnyWord: l.anyWord, Approximate: l.rough, Corrected: said.corrected, Also: l.also, Meant: said.meant,
	}
	if a.explain {
		if err := d.explainHits(a, l, said.corrected, page, reply.Hits); err != nil {
			return reply, false, err
		}
	}
	if last != nil {
		last.Text, last.Also, last.Taken = said.corrected, l.also, l.taken
		if other >= 0 {
			last.Spot.ID = reply.Hits[other].Listing
		}
	}
	if reply.Total == 0 && a.after == nil {
		if reply.Offers, err = d.offers(a, l, said.alone); err != nil {
			return reply, false, err
		}
	}
	reply.Next, err = a.next(last)
	return reply, l.whole > 0, err
}

// show finds the page, with what is told of it, and counts what there is. To find the page and to count are about as much work,
// and neither needs the other: a processor for each. What is only in the database is read without the lock.
func (d desk) show(a ask, l sighted) (page []ranked, last *mark, other int, hits []search.Hit, err error) {
	known := map[uint32]search.Hit{}
	choose := func() {
		l.choose()
		page, last, other = l.page()
		for _, r := range page {
			by := d.shelf.sellers[d.shelf.traits[r.doc].seller]
			known[r.doc] = search.Hit{
				Seller: by.id, SellerName: by.name, SellerSlug: by.slug, InStock: docset.Test(d.shelf.inStock, r.doc), CreatedAt: clock.Time(d.shelf.created[r.doc]),
			}
		}
	}
	read := func() { hits, err = d.hits(page, known, newMarker(l.Query)) }
	wait := read // which comes last, whatever happens
	defer func() { wait() }()
	_ = d.s.locked(func() error {
		l.narrowDown()
		if !a.facets {
			choose()
			return nil
		}
		chosen := make(chan struct{})
		defer func() { <-chosen }()
		wait = beside(func() {
			func() {
				defer close(chosen)
				choose()
			}()
			read()
		})
		l.tell()
		return nil
	})
	return // as read leaves it
}

// look begins to look for a text: it finds what has its words.
func (d desk) look(a ask, text string, asked words.Query) (sighted, error) {
	return d.lookFor(a, text, asked, "")
}

// lookFor is look that also finds what has the words of a text one word apart (apart), behind the others.
func (d desk) lookFor(a ask, text string, asked words.Query, also string) (sighted, error) {
	l := sighted{text: text}
	_ = d.s.locked(func() error {
		l.understood = d.shelf.understand(d.rules, asked, a.after.taken())
		return nil
	})
	if also != "" && l.guess(asked, words.Parse(also)) {
		l.also = also
	}
	found, err := d.find(d.shelf, l.understood)
	if err != nil {
		return l, err
	}
	l.walk = &walk{
		shelf: d.shelf, limits: d.s.limits, marks: d.marks, filter: a.filter, sort: a.sort, size: a.size, values: a.values, after: a.after, asked: found,
	}
	if l.places, err = d.placesOf(a, asked); err != nil {
		return l, err
	}
	return l, d.s.locked(func() error {
		l.begin()
		return nil
	})
}

// begin finds what has all the words, or any if the page before had it so. The shelf is locked for
// reading.
func (w *walk) begin() {
	var idfs []int32
	if w.after != nil {
		w.anyWord, w.least, idfs, w.afterID = w.after.AnyWord, w.after.Least, w.after.IDFs, keyOf(w.after.Spot.ID)
	}
	w.weigh(w.asked, idfs)
	w.findAll()
	w.whole = docset.Count(w.base)
}

// run finds the page. The shelf is locked for reading.
func (w *walk) run() {
	w.narrowDown()
	w.choose()
}

// narrowDown finds what the page is of. The shelf is locked for reading.
func (w *walk) narrowDown() {
	w.loosen()
	w.addPinned()
	w.prepare()
}

// beside runs fn on another processor, until wait returns. If fn panics, wait does.
func beside(fn func()) (wait func()) {
	ended := make(chan any, 1)
	go func() {
		defer func() { ended <- recover() }()
		fn()
	}()
	return func() {
		if v := <-ended; v != nil {
			panic(v)
		}
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
