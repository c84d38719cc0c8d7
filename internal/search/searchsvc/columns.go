package searchsvc

import (
	"math"
	"slices"

	"souk/internal/catalog"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/ranking"
	"souk/internal/search/searchsvc/internal/words"
)

// columns are what memory has of listings, by their numbers: what filters, counts and sorts, and
// the words of titles. A number's words, brand, category and seller never change (store.change);
// its price and whether it is shown and in stock do.
type columns struct {
	ids     []listingKey
	from    []int64       // the cheapest variant: its price, which is
	costs   docset.Planes // here once more, by bits
	paid    docset.Planes // and the number of its currency
	created []int64
	traits  []traits
	sold    []int64 // how well it sells: see internal/sales

	shown   []uint64 // bitmaps
	visible []uint64 // shown, and of an approved seller
	inStock []uint64
	grades  docset.Planes // quality, with stock before everything, and then chance: what is looked at first

	latest   []int64 // of each word of a bitmap: when the newest in it was made
	cheapest []int64 // and the least and the highest price that it has ever had
	dearest  []int64
	selling  []int64 // and the best that one in it has ever sold

	titles  arena[byte]
	terms   []uint32       // of titles, one title after the other; those that glue several together come last in each
	marked  []ranking.Mark // what is known of each of them
	lexicon lexicon
	stated  arena[uint32] // the facts of each, in order of attributes
	facts   facts
}

// traits are what facets and scores look at in listing after listing: side by side, since to fetch it is most of the work.
type traits struct {
	seller, brand, node int32  // none is 0
	terms               uint32 // of its title begin there,
	said                uint16 // and are so many
	body                uint16 // words of description and attributes
	money               uint8  // the currency
	quality             uint8
}

// listingKey is a listing's id in few bytes, in the same order.
type listingKey [16]byte

const (
	qualityBits = 5
	chanceBits  = 12
	gradeBits   = 1 + qualityBits + chanceBits
)

func newColumns() columns {
	c := columns{grades: make(docset.Planes, gradeBits), lexicon: lexicon{at: map[string]uint32{}}, facts: newFacts()}
	c.grow(0) // 0 is nobody
	return c
}

// has says whether there is anything at a number.
func (c *columns) has(doc uint32) bool {
	return int(doc) < len(c.ids) && c.ids[doc] != listingKey{}
}

// grow makes room up to doc.
func (c *columns) grow(doc uint32) {
	n := int(doc) + 1
	if n <= len(c.ids) {
		return
	}
	c.ids, c.from, c.created = grown(c.ids, n), grown(c.from, n), grown(c.created, n)
	c.traits, c.sold = grown(c.traits, n), grown(c.sold, n)
	c.titles.grow(n)
	c.stated.grow(n)
	w := docset.Words(n)
	c.shown, c.visible, c.inStock = grown(c.shown, w), grown(c.visible, w), grown(c.inStock, w)
	for len(c.cheapest) < w {
		c.cheapest = append(c.cheapest, math.MaxInt64)
	}
	c.latest, c.dearest, c.selling = grown(c.latest, w), grown(c.dearest, w), grown(c.selling, w)
	for i := range c.grades {
		c.grades[i] = grown(c.grades[i], w)
	}
}

func grown[S ~[]E, E any](s S, n int) S {
	return slices.Grow(s, n-len(s))[:n]
}

// setBit sets or clears one bit.
func setBit(words []uint64, doc uint32, on bool) {
	if on {
		words[doc/64] |= 1 << (doc % 64)
	} else {
		words[doc/64] &^= 1 << (doc % 64)
	}
}

// seed makes chance the same in every process: which of equals is looked at first must not
// change between two pages.
const seed = 0x9e3779b97f4a7c15

// chance is a number that a listing has got for good.
func (k listingKey) chance() uint64 {
	h := uint64(seed)
	for _, b := range k {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	h ^= h >> 29
	return h * 0xbf58476d1ce4e5b9 >> (64 - chanceBits)
}

// grade is what is looked at first of what fits equally well: what is in stock, what is well
// described, and then chance, which favours no seller and no age.
func (c *columns) grade(doc uint32) uint64 {
	g := uint64(c.traits[doc].quality)<<chanceBits | c.ids[doc].chance()
	if docset.Test(c.inStock, doc) {
		g |= 1 << (qualityBits + chanceBits)
	}
	return g
}

// setPrice sets the price of the cheapest variant, and its currency.
func (c *columns) setPrice(doc uint32, from int64, currency uint8) {
	c.costs.Change(doc, uint64(c.from[doc]), uint64(from)) //nolint:gosec // no price is negative
	c.paid.Change(doc, uint64(c.traits[doc].money), uint64(currency))
	c.from[doc], c.traits[doc].money = from, currency
	c.cheapest[doc/64] = min(c.cheapest[doc/64], from)
	c.dearest[doc/64] = max(c.dearest[doc/64], from)
}

// setSold sets how well it sells.
func (c *columns) setSold(doc uint32, score int64) {
	c.sold[doc] = score
	c.selling[doc/64] = max(c.selling[doc/64], score)
}

// setGrade brings the planes up to date.
func (c *columns) setGrade(doc uint32) {
	g := c.grade(doc)
	for i := range c.grades {
		setBit(c.grades[i], doc, g>>(gradeBits-1-i)&1 != 0)
	}
}

// setTitle keeps the title of a number that is new.
func (c *columns) setTitle(doc uint32, row *shelfRow, tokens []words.Token) {
	c.titles.put(doc, []byte(row.Title))
	of := &c.traits[doc]
	of.body = uint16(min(row.Body, math.MaxUint16)) //nolint:gosec // bounded
	of.terms = uint32(len(c.terms))                 //nolint:gosec // four thousand million are more than fit
	inTitleOrder(tokens, func(token *words.Token) {
		if of.said == math.MaxUint16 {
			return
		}
		m := ranking.Mark(0)
		if i := int(of.said); i < len(row.Marks) && row.Marks[i] > 0 {
			m = ranking.Echoed
			if row.Marks[i] >= severalTimes {
				m |= ranking.Stressed
			}
		}
		if token.Glued {
			m |= ranking.Glued
		}
		if ranking.IsAccessory(token.Term) {
			m |= ranking.Accessory
		}
		c.terms, c.marked = append(c.terms, c.lexicon.id(token.Term)), append(c.marked, m)
		of.said++
	})
}

// termsOf are the terms of a title, and marksOf what is known of each.
func (c *columns) termsOf(doc uint32) []uint32 {
	of := &c.traits[doc]
	from, to := int(of.terms), int(of.terms)+int(of.said)
	return c.terms[from:to:to]
}

func (c *columns) marksOf(doc uint32) []ranking.Mark {
	of := &c.traits[doc]
	from, to := int(of.terms), int(of.terms)+int(of.said)
	return c.marked[from:to:to]
}

// keyOf is an id in few bytes. One that is not of the usual shape, which only tests make, is
// known by its hash.
func keyOf(id catalog.ListingID) listingKey {
	const prefix = 4 // "lst_"
	var k listingKey
	if len(id) != prefix+26 {
		return odd(id)
	}
	acc, have, at := uint32(0), 0, 0
	for i := prefix; i < len(id); i++ {
		v := digits[id[i]]
		if v == 0xff {
			return odd(id)
		}
		bits := 5
		if i == prefix {
			bits = 3
		}
		acc, have = acc<<bits|uint32(v), have+bits
		if have >= 8 {
			have -= 8
			k[at] = byte(acc >> have)
			at++
		}
	}
	return k
}

func odd(id catalog.ListingID) listingKey {
	var k listingKey
	h := uint64(seed)
	for i := range 16 {
		for j := range len(id) {
			h = (h ^ uint64(id[j])) * 0x100000001b3
		}
		k[i] = byte(h >> 32)
	}
	return k
}

// digits are the values of the letters of an id.
var digits = func() (d [256]uint8) {
	for i := range d {
		d[i] = 0xff
	}
	for i, c := range "0123456789abcdefghjkmnpqrstvwxyz" {
		d[c] = uint8(i) //nolint:gosec // 32 of them
	}
	return d
}()

// arena keeps small slices, one for each number, side by side.
type arena[T any] struct {
	all  []T
	from []uint32
	size []uint16
}

func (a *arena[T]) grow(n int) { a.from, a.size = grown(a.from, n), grown(a.size, n) }

func (a *arena[T]) put(doc uint32, some []T) {
	some = some[:min(len(some), 1<<16-1)]
	a.from[doc], a.size[doc] = uint32(len(a.all)), uint16(len(some)) //nolint:gosec // four thousand million are more than fit
	a.all = append(a.all, some...)
}

// fetch has the processor fetch some, which are far apart in memory, at once; what it gives says nothing.
func (a *arena[T]) fetch(some []uint32) (touched T) {
	for _, doc := range some {
		if a.size[doc] > 0 {
			touched = a.all[a.from[doc]]
		}
	}
	return touched
}

func (a *arena[T]) of(doc uint32) []T {
	from, size := int(a.from[doc]), int(a.size[doc])
	return a.all[from : from+size : from+size]
}
