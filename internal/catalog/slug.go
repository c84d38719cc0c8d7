package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxSlug keeps addresses short enough to be read.
const maxSlug = 60

// latin is how letters without a decomposition are written in addresses.
var latin = map[rune]string{'ß': "ss", 'ø': "o", 'æ': "ae", 'œ': "oe", 'ł': "l", 'đ': "d", 'þ': "th", 'ð': "d", 'ı': "i"}

// Slug is name as part of an address: "Café & Co." becomes "cafe-co". It is the same for
// names that differ in case, accents and punctuation alone, and never empty. Where letters
// are lost, because they are not Latin or too many, a few characters of a hash take their
// place, so that different names stay different.
func Slug(name string) string {
	var b strings.Builder
	dash, lost := false, false
	lower := strings.ToLower(strings.TrimSpace(name))
	for _, r := range norm.NFKD.String(lower) {
		text := latin[r]
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			text = string(r)
		}
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
			continue
		case text == "":
			lost = lost || unicode.IsLetter(r) || unicode.IsDigit(r)
			dash = true
			continue
		case b.Len() >= maxSlug:
			lost = true
			continue
		}
		if dash && b.Len() > 0 {
			b.WriteByte('-')
		}
		dash = false
		b.WriteString(text)
	}
	if b.Len() > 0 && !lost {
		return b.String()
	}
	sum := sha256.Sum256([]byte(lower))
	if b.Len() > 0 {
		b.WriteByte('-')
	}
	return b.String() + "x" + hex.EncodeToString(sum[:4])
}

// CategoryPath is the path of a category by the names from the root.
func CategoryPath(names []string) string {
	slugs := make([]string, len(names))
	for i, name := range names {
		slugs[i] = Slug(name)
	}
	return strings.Join(slugs, "/")
}
