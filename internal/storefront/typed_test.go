package storefront

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAmountsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		typed    string
		decimals int
		want     string
	}{
		"plain":                     {"12.50", 2, "12.50"},
		"a comma":                   {"12,5", 2, "12.5"},
		"as souk writes prices":     {"$13,610.45", 2, "13610.45"},
		"as others do":              {"13.610,45 €", 2, "13610.45"},
		"with spaces":               {"EUR 13\u202f610,45", 2, "13610.45"},
		"with strokes":              {"CHF 1’200’300.5", 2, "1200300.5"},
		"thousands alone":           {"1,500", 2, "1500"},
		"with points":               {"1.500.000", 2, "1500000"},
		"no decimals":               {"¥1,500", 0, "1500"},
		"three decimals":            {"1.500", 3, "1.500"},
		"and thousands":             {"1,234.500", 3, "1234.500"},
		"less than one":             {"0,500", 2, "0.500"},
		"without a whole":           {".5", 2, ".5"},
		"thousands in fours":        {"1,5000.00", 2, "1,5000.00"},
		"both signs for both":       {"1,234.567,8", 2, "1,234.567,8"},
		"below nothing":             {"-5", 2, "-5"},
		"a word":                    {"cheap", 2, "cheap"},
		"nothing":                   {"", 2, ""},
		"a currency alone":          {"€", 2, "€"},
		"digits of other alphabets": {"١٢", 2, "١٢"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, amountTyped(tt.typed, tt.decimals))
		})
	}
}

func TestSearchesAsTheyAreShown(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"\u202elamp\u202c": "lamp", "a\u2066b": "ab", "desk\x00\tlamp\r\n": "desk lamp", "\u200b": "", "שלום": "שלום", "👩\u200d👧": "👩\u200d👧", "\xff": "\ufffd",
		strings.Repeat("é ", 300): strings.TrimSpace(strings.Repeat("é ", 100)),
	} {
		assert.Equal(t, want, searchText(typed), "%q", typed)
	}
	for typed, want := range map[string]bool{"": false, "!?": true, "🎧": true, "🎧 a": false, "²": false, "日本": false} {
		assert.Equal(t, want, wordless(typed), typed)
	}
}
