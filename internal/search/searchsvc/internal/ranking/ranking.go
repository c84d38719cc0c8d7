// Package ranking decides in which order results come. It is plain Go over what memory knows of a
// candidate; how candidates are found, and by which index, is not its business.
//
// A score is the sum of
//
//	what each word is worth, by how much it says (idf), where it was seen and how often: a title
//	counts three times as much as a description, a category as much as a title, and all of them
//	together more than each, but less and less; in a long text a word counts less
//	what the word that fits least is worth
//	a little for words that stand together, and for stock
//	something for what is in the category whose name was typed, and nothing else
//	less a little for accessories: who looks for a laptop does not want its bag first
//
// When any word will do, having a word counts for more than everything else. What has only what was perhaps meant by a word
// comes behind all that has what was typed, and before what has not all the words.
package ranking

// Explanation is a score in its parts.
type Explanation struct {
	Parts []Part // their values sum up to the score
}

// Part is one part of a score.
type Part struct {
	Name            string // "word", "missing", "adjacent", "accessory", "beyond", "weakest", "guessed", "kind", "in stock", "quality"
	Term            int    // of the query; -1 for all
	Value           float32
	Title           int // of a word: how often the title has it
	Body            int // how often description and attributes have it; 2 is several times
	Brand, Category bool
	Fit             float32 // the weight of what was there: 1 is as typed
}
