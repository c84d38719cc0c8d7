package searchsvc_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/bus"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/search/searchsvc"
)

// corpus is a catalogue of any size, remixed from the real one: each listing is a real one whose
// title ends as another of its category does, with other digits in its model numbers. So the
// words and how often they occur stay as they are, and rare ones stay rare.
type corpus struct {
	events   []catalogtest.Event // of sellers and categories
	listings []catalog.ListingChanged
	alike    map[string][]int // by path
}

func newCorpus(t testing.TB) *corpus {
	t.Helper()
	c := &corpus{alike: map[string][]int{}}
	for _, e := range realCatalogue(t) {
		l, ok := e.(catalog.ListingChanged)
		if !ok {
			c.events = append(c.events, e)
			continue
		}
		c.alike[l.Path] = append(c.alike[l.Path], len(c.listings))
		c.listings = append(c.listings, l)
	}
	return c
}

// listing is number i of the corpus: the same in every run, but for its id.
func (c *corpus) listing(i int) catalog.ListingChanged {
	if i < len(c.listings) {
		return c.listings[i]
	}
	r := rand.New(rand.NewPCG(uint64(i), 4)) //nolint:gosec // the same every time, on purpose
	l := c.listings[r.IntN(len(c.listings))]
	alike := c.alike[l.Path]
	other := c.listings[alike[r.IntN(len(alike))]]
	head, tail := strings.Fields(l.Title), strings.Fields(other.Title)
	l.Title = renumbered(r, strings.Join(append(append([]string{}, head[:(len(head)+1)/2]...), tail[len(tail)/2:]...), " "))
	l.Description = renumbered(r, other.Description)
	l.ListingID = catalog.ListingIDs.New()
	l.CreatedAt += l.CreatedAt%1000 + 1000*100 + 7*1000
	l.Variants = []catalog.ListingVariant{l.Variants[0]}
	l.Variants[0].Price.Minor = l.Variants[0].Price.Minor*int64(50+r.IntN(100))/100 + 1
	l.Variants[0].InStock = r.IntN(10) > 0
	l.Variants[0].VariantID = catalog.VariantIDs.New()
	return l
}

// renumbered has other digits in long model numbers, most of the time.
func renumbered(r *rand.Rand, text string) string {
	parts := strings.Fields(text)
	for i, p := range parts {
		if len(p) < 5 || !strings.ContainsAny(p, "0123456789") || !strings.ContainsAny(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") || r.IntN(5) == 0 {
			continue
		}
		parts[i] = strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return '0' + rune(r.IntN(10)) //nolint:gosec // a digit
			}
			return c
		}, p)
	}
	return strings.Join(parts, " ")
}

// cpu is the processor time that this process has had.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// built is how an index was built.
type built struct {
	listings     int
	took, worked time.Duration
	file         int64 // bytes
	index        int64 // of them in FTS5's tables
	shown        int64 // and text that is kept to be shown
}

// indexOf is a search with so many listings. The index is kept in SOUK_BENCH_DIR, or the temporary
// folder, and used again as long as it would come out the same.
func indexOf(t testing.TB, c *corpus, n int) (*bench, built) {
	t.Helper()
	dir := os.Getenv("SOUK_BENCH_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "souk-bench")
	}
	dir = filepath.Join(dir, fmt.Sprintf("search-%d-%s", n, strings.ReplaceAll(searchsvc.Analyser, " ", "-")))
	whole := filepath.Join(dir, "whole")
	if _, err := os.Stat(whole); err != nil {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.MkdirAll(dir, 0o700))
	}
	var how built
	if _, err := os.Stat(whole); err != nil {
		how = build(t, c, n, dir)
		require.NoError(t, os.WriteFile(whole, nil, 0o600))
	}
	how.listings = n
	file, err := os.Stat(filepath.Join(dir, "search.db"))
	require.NoError(t, err)
	how.file = file.Size()
	b := benchIn(t, dir)
	require.NoError(t, b.db.Read(t.Context(), func(q store.Queryer) error {
		const words = "terms_a" // whose own tables FTS5 names after it
		if err := q.Get(&how.index, fmt.Sprintf(`SELECT (SELECT sum(length(block) + 12) FROM %[1]s_data) + (SELECT sum(length(sz) + 12) FROM %[1]s_docsize)`, words)); err != nil {
			return err
		}
		return q.Get(&how.shown, `SELECT sum(length(CAST(title AS BLOB)) + length(CAST(brand AS BLOB)) + length(CAST(description AS BLOB)) + length(image)) FROM listings_a`)
	}))
	return b, how
}

// benchIn is a search whose database is in dir.
func benchIn(t testing.TB, dir string) *bench {
	t.Helper()
	durable := storetest.With(func(o *store.Options) { o.NoSync = false })
	db := storetest.OpenAt(t, "search", dir, storetest.SQLite(), storetest.Once(), durable)
	b := &bench{db: db, log: storetest.Open(t, "feed", storetest.SQLite(), storetest.Once())}
	b.bus = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{catalog.Log: bus.LocalSource(b.log)}})
	b.Service = searchsvc.New(searchsvc.Config{DB: b.db, Bus: b.bus})
	return b
}

// build stores n listings, a thousand at a time.
func build(t testing.TB, c *corpus, n int, dir string) built {
	t.Helper()
	b := benchIn(t, dir)
	require.NoError(t, b.hear(t.Context(), c.events))
	const batch = 1000
	var how built
	for from := 0; from < n; from += batch {
		some := make([]catalog.ListingChanged, min(batch, n-from))
		for i := range some {
			some[i] = c.listing(from + i)
		}
		began, before := time.Now(), cpu()
		require.NoError(t, b.Put(t.Context(), some))
		how.took, how.worked = how.took+time.Since(began), how.worked+cpu()-before
	}
	require.NoError(t, b.db.Close())
	return how
}
