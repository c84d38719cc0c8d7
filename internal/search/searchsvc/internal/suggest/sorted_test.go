package suggest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTheBestOfAShortPrefixStaysTheBest moves weights at random, more things than a list has
// places for, and compares with sorting everything.
func TestTheBestOfAShortPrefixStaysTheBest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := map[int]uint64{}
		key := func(n int) string { return fmt.Sprintf("%c%03d", 'a'+rune(n%2), n) }
		s := newSorted(2, func(n int) uint64 { return weights[n] }, func(int, int) int { return 0 })
		for range rapid.IntRange(100, 800).Draw(t, "steps") {
			n := rapid.IntRange(1, 400).Draw(t, "thing")
			was, there := weights[n]
			now := rapid.Uint64Range(0, 50).Draw(t, "weight")
			switch {
			case now == 0 && there:
				s.drop(key(n), n)
				delete(weights, n)
			case now == 0:
			case !there:
				weights[n] = now
				s.put(key(n), n)
			case now > was:
				weights[n] = now
				s.rise(key(n), n)
			case now < was:
				weights[n] = now
				s.fall(key(n), n)
			}
			if n%50 > 0 {
				continue
			}
			for _, prefix := range []string{"a", "b", "a0", "b3", "a10"} {
				var want []uint64
				for n, weight := range weights {
					if strings.HasPrefix(key(n), prefix) {
						want = append(want, weight)
					}
				}
				slices.Sort(want)
				slices.Reverse(want)
				found, all := s.under(prefix)
				var got []uint64
				for _, n := range found {
					got = append(got, weights[n])
				}
				require.NotContains(t, got, uint64(0), "something that is not there any more")
				if all {
					require.Equal(t, want, got)
				} else {
					require.GreaterOrEqual(t, len(got), topLeast)
				}
				least := min(len(got), topLeast)
				require.Equal(t, want[:least], got[:least], "the best under %q", prefix)
			}
		}
	})
}

func goods(titles ...string) *Book {
	b := New()
	for i, title := range titles {
		b.Add(Goods{Doc: int64(i + 1), Title: title})
	}
	return b
}

func docs(found []Found) []int64 {
	var all []int64
	for _, f := range found {
		if f.Kind == Title {
			all = append(all, f.Doc)
		}
	}
	return all
}

func TestListingsAreFoundByTheWordsBefore(t *testing.T) {
	t.Parallel()
	b := goods("Wireless mouse, black", "Black laser toner", "Mouse pad", "Optical wireless mouse", "Wireless keyboard", "Moustache comb")
	assert.Equal(t, []int64{1, 4}, docs(b.Complete("wireless mo", 20)), "titles that begin so come first")
	assert.Equal(t, []int64{1, 4}, docs(b.Complete("mouse wire", 20)), "in any order")
	assert.Equal(t, []int64{3, 1, 4}, docs(b.Complete("mouse ", 20)), "a space ends the word")
	assert.Equal(t, []int64{6, 3, 1, 4}, docs(b.Complete("mous", 20)))
	assert.Contains(t, texts(b.Complete("black las", 20), Phrase), "black laser")
	assert.Empty(t, b.Complete("keyboard ton", 20), "nothing has both")
}

func TestOneMistakeInAWordIsForgiven(t *testing.T) {
	t.Parallel()
	b := goods("Wireless mouse", "Keyboard, wireless", "Café table")
	for text, want := range map[string][]int64{
		"wirless mo": {1}, "keyboadr": {2}, "wierless k": {2}, "wireles mouse": {1}, "wiireless key": {2}, "café t": {3}, "cafe tabel": {3},
		"kex": nil, "xxxx yyyy": nil,
	} {
		assert.Equal(t, want, docs(b.Complete(text, 20)), text)
	}
	assert.Equal(t, []int64{1}, docs(b.Complete("mouse", 20)), "what begins like that is no mistake")
}

func TestSearchesThatPeopleMakeComeFirst(t *testing.T) {
	t.Parallel()
	b := goods("Toner cartridge", "Toner cartridge", "Toner cartridge", "Tonic water", "Tonic water")
	assert.Equal(t, []string{"toner", "toner cartridge", "tonic", "tonic water"}, texts(b.Complete("ton", 20), Phrase))
	b.SetPopular([]Popular{
		{Text: "Tonic water", Searches: 7, Found: 2},
		{Text: "ton of bricks", Searches: 1, Found: 9},
		{Text: "tonne", Searches: 100},
		{Text: "tonsil", Found: 5},
	})
	assert.Equal(t, []string{"tonic water", "ton of bricks", "toner", "toner cartridge", "tonic"}, texts(b.Complete("ton", 20), Phrase),
		"and what found nothing, or nobody asked for, is not there")
	b.Remove(Goods{Doc: 4, Title: "Tonic water"})
	b.Remove(Goods{Doc: 5, Title: "Tonic water"})
	assert.Contains(t, texts(b.Complete("ton", 20), Phrase), "tonic water", "people still ask for it")
	b.SetPopular(nil)
	assert.Equal(t, []string{"toner", "toner cartridge"}, texts(b.Complete("ton", 20), Phrase))
}

func TestRarePhrasesAreForgottenWhenThereAreTooMany(t *testing.T) {
	t.Parallel()
	b := New()
	b.phrases.most = 40
	listing := func(i int) Goods {
		return Goods{Doc: int64(i), Title: fmt.Sprintf("Desk lamp %c%c %d", 'a'+i%26, 'a'+i/26, i)}
	}
	for i := 1; i < 300; i++ {
		b.Add(listing(i))
		require.LessOrEqual(t, len(b.phrases.counts), 40)
	}
	assert.Contains(t, texts(b.Complete("des", 5), Phrase), "desk lamp", "what many have stays")
	for i := 1; i < 300; i++ {
		b.Remove(listing(i))
	}
	assert.Empty(t, b.Complete("des", 5))
	assert.Empty(t, b.phrases.counts)
}

// TestACommonWordKeepsListings takes away those that are kept with a word; others take their place.
func TestMoreListingsAreNeededWhenMuchIsShared(t *testing.T) {
	t.Parallel()
	b := New()
	b.phrases.most = 40
	for i := range 300 {
		b.Add(Goods{Doc: int64(i), Title: fmt.Sprintf("Desk lamp%d", i/3)})
	}
	assert.Greater(t, b.phrases.least, int32(shared))
	assert.LessOrEqual(t, len(b.searches), 40)
	assert.Equal(t, []string{"desk"}, texts(b.Complete("des", 1), Phrase))
}

func TestACommonWordKeepsListings(t *testing.T) {
	t.Parallel()
	b := New()
	const n = 3 * maxDocs
	for i := 1; i <= n; i++ {
		b.Add(Goods{Doc: int64(i), Title: "Lamp"})
	}
	for i := n; i > 1; i-- {
		b.Remove(Goods{Doc: int64(i), Title: "Lamp"})
		require.Equal(t, int64(i-1), docs(b.Complete("la", 3))[0], "the one that came last")
	}
}

func TestManyMayCompleteAtOnce(t *testing.T) {
	t.Parallel()
	b := New()
	for i := range 400 {
		b.Add(Goods{Doc: int64(i), Title: fmt.Sprintf("Lamp%d shade%d", i%200, i%200)})
	}
	for i := range 350 { // so that lists have to be made again
		b.Remove(Goods{Doc: int64(i), Title: fmt.Sprintf("Lamp%d shade%d", i%200, i%200)})
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 50 {
				assert.NotEmpty(t, b.Complete("la", 8))
			}
		})
	}
	readers.Wait()
}

func FuzzComplete(f *testing.F) {
	b := goods("Wireless mouse, black", "Café table", "電動 自転車", "دراجة هوائية", "🚲 bike")
	b.SetPopular([]Popular{{Text: "bike", Searches: 3, Found: 1}})
	for _, text := range []string{"wi", "caf", "電", "دراجة ", "🚲", "\x00\xff", strings.Repeat("wireless ", 1000)} {
		f.Add(text, 8)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		require.LessOrEqual(t, len(b.Complete(text, limit%50)), max(0, limit%50))
	})
}
