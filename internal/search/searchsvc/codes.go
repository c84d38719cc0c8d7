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

func hasDigit(s string) bool { return strings.ContainsFunc(s, unicode.IsDigit) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// punctuated is a model number with the signs that stand in another, which was typed for it: tn-2110
// for tn2110, when that was tn-2g10. Up to where they differ signs stand as far from the beginning,
// then as far from the end.
func punctuated(typed, word string) string {
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
