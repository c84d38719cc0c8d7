package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"souk/internal/catalog"
	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/page"
	"souk/internal/platform/relevance"
	"souk/internal/search"
)

// evalOptions are what `souk search eval` is asked for.
type evalOptions struct {
	feed, judgements string
	typos            uint64 // seed of one slip in each query; 0 is none
	seeds            int    // how many seeds, from that one on
	closely          int    // listings of a query that are looked at closely; 0 is as always
	folds            int
	worst            int
	json             bool
}

// evalReport is how well search answers queries that people have judged.
type evalReport struct {
	Listings  int64             `json:"listings"`
	Queries   int               `json:"queries"`
	Counted   int               `json:"counted"` // those with a relevant result, which figures are of
	Mean      relevance.Figures `json:"mean"`
	Empty     float64           `json:"empty"`     // share of all queries without any result
	AnyWord   float64           `json:"any_word"`  // share of all queries with results for some of the words only
	Folds     []float64         `json:"folds"`     // nDCG of each part of the queries
	Deviation float64           `json:"deviation"` // of the parts, standard
	Results   []evalResult      `json:"results"`   // of each query, worst first
	Harmed    []string          `json:"harmed"`    // queries whose results are worse than with exactly what was typed
	Slips     *slipReport       `json:"slips,omitempty"`
}

// evalResult is how one query was answered.
type evalResult struct {
	Query string `json:"query"`
	Asked string `json:"asked"` // with its slip
	relevance.Figures
	Relevant  bool    `json:"relevant"` // some result would be
	Total     int64   `json:"total"`
	AnyWord   bool    `json:"any_word"`
	Corrected string  `json:"corrected"` // what was looked for instead
	Also      string  `json:"also"`      // and what behind it
	Exact     float64 `json:"exact"`     // nDCG of exactly what was typed
}

func searchEvalCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "eval --feed FEED --judgements FILE", Short: "Measure how well search answers queries that people have judged",
		Long: "Imports the feed into a marketplace of its own in a temporary folder, asks its search every query and\n" +
			"compares the results with the judgements: lines of query, id in the feed and grade (0 to 3), tabs between.\n\n" +
			"nDCG@10 has linear gain, over the queries that have a relevant result; condensed leaves out what nobody\n" +
			"judged; recall is the share of the relevant among the first 50. --folds divides the queries by lot and\n" +
			"shows how far the parts lie apart. --typos makes one slip of the fingers in every query; with --seeds it\n" +
			"does so by several lots, beside the queries as they are, and says what share of their nDCG is left.\n" +
			"Queries that answer worse than with exactly what was typed are named: a correction has to harm none.",
		Example: "  souk search eval --feed products.tsv.gz --judgements judgements.tsv\n" +
			"  souk search eval --feed products.tsv.gz --judgements judgements.tsv --typos 1 --json", Args: cobra.NoArgs,
	}
	var o evalOptions
	f := cmd.Flags()
	f.StringVar(&o.feed, "feed", "", "product feed `FILE`, as for souk import")
	f.StringVar(&o.judgements, "judgements", "", "`FILE` with query, id and grade a line")
	f.Uint64Var(&o.typos, "typos", 0, "make one slip in every query, by the lot of this `SEED`")
	f.IntVar(&o.seeds, "seeds", 1, "with --typos: by so many lots")
	f.IntVar(&o.closely, "close", 0, "look closely at so many listings of a query, to see what that changes")
	f.IntVar(&o.folds, "folds", 5, "how many parts the queries are divided into")
	f.IntVar(&o.worst, "worst", 15, "how many of the worst queries are shown")
	f.BoolVar(&o.json, "json", false, "write everything as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.feed == "" || o.judgements == "" {
			return config.Mistakef("--feed and --judgements name the files to measure with")
		}
		if o.folds < 1 || o.worst < 0 || o.closely < 0 {
			return config.Mistakef("--folds is 1 at least, --worst and --close 0")
		}
		if o.seeds < 1 || o.seeds > 1 && o.typos == 0 {
			return config.Mistakef("--seeds is 1 at least, and more with --typos only")
		}
		report, err := w.evaluate(cmd.Context(), o)
		if err != nil {
			return err
		}
		if o.json {
			return writeJSON(w.stdout, report)
		}
		return report.print(w.stdout, o)
	}
	return cmd
}

// evaluate measures on a marketplace that is made for it and thrown away.
func (w *world) evaluate(ctx context.Context, o evalOptions) (report evalReport, err error) {
	judged, err := readJudgements(o.judgements)
	if err != nil {
		return report, err
	}
	feed, err := filepath.Abs(o.feed)
	if err != nil {
		return report, fmt.Errorf("find the feed: %w", err)
	}
	dir, err := os.MkdirTemp("", "souk-eval-*")
	if err != nil {
		return report, fmt.Errorf("make a folder to measure in: %w", err)
	}
	defer closing(&err, func() error { return os.RemoveAll(dir) })
	aside := &world{getenv: func(string) string { return "" }, stderr: w.stderr} // never the database that is set
	a, err := aside.openAppWith(ctx, dir, wireOptions{closely: o.closely})
	if err != nil {
		return report, err
	}
	defer closing(&err, a.close)
	result, err := importFeed(ctx, a, importIn{Path: feed, Create: true}, control.Say(func(string, ...any) {}))
	if err != nil {
		return report, fmt.Errorf("import the feed: %w", err)
	}
	report.Listings = result.Created
	var slip uint64
	if o.seeds == 1 {
		slip = o.typos
	}
	for _, j := range judged {
		answer, err := a.judge(ctx, j, slip)
		if err != nil {
			return report, err
		}
		report.Results = append(report.Results, answer)
	}
	report.sum(o.folds)
	if o.seeds > 1 {
		report.Slips, err = a.slips(ctx, judged, report, o)
	}
	return report, err
}

func readJudgements(path string) (judged []relevance.Judged, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the judgements: %w", err)
	}
	defer closing(&err, file.Close)
	judged, err = relevance.Read(file)
	if err == nil && len(judged) == 0 {
		err = errors.New("there are none")
	}
	if err != nil {
		return nil, fmt.Errorf("read the judgements: %w", err)
	}
	return judged, nil
}

// judge asks one query and measures what comes.
func (a *app) judge(ctx context.Context, j relevance.Judged, typos uint64) (evalResult, error) {
	result := evalResult{Query: j.Query, Asked: j.Query, Relevant: j.Relevant()}
	if typos > 0 {
		result.Asked = relevance.Typo(j.Query, typos)
	}
	reply, err := a.measured(ctx, search.QueryRequest{Text: result.Asked}, j, &result.Figures)
	if err != nil {
		return result, err
	}
	result.Total, result.AnyWord, result.Corrected, result.Also = reply.Total, reply.AnyWord, reply.Corrected, reply.Also
	exact := true
	var typed relevance.Figures
	_, err = a.measured(ctx, search.QueryRequest{Text: result.Asked, Exact: &exact}, j, &typed)
	result.Exact = typed.NDCG
	return result, err
}

// measured asks for as many results as are measured, and measures them.
func (a *app) measured(ctx context.Context, r search.QueryRequest, j relevance.Judged, to *relevance.Figures) (search.QueryReply, error) {
	r.Page = page.Request{Limit: relevance.Deep}
	reply, err := a.ask.search.Query(ctx, r)
	if err != nil {
		return reply, fmt.Errorf("ask for %q: %w", r.Text, err)
	}
	ids := make([]catalog.ListingID, 0, len(reply.Hits))
	for _, hit := range reply.Hits {
		ids = append(ids, hit.Listing)
	}
	listings, err := a.ask.catalog.GetListings(ctx, catalog.GetListingsRequest{By: byCommandLine(), IDs: ids})
	if err != nil {
		return reply, fmt.Errorf("read what was found for %q: %w", r.Text, err)
	}
	ranking := make([]string, 0, len(ids))
	for _, listing := range listings.Listings { // in the order asked for
		ranking = append(ranking, listing.ExternalID)
	}
	*to = relevance.Measure(ranking, j)
	return reply, nil
}

// sum fills in what is of all queries.
func (r *evalReport) sum(folds int) {
	var counted []relevance.Figures
	empty, some := 0, 0
	for _, result := range r.Results {
		if result.Relevant {
			counted = append(counted, result.Figures)
		}
		if result.Total == 0 {
			empty++
		}
		if result.AnyWord {
			some++
		}
		if result.NDCG < result.Exact {
			r.Harmed = append(r.Harmed, result.Asked)
		}
	}
	r.Queries, r.Counted, r.Mean = len(r.Results), len(counted), relevance.Mean(counted)
	r.Empty, r.AnyWord = float64(empty)/float64(r.Queries), float64(some)/float64(r.Queries)
	const lot = 1
	squares := 0.0
	for _, fold := range relevance.Folds(len(counted), folds, lot) {
		var part []relevance.Figures
		for _, i := range fold {
			part = append(part, counted[i])
		}
		mean := relevance.Mean(part).NDCG
		r.Folds = append(r.Folds, mean)
		squares += (mean - r.Mean.NDCG) * (mean - r.Mean.NDCG)
	}
	r.Deviation = math.Sqrt(squares / float64(len(r.Folds)))
	slices.SortStableFunc(r.Results, func(a, b evalResult) int {
		if a.Relevant != b.Relevant {
			return cmp.Compare(b2i(b.Relevant), b2i(a.Relevant))
		}
		return cmp.Compare(a.NDCG, b.NDCG)
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *evalReport) print(out io.Writer, o evalOptions) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d listings, %d queries, of which %d have a relevant result", r.Listings, r.Queries, r.Counted)
	if o.typos > 0 {
		fmt.Fprintf(&b, "; one slip in each (seed %d)", o.typos)
	}
	fmt.Fprintf(&b, "\n\nnDCG@10     %.4f\ncondensed   %.4f\nrecall@50   %.4f\nempty       %.1f%%\nany word    %.1f%%\n",
		r.Mean.NDCG, r.Mean.Condensed, r.Mean.Recall, 100*r.Empty, 100*r.AnyWord)
	fmt.Fprintf(&b, "%d parts    ", len(r.Folds))
	for _, mean := range r.Folds {
		fmt.Fprintf(&b, " %.3f", mean)
	}
	fmt.Fprintf(&b, "  (± %.3f)\n\n", r.Deviation)
	table := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "worst queries\tnDCG\tcondensed\trecall\tresults\t") // a Builder takes everything
	for _, result := range r.Results[:min(o.worst, len(r.Results))] {
		if !result.Relevant {
			break
		}
		note := ""
		if result.AnyWord {
			note = "any word"
		}
		_, _ = fmt.Fprintf(table, "%s\t%.3f\t%.3f\t%.3f\t%d\t%s\n", result.Asked, result.NDCG, result.Condensed, result.Recall, result.Total, note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(r.Harmed) > 0 {
		fmt.Fprintf(&b, "\nbetter exactly as typed: %s\n", strings.Join(r.Harmed, ", "))
	}
	if r.Slips != nil {
		if err := r.Slips.print(&b, o); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
