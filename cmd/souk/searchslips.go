package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"souk/internal/platform/relevance"
)

// slipReport is what slips of the fingers leave of the results.
type slipReport struct {
	Seeds []slipSeed   `json:"seeds"`
	Left  float64      `json:"left"`  // mean share of the nDCG of the queries as they are
	Empty float64      `json:"empty"` // mean share of queries without any result
	Long  float64      `json:"long"`  // Left of the queries that have a word of four letters or more, on which the slip falls
	Lost  []evalResult `json:"lost"`  // queries with a slip that lost, those that lost most first
	clean map[string]float64
}

// slipSeed is one slip in each query, by one lot.
type slipSeed struct {
	Seed  uint64  `json:"seed"`
	NDCG  float64 `json:"ndcg"`
	Left  float64 `json:"left"`
	Empty float64 `json:"empty"`
}

// slips asks every query with a slip, by one lot after the other.
func (a *app) slips(ctx context.Context, judged []relevance.Judged, clean evalReport, o evalOptions) (*slipReport, error) {
	r := &slipReport{clean: map[string]float64{}}
	for _, result := range clean.Results {
		r.clean[result.Query] = result.NDCG
	}
	var long, cleanLong float64
	for i := range o.seeds {
		seed := o.typos + uint64(i) //nolint:gosec // not negative
		var one evalReport
		for _, j := range judged {
			answer, err := a.judge(ctx, j, seed)
			if err != nil {
				return nil, err
			}
			one.Results = append(one.Results, answer)
			if answer.Relevant && relevance.HasLong(j.Query) {
				long, cleanLong = long+answer.NDCG, cleanLong+r.clean[j.Query]
			}
			if answer.Relevant && answer.NDCG < r.clean[j.Query] {
				r.Lost = append(r.Lost, answer)
			}
		}
		one.sum(o.folds)
		s := slipSeed{Seed: seed, NDCG: one.Mean.NDCG, Empty: one.Empty}
		if clean.Mean.NDCG > 0 {
			s.Left = s.NDCG / clean.Mean.NDCG
		}
		r.Seeds = append(r.Seeds, s)
		r.Left, r.Empty = r.Left+s.Left/float64(o.seeds), r.Empty+s.Empty/float64(o.seeds)
	}
	if cleanLong > 0 {
		r.Long = long / cleanLong
	}
	slices.SortStableFunc(r.Lost, func(a, b evalResult) int { return cmp.Compare(r.loss(b), r.loss(a)) })
	return r, nil
}

// loss is how much of its nDCG a query lost.
func (r *slipReport) loss(result evalResult) float64 { return r.clean[result.Query] - result.NDCG }

func (r *slipReport) print(out io.Writer, o evalOptions) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "\none slip in each, seed\tnDCG\tof clean\tempty") // what is wrong with out, Flush says
	for _, s := range r.Seeds {
		_, _ = fmt.Fprintf(table, "%d\t%.4f\t%.1f%%\t%.1f%%\n", s.Seed, s.NDCG, 100*s.Left, 100*s.Empty)
	}
	_, _ = fmt.Fprintf(table, "mean\t\t%.1f%%\t%.1f%%\n", 100*r.Left, 100*r.Empty)
	_, _ = fmt.Fprintf(table, "with a word of %d letters\t\t%.1f%%\t\n", relevance.Long, 100*r.Long)
	_, _ = fmt.Fprintln(table, "\nlost most\tof\tfound for\tresults\tnDCG\twas")
	for _, result := range r.Lost[:min(o.worst, len(r.Lost))] {
		found := cmp.Or(result.Corrected, result.Asked)
		if result.Also != "" {
			found += ", then " + result.Also
		}
		if result.AnyWord {
			found += " (any word)"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%.3f\t%.3f\n", result.Asked, result.Query, found, result.Total, result.NDCG, r.clean[result.Query])
	}
	return table.Flush()
}
