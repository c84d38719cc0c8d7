package popular

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// longest is how many letters a text has at most that is kept: what is longer was pasted, and could be anything.
	longest = 64
	// personalDigits is how many digits in a row a text has at least that is not kept: numbers of
	// telephones, cards, accounts, customers and orders have as many.
	personalDigits = 7
)

// Normal is a text as it is counted: in lower case, one space between words. It is empty for a text that is
// not kept: without a word, too long, or with something in it that may be about a person.
func Normal(text string) string {
	if len(text) > 4*longest || !utf8.ValidString(text) {
		return ""
	}
	text = strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(text))), " ")
	if utf8.RuneCountInString(text) > longest || !strings.ContainsFunc(text, isWord) || personal(text) {
		return ""
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return text
}

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r)
}

// personal says whether text has the look of an e-mail address, or of a long number, whatever it is written
// with between its digits.
func personal(text string) bool {
	if strings.ContainsRune(text, '@') || strings.Contains(text, "://") {
		return true
	}
	digits := 0
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			if digits++; digits >= personalDigits {
				return true
			}
		case unicode.IsLetter(r):
			digits = 0
		}
	}
	return false
}

// Name names texts where they are not to be seen themselves: in the address of a page.
type Name func(text string) string

// Named names texts by a secret. Who does not have it cannot find the text of a name by trying texts.
func Named(secret []byte) Name {
	return func(text string) string {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text)) // never fails
		return names.EncodeToString(mac.Sum(nil)[:8])[:12]
	}
}

var names = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
