package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/search"
	"souk/internal/search/searchsvc"
)

func previewingRule() deed[ruleIn, search.PreviewReply] {
	return deed[ruleIn, search.PreviewReply]{name: "search.rules.preview", about: of[ruleIn]("search"), do: func(ctx context.Context, a *app, in ruleIn, _ control.Say) (search.PreviewReply, error) {
		r := search.PreviewRequest{By: byCommandLine(), Remove: in.Rule}
		if in.Rule == "" {
			rule, err := searchsvc.ReadRuleLine(in.Text)
			if err != nil {
				return search.PreviewReply{}, err
			}
			r.Rule = &rule
		}
		return a.search.Preview(ctx, r)
	}}
}

func previewingRules() deed[ruleIn, search.PreviewImportReply] {
	return deed[ruleIn, search.PreviewImportReply]{name: "search.rules.preview_file", about: of[ruleIn]("search"), do: func(ctx context.Context, a *app, in ruleIn, _ control.Say) (search.PreviewImportReply, error) {
		return a.search.PreviewImport(ctx, search.PreviewImportRequest{By: byCommandLine(), Text: in.Text, Replace: in.Replace})
	}}
}

func rulesPreviewCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "preview [RULE]", Short: "Say what a rule, written as in a file, or a file of them would move; nothing is changed",
		Long: "Compares the first ten results as they are with what they would be: of the texts that the rule names, and of those among\n" +
			"the 200 most frequent searches of the last 30 days whose first page changes, at most 20. With --file it is about all that an\n" +
			"import of the file would change; of the texts that its rules name, those are told whose first page changes, at most 20. No more\n" +
			"than 200 of them are looked at, and none after the 20th that changes; it says how many were.",
		Example: "  souk search rules preview 'same: sofa, couch'\n  souk search rules preview --remove rul_01k5xk3v8dtq6c9m4j0e7r2a1b\n  souk search rules preview --file rules.txt --replace",
		Args:    cobra.MaximumNArgs(1),
	}
	data := addData(cmd)
	remove := cmd.Flags().String("remove", "", "instead of a new rule: the rule with that `id` taken away")
	file := cmd.Flags().String("file", "", "instead of a rule: the `file` that would be imported; - is standard input")
	replace := cmd.Flags().Bool("replace", false, "with --file: also without the rules that are not in it")
	asJSON := cmd.Flags().Bool("json", false, "write everything as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in := ruleIn{Rule: search.RuleID(*remove), Replace: *replace}
		said := len(args)
		for _, flag := range []string{*remove, *file} {
			if flag != "" {
				said++
			}
		}
		switch {
		case said != 1:
			return config.Mistakef("say the rule that would be added, or with --remove the id of one that would go, or with --file a file of rules")
		case *replace && *file == "":
			return config.Mistakef("--replace goes with --file")
		case *file != "":
			return previewFile(cmd.Context(), w, *data, *file, in, *asJSON)
		case len(args) == 1:
			in.Text = args[0]
		default:
			if _, err := search.RuleIDs.Parse(*remove); err != nil {
				return config.Mistakef("%s", err)
			}
		}
		reply, err := previewingRule().ask(cmd.Context(), w, *data, in)
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(w.stdout, reply)
		}
		return tellPreview(w.stdout, reply)
	}
	return cmd
}

// previewFile says what an import of a file would change and move.
func previewFile(ctx context.Context, w *world, data, file string, in ruleIn, asJSON bool) error {
	text, err := readRules(w, file)
	if err != nil {
		return err
	}
	in.Text = text
	reply, err := previewingRules().ask(ctx, w, data, in)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(w.stdout, reply)
	}
	if err := tellImported(w.stdout, search.ImportRulesReply{Added: reply.Added, Removed: reply.Removed, Kept: reply.Kept}, true); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w.stdout, "of %d texts that these rules name %d were looked at\n", reply.Named, reply.Tried); err != nil {
		return err
	}
	return tellMoved(w.stdout, reply.Moved)
}

// tellPreview writes for people what a rule would move.
func tellPreview(out io.Writer, r search.PreviewReply) error {
	if _, err := fmt.Fprintf(out, "%s\n", searchsvc.RuleLine(r.Rule)); err != nil {
		return err
	}
	return tellMoved(out, r)
}

// tellMoved writes a comparison for people.
func tellMoved(out io.Writer, r search.PreviewReply) error {
	var text strings.Builder
	fmt.Fprintf(&text, "of the %d most frequent searches since %s the first page of %d changes; nothing is changed yet\n", r.Asked, r.Since.Std().UTC().Format("2006-01-02"), r.Differ)
	for _, one := range r.Texts {
		fmt.Fprintf(&text, "\n%q", one.Text)
		if one.Searches > 0 {
			fmt.Fprintf(&text, ", searched for %d times", one.Searches)
		}
		fmt.Fprintf(&text, ": %d found, then %d\n", one.Before.Total, one.After.Total)
		if !one.Differs {
			text.WriteString("  nothing moves on the first page\n")
			continue
		}
		if one.Before.Corrected != one.After.Corrected {
			fmt.Fprintf(&text, "  corrected to %q, then %q\n", one.Before.Corrected, one.After.Corrected)
		}
		t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		for _, h := range one.After.Hits {
			_, _ = fmt.Fprintf(t, "  %d\t%s\t%s\t%s\n", h.Place, comesFrom(h), h.Listing, h.Title) // Flush says what went wrong
		}
		for _, h := range one.Before.Hits {
			if h.Other == 0 || int(h.Other) > search.PreviewHits {
				_, _ = fmt.Fprintf(t, "  -\t%s\t%s\t%s\n", goesTo(h), h.Listing, h.Title)
			}
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// comesFrom is where a result was before.
func comesFrom(h search.PreviewedHit) string {
	switch {
	case h.Other == 0:
		return "new"
	case h.Other == h.Place:
		return "="
	default:
		return fmt.Sprintf("was %d", h.Other)
	}
}

// goesTo is where a result is that is not on the first page any more.
func goesTo(h search.PreviewedHit) string {
	if h.Other == 0 {
		return "gone"
	}
	return fmt.Sprintf("now %d", h.Other)
}
