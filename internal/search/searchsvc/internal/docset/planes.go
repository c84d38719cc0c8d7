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
	first := len(p) - 1 - bit
	n := min(len(base), len(in))
	for i := range n {
		carry := base[i] & in[i]
		for at := first; carry != 0 && at >= 0; at-- {
			p[at][i], carry = p[at][i]^carry, p[at][i]&carry
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

// Top finds a number that k documents of base reach, or a few more, up to twice as many if so
// many have the same upper bits, and these documents, from Scratch. It is 0 if there are no more than k.
func (p Planes) Top(base []uint64, k int) (top []uint64, cut uint64) {
	count := Count(base)
	top = Scratch(len(base))
	if count <= k {
		copy(top, base)
		return top, 0
	}
	// What is left is kept without gaps, words of the bitmap with where they were: soon it is little.
	left, at := Scratch(len(base)), Scratch(len(base))
	defer Free(left, at)
	n := 0
	for i, w := range base {
		if w != 0 {
			left[n], at[n] = w, uint64(i) //nolint:gosec // an index
			n++
		}
	}
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
				top[at[j]] |= w & in
				in = ^in
			}
			if w &= in; w != 0 {
				left[kept], at[kept] = w, at[j]
				kept++
			}
		}
		n = kept
	}
	for j, w := range left[:n] {
		top[at[j]] |= w
	}
	return top, cut
}

// AtLeast takes out of base what has less than cut.
func (p Planes) AtLeast(base []uint64, cut uint64) {
	if cut == 0 {
		return
	}
	for i, equal := range base {
		if equal == 0 {
			continue
		}
		more := uint64(0)
		for at, plane := range p {
			if cut>>(len(p)-1-at)&1 != 0 {
				equal &= plane.word(i)
			} else {
				more |= equal & plane.word(i)
				equal &^= plane.word(i)
			}
			if equal == 0 {
				break
			}
		}
		base[i] = more | equal
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
		for i := range words {
			least[i], most[i] = ^uint64(0), ^uint64(0)
		}
		for bit := bits.TrailingZeros64(low); bit < bits.Len64(high); bit++ { // who has a higher bit is above high
			plane := p[len(p)-1-bit].part(from, room[:len(words)])
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
