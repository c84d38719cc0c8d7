package spelling_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// icecat opens a file of the real catalogue. The test is skipped where that is not at hand.
func icecat(t *testing.T, name string) *os.File {
	t.Helper()
	folder := os.Getenv("SOUK_SHARED_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(folder, "icecat", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the real catalogue is not here: put shared/data beside the repository, or name it in SOUK_SHARED_DATA")
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return f
}

// plain are the words of a text, as plainly as can be.
func plain(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// realShop is the titles and brands of the real catalogue.
func realShop(t *testing.T) *shop {
	t.Helper()
	z, err := gzip.NewReader(icecat(t, "products.tsv.gz"))
	require.NoError(t, err)
	r := csv.NewReader(z)
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = '\t', -1, true
	s := newShop()
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s
		}
		require.NoError(t, err)
		s.add(plain(row[1]+" "+row[7]+" "+row[10]), plain(row[2]+" "+row[12]))
	}
}

// realQueries are the rated queries.
func realQueries(t *testing.T) []string {
	t.Helper()
	var out []string
	lines := bufio.NewScanner(icecat(t, "judgements-dev.tsv"))
	for lines.Scan() {
		query, _, _ := strings.Cut(lines.Text(), "\t")
		if n := len(out); n == 0 || out[n-1] != query {
			out = append(out, query)
		}
	}
	require.NoError(t, lines.Err())
	return out[1:]
}

func TestRealQueriesWithOneSlip(t *testing.T) {
	t.Parallel()
	s, queries := realShop(t), realQueries(t)
	t.Logf("%d words of %d listings can be offered, %d queries", s.Len(), s.all, len(queries))
	const seed = 20
	r := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // a test that can be repeated
	asked, right, nothing := 0, 0, 0
	for range 20 {
		for _, query := range queries {
			if count(s.with, plain(query)) == 0 {
				continue // nothing has all its words even when they are right
			}
			typed := edited(r, query)
			if count(s.with, plain(typed)) > 0 {
				continue // that is another query
			}
			asked++
			switch meant := s.meant(strings.Join(plain(typed), " ")); meant {
			case strings.Join(plain(query), " "):
				right++
			case "":
				nothing++
			}
		}
	}
	t.Logf("seed %d: %d queries with a slip that nothing matches: %d mended, %d mended otherwise, %d left", seed, asked, right, asked-right-nothing, nothing)
	assert.GreaterOrEqual(t, float64(right)/float64(asked), .7)
}

func TestRealQueriesThatMatchNothingAreMendedSensibly(t *testing.T) {
	t.Parallel()
	s := realShop(t)
	mended := map[string]string{}
	for _, query := range realQueries(t) {
		if count(s.with, plain(query)) == 0 {
			mended[query] = s.meant(strings.Join(plain(query), " "))
		}
	}
	t.Log(mended)
	assert.LessOrEqual(t, len(mended), 8)
}
