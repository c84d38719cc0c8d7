package feed_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog/catalogsvc/internal/feed"
)

// catalogue finds the real catalogue, which is not part of this repository.
func catalogue(t testing.TB) string {
	t.Helper()
	shared := os.Getenv("SOUK_SHARED_DATA")
	if shared == "" {
		dir, err := os.Getwd()
		require.NoError(t, err)
		for !exists(filepath.Join(dir, "go.mod")) {
			require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
			dir = filepath.Dir(dir)
		}
		shared = filepath.Join(dir, "..", "shared", "data")
	}
	file := filepath.Join(shared, "icecat", "products.tsv.gz")
	if !exists(file) {
		t.Skipf("the real catalogue is not at %s: put shared/data beside the repository, or name it in SOUK_SHARED_DATA", file)
	}
	return file
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// The whole of the real catalogue can be used; what is dirty about it is noted.
func TestTheRealCatalogueIsReadWhole(t *testing.T) {
	t.Parallel()
	file, err := os.Open(catalogue(t))
	require.NoError(t, err)
	defer file.Close()
	r, err := feed.NewReader(file, feed.Options{})
	require.NoError(t, err)
	assert.Equal(t, feed.TSV, r.Format())
	assert.Empty(t, r.Ignored())

	var rows, details, soldOut int
	var rejected []*feed.RowError
	warnings := map[string]int{}
	sellers, ids := map[string]bool{}, map[string]bool{}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *feed.RowError
		if errors.As(err, &bad) {
			rejected = append(rejected, bad)
			continue
		}
		require.NoError(t, err)
		rows++
		details += len(row.Details)
		sellers[row.SellerID], ids[row.ID] = true, true
		for _, w := range row.Warnings {
			warnings[w.Column+" "+w.Reason]++
		}
		if row.Availability == feed.OutOfStock {
			soldOut++
		}
		if row.Price.Currency != "USD" || len(row.Attributes) > 0 {
			t.Errorf("line %d is not as in this catalogue: %+v", row.Line, row)
		}
	}
	assert.Empty(t, rejected)
	assert.Equal(t, 19406, rows)
	assert.Len(t, ids, 19406)
	assert.Len(t, sellers, 120)
	assert.Equal(t, 415, soldOut)
	t.Logf("%d details, warnings: %v", details, warnings)
}
