package searchsvc

import (
	"context"
	"encoding/json"
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
