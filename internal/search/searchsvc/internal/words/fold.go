package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// lower is s with A to Z in lower case, byte by byte.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return lowered(s)
		}
	}
	return s
}

func lowered(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	var chunk [256]byte
	for len(s) > 0 {
		n := copy(chunk[:], s)
		for i, c := range chunk[:n] {
			if c >= 'A' && c <= 'Z' {
				chunk[i] = c + ('a' - 'A')
			}
		}
		b.Write(chunk[:n])
		s = s[n:]
	}
	return b.String()
}

// inWord says whether r begins or continues a word.
func inWord(r rune) bool {
	if r < 0x80 {
		return classes[r] == letter || classes[r] == digit
	}
	if r == utf8.RuneError {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// extends says whether r goes on with a word, but begins none: marks, and what is not seen.
func extends(r rune) bool { return r >= 0x80 && (unicode.Is(unicode.M, r) || ignorable(r)) }

// ignorable says whether r is not seen: a soft hyphen, a joiner, a direction.
func ignorable(r rune) bool {
	switch r {
	case '\u00ad', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\ufeff', '\ufe0e', '\ufe0f':
		return true
	}
	return false
}

// unspaced says whether r is of a script that has no spaces between words.
func unspaced(r rune) bool {
	if r < 0x0E00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) ||
		r == 'ー' || r == 'ｰ'
}

// Letters that are written as others, and have no decomposition that says so.
var spelled = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "ł", "l", "ı", "i", "þ", "th", "ħ", "h", "ς", "σ")

// fold is a word in lower case, without accents where these do not make another letter.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	bare := false // the letter before takes no marks
	n := 0
	for _, r := range norm.NFKD.String(s) {
		switch {
		case ignorable(r):
			continue
		case unicode.Is(unicode.Mn, r) && bare:
			continue
		case unicode.Is(unicode.M, r):
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			bare = unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic)
			r = western(unicode.ToLower(r))
		default:
			continue
		}
		if n++; n > MaxLetter {
			break
		}
		b.WriteRune(r)
	}
	return clip(spelled.Replace(b.String()))
}

// western is a digit as 0 to 9.
func western(r rune) rune {
	for _, zero := range [...]rune{'٠', '۰', '०'} {
		if r >= zero && r <= zero+9 {
			return '0' + r - zero
		}
	}
	return r
}

// clip cuts a word to MaxLetter letters.
func clip(s string) string {
	if len(s) <= MaxLetter {
		return s
	}
	n := 0
	for i := range s {
		if n == MaxLetter {
			return s[:i]
		}
		n++
	}
	return s
}

func clipASCII(s string) string { return s[:min(len(s), MaxLetter)] }
