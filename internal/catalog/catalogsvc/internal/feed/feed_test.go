package feed_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog/catalogsvc/internal/feed"
)

var update = flag.Bool("update", false, "write the golden files anew")

// reading is all that a feed gave.
type reading struct {
	Format   feed.Format
	Rows     []feed.Row
	Rejected []*feed.RowError
	Ignored  []feed.Problem
}

func read(t testing.TB, text string, o feed.Options) reading {
	t.Helper()
	r, err := feed.NewReader(strings.NewReader(text), o)
	require.NoError(t, err)
	got := reading{Format: r.Format()}
	for {
		row, err := r.Next()
		var bad *feed.RowError
		switch {
		case errors.Is(err, io.EOF):
			got.Ignored = r.Ignored()
			return got
		case errors.As(err, &bad):
			got.Rejected = append(got.Rejected, bad)
		default:
			require.NoError(t, err)
			got.Rows = append(got.Rows, row)
		}
	}
}

// ids are the rows that were read, and "!line" for each that was left out.
func ids(r reading) string {
	var out []string
	for _, row := range r.Rows {
		out = append(out, row.ID)
	}
	for _, bad := range r.Rejected {
		out = append(out, fmt.Sprintf("!%d", bad.Line))
	}
	return strings.Join(out, " ")
}

// Each feed in testdata, and everything that is read from it and said about it.
func TestFeedsReadAsTheirGoldenFilesSay(t *testing.T) {
	t.Parallel()
	feeds, err := filepath.Glob(filepath.Join("testdata", "feeds", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, feeds)
	for _, name := range feeds {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			var got bytes.Buffer
			e := json.NewEncoder(&got)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			require.NoError(t, e.Encode(read(t, string(text), feed.Options{})))
			golden := filepath.Join("testdata", "golden", filepath.Base(name)+".json")
			if *update {
				require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String())
		})
	}
}

const head = "id,title,price\n"

func TestABrokenRowCostsNoOther(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"a field too few":                        {head + "1,a,1 EUR\n2,b\n3,c,3 EUR\n", "1 3 !3"},
		"a field too many":                       {head + "1,a,1 EUR\n2,b,2 EUR,x\n3,c,3 EUR\n", "1 3 !3"},
		"empty fields too many do no harm":       {head + "1,a,1 EUR,,\n", "1"},
		"blank lines are passed over":            {"\n \n" + head + "\n1,a,1 EUR\n  \r\n2,b,2 EUR", "1 2"},
		"no line end at the end":                 {head + "1,a,1 EUR", "1"},
		"a quoted field of several lines":        {head + "1,\"a\nb\",1 EUR\n2,b,2 EUR\n", "1 2"},
		"a quote never closed, last line":        {head + "1,a,1 EUR\n2,\"b,2 EUR", "1 !3"},
		"a quote never closed":                   {head + "1,a,1 EUR\n2,\"b,2 EUR\n3,c,3 EUR\n4,d,4 EUR\n", "1 3 4 !3"},
		"a quote never closed before another":    {head + "1,\"a,1 EUR\n2,\"b\",2 EUR\n3,c,3 EUR\n", "2 3 !2"},
		"two quotes never closed":                {head + "1,\"a,1 EUR\n2,\"b,2 EUR\n3,c,3 EUR\n", "3 !2 !3"},
		"a quote that closes rows later":         {head + "1,\"a,1 EUR\n2,b,2 EUR\n3,c\",3 EUR\n4,d,4 EUR\n", "1 4"},
		"a quote that closes in a later field":   {head + "1,\"a,1 EUR\n2,b\",2 EUR\n3,\"c\",3 EUR\n", "1 3"},
		"a quote that swallows rows and fields":  {head + "1,\"a,1 EUR\n2,b,2 EUR\n3,c\",x,3 EUR,9\n4,d,4 EUR\n", "2 4 !2 !4"},
		"a stray quote in a quoted field":        {head + "1,\"a 17\" screen\",1 EUR\n2,b,2 EUR\n", "1 2"},
		"a quote inside an unquoted field":       {head + "1,a 17\" screen,1 EUR\n2,b,2 EUR\n", "1 2"},
		"blanks around quotes":                   {head + "1, \"a,b\" ,1 EUR\n", "1"},
		"Windows' line ends":                     {"id,title,price\r\n1,a,1 EUR\r\n2,\"b\r\nc\",2 EUR\r\n", "1 2"},
		"old Macs' line ends":                    {"id,title,price\r1,a,1 EUR\r2,\"b\",2 EUR\r", "1 2"},
		"semicolons":                             {"id;title;price\n1;a, b;1 EUR\n", "1"},
		"bars":                                   {"id|title|price\n1|a, b|1 EUR\n", "1"},
		"tabs":                                   {"id\ttitle\tprice\n1\ta, b\t1 EUR\n", "1"},
		"a quoted header":                        {"\"id\",\"Title\",\"PRICE\"\n1,a,1 EUR\n", "1"},
		"columns named as people write them":     {"ID,g:title,Price,Image Link\n1,a,1 EUR,http://x.example/a.jpg\n", "1"},
		"a line beyond the bounds":               {head + "1,a,1 EUR\n2," + strings.Repeat("b", 5000) + ",2 EUR\n3,c,3 EUR\n", "1 3 !3"},
		"a quoted field beyond the bounds":       {head + "2,\"" + strings.Repeat("b\n", 5000) + "\",2 EUR\n3,c,3 EUR\n", "3 !2" + lines(3, 5002)},
		"a line beyond the buffer and the feed":  {head + "1,a,1 EUR\n2," + strings.Repeat("b", 200_000), "1 !3"},
		"columns beyond the bounds":              {head + "1,a,1 EUR\n2,b,2 EUR" + strings.Repeat(",x", 900) + "\n3,c,3 EUR\n", "1 3 !3"},
		"an item that has no end":                {"<rss><channel>" + item(1) + "<item><g:id>2</g:id>" + item(3) + "</channel></rss>", "1 3 !1"},
		"an item that the feed does not finish":  {"<rss><channel>" + item(1) + "\n<item><g:id>2</g:id>", "1 !2"},
		"an item of broken XML":                  {"<rss>\n" + item(1) + "\n<item><g:id>2</id></item>\n" + item(3) + "</rss>", "1 3 !3"},
		"an item with a bare <":                  {"<rss>\n" + item(1) + "\n<item><g:id>2</g:id><g:title>a < b</g:title></item>\n" + item(3) + "</rss>", "1 3 !3"},
		"an item with an entity nobody declared": {"<rss>\n<item><g:id>&what;</g:id></item>" + item(3) + "</rss>", "3 !2"},
		"an empty item":                          {"<rss><item/>\n" + item(3) + "</rss>", "3 !1"},
		"items in comments and CDATA":            {"<rss><!-- <item> --->" + "<item><g:id>1</g:id><g:title><![CDATA[</item> ]]]></g:title><g:price>1 EUR</g:price></item></rss>", "1"},
		"an item beyond the bounds":              {"<rss>" + item(1) + "<item><g:title>" + strings.Repeat("x", 9000) + "</g:title></item>\n" + item(3) + "</rss>", "1 3 !1"},
		"CDATA that never ends":                  {"<rss>" + item(1) + "<item><![CDATA[" + strings.Repeat("x", 9000) + "</item>\n" + item(3) + "</rss>", "1 3 !1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, ids(read(t, tt.text, feed.Options{MaxRow: 4096})))
		})
	}
}

func item(id int) string {
	return fmt.Sprintf("<item><g:id>%d</g:id><g:title>a</g:title><g:price>1 EUR</g:price></item>", id)
}

// lines are the marks of the lines from first to last, left out.
func lines(first, last int) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		fmt.Fprintf(&b, " !%d", i)
	}
	return b.String()
}

func TestEncodingsAreFoundOut(t *testing.T) {
	t.Parallel()
	const text = "id\ttitle\tprice\n1\tKäse – 5 €\t1 EUR\n"
	utf16 := func(big bool, bom string) string {
		out := []byte(bom)
		for _, r := range text {
			if big {
				out = append(out, byte(r>>8), byte(r))
			} else {
				out = append(out, byte(r), byte(r>>8))
			}
		}
		return string(out)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	tests := map[string]string{
		"UTF-8":                      text,
		"UTF-8 with a mark":          "\xef\xbb\xbf" + text,
		"UTF-16 little endian":       utf16(false, "\xff\xfe"),
		"UTF-16 big endian":          utf16(true, "\xfe\xff"),
		"UTF-16 without a mark":      utf16(false, ""),
		"big UTF-16 without a mark":  utf16(true, ""),
		"Windows-1252":               "id\ttitle\tprice\n1\tK\xe4se \x96 5 \x80\t1 EUR\n",
		"gzip":                       packed.String(),
		"XML that declares Latin-1":  "<?xml version='1.0' encoding='ISO-8859-1'?><rss><item><g:id>1</g:id><g:title>K\xe4se \x96 5 \x80</g:title><g:price>1 EUR</g:price></item></rss>",
		"XML that does not":          "<rss><item><g:id>1</g:id><g:title>K\xe4se \x96 5 \x80</g:title><g:price>1 EUR</g:price></item></rss>",
		"XML with HTML's entities":   "<rss><item><g:id>1</g:id><g:title>K&auml;se &ndash; 5 &euro;</g:title><g:price>1 EUR</g:price></item></rss>",
		"Atom with the namespace":    "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:x='http://base.google.com/ns/1.0'><entry><id>tag:1</id><x:id>1</x:id><title>Käse – 5 €</title><x:price>1 EUR</x:price></entry></feed>",
		"one stray byte among UTF-8": "id\ttitle\tprice\n1\tKäse \x96 5 €\t1 EUR\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(t, text, feed.Options{})
			require.Empty(t, got.Rejected)
			require.Len(t, got.Rows, 1)
			assert.Equal(t, "1", got.Rows[0].ID)
			assert.Equal(t, "Käse – 5 €", got.Rows[0].Title)
		})
	}
}

func TestWhatIsNoFeedIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"nothing":               {"", "it is empty"},
		"blank":                 {" \n\n", "it has no header"},
		"no price column":       {"id,title\n1,a\n", `no column "price"`},
		"a table without names": {"1,a,1 EUR\n", `no column "id"`},
		"an image":              {"\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\x01\x02", 100), "this is no text"},
		"a damaged archive":     {"\x1f\x8b\x08", "unpack the feed"},
		"a page":                {"<!DOCTYPE html><html><body>404</body></html>", "begins with <html>"},
		"another encoding":      {"<?xml version='1.0' encoding='EBCDIC'?><rss/>", "EBCDIC"},
		"a header beyond":       {strings.Repeat("x", 5000), "is longer than 4096"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := feed.NewReader(strings.NewReader(tt.text), feed.Options{MaxRow: 4096})
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestXMLWithoutItemsIsNoFeed(t *testing.T) {
	t.Parallel()
	r, err := feed.NewReader(strings.NewReader("<rss><channel><title>none</title></channel></rss>"), feed.Options{})
	require.NoError(t, err)
	_, err = r.Next()
	assert.ErrorContains(t, err, "no <item>")
}

// What comes before an input breaks off is read; then the cause is told, and told again.
func TestAnInputThatBreaksOffIsNoEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("the cable was pulled")
	for name, text := range map[string]string{"text": head + "1,a,1 EUR\n2,b,2 EUR\n", "xml": "<rss>" + item(1) + item(2)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := feed.NewReader(io.MultiReader(strings.NewReader(text), failing{broken}), feed.Options{})
			require.NoError(t, err)
			for range 2 {
				_, err = r.Next()
				require.NoError(t, err)
			}
			for range 2 {
				_, err = r.Next()
				require.ErrorIs(t, err, broken)
			}
			assert.EqualValues(t, len(text), r.Offset())
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
