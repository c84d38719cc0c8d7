package searchsvc_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/page"
	"souk/internal/search"
)

// shape is a kind of query, with texts of that kind.
type shape struct {
	name  string
	texts []string
}

var shapes = []shape{
	{"no words", []string{""}},
	{"rare word", []string{"kyocera fs-1030d", "ideapad", "thinkcentre", "deskjet", "pavilion", "aspire", "latitude", "zenbook", "officejet", "phaser"}},
	{"common word", []string{"black", "usb", "windows", "hp", "memory", "notebook", "intel"}},
	{"several common words", []string{"hp notebook", "black usb", "intel windows notebook", "memory usb black", "hp intel core", "black toner cartridge"}},
	{"phrase", []string{`"toner cartridge"`, `"intel core"`, `"laser printer"`, `"hard drive"`, `"windows 7"`}},
	{"prefix", []string{"note*", "print*", "comp*", "wire* mouse", "lap* bag"}},
	{"typo", []string{"noteboook", "kycera toner", "windws", "printr", "cartrdge black"}},
	{"size and model", []string{"16 gb", `14" notebook`, "dv7-1211ea", "1920x1080 monitor", "2.5 inch ssd"}},
}

// filters are 0 to 3 of them.
func filters(n int) search.Filter {
	low, high := int64(1000), int64(50_000)
	f := search.Filter{}
	if n > 0 {
		f.InStock = true
	}
	if n > 1 {
		f.Brands = []string{"HP", "Kyocera", "Lenovo"}
	}
	if n > 2 {
		f.Currency, f.PriceMin, f.PriceMax = "USD", &low, &high
	}
	return f
}

// measured are the times of many calls.
type measured struct{ took []time.Duration }

func (m *measured) ms(q float64) float64 {
	slices.Sort(m.took)
	return float64(m.took[min(int(float64(len(m.took))*q), len(m.took)-1)].Microseconds()) / 1000
}

// BenchmarkSearch is how long queries take in process, and how an index is built, for catalogues of
// 40,000, 200,000 and a million listings (SOUK_BENCH_LISTINGS says others).
func BenchmarkSearch(b *testing.B) {
	c := newCorpus(b)
	var out strings.Builder
	for _, n := range sizesOf(b) {
		s, how := indexOf(b, c, n)
		fmt.Fprintf(&out, "\n%d listings\n", n)
		if how.took > 0 {
			fmt.Fprintf(&out, "  built in %s (%.0f a second), %.1f µs of processor time each (%.0f a second and processor)\n", how.took.Round(time.Millisecond),
				float64(n)/how.took.Seconds(), float64(how.worked.Microseconds())/float64(n), float64(n)/how.worked.Seconds())
		}
		of := int64(n)
		fmt.Fprintf(&out, "  bytes a listing: FTS5 %d, search.db %d, of which text that is shown %d, and so %d without it\n", how.index/of, how.file/of,
			how.shown/of, (how.file-how.shown)/of)
		before := heap()
		began, work := time.Now(), cpu()
		_, err := s.Query(b.Context(), search.QueryRequest{})
		require.NoError(b, err)
		fmt.Fprintf(&out, "  first read: %s (%s of processor time), %d bytes of memory a listing\n", time.Since(began).Round(time.Millisecond),
			(cpu() - work).Round(time.Millisecond), (heap()-before)/int64(n))
		began = time.Now()
		require.NoError(b, s.Warm(b.Context()))
		fmt.Fprintf(&out, "  read ahead after it: %s\n", time.Since(began).Round(time.Millisecond))
		out.WriteString(s.measure(b))
	}
	b.ReportMetric(0, "ns/op")
	fmt.Fprint(os.Stdout, out.String())
}

func sizesOf(b *testing.B) []int {
	b.Helper()
	var sizes []int
	for part := range strings.FieldsSeq(os.Getenv("SOUK_BENCH_LISTINGS")) {
		var n int
		_, err := fmt.Sscan(part, &n)
		require.NoError(b, err)
		sizes = append(sizes, n)
	}
	if sizes == nil {
		sizes = []int{40_000, 200_000, 1_000_000}
	}
	return sizes
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below 2^63
}

// measure asks every shape of query, with 0 to 3 filters, on pages 1 and 50.
func (b *bench) measure(t *testing.B) string {
	var out strings.Builder
	fmt.Fprintf(&out, "  %-22s %8s | %s | %s\n", "shape", "found", "page 1: p50 p99 by filters 0 1 2 3 (ms)", "page 50: p50 p99, 0 filters; processor ms; 2 clients a second")
	for _, shape := range shapes {
		var row strings.Builder
		found := int64(0)
		var work float64
		for n := range 4 {
			var m measured
			began := cpu()
			for round := range 12 {
				for _, text := range shape.texts {
					at := time.Now()
					reply, err := b.Query(t.Context(), search.QueryRequest{Text: text, Filter: filters(n), Facets: true})
					require.NoError(t, err)
					if took := time.Since(at); round > 1 { // the first find what is kept from then on
						m.took = append(m.took, took)
					}
					if n == 0 {
						found = max(found, reply.Total)
					}
				}
			}
			if n == 0 {
				work = float64((cpu() - began).Microseconds()) / 1000 / float64(12*len(shape.texts))
			}
			fmt.Fprintf(&row, " %6.2f %6.2f", m.ms(.5), m.ms(.99))
		}
		deep := b.deep(t, shape)
		fmt.Fprintf(&out, "  %-22s %8d |%s | %6.2f %6.2f  %6.2f  %5.0f\n", shape.name, found, row.String(), deep.ms(.5), deep.ms(.99), work, b.together(t, shape))
	}
	return out.String()
}

// deep asks for page 50.
func (b *bench) deep(t *testing.B, s shape) *measured {
	var m measured
	for _, text := range s.texts {
		r := search.QueryRequest{Text: text, Page: page.Request{Limit: 24}}
		for range 48 {
			reply, err := b.Query(t.Context(), r)
			require.NoError(t, err)
			if reply.Next == "" {
				break
			}
			r.Page.Cursor = reply.Next
		}
		r.Facets = true
		for range 10 {
			at := time.Now()
			_, err := b.Query(t.Context(), r)
			require.NoError(t, err)
			m.took = append(m.took, time.Since(at))
		}
	}
	return &m
}

// together is how many queries a second two clients get answered.
func (b *bench) together(t *testing.B, s shape) float64 {
	const each = 60
	began := time.Now()
	var clients sync.WaitGroup
	for client := range 2 {
		clients.Go(func() {
			for i := range each {
				_, err := b.Query(context.Background(), search.QueryRequest{Text: s.texts[(i+client)%len(s.texts)], Facets: true})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	return 2 * each / time.Since(began).Seconds()
}
