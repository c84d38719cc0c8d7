// Package ranking decides in which order results come. It is plain Go over what is known
// of a candidate; how candidates are found, and by which index, is not its business.
package ranking

// Candidate is a listing that fits, as far as an order depends on it.
type Candidate struct {
	Words   int64 // how well the words fit, by the index: more is better
	InStock bool
	Title   string
}

// Query is what was asked for.
type Query struct {
	Words   []string // in lower case
	AnyWord bool     // candidates have some of the words, not all
}

// Func scores a candidate: more is better. It depends on its arguments alone, since pages
// of one ranking are scored one by one. Equal scores are ordered by id.
type Func func(Query, Candidate) int64

// ByWords orders by how well the words fit.
func ByWords(_ Query, c Candidate) int64 { return c.Words }
