package searchsvc

import (
	"fmt"
	"strings"

	"souk/internal/platform/money"
	"souk/internal/platform/store"
	"souk/internal/search"
)

// findMatches asks which listings have the words: all of them, or any. How well they fit is
// computed only when the order depends on it.
func (s *set) findMatches(q store.Queryer, words []string, anyWord, fit bool) ([]match, error) {
	query := s.find
	if fit {
		query = s.findRanked
	}
	var row struct {
		Docs  string `db:"docs"`
		Words string `db:"words"`
	}
	if err := q.Get(&row, query, expression(words, anyWord)); err != nil {
		return nil, fmt.Errorf("find listings with %d words: %w", len(words), err)
	}
	matches := make([]match, 0, strings.Count(row.Docs, ",")+1)
	numbers(row.Docs, func(_ int, n int64) { matches = append(matches, match{doc: n}) })
	numbers(row.Words, func(i int, n int64) { matches[i].words = n })
	return matches, nil
}

type hitRow struct {
	Doc      int64          `db:"doc"`
	Title    string         `db:"title"`
	Lead     string         `db:"lead"`
	Brand    string         `db:"brand"`
	Image    string         `db:"image"`
	Path     string         `db:"path"`
	Currency money.Currency `db:"currency"`
	From     int64          `db:"price_from"`
	To       int64          `db:"price_to"`
	Variants int32          `db:"variants"`
}

type markedRow struct {
	Doc     int64  `db:"doc"`
	Title   string `db:"title"`
	Snippet string `db:"snippet"`
}

// selectHits reads what is shown of listings. One that is not there is left out.
func (s *set) selectHits(q store.Queryer, docs []int64) (map[int64]hitRow, error) {
	query, args, err := store.In(s.hits, docs)
	if err != nil {
		return nil, err
	}
	var rows []hitRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select %d hits: %w", len(docs), err)
	}
	byDoc := make(map[int64]hitRow, len(rows))
	for _, row := range rows {
		byDoc[row.Doc] = row
	}
	return byDoc, nil
}

// selectMarked reads the titles and descriptions of listings with the words marked.
func (s *set) selectMarked(q store.Queryer, docs []int64, words []string, anyWord bool) (map[int64]markedRow, error) {
	query, args, err := store.In(s.marked, markOpen, markClose, markOpen, markClose, expression(words, anyWord), docs)
	if err != nil {
		return nil, err
	}
	var rows []markedRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("mark words in %d listings: %w", len(docs), err)
	}
	byDoc := make(map[int64]markedRow, len(rows))
	for _, row := range rows {
		byDoc[row.Doc] = row
	}
	return byDoc, nil
}

// hit is a row as a result, with matches marked if there is m.
func (r hitRow) hit(m *markedRow) search.Hit {
	h := search.Hit{
		Title: r.Title, Marked: piecesOf(r.Title), Snippet: piecesOf(lead(r.Lead)), Brand: r.Brand, Path: r.Path, Image: r.Image,
		PriceFrom: money.Money{Minor: r.From, Currency: r.Currency}, PriceTo: money.Money{Minor: r.To, Currency: r.Currency},
		Variants: r.Variants,
	}
	if m != nil {
		h.Marked = piecesOf(m.Title)
		if strings.Contains(m.Snippet, markOpen) {
			h.Snippet = piecesOf(m.Snippet)
		}
	}
	return h
}
