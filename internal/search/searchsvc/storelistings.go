package searchsvc

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/store"
)

// heardRow is what is there of a listing; Doc 0 is nothing.
type heardRow struct {
	Doc     int64  `db:"doc"`
	Version int64  `db:"version"`
	Shown   bool   `db:"shown"`
	Print   []byte `db:"print"`
	Stale   bool   `db:"stale"` // its words are not in the index yet
}

func (s *set) heard(q store.Queryer, id catalog.ListingID) (heardRow, error) {
	var row heardRow
	err := q.Get(&row, s.look, string(id))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return row, fmt.Errorf("look for listing %s: %w", id, err)
	}
	return row, nil
}

// put stores what was heard of a listing, unless something newer was heard before. Its words
// are indexed by settle, at the end of the batch.
func (s *set) put(tx *store.Tx, e entry) error {
	old, err := s.heard(tx, e.ID)
	if err != nil {
		return err
	}
	print := e.print()
	switch {
	case old.Doc == 0:
		return s.add(tx, e)
	case old.Version >= e.Version:
		return nil
	case old.Shown == e.Shown && string(old.Print) == string(print):
		if _, err := tx.Exec(s.update, append(stateOf(e), string(e.ID))...); err != nil {
			return fmt.Errorf("update listing %s: %w", e.ID, err)
		}
		return nil
	}
	if old.Shown && !old.Stale { // FTS5 takes out exactly the words that it is told, so before they change
		if _, err := tx.Exec(s.unindex, string(e.ID)); err != nil {
			return fmt.Errorf("take out the words of %s: %w", e.ID, err)
		}
	}
	args := append(append(append(stateOf(e), print), textOf(e)...), string(e.ID))
	if _, err := tx.Exec(s.updateAll, args...); err != nil {
		return fmt.Errorf("update listing %s: %w", e.ID, err)
	}
	return s.markStale(tx, e)
}

// add stores a listing of which nothing is there yet.
func (s *set) add(tx *store.Tx, e entry) error {
	args := append(append(stateOf(e), string(e.ID), e.print()), textOf(e)...)
	if _, err := tx.Exec(s.insert, args...); err != nil {
		return fmt.Errorf("insert listing %s: %w", e.ID, err)
	}
	return s.markStale(tx, e)
}

func (s *set) markStale(tx *store.Tx, e entry) error {
	if !e.Shown {
		return nil
	}
	if _, err := tx.Exec(s.stale, string(e.ID)); err != nil {
		return fmt.Errorf("mark the words of %s: %w", e.ID, err)
	}
	return nil
}

// settle indexes the words of all that was put since the last time. FTS5 writes out what it
// has gathered whenever a savepoint begins or ends, and every event has one: done one by one
// this costs twice the time of everything else.
func (s *set) settle(tx *store.Tx) error {
	n, err := tx.Exec(s.index)
	if err != nil {
		return fmt.Errorf("index the words of a batch: %w", err)
	}
	if n == 0 {
		return nil
	}
	if _, err := tx.Exec(s.indexed); err != nil {
		return fmt.Errorf("finish indexing a batch: %w", err)
	}
	return nil
}

// stateOf are the columns that change without a change of words.
func stateOf(e entry) []any {
	return []any{
		e.Version, e.Shown, string(e.Seller), e.Path, e.Image, string(e.Currency), e.From, e.To, e.InStock, e.Variants, int64(e.CreatedAt),
	}
}

// textOf are the words; those of the category are looked up by its path, and read off it if
// nothing was heard of it.
func textOf(e entry) []any {
	t, path := e.Text, ""
	if e.Shown {
		path = e.Path
	}
	return []any{path, t.Category, t.Title, t.Brand, t.Description, t.Details, t.Codes}
}

// putCategory stores what a category is called.
func (s *set) putCategory(tx *store.Tx, query string, c catalog.Category) error {
	parent := c.Path[:max(0, strings.LastIndexByte(c.Path, '/'))]
	if _, err := tx.Exec(query, string(c.ID), c.Path, c.Name, parent, clean(c.Name)); err != nil {
		return fmt.Errorf("store category %s: %w", c.ID, err)
	}
	return nil
}

// putSeller stores what a seller is called and whether it may sell.
func (s *set) putSeller(tx *store.Tx, query string, id catalog.SellerID, slug, name string, status catalog.SellerStatus) error {
	if _, err := tx.Exec(query, string(id), slug, name, status == catalog.SellerApproved); err != nil {
		return fmt.Errorf("store seller %s: %w", id, err)
	}
	return nil
}
