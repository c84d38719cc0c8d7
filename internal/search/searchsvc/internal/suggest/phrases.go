package suggest

import (
	"hash/maphash"
	"strings"
	"unicode"
)

// shared is how many listings must have a phrase before it is worth suggesting.
const shared = 2

// maxPhrases is how many different phrases are counted. When there are more, those that fewest
// listings have are forgotten, and so many listings are needed from then on.
const maxPhrases = 2_000_000

// phraseFields is how far into a title phrases lie.
const phraseFields = 6

// phrases counts the runs of words that titles have. Most are had by one title only: of those
// no more than a number is kept.
type phrases struct {
	seed   maphash.Seed
	counts map[uint64]int32 // by the hash of the folded text
	most   int              // of counts
	least  int32            // listings that a phrase needs

	titles   [phraseFields]string // the one being read: its words, and where each ends when folded
	ends     [phraseFields]int
	hasDigit [phraseFields]bool
	folded   []byte
}

func newPhrases() phrases {
	return phrases{seed: maphash.MakeSeed(), counts: map[uint64]int32{}, most: maxPhrases, least: shared}
}

// each calls fn with every run of a title worth suggesting: its first one, two and three words,
// and pairs of words among its first six that have no digits, none of which begins or ends with a word that only
// joins others. text is written out only if asked
// for, and folded is valid during the call.
func (p *phrases) each(title string, fn func(folded []byte, text func() string)) {
	n := 0
	p.folded = p.folded[:0]
	for field := range strings.FieldsSeq(title) {
		was := len(p.folded)
		if p.folded = appendFolded(p.folded, field); len(p.folded) == was {
			continue
		}
		p.titles[n], p.ends[n], p.hasDigit[n] = field, len(p.folded), strings.IndexFunc(field, unicode.IsDigit) >= 0
		if n++; n == phraseFields {
			break
		}
	}
	var done [2 * phraseFields]struct{ from, to int }
	runs := 0
	add := func(i, j int) {
		from, to := 0, p.ends[j-1]
		if i > 0 {
			from = p.ends[i-1] + 1
		}
		last := 0 // where its last word begins
		if j > 1 {
			last = p.ends[j-2] + 1
		}
		if to-from > maxKey || links(string(p.folded[from:p.ends[i]])) || links(string(p.folded[last:to])) {
			return
		}
		for _, d := range done[:runs] { // a title may say a thing twice
			if string(p.folded[d.from:d.to]) == string(p.folded[from:to]) {
				return
			}
		}
		done[runs].from, done[runs].to = from, to
		runs++
		fn(p.folded[from:to], func() string { return spokenOf(p.titles[i:j]) })
	}
	for j := 1; j <= min(3, n); j++ {
		add(0, j)
	}
	for i := 0; i+1 < n; i++ {
		if !p.hasDigit[i] && !p.hasDigit[i+1] {
			add(i, i+2)
		}
	}
}

// links says whether a word only joins others: nobody's search begins or ends with it.
func links(folded string) bool {
	switch folded {
	case "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with":
		return true
	}
	return false
}

// spokenOf is words of a title as a search for them.
func spokenOf(words []string) string {
	trimmed := make([]string, len(words))
	for i, word := range words {
		trimmed[i] = strings.TrimFunc(strings.ToValidUTF8(strings.ToLower(word), ""),
			func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	}
	return strings.Join(trimmed, " ")
}

// count moves the count of a phrase and returns it. What was forgotten does not go below none.
func (p *phrases) count(folded []byte, by int32) (hash uint64, now int32) {
	hash = maphash.Bytes(p.seed, folded)
	now = p.counts[hash] + by
	switch {
	case now > 0:
		p.counts[hash] = now
	case now == 0:
		delete(p.counts, hash)
	default:
		now = 0
	}
	return hash, now
}

// forget makes room: first those go that too few listings have to be suggested, and if that is
// not half of the room, more listings are needed from now on.
func (p *phrases) forget() {
	for {
		for hash, n := range p.counts {
			if n < p.least {
				delete(p.counts, hash)
			}
		}
		if len(p.counts) <= p.most/2 {
			return
		}
		p.least *= 2
	}
}
