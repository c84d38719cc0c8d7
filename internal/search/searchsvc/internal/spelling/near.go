package spelling

import (
	"cmp"
	"math"
	"slices"
)

// sure is from how many letters on a word with two edits may begin differently.
const sure = 8

// Word is a word of the vocabulary that may have been meant.
type Word struct {
	Text     string
	Edits    int     // letters left out, put in, taken for others, or swapped with the next
	Listings int     // that have it
	Cost     float64 // how unlikely it is that this was meant: less is better
}

// Near are the words that may have been meant by one that was typed, likeliest first, itself left
// out: by edits, then by how easily a hand makes these, then by how many listings have them. Words
// that a single listing has come last.
func (b *Book) Near(typed string, limit int) []Word {
	if !takes(typed) || len(b.heads) == 0 {
		return nil
	}
	text := []rune(typed)
	far := reach(len(text))
	if far == 0 {
		return nil
	}
	var buf [mostRests]uint32
	var hits []int32
	for _, hash := range restsOf(buf[:0], text, far) {
		for at := b.heads[b.slot(hash)]; at >= 0; at = b.rests[at].next {
			hits = append(hits, b.rests[at].word)
		}
	}
	slices.Sort(hits)
	var found []Word
	var other []rune
	for _, at := range slices.Compact(hits) {
		w := &b.words[at]
		if w.listings == 0 || w.text == typed {
			continue
		}
		other = append(other[:0], []rune(w.text)...)
		edits := distance(text, other, far)
		// Two edits are many for a short word: it would be another one.
		if edits > far || edits > reach(len(other)) && len(other) < 5 {
			continue
		}
		if edits > 1 && (w.listings < leastListings || len(text) < sure && strangers(text, other)) {
			continue
		}
		found = append(found, Word{Text: w.text, Edits: edits, Listings: int(w.listings), Cost: cost(text, other, int(w.listings))})
	}
	return Likely(found, limit)
}

func likelier(a, b Word) int {
	return cmp.Or(cmp.Compare(rare(a), rare(b)), cmp.Compare(a.Edits, b.Edits), cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Text, b.Text))
}

func rare(w Word) int {
	if w.Listings < leastListings {
		return 1
	}
	return 0
}

// distance is how many edits are between two words, or more than most: letters left out, put in,
// taken for others, or swapped with the next, none touched twice.
func distance(a, b []rune, most int) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > most {
		return most + 1
	}
	for len(a) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var rows [3][longest + 1]int8
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = int8(j) //nolint:gosec // at most longest
	}
	for i := range a {
		row[0] = int8(i + 1) //nolint:gosec // at most longest
		least := row[0]
		for j := range b {
			d := last[j]
			if a[i] != b[j] {
				d = 1 + min(d, last[j+1], row[j])
				if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
					d = min(d, 1+before[j-1])
				}
			}
			row[j+1] = d
			least = min(least, d)
		}
		if int(least) > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return int(last[len(b)])
}

// What edits cost. One of another kind than these costs 1.
const (
	costSwap     = .7  // of two neighbours: hands do it all the time
	costBeside   = .85 // for a letter beside it on the keyboard
	costDouble   = .7  // a letter twice instead of once, or once instead of twice
	costFirst    = .4  // more, when the first letters differ: these people get right
	perListings  = .1  // less for ten times as many listings
	mostListings = 1e4 // beyond, more do not count
)

// cost is how unlikely it is that b was meant by a. It is only computed of words that are near.
func cost(a, b []rune, listings int) float64 {
	var rows [3][longest + 1]float64
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range b {
		last[j+1] = last[j] + one(b, j)
	}
	for i := range a {
		row[0] = last[0] + one(a, i)
		for j := range b {
			d := last[j]
			switch {
			case a[i] == b[j]:
			case beside(a[i], b[j]):
				d += costBeside
			default:
				d++
			}
			d = min(d, last[j+1]+one(a, i), row[j]+one(b, j))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] && a[i] != a[i-1] {
				d = min(d, before[j-1]+costSwap)
			}
			row[j+1] = d
		}
		before, last, row = last, row, before
	}
	total := last[len(b)]
	if strangers(a, b) {
		total += costFirst
	}
	return total - perListings*math.Log10(min(float64(listings), mostListings))
}

// strangers says whether two words begin differently, and not only with two letters swapped.
func strangers(a, b []rune) bool {
	return a[0] != b[0] && (len(a) < 2 || len(b) < 2 || a[0] != b[1] || a[1] != b[0])
}

// one is what a letter costs that only one of the words has.
func one(text []rune, i int) float64 {
	if i > 0 && text[i] == text[i-1] || i+1 < len(text) && text[i] == text[i+1] {
		return costDouble
	}
	return 1
}

var keyboard = [...]string{"qwertyuiop", "asdfghjkl", "zxcvbnm"}

// keys is where each letter is: row and column in halves of a key.
var keys = func() (at ['z' + 1][2]int8) {
	for row, letters := range keyboard {
		for i, r := range letters {
			at[r] = [2]int8{int8(row + 1), int8(2*i + row)} //nolint:gosec // few
		}
	}
	return at
}()

// beside says whether two letters are neighbours on the keyboard.
func beside(a, b rune) bool {
	if a < 'a' || a > 'z' || b < 'a' || b > 'z' {
		return false
	}
	rows, columns := keys[a][0]-keys[b][0], keys[a][1]-keys[b][1]
	return rows >= -1 && rows <= 1 && columns >= -2 && columns <= 2
}

// Slips are all texts of Latin letters that are one edit away from a word of such letters: for
// looking them up where no table is, as in what only descriptions say.
func Slips(typed string) []string {
	const shortestSlip, longestSlip = 4, 16 // letters
	if len(typed) < shortestSlip || len(typed) > longestSlip {
		return nil
	}
	for i := range len(typed) {
		if typed[i] < 'a' || typed[i] > 'z' {
			return nil
		}
	}
	var out []string
	for i := range len(typed) + 1 {
		if i < len(typed) {
			out = append(out, typed[:i]+typed[i+1:])
		}
		if i+1 < len(typed) && typed[i] != typed[i+1] {
			out = append(out, typed[:i]+string(typed[i+1])+string(typed[i])+typed[i+2:])
		}
		for c := byte('a'); c <= 'z'; c++ {
			out = append(out, typed[:i]+string(c)+typed[i:])
			if i < len(typed) && typed[i] != c {
				out = append(out, typed[:i]+string(c)+typed[i+1:])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Slip is one of Slips as a word that may have been meant.
func Slip(typed, text string, listings int) Word {
	return Word{Text: text, Edits: 1, Listings: listings, Cost: cost([]rune(typed), []rune(text), listings)}
}

// Likely puts words in the order of Near.
func Likely(found []Word, limit int) []Word {
	slices.SortFunc(found, likelier)
	return found[:min(len(found), limit)]
}
