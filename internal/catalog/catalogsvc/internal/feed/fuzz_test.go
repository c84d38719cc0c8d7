package feed_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog/catalogsvc/internal/feed"
)

// Whatever a feed holds: no panic, an end, every report complete, and every row that is let
// through whole enough to be sold, and the same after another round.
func FuzzReader(f *testing.F) {
	feeds, err := filepath.Glob(filepath.Join("testdata", "feeds", "*"))
	require.NoError(f, err)
	for _, name := range feeds {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range []string{
		head + "1,\"a\n\"b,1 EUR\n2,b,2 EUR\n", head + "\"\"\"", "id\ttitle\tprice\r1\t\"\t\"\r",
		"<rss><item><g:id>1</g:id><item/></item>", "<feed><entry><![CDATA[]]>]]></entry>", "<rss><item><a b='<'></item>",
		"\xff\xfei\x00d\x00", "\x1f\x8b", "<?xml version='1.0' encoding='koi8-r'?><rss><item><g:title>\xd4</g:title></item>",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		const maxRow = 1 << 12
		r, err := feed.NewReader(strings.NewReader(string(text)), feed.Options{Currency: "EUR", MaxRow: maxRow})
		if err != nil {
			return
		}
		// Each answer uses up a line or an item at least; gzip packs a thousandfold.
		for range 1001*len(text) + 10 {
			row, err := r.Next()
			var bad *feed.RowError
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.As(err, &bad):
				for _, p := range bad.Problems() {
					require.Positive(t, p.Line)
					require.NotEmpty(t, p.Reason)
					require.LessOrEqual(t, len(p.Value), 400)
				}
			case err != nil:
				return
			default:
				sellable(t, row)
			}
		}
		t.Fatal("the feed has no end")
	})
}

func sellable(t *testing.T, row feed.Row) {
	t.Helper()
	require.NotEmpty(t, row.ID)
	require.NotEmpty(t, row.Title)
	require.True(t, row.Price.Currency.Valid())
	require.GreaterOrEqual(t, row.Price.Minor, int64(0))
	if row.Quantity != nil {
		require.GreaterOrEqual(t, *row.Quantity, int64(0))
	}
	attributes := row.Attributes
	row.Line, row.Warnings, row.Attributes = 0, nil, nil
	for _, format := range formats {
		if format == feed.XML {
			row.Attributes = unique(attributes)
		}
		again, err := reread(t, write(t, format, row))
		require.NoError(t, err)
		require.Equal(t, row, again)
	}
}

// unique are attributes as XML can say them: it has any number, of any name.
func unique(attributes []feed.Attribute) []feed.Attribute {
	if len(attributes) == 0 {
		return nil
	}
	return attributes
}
