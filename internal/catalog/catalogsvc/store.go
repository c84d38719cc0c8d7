package catalogsvc

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// bulk runs head VALUES row, row, … tail over all rows, in chunks of powers of two so that
// few texts come of it and the statement cache holds.
func bulk(tx *store.Tx, head, row, tail string, rows [][]any) error {
	for chunk := maxChunk; len(rows) > 0; {
		for chunk > len(rows) {
			chunk /= 2
		}
		args := make([]any, 0, chunk*len(rows[0]))
		for _, r := range rows[:chunk] {
			args = append(args, r...)
		}
		query := head + " VALUES " + strings.TrimSuffix(strings.Repeat(row+", ", chunk), ", ") + " " + tail
		if _, err := tx.Exec(query, args...); err != nil {
			return err
		}
		rows = rows[chunk:]
	}
	return nil
}

const maxChunk = 128

// asJSON is v as a column has it; nil slices are [].
func asJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %T: %w", v, err)
	}
	if string(text) == "null" {
		return "[]", nil
	}
	return string(text), nil
}

func fromJSON(text string, v any) error {
	if text == "" || text == "[]" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}

// isNone says whether err means that there is no row.
func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

type sellerRow struct {
	ID         catalog.SellerID     `db:"id"`
	Slug       string               `db:"slug"`
	Name       string               `db:"name"`
	About      string               `db:"about"`
	Status     catalog.SellerStatus `db:"status"`
	Why        string               `db:"why"`
	Legal      string               `db:"legal"`
	Currency   money.Currency       `db:"currency"`
	Commission int32                `db:"commission"`
	AppliedBy  id.Ref               `db:"applied_by"`
	ExternalID string               `db:"external_id"`
	CreatedAt  clock.Time           `db:"created_at"`
	Version    int64                `db:"version"`
	Active     int64                `db:"active"`
}

// sellerColumns come with the number of active listings, read off an index alone.
const sellerColumns = `s.id, s.slug, s.name, s.about, ` + sellerStatus + ` AS status, s.why, s.legal, s.currency, s.commission, s.applied_by, s.external_id, s.created_at, s.version,
	(SELECT count(*) FROM listings l WHERE l.seller_id = s.id AND l.status = 'active') AS active`

// sellerStatus is where a seller stands: the table has declined ones as suspended, with a time.
const sellerStatus = `CASE WHEN s.status = 'suspended' AND s.declined_at > 0 THEN 'declined' ELSE s.status END`

func (r sellerRow) seller() (catalog.Seller, error) {
	s := catalog.Seller{
		ID: r.ID, Slug: r.Slug, Name: r.Name, About: r.About, Status: r.Status, Why: r.Why, Currency: r.Currency,
		Commission: r.Commission, AppliedBy: r.AppliedBy, ExternalID: r.ExternalID, CreatedAt: r.CreatedAt, Version: r.Version, ActiveCount: r.Active,
	}
	return s, fromJSON(r.Legal, &s.Legal)
}

func sellersOf(rows []sellerRow) ([]catalog.Seller, error) {
	sellers := make([]catalog.Seller, len(rows))
	for i, row := range rows {
		var err error
		if sellers[i], err = row.seller(); err != nil {
			return nil, err
		}
	}
	return sellers, nil
}

func selectSeller(q store.Queryer, sid catalog.SellerID) (catalog.Seller, error) {
	var row sellerRow
	err := q.Get(&row, `SELECT `+sellerColumns+` FROM sellers s WHERE s.id = ?`, sid)
	if isNone(err) {
		return catalog.Seller{}, catalog.ErrNotFound.With("there is no seller %s", sid)
	}
	if err != nil {
		return catalog.Seller{}, fmt.Errorf("select seller %s: %w", sid, err)
	}
	return row.seller()
}

// selectSellers reads those that have one of the ids or slugs, by name.
func selectSellers(q store.Queryer, ids []catalog.SellerID, slugs []string) ([]catalog.Seller, error) {
	if len(ids)+len(slugs) == 0 {
		return nil, nil
	}
	if len(ids) == 0 {
		ids = []catalog.SellerID{""}
	}
	if len(slugs) == 0 {
		slugs = []string{""}
	}
	query, args, err := store.In(`SELECT `+sellerColumns+` FROM sellers s WHERE s.id IN (?) OR s.slug IN (?) ORDER BY s.name_key, s.id`, ids, slugs)
	if err != nil {
		return nil, err
	}
	var rows []sellerRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select sellers: %w", err)
	}
	return sellersOf(rows)
}

// sellerQuery is which sellers are listed, and from where on.
type sellerQuery struct {
	status catalog.SellerStatus // "" for all
	text   string
	order  catalog.SellerSort
	more   bool // after is where the page before ended
	after  sellerKey
}

// listSellers reads a page of sellers, one more than asked for if there are more.
func listSellers(q store.Queryer, r sellerQuery, size int) ([]catalog.Seller, error) {
	column, key := "s.name_key", any(r.after.Name)
	if r.order == catalog.SellersByAge || r.order == catalog.SellersByAgeDown {
		column, key = "s.created_at", r.after.At
	}
	way, beyond := "", ">"
	if r.order == catalog.SellersByNameDown || r.order == catalog.SellersByAgeDown {
		way, beyond = " DESC", "<"
	}
	where, args := []string{"1 = 1"}, []any{}
	if r.more {
		where, args = []string{"(" + column + ", s.id) " + beyond + " (?, ?)"}, []any{key, r.after.ID}
	}
	if r.status != "" {
		where, args = append(where, sellerStatus+" = ?"), append(args, r.status)
	}
	if r.text != "" {
		where, args = append(where, `s.name_key LIKE ? ESCAPE '\'`), append(args, like(nameKey(r.text)))
	}
	var rows []sellerRow
	err := q.Select(&rows, `SELECT `+sellerColumns+` FROM sellers s WHERE `+strings.Join(where, " AND ")+` ORDER BY `+column+way+`, s.id`+way+` LIMIT ?`,
		append(args, size+1)...)
	if err != nil {
		return nil, fmt.Errorf("list sellers: %w", err)
	}
	return sellersOf(rows)
}

// sellerKey is where a page of sellers ended.
type sellerKey struct {
	Name string           `json:"n"`
	At   clock.Time       `json:"a"`
	ID   catalog.SellerID `json:"i"`
}

// applicationKey is where a page of one person's applications ended.
type applicationKey struct {
	CreatedAt clock.Time       `json:"c"`
	ID        catalog.SellerID `json:"i"`
}

// selectApplications reads the sellers that a person applied for, one more than asked for if
// there are more.
func selectApplications(q store.Queryer, person id.Ref, more bool, after applicationKey, size int) ([]catalog.Seller, error) {
	where, args := `s.applied_by = ?`, []any{person}
	if more {
		where, args = where+` AND (s.created_at, s.id) < (?, ?)`, append(args, after.CreatedAt, after.ID)
	}
	var rows []sellerRow
	err := q.Select(&rows, `SELECT `+sellerColumns+` FROM sellers s WHERE `+where+` ORDER BY s.created_at DESC, s.id DESC LIMIT ?`,
		append(args, size+1)...)
	if err != nil {
		return nil, fmt.Errorf("select applications of %s: %w", person, err)
	}
	return sellersOf(rows)
}

// like is the pattern of what contains text.
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
}

// lowerASCII is what lower() makes of a column on both engines: letters beyond ASCII stay as they are.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// slugsLike reads the slugs that begin like slug: what a new one must differ from.
func slugsLike(q store.Queryer, slug string) ([]string, error) {
	var taken []string
	err := q.Select(&taken, `SELECT slug FROM sellers WHERE slug >= ? AND slug < ?`, slug, slug+"~")
	if err != nil {
		return nil, fmt.Errorf("select slugs like %s: %w", slug, err)
	}
	return taken, nil
}

// nameTaken says whether a seller other than but has the name.
func nameTaken(q store.Queryer, name string, but catalog.SellerID) (bool, error) {
	var n int
	err := q.Get(&n, `SELECT count(*) FROM sellers WHERE name_key = ? AND id <> ?`, nameKey(name), but)
	if err != nil {
		return false, fmt.Errorf("look for sellers called %s: %w", name, err)
	}
	return n > 0, nil
}

func insertSeller(tx *store.Tx, s catalog.Seller) error {
	legal, err := asJSON(s.Legal)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO sellers (id, slug, name, name_key, about, status, why, legal, currency, commission, applied_by, external_id, created_at, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, s.Slug, s.Name, nameKey(s.Name), s.About, s.Status, s.Why, legal, s.Currency, s.Commission, s.AppliedBy, s.ExternalID, s.CreatedAt, s.Version)
	if err != nil {
		return fmt.Errorf("insert seller %s: %w", s.ID, err)
	}
	return nil
}

// updateSeller stores s, which was loaded with the version before its own.
func updateSeller(tx *store.Tx, s catalog.Seller) error {
	legal, err := asJSON(s.Legal)
	if err != nil {
		return err
	}
	status, declinedAt := s.Status, clock.Time(0)
	if status == catalog.SellerDeclined {
		status, declinedAt = catalog.SellerSuspended, tx.Now()
	}
	n, err := tx.Exec(`UPDATE sellers SET slug = ?, name = ?, name_key = ?, about = ?, status = ?, declined_at = ?, why = ?, legal = ?, version = ?
		WHERE id = ? AND version = ?`,
		s.Slug, s.Name, keyOf(s), s.About, status, declinedAt, s.Why, legal, s.Version, s.ID, s.Version-1)
	if err != nil {
		return fmt.Errorf("update seller %s: %w", s.ID, err)
	}
	if n != 1 {
		return catalog.ErrVersion.With("the seller was changed in the meantime; load it again")
	}
	return nil
}

type categoryRow struct {
	ID     catalog.CategoryID `db:"id"`
	Parent catalog.CategoryID `db:"parent_id"`
	Path   string             `db:"path"`
	Name   string             `db:"name"`
	Depth  int32              `db:"depth"`
	Hue    int32              `db:"hue"`
}

const categoryColumns = `id, parent_id, path, name, depth, hue`

// selectCategories reads those at the paths; all without any.
func selectCategories(q store.Queryer, paths []string) (map[string]categoryRow, error) {
	var rows []categoryRow
	var err error
	if len(paths) == 0 {
		err = q.Select(&rows, `SELECT `+categoryColumns+` FROM categories`)
	} else {
		query, args, e := store.In(`SELECT `+categoryColumns+` FROM categories WHERE path IN (?)`, paths)
		if e != nil {
			return nil, e
		}
		err = q.Select(&rows, query, args...)
	}
	if err != nil {
		return nil, fmt.Errorf("select categories: %w", err)
	}
	at := make(map[string]categoryRow, len(rows))
	for _, row := range rows {
		at[row.Path] = row
	}
	return at, nil
}

// pathOf is the path of a category; "" for none, and false when it is not there.
func pathOf(q store.Queryer, cid catalog.CategoryID) (string, bool, error) {
	if cid == "" {
		return "", true, nil
	}
	var path string
	err := q.Get(&path, `SELECT path FROM categories WHERE id = ?`, cid)
	if isNone(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("select category %s: %w", cid, err)
	}
	return path, true, nil
}

func upsertCategory(tx *store.Tx, c categoryRow) error {
	_, err := tx.Exec(`INSERT INTO categories (id, parent_id, path, name, depth, hue) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, hue = excluded.hue`,
		c.ID, c.Parent, c.Path, c.Name, c.Depth, c.Hue)
	if err != nil {
		return fmt.Errorf("put category %s: %w", c.Path, err)
	}
	return nil
}
