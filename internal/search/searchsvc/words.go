package searchsvc

import (
	"slices"
	"strings"
	"unicode"
)

// Bounds of a text. What is longer is cut, not refused: any text is a valid query.
const (
	maxWords = 24
	maxWord  = 64 // letters
)

// wordsOf are the words of a text, in lower case, each once, in their order.
func wordsOf(s string) []string {
	var words []string
	parts := strings.FieldsFunc(strings.ToLower(strings.ToValidUTF8(s, " ")), func(r rune) bool { return !inWord(r) })
	for _, word := range parts {
		if len(words) == maxWords {
			break
		}
		if letters := []rune(word); len(letters) > maxWord {
			word = string(letters[:maxWord])
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

// inWord says whether r is part of words, as FTS5's unicode61 sees it.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Co, r)
}

// expression is the words as FTS5 wants to be asked. Each is in quotes and has nothing but
// letters and digits, so nothing that is typed is ever taken for syntax.
func expression(words []string, anyOf bool) string {
	join := " "
	if anyOf {
		join = " OR "
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = `"` + word + `"`
	}
	return strings.Join(quoted, join)
}
