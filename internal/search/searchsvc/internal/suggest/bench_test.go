package suggest

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
)

// realGoods are the listings of the real catalogue. The benchmark is skipped where that is not
// at hand.
func realGoods(b *testing.B) []Goods {
	b.Helper()
	folder := os.Getenv("SOUK_SHARED_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(folder, "icecat", "products.tsv.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		b.Skip("the real catalogue is not here: put shared/data beside the repository, or name it in SOUK_SHARED_DATA")
	}
	require.NoError(b, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(b, err)
	r := csv.NewReader(z)
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = '\t', -1, true
	head, err := r.Read()
	require.NoError(b, err)
	title, brand, kind := slices.Index(head, "title"), slices.Index(head, "brand"), slices.Index(head, "product_type")
	var all []Goods
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(b, err)
		g := Goods{Title: row[title], Brand: row[brand]}
		if row[kind] != "" {
			g.Path = catalog.CategoryPath(strings.Split(row[kind], ">"))
		}
		all = append(all, g)
	}
}

// remixed is a catalogue grown to n listings: real ones, then halves of two with a part number
// of their own.
func remixed(b *testing.B, n int) []Goods {
	b.Helper()
	real, chance := realGoods(b), rand.New(rand.NewPCG(1, 2))
	out := make([]Goods, n)
	for i := range out {
		g := real[chance.IntN(len(real))]
		if i < len(real) {
			g = real[i]
		} else {
			mine, other := strings.Fields(g.Title), strings.Fields(real[chance.IntN(len(real))].Title)
			mine = append(slices.Clone(mine[:(len(mine)+1)/2]), fmt.Sprintf("X%06d", chance.IntN(1e6)))
			g.Title = strings.Join(append(mine, other[len(other)/2:]...), " ")
		}
		g.Doc = int64(i + 1)
		out[i] = g
	}
	return out
}

// typing is what people have typed at one moment or another who search for these: beginnings
// of words of titles from their start on, of a word in their midst, and some with a mistake.
func typing(goods []Goods, n int) []string {
	chance := rand.New(rand.NewPCG(3, 4))
	out := make([]string, n)
	for i := range out {
		words := strings.Fields(goods[chance.IntN(len(goods))].Title)
		from := 0
		if i%3 == 1 {
			from = chance.IntN(len(words))
		}
		text := []rune(strings.ToLower(strings.Join(words[from:min(len(words), from+4)], " ")))
		text = text[:1+chance.IntN(len(text))]
		if i%10 == 0 && len(text) > 4 {
			at := 1 + chance.IntN(len(text)-2)
			text[at], text[at+1] = text[at+1], text[at]
		}
		out[i] = string(text)
	}
	return out
}

// BenchmarkSuggest completes what people type among many listings: how long the slowest in a
// hundred take, what a listing costs to take in, to edit and to keep.
func BenchmarkSuggest(b *testing.B) {
	for _, n := range []int{40_000, 200_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			goods := remixed(b, n)
			texts := typing(goods, 10_000)
			heap := func() uint64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			before, began := heap(), time.Now()
			book := New()
			named := map[string]bool{}
			for _, g := range goods {
				if !named[g.Path] {
					named[g.Path] = true
					book.NameCategory(g.Path, strings.ReplaceAll(g.Path, "-", " "))
				}
				book.Add(g)
			}
			add := float64(time.Since(began).Microseconds()) / float64(n)
			bytes := float64(heap()-before) / float64(n)
			began = time.Now()
			for _, g := range goods[:20_000] {
				book.Remove(g)
				book.Add(g)
			}
			edit := float64(time.Since(began).Microseconds()) / 20_000
			var took []time.Duration
			found := 0
			for i := 0; b.Loop(); i++ {
				began := time.Now()
				if len(book.Complete(texts[i%len(texts)], 8)) > 0 {
					found++
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(add, "add-µs")
			b.ReportMetric(bytes, "B/listing")
			b.ReportMetric(edit, "edit-µs")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)*999/1000].Microseconds()), "p99.9-µs")
			b.ReportMetric(float64(found)/float64(len(took)), "found")
			runtime.KeepAlive(book)
		})
	}
}
