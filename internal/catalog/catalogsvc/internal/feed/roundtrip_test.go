package feed_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog/catalogsvc/internal/feed"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

var formats = []feed.Format{feed.TSV, feed.CSV, feed.XML}

// attributeNames are columns that nobody knows; some are no XML names.
var attributeNames = []string{"energy_class", "attribute", "maß(cm)", "1st"}

func write(t require.TestingT, format feed.Format, rows ...feed.Row) string {
	var out bytes.Buffer
	w, err := feed.NewWriter(&out, feed.WriterOptions{Format: format, Title: "A & B", Attributes: attributeNames})
	require.NoError(t, err)
	for _, r := range rows {
		require.NoError(t, w.Write(r))
	}
	require.NoError(t, w.Close())
	return out.String()
}

// reread reads one row back, without what depends on where it stood.
func reread(t require.TestingT, text string) (feed.Row, error) {
	r, err := feed.NewReader(strings.NewReader(text), feed.Options{})
	require.NoError(t, err)
	row, err := r.Next()
	if err == nil {
		_, end := r.Next()
		require.ErrorIs(t, end, io.EOF, "one row was written")
	}
	row.Line, row.Warnings = 0, nil
	return row, err
}

// Whatever a careful row holds, it comes back the same from every format.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	tricky := rapid.StringOfN(rapid.RuneFrom([]rune(`ab,;:"'<>&\|/=+ ü€漢`)), 1, 12, -1)
	text := rapid.Map(tricky, func(s string) string { return "x" + strings.ReplaceAll(s, `\n`, "") + "y" })
	rapid.Check(t, func(t *rapid.T) {
		row := careful(t, text)
		for _, format := range formats {
			written := write(t, format, row)
			got, err := reread(t, written)
			require.NoError(t, err, written)
			require.Equal(t, row, got, written)
		}
	})
}

func careful(t *rapid.T, text *rapid.Generator[string]) feed.Row {
	maybe := func(name string) string {
		if rapid.Bool().Draw(t, name+"?") {
			return text.Draw(t, name)
		}
		return ""
	}
	list := func(name string) []string {
		var out []string
		for range rapid.IntRange(0, 3).Draw(t, name+"s") {
			out = append(out, text.Draw(t, name))
		}
		return out
	}
	currency := rapid.SampledFrom([]money.Currency{"EUR", "JPY", "KWD"}).Draw(t, "currency")
	price := rapid.Int64Range(0, 1<<50).Draw(t, "price")
	row := feed.Row{
		ID: text.Draw(t, "id"), Title: text.Draw(t, "title"), Description: maybe("description"),
		Price: money.Money{Minor: price, Currency: currency}, Brand: maybe("brand"), MPN: maybe("mpn"),
		Link: "https://x.example/a,b?c=%22&d", ImageLink: "http://x.example/ü.jpg",
		Availability: feed.Backorder, Condition: feed.Refurbished, GTIN: "4006381333931",
		ProductType: maybe("type"), GoogleProductCategory: maybe("category"), Color: maybe("color"), Size: maybe("size"),
		Material: maybe("material"), Pattern: maybe("pattern"), Gender: "unisex", AgeGroup: "kids", ItemGroupID: maybe("group"),
		Highlights: list("highlight"), TaxCategory: maybe("tax"), SellerID: maybe("seller"),
	}
	if rapid.Bool().Draw(t, "several lines") {
		row.Description = "a\tb\n\n" + text.Draw(t, "description")
	}
	for _, name := range list("detail") {
		row.Details = append(row.Details, feed.Detail{Section: maybe("section"), Name: name, Value: text.Draw(t, "value")})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "images") {
		row.AdditionalImageLinks = append(row.AdditionalImageLinks, fmt.Sprintf("https://x.example/a,%d.jpg", i))
	}
	for _, name := range attributeNames {
		if value := maybe(name); value != "" {
			row.Attributes = append(row.Attributes, feed.Attribute{Name: name, Value: value})
		}
	}
	if rapid.Bool().Draw(t, "sale") {
		sale := money.Money{Minor: price / 2, Currency: currency}
		row.SalePrice, row.SaleFrom, row.SaleUntil = &sale, clock.Time(1_772_000_000_000), clock.Time(1_773_000_000_001)
	}
	if rapid.Bool().Draw(t, "counted") {
		quantity := rapid.Int64Range(0, 1_000_000_000).Draw(t, "quantity")
		grams := rapid.Int64Range(0, 999_999_999).Draw(t, "grams")
		row.Quantity, row.ShippingWeight = &quantity, &grams
	}
	return row
}

// A row that was read from anything at all is written and read back the same for ever.
func TestWhatWasReadOnceStaysTheSame(t *testing.T) {
	t.Parallel()
	wild := rapid.StringOfN(rapid.RuneFrom([]rune("ab,\"\t\n\r;:\\n \x01\u2028\ufeff\uffff")), 0, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		row := feed.Row{
			ID: "1", Title: "x" + wild.Draw(t, "title"), Description: wild.Draw(t, "description"), Price: money.Money{Minor: 1, Currency: "EUR"},
			Brand: wild.Draw(t, "brand"), GTIN: wild.Draw(t, "gtin"), Link: wild.Draw(t, "link"), Gender: wild.Draw(t, "gender"),
			Details:    []feed.Detail{{Section: wild.Draw(t, "section"), Name: wild.Draw(t, "name"), Value: wild.Draw(t, "value")}},
			Highlights: []string{wild.Draw(t, "highlight"), wild.Draw(t, "highlight")},
			Attributes: []feed.Attribute{{Name: "energy_class", Value: wild.Draw(t, "attribute")}},
		}
		once, err := reread(t, write(t, rapid.SampledFrom(formats).Draw(t, "first"), row))
		if errors.Is(err, io.EOF) {
			t.Fatal("the row is gone")
		}
		require.NoError(t, err)
		for _, format := range formats {
			again, err := reread(t, write(t, format, once))
			require.NoError(t, err)
			require.Equal(t, once, again, string(format))
		}
	})
}

func TestAWriterRefusesWhatWouldBeLost(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "price", "Energy Class", "shipping", "g:x"} {
		_, err := feed.NewWriter(io.Discard, feed.WriterOptions{Attributes: []string{name}})
		require.Error(t, err, name)
	}
	_, err := feed.NewWriter(io.Discard, feed.WriterOptions{Format: "yaml"})
	require.Error(t, err)
	w, err := feed.NewWriter(io.Discard, feed.WriterOptions{})
	require.NoError(t, err)
	assert.ErrorContains(t, w.Write(feed.Row{ID: "1", Attributes: []feed.Attribute{{Name: "energy_class", Value: "A"}}}), "energy_class")
}

func TestAWriterTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	w, err := feed.NewWriter(full{}, feed.WriterOptions{})
	require.NoError(t, err)
	require.NoError(t, w.Write(feed.Row{ID: "1"}))
	assert.ErrorIs(t, w.Close(), errFull)
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// endless is a feed of n rows that is never in memory whole.
type endless struct {
	left       int
	row, start string
	rest       string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		switch {
		case e.start != "":
			e.rest, e.start = e.start, ""
		case e.left == 0:
			return 0, io.EOF
		default:
			e.left--
			e.rest = e.row
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// Memory is that of a row, whatever the feed's length and however broken it is.
func TestMemoryIsFlat(t *testing.T) { //nolint:paralleltest // it measures the heap of the whole process
	long := strings.Repeat("x", 300)
	tests := map[string]*endless{
		"good rows":         {start: head, row: "1," + long + ",1 EUR\n"},
		"rejected rows":     {start: head, row: "1," + long + "\n"},
		"one endless line":  {start: head, row: long},
		"one endless quote": {start: head + "1,\"", row: long + "\n"},
		"one endless item":  {start: "<rss><item>", row: "<g:id>" + long + "</g:id>"},
		"one endless tag":   {start: "<rss>" + item(1) + "<item a='", row: long},
		"one endless CDATA": {start: "<rss><item><![CDATA[", row: long},
		"many elements":     {start: "<rss>", row: "<item><g:id>1</g:id><a" + long + ">x</a" + long + "></item>\n"},
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			text.left = 50_000 // 15 MB
			if name == "many elements" {
				text.left = 5_000 // these are slow to read
			}
			r, err := feed.NewReader(text, feed.Options{MaxRow: 64 << 10})
			require.NoError(t, err)
			var most uint64
			for i := 0; ; i++ {
				_, err := r.Next()
				var bad *feed.RowError
				if err != nil && !errors.As(err, &bad) {
					require.ErrorIs(t, err, io.EOF)
					break
				}
				if i%10_000 == 0 {
					most = max(most, heap())
				}
			}
			most = max(most, heap())
			assert.Less(t, most, uint64(8<<20), "the live heap grew with the feed")
			runtime.KeepAlive(r)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A quote behind a colon begins a quoted part for whoever reads, so the writer quotes it.
func TestAQuoteBehindAColonStaysWhereItIs(t *testing.T) {
	t.Parallel()
	row := feed.Row{
		ID: "1", Title: "x", Price: money.Money{Minor: 1, Currency: "EUR"}, Highlights: []string{`:"`, ","},
		Details: []feed.Detail{{Section: "s", Name: "n", Value: `wide: "`}, {Section: "s", Name: "m", Value: ","}},
	}
	for _, format := range formats {
		again, err := reread(t, write(t, format, row))
		require.NoError(t, err)
		again.Line, again.Warnings = 0, nil
		require.Equal(t, row, again, string(format))
	}
}
