package searchsvc

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"souk/internal/search/searchsvc/internal/spelling"
	"souk/internal/search/searchsvc/internal/words"
)

// wholeWords are the words of a text as they are mended: what hyphens make one model number or name
// of (tn-2110, tp-link) is one, and all else is what stands between spaces.
func wholeWords(text string) []words.Token {
	var all []words.Token
	tokens := words.Tokens(nil, text)
	for i := range tokens {
		t := &tokens[i]
		if n := len(all); n > 0 && t.From < all[n-1].To { // a part of the one before
			continue
		}
		whole := *t
		for _, g := range tokens[i+1:] {
			if g.At != t.At {
				break
			}
			if g.Glued && g.To > whole.To && !strings.ContainsFunc(text[g.From:g.To], unicode.IsSpace) && coded(text[g.From:g.To]) {
				whole = g
			}
		}
		if !whole.Glued && t.Glued {
			continue
		}
		all = append(all, whole)
	}
	return all
}

// coded says whether what is written with hyphens is one word: some part of it says nothing by
// itself. A laptop-bag is two.
func coded(text string) bool {
	const whole = 3 // letters of a word that stands by itself
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if utf8.RuneCountInString(part) < whole || hasDigit(part) {
			return true
		}
	}
	return false
}

// Bounds of a model number that is mended.
const (
	leastOfCode = 3
	mostOfCode  = 16
	mostCodes   = 8
)

// codesNear are the model numbers of titles from which a typed one differs by a slip of the hand:
// by anything but one digit for another, since that is another product.
func (l *lexicon) codesNear(typed string) []spelling.Word {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	n := len(typed)
	if n < leastOfCode || n > mostOfCode || strings.Trim(typed, letters) != "" {
		return nil
	}
	var found []spelling.Word
	seen := map[uint32]bool{}
	room := make([]byte, 0, mostOfCode+1)
	try := func(before, middle, after string) {
		room = append(append(append(room[:0], before...), middle...), after...)
		at, known := l.at[string(room)]
		if !known || l.counts[at] == 0 || seen[at] || len(room) < leastOfCode || string(room) == typed || hasDigit(typed) && !hasDigit(l.terms[at]) {
			return
		}
		seen[at] = true
		found = append(found, spelling.Slip(typed, l.terms[at], int(l.counts[at])))
	}
	for i := range n + 1 {
		before, after := typed[:i], typed[i:]
		for c := range len(letters) {
			try(before, letters[c:c+1], after)
			if i < n && !(isDigit(typed[i]) && isDigit(letters[c])) {
				try(before, letters[c:c+1], after[1:])
			}
		}
		if i < n {
			try(before, "", after[1:])
		}
		if i+1 < n {
			try(before, after[1:2]+after[:1], after[2:])
		}
	}
	return spelling.Likely(found, mostCodes)
}

// parts are the words of what is written with hyphens or the like, and how many listings have each.
func (d desk) parts(text string) ([]spelling.Typed, error) {
	var parts []spelling.Typed
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		tokens := words.Tokens(nil, part)
		if len(tokens) == 0 {
			continue
		}
		n, err := d.countOf(tokens[0].Term)
		if err != nil {
			return nil, err
		}
		parts = append(parts, spelling.Typed{Text: tokens[0].Word, Listings: n})
	}
	return parts, nil
}

// Bounds of what a model number is parted into where letters and digits meet, as corei7 and gtx1080 are.
const (
	leastOfName   = 3 // letters of a word
	leastOfNumber = 2 // letters and digits of what stands beside it: one says little
	leastOfBoth   = 6 // of both, where the word has two letters: hpq7994a
	namesThings   = 2 // titles that have the word
)

// halves are the two that a model number may be written of: a word and what has digits, both of which titles have.
func (l *lexicon) halves(typed string) []string {
	known := func(part string) int {
		q := words.Parse(part)
		if len(q.Terms) != 1 || len(q.Terms[0].Any[0].Terms) != 1 {
			return 0
		}
		return l.count(q.Terms[0].Any[0].Terms[0])
	}
	word := func(part string) bool {
		least := leastOfName
		if len(typed) >= leastOfBoth {
			least--
		}
		return len(part) >= least && !hasDigit(part) && known(part) >= namesThings
	}
	number := func(part string) bool { return len(part) >= leastOfNumber && hasDigit(part) && known(part) > 0 }
	var best []string
	most := 0
	for i := 1; i < len(typed); i++ {
		left, right := typed[:i], typed[i:]
		if typed[i] >= utf8.RuneSelf || typed[i-1] >= utf8.RuneSelf || !(word(left) && number(right)) && !(number(left) && word(right)) {
			continue
		}
		if n := min(known(left), known(right)); n > most {
			best, most = []string{left, right}, n
		}
	}
	return best
}

func hasDigit(s string) bool { return strings.ContainsFunc(s, unicode.IsDigit) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// punctuated is a model number with the signs that stand in another, which was typed for it: tn-2110
// for tn2110, when that was tn-2g10. Up to where they differ signs stand as far from the beginning,
// then as far from the end.
func punctuated(typed, word string) string {
	if apart, ok := spaced(typed, word); ok {
		return apart
	}
	if len(words.Tokens(nil, word)) != 1 || strings.ContainsFunc(typed, unicode.IsSpace) {
		return word
	}
	sign := func(c byte) bool { return c < utf8.RuneSelf && !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') }
	var from, to string // what is said so far, from both ends
	low := strings.ToLower(typed)
	for low != "" && (sign(low[0]) || word != "" && low[0] == word[0]) {
		if from += low[:1]; !sign(low[0]) {
			word = word[1:]
		}
		low = low[1:]
	}
	for low != "" && word != "" {
		end := low[len(low)-1:]
		if low = low[:len(low)-1]; !sign(end[0]) {
			end, word = word[len(word)-1:], word[:len(word)-1]
		}
		to = end + to
	}
	return strings.TrimFunc(from+word+to, func(r rune) bool { return r < utf8.RuneSelf && sign(byte(r)) })
}

// spaced is a model number with spaces where several words have them that are written of the same letters: c-exv 23 for
// cexv 23, when c-exv23 was typed.
func spaced(typed, words string) (string, bool) {
	left := words
	var out strings.Builder
	for _, r := range strings.ToLower(typed) {
		gap := strings.HasPrefix(left, " ")
		if gap {
			left = left[1:]
			out.WriteByte(' ')
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			if !strings.HasPrefix(left, " ") && !gap {
				out.WriteRune(r)
			}
			continue
		}
		rest, same := strings.CutPrefix(left, string(r))
		if !same {
			return "", false
		}
		left = rest
		out.WriteRune(r)
	}
	return out.String(), left == "" && strings.Contains(words, " ")
}
