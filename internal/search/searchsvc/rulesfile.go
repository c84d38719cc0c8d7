package searchsvc

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/rules"
)

// whyImported is the reason of an import that gives none.
const whyImported = "import"

// ExportRules is all rules as a file.
func (s *Service) ExportRules(ctx context.Context, r search.ExportRulesRequest) (out search.ExportRulesReply, err error) {
	defer s.done("export_rules", &err)
	if err := mayRule(r.By); err != nil {
		return out, err
	}
	var all []search.Rule
	err = s.db.Read(ctx, func(q store.Queryer) (err error) {
		if all, err = selectRules(q); err != nil {
			return err
		}
		out.Edition, err = selectRulesEdition(q)
		return err
	})
	if err != nil {
		return search.ExportRulesReply{}, err
	}
	text := make([]byte, 0, 64*len(all))
	for _, rule := range all {
		text = append(append(text, rules.Line(rule)...), '\n')
	}
	out.Text, out.Rules, out.Fixed = string(text), int32(len(all)), s.fixed //nolint:gosec // MaxRules
	return out, nil
}

// ImportRules takes over the rules of a file, in one transaction and once per key.
func (s *Service) ImportRules(ctx context.Context, r search.ImportRulesRequest) (_ search.ImportRulesReply, err error) {
	defer s.done("import_rules", &err)
	if err := mayRule(r.By); err != nil {
		return search.ImportRulesReply{}, err
	}
	if !r.DryRun {
		if err := s.mayChangeRules(r.By); err != nil {
			return search.ImportRulesReply{}, err
		}
		var p errs.Problems
		checkAct(&p, r.Key, r.Why)
		if err := p.Err(search.ErrInvalid); err != nil {
			return search.ImportRulesReply{}, err
		}
	}
	asked, err := readRulesText(r.Text)
	if err != nil {
		return search.ImportRulesReply{}, err
	}
	var c importChange
	if r.DryRun {
		err = s.db.Read(ctx, func(q store.Queryer) (err error) {
			c, err = importChangeOf(q, asked, r.Replace, r.Edition)
			return err
		})
		return c.reply(), err
	}
	var out search.ImportRulesReply
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		text, _, err := tx.Once(store.Command{
			Owner: r.By.Owner(), Operation: "search.import_rules", Key: r.Key,
			Body: store.Hash([]any{r.Text, r.Replace, r.Edition, r.Why}), Until: tx.Now().Add(keysLive),
		}, func() (string, error) {
			if c, err = importChangeOf(tx, asked, r.Replace, r.Edition); err != nil {
				return "", err
			}
			if err := c.apply(tx, r.By, cmp.Or(r.Why, whyImported)); err != nil {
				return "", err
			}
			text, err := json.Marshal(c.reply())
			return string(text), err
		})
		if err != nil {
			return err
		}
		out = search.ImportRulesReply{}
		return json.Unmarshal([]byte(text), &out)
	})
	if err != nil {
		return search.ImportRulesReply{}, err
	}
	return out, nil
}

// AdoptRules makes the rules of a file the only ones. It is called before the module starts. If a line of the file is wrong
// the error names it, and nothing changes.
func (s *Service) AdoptRules(ctx context.Context, text string) (search.ImportRulesReply, error) {
	asked, err := readRulesText(text)
	if err != nil {
		return search.ImportRulesReply{}, err
	}
	var c importChange
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if c, err = importChangeOf(tx, asked, true, nil); err != nil {
			return err
		}
		return c.apply(tx, actor.System(""), whyImported)
	})
	s.adopted = err == nil
	return c.reply(), err
}

// warnOfOwnRules says so if rules apply that other processes do not have.
func (s *Service) warnOfOwnRules(ctx context.Context) error {
	if !s.part || s.adopted {
		return nil
	}
	all, err := s.readRules(ctx)
	if err == nil && len(all) > 0 {
		s.telemetry.Log.Warn().Int("rules", len(all)).Msg("rules of the search apply in this process alone: export them, and start every process with the file as --search-rules")
	}
	return err
}

// readRulesText reads the rules of a file, each once. If lines are wrong it says which, and why.
func readRulesText(text string) ([]search.Rule, error) {
	if len(text) > search.MaxRulesText {
		return nil, search.ErrInvalid.With("the rules have %d bytes and may have %d", len(text), search.MaxRulesText)
	}
	return rules.Read(text)
}

// importChange is what makes the rules that there are those of a file.
type importChange struct {
	there     []search.Rule
	edition   int64 // of there
	add, drop []search.Rule
	kept      int32
}

// importChangeOf is what makes there what is asked, if the rules are in that edition still; nil for any.
func importChangeOf(q store.Queryer, asked []search.Rule, replace bool, edition *int64) (c importChange, err error) {
	if c.there, err = selectRules(q); err != nil {
		return c, err
	}
	if c.edition, err = selectRulesEdition(q); err != nil {
		return c, err
	}
	if edition != nil && *edition != c.edition {
		return c, search.ErrVersion.With("the rules have changed meanwhile; look again")
	}
	c.differ(asked, replace)
	if n := len(c.there) - len(c.drop) + len(c.add); n > search.MaxRules && len(c.add) > 0 {
		return c, search.ErrRuleLimit.With("there would be %d rules, and no more than %d are kept", n, search.MaxRules)
	}
	return c, nil
}

// differ finds what makes there what is asked. A pin at another place takes its pin's or burial's place.
func (c *importChange) differ(asked []search.Rule, replace bool) {
	has, again := map[string]search.Rule{}, map[search.RuleID]bool{}
	for _, r := range c.there {
		if _, said := has[rules.Print(r)]; said { // made before they were known to say the same
			again[r.ID] = true
			continue
		}
		has[rules.Print(r)] = r
	}
	for _, r := range asked {
		was, ok := has[rules.Print(r)]
		delete(has, rules.Print(r))
		switch {
		case ok && rules.Line(was) == rules.Line(r), ok && r.Kind != search.RulePin && r.Kind != search.RuleBury:
			c.kept++
			continue
		case ok:
			c.drop = append(c.drop, was)
		}
		c.add = append(c.add, r)
	}
	for _, r := range c.there {
		if _, left := has[rules.Print(r)]; (left || again[r.ID]) && replace {
			c.drop = append(c.drop, r)
		}
	}
}

// after are the rules as they would be.
func (c *importChange) after() []search.Rule {
	all := slices.DeleteFunc(slices.Clone(c.there), func(r search.Rule) bool {
		return slices.ContainsFunc(c.drop, func(gone search.Rule) bool { return gone.ID == r.ID })
	})
	all = append(all, c.add...)
	slices.SortFunc(all, rules.Compare) // as they will be read
	return all
}

// apply does it.
func (c *importChange) apply(tx *store.Tx, by actor.Actor, why string) error {
	for _, r := range c.drop {
		if _, err := removeRule(tx, by, r.ID, why); err != nil {
			return err
		}
	}
	for _, r := range c.add {
		if _, err := putRule(tx, by, r, why); err != nil {
			return fmt.Errorf("import %q: %w", rules.Line(r), err)
		}
	}
	return nil
}

// reply says it. None are told as none, also in JSON.
func (c *importChange) reply() search.ImportRulesReply {
	return search.ImportRulesReply{Added: mapped(c.add, rules.Line), Removed: mapped(c.drop, rules.Line), Kept: c.kept}
}
