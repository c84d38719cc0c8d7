package suggest

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "Desk LAMP": "desk lamp", "  Café -- Crème!": "cafe creme", "dv7-1211ea": "dv7 1211ea", "ﬁne": "fine", "a\xffb": "a b", "ÅSA": "asa",
	} {
		assert.Equal(t, want, Fold(text), text)
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Café ﬁ")
	f.Fuzz(func(t *testing.T, text string) {
		folded := Fold(text)
		require.True(t, utf8.ValidString(folded))
		require.Equal(t, strings.TrimSpace(folded), folded)
		require.NotContains(t, folded, "  ")
		for _, key := range beginnings(folded, 6) {
			require.True(t, utf8.ValidString(key))
			require.LessOrEqual(t, len(key), maxKey)
			require.Contains(t, folded, key)
		}
	})
}

func texts(found []Found, kind Kind) []string {
	var all []string
	for _, f := range found {
		if f.Kind == kind {
			all = append(all, f.Text)
		}
	}
	return all
}

func TestWhatHasMoreListingsComesFirst(t *testing.T) {
	t.Parallel()
	b := New()
	for i := range 6 {
		b.Add(Goods{Doc: int64(i), Title: fmt.Sprintf("Toner cartridge %d", i), Brand: "Tonertec"})
	}
	b.Add(Goods{Doc: 10, Title: "Tonal bell one", Brand: "Tonal"})
	b.Add(Goods{Doc: 11, Title: "Tonal bell two", Brand: "Tonal"})
	found := b.Complete("ton", 20)
	assert.Equal(t, []string{"toner", "toner cartridge", "tonal bell"}, texts(found, Phrase), "and tonal comes as a brand")
	assert.Equal(t, []string{"Tonertec", "Tonal"}, texts(found, Brand))
	assert.Equal(t, []string{"cartridge", "toner cartridge"}, texts(b.Complete("cart", 20), Phrase))
}

// TestTheWordItselfIsOffered types words that no title begins with.
func TestTheWordItselfIsOffered(t *testing.T) {
	t.Parallel()
	b := New()
	for i := range 6 {
		b.Add(Goods{Doc: int64(i), Title: fmt.Sprintf("Acme Keyboard for 42 %d", i), Brand: "Acme"})
		b.Add(Goods{Doc: int64(10 + i), Title: fmt.Sprintf("Bolt Monitor %d", i), Brand: "Bolt", Path: "screens"})
	}
	b.Add(Goods{Doc: 20, Title: "Bolt Sticker"})
	tests := map[string]struct {
		typed string
		want  []string
	}{
		"its beginning":           {"keyb", []string{"keyboard", "acme keyboard"}},
		"with a slip":             {"keybiard", []string{"keyboard", "acme keyboard"}},
		"not what is typed":       {"keyboard", []string{"acme keyboard"}},
		"nor a brand again":       {"acm", []string{"acme keyboard"}},
		"nor what only joins":     {"fo", nil},
		"nor digits":              {"42", nil},
		"nor what one title says": {"stick", nil},
		"not for a letter":        {"m", []string{"bolt monitor"}},
	}
	for name, tt := range tests {
		assert.Equal(t, tt.want, texts(b.Complete(tt.typed, 20), Phrase), name)
	}
	b.SetPopular([]Popular{{Text: "keyboard for two", Searches: 9, Found: 3}})
	assert.Equal(t, []string{"keyboard for two", "keyboard", "acme keyboard"}, texts(b.Complete("keyb", 20), Phrase), "what people search for comes first")
}

func TestWhatOnlyJoinsOthersEndsNoSearch(t *testing.T) {
	t.Parallel()
	b := New()
	for i := range 3 {
		b.Add(Goods{Doc: int64(i), Title: fmt.Sprintf("Acme USB-C to HDMI adapter %d", i)})
	}
	for _, typed := range []string{"acm", "usb", "to", "hd", "usb t"} {
		for _, text := range texts(b.Complete(typed, 20), Phrase) {
			assert.NotRegexp(t, `^to\b|\bto$`, text, typed)
		}
	}
	assert.Contains(t, texts(b.Complete("acm", 20), Phrase), "acme usb-c")
	b.SetPopular([]Popular{{Text: "hdmi to", Searches: 9, Found: 3}})
	assert.Contains(t, texts(b.Complete("hdmi", 20), Phrase), "hdmi to", "unless people search so")
}

func TestOneThingAndSeveralAreOneSearch(t *testing.T) {
	t.Parallel()
	b := New()
	for i := range 3 {
		b.Add(Goods{Doc: int64(i), Title: fmt.Sprintf("Oak tables %d", i)})
		b.Add(Goods{Doc: int64(10 + i), Title: fmt.Sprintf("Oak table %d", i)})
		b.Add(Goods{Doc: int64(20 + i), Title: fmt.Sprintf("Oak glass %d", i)})
	}
	assert.ElementsMatch(t, []string{"oak", "oak table", "oak glass"}, texts(b.Complete("oa", 20), Phrase))
}

func TestKindsShareThePlaces(t *testing.T) {
	t.Parallel()
	some := func(kind Kind, n int) []Found { return make([]Found, n, n+int(kind)) }
	assert.Len(t, share(8, some(Phrase, 100), some(Category, 0), some(Brand, 1), some(Title, 100)), 8)
	assert.Len(t, share(8, some(Phrase, 1), some(Category, 0), some(Brand, 1), some(Title, 1)), 3)
	assert.Len(t, share(1, some(Phrase, 5), some(Category, 5), some(Brand, 5), some(Title, 5)), 1)
}

// TestABookForgetsWhatIsRemoved adds and removes at random; when all is removed nothing is left.
func TestABookForgetsWhatIsRemoved(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := New()
		word := rapid.SampledFrom([]string{"lamp", "desk", "Café", "17\"", "a-b", "--", ""})
		path := rapid.SampledFrom([]string{"", "a", "a/b", "a/b/c"})
		var there []Goods
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			if len(there) > 0 && rapid.Bool().Draw(t, "remove") {
				b.Remove(there[0])
				there = there[1:]
				continue
			}
			g := Goods{
				Doc: int64(i), Title: strings.Join(rapid.SliceOfN(word, 0, 8).Draw(t, "title"), " "), Brand: word.Draw(t, "brand"), Path: path.Draw(t, "path"),
			}
			b.Add(g)
			there = append(there, g)
			for _, f := range b.Complete("la", 20) {
				require.True(t, f.Kind == Title || f.Count > 0)
			}
		}
		for _, g := range there {
			b.Remove(g)
		}
		require.Empty(t, b.phrases.counts)
		require.Empty(t, b.searches)
		require.Empty(t, b.brands)
		require.Empty(t, b.categories)
		require.Empty(t, b.titles.ids)
		require.Len(t, b.titles.free, len(b.titles.words))
		for _, s := range b.sorted {
			require.Zero(t, s.tree.Len())
			require.Empty(t, s.tops)
		}
		require.Zero(t, b.titles.sorted.tree.Len())
		require.Empty(t, b.titles.sorted.tops)
	})
}

func TestACategoryIsFoundByItsNewNameAlone(t *testing.T) {
	t.Parallel()
	b := New()
	b.NameCategory("home", "Home goods")
	assert.Empty(t, b.Complete("goods", 5), "nothing is in it")
	b.Add(Goods{Doc: 1, Title: "x", Path: "home/lamps"})
	assert.Equal(t, []string{"Home goods"}, texts(b.Complete("goods", 5), Category))
	b.NameCategory("home", "House")
	assert.Empty(t, b.Complete("goods", 5))
	assert.Equal(t, []string{"House"}, texts(b.Complete("hou", 5), Category))
}
