package suggest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// How far into a text a beginning may lie, in words, and how long one may be.
const (
	phraseBeginnings = 4
	maxKey           = 60 // bytes
)

// Fold is a text as it is compared: its words in lower case without accents, one space apart.
func Fold(s string) string { return string(appendFolded(nil, s)) }

// appendFolded appends the folded s, with a space before its words if there are some already.
func appendFolded(dst []byte, s string) []byte {
	gap := len(dst) > 0
	start := len(dst)
	put := func(r rune) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			if gap && (len(dst) > start || start > 0) {
				dst = append(dst, ' ')
			}
			gap = false
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		default:
			gap = true
		}
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			for _, r := range norm.NFKD.String(strings.ToValidUTF8(s[i:], " ")) {
				put(r)
			}
			return dst
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
			fallthrough
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			if gap && len(dst) > 0 {
				dst = append(dst, ' ')
			}
			gap = false
			dst = append(dst, c)
		default:
			gap = true
		}
	}
	return dst
}

// beginnings are a folded text from each of its first words on. They share its memory.
func beginnings(folded string, words int) []string {
	if folded == "" {
		return nil
	}
	keys := make([]string, 0, words)
	for ; words > 0; words-- {
		keys = append(keys, folded[:cut(folded)])
		i := strings.IndexByte(folded, ' ')
		if i < 0 {
			break
		}
		folded = folded[i+1:]
	}
	return keys
}

// cut is where a key ends: at maxKey, but not within a letter.
func cut(s string) int {
	if len(s) <= maxKey {
		return len(s)
	}
	end := maxKey
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return end
}
