package catalogsvc

import (
	"fmt"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

type listingRow struct {
	ID           catalog.ListingID     `db:"id"`
	Seller       catalog.SellerID      `db:"seller_id"`
	SellerName   string                `db:"seller_name"`
	SellerSlug   string                `db:"seller_slug"`
	SellerStatus catalog.SellerStatus  `db:"seller_status"`
	Legal        string                `db:"legal"`
	Commission   int32                 `db:"commission"`
	ExternalID   string                `db:"external_id"`
	FeedLead     string                `db:"feed_lead"`
	Title        string                `db:"title"`
	Description  string                `db:"description"`
	Brand        string                `db:"brand"`
	Category     catalog.CategoryID    `db:"category_id"`
	Path         string                `db:"path"`
	Condition    catalog.Condition     `db:"condition"`
	TaxClass     catalog.TaxClass      `db:"tax_class"`
	Attributes   string                `db:"attributes"`
	Images       string                `db:"images"`
	Status       catalog.ListingStatus `db:"status"`
	CreatedAt    clock.Time            `db:"created_at"`
	ChangedAt    clock.Time            `db:"changed_at"`
	Version      int64                 `db:"version"`
	Revision     int64                 `db:"revision"`
}

const (
	listingColumns = `l.id, l.seller_id, s.name AS seller_name, s.slug AS seller_slug, s.status AS seller_status, s.legal, s.commission, l.external_id, l.feed_lead,
	l.title, l.description, l.brand, l.category_id, coalesce(c.path, '') AS path, l.condition, l.tax_class, l.attributes, l.images,
	l.status, l.created_at, l.changed_at, l.version, l.revision`
	listingTables = `listings l JOIN sellers s ON s.id = l.seller_id LEFT JOIN categories c ON c.id = l.category_id`
)

func (r listingRow) listing() (*listing, error) {
	l := &listing{Revision: r.Revision, FeedLead: r.FeedLead, SellerStatus: r.SellerStatus, Commission: r.Commission, Listing: catalog.Listing{
		ID: r.ID, Seller: r.Seller, SellerName: r.SellerName, SellerSlug: r.SellerSlug, ExternalID: r.ExternalID,
		Title: r.Title, Description: r.Description, Brand: r.Brand, Category: r.Category, Path: r.Path,
		Condition: r.Condition, TaxClass: r.TaxClass, Status: r.Status, CreatedAt: r.CreatedAt, ChangedAt: r.ChangedAt, Version: r.Version,
	}}
	if err := fromJSON(r.Legal, &l.Legal); err != nil {
		return nil, err
	}
	if err := fromJSON(r.Attributes, &l.Attributes); err != nil {
		return nil, err
	}
	return l, fromJSON(r.Images, &l.Images)
}

type variantRow struct {
	ID        catalog.VariantID `db:"id"`
	Listing   catalog.ListingID `db:"listing_id"`
	External  string            `db:"external_id"`
	SKU       string            `db:"sku"`
	GTIN      string            `db:"gtin"`
	Options   string            `db:"options"`
	Currency  money.Currency    `db:"currency"`
	Price     int64             `db:"price"`
	WasPrice  *int64            `db:"was_price"`
	Grams     int64             `db:"grams"`
	Withdrawn bool              `db:"withdrawn"`
	OnHand    int64             `db:"on_hand"`
	Held      int64             `db:"held"`
	Allocated int64             `db:"allocated"`
}

const variantColumns = `v.id, v.listing_id, v.external_id, v.sku, v.gtin, v.options, v.currency, v.price, v.was_price, v.grams, v.withdrawn, t.on_hand, t.held, t.allocated`

func (r variantRow) variant() (catalog.Variant, error) {
	v := catalog.Variant{
		ID: r.ID, SKU: r.SKU, GTIN: r.GTIN, Price: money.Money{Minor: r.Price, Currency: r.Currency}, Grams: r.Grams, Withdrawn: r.Withdrawn,
		Stock: catalog.Stock{OnHand: r.OnHand, Held: r.Held, Allocated: r.Allocated},
	}
	v.Stock.Available = available(v.Stock)
	if r.WasPrice != nil {
		v.WasPrice = &money.Money{Minor: *r.WasPrice, Currency: r.Currency}
	}
	return v, fromJSON(r.Options, &v.Options)
}

// selectListings reads listings whole, in no order. What is held counts as held until the
// hold is ended, term or not: this is what events go by.
func selectListings(q store.Queryer, ids []catalog.ListingID) ([]*listing, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	query, args, err := store.In(`SELECT `+listingColumns+` FROM `+listingTables+` WHERE l.id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var rows []listingRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select listings: %w", err)
	}
	return withVariants(q, rows)
}

// withVariants completes listings by what they have to sell.
func withVariants(q store.Queryer, rows []listingRow) ([]*listing, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	all, at, ids := make([]*listing, len(rows)), make(map[catalog.ListingID]*listing, len(rows)), make([]catalog.ListingID, len(rows))
	for i, row := range rows {
		l, err := row.listing()
		if err != nil {
			return nil, err
		}
		all[i], at[l.ID], ids[i] = l, l, l.ID
	}
	query, args, err := store.In(`SELECT `+variantColumns+` FROM variants v JOIN stock t ON t.variant_id = v.id WHERE v.listing_id IN (?)
		ORDER BY v.listing_id, v.position`, ids)
	if err != nil {
		return nil, err
	}
	var variants []variantRow
	if err := q.Select(&variants, query, args...); err != nil {
		return nil, fmt.Errorf("select variants: %w", err)
	}
	for _, row := range variants {
		v, err := row.variant()
		if err != nil {
			return nil, err
		}
		l := at[row.Listing]
		l.Variants = append(l.Variants, v)
		if row.External != "" {
			if l.externals == nil {
				l.externals = map[catalog.VariantID]string{}
			}
			l.externals[v.ID] = row.External
		}
	}
	return all, nil
}

func selectListing(q store.Queryer, lid catalog.ListingID) (*listing, error) {
	found, err := selectListings(q, []catalog.ListingID{lid})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, catalog.ErrNotFound.With("there is no listing %s", lid)
	}
	return found[0], nil
}

// selectOwn reads a listing of the seller's; of anyone's when the seller is "".
func selectOwn(q store.Queryer, lid catalog.ListingID, seller catalog.SellerID) (*listing, error) {
	var row listingRow
	err := q.Get(&row, `SELECT `+listingColumns+` FROM `+listingTables+` WHERE l.id = ? AND (l.seller_id = ? OR ? = '')`, lid, seller, seller)
	if isNone(err) {
		return nil, catalog.ErrNotFound.With("there is no listing %s among yours", lid)
	}
	if err != nil {
		return nil, fmt.Errorf("select listing %s: %w", lid, err)
	}
	all, err := withVariants(q, []listingRow{row})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// listingKey is where a page of listings ended.
type listingKey struct {
	CreatedAt clock.Time        `json:"c"`
	ID        catalog.ListingID `json:"i"`
}

// listingWhere is what a list of listings filters by, and its arguments.
func listingWhere(r catalog.ListListingsRequest, scope listingScope) (string, []any) {
	var where []string
	var args []any
	and := func(cond string, arg ...any) { where, args = append(where, cond), append(args, arg...) }
	if r.Seller != "" {
		and("l.seller_id = ?", r.Seller)
	}
	switch {
	case scope.all || r.Seller != "" && r.Seller == scope.own:
	case scope.own != "":
		and("(l.status = 'active' AND s.status = 'approved' OR l.seller_id = ?)", scope.own)
	default:
		and("l.status = 'active' AND s.status = 'approved'")
	}
	if r.Status != "" {
		and("l.status = ?", r.Status)
	}
	if r.Path != "" { // '0' comes after '/': what lies between is below the path
		and("l.category_id IN (SELECT id FROM categories WHERE path = ? OR path > ? AND path < ?)", r.Path, r.Path+"/", r.Path+"0")
	}
	if r.Text != "" {
		text := like(lowerASCII(r.Text))
		and(`(lower(l.title) LIKE ? ESCAPE '\' OR lower(l.external_id) LIKE ? ESCAPE '\' OR EXISTS (
			SELECT 1 FROM variants v WHERE v.listing_id = l.id AND lower(v.sku) LIKE ? ESCAPE '\'))`, text, text, text)
	}
	if len(where) == 0 {
		return " WHERE 1 = 1", nil
	}
	return " WHERE " + strings.Join(where, " AND "), args
}

// listListings reads a page of listings, newest first, one more than asked for if there are more.
func listListings(q store.Queryer, r catalog.ListListingsRequest, scope listingScope, before *listingKey, size int) ([]*listing, error) {
	where, args := listingWhere(r, scope)
	if before != nil {
		where, args = where+" AND (l.created_at, l.id) < (?, ?)", append(args, before.CreatedAt, before.ID)
	}
	query := `SELECT ` + listingColumns + ` FROM ` + listingTables + where
	var rows []listingRow
	if err := q.Select(&rows, query+` ORDER BY l.created_at DESC, l.id DESC LIMIT ?`, append(args, size+1)...); err != nil {
		return nil, fmt.Errorf("list listings: %w", err)
	}
	return withVariants(q, rows)
}

const (
	listingHead = `INSERT INTO listings (id, seller_id, external_id, feed_lead, title, description, brand, category_id, condition, tax_class,
		attributes, images, image, status, created_at, changed_at, version, revision)`
	listingValues = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	listingTail   = `ON CONFLICT (id) DO UPDATE SET external_id = excluded.external_id, feed_lead = excluded.feed_lead, title = excluded.title,
		description = excluded.description, brand = excluded.brand, category_id = excluded.category_id, condition = excluded.condition,
		tax_class = excluded.tax_class, attributes = excluded.attributes, images = excluded.images, image = excluded.image,
		status = excluded.status, changed_at = excluded.changed_at, version = excluded.version, revision = excluded.revision`
)

func (l *listing) values() ([]any, error) {
	attributes, images, err := l.encodedAttributes, l.encodedImages, error(nil)
	if attributes == "" {
		if attributes, err = asJSON(l.Attributes); err != nil {
			return nil, err
		}
	}
	if images == "" {
		if images, err = asJSON(l.Images); err != nil {
			return nil, err
		}
	}
	return []any{
		l.ID, l.Seller, l.ExternalID, l.FeedLead, l.Title, l.Description, l.Brand, l.Category, l.Condition, l.TaxClass,
		attributes, images, l.image(), l.Status, l.CreatedAt, l.ChangedAt, l.Version, l.Revision,
	}, nil
}

const (
	variantHead = `INSERT INTO variants (id, listing_id, seller_id, external_id, feed_hash, position, sku, gtin, options, currency, price, was_price,
		grams, withdrawn)`
	variantValues = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	// What a person edits keeps its place in the feed, but not the hash of the row: the next
	// import applies the row again.
	variantEdited = `ON CONFLICT (id) DO UPDATE SET feed_hash = NULL, position = excluded.position, sku = excluded.sku, gtin = excluded.gtin,
		options = excluded.options, currency = excluded.currency, price = excluded.price, was_price = excluded.was_price,
		grams = excluded.grams, withdrawn = excluded.withdrawn`
)

func variantValuesOf(l *listing, at int, v catalog.Variant, externalID string, feedHash []byte) ([]any, error) {
	options, err := asJSON(v.Options)
	if err != nil {
		return nil, err
	}
	var was *int64
	if v.WasPrice != nil {
		was = &v.WasPrice.Minor
	}
	var hash any
	if feedHash != nil {
		hash = feedHash
	}
	return []any{
		v.ID, l.ID, l.Seller, externalID, hash, at, v.SKU, v.GTIN, options, v.Price.Currency, v.Price.Minor, was, v.Grams, v.Withdrawn,
	}, nil
}

// storeListing writes l and its variants, new or changed. was is the version it was loaded
// with, 0 for a new one.
func storeListing(tx *store.Tx, l *listing, was int64) error {
	if was > 0 {
		n, err := tx.Exec(`UPDATE listings SET version = ? WHERE id = ? AND version = ?`, l.Version, l.ID, was)
		if err != nil {
			return fmt.Errorf("update listing %s: %w", l.ID, err)
		}
		if n != 1 {
			return catalog.ErrVersion.With("the listing was changed in the meantime; load it again")
		}
		// SKUs may change hands between variants: none is in the way of another.
		if _, err := tx.Exec(`UPDATE variants SET sku = '' WHERE listing_id = ?`, l.ID); err != nil {
			return fmt.Errorf("free the SKUs of listing %s: %w", l.ID, err)
		}
	}
	values, err := l.values()
	if err != nil {
		return err
	}
	if err := bulk(tx, listingHead, listingValues, listingTail, [][]any{values}); err != nil {
		return fmt.Errorf("store listing %s: %w", l.ID, err)
	}
	variants, shelves := make([][]any, len(l.Variants)), make([][]any, len(l.Variants))
	for i, v := range l.Variants {
		if variants[i], err = variantValuesOf(l, i, v, "", nil); err != nil {
			return err
		}
		shelves[i] = []any{v.ID}
	}
	if err := bulk(tx, variantHead, variantValues, variantEdited, variants); err != nil {
		return fmt.Errorf("store the variants of listing %s: %w", l.ID, err)
	}
	return insertShelves(tx, shelves)
}

// updateStatus stores where l has come, and when.
func updateStatus(tx *store.Tx, l *listing) error {
	n, err := tx.Exec(`UPDATE listings SET status = ?, changed_at = ?, version = ?, revision = ? WHERE id = ? AND version = ?`,
		l.Status, l.ChangedAt, l.Version, l.Revision, l.ID, l.Version-1)
	if err != nil {
		return fmt.Errorf("update the status of listing %s: %w", l.ID, err)
	}
	if n != 1 {
		return catalog.ErrVersion.With("the listing was changed in the meantime; load it again")
	}
	return nil
}

// insertShelves gives variants their row of stock, if they have none.
func insertShelves(tx *store.Tx, shelves [][]any) error {
	if err := bulk(tx, `INSERT INTO stock (variant_id)`, `(?)`, `ON CONFLICT (variant_id) DO NOTHING`, shelves); err != nil {
		return fmt.Errorf("make stock rows: %w", err)
	}
	return nil
}

// skuTaken names the SKU among those given that a listing other than but has, or "".
func skuTaken(q store.Queryer, seller catalog.SellerID, skus []string, but catalog.ListingID) (string, error) {
	if len(skus) == 0 {
		return "", nil
	}
	query, args, err := store.In(`SELECT sku FROM variants WHERE seller_id = ? AND sku IN (?) AND sku <> '' AND withdrawn = 0 AND listing_id <> ? LIMIT 1`,
		seller, skus, but)
	if err != nil {
		return "", err
	}
	var sku string
	if err := q.Get(&sku, query, args...); err != nil && !isNone(err) {
		return "", fmt.Errorf("look for SKUs of %s: %w", seller, err)
	}
	return sku, nil
}

// externalTaken says whether another listing of the seller has that id in feeds.
func externalTaken(q store.Queryer, seller catalog.SellerID, external string, but catalog.ListingID) (bool, error) {
	if external == "" {
		return false, nil
	}
	var n int
	err := q.Get(&n, `SELECT count(*) FROM listings WHERE seller_id = ? AND external_id = ? AND external_id <> '' AND id <> ?`, seller, external, but)
	if err != nil {
		return false, fmt.Errorf("look for external id %s of %s: %w", external, seller, err)
	}
	return n > 0, nil
}

// bump raises the revision of listings whose availability has changed.
func bump(tx *store.Tx, ids []catalog.ListingID) error {
	query, args, err := store.In(`UPDATE listings SET revision = revision + 1 WHERE id IN (?)`, ids)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(query, args...); err != nil {
		return fmt.Errorf("raise revisions: %w", err)
	}
	return nil
}
