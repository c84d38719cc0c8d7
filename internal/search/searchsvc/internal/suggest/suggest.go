// Package suggest completes what is being typed. A Book is kept in memory and is told of
// every listing that comes, changes or goes; it knows no database and no index.
//
// What can be completed is found by the beginning of any of its first words: "la" finds
// "brass desk lamp". Phrases to search for are runs of words that several titles share.
package suggest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidwall/btree"
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

// Found is one suggestion.
type Found struct {
	Kind  Kind
	Text  string // "" of a listing: who asks has its title
	Path  string // of a category
	Doc   int64  // of a listing
	Count int64  // listings behind it
}

// maxScan bounds how many entries one completion looks at, per kind: after a single letter
// it sees the first of them only.
const maxScan = 4000

// later is the ref of a beginning that is not the title's first word.
const later = "later"

// shared is how many listings must have a phrase before it is worth suggesting.
const shared = 2

// item stands for one thing under one of the beginnings by which it is found.
type item struct {
	key string // folded text from some word on
	ref string // folded text as a whole, or a path
	doc int64
}

func less(a, b item) bool {
	if a.key != b.key {
		return a.key < b.key
	}
	if a.ref != b.ref {
		return a.ref < b.ref
	}
	return a.doc < b.doc
}

// counted is a phrase or a brand with the listings behind it.
type counted struct {
	text  string
	count int64
}

// Book has everything that can be suggested. It is for one goroutine at a time, or many
// that only Complete.
type Book struct {
	phrases, brands map[string]*counted // by folded text
	counts          map[string]int64    // listings at and below a path
	names           map[string]string   // of categories, by path
	trees           [4]*btree.BTreeG[item]
}

// New is an empty book.
func New() *Book {
	b := &Book{phrases: map[string]*counted{}, brands: map[string]*counted{}, counts: map[string]int64{}, names: map[string]string{}}
	for i := range b.trees {
		b.trees[i] = btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
	}
	return b
}

// Add takes a listing in.
func (b *Book) Add(g Goods) { b.change(g, 1) }

// Remove takes out a listing that was added with the same words.
func (b *Book) Remove(g Goods) { b.change(g, -1) }

func (b *Book) change(g Goods, by int64) {
	for _, p := range phrasesOf(g.Title) {
		b.count(Phrase, b.phrases, p.folded, p.text, by, shared)
	}
	if brand := strings.TrimSpace(g.Brand); brand != "" {
		b.count(Brand, b.brands, Fold(brand), brand, by, 1)
	}
	for i := range len(g.Path) + 1 {
		if i == len(g.Path) && i > 0 || i < len(g.Path) && g.Path[i] == '/' {
			path := g.Path[:i]
			if b.counts[path] += by; b.counts[path] == 0 {
				delete(b.counts, path)
			}
		}
	}
	for i, key := range beginnings(Fold(g.Title), titleBeginnings) {
		at := item{key: key, doc: g.Doc}
		if i > 0 {
			at.ref = later
		}
		b.put(Title, at, by > 0)
	}
}

// count moves the count of a phrase or brand, which is found from least listings on.
func (b *Book) count(kind Kind, in map[string]*counted, folded, text string, by, least int64) {
	if folded == "" {
		return
	}
	c := in[folded]
	if c == nil {
		c = &counted{text: text}
		in[folded] = c
	}
	was := c.count
	if c.count += by; c.count <= 0 {
		delete(in, folded)
	}
	if (was >= least) == (c.count >= least) {
		return
	}
	for _, key := range beginnings(folded, phraseBeginnings) {
		b.put(kind, item{key: key, ref: folded}, c.count >= least)
	}
}

func (b *Book) put(kind Kind, i item, there bool) {
	if there {
		b.trees[kind].Set(i)
	} else {
		b.trees[kind].Delete(i)
	}
}

// NameCategory says what the category at a path is called now.
func (b *Book) NameCategory(path, name string) {
	if was, ok := b.names[path]; ok {
		for _, key := range beginnings(Fold(was), phraseBeginnings) {
			b.put(Category, item{key: key, ref: path}, false)
		}
	}
	b.names[path] = name
	for _, key := range beginnings(Fold(name), phraseBeginnings) {
		b.put(Category, item{key: key, ref: path}, true)
	}
}

// Complete is what text may become, best first, at most limit.
func (b *Book) Complete(text string, limit int) []Found {
	prefix := Fold(text)
	if prefix == "" || limit <= 0 {
		return nil
	}
	phrases, brands := b.scan(Phrase, prefix), b.scan(Brand, prefix)
	categories, titles := b.scan(Category, prefix), b.scan(Title, prefix)
	// What is a category or a brand already need not come as a phrase too.
	named := map[string]bool{prefix: true}
	for _, f := range append(slices.Clone(brands), categories...) {
		named[Fold(f.Text)] = true
	}
	phrases = slices.DeleteFunc(phrases, func(f Found) bool { return named[Fold(f.Text)] })
	return share(limit, phrases, categories, brands, titles)
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

// scan is what begins with prefix, those with most listings first. Titles that begin with it
// come before those that have it later.
func (b *Book) scan(kind Kind, prefix string) []Found {
	var found []Found
	seen, looked := map[string]bool{}, 0
	docs := map[int64]bool{}
	b.trees[kind].Ascend(item{key: prefix, doc: -1 << 63}, func(i item) bool {
		if looked++; looked > maxScan || !strings.HasPrefix(i.key, prefix) {
			return false
		}
		if kind == Title {
			if !docs[i.doc] {
				docs[i.doc] = true
				found = append(found, Found{Kind: Title, Doc: i.doc, Text: i.ref})
			}
			return len(found) < maxTitles
		}
		if !seen[i.ref] {
			seen[i.ref] = true
			if f := b.found(kind, i.ref); f.Count > 0 {
				found = append(found, f)
			}
		}
		return true
	})
	if kind == Title {
		slices.SortStableFunc(found, func(x, y Found) int { return cmp.Compare(x.Text, y.Text) })
		for i := range found {
			found[i].Text = ""
		}
		return found
	}
	slices.SortFunc(found, func(x, y Found) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Text, y.Text), cmp.Compare(x.Path, y.Path))
	})
	return found
}

// maxTitles is how many listings are looked for.
const maxTitles = 50

func (b *Book) found(kind Kind, ref string) Found {
	switch kind {
	case Category:
		return Found{Kind: kind, Text: b.names[ref], Path: ref, Count: b.counts[ref]}
	case Brand:
		return Found{Kind: kind, Text: b.brands[ref].text, Count: b.brands[ref].count}
	default:
		return Found{Kind: kind, Text: b.phrases[ref].text, Count: b.phrases[ref].count}
	}
}
