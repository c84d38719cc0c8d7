package words_test

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"souk/internal/search/searchsvc/internal/words"
)

var seeds = []string{
	"", "Red lamps", `14" 35,6cm 1440 x 900 dv7-1211ea "desk lamp" lap*`, "16GB 2x8 GB MD101LL/A 802.11b/g/n 1.2.3.4 1,024,000",
	"Café L'Oréal’s ＡＢＣ ß", "苹果手机壳 ソニーPS5 กาแฟ", "\"A&0X1\"0", "שָׁלוֹם كِتَاب ٣٢", "👩‍💻 ❤️ \u200b\u00ad", "a\x00\xff\xfe", strings.Repeat("-a1", 200),
	strings.Repeat(`"`, 99) + strings.Repeat("9.", 99), "ﷺ ½ № m²", `" 1" x 2" "`, "x-x-x-x-x-x-x-x 1x1x1x1x1x1x1x1x1in", "'s 's a's' 1's",
}

// FuzzTokens: words lie within the text in order, on whole letters, and are bounded; every text is
// found by itself.
func FuzzTokens(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens := words.Tokens(nil, text)
		require.Equal(t, tokens, words.Tokens(nil, text))
		require.LessOrEqual(t, len(tokens), 4*len(text))
		at, from := 0, 0
		for _, token := range tokens {
			require.True(t, at == token.At || at+1 == token.At, "%q: %+v", text, token)
			require.True(t, from <= token.From && token.From < token.To && token.To <= len(text), "%q: %+v", text, token)
			at, from = token.At, token.From
			require.True(t, onLetter(text, token.From) && onLetter(text, token.To), "%q: %+v", text, token)
			requireTerm(t, token.Term)
			requireTerm(t, token.Word)
		}
		for i, term := range words.Parse(text).Terms {
			require.True(t, found(tokens, term), "%q: %d %+v not in %+v", text, i, term, tokens)
		}
	})
}

// onLetter says whether text may be cut at i.
func onLetter(text string, i int) bool {
	if i == 0 || i == len(text) || utf8.RuneStart(text[i]) {
		return true
	}
	for back := 1; back < utf8.UTFMax && i >= back; back++ { // a byte that belongs to no letter stands alone
		if r, size := utf8.DecodeRuneInString(text[i-back:]); size > back && r != utf8.RuneError {
			return false
		}
	}
	return true
}

func requireTerm(t *testing.T, term string) {
	t.Helper()
	require.NotEmpty(t, term)
	require.True(t, utf8.ValidString(term), "%q", term)
	require.LessOrEqual(t, utf8.RuneCountInString(term), 64, term)
	for _, r := range term {
		require.True(t, unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r), "%q", term)
		require.True(t, r >= 0x80 || !unicode.IsUpper(r), "%q", term)
	}
}

// found says whether a text has what a term asks for.
func found(tokens []words.Token, term words.Term) bool {
	return slices.ContainsFunc(term.Any, func(a words.Alt) bool {
		return slices.ContainsFunc(tokens, func(first words.Token) bool {
			if term.Prefix {
				return strings.HasPrefix(first.Term, a.Terms[0])
			}
			at := first.At
			for i, want := range a.Terms {
				i := slices.IndexFunc(tokens, func(t words.Token) bool { return t.At == at+i && t.Term == want })
				if i < 0 {
					return false
				}
			}
			return true
		})
	})
}

// FuzzParse: what is asked for is bounded, and compounds only add to it.
func FuzzParse(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := words.Parse(text)
		require.Equal(t, q, words.Parse(text))
		require.LessOrEqual(t, len(q.Terms), 24)
		before := len(q.Terms)
		words.Compounds(&q, func(term string) int { return len(term) })
		require.Len(t, q.Terms, before)
		for _, term := range q.Terms {
			require.NotEmpty(t, term.Word)
			require.NotEmpty(t, term.Any)
			require.InDelta(t, 1, term.Any[0].Weight, 0)
			for _, a := range term.Any {
				require.NotEmpty(t, a.Terms)
				require.True(t, a.Weight > 0 && a.Weight <= 1)
				for _, one := range a.Terms {
					requireTerm(t, one)
				}
			}
		}
	})
}

// realText is rows of the real catalogue.
func realText(b *testing.B) []string {
	b.Helper()
	shared := os.Getenv("SOUK_SHARED_DATA")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "..", "..", "..", "shared", "data") // beside the repo's root
	}
	f, err := os.Open(filepath.Join(shared, "icecat", "products.tsv.gz"))
	if err != nil {
		b.Skipf("SKIPPED: the real catalogue is not here: put shared/data beside the repository, or name it in SOUK_SHARED_DATA: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(b, err)
	var rows []string
	for s := bufio.NewScanner(z); s.Scan() && len(rows) < 5000; {
		rows = append(rows, s.Text())
	}
	return rows
}

// BenchmarkTokens is the time that 1 KB of a real catalogue takes.
func BenchmarkTokens(b *testing.B) {
	rows := realText(b)
	size := 0
	for _, row := range rows {
		size += len(row)
	}
	var dst []words.Token
	n := 0
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		n = 0
		for _, row := range rows {
			dst = words.Tokens(dst[:0], row)
			n += len(dst)
		}
	}
	b.ReportMetric(float64(n)/float64(size)*1024, "tokens/KB")
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/float64(size)*1024, "µs/KB")
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		words.Parse(`hp pavilion dv7-1211ea notebook 16 GB 14"`)
	}
}
