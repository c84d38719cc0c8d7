package feed

import (
	"bufio"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzPlainItems holds the quick way of reading an item to the XML decoder's: what it reads at
// all it reads the same, and gives the same reasons for what is left out.
func FuzzPlainItems(f *testing.F) {
	for _, inner := range []string{
		"", "\n <g:id>1</g:id>\n<title>a &amp; b</title>\n", "<g:id><![CDATA[a<b]]> c</g:id>", "<link/>", "<a b='1'>x</a>", "<x:y>1</x:y>",
		"<g:product_detail>\n<g:section_name>s</g:section_name><g:attribute_name>n</g:attribute_name> t <v>&#xA;&#39;&#x263A;</v></g:product_detail>",
		"<a>&nbsp;</a>", "<a>&#13;</a>", "<a>&#0;</a>", "<a>&#xFFFE;</a>", "<a>]]></a>", "<a>\r\n</a>", "<a><b><c>1</c></b></a>", "<a></b>", "<a:b:c>1</a:b:c>",
		"<1>x</1>", "<_>x</_>", "<g:>x</g:>", "<a>x</a><!-- c --><b>y</b>", "<a>\ufffe</a>", "</item><item>", "<xmlns:a>1</xmlns:a>", "<description>é\n</description>x",
		"<summary></summary><a> <b/> </a>", "<a>&lt</a>", "<a>&#x000000041;</a>", "<a>&#-1;</a>", "<a>&#+1;</a>",
	} {
		f.Add(inner)
	}
	f.Fuzz(func(t *testing.T, inner string) {
		text, _ := repair("<item>" + inner + "</item>")
		fresh := func() *items {
			x, err := newItems(bufio.NewReader(strings.NewReader("<rss>")), DefaultMaxRow, true, newTable("EUR"))
			require.NoError(t, err)
			x.tag = "item"
			return x
		}
		quick, full := fresh(), fresh()
		if _, ok := quick.plainElements(text); !ok {
			return
		}
		got, err := quick.elements(text, 7)
		require.NoError(t, err)
		want, err := full.anyElements(text, 7)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, want[i], got[i])
		}
		require.Equal(t, full.table.ignored, quick.table.ignored)
	})
}

// Most of what writers write is read the quick way.
func TestWhatTheWriterWritesIsPlain(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	w, err := NewWriter(&out, WriterOptions{Format: XML})
	require.NoError(t, err)
	require.NoError(t, w.Write(Row{
		ID: "1", Title: `a 17" screen & more`, Description: "two\nlines <b>", Details: []Detail{{Section: "s", Name: "n", Value: "v'"}}, Highlights: []string{"h"},
	}))
	require.NoError(t, w.Close())
	x, err := newItems(bufio.NewReader(strings.NewReader(out.String())), DefaultMaxRow, true, newTable("EUR"))
	require.NoError(t, err)
	raw, _, err := x.item()
	require.NoError(t, err)
	elements, ok := x.plainElements(string(raw))
	require.True(t, ok, "%s", raw)
	require.Greater(t, len(elements), 4)
}
