package suggest

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Bounds of what is kept and looked at to find listings.
const (
	titleWords = 12  // of a title, and of its brand those that it does not have
	maxDocs    = 512 // listings kept with a word; of more the ones that came last
	maxLooked  = 300 // listings looked at for one completion
	leastEach  = 8   // of each word that the last one may become
)

// word is a word of titles.
type word struct {
	text  string
	id    uint32
	count int32    // listings that have it
	docs  []uint32 // in order: all of them, or the last maxDocs that came
}

// titles finds listings by words of their titles, the last one by its beginning.
type titles struct {
	ids    map[string]*word
	words  []*word // by id
	free   []uint32
	sorted *sorted[*word]
	folded []byte

	said []uint32 // the words of titles, in order, one title after the other
	from []uint32 // by listing: where its own begin
	size []uint8  // and how many they are
}

func newTitles() titles {
	return titles{
		ids: map[string]*word{},
		sorted: newSorted(4, func(w *word) uint64 { return uint64(w.count) + 1 }, //nolint:gosec // never negative
			func(*word, *word) int { return 0 }), // each has its own key
	}
}

// add takes the words of a listing in, once each.
func (t *titles) add(doc int64, title, brand string) {
	t.folded = appendFolded(t.folded[:0], title)
	rest := string(t.folded) // cut up below, while new words keep copies of their own
	var ids [2 * titleWords]uint32
	n := 0
	take := func(most int) {
		for most > 0 && rest != "" && n < len(ids) {
			var text string
			text, rest, _ = strings.Cut(rest, " ")
			most--
			w := t.ids[text[:cut(text)]]
			if w == nil {
				w = t.newWord(strings.Clone(text[:cut(text)]))
			}
			if !slices.Contains(ids[:n], w.id) {
				ids[n] = w.id
				n++
				t.join(w, uint32(doc)) //nolint:gosec // listings are numbered from 1, far below four thousand million
			}
		}
	}
	take(titleWords)
	t.folded = appendFolded(t.folded[:0], brand)
	rest = string(t.folded)
	take(4)
	for int64(len(t.from)) <= doc {
		t.from, t.size = append(t.from, 0), append(t.size, 0)
	}
	t.from[doc], t.size[doc] = uint32(len(t.said)), uint8(n) //nolint:gosec // four thousand million are more than fit
	t.said = append(t.said, ids[:n]...)
}

// of are the words of a listing's title; there are none once it is gone.
func (t *titles) of(doc uint32) []uint32 {
	from, size := int(t.from[doc]), int(t.size[doc])
	return t.said[from : from+size]
}

func (t *titles) newWord(text string) *word {
	w := &word{text: text}
	if n := len(t.free); n > 0 {
		w.id, t.free = t.free[n-1], t.free[:n-1]
		t.words[w.id] = w
	} else {
		w.id = uint32(len(t.words)) //nolint:gosec // far below four thousand million
		t.words = append(t.words, w)
	}
	t.ids[text] = w
	t.sorted.put(text, w)
	return w
}

// join puts a listing among those of a word.
func (t *titles) join(w *word, doc uint32) {
	if w.count++; noticed(int64(w.count)) {
		t.sorted.rise(w.text, w)
	}
	i, _ := slices.BinarySearch(w.docs, doc)
	if len(w.docs) < maxDocs {
		w.docs = slices.Insert(w.docs, i, doc)
	} else if i > 0 { // the oldest gives way
		copy(w.docs, w.docs[1:i])
		w.docs[i-1] = doc
	}
}

// remove takes a listing out.
func (t *titles) remove(doc int64) {
	if doc >= int64(len(t.from)) {
		return
	}
	ids := t.of(uint32(doc)) //nolint:gosec // as above
	t.size[doc] = 0
	for _, id := range ids {
		w := t.words[id]
		if i, there := slices.BinarySearch(w.docs, uint32(doc)); there { //nolint:gosec // as above
			w.docs = slices.Delete(w.docs, i, i+1)
		}
		if w.count--; w.count == 0 {
			t.sorted.drop(w.text, w)
			delete(t.ids, w.text)
			t.words[id] = nil
			t.free = append(t.free, id)
			continue
		}
		if noticed(int64(w.count)) {
			t.sorted.fall(w.text, w)
		}
		if len(w.docs) < maxDocs/2 && int(w.count) > len(w.docs) {
			t.refill(w)
		}
	}
}

// refill looks for listings of a word that gave way to others since gone. Half of those kept
// went before it is needed, so it costs each of them little.
func (t *titles) refill(w *word) {
	w.docs = w.docs[:0]
	for doc := len(t.from) - 1; doc >= 0 && len(w.docs) < maxDocs; doc-- {
		if slices.Contains(t.of(uint32(doc)), w.id) { //nolint:gosec // as above
			w.docs = append(w.docs, uint32(doc)) //nolint:gosec // as above
		}
	}
	slices.Reverse(w.docs)
}

// typed is what was typed: whole words, and the beginning of the last one, which is "" when a
// space follows.
type typed struct {
	whole []string
	last  string
}

// completed is a listing that has the words, with the word that completes the last one.
type completed struct {
	doc    uint32
	last   *word
	begins bool // its title begins with what was typed
	where  int
	length int
}

func compareCompleted(a, b completed) int {
	if a.begins != b.begins {
		if a.begins {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.where, b.where), cmp.Compare(a.length, b.length), cmp.Compare(b.doc, a.doc))
}

// find are listings with the words of q, at most so many, best first: those whose titles begin
// so, then those that have them early, in short titles, and came last. ends counts with which
// words the last one goes on. It looks at a bounded number of listings.
func (t *titles) find(q typed, most int) (found []completed, ends map[*word]int64) {
	whole := make([]*word, 0, len(q.whole))
	var rarest *word
	for _, text := range q.whole {
		w := t.ids[text]
		if w == nil {
			return nil, nil
		}
		whole = append(whole, w)
		if rarest == nil || w.count < rarest.count {
			rarest = w
		}
	}
	ends = map[*word]int64{}
	looked := 0
	look := func(docs []uint32, n int, last *word) {
		for i := len(docs) - 1; i >= 0 && n > 0 && looked < maxLooked; i-- {
			looked++
			n--
			one, ok := t.fits(docs[i], whole, q.last, last)
			if !ok {
				continue
			}
			if one.last != nil {
				ends[one.last]++
			}
			if len(found) == most && compareCompleted(one, found[most-1]) >= 0 {
				continue
			}
			at, _ := slices.BinarySearchFunc(found, one, compareCompleted)
			found = slices.Insert(found, at, one)
			found = found[:min(len(found), most)]
		}
	}
	lasts, all := t.sorted.under(q.last)
	if rarest != nil && (!all || q.last == "" || !fewer(lasts, int(rarest.count))) {
		look(rarest.docs, maxLooked, nil)
	} else {
		for _, w := range lasts {
			look(w.docs, max(leastEach, maxLooked/len(lasts)), w)
		}
	}
	return found, ends
}

// likeliest is the word that most titles have of those that begin so and that somebody may search for by itself; nil if there is none.
func (t *titles) likeliest(begin string) *word {
	words, _ := t.sorted.under(begin)
	for _, w := range words {
		if w.count < shared {
			return nil
		}
		if !links(w.text) && strings.ContainsFunc(w.text, unicode.IsLetter) {
			return w
		}
	}
	return nil
}

// fewer says whether words have fewer listings than n.
func fewer(words []*word, n int) bool {
	for _, w := range words {
		if n -= int(w.count); n <= 0 {
			return false
		}
	}
	return true
}

// fits looks for the words in a title. The one that ends what was typed is last, or any that
// begins with end.
func (t *titles) fits(doc uint32, whole []*word, end string, last *word) (completed, bool) {
	title := t.of(doc)
	one := completed{doc: doc, begins: true, length: len(title)}
	for i, w := range whole {
		at := slices.Index(title, w.id)
		if at < 0 {
			return one, false
		}
		one.where += at
		one.begins = one.begins && at == i
	}
	if end == "" {
		return one, true
	}
	for at, id := range title {
		w := t.words[id]
		if w == last || last == nil && strings.HasPrefix(w.text, end) && !slices.Contains(whole, w) {
			one.last = w
			one.where += at
			one.begins = one.begins && at == len(whole)
			return one, true
		}
	}
	return one, false
}
