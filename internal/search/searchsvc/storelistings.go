package searchsvc

import (
	"fmt"
	"slices"
	"strconv"
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

// numbering gives out the numbers of listings and of changes.
type numbering struct {
	Doc    int64 `db:"doc"`
	Change int64 `db:"change"`
}

func (n *numbering) doc() int64 {
	n.Doc++
	return n.Doc
}

func (n *numbering) change() int64 {
	n.Change++
	return n.Change
}

// put stores what was heard of listings, unless something newer was heard before, and indexes
// their words. All at once costs a fraction of one by one: FTS5 writes out what it has gathered
// whenever a savepoint begins or ends.
func (s *set) put(tx *store.Tx, all []entry) error {
	readAll(all)
	return s.store(tx, newest(all), true)
}

// addUnheard is put for listings that were read and not heard of: what was heard is newer, or
// something newer will be heard.
func (s *set) addUnheard(tx *store.Tx, all []entry) error {
	readAll(all)
	return s.store(tx, all, false)
}

// store stores what is new, and with heard also what is newer than what is there.
func (s *set) store(tx *store.Tx, all []entry, heard bool) error {
	if len(all) == 0 {
		return nil
	}
	known, err := s.heard(tx, all)
	if err != nil {
		return err
	}
	var at numbering
	if err := tx.Get(&at, s.ends); err != nil {
		return fmt.Errorf("number listings: %w", err)
	}
	s.stored.begin(at.Change)
	fresh, again := make([]*entry, 0, len(all)), make([]*entry, 0, len(all))
	for i := range all {
		e := &all[i]
		switch old := known[e.ID]; {
		case old.Doc == 0:
			fresh = append(fresh, e)
		case heard && old.Version < e.Version:
			again = append(again, e)
		}
	}
	worded := slices.DeleteFunc(slices.Concat(again, fresh), func(e *entry) bool { return !e.Shown || known[e.ID].same(e) })
	if err := s.addNewFacts(tx, worded); err != nil {
		return err
	}
	if err := s.analyse(tx, worded); err != nil {
		return err
	}
	if err := s.heardSaid.begin(tx, s, at.Change); err != nil {
		return err
	}
	var words []*entry // in the order of their numbers
	for _, e := range again {
		moved, err := s.change(tx, known[e.ID], e, &at)
		if err != nil {
			return err
		}
		if moved {
			words = append(words, e)
		}
	}
	if err := s.insertAll(tx, fresh, &at); err != nil {
		return err
	}
	if err := s.indexWords(tx, append(words, fresh...)); err != nil {
		return err
	}
	if err := s.addNewSaid(tx, worded, at.Change); err != nil {
		return err
	}
	s.stored.change = at.Change
	return nil
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

// change stores another state of a listing. When its words are others it gets a new number, and
// moved is true: so the words of a number never change, and what memory keeps of them stays right.
func (s *set) change(tx *store.Tx, old heardRow, e *entry, at *numbering) (moved bool, err error) {
	change := at.change()
	if old.same(e) {
		if _, err := tx.Exec(s.update, append(stateOf(e, change), old.Doc)...); err != nil {
			return false, fmt.Errorf("update listing %s: %w", e.ID, err)
		}
		return false, nil
	}
	e.doc = old.Doc
	if old.Shown {
		if _, err := tx.Exec(s.unindex, old.Doc); err != nil {
			return false, fmt.Errorf("take out the words of %s: %w", e.ID, err)
		}
		// Whoever reads an older snapshot is given the number back that was seen there. It also goes by this that a listing that
		// is hidden now was shown: when it is shown again it has another number, and its row says nothing of this one.
		if _, err := tx.Exec(s.retire, old.Doc, change); err != nil {
			return false, fmt.Errorf("retire the number of %s: %w", e.ID, err)
		}
	}
	if e.Shown {
		e.doc = at.doc()
	}
	if _, err := tx.Exec(s.updateAll, append(append(stateOf(e, change), e.print), e.Text.Title, e.Text.Brand, e.shownText(), e.marks, e.body, e.stated, e.doc, old.Doc)...); err != nil {
		return false, fmt.Errorf("update listing %s: %w", e.ID, err)
	}
	return e.Shown, nil
}

const (
	insertValues = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertMost   = 128 // rows in one statement
)

// several calls fn for all, up to insertMost at a time, in powers of two: so few texts of
// statements come of it.
func several[T any](all []T, fn func(some []T) error) error {
	for size := insertMost; len(all) > 0; {
		for size > len(all) {
			size /= 2
		}
		if err := fn(all[:size]); err != nil {
			return err
		}
		all = all[size:]
	}
	return nil
}

// insertAll stores listings of which nothing is there yet.
func (s *set) insertAll(tx *store.Tx, fresh []*entry, at *numbering) error {
	return several(fresh, func(some []*entry) error {
		args := make([]any, 0, 22*len(some))
		for _, e := range some {
			e.doc = at.doc()
			args = append(append(args, e.doc, string(e.ID)), stateOf(e, at.change())...)
			args = append(args, e.print, e.Text.Title, e.Text.Brand, e.shownText(), e.marks, e.body, e.stated)
		}
		if _, err := tx.Exec(s.insert+strings.Repeat(insertValues+", ", len(some)-1)+insertValues, args...); err != nil {
			return fmt.Errorf("insert %d listings: %w", len(some), err)
		}
		return nil
	})
}

// same says whether a listing still has the words that it had.
func (r heardRow) same(e *entry) bool {
	return r.Doc != 0 && r.Shown == e.Shown && string(r.Print) == string(e.print)
}

// analyse finds the words of listings.
func (s *set) analyse(q store.Queryer, all []*entry) error {
	if len(all) == 0 {
		return nil
	}
	categories, err := s.categories(q, all)
	if err != nil {
		return err
	}
	analyse(all, categories)
	return nil
}

// indexWords indexes the words of listings; those not shown have none. It is one statement however
// many there are, since FTS5 writes out what it has gathered at every one.
func (s *set) indexWords(tx *store.Tx, all []*entry) error {
	all = slices.DeleteFunc(all, func(e *entry) bool { return !e.Shown })
	if len(all) == 0 {
		return nil
	}
	list := []byte{'['} // of texts: number, space, terms; these are of letters and digits, which JSON has as they are
	for i, e := range all {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(strconv.AppendInt(append(list, '"'), e.doc, 10), ' ')
		list = append(append(list, e.terms...), '"')
	}
	if _, err := tx.Exec(s.index, string(append(list, ']'))); err != nil {
		return fmt.Errorf("index the words of %d listings: %w", len(all), err)
	}
	return nil
}

// stateOf are the columns that change without a change of words.
func stateOf(e *entry, change int64) []any {
	return append(make([]any, 0, 19), // and what follows in every statement
		change, e.Version, e.Shown, string(e.Seller), e.Path, e.Image, string(e.Currency), e.From, e.To, e.InStock, e.Variants, int64(e.CreatedAt), int64(e.Quality))
}

// spokenPaths is what the categories of paths are called, from the root.
type spokenPaths map[string]string

// categories reads what the categories of listings are called.
func (s *set) categories(q store.Queryer, all []*entry) (spokenPaths, error) {
	words := spokenPaths{}
	var paths []string
	for i := range all {
		path := all[i].Path
		if _, again := words[path]; !again {
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

// of is what the category of a listing is called; it is read off the path if nothing was heard of it.
func (p spokenPaths) of(e *entry) string {
	if name := p[e.Path]; name != "" {
		return name
	}
	return e.Text.Category
}

// putCategory stores what a category is called.
func (s *set) putCategory(tx *store.Tx, query string, c catalog.Category) error {
	parent := c.Path[:max(0, strings.LastIndexByte(c.Path, '/'))]
	if _, err := tx.Exec(query, string(c.ID), c.Path, c.Name, parent, clean(c.Name)); err != nil {
		return fmt.Errorf("store category %s: %w", c.ID, err)
	}
	return nil
}

// addCategories stores what categories that were read are called, parents first, and leaves those that have changed
// after a mark as they are.
func (s *set) addCategories(tx *store.Tx, all []catalog.Category, mark int64) error {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b catalog.Category) int { return strings.Compare(a.Path, b.Path) })
	for _, c := range all {
		parent := c.Path[:max(0, strings.LastIndexByte(c.Path, '/'))]
		if _, err := tx.Exec(s.addCategory, string(c.ID), c.Path, c.Name, parent, clean(c.Name), mark); err != nil {
			return fmt.Errorf("add category %s: %w", c.ID, err)
		}
	}
	return nil
}

// knownCategories are the categories that the set knows.
func (s *set) knownCategories(q store.Queryer) ([]catalog.Category, error) {
	var rows []struct {
		ID   catalog.CategoryID `db:"id"`
		Path string             `db:"path"`
		Name string             `db:"name"`
	}
	if err := q.Select(&rows, s.copyCategories); err != nil {
		return nil, fmt.Errorf("select categories: %w", err)
	}
	all := make([]catalog.Category, len(rows))
	for i, row := range rows {
		all[i] = catalog.Category{ID: row.ID, Path: row.Path, Name: row.Name}
	}
	return all, nil
}

// putSeller stores what a seller is called and whether it may sell.
func (s *set) putSeller(tx *store.Tx, query string, id catalog.SellerID, slug, name string, status catalog.SellerStatus) error {
	if _, err := tx.Exec(query, string(id), slug, name, status == catalog.SellerApproved); err != nil {
		return fmt.Errorf("store seller %s: %w", id, err)
	}
	return nil
}
