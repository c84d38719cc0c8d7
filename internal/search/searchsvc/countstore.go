package searchsvc

import (
	"database/sql"
	"errors"
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/popular"
)

// searchedRow is a text of a day, or of several.
type searchedRow struct {
	Text string `db:"text"`
	Low  int64  `db:"low"`
	popular.Figures
	Bought int64 `db:"bought"`
}

// writeBatch adds what was counted of a day.
func writeBatch(tx *store.Tx, b popular.Batch) error {
	f := b.Sums
	_, err := tx.Exec(`INSERT INTO search_days (day, searches, empty, corrected, suitable, clicks_1, clicks_3, clicks_10, clicks_more, bought)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
		ON CONFLICT (day) DO UPDATE SET searches = searches + excluded.searches, empty = empty + excluded.empty, corrected = corrected + excluded.corrected,
			suitable = suitable + excluded.suitable, clicks_1 = clicks_1 + excluded.clicks_1, clicks_3 = clicks_3 + excluded.clicks_3,
			clicks_10 = clicks_10 + excluded.clicks_10, clicks_more = clicks_more + excluded.clicks_more`,
		b.Day, f.Searches, f.Empty, f.Corrected, f.Suitable, f.First, f.Third, f.Tenth, f.Later)
	if err != nil {
		return fmt.Errorf("add to the searches of a day: %w", err)
	}
	for _, name := range b.Gone {
		if _, err := tx.Exec(`DELETE FROM searches WHERE day = ? AND name = ?`, b.Day, name); err != nil {
			return fmt.Errorf("make room for a text: %w", err)
		}
	}
	for _, t := range b.Texts {
		f := t.Add
		_, err := tx.Exec(`INSERT INTO searches (day, name, text, low, searches, empty, corrected, suitable, clicks_1, clicks_3, clicks_10, clicks_more, bought)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
			ON CONFLICT (day, name) DO UPDATE SET low = max(low, excluded.low), searches = searches + excluded.searches, empty = empty + excluded.empty,
				corrected = corrected + excluded.corrected, suitable = suitable + excluded.suitable, clicks_1 = clicks_1 + excluded.clicks_1,
				clicks_3 = clicks_3 + excluded.clicks_3, clicks_10 = clicks_10 + excluded.clicks_10, clicks_more = clicks_more + excluded.clicks_more`,
			b.Day, t.Name, t.Text, t.Floor, f.Searches, f.Empty, f.Corrected, f.Suitable, f.First, f.Third, f.Tenth, f.Later)
		if err != nil {
			return fmt.Errorf("add to the searches of a text: %w", err)
		}
	}
	for c, n := range b.Clicks {
		_, err := tx.Exec(`INSERT INTO search_clicks (listing_id, hour, name, clicks) VALUES (?, ?, ?, ?)
			ON CONFLICT (listing_id, hour, name) DO UPDATE SET clicks = clicks + excluded.clicks`, c.Listing, c.Hour, c.Name, n)
		if err != nil {
			return fmt.Errorf("count choices of listing %s: %w", c.Listing, err)
		}
	}
	return nil
}

// selectNamesKey reads what names of texts are made with; none before it is made.
func selectNamesKey(q store.Queryer) ([]byte, error) {
	var keys [][]byte
	if err := q.Select(&keys, `SELECT key FROM search_names WHERE one = 1`); err != nil {
		return nil, fmt.Errorf("select what names of searches are made with: %w", err)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return keys[0], nil
}

// insertNamesKey keeps what names of texts are made with, unless there is something.
func insertNamesKey(tx *store.Tx, key []byte) error {
	if _, err := tx.Exec(`INSERT INTO search_names (one, key) VALUES (1, ?) ON CONFLICT (one) DO NOTHING`, key); err != nil {
		return fmt.Errorf("keep what names of searches are made with: %w", err)
	}
	return nil
}

// selectSearched reads the texts of a day, the most frequent first.
func selectSearched(q store.Queryer, day int64) ([]searchedRow, error) {
	var rows []searchedRow
	err := q.Select(&rows, `SELECT text, low, searches, empty, corrected, suitable, clicks_1, clicks_3, clicks_10, clicks_more, bought
		FROM searches WHERE day = ? ORDER BY low + searches DESC, name`, day)
	if err != nil {
		return nil, fmt.Errorf("select the searches of a day: %w", err)
	}
	return rows, nil
}

// selectSearchedText finds the text of a name since a day; "" if nobody has searched for it.
func selectSearchedText(q store.Queryer, name string, since int64) (string, error) {
	var text string
	err := q.Get(&text, `SELECT text FROM searches WHERE day IN (?, ?) AND name = ? LIMIT 1`, since, since+1, name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("select a text searched for: %w", err)
	}
	return text, nil
}

// dayRow is the sums of a day.
type dayRow struct {
	Day int64 `db:"day"`
	popular.Figures
	Bought int64 `db:"bought"`
}

func selectSearchDays(q store.Queryer, from, until int64) ([]dayRow, error) {
	var rows []dayRow
	err := q.Select(&rows, `SELECT day, searches, empty, corrected, suitable, clicks_1, clicks_3, clicks_10, clicks_more, bought
		FROM search_days WHERE day BETWEEN ? AND ? ORDER BY day`, from, until)
	if err != nil {
		return nil, fmt.Errorf("select days of searches: %w", err)
	}
	return rows, nil
}

// selectSearchedBetween adds up the texts of some days that were searched for so often at least.
func selectSearchedBetween(q store.Queryer, from, until, least int64) ([]searchedRow, error) {
	var rows []searchedRow
	err := q.Select(&rows, `SELECT text, sum(low) AS low, sum(searches) AS searches, sum(empty) AS empty, sum(corrected) AS corrected,
			sum(suitable) AS suitable, sum(clicks_1) AS clicks_1, sum(clicks_3) AS clicks_3, sum(clicks_10) AS clicks_10,
			sum(clicks_more) AS clicks_more, sum(bought) AS bought
		FROM searches WHERE day BETWEEN ? AND ? GROUP BY text HAVING sum(searches) >= ?`, from, until, least)
	if err != nil {
		return nil, fmt.Errorf("select what was searched for: %w", err)
	}
	return rows, nil
}

// clicksRow is how often a listing was chosen among the results of a text.
type clicksRow struct {
	Name   string `db:"name"`
	Clicks int64  `db:"clicks"`
}

func selectClicks(q store.Queryer, listing catalog.ListingID, from, until int64) ([]clicksRow, error) {
	var rows []clicksRow
	err := q.Select(&rows, `SELECT name, sum(clicks) AS clicks FROM search_clicks WHERE listing_id = ? AND hour BETWEEN ? AND ?
		GROUP BY name ORDER BY sum(clicks) DESC, name`, listing, from, until)
	if err != nil {
		return nil, fmt.Errorf("select the searches that led to listing %s: %w", listing, err)
	}
	return rows, nil
}

// addBought adds thousandths of an order line to a text's day. A text that nobody has searched for on that day gets a row
// if it was searched for the day before.
func addBought(tx *store.Tx, day int64, name string, thousandths int64) error {
	n, err := tx.Exec(`UPDATE searches SET bought = bought + ? WHERE day = ? AND name = ?`, thousandths, day, name)
	if err == nil && n == 0 {
		_, err = tx.Exec(`INSERT INTO searches (day, name, text, low, searches, empty, corrected, suitable, clicks_1, clicks_3, clicks_10, clicks_more, bought)
			SELECT ?, name, text, 0, 0, 0, 0, 0, 0, 0, 0, 0, ? FROM searches WHERE day = ? AND name = ?`, day, thousandths, day-1, name)
	}
	if err != nil {
		return fmt.Errorf("count an order after a search: %w", err)
	}
	return nil
}

func addBoughtOfDay(tx *store.Tx, day, thousandths int64) error {
	_, err := tx.Exec(`INSERT INTO search_days (day, searches, empty, corrected, suitable, clicks_1, clicks_3, clicks_10, clicks_more, bought)
		VALUES (?, 0, 0, 0, 0, 0, 0, 0, 0, ?) ON CONFLICT (day) DO UPDATE SET bought = bought + excluded.bought`, day, thousandths)
	if err != nil {
		return fmt.Errorf("count an order after a search: %w", err)
	}
	return nil
}

// selectRare are texts that were searched for less often than so, and not since that day, whatever they were called.
func selectRare(q store.Queryer, least, since int64, most int) ([]string, error) {
	var texts []string
	err := q.Select(&texts, `SELECT text FROM searches GROUP BY text HAVING sum(searches) < ? AND max(day) < ? LIMIT ?`, least, since, most)
	if err != nil {
		return nil, fmt.Errorf("select texts that are rare: %w", err)
	}
	return texts, nil
}

// forgetTexts removes texts with all their days.
func forgetTexts(tx *store.Tx, texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	query, args, err := store.In(`DELETE FROM searches WHERE text IN (?)`, texts)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(query, args...); err != nil {
		return fmt.Errorf("forget texts that are rare: %w", err)
	}
	return nil
}

// forgetSearches removes at most so many rows of each table from before that day and hour, and says how many of one.
func forgetSearches(tx *store.Tx, day, hour int64, most int) (int64, error) {
	gone := int64(0)
	for query, before := range map[string]int64{
		`DELETE FROM searches WHERE (day, name) IN (SELECT day, name FROM searches WHERE day < ? ORDER BY day LIMIT ?)`: day,
		`DELETE FROM search_days WHERE day IN (SELECT day FROM search_days WHERE day < ? ORDER BY day LIMIT ?)`:         day,
		`DELETE FROM search_clicks WHERE (listing_id, hour, name) IN (
			SELECT listing_id, hour, name FROM search_clicks WHERE hour < ? ORDER BY hour LIMIT ?)`: hour,
	} {
		n, err := tx.Exec(query, before, most)
		if err != nil {
			return 0, fmt.Errorf("forget old searches: %w", err)
		}
		gone = max(gone, n)
	}
	return gone, nil
}
