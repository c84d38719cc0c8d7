package searchsvc

import (
	"fmt"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/store"
)

// heardRow is what is there of a listing.
type heardRow struct {
	ID      catalog.ListingID `db:"id"`
	Doc     int64             `db:"doc"`
	Version int64             `db:"version"`
	Shown   bool              `db:"shown"`
	Print   []byte            `db:"print"`
}

// heard is what is there of listings already.
func (s *set) heard(q store.Queryer, all []entry) (map[catalog.ListingID]heardRow, error) {
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = string(all[i].ID)
	}
	query, args, err := store.In(s.look, ids)
	if err != nil {
		return nil, err
	}
	var rows []heardRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("look for %d listings: %w", len(all), err)
	}
	at := make(map[catalog.ListingID]heardRow, len(rows))
	for _, row := range rows {
		at[row.ID] = row
	}
	return at, nil
}

// put stores what was heard of listings, unless something newer was heard before, and indexes
// their words. All at once costs a fraction of one by one: FTS5 writes out what it has gathered
// whenever a savepoint begins or ends.
func (s *set) put(tx *store.Tx, all []entry) error {
	if len(all) == 0 {
		return nil
	}
	all = newest(all)
	known, err := s.heard(tx, all)
	if err != nil {
		return err
	}
	categories, err := s.categories(tx, all)
	if err != nil {
		return err
	}
	var fresh []entry
	var docs []int64 // whose words are to be indexed
	for i := range all {
		e, old := &all[i], known[all[i].ID]
		print := e.print()
		switch {
		case old.Doc == 0:
			fresh = append(fresh, *e)
		case old.Version >= e.Version:
		case old.Shown == e.Shown && string(old.Print) == string(print):
			if _, err := tx.Exec(s.update, append(stateOf(e), old.Doc)...); err != nil {
				return fmt.Errorf("update listing %s: %w", e.ID, err)
			}
		default:
			if err := s.reword(tx, old, e, append(append(stateOf(e), print), categories.textOf(e)...)); err != nil {
				return err
			}
			docs = append(docs, old.Doc)
		}
	}
	added, err := s.insertAll(tx, fresh, categories)
	if err != nil {
		return err
	}
	return s.indexWords(tx, append(docs, added...))
}

// addUnheard is put for listings that were read and not heard of: what was heard is newer, or
// something newer will be heard.
func (s *set) addUnheard(tx *store.Tx, all []entry) error {
	if len(all) == 0 {
		return nil
	}
	known, err := s.heard(tx, all)
	if err != nil {
		return err
	}
	fresh := make([]entry, 0, len(all))
	for i := range all {
		if known[all[i].ID].Doc == 0 {
			fresh = append(fresh, all[i])
		}
	}
	categories, err := s.categories(tx, fresh)
	if err != nil {
		return err
	}
	docs, err := s.insertAll(tx, fresh, categories)
	if err != nil {
		return err
	}
	return s.indexWords(tx, docs)
}

// newest leaves the newest state of each listing, in the order in which they first came.
func newest(all []entry) []entry {
	at := make(map[catalog.ListingID]int, len(all))
	out := make([]entry, 0, len(all))
	for _, e := range all {
		i, again := at[e.ID]
		switch {
		case !again:
			at[e.ID] = len(out)
			out = append(out, e)
		case out[i].Version < e.Version:
			out[i] = e
		}
	}
	return out
}

// reword stores a listing whose words change.
func (s *set) reword(tx *store.Tx, old heardRow, e *entry, values []any) error {
	if old.Shown { // FTS5 takes out exactly the words that it is told, so before they change
		if _, err := tx.Exec(s.unindex, old.Doc); err != nil {
			return fmt.Errorf("take out the words of %s: %w", e.ID, err)
		}
	}
	if _, err := tx.Exec(s.updateAll, append(values, old.Doc)...); err != nil {
		return fmt.Errorf("update listing %s: %w", e.ID, err)
	}
	return nil
}

const (
	insertValues = `(?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertMost   = 128 // rows in one statement
)

// insertAll stores listings of which nothing is there yet, and returns their numbers.
func (s *set) insertAll(tx *store.Tx, fresh []entry, categories spokenPaths) ([]int64, error) {
	if len(fresh) == 0 {
		return nil, nil
	}
	var last struct {
		Doc    int64 `db:"doc"`
		Change int64 `db:"change"`
	}
	if err := tx.Get(&last, s.ends); err != nil {
		return nil, fmt.Errorf("number listings: %w", err)
	}
	docs := make([]int64, len(fresh))
	for i := range docs {
		docs[i] = last.Doc + int64(i) + 1
	}
	for from, size := 0, insertMost; from < len(fresh); from += size {
		for size > len(fresh)-from {
			size /= 2
		}
		var args []any
		for i := from; i < from+size; i++ {
			e := &fresh[i]
			args = append(append(args, docs[i], string(e.ID), last.Change+int64(i)+1), stateOf(e)...)
			args = append(append(args, e.print()), categories.textOf(e)...)
		}
		query := s.insert + strings.Repeat(insertValues+", ", size-1) + insertValues
		if _, err := tx.Exec(query, args...); err != nil {
			return nil, fmt.Errorf("insert %d listings: %w", size, err)
		}
	}
	return docs, nil
}

// indexWords indexes the words of listings; those not shown have none.
func (s *set) indexWords(tx *store.Tx, docs []int64) error {
	if len(docs) == 0 {
		return nil
	}
	query, args, err := store.In(s.index, docs)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(query, args...); err != nil {
		return fmt.Errorf("index the words of %d listings: %w", len(docs), err)
	}
	return nil
}

// stateOf are the columns that change without a change of words.
func stateOf(e *entry) []any {
	return append(make([]any, 0, 20), // and what follows in every statement
		e.Version, e.Shown, string(e.Seller), e.Path, e.Image, string(e.Currency), e.From, e.To, e.InStock, e.Variants, int64(e.CreatedAt))
}

// spokenPaths is what the categories of paths are called, from the root.
type spokenPaths map[string]string

// categories reads what the categories of listings are called.
func (s *set) categories(q store.Queryer, all []entry) (spokenPaths, error) {
	words := spokenPaths{}
	var paths []string
	for i := range all {
		path := all[i].Path
		if _, again := words[path]; !again && all[i].Shown {
			words[path] = ""
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return words, nil
	}
	query, args, err := store.In(s.names, paths)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Path  string `db:"path"`
		Words string `db:"words"`
	}
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select the names of %d categories: %w", len(paths), err)
	}
	for _, row := range rows {
		words[row.Path] = row.Words
	}
	return words, nil
}

// textOf are the words; those of the category are read off its path if nothing was heard of it.
func (p spokenPaths) textOf(e *entry) []any {
	t := &e.Text
	category := t.Category
	if e.Shown && p[e.Path] != "" {
		category = p[e.Path]
	}
	return []any{t.Title, t.Brand, category, t.Description, t.Details, t.Codes}
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
