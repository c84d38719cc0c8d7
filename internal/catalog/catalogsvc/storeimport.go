package catalogsvc

import (
	"fmt"
	"math/bits"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// feedKey names a row of a feed, or a listing, among those of its seller.
type feedKey struct {
	seller   catalog.SellerID
	external string
}

// keyed writes out a query whose CTE has one pair of (?, ?) for all keys: filled up to a power
// of two so that few texts come of it.
func keyed(query string, keys []feedKey) (string, []any) {
	n := 1 << bits.Len(uint(len(keys)-1)) //nolint:gosec // not negative
	args := make([]any, 0, 2*n)
	for i := range n {
		k := keys[min(i, len(keys)-1)]
		args = append(args, k.seller, k.external)
	}
	return strings.Replace(query, "(?, ?)", strings.TrimSuffix(strings.Repeat("(?, ?), ", n), ", "), 1), args
}

// feedVariant is a variant as an import looks at it.
type feedVariant struct {
	ID        catalog.VariantID `db:"id"`
	Listing   catalog.ListingID `db:"listing_id"`
	Group     string            `db:"listing_external"`
	Seller    catalog.SellerID  `db:"seller_id"`
	External  string            `db:"external_id"`
	Hash      []byte            `db:"feed_hash"`
	SKU       string            `db:"sku"`
	Withdrawn bool              `db:"withdrawn"`
	OnHand    int64             `db:"on_hand"`
	Held      int64             `db:"held"`
	Allocated int64             `db:"allocated"`
	CountedAt clock.Time        `db:"counted_at"`
}

const feedVariantColumns = `v.id, v.listing_id, l.external_id AS listing_external, v.seller_id, v.external_id, v.feed_hash, v.sku, v.withdrawn,
	t.on_hand, t.held, t.allocated, t.counted_at`

// selectByExternal reads the variants that came from rows of these names.
func selectByExternal(q store.Queryer, keys []feedKey) (map[feedKey]feedVariant, error) {
	query, args := keyed(`WITH k (seller, external) AS (VALUES (?, ?)) SELECT `+feedVariantColumns+` FROM k CROSS JOIN variants v
		JOIN stock t ON t.variant_id = v.id JOIN listings l ON l.id = v.listing_id
		WHERE v.seller_id = k.seller AND v.external_id = k.external AND v.external_id <> ''`, keys)
	return selectFeedVariants(q, query, args, func(v feedVariant) feedKey { return feedKey{v.Seller, v.External} })
}

// selectBySKU reads the variants that have these names as their SKU.
func selectBySKU(q store.Queryer, keys []feedKey) (map[feedKey]feedVariant, error) {
	query, args := keyed(`WITH k (seller, external) AS (VALUES (?, ?)) SELECT `+feedVariantColumns+` FROM k CROSS JOIN variants v
		JOIN stock t ON t.variant_id = v.id JOIN listings l ON l.id = v.listing_id
		WHERE v.seller_id = k.seller AND v.sku = k.external AND v.sku <> '' AND v.withdrawn = 0`, keys)
	return selectFeedVariants(q, query, args, func(v feedVariant) feedKey { return feedKey{v.Seller, v.SKU} })
}

// selectByID reads the variants whose names in the feed are souk's own ids.
func selectByID(q store.Queryer, keys []feedKey) (map[feedKey]feedVariant, error) {
	query, args := keyed(`WITH k (seller, external) AS (VALUES (?, ?)) SELECT `+feedVariantColumns+` FROM k CROSS JOIN variants v
		JOIN stock t ON t.variant_id = v.id JOIN listings l ON l.id = v.listing_id
		WHERE v.id = k.external AND v.seller_id = k.seller`, keys)
	return selectFeedVariants(q, query, args, func(v feedVariant) feedKey { return feedKey{v.Seller, string(v.ID)} })
}

func selectFeedVariants(q store.Queryer, query string, args []any, key func(feedVariant) feedKey) (map[feedKey]feedVariant, error) {
	var rows []feedVariant
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select the variants of feed rows: %w", err)
	}
	at := make(map[feedKey]feedVariant, len(rows))
	for _, row := range rows {
		at[key(row)] = row
	}
	return at, nil
}

// selectGroups reads which listings have these names.
func selectGroups(q store.Queryer, keys []feedKey) (map[feedKey]catalog.ListingID, error) {
	query, args := keyed(`WITH k (seller, external) AS (VALUES (?, ?)) SELECT l.id, l.seller_id, l.external_id FROM k CROSS JOIN listings l
		WHERE l.seller_id = k.seller AND l.external_id = k.external AND l.external_id <> ''`, keys)
	var rows []struct {
		ID       catalog.ListingID `db:"id"`
		Seller   catalog.SellerID  `db:"seller_id"`
		External string            `db:"external_id"`
	}
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select the listings of feed rows: %w", err)
	}
	at := make(map[feedKey]catalog.ListingID, len(rows))
	for _, row := range rows {
		at[feedKey{row.Seller, row.External}] = row.ID
	}
	return at, nil
}

// selectFeedSellers reads the sellers that feeds call by these names, or whose slugs they are.
func selectFeedSellers(q store.Queryer, names []string) ([]catalog.Seller, error) {
	query, args, err := store.In(`SELECT `+sellerColumns+` FROM sellers s WHERE s.external_id IN (?) AND s.external_id <> '' OR s.slug IN (?)`, names, names)
	if err != nil {
		return nil, err
	}
	var rows []sellerRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select the sellers of a feed: %w", err)
	}
	return sellersOf(rows)
}

// variantImported is what an import changes of a variant that is there: its place stays.
const variantImported = `ON CONFLICT (id) DO UPDATE SET external_id = excluded.external_id, feed_hash = excluded.feed_hash, sku = excluded.sku,
	gtin = excluded.gtin, options = excluded.options, currency = excluded.currency, price = excluded.price, was_price = excluded.was_price,
	grams = excluded.grams, withdrawn = excluded.withdrawn`

// letGo withdraws variants whose rows have gone to another listing.
func letGo(tx *store.Tx, ids []catalog.VariantID) error {
	if len(ids) == 0 {
		return nil
	}
	query, args, err := store.In(`UPDATE variants SET withdrawn = 1, external_id = '', feed_hash = NULL WHERE id IN (?)`, ids)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(query, args...); err != nil {
		return fmt.Errorf("withdraw variants that moved: %w", err)
	}
	return nil
}

// insertCounted gives new variants their row of stock, with when they were counted.
func insertCounted(tx *store.Tx, shelves [][]any) error {
	if err := bulk(tx, `INSERT INTO stock (variant_id, counted_at)`, `(?, ?)`, "", shelves); err != nil {
		return fmt.Errorf("make stock rows: %w", err)
	}
	return nil
}

// noteCounts remembers when variants were last counted.
func noteCounts(tx *store.Tx, ids []catalog.VariantID, at clock.Time) error {
	if len(ids) == 0 {
		return nil
	}
	query, args, err := store.In(`UPDATE stock SET counted_at = max(counted_at, ?) WHERE variant_id IN (?)`, at, ids)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(query, args...); err != nil {
		return fmt.Errorf("note counts: %w", err)
	}
	return nil
}

// storeImport keeps up the row of an import.
func storeImport(tx *store.Tx, iid string, seller catalog.SellerID, status string, r ImportResult, began clock.Time) error {
	ended := clock.Time(0)
	if status != importRunning {
		ended = tx.Now()
	}
	_, err := tx.Exec(`INSERT INTO imports (id, seller_id, status, started_at, ended_at, read_rows, rejected, created, updated, unchanged)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET status = excluded.status, ended_at = excluded.ended_at,
		read_rows = excluded.read_rows, rejected = excluded.rejected, created = excluded.created, updated = excluded.updated, unchanged = excluded.unchanged`,
		iid, seller, status, began, ended, r.Rows, r.Rejected, r.Created, r.Updated, r.Unchanged)
	if err != nil {
		return fmt.Errorf("keep up import %s: %w", iid, err)
	}
	return nil
}

// exportKey is where an export has come.
type exportKey struct {
	CreatedAt clock.Time
	ID        catalog.ListingID
}

// selectExport reads the next listings to export, oldest first.
func selectExport(q store.Queryer, seller catalog.SellerID, all bool, after exportKey, size int) ([]*listing, error) {
	where, args := "(l.created_at, l.id) > (?, ?)", []any{after.CreatedAt, after.ID}
	if seller != "" {
		where, args = "l.seller_id = ? AND "+where, append([]any{seller}, args...)
	}
	if !all {
		where += " AND l.status = 'active' AND s.status = 'approved'"
	}
	var rows []listingRow
	err := q.Select(&rows, `SELECT `+listingColumns+` FROM `+listingTables+` WHERE `+where+` ORDER BY l.created_at, l.id LIMIT ?`, append(args, size)...)
	if err != nil {
		return nil, fmt.Errorf("read listings to export: %w", err)
	}
	return withVariants(q, rows)
}
