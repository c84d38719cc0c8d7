package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"souk/internal/catalog"
	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/id"
	"souk/internal/search"
	"souk/internal/search/searchsvc"
)

// ruleIn is what a command about the rules of the search says.
type ruleIn struct {
	Text    string        `json:"text"` // a rule, or a file of them
	Rule    search.RuleID `json:"rule"`
	Why     string        `json:"why"`
	Replace bool          `json:"replace"`
	DryRun  bool          `json:"dry_run"`
}

// ruleLine is a rule as a list shows it.
type ruleLine struct {
	ID   search.RuleID `json:"id"`
	Line string        `json:"line"`
}

func exportingRules() deed[none, []ruleLine] {
	return deed[none, []ruleLine]{name: "search.rules.list", about: of[none]("search"), do: func(ctx context.Context, a *app, _ none, _ control.Say) ([]ruleLine, error) {
		all := []ruleLine{}
		r := search.ListRulesRequest{By: byCommandLine()}
		r.Page.Limit = 500
		for {
			reply, err := a.search.ListRules(ctx, r)
			if err != nil {
				return nil, err
			}
			for _, rule := range reply.Rules {
				all = append(all, ruleLine{ID: rule.ID, Line: searchsvc.RuleLine(rule)})
			}
			if r.Page.Cursor = reply.Next; r.Page.Cursor == "" {
				return all, nil
			}
		}
	}}
}

func importingRules() deed[ruleIn, search.ImportRulesReply] {
	return deed[ruleIn, search.ImportRulesReply]{name: "search.rules.import", about: of[ruleIn]("search"), do: func(ctx context.Context, a *app, in ruleIn, _ control.Say) (search.ImportRulesReply, error) {
		return a.search.ImportRules(ctx, search.ImportRulesRequest{By: byCommandLine(), Key: id.New("rli_"), Text: in.Text, Replace: in.Replace, DryRun: in.DryRun})
	}}
}

func addingRule() deed[ruleIn, ruleLine] {
	return deed[ruleIn, ruleLine]{name: "search.rules.add", about: of[ruleIn]("search"), do: func(ctx context.Context, a *app, in ruleIn, _ control.Say) (ruleLine, error) {
		rule, err := a.search.AddRule(ctx, byCommandLine(), id.New("rla_"), in.Text, in.Why)
		return ruleLine{ID: rule.ID, Line: searchsvc.RuleLine(rule)}, err
	}}
}

func removingRule() deed[ruleIn, ruleLine] {
	return deed[ruleIn, ruleLine]{name: "search.rules.remove", about: of[ruleIn]("search"), do: func(ctx context.Context, a *app, in ruleIn, _ control.Say) (ruleLine, error) {
		reply, err := a.search.RemoveRule(ctx, search.RemoveRuleRequest{By: byCommandLine(), Key: id.New("rlr_"), Rule: in.Rule, Why: in.Why})
		return ruleLine{ID: reply.Rule.ID, Line: searchsvc.RuleLine(reply.Rule)}, err
	}}
}

func rulesCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rules", Short: "Tell the search about words and places",
		Long: `Rules are written one a line; what follows a # does not count:

  same: notebook, laptop, portable computer         who searches for one finds all
  also: tv > television, flat screen                who searches for tv finds these too
  pin: desk lamp > lst_01k5xk3v8dtq6c9m4j0e7r2a1b at 1   that listing comes first
  bury: desk lamp > lst_01k5xk3v8dtq6c9m4j0e7r2a1b       that listing comes last
  stop: the                                         the word does not count beside others`,
		Example: "  souk search rules preview 'same: sofa, couch'\n  souk search rules add 'same: sofa, couch'\n  souk search rules export > rules.txt\n  souk search rules import rules.txt --dry-run",
	}
	cmd.AddCommand(rulesListCommand(w), rulesExportCommand(w), rulesImportCommand(w), rulesAddCommand(w), rulesRemoveCommand(w), rulesPreviewCommand(w))
	return cmd
}

func rulesListCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the rules with their ids", Example: "  souk search rules list\n  souk search rules list --json", Args: cobra.NoArgs}
	data := addData(cmd)
	asJSON := cmd.Flags().Bool("json", false, "write them as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := exportingRules().ask(cmd.Context(), w, *data, none{})
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(w.stdout, all)
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(w.stdout, "no rules")
			return err
		}
		t := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		for _, r := range all {
			_, _ = fmt.Fprintf(t, "%s\t%s\n", r.ID, r.Line) // Flush says what went wrong
		}
		return t.Flush()
	}
	return cmd
}

func rulesExportCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{Use: "export", Short: "Write the rules as a file that import reads", Example: "  souk search rules export > rules.txt", Args: cobra.NoArgs}
	data := addData(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := exportingRules().ask(cmd.Context(), w, *data, none{})
		if err != nil {
			return err
		}
		for _, r := range all {
			if _, err := fmt.Fprintln(w.stdout, r.Line); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func rulesImportCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take over the rules of a file; - is standard input", Args: exactly(1),
		Long:    "Rules that are there already stay as they are. If a line is wrong, nothing is changed.",
		Example: "  souk search rules import rules.txt --dry-run\n  souk search rules import rules.txt --replace",
	}
	data := addData(cmd)
	replace := cmd.Flags().Bool("replace", false, "also remove the rules that are not in the file")
	dry := cmd.Flags().Bool("dry-run", false, "say what would change, and change nothing")
	asJSON := cmd.Flags().Bool("json", false, "write what changed as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := readRules(w, args[0])
		if err != nil {
			return err
		}
		done, err := importingRules().ask(cmd.Context(), w, *data, ruleIn{Text: text, Replace: *replace, DryRun: *dry})
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(w.stdout, done)
		}
		return tellImported(w.stdout, done, *dry)
	}
	return cmd
}

func readRules(w *world, name string) (string, error) {
	from := w.stdin
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the file that was asked for
		if err != nil {
			return "", err
		}
		defer f.Close() //nolint:errcheck // only read
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, search.MaxRulesText+1))
	if err == nil && len(text) > search.MaxRulesText {
		err = fmt.Errorf("%s has more than %d MB", name, search.MaxRulesText>>20)
	}
	return string(text), err
}

// adoptRules has the search take over the rules of a file, if one is named and the search is here.
func (a *app) adoptRules(ctx context.Context, w *world, name string) error {
	if name == "" || a.search == nil {
		return nil
	}
	text, err := readRules(w, name)
	if err != nil {
		return fmt.Errorf("read the rules of the search: %w", err)
	}
	done, err := a.search.AdoptRules(ctx, text)
	if err != nil {
		return fmt.Errorf("--search-rules %s: %w", name, err)
	}
	a.tel.Log.Info().Str("file", name).Int("added", len(done.Added)).Int("removed", len(done.Removed)).Int32("kept", done.Kept).Msg("rules of the search are those of the file")
	return nil
}

func tellImported(out io.Writer, done search.ImportRulesReply, dry bool) error {
	var text strings.Builder
	for _, line := range done.Removed {
		text.WriteString("- " + line + "\n")
	}
	for _, line := range done.Added {
		text.WriteString("+ " + line + "\n")
	}
	verb := "%d added, %d removed, %d were there\n"
	if dry {
		verb = "%d would be added, %d removed, %d are there; nothing is changed\n"
	}
	fmt.Fprintf(&text, verb, len(done.Added), len(done.Removed), done.Kept)
	_, err := io.WriteString(out, text.String())
	return err
}

func rulesAddCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "add RULE", Short: "Add a rule, written as in a file", Args: exactly(1),
		Example: "  souk search rules add 'same: sofa, couch'\n  souk search rules add 'pin: desk lamp > " + string(exampleListing) + " at 1' --why 'campaign'",
	}
	data, why := addData(cmd), addWhy(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		rule, err := addingRule().ask(cmd.Context(), w, *data, ruleIn{Text: args[0], Why: *why})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "%s  %s\n", rule.ID, rule.Line)
		return err
	}
	return cmd
}

const exampleListing catalog.ListingID = "lst_01k5xk3v8dtq6c9m4j0e7r2a1b"

func rulesRemoveCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove ID", Short: "Remove the rule with that id", Args: exactly(1),
		Example: "  souk search rules remove rul_01k5xk3v8dtq6c9m4j0e7r2a1b --why 'campaign is over'",
	}
	data, why := addData(cmd), addWhy(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := search.RuleIDs.Parse(args[0]); err != nil {
			return config.Mistakef("%s", err)
		}
		rule, err := removingRule().ask(cmd.Context(), w, *data, ruleIn{Rule: search.RuleID(args[0]), Why: *why})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "removed: %s\n", rule.Line)
		return err
	}
	return cmd
}
