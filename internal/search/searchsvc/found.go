package searchsvc

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/docset"
)

// index is where it is written down which listings have a term: FTS5's tables.
type index interface {
	// documents are the numbers above after and up to upto that have the term, in order.
	documents(q store.Queryer, term string, after, upto int64) ([]uint32, error)
}

var _ index = (*set)(nil)

func (s *set) documents(q store.Queryer, term string, after, upto int64) ([]uint32, error) {
	var docs string
	ask := append(appendTerm([]byte{'"'}, term), '"')
	if err := q.Get(&docs, s.postings, string(ask), after, upto); err != nil {
		return nil, fmt.Errorf("find the listings with a term: %w", err)
	}
	return documents(docs), nil
}

// found remembers which listings have what has been asked for. The words of a number never
// change, so a set that was right stays right: it only has to be told of the numbers that came
// after it was made. (One that has been given up is not visible any more.)
type found struct {
	mu    sync.Mutex
	sets  map[string]*remembered
	bytes int
	clock int64
}

// remembered is a set and how far it reaches.
type remembered struct {
	key  string
	all  docset.Set
	upto int64 // the last number that was looked at
	used int64
}

func newFound() *found { return &found{sets: map[string]*remembered{}} }

// forgetHeads forgets which listings have terms in title, brand or category.
func (f *found) forgetHeads() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, r := range f.sets {
		if strings.HasPrefix(key, headKey) {
			delete(f.sets, key)
			f.bytes -= r.all.Bytes() + len(key)
		}
	}
}

// Keys of sets begin with what they are sets of.
const (
	termKey   = "\x00term "
	headKey   = "\x00head "
	rowKey    = "\x00row "
	pathKey   = "\x00path "
	brandKey  = "\x00brand "
	sellerKey = "\x00seller "
	factKey   = "\x00fact "
	rangeKey  = "\x00range "
	statedKey = "\x00stated "
)

// get is what is remembered under a key, and how far it reaches.
func (f *found) get(key string) (docset.Set, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.sets[key]
	if r == nil {
		return docset.Set{}, 0
	}
	f.clock++
	r.used = f.clock
	return r.all, r.upto
}

// rememberedMost is how much memory remembered sets may have, for so many numbers: all that
// matters of a small index, and the common terms of a large one.
func rememberedMost(docs int64) int { return 8<<20 + 64*int(docs) }

// keep remembers a set, and forgets those that were not used for longest when it is too much.
func (f *found) keep(key string, all docset.Set, upto int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock++
	was := f.sets[key]
	switch {
	case was == nil:
		key = strings.Clone(key) // it may be a piece of a request, which would stay with it
	case was.upto >= upto:
		return
	default:
		key = was.key
		f.bytes -= was.all.Bytes() + len(key)
	}
	f.sets[key] = &remembered{key: key, all: all, upto: upto, used: f.clock}
	if f.bytes += all.Bytes() + len(key); f.bytes <= rememberedMost(upto) {
		return
	}
	byUse := make([]*remembered, 0, len(f.sets))
	for _, r := range f.sets {
		byUse = append(byUse, r)
	}
	slices.SortFunc(byUse, func(a, b *remembered) int { return int(a.used - b.used) })
	for _, r := range byUse[:len(byUse)/2] {
		delete(f.sets, r.key)
		f.bytes -= r.all.Bytes() + len(r.key)
	}
}

// extended is the set remembered under key, extended by what more finds above its reach.
func (f *found) extended(key string, upto int64, more func(after int64) ([]uint32, error)) (docset.Set, error) {
	all, reach := f.get(key)
	if reach >= upto {
		return all, nil
	}
	docs, err := more(reach)
	if err != nil {
		return docset.Set{}, err
	}
	all = all.With(docs, int(upto)+1)
	f.keep(key, all, upto)
	return all, nil
}

// having are the listings of the snapshot that have a term anywhere, and perhaps later ones.
func (v view) having(sh *shelf, term string) (docset.Set, error) {
	return sh.found.extended(termKey+term, v.marks.Docs, func(after int64) ([]uint32, error) {
		return v.set.documents(v.q, term, after, v.marks.Docs)
	})
}

// inHeads are those of all, which have a term somewhere, that have it in title, brand or category.
func (s *shelf) inHeads(term string, all docset.Set, upto int64) docset.Set {
	at, known := s.lexicon.at[term]
	if !known {
		return docset.Set{}
	}
	set, _ := s.found.extended(headKey+term, upto, func(after int64) ([]uint32, error) {
		var docs []uint32
		all.EachAfter(after, func(doc uint32) {
			if int64(doc) <= upto && s.inHead(doc, at) {
				docs = append(docs, doc)
			}
		})
		return docs, nil
	})
	return set
}

// where are the listings for which a column says so.
func (s *shelf) where(key string, upto int64, is func(doc int64) bool) docset.Set {
	set, _ := s.found.extended(key, upto, func(after int64) ([]uint32, error) {
		var docs []uint32
		for doc := after + 1; doc <= upto; doc++ {
			if is(doc) {
				docs = append(docs, uint32(doc)) //nolint:gosec // documents are numbered in 32 bits
			}
		}
		return docs, nil
	})
	return set
}
