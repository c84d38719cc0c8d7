// Package ranking decides in which order results come. It is plain Go over what is known
// of a candidate; how candidates are found, and by which index, is not its business.
package ranking

import "math/bits"

// Query is what was asked for.
type Query struct {
	Terms   []Term
	AnyWord bool // candidates have some of the words, not all
}

// Term is one word: what fits it, with weights, and how much it says.
type Term struct {
	IDs     []uint32
	Weights []float32
	IDF     float32
}

// Candidate is a listing that fits, as far as an order depends on it. Bit i stands for the word
// Terms[i].
type Candidate struct {
	Title           []uint32 // term ids in order
	Head            uint64   // in title, brand or category
	Brand, Category uint64
	Has             uint64 // somewhere
	InStock         bool
	Quality         uint8
	Sold            uint32
}

// Explanation gets each part of a score by name.
type Explanation struct{ Parts []Part }

// Part is one part of a score.
type Part struct {
	Name  string
	Score float32
}

// Score scores a candidate: more is better. It depends on its arguments alone. Equal scores are
// ordered by id. why may be nil.
func Score(q *Query, c *Candidate, why *Explanation) float32 {
	const least = .01 // of a word that most listings have
	covered, head := float32(0), float32(0)
	for i := range q.Terms {
		weight := q.Terms[i].IDF + least
		if c.Has>>i&1 != 0 {
			covered += weight
		}
		if c.Head>>i&1 != 0 {
			head += weight
		}
	}
	parts := [...]Part{
		{"words", covered}, {"words in title, brand or category", head},
		{"brand", .01 * float32(bits.OnesCount64(c.Brand))}, {"length of the title", -.001 * float32(len(c.Title))},
	}
	sum := float32(0)
	for _, p := range parts {
		sum += p.Score
	}
	if why != nil {
		why.Parts = append(why.Parts, parts[:]...)
	}
	return sum
}
