package popular_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"souk/internal/search/searchsvc/internal/popular"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"as it is":                 {"desk lamp", "desk lamp"},
		"case and space":           {"  Desk \t LAMP ", "desk lamp"},
		"accents stay":             {"Schreibtischlampe für Öl", "schreibtischlampe für öl"},
		"composed":                 {"cafe\u0301", "café"},
		"full width":               {"ＵＳＢ", "usb"},
		"quotes and sizes":         {`"hp" 15.6"`, `"hp" 15.6"`},
		"a model":                  {"dv7-1211ea", "dv7-1211ea"},
		"letters between digits":   {"1080p 2666mhz 16gb", "1080p 2666mhz 16gb"},
		"other scripts":            {"台灯 лампа", "台灯 лампа"},
		"a picture":                {"🪑", "🪑"},
		"nothing":                  {"", ""},
		"only space":               {" \n ", ""},
		"no word":                  {"?! --", ""},
		"an e-mail address":        {"w.canary@birds.example", ""},
		"an address in a sentence": {"write to W.Canary @ birds.example", ""},
		"a link":                   {"https://example.com/x", ""},
		"a telephone":              {"+49 431 77315501", ""},
		"a telephone in a text":    {"lamp (0431) 773-155", ""},
		"a card":                   {"4111 1111 1111 1111", ""},
		"a card with dots":         {"4111.1111.1111.1111", ""},
		"a customer's number":      {"order 12345678", ""},
		"Arabic digits":            {"١٢٣٤٥٦٧٨", ""},
		"six digits":               {"kyocera 370150", "kyocera 370150"},
		"too long":                 {strings.Repeat("lamp ", 20), ""},
		"not UTF-8":                {"lamp \xff", ""},
		"control characters":       {"lamp\x00desk", ""},
		"right to left, hidden":    {"lamp\u202edesk", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, popular.Normal(tt.text))
			assert.Equal(t, tt.want, popular.Normal(tt.want), "twice is as once")
		})
	}
}

func FuzzNormal(f *testing.F) {
	for _, text := range []string{"Desk lamp", "+49 431 77315501", "İstanbul", "ﬃ", "\u0130\u0307"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := popular.Normal(text)
		if got != "" && (utf8.RuneCountInString(got) > 64 || strings.Contains(got, "@") || !utf8.ValidString(got) || strings.TrimSpace(got) != got) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestName(t *testing.T) {
	t.Parallel()
	assert.Len(t, named("lamp"), 12)
	assert.NotEqual(t, named("lamp"), named("lamps"))
	assert.NotContains(t, named("lamp"), "lamp")
	assert.Equal(t, named("lamp"), popular.Named([]byte("of the test"))("lamp"))
	assert.NotEqual(t, named("lamp"), popular.Named([]byte("of another"))("lamp"), "who does not have the secret finds no text by trying")
}
