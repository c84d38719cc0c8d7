package searchsvc

import (
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
	"souk/internal/search"
)

type hitRow struct {
	Doc      int64             `db:"doc"`
	ID       catalog.ListingID `db:"id"`
	Title    string            `db:"title"`
	Lead     string            `db:"lead"`
	Brand    string            `db:"brand"`
	Image    string            `db:"image"`
	Path     string            `db:"path"`
	Currency money.Currency    `db:"currency"`
	From     int64             `db:"price_from"`
	To       int64             `db:"price_to"`
	Variants int32             `db:"variants"`
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

// hit is a row as a result, with what m looks for marked.
func (r hitRow) hit(m *marker) search.Hit {
	return search.Hit{
		Listing: r.ID, Title: r.Title, Marked: m.pieces(r.Title), Snippet: m.snippet(r.Lead), Brand: r.Brand, Path: r.Path, Image: r.Image,
		PriceFrom: money.Money{Minor: r.From, Currency: r.Currency}, PriceTo: money.Money{Minor: r.To, Currency: r.Currency},
		Variants: r.Variants,
	}
}
