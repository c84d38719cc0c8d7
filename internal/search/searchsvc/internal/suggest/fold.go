package suggest

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// How far into a text a beginning may lie, in words, and how long one may be.
const (
	titleBeginnings  = 6
	phraseBeginnings = 4
	maxKey           = 60 // bytes
)

// Fold is a text as it is compared: its words in lower case without accents, one space apart.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	put := func(r rune) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		default:
			gap = true
		}
	}
	if ascii(s) {
		for i := range len(s) {
			put(rune(s[i]))
		}
		return b.String()
	}
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, " ")) {
		put(r)
	}
	return b.String()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// beginnings are a folded text from each of its first words on. They share its memory.
func beginnings(folded string, words int) []string {
	if folded == "" {
		return nil
	}
	var keys []string
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

// phrase is a run of a title's words.
type phrase struct{ text, folded string }

// phrasesOf are the runs of a title worth suggesting: its first one, two and three words, and
// pairs of words among its first six that have no digits. Each comes once.
func phrasesOf(title string) []phrase {
	var words []string
	for word := range strings.FieldsSeq(strings.ToLower(title)) {
		if word = strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }); word != "" {
			words = append(words, word)
		}
		if len(words) == 6 {
			break
		}
	}
	var out []phrase
	seen := map[string]bool{"": true}
	add := func(words []string) {
		text := strings.Join(words, " ")
		folded := Fold(text)
		if len(text) <= maxKey && !seen[folded] {
			seen[folded] = true
			out = append(out, phrase{text, folded})
		}
	}
	for n := 1; n <= min(3, len(words)); n++ {
		add(words[:n])
	}
	for i := 0; i+1 < len(words); i++ {
		if !hasDigit(words[i]) && !hasDigit(words[i+1]) {
			add(words[i : i+2])
		}
	}
	return out
}

func hasDigit(s string) bool { return strings.IndexFunc(s, unicode.IsDigit) >= 0 }
