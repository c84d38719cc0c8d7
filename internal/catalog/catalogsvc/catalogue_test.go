package catalogsvc_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// catalogue is the real catalogue's feed. It is not part of the repo: it is looked for in
// SOUK_SHARED_DATA, or in ../shared/data beside the repo's root.
func catalogue(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SOUK_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, "icecat", "products.tsv.gz")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: the real catalogue is not at %s; set SOUK_SHARED_DATA to the folder that has icecat/products.tsv.gz", path)
	}
	return path
}

func TestTheRealCatalogueImportsWholeAndAgainWithoutChange(t *testing.T) {
	t.Parallel()
	path := catalogue(t)
	db := storetest.Open(t, "catalog", storetest.Once())
	s := catalogsvc.New(catalogsvc.Config{DB: db})
	report := &bytes.Buffer{}
	o := catalogsvc.ImportOptions{By: actor.System(""), CreateSellers: true, Report: report}

	first := importFile(t, s, path, o)
	t.Logf("imported: %+v", first)
	assert.Equal(t, int64(19_406), first.Rows)
	assert.Equal(t, int64(19_406), first.Created+first.Rejected)
	assert.Equal(t, int64(120), first.Sellers)
	assert.Equal(t, first.Rejected+first.Notes, int64(strings.Count(report.String(), "\n"))-1, "everything left out is in the report")
	assert.Less(t, first.Rejected, int64(200), "dirty, but not that dirty")
	assertSound(t, s)

	head := headOf(t, db)
	again := importFile(t, s, path, o)
	assert.Zero(t, again.Created)
	assert.Zero(t, again.Updated)
	assert.Equal(t, first.Created, again.Unchanged)
	assert.Equal(t, first.Rejected, again.Rejected)
	assert.Equal(t, head, headOf(t, db), "nothing changed, so nobody hears of it")

	var out, anew bytes.Buffer
	wrote, err := s.Export(t.Context(), &out, catalogsvc.ExportOptions{By: actor.System("")})
	require.NoError(t, err)
	assert.Equal(t, first.Created, wrote.Rows)
	other := catalogsvc.New(catalogsvc.Config{DB: storetest.Open(t, "catalog", storetest.Once())})
	back, err := other.Import(t.Context(), bytes.NewReader(out.Bytes()), catalogsvc.ImportOptions{By: actor.System(""), CreateSellers: true})
	require.NoError(t, err)
	assert.Equal(t, first.Created, back.Created)
	assert.Zero(t, back.Rejected)
	_, err = other.Export(t.Context(), &anew, catalogsvc.ExportOptions{By: actor.System("")})
	require.NoError(t, err)
	assert.Equal(t, sorted(out.String()), sorted(anew.String()), "what is exported is read back the same")
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func importFile(t testing.TB, s *catalogsvc.Service, path string, o catalogsvc.ImportOptions) catalogsvc.ImportResult {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	result, err := s.Import(t.Context(), f, o)
	require.NoError(t, err)
	return result
}

// headOf is the position of the last event.
func headOf(t testing.TB, db *store.DB) int64 {
	t.Helper()
	var head int64
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		return q.Get(&head, `SELECT head FROM event_log_state`)
	}))
	return head
}

// assertSound says that catalog finds nothing wrong within itself.
func assertSound(t testing.TB, s catalog.Service) {
	t.Helper()
	reply := whole(t, s.Audit)
	assert.Empty(t, reply.Problems)
}

// all is every listing, oldest first.
func all(t testing.TB, s catalog.Service) []catalog.Listing {
	t.Helper()
	var got []catalog.Listing
	for next := ""; ; {
		reply, err := s.ListListings(t.Context(), catalog.ListListingsRequest{By: actor.System(""), Page: page.Request{Cursor: next, Limit: 200}})
		require.NoError(t, err)
		got = append(got, reply.Listings...)
		if next = reply.Next; next == "" {
			return got
		}
	}
}

// BenchmarkImport is the rate at which products come in, without the search index.
func BenchmarkImport(b *testing.B) {
	path := catalogue(b)
	data, err := os.ReadFile(path)
	require.NoError(b, err)
	var rows int64
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		db := storetest.OpenAt(b, "catalog", dir, storetest.Once(), storetest.With(func(o *store.Options) { o.NoSync = false; o.Now = clock.Now }))
		s := catalogsvc.New(catalogsvc.Config{DB: db})
		b.StartTimer()
		result, err := s.Import(b.Context(), bytes.NewReader(data), catalogsvc.ImportOptions{By: actor.System(""), CreateSellers: true})
		require.NoError(b, err)
		rows += result.Rows
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "products/s")
}
