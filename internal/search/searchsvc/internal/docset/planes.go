package docset

import "math/bits"

// Plane is one bit of a number that every document has.
type Plane []uint64

// Planes are a number for every document, one bitmap for each of its bits, highest first. So
// the best of a million are found with a few looks at a bitmap each.
type Planes []Plane

// Weighted is a set whose documents have so much more.
type Weighted struct {
	Set    Set
	Weight uint32
}

// Sums are for every document of base the weights of the sets that it is in. The planes are
// from Scratch.
func Sums(base []uint64, sets []Weighted) Planes {
	most := uint32(0)
	for _, s := range sets {
		most += s.Weight
	}
	high := bits.Len32(most)
	planes := make(Planes, high)
	for i := range planes {
		planes[i] = Scratch(len(base))
	}
	for _, s := range sets {
		in := s.Set.words
		var made []uint64
		if in == nil {
			made = Scratch(len(base))
			s.Set.Or(made)
			in = made
		}
		for bit := range bits.Len32(s.Weight) {
			if s.Weight>>bit&1 != 0 {
				planes.add(base, in, bit)
			}
		}
		Free(made)
	}
	return planes
}

// add adds 1<<bit to the numbers of what is in both.
func (p Planes) add(base, in []uint64, bit int) {
	n := min(len(base), len(in))
	var room [atOnce]uint64
	for from := 0; from < n; from += atOnce {
		upto := min(from+atOnce, n)
		carry, also := room[:upto-from], in[from:upto]
		for i, w := range base[from:upto] {
			carry[i] = w & also[i]
		}
		for at, left := len(p)-1-bit, true; left && at >= 0; at-- {
			plane := p[at][from:upto]
			some := uint64(0)
			for i, c := range carry {
				was := plane[i]
				plane[i], carry[i] = was^c, was&c
				some |= was & c
			}
			left = some != 0
		}
	}
}

// word is a plane's word i; a plane may be shorter than others, and then has nothing there.
func (p Plane) word(i int) uint64 {
	if i < len(p) {
		return p[i]
	}
	return 0
}

// sampled is the share of a bitmap's words, one in so many, that says where about the best of many begin.
const sampled = 16

// Top finds a number that k documents of base reach, or a few more, up to twice as many if so
// many have the same upper bits, and these documents, from Scratch. It is 0 if there are no more than k.
func (p Planes) Top(base []uint64, k int) (top []uint64, cut uint64) {
	count := Count(base)
	top = Scratch(len(base))
	if count <= k {
		copy(top, base)
		return top, 0
	}
	left, at := Scratch(len(base)), Scratch(len(base))
	defer Free(left, at)
	// Where twice as many reach a number in a sample, k are likely to be above it: what is below is put away in one pass.
	if some := 2 * k / sampled; count >= sampled*k && some > 0 {
		n := 0
		for i := 0; i < len(base); i += sampled {
			if base[i] != 0 {
				left[n], at[n] = base[i], uint64(i) //nolint:gosec // an index
				n++
			}
		}
		few := left[:n]
		if in := Count(few); in > some {
			cut = p.best(few, at[:n], in, some, nil)
		}
	}
	copy(top, base)
	p.AtLeast(top, cut)
	if above := Count(top); above >= k {
		count = above
	} else { // the sample was not like the rest
		copy(top, base)
		cut = 0
	}
	if count <= k+k/4 {
		return top, cut
	}
	n := 0
	for i, w := range top {
		if w != 0 {
			left[n], at[n] = w, uint64(i) //nolint:gosec // an index
			n++
		}
	}
	clear(top)
	return top, p.best(left[:n], at[:n], count, k, top)
}

// best finds a number that k of count documents reach, or a few more, and puts these into top, if there is one. What is left is
// kept without gaps, words of a bitmap with where they were: soon it is little.
func (p Planes) best(left, at []uint64, count, k int, top []uint64) (cut uint64) {
	n := len(left)
	for i, plane := range p {
		if count <= k+k/4 { // with those that are in already, that will do
			break
		}
		upper := 0
		for j, w := range left[:n] {
			upper += bits.OnesCount64(w & plane.word(int(at[j]))) //nolint:gosec // an index
		}
		reached := upper >= k
		if reached {
			cut |= 1 << (len(p) - 1 - i)
			count = upper
		} else {
			k, count = k-upper, count-upper
		}
		kept := 0
		for j, w := range left[:n] {
			in := plane.word(int(at[j])) //nolint:gosec // an index
			if !reached {
				if top != nil {
					top[at[j]] |= w & in
				}
				in = ^in
			}
			if w &= in; w != 0 {
				left[kept], at[kept] = w, at[j]
				kept++
			}
		}
		n = kept
	}
	if top != nil {
		for j, w := range left[:n] {
			top[at[j]] |= w
		}
	}
	return cut
}

// AtLeast takes out of base what has less than cut.
func (p Planes) AtLeast(base []uint64, cut uint64) {
	if bits.Len64(cut) > len(p) {
		clear(base)
		return
	}
	var least, room [atOnce]uint64
	for from := 0; from < len(base); from += atOnce {
		words := base[from:min(from+atOnce, len(base))]
		p.reaching(least[:len(words)], from, cut, len(p), room[:len(words)])
		for i := range words {
			words[i] &= least[i]
		}
	}
}

// reaching sets least to who has low or more in the lowest so many bits, from a word on. It goes up from the lowest bit of low: those
// below say nothing.
func (p Planes) reaching(least []uint64, from int, low uint64, most int, room []uint64) {
	for i := range least {
		least[i] = ^uint64(0)
	}
	for bit := bits.TrailingZeros64(low); bit < most; bit++ {
		plane := p[len(p)-1-bit].part(from, room)
		if low>>bit&1 != 0 {
			for i, w := range plane {
				least[i] &= w
			}
		} else {
			for i, w := range plane {
				least[i] |= w
			}
		}
	}
}

// Change makes the number of one document another: was is what it has been, 0 at first.
func (p *Planes) Change(doc uint32, was, is uint64) {
	for len(*p) < bits.Len64(is) {
		*p = append(Planes{nil}, *p...)
	}
	for left := was ^ is; left != 0; left &= left - 1 {
		plane := &(*p)[len(*p)-1-bits.TrailingZeros64(left)]
		if n := int(doc/64) + 1 - len(*plane); n > 0 {
			*plane = append(*plane, make(Plane, n)...)
		}
		(*plane)[doc/64] ^= 1 << (doc % 64)
	}
}

// atOnce is how many words of bitmaps are compared at a time: they stay near the processor until all planes were looked at.
const atOnce = 512

// Within takes out of base what has no number from low to high, both included.
func (p Planes) Within(base []uint64, low, high uint64) {
	if low > high || bits.Len64(low) > len(p) {
		clear(base)
		return
	}
	high = min(high, 1<<len(p)-1)
	var least, most, room [atOnce]uint64 // what is not below low, and not above high, by the lower bits so far
	for from := 0; from < len(base); from += atOnce {
		words := base[from:min(from+atOnce, len(base))]
		least, most := least[:len(words)], most[:len(words)]
		p.reaching(least, from, low, bits.Len64(high), room[:len(words)]) // who has a higher bit is above high
		for i := range most {
			most[i] = ^uint64(0)
		}
		for bit := bits.TrailingZeros64(^high); bit < len(p); bit++ {
			plane := p[len(p)-1-bit].part(from, room[:len(words)])
			if high>>bit&1 != 0 {
				for i, w := range plane {
					most[i] |= ^w
				}
			} else {
				for i, w := range plane {
					most[i] &^= w
				}
			}
		}
		for i := range words {
			words[i] &= least[i] & most[i]
		}
	}
}

// part is as many words of a plane from one on as there is room for.
func (p Plane) part(from int, room []uint64) []uint64 {
	if from+len(room) <= len(p) {
		return p[from : from+len(room)]
	}
	clear(room)
	copy(room, p[min(from, len(p)):])
	return room
}

// Of is the number of one document.
func (p Planes) Of(doc uint32) uint64 {
	n := uint64(0)
	for _, plane := range p {
		n <<= 1
		if Test(plane, doc) {
			n |= 1
		}
	}
	return n
}
