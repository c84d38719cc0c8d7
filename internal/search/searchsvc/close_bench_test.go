package searchsvc_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/relevance"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
)

// BenchmarkLookingClosely says what it costs in relevance that only so many results are looked at
// closely, where there are five times as many listings as people judged: docs/benchmarks/search.md
// has the figures. What nobody judged pushes down what is right, so condensed figures count, and how
// many of the first ten are those of looking at all closely.
func BenchmarkLookingClosely(b *testing.B) {
	const listings, batch, all = 100_000, 1000, 1 << 30
	products := realProducts(b)
	c := newCorpus(b)
	c.events, c.listings = c.events[:0], c.listings[:0]
	for _, e := range products.events {
		if l, ok := e.(catalog.ListingChanged); ok {
			c.listings = append(c.listings, l)
		} else {
			c.events = append(c.events, e)
		}
	}
	s := newBench(b, nil, storetest.Once())
	require.NoError(b, s.hear(b.Context(), c.events))
	for from := 0; from < listings; from += batch {
		some := make([]catalog.ListingChanged, batch)
		for i := range some {
			some[i] = c.listing(from + i)
		}
		require.NoError(b, s.Put(b.Context(), some))
	}
	f := realFile(b, "judgements-dev.tsv")
	defer f.Close()
	judged, err := relevance.Read(f)
	require.NoError(b, err)
	first := map[string]map[catalog.ListingID]bool{} // of looking at all closely, by query
	for _, closely := range []int{all, 10_000, 5000, 2000, 1200, 600, 300} {
		b.Run(fmt.Sprint(closely), func(b *testing.B) {
			s.LookClosely(closely)
			var figures []relevance.Figures
			same, of, beyond := 0, 0, 0
			for range b.N {
				figures, same, of, beyond = nil, 0, 0, 0
				for _, j := range judged {
					reply, err := s.Query(b.Context(), search.QueryRequest{Text: j.Query, Page: pageOf(relevance.Deep)})
					require.NoError(b, err)
					if reply.Total > int64(closely) {
						beyond++
					}
					var ranking []string
					for i, hit := range reply.Hits {
						ranking = append(ranking, products.products[hit.Listing])
						switch {
						case i >= relevance.Top:
						case closely == all:
							if first[j.Query] == nil {
								first[j.Query] = map[catalog.ListingID]bool{}
							}
							first[j.Query][hit.Listing] = true
						default:
							if of++; first[j.Query][hit.Listing] {
								same++
							}
						}
					}
					if j.Relevant() {
						figures = append(figures, relevance.Measure(ranking, j))
					}
				}
			}
			mean := relevance.Mean(figures)
			b.ReportMetric(mean.NDCG, "nDCG")
			b.ReportMetric(mean.Condensed, "condensed")
			b.ReportMetric(mean.Recall, "recall")
			b.ReportMetric(float64(beyond), "beyond")
			if of > 0 {
				b.ReportMetric(float64(same)/float64(of), "same")
			}
		})
	}
}
