package searchsvc

import (
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// set is one of the two sets of tables: its statements, written out once.
type set struct {
	name string

	numbers, look, ends, insert, update, updateAll      string
	index, unindex, retire, names                       string
	postings, hits, texts                               string
	seller, addSeller, category, addCategory            string
	newListings, newFormer, newSellers, newCategories   string
	newSold, newestCategory, copyCategories             string
	emptyTerms, emptyListings, emptySellers, emptyPaths string
	emptyFormer, emptyFacts, emptySaid                  string
	addFacts, facts                                     string
	addSaid, newSaid                                    string
	keys, count, countIn, countFormer                   string
	wordless, wordy, strangers                          string

	stored    storedFacts
	heardSaid heardSaid
}

// newSet writes the statements out for the tables of that name.
func newSet(name string) *set {
	write := func(query string) string {
		return fmt.Sprintf(query, "listings_"+name, "terms_"+name, "sellers_"+name, "categories_"+name, "former_"+name, "facts_"+name, "said_"+name)
	}
	const fullName = `coalesce((SELECT words || ' ' FROM %[4]s WHERE path = ? LIMIT 1), '') || ?`
	const next = `(SELECT coalesce(max(change), 0) + 1 FROM `
	const state = `change = ?, version = ?, shown = ?, seller_id = ?, path = ?, image = ?, currency = ?, price_from = ?, price_to = ?,
		in_stock = ?, variants = ?, created_at = ?, quality = ?`
	return &set{
		name:    name,
		numbers: write(`SELECT id, doc FROM %[1]s WHERE id IN (?)`),
		look:    write(`SELECT id, doc, version, shown, print FROM %[1]s WHERE id IN (?)`),
		ends:    write(`SELECT coalesce(max(doc), 0) AS doc, (SELECT coalesce(max(change), 0) FROM %[1]s) AS change FROM %[1]s`),
		insert: write(`INSERT INTO %[1]s (doc, id, change, version, shown, seller_id, path, image, currency, price_from, price_to,
			in_stock, variants, created_at, quality, print, title, brand, description, marks, body, facts) VALUES `),
		update:    write(`UPDATE %[1]s SET ` + state + ` WHERE doc = ?`),
		updateAll: write(`UPDATE %[1]s SET ` + state + `, print = ?, title = ?, brand = ?, description = ?, marks = ?, body = ?, facts = ?, doc = ? WHERE doc = ?`),
		index: write(`INSERT INTO %[2]s (rowid, terms)
			SELECT CAST(value AS INTEGER), substr(value, instr(value, ' ') + 1) FROM json_each(?)`),
		unindex: write(`DELETE FROM %[2]s WHERE rowid = ?`),
		retire:  write(`INSERT INTO %[5]s (doc, change) VALUES (?, ?)`),
		names:   write(`SELECT path, words FROM %[4]s WHERE path IN (?)`),

		// One row comes back however many listings have the term: rows cost more than numbers.
		postings: write(`SELECT coalesce(group_concat(rowid), '') FROM %[2]s WHERE %[2]s MATCH ? AND rowid > ? AND rowid <= ?`),
		hits: write(`SELECT doc, id, title, substr(description, 1, 1200) AS lead, brand, image, path, currency, price_from, price_to, variants
			FROM %[1]s WHERE doc IN (?)`),
		texts: write(`SELECT doc, title, description FROM %[1]s WHERE doc IN (?)`),

		seller: write(`INSERT INTO %[3]s (id, slug, name, approved, change) VALUES (?, ?, ?, ?, ` + next + `%[3]s))
			ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name, approved = excluded.approved, change = excluded.change`),
		addSeller: write(`INSERT INTO %[3]s (id, slug, name, approved, change) VALUES (?, ?, ?, ?, ` + next + `%[3]s)) ON CONFLICT (id) DO NOTHING`),
		category: write(`INSERT INTO %[4]s (id, path, name, words, change) VALUES (?, ?, ?, ` + fullName + `, ` + next + `%[4]s))
			ON CONFLICT (id) DO UPDATE SET path = excluded.path, name = excluded.name, words = excluded.words, change = excluded.change`),
		addCategory: write(`INSERT INTO %[4]s (id, path, name, words, change) VALUES (?, ?, ?, ` + fullName + `, ` + next + `%[4]s))
			ON CONFLICT (id) DO UPDATE SET path = excluded.path, name = excluded.name, words = excluded.words, change = excluded.change WHERE change <= ?`),
		newestCategory: write(`SELECT coalesce(max(change), 0) FROM %[4]s`),
		copyCategories: write(`SELECT id, path, name FROM %[4]s`),

		newListings: write(`SELECT l.doc, l.id, l.title, l.brand, l.path, l.seller_id, l.created_at, l.price_from, l.currency, l.shown, l.in_stock,
			l.quality, l.marks, l.body, l.facts, l.change, coalesce(s.score, 0) AS sold FROM %[1]s l LEFT JOIN sold s ON s.listing_id = l.id WHERE l.change > ? ORDER BY l.change LIMIT ?`),
		newSold:       write(`SELECT l.doc, s.score FROM sold s JOIN %[1]s l ON l.id = s.listing_id WHERE s.change > ?`),
		newFormer:     write(`SELECT doc, change FROM %[5]s WHERE change > ? AND change <= ? ORDER BY change`),
		newSellers:    write(`SELECT id, slug, name, approved, change FROM %[3]s WHERE change > ? ORDER BY change`),
		newCategories: write(`SELECT path, name, change FROM %[4]s WHERE change > ? ORDER BY change`),

		emptyTerms:    write(`INSERT INTO %[2]s (%[2]s) VALUES ('delete-all')`),
		emptyListings: write(`DELETE FROM %[1]s`), emptySellers: write(`DELETE FROM %[3]s`), emptyPaths: write(`DELETE FROM %[4]s`),
		emptyFormer: write(`DELETE FROM %[5]s`), emptyFacts: write(`DELETE FROM %[6]s`), emptySaid: write(`DELETE FROM %[7]s`),
		addFacts: write(`INSERT OR IGNORE INTO %[6]s (id, fact) VALUES `),
		facts:    write(`SELECT id, fact FROM %[6]s WHERE id IN (?)`),
		addSaid:  write(`INSERT INTO %[7]s (change, hashes) VALUES (?, ?)`),
		newSaid:  write(`SELECT hashes FROM %[7]s WHERE change > ? AND change <= ? ORDER BY change`),

		keys:        write(`SELECT id FROM %[1]s WHERE id > ? ORDER BY id LIMIT ?`),
		count:       write(`SELECT count(*) FROM %[1]s WHERE shown = 1`),
		countIn:     write(`SELECT count(*) FROM %[1]s WHERE id > ? AND id <= ? AND shown = 1`),
		countFormer: write(`SELECT count(*) FROM %[5]s`),
		wordless: write(`SELECT l.id AS subjects, '' AS detail FROM %[1]s l WHERE l.id > ? AND l.id <= ? AND l.shown = 1
			AND NOT EXISTS (SELECT 1 FROM %[2]s_docsize d WHERE d.id = l.doc) LIMIT 20`),
		wordy: write(`SELECT l.id AS subjects, '' AS detail FROM %[1]s l WHERE l.id > ? AND l.id <= ? AND l.shown = 0
			AND EXISTS (SELECT 1 FROM %[2]s_docsize d WHERE d.id = l.doc) LIMIT 20`),
		strangers: write(`SELECT l.id AS subjects, '' AS detail FROM %[1]s l WHERE l.id > ? AND l.id <= ? AND l.shown = 1
			AND NOT EXISTS (SELECT 1 FROM %[3]s s WHERE s.id = l.seller_id) LIMIT 20`),
	}
}

// marks are how far the active set was written in a snapshot.
type marks struct {
	Active     string
	Generation int64
	Listings   int64 // the last change
	Sellers    int64
	Categories int64
	Docs       int64 // the highest number of a listing
	Sold       int64 // the last change to how listings sell
}

// covers says whether all that n has is in m.
func (m marks) covers(n marks) bool {
	return m.Listings >= n.Listings && m.Sellers >= n.Sellers && m.Categories >= n.Categories && m.Sold >= n.Sold
}

func selectMarks(q store.Queryer) (marks, error) {
	var row struct {
		Active     string `db:"active"`
		Generation int64  `db:"generation"`
		ListingsA  int64  `db:"listings_a"`
		SellersA   int64  `db:"sellers_a"`
		PathsA     int64  `db:"paths_a"`
		ListingsB  int64  `db:"listings_b"`
		SellersB   int64  `db:"sellers_b"`
		PathsB     int64  `db:"paths_b"`
		DocsA      int64  `db:"docs_a"`
		DocsB      int64  `db:"docs_b"`
		Sold       int64  `db:"sold"`
	}
	err := q.Get(&row, `SELECT active, generation,
		(SELECT coalesce(max(change), 0) FROM listings_a) AS listings_a, (SELECT coalesce(max(change), 0) FROM listings_b) AS listings_b,
		(SELECT coalesce(max(change), 0) FROM sellers_a) AS sellers_a, (SELECT coalesce(max(change), 0) FROM sellers_b) AS sellers_b,
		(SELECT coalesce(max(change), 0) FROM categories_a) AS paths_a, (SELECT coalesce(max(change), 0) FROM categories_b) AS paths_b,
		(SELECT coalesce(max(doc), 0) FROM listings_a) AS docs_a, (SELECT coalesce(max(doc), 0) FROM listings_b) AS docs_b,
		(SELECT coalesce(max(change), 0) FROM sold) AS sold
		FROM generations WHERE one = 1`)
	if err != nil {
		return marks{}, fmt.Errorf("see how far the index is: %w", err)
	}
	m := marks{Active: row.Active, Generation: row.Generation, Listings: row.ListingsA, Sellers: row.SellersA, Categories: row.PathsA, Docs: row.DocsA, Sold: row.Sold}
	if row.Active == "b" {
		m.Listings, m.Sellers, m.Categories, m.Docs = row.ListingsB, row.SellersB, row.PathsB, row.DocsB
	}
	return m, nil
}

// generations is which set is searched, and who fills the other.
type generations struct {
	Active     string `db:"active"`
	Generation int64  `db:"generation"`
	Builder    string `db:"builder"`
	Analyser   string `db:"analyser"` // that the active set was made by; "" while it has no words
}

func selectGenerations(q store.Queryer) (generations, error) {
	var g generations
	if err := q.Get(&g, `SELECT active, generation, builder, analyser FROM generations WHERE one = 1`); err != nil {
		return g, fmt.Errorf("select generations: %w", err)
	}
	return g, nil
}

func updateGenerations(tx *store.Tx, g generations) error {
	_, err := tx.Exec(`UPDATE generations SET active = ?, generation = ?, builder = ?, analyser = ? WHERE one = 1`,
		g.Active, g.Generation, g.Builder, g.Analyser)
	if err != nil {
		return fmt.Errorf("update generations: %w", err)
	}
	return nil
}

// empty takes everything out of the set.
func (s *set) empty(tx *store.Tx) error {
	s.stored, s.heardSaid = storedFacts{}, heardSaid{}
	for _, query := range []string{s.emptyTerms, s.emptyListings, s.emptySellers, s.emptyPaths, s.emptyFormer, s.emptyFacts, s.emptySaid} {
		if _, err := tx.Exec(query); err != nil {
			return fmt.Errorf("empty set %s: %w", s.name, err)
		}
	}
	return nil
}

// What the shelf takes over.
type (
	shelfRow struct {
		Doc       int64             `db:"doc"`
		ID        catalog.ListingID `db:"id"`
		Title     string            `db:"title"`
		Brand     string            `db:"brand"`
		Path      string            `db:"path"`
		Seller    catalog.SellerID  `db:"seller_id"`
		CreatedAt clock.Time        `db:"created_at"`
		From      int64             `db:"price_from"`
		Currency  money.Currency    `db:"currency"`
		Shown     bool              `db:"shown"`
		InStock   bool              `db:"in_stock"`
		Quality   uint8             `db:"quality"`
		Marks     []byte            `db:"marks"`
		Body      int64             `db:"body"`
		Sold      int64             `db:"sold"`
		Facts     []byte            `db:"facts"`
		Change    int64             `db:"change"`
	}
	formerRow struct {
		Doc    int64 `db:"doc"`
		Change int64 `db:"change"`
	}
	sellerRow struct {
		ID       catalog.SellerID `db:"id"`
		Slug     string           `db:"slug"`
		Name     string           `db:"name"`
		Approved bool             `db:"approved"`
		Change   int64            `db:"change"`
	}
	categoryRow struct {
		Path   string `db:"path"`
		Name   string `db:"name"`
		Change int64  `db:"change"`
	}
)

// written is what was written since some marks, up to these.
type written struct {
	marks      marks
	listings   []shelfRow
	facts      []factRow   // of them, as far as they are not known
	said       [][]byte    // hashes of the words in their texts, as far as they were new then
	former     []formerRow // numbers that their listings have no more
	sellers    []sellerRow
	categories []categoryRow
	sold       []docSoldRow // of listings that have not changed themselves
	soldUpto   int64        // the last change to how listings sell in the snapshot
}

// loadRows is how many listings are taken over at a time.
const loadRows = 4096

// selectWritten reads what was written since seen, at most loadRows listings of it, and the facts
// that a shelf does not know.
func (s *set) selectWritten(q store.Queryer, seen, now marks, known *facts) (written, error) {
	w := written{marks: now}
	if now.Sellers > seen.Sellers {
		if err := q.Select(&w.sellers, s.newSellers, seen.Sellers); err != nil {
			return w, fmt.Errorf("select new sellers: %w", err)
		}
	}
	if now.Categories > seen.Categories {
		if err := q.Select(&w.categories, s.newCategories, seen.Categories); err != nil {
			return w, fmt.Errorf("select new categories: %w", err)
		}
	}
	if err := s.selectSold(q, &w, seen, now); err != nil {
		return w, err
	}
	if now.Listings > seen.Listings {
		if err := q.Select(&w.listings, s.newListings, seen.Listings, loadRows); err != nil {
			return w, fmt.Errorf("select new listings: %w", err)
		}
		if len(w.listings) == loadRows {
			w.marks.Listings = w.listings[loadRows-1].Change
		}
		var err error
		if w.facts, err = s.selectFacts(q, known.unknown(w.listings)); err != nil {
			return w, err
		}
		if err := q.Select(&w.said, s.newSaid, seen.Listings, w.marks.Listings); err != nil {
			return w, fmt.Errorf("select new words of texts: %w", err)
		}
	}
	if seen.Listings > 0 { // what was former before anything was read is on no shelf
		if err := q.Select(&w.former, s.newFormer, seen.Listings, w.marks.Listings); err != nil {
			return w, fmt.Errorf("select former numbers: %w", err)
		}
	}
	return w, nil
}

// docSoldRow is how well the listing of a number sells.
type docSoldRow struct {
	Doc   int64 `db:"doc"`
	Score int64 `db:"score"`
}

// selectSold reads how listings sell that have sold since. Each row of a listing says it too: whoever has seen none
// yet needs nothing else.
func (s *set) selectSold(q store.Queryer, w *written, seen, now marks) error {
	w.soldUpto = now.Sold
	switch {
	case seen.Listings == 0:
		if err := q.Get(&w.soldUpto, `SELECT coalesce(max(change), 0) FROM sold`); err != nil {
			return fmt.Errorf("see how far sales are: %w", err)
		}
	case now.Sold > seen.Sold:
		if err := q.Select(&w.sold, s.newSold, seen.Sold); err != nil {
			return fmt.Errorf("select new sales: %w", err)
		}
	}
	return nil
}

// documents reads what group_concat wrote: numbers, in order.
func documents(s string) []uint32 {
	docs := make([]uint32, 0, len(s)/6+1)
	n := uint32(0)
	for i := range len(s) {
		if c := s[i]; c != ',' {
			n = n*10 + uint32(c-'0')
			continue
		}
		docs = append(docs, n)
		n = 0
	}
	if s != "" {
		docs = append(docs, n)
	}
	return docs
}

// after is how far a shelf is that has taken w.
func (m marks) after(w written) marks {
	if n := len(w.listings); n > 0 {
		m.Listings = w.listings[n-1].Change
	}
	for _, row := range w.sellers {
		m.Sellers = max(m.Sellers, row.Change)
	}
	for _, row := range w.categories {
		m.Categories = max(m.Categories, row.Change)
	}
	m.Sold = max(m.Sold, w.soldUpto)
	return m
}
