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
	return cmp.Or(cmp.Compare(a.likely(), b.likely()), cmp.Compare(a.Text, b.Text))
}

// likely is the cost of a word, among others: what a single listing has may be a slip itself.
func (w Word) likely() float64 {
	const rare = 1
	if w.Listings < leastListings {
		return w.Cost + rare
	}
	return w.Cost
}

// short are the words that may have been meant by one of two or three letters and that Near leaves
// out, since they are near to everything: only the words beside it can tell.
func (b *Book) short(typed string, limit int) []Word {
	var all []string
	switch letters := len(typed); {
	case letters == shortest:
		all = []string{typed[1:], typed[:1] + typed[2:], typed[:2]}
	case letters == shortest-1:
		all = slips(typed)
	}
	var found []Word
	for _, text := range all {
		if n := b.Listings(text); len(text) >= 2 && n >= leastOfShort && !nobodyMeans[text] {
			found = append(found, Slip(typed, text, n))
		}
	}
	return Likely(found, limit)
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

// What edits cost: the less, the fewer other slips would have given the same. A letter left out and
// two swapped are one thing that can happen at a place; a wrong letter is one of many.
const (
	costSwap     = .6  // of two neighbours
	costMissing  = .6  // for a letter that was left out
	costDouble   = .7  // for a letter twice instead of once
	costBeside   = .85 // for a letter beside it on the keyboard
	costExtra    = 1.1 // for any other letter too many
	costOther    = 1.1 // for any other letter instead
	costSecond   = .5  // more, for two of these: slips are rare
	costFirst    = .4  // more, when the first letters differ: these people get right
	perListings  = .1  // less for ten times as many listings
	mostListings = 1e4 // beyond, more do not count

	leastOfTwo = 1.15 // two slips cost as much
)

// cost is how unlikely it is that b was meant by a. It is only computed of words that are near.
func cost(a, b []rune, listings int) float64 {
	var rows [3][longest + 1]float64
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range b {
		last[j+1] = last[j] + costMissing
	}
	for i := range a {
		row[0] = last[0] + extra(a, i)
		for j := range b {
			d := last[j]
			switch {
			case a[i] == b[j]:
			case beside(a[i], b[j]):
				d += costBeside
			default:
				d += costOther
			}
			d = min(d, last[j+1]+extra(a, i), row[j]+costMissing)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] && a[i] != a[i-1] {
				d = min(d, before[j-1]+costSwap)
			}
			row[j+1] = d
		}
		before, last, row = last, row, before
	}
	total := last[len(b)]
	if total >= leastOfTwo {
		total += costSecond
	}
	if strangers(a, b) {
		total += costFirst
	}
	return total - perListings*math.Log10(min(float64(listings), mostListings))
}

// strangers says whether two words begin differently, and not only with two letters swapped.
func strangers(a, b []rune) bool {
	return a[0] != b[0] && (len(a) < 2 || len(b) < 2 || a[0] != b[1] || a[1] != b[0])
}

// extra is what it costs that a text has a letter too many.
func extra(text []rune, i int) float64 {
	if i > 0 && text[i] == text[i-1] || i+1 < len(text) && text[i] == text[i+1] {
		return costDouble
	}
	return costExtra
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
	if len(typed) < shortestSlip || len(typed) > longestSlip || !latin(typed) {
		return nil
	}
	return slips(typed)
}

// Letters of a word that Slips has an answer to.
const shortestSlip, longestSlip = 4, 16

// Sayable says whether a word may be among Slips.
func Sayable(word string) bool {
	return len(word) >= shortestSlip-1 && len(word) <= longestSlip+1 && latin(word)
}

// latin says whether a word is of a to z alone.
func latin(word string) bool {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return false
		}
	}
	return true
}

func slips(typed string) []string {
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
