package searchsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/rules"
)

// Bounds of lists of rules.
const usualRules, maxRulesPage = 50, 500

// mayRule says whether by may see and change rules.
func mayRule(by actor.Actor) error {
	if !by.IsOperator() && !by.IsSystem() {
		return search.ErrForbidden.With("rules of the search are for operators")
	}
	return nil
}

// ListRules pages through rules.
func (s *Service) ListRules(ctx context.Context, r search.ListRulesRequest) (_ search.ListRulesReply, err error) {
	defer s.done("list_rules", &err)
	if err := mayRule(r.By); err != nil {
		return search.ListRulesReply{}, err
	}
	var last rules.Spot
	hash := []any{"rules", r.Kind, r.Text}
	more, err := r.Page.After(hash, &last)
	if err != nil {
		return search.ListRulesReply{}, err
	}
	all, err := s.readRules(ctx)
	if err != nil {
		return search.ListRulesReply{}, err
	}
	all = slices.DeleteFunc(all, func(one search.Rule) bool {
		return r.Kind != "" && one.Kind != r.Kind || r.Text != "" && !rules.Has(one, r.Text)
	})
	reply := search.ListRulesReply{Total: int64(len(all)), Fixed: s.fixed}
	// There are few enough to be read at once; a page goes on after where the one before ended, also if that rule has been
	// taken away meanwhile.
	reply.Rules = all
	if more {
		reply.Rules = slices.DeleteFunc(all, func(one search.Rule) bool { return rules.SpotOf(one).Compare(last) <= 0 })
	}
	if size := r.Page.Size(usualRules, maxRulesPage); len(reply.Rules) > size {
		reply.Rules = reply.Rules[:size]
		if reply.Next, err = page.Cursor(hash, rules.SpotOf(reply.Rules[size-1])); err != nil {
			return search.ListRulesReply{}, err
		}
	}
	return reply, nil
}

// readRules reads all rules, in their order.
func (s *Service) readRules(ctx context.Context) (all []search.Rule, err error) {
	err = s.db.Read(ctx, func(q store.Queryer) error {
		all, err = selectRules(q)
		return err
	})
	return all, err
}

// mayChangeRules says whether by may change rules, and whether anybody may here.
func (s *Service) mayChangeRules(by actor.Actor) error {
	if err := mayRule(by); err != nil {
		return err
	}
	if s.fixed {
		return search.ErrRulesFixed.With("rules are in a file here, the same for every process: change the file of --search-rules and restart the processes, one after the other")
	}
	return nil
}

// PutRule makes or changes a rule.
func (s *Service) PutRule(ctx context.Context, r search.PutRuleRequest) (_ search.PutRuleReply, err error) {
	defer s.done("put_rule", &err)
	if err := s.mayChangeRules(r.By); err != nil {
		return search.PutRuleReply{}, err
	}
	rule := rules.Clean(r.Rule)
	var p errs.Problems
	checkAct(&p, r.Key, r.Why)
	checkRule(&p, rule)
	if err := p.Err(search.ErrInvalid); err != nil {
		return search.PutRuleReply{}, err
	}
	kept, err := s.ruling(ctx, r.By, "search.put_rule", r.Key, []any{r.Rule, r.Why}, func(tx *store.Tx) (search.Rule, error) {
		return putRule(tx, r.By, rule, r.Why)
	})
	return search.PutRuleReply{Rule: kept}, err
}

// RemoveRule takes a rule away.
func (s *Service) RemoveRule(ctx context.Context, r search.RemoveRuleRequest) (_ search.RemoveRuleReply, err error) {
	defer s.done("remove_rule", &err)
	if err := s.mayChangeRules(r.By); err != nil {
		return search.RemoveRuleReply{}, err
	}
	var p errs.Problems
	checkAct(&p, r.Key, r.Why)
	if err := p.Err(search.ErrInvalid); err != nil {
		return search.RemoveRuleReply{}, err
	}
	was, err := s.ruling(ctx, r.By, "search.remove_rule", r.Key, []any{r.Rule, r.Why}, func(tx *store.Tx) (search.Rule, error) {
		return removeRule(tx, r.By, r.Rule, r.Why)
	})
	return search.RemoveRuleReply{Rule: was}, err
}

// maxWhy is the longest reason kept.
const maxWhy = 500

func checkAct(p *errs.Problems, key, why string) {
	p.Check(key != "" && len(key) <= catalog.MaxKey, "key", "should have 1 to %d characters", catalog.MaxKey)
	p.Check(len(why) <= maxWhy, "why", "may have %d characters", maxWhy)
}

func checkRule(p *errs.Problems, rule search.Rule) {
	p.Check(rule.ID == "" || search.RuleIDs.Valid(rule.ID), "id", "is not the id of a rule")
	rules.Check(rule, p)
}

// ruling does something to one rule, once per key, and answers with the rule ever after.
func (s *Service) ruling(ctx context.Context, by actor.Actor, operation, key string, body any, do func(tx *store.Tx) (search.Rule, error)) (search.Rule, error) {
	var kept search.Rule
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		kept = search.Rule{}
		text, _, err := tx.Once(store.Command{
			Owner: by.Owner(), Operation: operation, Key: key, Body: store.Hash(body), Until: tx.Now().Add(keysLive),
		}, func() (string, error) {
			rule, err := do(tx)
			if err != nil {
				return "", err
			}
			text, err := json.Marshal(rule)
			return string(text), err
		})
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &kept)
	})
	if err != nil {
		return search.Rule{}, err
	}
	return kept, nil
}

// mayPut says whether a rule that is in order can be kept, and what it is now; without an id for a new one.
func mayPut(q store.Queryer, rule search.Rule) (was search.Rule, err error) {
	if rule.ID == "" {
		n, err := countRules(q)
		if err != nil {
			return was, err
		}
		if n >= search.MaxRules {
			return was, search.ErrRuleLimit.With("there are %d rules, and more are not kept; remove some first", n)
		}
	} else {
		if was, err = selectRule(q, rule.ID); err != nil {
			return was, err
		}
		if was.Version != rule.Version {
			return was, search.ErrVersion.With("the rule has changed meanwhile; look again")
		}
	}
	same, err := selectSameRule(q, rule)
	if err != nil {
		return was, err
	}
	if same.ID != "" && same.ID != rule.ID {
		return was, search.ErrRuleExists.With("there is a rule for that already: %s", rules.Line(same))
	}
	return was, nil
}

// putRule stores a rule that is in order.
func putRule(tx *store.Tx, by actor.Actor, rule search.Rule, why string) (search.Rule, error) {
	was, err := mayPut(tx, rule)
	if err != nil {
		return rule, err
	}
	before := ""
	if was.ID != "" {
		before = rules.Line(was)
	} else {
		rule.ID = search.RuleIDs.New()
	}
	rule.Version++
	rule.ChangedAt = tx.Now()
	if err := upsertRule(tx, rule); err != nil {
		return rule, err
	}
	return rule, tx.Audit(store.Audit{By: by, Action: "search.put_rule", Subject: string(rule.ID), Before: before, After: rules.Line(rule), Why: why})
}

func removeRule(tx *store.Tx, by actor.Actor, rid search.RuleID, why string) (search.Rule, error) {
	was, err := selectRule(tx, rid)
	if err != nil {
		return was, err
	}
	if err := deleteRule(tx, rid); err != nil {
		return was, err
	}
	return was, tx.Audit(store.Audit{By: by, Action: "search.remove_rule", Subject: string(rid), Before: rules.Line(was), Why: why})
}

// Imported is what an import did, or would do: the rules as files have them.
type Imported struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Kept    int      `json:"kept"` // were there already
}

// ImportRules takes over the rules of a file. Those that are there stay as they are; with replace
// those that are not in the file go. A dry run changes nothing. It is one transaction.
func (s *Service) ImportRules(ctx context.Context, by actor.Actor, text string, replace, dry bool) (out Imported, err error) {
	defer s.done("import_rules", &err)
	if err := mayRule(by); err != nil {
		return out, err
	}
	if !dry {
		if err := s.mayChangeRules(by); err != nil {
			return out, err
		}
	}
	return s.importRules(ctx, by, text, replace, dry)
}

// AdoptRules makes the rules of a file the only ones. It is called before the module starts. If a line of the file is wrong
// the error names it, and nothing changes.
func (s *Service) AdoptRules(ctx context.Context, text string) (Imported, error) {
	out, err := s.importRules(ctx, actor.System(""), text, true, false)
	s.adopted = err == nil
	return out, err
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

func (s *Service) importRules(ctx context.Context, by actor.Actor, text string, replace, dry bool) (out Imported, err error) {
	asked, err := rules.Read(text)
	if err != nil {
		return out, err
	}
	if dry {
		there, err := s.readRules(ctx)
		if err != nil {
			return out, err
		}
		out, _, _ = difference(there, asked, replace)
		return out, nil
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		there, err := selectRules(tx)
		if err != nil {
			return err
		}
		var add, drop []search.Rule
		out, add, drop = difference(there, asked, replace)
		for _, r := range drop {
			if _, err := removeRule(tx, by, r.ID, "import"); err != nil {
				return err
			}
		}
		for _, r := range add {
			if _, err := putRule(tx, by, r, "import"); err != nil {
				return fmt.Errorf("import %q: %w", rules.Line(r), err)
			}
		}
		return nil
	})
	if err != nil {
		return Imported{}, err
	}
	return out, nil
}

// difference is what makes there what is asked. A pin at another place takes its pin's or burial's place.
func difference(there, asked []search.Rule, replace bool) (out Imported, add, drop []search.Rule) {
	out = Imported{Added: []string{}, Removed: []string{}} // none are told as none, also in JSON
	has, again := map[string]search.Rule{}, map[search.RuleID]bool{}
	for _, r := range there {
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
			out.Kept++
			continue
		case ok:
			drop = append(drop, was)
		}
		add = append(add, r)
	}
	for _, r := range there {
		if _, left := has[rules.Print(r)]; (left || again[r.ID]) && replace {
			drop = append(drop, r)
		}
	}
	for _, r := range add {
		out.Added = append(out.Added, rules.Line(r))
	}
	for _, r := range drop {
		out.Removed = append(out.Removed, rules.Line(r))
	}
	return out, add, drop
}

// ExportRules is all rules as a file.
func (s *Service) ExportRules(ctx context.Context) (string, error) {
	all, err := s.readRules(ctx)
	if err != nil {
		return "", err
	}
	text := make([]byte, 0, 64*len(all))
	for _, r := range all {
		text = append(append(text, rules.Line(r)...), '\n')
	}
	return string(text), nil
}

// AddRule adds the rule that is written as in a file.
func (s *Service) AddRule(ctx context.Context, by actor.Actor, key, line, why string) (search.Rule, error) {
	rule, err := ReadRuleLine(line)
	if err != nil {
		return search.Rule{}, err
	}
	reply, err := s.PutRule(ctx, search.PutRuleRequest{By: by, Key: key, Rule: rule, Why: why})
	return reply.Rule, err
}

// ReadRuleLine is the rule that is written as in a file.
func ReadRuleLine(line string) (search.Rule, error) {
	rule, err := rules.ReadLine(line)
	if err != nil {
		return search.Rule{}, search.ErrInvalid.With("the rule %s", err)
	}
	return rule, nil
}

// RuleLine is a rule as files have it.
func RuleLine(r search.Rule) string { return rules.Line(r) }
