package searchsvc

import (
	"context"
	"slices"

	"souk/internal/platform/actor"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/popular"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/words"
)

// PreviewedImport is what an import of rules would do, and what that would move.
type PreviewedImport struct {
	Imported
	Moved search.PreviewReply `json:"moved"` // without a rule. Of the texts that the file's rules name it has those that differ, after the frequent ones
	Named int                 `json:"named"` // texts that the file's rules name
	Tried int                 `json:"tried"` // of these, how many were looked at: PreviewTexts, or until PreviewTold differ, and those that are frequent
}

// PreviewRules says what ImportRules would do with a file, and what that would move: in what people search for most, and in
// what the rules that come and go name. It refuses what ImportRules would.
func (s *Service) PreviewRules(ctx context.Context, by actor.Actor, text string, replace bool) (out PreviewedImport, err error) {
	defer s.done("preview_rules", &err)
	if err := mayRule(by); err != nil {
		return out, err
	}
	asked, err := rules.Read(text)
	if err != nil {
		return out, err
	}
	var c ruleChange
	var named []string
	frequent, reply, err := s.frequentAnd(ctx, func(q store.Queryer) error {
		there, err := selectRules(q)
		if err != nil {
			return err
		}
		done, add, drop := difference(there, asked, replace)
		if n := len(there) - len(drop) + len(add); n > search.MaxRules && len(add) > 0 {
			return search.ErrRuleLimit.With("there would be %d rules, and no more than %d are kept", n, search.MaxRules)
		}
		out.Imported, named = done, namedBy(append(add, drop...)...)
		after := slices.DeleteFunc(slices.Clone(there), func(r search.Rule) bool {
			return slices.ContainsFunc(drop, func(gone search.Rule) bool { return gone.ID == r.ID })
		})
		after = append(after, add...)
		slices.SortFunc(after, rules.Compare) // as they will be read
		c = ruleChange{before: rules.NewBook(0, there), after: rules.NewBook(0, after)}
		return nil
	})
	if err == nil {
		err = s.preview(ctx, &c, frequent, &reply)
	}
	if err == nil {
		out.Named = len(named)
		out.Tried, err = s.previewNamed(ctx, &c, named, frequent, &reply)
	}
	if out.Moved = reply; out.Moved.Texts == nil {
		out.Moved.Texts = []search.PreviewedText{}
	}
	out.Moved.Rule.Words = []string{}
	return out, err
}

// previewNamed adds the texts that rules name and that differ, but for those that are frequent, and says how many were
// looked at.
func (s *Service) previewNamed(ctx context.Context, c *ruleChange, named []string, frequent []searchedRow, reply *search.PreviewReply) (tried int, err error) {
	known, told, others := map[string]bool{}, 0, 0
	for _, row := range frequent {
		known[row.Text] = true
	}
	for _, text := range named {
		if known[popular.Normal(text)] {
			tried++
			continue
		}
		if others == search.PreviewTexts || told == search.PreviewTold {
			continue
		}
		one, err := s.previewText(ctx, c, text, false)
		if err != nil {
			return tried, err
		}
		others++
		tried++
		if one.Differs {
			told++
			one.Named = true
			reply.Texts = append(reply.Texts, one)
		}
	}
	return tried, nil
}

// namedBy are the texts that rules are about, each once.
func namedBy(all ...search.Rule) (texts []string) {
	seen := map[string]bool{"": true}
	for _, one := range all {
		for _, text := range rules.About(one) {
			if key := rules.Key(words.Parse(text)); !seen[key] {
				seen[key] = true
				texts = append(texts, text)
			}
		}
	}
	return texts
}
