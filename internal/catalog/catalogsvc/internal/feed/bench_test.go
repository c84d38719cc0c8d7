package feed_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog/catalogsvc/internal/feed"
)

// made is a feed of rows that look like a real shop's.
func made(b *testing.B, format feed.Format, rows int) []byte {
	b.Helper()
	var out bytes.Buffer
	w, err := feed.NewWriter(&out, feed.WriterOptions{Format: format})
	require.NoError(b, err)
	for i := range rows {
		quantity := int64(i % 40)
		row := feed.Row{
			ID: fmt.Sprint(100000 + i), Title: fmt.Sprintf("Pavilion dv7-%d Notebook Silver 43.2 cm (17\") 1440 x 900 pixels", i),
			Description: strings.Repeat("Intel Core 2 Duo Processor P7450, 4GB DDR2, 250GB SATA HDD. ", 4),
			Link:        fmt.Sprintf("https://feeds.example/%d", i), ImageLink: fmt.Sprintf("http://images.example/img/%d.jpg", i),
			Availability: feed.InStock, Quantity: &quantity, Brand: "HP", GTIN: "4006381333931", Condition: feed.New,
			SellerID: fmt.Sprintf("seller-%03d", i%120), Color: "Silver",
		}
		row.Price.Minor, row.Price.Currency = int64(995+i), "USD"
		for d := range 12 {
			row.Details = append(row.Details, feed.Detail{Section: "specs", Name: fmt.Sprintf("property %d", d), Value: "some value"})
		}
		require.NoError(b, w.Write(row))
	}
	require.NoError(b, w.Close())
	return out.Bytes()
}

func readAll(b *testing.B, r io.Reader) (rows int) {
	b.Helper()
	f, err := feed.NewReader(r, feed.Options{})
	require.NoError(b, err)
	for {
		_, err := f.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			b.Fatal(err)
		}
		rows++
	}
}

func BenchmarkRead(b *testing.B) {
	const rows = 2000
	for _, format := range []feed.Format{feed.TSV, feed.CSV, feed.XML} {
		b.Run(string(format), func(b *testing.B) {
			text := made(b, format, rows)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				require.Equal(b, rows, readAll(b, bytes.NewReader(text)))
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkReadRealCatalogue(b *testing.B) {
	packed, err := os.Open(catalogue(b))
	require.NoError(b, err)
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	require.NoError(b, err)
	text, err := io.ReadAll(unpacked)
	require.NoError(b, err)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		require.Equal(b, 19406, readAll(b, bytes.NewReader(text)))
	}
	b.ReportMetric(float64(19406*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkWrite(b *testing.B) {
	const rows = 2000
	for _, format := range []feed.Format{feed.TSV, feed.XML} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				made(b, format, rows)
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
