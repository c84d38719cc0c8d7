package searchsvc

import (
	"context"
	"slices"

	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/suggest"
)

// maxTyped is how much of what was typed is looked at.
const maxTyped = 100

// Suggest completes what is being typed.
func (s *Service) Suggest(ctx context.Context, r search.SuggestRequest) (_ search.SuggestReply, err error) {
	defer s.done("suggest", &err)
	limit := int(r.Limit)
	if limit <= 0 {
		limit = usualSuggest
	}
	typed := []rune(r.Text)
	typed = typed[:min(len(typed), maxTyped)]
	var reply search.SuggestReply
	err = s.read(ctx, func(v view) error {
		sh, err := v.atHand()
		if err != nil {
			return err
		}
		s.caughtUp(sh)
		found := sh.completions.complete(string(typed), min(limit, maxSuggest))
		_ = s.locked(func() error {
			found = slices.DeleteFunc(found, func(f suggest.Found) bool {
				return f.Kind == suggest.Title && (f.Doc > v.marks.Docs || !docset.Test(sh.visible, uint32(f.Doc))) //nolint:gosec // documents are numbered in 32 bits
			})
			return nil
		})
		reply.Suggestions, err = v.suggestions(found)
		return err
	})
	if err != nil {
		return search.SuggestReply{}, err
	}
	return reply, nil
}

// suggestions fills in what is shown of listings.
func (v view) suggestions(found []suggest.Found) ([]search.Suggestion, error) {
	var docs []int64
	for _, f := range found {
		if f.Kind == suggest.Title {
			docs = append(docs, f.Doc)
		}
	}
	rows := map[int64]hitRow{}
	if len(docs) > 0 {
		var err error
		if rows, err = v.selectHits(v.q, docs); err != nil {
			return nil, err
		}
	}
	out := make([]search.Suggestion, 0, len(found))
	for _, f := range found {
		switch f.Kind {
		case suggest.Phrase:
			out = append(out, search.Suggestion{Kind: search.SuggestQuery, Text: f.Text})
		case suggest.Category:
			out = append(out, search.Suggestion{Kind: search.SuggestCategory, Text: f.Text, Path: f.Path})
		case suggest.Brand:
			out = append(out, search.Suggestion{Kind: search.SuggestBrand, Text: f.Text})
		case suggest.Title:
			row, ok := rows[f.Doc]
			if !ok {
				return nil, errOvertaken
			}
			out = append(out, search.Suggestion{
				Kind: search.SuggestListing, Listing: row.ID, Text: row.Title, Path: row.Path, Image: row.Image,
				Price: &money.Money{Minor: row.From, Currency: row.Currency},
			})
		}
	}
	return out, nil
}
