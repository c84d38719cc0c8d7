package storefront

import (
	"strings"
	"unicode"
)

// What people type into addresses and fields, as the pages understand it.

// maxSearched is how many letters of a search are listened to: as many as its field takes.
const maxSearched = 200

// searchText is a search as it is shown and looked for: what it has of signs that cannot be seen would turn the words
// around it (the marks of writing from right to left) or be nothing at all.
func searchText(typed string) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == '\u200b', r == '\ufeff':
			return -1
		}
		return r
	}, tidy(typed))
	runes := []rune(strings.Join(strings.Fields(text), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), maxSearched)]))
}

// wordless says whether a search has no word to look for, only signs.
func wordless(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

// switchedOn says whether a parameter that is there or not is there.
func switchedOn(typed string) bool {
	switch strings.ToLower(tidy(typed)) {
	case "", "0", "false", "no", "off":
		return false
	default:
		return true
	}
}

// amountTyped is an amount as it is reckoned with: 1234.50 for 1,234.50 and 1.234,50 and $1 234.50. What is none stays
// as it was typed. A sign that parts the digits in threes parts thousands, as souk writes them itself.
func amountTyped(typed string, decimals int) string {
	text := strings.TrimFunc(typed, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsLetter(r) || unicode.Is(unicode.Sc, r) })
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\'' || r == '’' {
			return -1
		}
		return r
	}, text)
	if text == "" || strings.Trim(text, "0123456789.,") != "" {
		return typed
	}
	whole, fraction := text, ""
	if last := strings.LastIndexAny(text, ".,"); last >= 0 && (decimals == 3 || !grouped(text)) {
		whole, fraction = text[:last], text[last:]
	}
	if strings.ContainsAny(whole, ".,") {
		if !grouped(whole) || strings.HasPrefix(fraction, whole[strings.IndexAny(whole, ".,"):][:1]) {
			return typed
		}
		whole = strings.NewReplacer(".", "", ",", "").Replace(whole)
	}
	return whole + strings.Replace(fraction, ",", ".", 1)
}

// grouped says whether one sign parts digits in threes, but for the first of them, which do not begin with nought.
func grouped(text string) bool {
	sign := strings.IndexAny(text, ".,")
	if sign < 0 {
		return false
	}
	for i, group := range strings.Split(text, text[sign:sign+1]) {
		if len(group) > 3 || i > 0 && len(group) < 3 || group == "" || i == 0 && group[0] == '0' || strings.ContainsAny(group, ".,") {
			return false
		}
	}
	return true
}
