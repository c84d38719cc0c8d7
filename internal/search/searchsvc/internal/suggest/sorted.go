package suggest

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tidwall/btree"
)

// How many of the weightiest are kept for a short prefix: when there are topMost, those past
// topKept go; when fewer than topLeast are left, the prefix is looked through again.
const (
	topMost, topKept, topLeast = 96, 48, 32
	maxScan                    = 1200 // keys looked at under a longer prefix
)

// item is one of the keys under which a thing is found.
type item[T any] struct {
	key string
	of  T
}

// sorted finds the weightiest of the things whose keys begin with a prefix. What begins with a
// short prefix may be many, so the best of those are kept as weights move.
type sorted[T comparable] struct {
	tree   *btree.BTreeG[item[T]]
	runes  int                // how long a prefix has its keys counted, and its best kept
	sizes  map[string]int32   // keys by prefix
	tops   map[string]*top[T] // by prefix, of those with more keys than a list has places
	weight func(T) uint64
}

func newSorted[T comparable](runes int, weight func(T) uint64, compare func(a, b T) int) *sorted[T] {
	less := func(a, b item[T]) bool {
		if a.key != b.key {
			return a.key < b.key
		}
		return compare(a.of, b.of) < 0
	}
	return &sorted[T]{
		tree:  btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}),
		runes: runes, sizes: map[string]int32{}, tops: map[string]*top[T]{}, weight: weight,
	}
}

// short calls fn with each short prefix of key.
func (s *sorted[T]) short(key string, fn func(prefix string)) {
	at := 0
	for range s.runes {
		_, size := utf8.DecodeRuneInString(key[at:])
		if size == 0 {
			return
		}
		at += size
		fn(key[:at])
	}
}

// put adds a thing under a key.
func (s *sorted[T]) put(key string, of T) {
	s.tree.Set(item[T]{key, of})
	s.short(key, func(prefix string) {
		s.sizes[prefix]++
		if t := s.tops[prefix]; t != nil {
			t.rise(s, of)
		} else if s.sizes[prefix] > topMost {
			t = &top[T]{}
			s.scan(t, prefix, topMost+1)
			s.tops[prefix] = t
		}
	})
}

// drop takes it away again.
func (s *sorted[T]) drop(key string, of T) {
	if _, there := s.tree.Delete(item[T]{key, of}); !there {
		return
	}
	s.short(key, func(prefix string) {
		s.sizes[prefix]--
		switch t := s.tops[prefix]; {
		case s.sizes[prefix] == 0:
			delete(s.sizes, prefix)
		case t != nil && s.sizes[prefix] < topLeast:
			delete(s.tops, prefix)
		case t != nil:
			t.fall(s, of, true)
		}
	})
}

// rise notes that the weight of a thing has grown.
func (s *sorted[T]) rise(key string, of T) {
	s.short(key, func(prefix string) {
		if t := s.tops[prefix]; t != nil {
			t.rise(s, of)
		}
	})
}

// fall notes that its weight has shrunk.
func (s *sorted[T]) fall(key string, of T) {
	s.short(key, func(prefix string) {
		if t := s.tops[prefix]; t != nil {
			t.fall(s, of, false)
		}
	})
}

// has says whether any key begins with prefix.
func (s *sorted[T]) has(prefix string) bool {
	found := false
	var none T
	s.tree.Ascend(item[T]{prefix, none}, func(i item[T]) bool {
		found = strings.HasPrefix(i.key, prefix)
		return false
	})
	return found
}

// under are the things with a key that begins with prefix, the weightiest first, each once, and
// whether these are all of them.
func (s *sorted[T]) under(prefix string) (found []T, all bool) {
	if prefix == "" {
		return nil, false
	}
	if t := s.tops[prefix]; t != nil {
		found, all = t.best(s, prefix)
	} else {
		var t top[T]
		all = s.scan(&t, prefix, maxScan) && t.floor == 0
		found = t.list
	}
	s.order(found)
	return found, all
}

// order sorts by weight, what is first among equals staying so.
func (s *sorted[T]) order(all []T) {
	type weighed struct {
		of     T
		weight uint64
	}
	by := make([]weighed, len(all))
	for i, of := range all {
		by[i] = weighed{of, s.weight(of)}
	}
	slices.SortStableFunc(by, func(a, b weighed) int { return cmp.Compare(b.weight, a.weight) })
	for i := range by {
		all[i] = by[i].of
	}
}

// scan takes what begins with prefix into t, looking at so many keys at most; it says whether
// these are all.
func (s *sorted[T]) scan(t *top[T], prefix string, most int) (all bool) {
	var none T
	all = true
	s.tree.Ascend(item[T]{prefix, none}, func(i item[T]) bool {
		if !strings.HasPrefix(i.key, prefix) {
			return false
		}
		if most--; most < 0 {
			all = false
			return false
		}
		t.rise(s, i.of)
		return true
	})
	return all
}

// top is the weightiest under one short prefix: whatever weighs more than floor is in it.
type top[T comparable] struct {
	mu    sync.Mutex // who only reads may have to look through the prefix again
	list  []T
	floor uint64
	stale bool
}

func (t *top[T]) rise(s *sorted[T], of T) {
	if t.stale || t.floor > 0 && s.weight(of) <= t.floor || slices.Contains(t.list, of) {
		return
	}
	t.list = append(t.list, of)
	t.cut(s)
}

// cut leaves the best when the list has grown too long.
func (t *top[T]) cut(s *sorted[T]) {
	if len(t.list) <= topMost {
		return
	}
	s.order(t.list)
	t.floor = max(t.floor, s.weight(t.list[topKept]))
	clear(t.list[topKept:])
	t.list = t.list[:topKept]
}

func (t *top[T]) fall(s *sorted[T], of T, gone bool) {
	if t.stale || !gone && s.weight(of) > t.floor {
		return
	}
	if i := slices.Index(t.list, of); i >= 0 {
		last := len(t.list) - 1
		t.list[i] = t.list[last]
		clear(t.list[last:])
		t.list = t.list[:last]
	}
	if t.floor > 0 && len(t.list) < topLeast {
		t.stale, t.list = true, nil
	}
}

// best is a copy of the list, and whether it is everything.
func (t *top[T]) best(s *sorted[T], prefix string) ([]T, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stale {
		t.list, t.floor, t.stale = nil, 0, false
		s.scan(t, prefix, int(s.sizes[prefix]))
	}
	return slices.Clone(t.list), t.floor == 0
}
