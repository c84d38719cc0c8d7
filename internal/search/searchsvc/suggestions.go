package searchsvc

import (
	"context"

	"souk/internal/platform/money"
	"souk/internal/search"
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
		var found []suggest.Found
		var listings []search.Suggestion
		err := v.withShelf(func(sh *shelf) error {
			found = sh.book.Complete(string(typed), min(limit, maxSuggest))
			listings = make([]search.Suggestion, len(found))
			for i, f := range found {
				if f.Kind == suggest.Title {
					listings[i] = search.Suggestion{Kind: search.SuggestListing}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		reply.Suggestions, err = v.suggestions(found, listings)
		return err
	})
	if err != nil {
		return search.SuggestReply{}, err
	}
	return reply, nil
}

// suggestions fills in what is shown of listings.
func (v view) suggestions(found []suggest.Found, listings []search.Suggestion) ([]search.Suggestion, error) {
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
	for i, f := range found {
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
			one := listings[i]
			one.Listing, one.Text, one.Path, one.Image = row.ID, row.Title, row.Path, row.Image
			one.Price = &money.Money{Minor: row.From, Currency: row.Currency}
			out = append(out, one)
		}
	}
	return out, nil
}
