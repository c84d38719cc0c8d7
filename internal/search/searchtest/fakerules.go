package searchtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// ruling is what was answered to a key.
type ruling struct {
	asked string
	reply any
	err   error
}

// FixRules has the rules as if they came from a file.
func (f *Fake) FixRules() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fixed = true
}

// once does something to the rules the first time that the key is seen.
func once[Reply any](f *Fake, by actor.Actor, operation, key string, asked any, do func() (Reply, error)) (none Reply, err error) {
	if err := mayRule(by); err != nil {
		return none, err
	}
	if f.fixed {
		return none, search.ErrRulesFixed.With("rules are in a file here")
	}
	if key == "" || len(key) > catalog.MaxKey {
		return none, search.ErrInvalid.WithField("key", "is required")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name, text := by.Owner()+"|"+operation+"|"+key, fmt.Sprintf("%+v", asked)
	if was, ok := f.rulings[name]; ok {
		if was.asked != text {
			return none, search.ErrKeyReused
		}
		reply, _ := was.reply.(Reply)
		return reply, was.err
	}
	reply, err := do()
	if errs.KindOf(err) != errs.Invalid {
		f.rulings[name] = ruling{asked: text, reply: reply, err: err}
	}
	if err == nil {
		f.edition++
	}
	return reply, err
}

// ListRules implements search.Service.
func (f *Fake) ListRules(_ context.Context, r search.ListRulesRequest) (search.ListRulesReply, error) {
	if err := mayRule(r.By); err != nil {
		return search.ListRulesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []search.Rule
	for _, one := range f.rules {
		said := strings.ToLower(one.Query + "," + strings.Join(one.Words, ","))
		if (r.Kind == "" || one.Kind == r.Kind) && (strings.Contains(said, strings.ToLower(r.Text)) || string(one.Listing) == r.Text) {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, inOrder)
	hash := []any{"rules", r.Kind, r.Text}
	var last search.Rule
	more, err := r.Page.After(hash, &last)
	if err != nil {
		return search.ListRulesReply{}, err
	}
	reply := search.ListRulesReply{Total: int64(len(found)), Fixed: f.fixed}
	reply.Rules = slices.DeleteFunc(found, func(one search.Rule) bool { return more && inOrder(one, last) <= 0 })
	if size := r.Page.Size(50, 500); len(reply.Rules) > size {
		reply.Rules = reply.Rules[:size]
		if reply.Next, err = page.Cursor(hash, reply.Rules[size-1]); err != nil {
			return search.ListRulesReply{}, err
		}
	}
	return reply, nil
}

// PutRule implements search.Service.
func (f *Fake) PutRule(_ context.Context, r search.PutRuleRequest) (search.PutRuleReply, error) {
	kept, err := once(f, r.By, "put", r.Key, []any{r.Rule, r.Why}, func() (search.Rule, error) {
		_, rule, err := f.mayPut(r.Rule)
		if err != nil {
			return rule, err
		}
		at := slices.IndexFunc(f.rules, func(one search.Rule) bool { return one.ID == rule.ID })
		if rule.ID == "" {
			rule.ID = search.RuleIDs.New()
		}
		rule.Version++
		rule.ChangedAt = f.goods.Now()
		if at >= 0 {
			f.rules[at] = rule
		} else {
			f.rules = append(f.rules, rule)
		}
		return rule, nil
	})
	return search.PutRuleReply{Rule: kept}, err
}

// RemoveRule implements search.Service.
func (f *Fake) RemoveRule(_ context.Context, r search.RemoveRuleRequest) (search.RemoveRuleReply, error) {
	was, err := once(f, r.By, "remove", r.Key, []any{r.Rule, r.Why}, func() (search.Rule, error) {
		at := slices.IndexFunc(f.rules, func(one search.Rule) bool { return one.ID == r.Rule })
		if at < 0 {
			return search.Rule{}, search.ErrNotFound
		}
		was := f.rules[at]
		f.rules = slices.Delete(f.rules, at, at+1)
		return was, nil
	})
	return search.RemoveRuleReply{Rule: was}, err
}

// sameRule says whether two rules say the same, or place the same listing.
func sameRule(a, b search.Rule) bool {
	sort := func(all []string) []string { return slices.Sorted(slices.Values(words(strings.Join(all, " ")))) }
	places := func(r search.Rule) bool { return r.Kind == search.RulePin || r.Kind == search.RuleBury }
	return (a.Kind == b.Kind || places(a) && places(b)) && slices.Equal(words(a.Query), words(b.Query)) && a.Listing == b.Listing &&
		slices.Equal(sort(a.Words), sort(b.Words))
}

// ruleInOrder is r without what its kind has not, or what is wrong with it.
func ruleInOrder(r search.Rule) (search.Rule, error) {
	var p errs.Problems
	tidy := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	r.Query = tidy(r.Query)
	var said []string
	for _, w := range r.Words {
		if w = tidy(w); w != "" && !slices.Contains(said, w) {
			said = append(said, w)
			p.Check(len(words(w)) > 0, fmt.Sprintf("words[%d]", len(said)-1), "has no letter")
		}
	}
	r.Words = said
	places := r.Kind == search.RulePin || r.Kind == search.RuleBury
	switch {
	case r.Kind == search.RuleSynonyms:
		r.Query = ""
		p.Check(len(r.Words) >= 2, "words", "are too few")
	case r.Kind == search.RuleExpansion:
		p.Check(len(r.Words) >= 1, "words", "are too few")
	case places:
		r.Words = nil
		p.Check(catalog.ListingIDs.Valid(r.Listing), "listing", "is no id")
		p.Check(r.Place <= search.MaxPlace, "place", "is too far down")
	case r.Kind == search.RuleStop:
		r.Words = nil
		p.Check(len(strings.Fields(r.Query)) == 1 && len(words(r.Query)) == 1, "query", "should be one word")
	default:
		p.Add("kind", "is not known")
	}
	if !places {
		r.Listing = ""
	}
	r.Place = max(r.Place, 1)
	if r.Kind != search.RulePin {
		r.Place = 0
	}
	p.Check(r.Kind == search.RuleSynonyms || len(words(r.Query)) > 0, "query", "has no letter")
	p.Check(len(r.Query) <= search.MaxRuleText, "query", "is too long")
	p.Check(len(r.Words) <= search.MaxRuleWords, "words", "are too many")
	p.Check(r.ID == "" || search.RuleIDs.Valid(r.ID), "id", "is no id")
	return r, p.Err(search.ErrInvalid)
}

// inOrder is the order in which rules are told.
func inOrder(a, b search.Rule) int {
	about := func(r search.Rule) string { return strings.ToLower(r.Query + strings.Join(r.Words, ", ")) }
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(about(a), about(b)), cmp.Compare(a.ID, b.ID))
}

func mayRule(by actor.Actor) error {
	if !by.IsOperator() && !by.IsSystem() {
		return search.ErrForbidden
	}
	return nil
}
