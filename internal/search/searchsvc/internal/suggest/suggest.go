// Package suggest completes what is being typed. A Book is kept in memory and is told of
// every listing that comes, changes or goes; it knows no database and no index.
//
// Searches, categories and brands are found by the beginning of any of their first words: "la"
// finds "brass desk lamp". Searches are runs of words that several titles share, and what
// people searched for. Listings are found by any words of their titles, the last one by its
// beginning. What begins with few letters is a lot, so the best of it is kept as listings come
// and go (sorted); all that a completion looks at is bounded.
package suggest

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what a suggestion is.
type Kind int

// The kinds.
const (
	Phrase Kind = iota
	Category
	Brand
	Title
)

// Goods is a listing as far as suggestions depend on it.
type Goods struct {
	Doc   int64 // its number, given back with a suggestion
	Title string
	Brand string
	Path  string // of its category
}

// Popular is a search that people made.
type Popular struct {
	Text     string
	Searches int64 // how often it was asked for of late
	Found    int64 // listings that it found; one that found none is never suggested
}

// Found is one suggestion.
type Found struct {
	Kind  Kind
	Text  string // "" of a listing: who asks has its title
	Path  string // of a category
	Doc   int64  // of a listing
	Count int64  // listings behind it, as far as they are counted
}

// entry is a search, a category or a brand.
type entry struct {
	text, folded, path string
	listings, searches int64
}

// weight grows with the listings behind an entry and faster with the searches for it: ten
// searches weigh as much as a hundred times the listings.
func (e *entry) weight() uint64 {
	asked := uint64(min(e.searches, math.MaxUint32-1) + 1) //nolint:gosec // never negative
	high, low := bits.Mul64(uint64(max(e.listings, 0)+1), asked*asked)
	if high > 0 {
		return math.MaxUint64
	}
	return low
}

// noticed says whether it is time to see what a count that moves by ones means for the order:
// always while it is low, and then every so often that it is never an eighth off.
func noticed(count int64) bool {
	return count < 16 || count&(1<<(bits.Len64(uint64(count))-4)-1) == 0
}

func compareEntries(a, b *entry) int {
	switch {
	case a == b:
		return 0
	case a == nil: // where a prefix begins, before everything with that key
		return -1
	case b == nil:
		return 1
	}
	return cmp.Or(cmp.Compare(a.folded, b.folded), cmp.Compare(a.path, b.path))
}

// Book has everything that can be suggested. It is for one goroutine at a time, or many
// that only Complete.
type Book struct {
	phrases    phrases
	titles     titles
	searches   map[uint64]*entry // by the hash of their folded text
	popular    map[uint64]bool
	brands     map[string]*entry // by folded text
	categories map[string]*entry // by path
	sorted     [Title]*sorted[*entry]
}

// New is an empty book.
func New() *Book {
	b := &Book{
		phrases: newPhrases(), titles: newTitles(), searches: map[uint64]*entry{}, popular: map[uint64]bool{},
		brands: map[string]*entry{}, categories: map[string]*entry{},
	}
	for i := range b.sorted {
		b.sorted[i] = newSorted(6, (*entry).weight, compareEntries)
	}
	return b
}

// Add takes a listing in.
func (b *Book) Add(g Goods) {
	b.titles.add(g.Doc, g.Title, g.Brand)
	b.change(g, 1)
	if len(b.phrases.counts) > b.phrases.most {
		b.forget()
	}
}

// Remove takes out a listing that was added with the same words.
func (b *Book) Remove(g Goods) {
	b.titles.remove(g.Doc)
	b.change(g, -1)
}

func (b *Book) change(g Goods, by int64) {
	b.phrases.each(g.Title, func(folded []byte, text func() string) {
		hash, now := b.phrases.count(folded, int32(by)) //nolint:gosec // one up or down
		b.countSearch(hash, int64(now), folded, text)
	})
	if brand := strings.TrimSpace(g.Brand); brand != "" {
		if folded := Fold(brand); folded != "" {
			b.countBrand(folded, brand, by)
		}
	}
	for i := range len(g.Path) + 1 {
		if i == len(g.Path) && i > 0 || i < len(g.Path) && g.Path[i] == '/' {
			b.countCategory(g.Path[:i], by)
		}
	}
}

// countSearch says how many listings have the words of a search now.
func (b *Book) countSearch(hash uint64, now int64, folded []byte, text func() string) {
	e := b.searches[hash]
	if now < int64(b.phrases.least) {
		now = 0
	}
	switch {
	case e != nil:
		b.weigh(Phrase, e, func() { e.listings = now })
		b.retire(hash, e)
	case now > 0:
		e = &entry{text: text(), folded: string(folded), listings: now}
		b.searches[hash] = e
		b.enter(Phrase, e)
	}
}

// retire forgets a search that neither titles nor people make.
func (b *Book) retire(hash uint64, e *entry) {
	if e.listings == 0 && e.searches == 0 {
		b.leave(Phrase, e)
		delete(b.searches, hash)
	}
}

func (b *Book) countBrand(folded, text string, by int64) {
	e := b.brands[folded]
	if e == nil {
		e = &entry{text: text, folded: folded}
		b.brands[folded] = e
		b.enter(Brand, e)
	}
	b.weigh(Brand, e, func() { e.listings += by })
	if e.listings <= 0 {
		b.leave(Brand, e)
		delete(b.brands, folded)
	}
}

func (b *Book) countCategory(path string, by int64) {
	e := b.categories[path]
	if e == nil {
		e = &entry{path: strings.Clone(path)}
		b.categories[e.path] = e
	}
	b.weigh(Category, e, func() { e.listings += by })
	if e.listings <= 0 && e.text == "" {
		delete(b.categories, path)
	}
}

// enter makes an entry be found by its beginnings; leave makes it be found no more.
func (b *Book) enter(kind Kind, e *entry) {
	for _, key := range beginnings(e.folded, phraseBeginnings) {
		b.sorted[kind].put(key, e)
	}
}

func (b *Book) leave(kind Kind, e *entry) {
	for _, key := range beginnings(e.folded, phraseBeginnings) {
		b.sorted[kind].drop(key, e)
	}
}

// weigh changes what an entry weighs.
func (b *Book) weigh(kind Kind, e *entry, change func()) {
	was := e.weight()
	change()
	move := b.sorted[kind].rise
	switch now := e.weight(); {
	case now == was || e.folded == "" || e.searches == 0 && !noticed(e.listings):
		return
	case now < was:
		move = b.sorted[kind].fall
	}
	for _, key := range beginnings(e.folded, phraseBeginnings) {
		move(key, e)
	}
}

// NameCategory says what the category at a path is called now.
func (b *Book) NameCategory(path, name string) {
	e := b.categories[path]
	if e == nil {
		e = &entry{path: path}
		b.categories[path] = e
	}
	b.leave(Category, e)
	e.text, e.folded = name, Fold(name)
	b.enter(Category, e)
}

// SetPopular says what people search for, instead of what was said before.
func (b *Book) SetPopular(all []Popular) {
	was := b.popular
	b.popular = make(map[uint64]bool, len(all))
	for _, p := range all {
		folded := Fold(p.Text)
		if folded == "" || len(folded) > maxKey || p.Found <= 0 || p.Searches <= 0 {
			continue
		}
		hash, _ := b.phrases.count([]byte(folded), 0)
		b.popular[hash] = true
		e := b.searches[hash]
		if e == nil {
			e = &entry{text: strings.Join(strings.Fields(p.Text), " "), folded: folded}
			b.searches[hash] = e
			b.enter(Phrase, e)
		}
		b.weigh(Phrase, e, func() { e.searches = p.Searches })
	}
	for hash := range was {
		if e := b.searches[hash]; e != nil && !b.popular[hash] {
			b.weigh(Phrase, e, func() { e.searches = 0 })
			b.retire(hash, e)
		}
	}
}

// forget makes room among phrases.
func (b *Book) forget() {
	b.phrases.forget()
	for hash, e := range b.searches {
		if e.listings > 0 && e.listings < int64(b.phrases.least) {
			b.weigh(Phrase, e, func() { e.listings = 0 })
			b.retire(hash, e)
		}
	}
}

// typedOf reads what was typed. A space after the last word says that it is whole.
func typedOf(text string) (q typed, prefix string) {
	prefix = Fold(text)
	if prefix == "" {
		return q, ""
	}
	q.whole = strings.Fields(prefix)
	if last, _ := utf8.DecodeLastRuneInString(text); unicode.IsLetter(last) || unicode.IsNumber(last) || unicode.Is(unicode.Mn, last) {
		n := len(q.whole) - 1
		q.last, q.whole = q.whole[n], q.whole[:n]
		return q, prefix
	}
	return q, prefix + " "
}

// Complete is what text may become, best first, at most limit. Where nothing begins like that,
// one mistake in each word is forgiven.
func (b *Book) Complete(text string, limit int) []Found {
	q, prefix := typedOf(text)
	if prefix == "" || limit <= 0 {
		return nil
	}
	if found := b.complete(q, prefix, prefix, limit); len(found) > 0 {
		return found
	}
	q, ok := b.mended(q)
	if !ok {
		return nil
	}
	return b.complete(q, strings.Join(append(slices.Clone(q.whole), q.last), " "), prefix, limit)
}

// complete is what begins with prefix, which stands for what was typed.
func (b *Book) complete(q typed, prefix, asTyped string, limit int) []Found {
	listings, ends := b.titles.find(q, 2*limit)
	brands, categories := b.under(Brand, prefix), b.under(Category, prefix)
	// What is a category or a brand already need not come as a search too; nor what was typed.
	named := map[string]bool{one(strings.TrimSpace(asTyped)): true}
	for _, f := range brands {
		named[one(Fold(f.Text))] = true
	}
	for _, f := range categories {
		named[one(Fold(f.Text))] = true
	}
	var searches []Found
	take := func(all []Found) {
		for _, f := range all {
			if key := one(Fold(f.Text)); !named[key] && len(searches) < limit {
				named[key] = true
				searches = append(searches, f)
			}
		}
	}
	take(b.searchesUnder(q, prefix))
	take(together(q, ends))
	var titles []Found
	for _, one := range listings {
		f := Found{Kind: Title, Doc: int64(one.doc)}
		if !slices.Contains(titles, f) { // two of its words may begin so
			titles = append(titles, f)
		}
	}
	return share(limit, searches, categories, brands, titles)
}

// one is what a search for one thing and a search for several have in common: they find the same.
func one(folded string) string {
	if cut, ok := strings.CutSuffix(folded, "s"); ok && len(cut) > 2 && !strings.HasSuffix(cut, "s") {
		return cut
	}
	return folded
}

// under is what of a kind begins with prefix and has something behind it.
func (b *Book) under(kind Kind, prefix string) []Found {
	entries, _ := b.sorted[kind].under(prefix)
	return foundOf(kind, entries)
}

func foundOf(kind Kind, entries []*entry) []Found {
	found := make([]Found, 0, min(len(entries), topLeast))
	for _, e := range entries {
		if (e.listings > 0 || e.searches > 0) && len(found) < cap(found) {
			found = append(found, Found{Kind: kind, Text: e.text, Path: e.path, Count: e.listings})
		}
	}
	return found
}

// leastPlain is how many letters say which word is being typed.
const leastPlain = 2

// searchesUnder are searches that begin with prefix, among them the word itself that is most likely being typed: where
// titles begin with brands, keyboard is otherwise only a part of others.
func (b *Book) searchesUnder(q typed, prefix string) []Found {
	entries, _ := b.sorted[Phrase].under(prefix)
	if len(q.whole) == 0 && len(q.last) >= leastPlain {
		if w := b.titles.likeliest(q.last); w != nil {
			plain := &entry{text: w.text, folded: w.text, listings: int64(w.count)}
			at := slices.IndexFunc(entries, func(e *entry) bool {
				return e.weight() < plain.weight() || e.weight() == plain.weight() && e.searches == 0
			})
			if at < 0 {
				at = len(entries)
			}
			entries = slices.Insert(slices.Clip(entries), at, plain)
		}
	}
	return foundOf(Phrase, entries)
}

// together completes the last word with words that listings have beside the words before it,
// so that what is suggested is there to be found.
func together(q typed, ends map[*word]int64) []Found {
	if len(q.whole) == 0 || q.last == "" {
		return nil
	}
	before := strings.Join(q.whole, " ") + " "
	found := make([]Found, 0, len(ends))
	for w, n := range ends {
		if links(w.text) {
			continue
		}
		found = append(found, Found{Kind: Phrase, Text: before + w.text, Count: n})
	}
	slices.SortFunc(found, func(a, b Found) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text)) })
	return found
}

// share gives each kind its part of the places, and what is left to whoever has more.
func share(limit int, kinds ...[]Found) []Found {
	part := max(1, limit/len(kinds))
	take, left := make([]int, len(kinds)), limit
	for round := range 2 {
		for i, found := range kinds {
			n := len(found) - take[i]
			if round == 0 {
				n = min(n, part)
			}
			n = min(n, left)
			take[i], left = take[i]+n, left-n
		}
	}
	var out []Found
	for i, found := range kinds {
		out = append(out, found[:take[i]]...)
	}
	return out
}
