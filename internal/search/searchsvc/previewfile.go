package searchsvc

import (
	"context"

	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/popular"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/words"
)

// PreviewImport says what ImportRules would do with a file, and what that would move: in what people search for most, and in
// what the rules that come and go name. It refuses what ImportRules would.
func (s *Service) PreviewImport(ctx context.Context, r search.PreviewImportRequest) (out search.PreviewImportReply, err error) {
	defer s.done("preview_import", &err)
	if err := mayRule(r.By); err != nil {
		return out, err
	}
	asked, err := readRulesText(r.Text)
	if err != nil {
		return out, err
	}
	var done importChange
	frequent, moved, err := s.frequentAnd(ctx, func(q store.Queryer) (err error) {
		done, err = importChangeOf(q, asked, r.Replace, nil)
		return err
	})
	if err != nil {
		return out, err
	}
	c := ruleChange{before: rules.NewBook(0, done.there), after: rules.NewBook(0, done.after())}
	if err := s.preview(ctx, &c, frequent, &moved); err != nil {
		return out, err
	}
	named := namedBy(append(done.add, done.drop...)...)
	tried, err := s.previewNamed(ctx, &c, named, frequent, &moved)
	if err != nil {
		return out, err
	}
	// None are told as none, also in JSON.
	moved.Rule.Words, moved.Texts = []string{}, append([]search.PreviewedText{}, moved.Texts...)
	changes := done.reply()
	return search.PreviewImportReply{
		Added: changes.Added, Removed: changes.Removed, Kept: changes.Kept, Edition: done.edition,
		Moved: moved, Named: int32(len(named)), Tried: tried, //nolint:gosec // MaxRules by MaxRuleWords at most
	}, nil
}

// previewNamed adds the texts that rules name and that differ, but for those that are frequent, and says how many were
// looked at.
func (s *Service) previewNamed(ctx context.Context, c *ruleChange, named []string, frequent []searchedRow, reply *search.PreviewReply) (tried int32, err error) {
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
