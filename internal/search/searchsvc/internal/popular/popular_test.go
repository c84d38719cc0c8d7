package popular_test

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/search/searchsvc/internal/popular"
)

var named = popular.Named([]byte("of the test"))

var once = popular.Figures{Searches: 1}

// told are the searches that batches tell of each text, as a database adds them up.
type told map[string]int64

func (all told) write(batches []popular.Batch) (sums popular.Figures) {
	for _, b := range batches {
		for _, name := range b.Gone {
			delete(all, name)
		}
		for _, text := range b.Texts {
			all[text.Name] += text.Add.Searches
		}
		sums.Searches += b.Sums.Searches
	}
	return sums
}

func TestCounting(t *testing.T) {
	t.Parallel()
	c := popular.New(10, named)
	c.Search(1, "lamp", once)
	c.Search(1, "lamp", popular.Figures{Searches: 1, Empty: 1})
	c.Search(1, "", once) // not kept
	lamp, listing := named("lamp"), catalog.ListingID("lst_a")
	for _, position := range []int32{1, 2, 3, 4, 10, 11, 0} {
		assert.True(t, c.Click(1, 24, lamp, listing, position))
	}
	assert.False(t, c.Click(1, 24, named("chair"), listing, 1), "nobody has searched for that")
	want := popular.Figures{Searches: 2, Empty: 1, First: 1, Third: 2, Tenth: 2, Later: 2}
	sums := want
	sums.Searches = 3
	assert.Equal(t, []popular.Batch{{
		Day: 1, Sums: sums, Texts: []popular.Text{{Text: "lamp", Name: lamp, Add: want}},
		Clicks: map[popular.Click]int64{{Listing: listing, Hour: 24, Name: lamp}: 7},
	}}, c.Take())
	assert.Empty(t, c.Take(), "once is enough")

	c.Search(1, "lamp", once)
	c.Search(2, "chair", once) // the next day
	batches := c.Take()
	assert.Len(t, batches, 2)
	assert.EqualValues(t, 1, batches[0].Day)
	assert.Equal(t, "lamp", batches[0].Texts[0].Text)
	assert.EqualValues(t, 2, batches[1].Day)
	assert.Equal(t, "chair", batches[1].Texts[0].Text)
	assert.False(t, c.Click(2, 48, lamp, listing, 1), "of the day before")
	c.Known(2, "lamp")
	assert.True(t, c.Click(2, 48, lamp, listing, 1))
}

func TestWhatWasCountedBeforeAStart(t *testing.T) {
	t.Parallel()
	c := popular.New(2, named)
	c.Search(1, "lamp", once)
	load := func(put func(string, int64, int64)) {
		put("lamp", 0, 5)
		put("chair", 2, 9)
		put("table", 0, 1) // no room
	}
	c.Load(1, load)
	c.Load(1, load) // not twice
	assert.Equal(t, 2, c.Size())
	c.Search(1, "sofa", once) // in place of lamp, searched for six times in all
	b := c.Take()[0]
	assert.Equal(t, []string{named("lamp")}, b.Gone)
	assert.Equal(t, []popular.Text{{Text: "sofa", Name: named("sofa"), Floor: 6, Add: once}}, b.Texts)
}

// TestNoMoreThanSoManyTexts searches for many texts and compares with a plain count: what is told is never
// too high, too low by no more than the floor, and what is searched for often is there.
func TestNoMoreThanSoManyTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 8).Draw(t, "most")
		c, plain, written, floors, searches := popular.New(most, named), map[string]int64{}, told{}, map[string]int64{}, int64(0)
		write := func() {
			batches := c.Take()
			for _, b := range batches {
				for _, text := range b.Texts {
					floors[text.Name] = max(floors[text.Name], text.Floor)
				}
			}
			written.write(batches)
		}
		for i := range rapid.IntRange(1, 200).Draw(t, "searches") {
			n := rapid.IntRange(0, 4).Draw(t, "n") * rapid.IntRange(0, 6).Draw(t, "m") // some more often than others
			text := fmt.Sprintf("text %d", n)
			c.Search(1, text, once)
			plain[named(text)]++
			searches++
			if i%17 == 0 {
				write()
			}
		}
		write()
		if len(written) > most || c.Size() > most {
			t.Fatalf("%d texts are written and %d kept, of %d", len(written), c.Size(), most)
		}
		for name, n := range plain {
			if written[name] > n || written[name] != 0 && written[name]+floors[name] < n {
				t.Fatalf("%d told with a floor of %d, and %d searched", written[name], floors[name], n)
			}
			if n > searches/int64(most) && written[name] == 0 {
				t.Fatalf("searched %d times of %d and not there, though %d are", n, searches, most)
			}
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	texts := make([]string, 20_000)
	for i := range texts {
		texts[i] = fmt.Sprintf("text %d", i)
	}
	c := popular.New(5000, named)
	for i := 0; b.Loop(); i++ {
		c.Search(1, texts[i*i%len(texts)], once)
	}
}

// TestNothingOfARequestIsKept says that what is counted holds none of the memory that the request is in.
func TestNothingOfARequestIsKept(t *testing.T) {
	t.Parallel()
	c := popular.New(10, named)
	request := "lamp" + strings.Repeat(" ", 100)
	text := popular.Normal(request)
	c.Search(1, text, once)
	name := strings.Clone(named(text) + "&more")[:12]
	listing := catalog.ListingID("lst_a")
	c.Click(1, 24, name, listing, 1)
	b := c.Take()[0]
	assert.NotSame(t, unsafe.StringData(text), unsafe.StringData(b.Texts[0].Text))
	for click := range b.Clicks {
		assert.NotSame(t, unsafe.StringData(name), unsafe.StringData(click.Name))
		assert.NotSame(t, unsafe.StringData(string(listing)), unsafe.StringData(string(click.Listing)))
	}
}
