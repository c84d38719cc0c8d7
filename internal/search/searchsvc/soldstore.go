package searchsvc

import (
	"database/sql"
	"errors"
	"fmt"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/sales"
)

// selectLine reads a line; one that was never heard of is empty.
func selectLine(q store.Queryer, of orders.SellerOrderID, variant catalog.VariantID) (soldLine, error) {
	var line soldLine
	err := q.Get(&line, `SELECT seller_order_id, variant_id, listing_id, day, placed, cancelled, round FROM sold_lines
		WHERE seller_order_id = ? AND variant_id = ?`, of, variant)
	if errors.Is(err, sql.ErrNoRows) {
		return soldLine{}, nil
	}
	if err != nil {
		return soldLine{}, fmt.Errorf("select a line of seller order %s: %w", of, err)
	}
	return line, nil
}

func selectLines(q store.Queryer, of orders.SellerOrderID) ([]soldLine, error) {
	var lines []soldLine
	err := q.Select(&lines, `SELECT seller_order_id, variant_id, listing_id, day, placed, cancelled, round FROM sold_lines
		WHERE seller_order_id = ?`, of)
	if err != nil {
		return nil, fmt.Errorf("select the lines of seller order %s: %w", of, err)
	}
	return lines, nil
}

func upsertLine(tx *store.Tx, l soldLine) error {
	_, err := tx.Exec(`INSERT INTO sold_lines (seller_order_id, variant_id, listing_id, day, placed, cancelled, round) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (seller_order_id, variant_id) DO UPDATE SET listing_id = excluded.listing_id, day = excluded.day,
			placed = excluded.placed, cancelled = excluded.cancelled, round = excluded.round`,
		l.SellerOrder, l.Variant, l.Listing, l.Day, l.Placed, l.Cancelled, l.Round)
	if err != nil {
		return fmt.Errorf("store a line of seller order %s: %w", l.SellerOrder, err)
	}
	return nil
}

func addSold(tx *store.Tx, listing catalog.ListingID, day, pieces int64) error {
	_, err := tx.Exec(`INSERT INTO sold_days (listing_id, day, pieces) VALUES (?, ?, ?)
		ON CONFLICT (listing_id, day) DO UPDATE SET pieces = pieces + excluded.pieces`, listing, day, pieces)
	if err != nil {
		return fmt.Errorf("count what was sold of listing %s: %w", listing, err)
	}
	return nil
}

func upsertScore(tx *store.Tx, listing catalog.ListingID, score uint32) error {
	_, err := tx.Exec(`INSERT INTO sold (listing_id, score, change) VALUES (?, ?, (SELECT coalesce(max(change), 0) + 1 FROM sold))
		ON CONFLICT (listing_id) DO UPDATE SET score = excluded.score, change = excluded.change`, listing, int64(score))
	if err != nil {
		return fmt.Errorf("store how well listing %s sells: %w", listing, err)
	}
	return nil
}

// soldRow is how well a listing sells, as the shelf takes it over.
type soldRow struct {
	Listing catalog.ListingID `db:"listing_id"`
	Score   int64             `db:"score"`
	Change  int64             `db:"change"`
}

// countAgain makes what was sold by day, and every score, from the lines of one reading of orders. The lines of
// earlier readings that it has not seen again are no longer orders', and are forgotten.
func countAgain(tx *store.Tx, round int64) error {
	for _, query := range []string{
		`DELETE FROM sold_lines WHERE round < ?`,
		`DELETE FROM sold_days WHERE ? > 0`,
		`INSERT INTO sold_days (listing_id, day, pieces)
			SELECT listing_id, day, sum(max(placed - cancelled, 0)) FROM sold_lines WHERE round = ? AND placed > 0 GROUP BY listing_id, day`,
	} {
		if _, err := tx.Exec(query, round); err != nil {
			return fmt.Errorf("count again what was sold: %w", err)
		}
	}
	var rows []struct {
		Listing catalog.ListingID `db:"listing_id"`
		sales.Day
	}
	if err := tx.Select(&rows, `SELECT listing_id, day, pieces FROM sold_days ORDER BY listing_id`); err != nil {
		return fmt.Errorf("select what was sold: %w", err)
	}
	var before []soldRow
	if err := tx.Select(&before, `SELECT listing_id, score, change FROM sold`); err != nil {
		return fmt.Errorf("select how listings sell: %w", err)
	}
	scores := make(map[catalog.ListingID]uint32, len(before))
	for _, row := range before {
		scores[row.Listing] = 0 // unless it is among what follows
	}
	var days []sales.Day
	for i, row := range rows {
		days = append(days, row.Day)
		if i+1 == len(rows) || rows[i+1].Listing != row.Listing {
			scores[row.Listing] = sales.Score(days)
			days = days[:0]
		}
	}
	for _, row := range before {
		if int64(scores[row.Listing]) == row.Score {
			delete(scores, row.Listing)
		}
	}
	for listing, score := range scores {
		if err := upsertScore(tx, listing, score); err != nil {
			return err
		}
	}
	return nil
}

// forgetSales removes at most that many lines and days from before these days, and says how many they were.
func forgetSales(tx *store.Tx, lines, days int64, most int) (int64, error) {
	gone, err := tx.Exec(`DELETE FROM sold_lines WHERE (seller_order_id, variant_id) IN (
		SELECT seller_order_id, variant_id FROM sold_lines WHERE day < ? ORDER BY day LIMIT ?)`, lines, most)
	if err != nil {
		return 0, fmt.Errorf("forget old lines: %w", err)
	}
	more, err := tx.Exec(`DELETE FROM sold_days WHERE (listing_id, day) IN (
		SELECT listing_id, day FROM sold_days WHERE day < ? ORDER BY day LIMIT ?)`, days, most)
	if err != nil {
		return 0, fmt.Errorf("forget old sales: %w", err)
	}
	return max(gone, more), nil
}
