// Package spelling mends words by the catalogue's own vocabulary.
//
// A Book knows in how many listings each word stands, and grows and shrinks with them. What was
// typed is compared with words that stand in at least two listings, so that one seller's slip is
// nobody's correction; numbers and model codes are neither mended nor offered, since every
// one-digit change of a code is another product.
//
// A word that one title has may stand in more descriptions, which the book does not know: whoever
// asks for a correction counts.
//
// Near words are found as SymSpell finds them: two words are within an edit of each other only if
// leaving out letters of both, as many as edits, can give the same. What is left of the first
// letters of each word is kept in a table, and what is left of the typed one is looked up in it.
package spelling

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the vocabulary.
const (
	leastListings = 2 // a word in fewer is offered only if more have it elsewhere
	shortest      = 3 // letters of a word that is offered
	longest       = 32
	beginning     = 7       // letters of a word that the table is made of
	mostOffered   = 300_000 // words in the table: beyond, new ones are known but not offered
)

// Book is a vocabulary. It is not safe for use by several at once while it changes.
type Book struct {
	at      map[string]int32
	words   []word
	vacant  []int32 // of words that are in no listing any more
	offered int     // words in the table
	stale   int     // of these, words that are in no listing by now
	most    int     // words in the table, at most
	heads   []int32 // first of a chain in rests, by hash; -1 for none
	rests   []rest
}

type word struct {
	text     string
	listings int32
	reach    int // in the table for so many edits; 0 is not there
}

// rest is what is left of a word: whose it is, and the next one with the same hash.
type rest struct{ word, next int32 }

// New is an empty vocabulary.
func New() *Book { return &Book{at: map[string]int32{}, most: mostOffered} }

// Add takes in the words of a listing, each once, in lower case and without accents.
func (b *Book) Add(words []string) {
	for _, text := range words {
		if !takes(text) {
			continue
		}
		at, ok := b.at[text]
		if !ok {
			at = b.place(text)
		}
		w := &b.words[at]
		w.listings++
		if w.listings == 1 && w.reach > 0 {
			b.stale--
		}
		b.offer(at)
	}
}

// Remove takes out the words of a listing that were added.
func (b *Book) Remove(words []string) {
	for _, text := range words {
		at, ok := b.at[text]
		if !ok || b.words[at].listings == 0 {
			continue
		}
		w := &b.words[at]
		w.listings--
		switch {
		case w.listings > 0:
		case w.reach > 0:
			b.stale++
		default:
			b.forget(at)
		}
	}
	if b.stale > 1000 && b.stale > b.offered/2 {
		b.tidy()
	}
}

// Listings is how many listings have a word; 0 for one that is not known.
func (b *Book) Listings(text string) int {
	if at, ok := b.at[text]; ok {
		return int(b.words[at].listings)
	}
	return 0
}

// Len is how many words are in the table.
func (b *Book) Len() int { return b.offered - b.stale }

func (b *Book) place(text string) int32 {
	text = strings.Clone(text) // it may be part of a long one
	if n := len(b.vacant); n > 0 {
		at := b.vacant[n-1]
		b.vacant = b.vacant[:n-1]
		b.words[at] = word{text: text}
		b.at[text] = at
		return at
	}
	at := int32(len(b.words)) //nolint:gosec // far below two thousand million
	b.words = append(b.words, word{text: text})
	b.at[text] = at
	return at
}

// offer puts a word into the table. One that a single listing has is found over one edit only: it
// costs a quarter, and most such words are slips and names that nobody looks for.
func (b *Book) offer(at int32) {
	w := &b.words[at]
	letters := utf8.RuneCountInString(w.text)
	far := reach(letters)
	if w.listings < leastListings {
		far = min(far, 1)
	}
	if far <= w.reach || w.reach == 0 && b.offered >= b.most || nobodyMeans[w.text] {
		return
	}
	if len(b.rests)+mostRests > len(b.heads) {
		b.fill(max(1<<10, 2*len(b.heads)))
	}
	if w.reach == 0 {
		b.offered++
	}
	b.chain(at, w.reach, far)
	w.reach = far
}

// chain puts what can be left of a word into the table, when it is there as far as from already.
func (b *Book) chain(at int32, from, to int) {
	var buf [mostRests]uint32
	text := []rune(b.words[at].text)
	known := 0
	if from > 0 {
		known = len(restsOf(buf[:0], text, from))
	}
	for _, hash := range restsOf(buf[:0], text, to)[known:] {
		slot := b.slot(hash)
		b.rests = append(b.rests, rest{word: at, next: b.heads[slot]})
		b.heads[slot] = int32(len(b.rests) - 1) //nolint:gosec // bounded by mostOffered
	}
}

func (b *Book) slot(hash uint32) uint32 {
	return hash & uint32(len(b.heads)-1) //nolint:gosec // a power of two below 1<<31
}

// fill makes the table anew, of that size.
func (b *Book) fill(size int) {
	b.heads, b.rests = make([]int32, size), make([]rest, 0, size)
	for i := range b.heads {
		b.heads[i] = -1
	}
	for at := range b.words {
		if far := b.words[at].reach; far > 0 {
			b.chain(int32(at), 0, far) //nolint:gosec // far below two thousand million
		}
	}
}

// tidy forgets the words that are in no listing any more.
func (b *Book) tidy() {
	for at := range b.words {
		if w := &b.words[at]; w.reach > 0 && w.listings == 0 {
			b.forget(int32(at)) //nolint:gosec // far below two thousand million
		}
	}
	b.offered -= b.stale
	b.stale = 0
	b.fill(len(b.heads))
}

func (b *Book) forget(at int32) {
	delete(b.at, b.words[at].text)
	b.words[at] = word{}
	b.vacant = append(b.vacant, at)
}

// takes says whether a text is a word of the vocabulary: letters alone.
func takes(text string) bool {
	letters := 0
	for _, r := range text {
		if !unicode.IsLetter(r) {
			return false
		}
		letters++
	}
	return letters > 0 && letters <= longest
}

// reach is how many edits a word of so many letters may be away. The short ones are near to
// everything: of them a correction would be a guess.
func reach(letters int) int {
	switch {
	case letters < shortest:
		return 0
	case letters < 6:
		return 1
	default:
		return 2
	}
}

// mostRests is what can be left of a word: all its first letters, all but one, all but two.
const mostRests = 1 + beginning + beginning*(beginning-1)/2

// restsOf appends the hashes of what is left of the first letters when one is left out, or up to
// two; those of one come first.
func restsOf(dst []uint32, text []rune, out int) []uint32 {
	text = text[:min(len(text), beginning)]
	add := func(a, b int) {
		hash := uint32(2166136261)
		for i, r := range text {
			if i != a && i != b {
				hash = (hash ^ uint32(r)) * 16777619 //nolint:gosec // a rune is not negative
			}
		}
		if hash ^= hash >> 15; !slices.Contains(dst, hash) {
			dst = append(dst, hash)
		}
	}
	add(-1, -1)
	for a := range text {
		add(a, a)
	}
	for a := range text {
		for b := 0; b < a && out >= 2; b++ {
			add(a, b)
		}
	}
	return dst
}

// nobodyMeans are words that stand in many titles and that nobody searches for by themselves: near
// to short words, they would win by their number alone.
var nobodyMeans = func() map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(`and are but each for from has into its not off onto our out over per that than the their then
		they this upon use was were when which will with without you your
		auch aus bei das dem den der des die ein eine einer fur mit nach oder ohne und von zum zur
		avec aux dans des les mais pour sans sur une vos con del las los para por una uno che dei gli nel per een het met van voor`) {
		all[word] = true
	}
	return all
}()
