package searchsvc

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/rules"
)

type ruleRow struct {
	ID        search.RuleID     `db:"id"`
	Kind      search.RuleKind   `db:"kind"`
	Query     string            `db:"query"`
	Words     string            `db:"words"`
	Listing   catalog.ListingID `db:"listing_id"`
	Place     int32             `db:"place"`
	Version   int64             `db:"version"`
	ChangedAt clock.Time        `db:"changed_at"`
}

func (r ruleRow) rule() (search.Rule, error) {
	out := search.Rule{ID: r.ID, Kind: r.Kind, Query: r.Query, Listing: r.Listing, Place: r.Place, Version: r.Version, ChangedAt: r.ChangedAt}
	if err := json.Unmarshal([]byte(r.Words), &out.Words); err != nil {
		return out, fmt.Errorf("read the words of rule %s: %w", r.ID, err)
	}
	if len(out.Words) == 0 {
		out.Words = nil
	}
	return out, nil
}

// selectRules reads all rules, in their order.
func selectRules(q store.Queryer) ([]search.Rule, error) {
	var rows []ruleRow
	if err := q.Select(&rows, `SELECT id, kind, query, words, listing_id, place, version, changed_at FROM rules`); err != nil {
		return nil, fmt.Errorf("select rules: %w", err)
	}
	all := make([]search.Rule, len(rows))
	for i, row := range rows {
		var err error
		if all[i], err = row.rule(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, rules.Compare)
	return all, nil
}

func selectRule(q store.Queryer, rid search.RuleID) (search.Rule, error) {
	var row ruleRow
	err := q.Get(&row, `SELECT id, kind, query, words, listing_id, place, version, changed_at FROM rules WHERE id = ?`, rid)
	if errors.Is(err, sql.ErrNoRows) {
		return search.Rule{}, search.ErrNotFound.With("there is no rule %s", rid)
	}
	if err != nil {
		return search.Rule{}, fmt.Errorf("select rule %s: %w", rid, err)
	}
	return row.rule()
}

// selectSameRule reads the rule that says the same; without an id when there is none.
func selectSameRule(q store.Queryer, r search.Rule) (search.Rule, error) {
	var rows []ruleRow
	err := q.Select(&rows, `SELECT id, kind, query, words, listing_id, place, version, changed_at FROM rules WHERE print = ?`, rules.Print(r))
	if err != nil {
		return search.Rule{}, fmt.Errorf("select the rule like %s: %w", r.ID, err)
	}
	if len(rows) == 0 {
		return search.Rule{}, nil
	}
	return rows[0].rule()
}

func countRules(q store.Queryer) (n int, err error) {
	if err := q.Get(&n, `SELECT count(*) FROM rules`); err != nil {
		return 0, fmt.Errorf("count rules: %w", err)
	}
	return n, nil
}

// selectRulesEdition says which state the rules are in.
func selectRulesEdition(q store.Queryer) (n int64, err error) {
	if err := q.Get(&n, `SELECT edition FROM rules_edition WHERE one = 1`); err != nil {
		return 0, fmt.Errorf("see which rules there are: %w", err)
	}
	return n, nil
}

func upsertRule(tx *store.Tx, r search.Rule) error {
	words, err := json.Marshal(append([]string{}, r.Words...))
	if err != nil {
		return fmt.Errorf("keep the words of rule %s: %w", r.ID, err)
	}
	_, err = tx.Exec(`INSERT INTO rules (id, kind, query, words, listing_id, place, print, version, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, query = excluded.query, words = excluded.words, listing_id = excluded.listing_id,
			place = excluded.place, print = excluded.print, version = excluded.version, changed_at = excluded.changed_at`,
		r.ID, r.Kind, r.Query, string(words), r.Listing, r.Place, rules.Print(r), r.Version, r.ChangedAt)
	if err != nil {
		return fmt.Errorf("store rule %s: %w", r.ID, err)
	}
	return newRulesEdition(tx)
}

func deleteRule(tx *store.Tx, rid search.RuleID) error {
	if _, err := tx.Exec(`DELETE FROM rules WHERE id = ?`, rid); err != nil {
		return fmt.Errorf("delete rule %s: %w", rid, err)
	}
	return newRulesEdition(tx)
}

func newRulesEdition(tx *store.Tx) error {
	if _, err := tx.Exec(`UPDATE rules_edition SET edition = edition + 1 WHERE one = 1`); err != nil {
		return fmt.Errorf("note that rules have changed: %w", err)
	}
	return nil
}
