package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"souk/internal/catalog"
	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/search/searchsvc"
)

// explainIn is a search and a listing.
type explainIn struct {
	Text    string            `json:"text"`
	Listing catalog.ListingID `json:"listing"`
	Exact   bool              `json:"exact"`
	Filter  search.Filter     `json:"filter"`
	Sort    search.Sort       `json:"sort"`
}

func explaining() deed[explainIn, search.ExplainReply] {
	return deed[explainIn, search.ExplainReply]{name: "search.explain", about: of[explainIn]("search"), do: func(ctx context.Context, a *app, in explainIn, _ control.Say) (search.ExplainReply, error) {
		return a.search.Explain(ctx, search.ExplainRequest{By: byCommandLine(), Text: in.Text, Exact: in.Exact, Listing: in.Listing, Filter: in.Filter, Sort: &in.Sort})
	}}
}

func searchExplainCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain QUERY LISTING", Short: "Say why a listing stands where it does in what a search finds", Args: exactly(2),
		Long:    "Where the listing has each word, every part of its score, rules and corrections; or why it is not found.",
		Example: "  souk search explain 'desk lamp' " + string(exampleListing),
	}
	data := addData(cmd)
	exact := cmd.Flags().Bool("exact", false, "search for the text as it is, never for what was probably meant")
	narrow := addNarrowing(cmd)
	sort := cmd.Flags().String("sort", "", "the `order` of the results: price_up, price_down, newest, bestselling (default relevance)")
	asJSON := cmd.Flags().Bool("json", false, "write everything as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		listing, err := catalog.ListingIDs.Parse(args[1])
		if err != nil {
			return config.Mistakef("%s", err)
		}
		filter, err := narrow()
		if err != nil {
			return err
		}
		reply, err := explaining().ask(cmd.Context(), w, *data, explainIn{Text: args[0], Listing: listing, Exact: *exact, Filter: filter, Sort: search.Sort(*sort)})
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(w.stdout, reply)
		}
		return tellExplained(w.stdout, reply)
	}
	return cmd
}

// addNarrowing adds the filters of results, and returns what reads them.
func addNarrowing(cmd *cobra.Command) func() (search.Filter, error) {
	f := cmd.Flags()
	category := f.String("category", "", "only in the category with that `path`, and below")
	brands := f.StringArray("brand", nil, "only of that `brand`, or of any of several")
	sellers := f.StringArray("seller", nil, "only of the seller with that `id`, or of any of several")
	attrs := f.StringArray("attr", nil, "only with that `name:value`; several values of one name are alternatives")
	ranges := f.StringArray("range", nil, "only with numbers in that `name:range`, as in 'Weight:0.5..2 kg'")
	low := f.Int64("price-min", 0, "least price in `minor` units")
	high := f.Int64("price-max", 0, "highest price in `minor` units")
	currency := f.String("currency", "", "`currency` of the prices")
	stock := f.Bool("in-stock", false, "only what can be bought now")
	return func() (search.Filter, error) {
		out := search.Filter{Path: *category, Brands: *brands, Currency: money.Currency(*currency), InStock: *stock}
		for _, text := range *sellers {
			seller, err := catalog.SellerIDs.Parse(text)
			if err != nil {
				return out, config.Mistakef("--seller %s is not the id of a seller", text)
			}
			out.Sellers = append(out.Sellers, seller)
		}
		var err error
		if out.PriceMin, err = priceGiven(f, "price-min", low); err != nil {
			return out, err
		}
		if out.PriceMax, err = priceGiven(f, "price-max", high); err != nil {
			return out, err
		}
		var all []search.AttributeFilter
		for _, attr := range *attrs {
			name, value, found := strings.Cut(attr, ":")
			if !found {
				return out, config.Mistakef("--attr is written name:value, and not %q", attr)
			}
			all = append(all, search.AttributeFilter{Name: name, Values: []string{value}})
		}
		for _, one := range *ranges {
			name, text, _ := strings.Cut(one, ":")
			if _, ok := search.ParseRange(text); !ok {
				return out, config.Mistakef("--range is written name:least..most, with a unit if there is one, and not %q", one)
			}
			all = append(all, search.AttributeFilter{Name: name, Range: &text})
		}
		if len(all) > 0 {
			out.Attributes = &all
		}
		return out, nil
	}
}

// priceGiven is the price in a flag, or nil if it was not given.
func priceGiven(flags *pflag.FlagSet, name string, price *int64) (*int64, error) {
	switch {
	case !flags.Changed(name):
		return nil, nil //nolint:nilnil // no price is no mistake
	case *price < 0:
		return nil, config.Mistakef("--%s %d is less than nothing", name, *price)
	}
	return price, nil
}

// tellExplained writes an explanation for people.
func tellExplained(out io.Writer, e search.ExplainReply) error {
	var text strings.Builder
	if e.Corrected != "" {
		fmt.Fprintf(&text, "searched for %q instead\n", e.Corrected)
	}
	if e.Also != "" {
		fmt.Fprintf(&text, "searched for %q too, behind the rest\n", e.Also)
	}
	switch {
	case e.Place > 0:
		fmt.Fprintf(&text, "place %d of %d\n", e.Place, e.Total)
	case e.Found:
		fmt.Fprintf(&text, "found, far down among %d\n", e.Total)
	default:
		fmt.Fprintf(&text, "not found among %d: %s\n", e.Total, strings.Join(e.Missing, "; "))
	}
	if e.AnyWord {
		text.WriteString("no listing has all the words: any will do\n")
	}
	for _, r := range e.Rules {
		fmt.Fprintf(&text, "rule %s  %s\n", r.ID, searchsvc.RuleLine(r))
	}
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, word := range e.Words {
		said := "missing"
		if len(word.Has) > 0 {
			said = "has " + strings.Join(word.Has, ", ") + " in " + strings.Join(word.Fields, ", ")
		}
		_, _ = fmt.Fprintf(t, "word\t%s\t%s\n", word.Word, said) // Flush says what went wrong
	}
	for _, p := range e.Parts {
		_, _ = fmt.Fprintf(t, "score\t%s\t%+.3f\n", strings.TrimSpace(p.Name+" "+p.Word), float64(p.Score)/1000)
	}
	if len(e.Parts) > 0 {
		_, _ = fmt.Fprintf(t, "score\tin all\t%+.3f\n", float64(e.Score)/1000)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(out, text.String())
	return err
}
