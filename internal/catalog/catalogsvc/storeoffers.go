package catalogsvc

import (
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// offerRow is what an offer needs and no more: carts ask for offers often, and a listing's
// texts and attributes are most of its weight.
type offerRow struct {
	Variant    catalog.VariantID `db:"id"`
	Listing    catalog.ListingID `db:"listing_id"`
	Seller     catalog.SellerID  `db:"seller_id"`
	SellerName string            `db:"seller_name"`
	SellerSlug string            `db:"seller_slug"`
	Legal      string            `db:"legal"`
	Commission int32             `db:"commission"`
	Title      string            `db:"title"`
	Options    string            `db:"options"`
	SKU        string            `db:"sku"`
	Image      string            `db:"image"`
	Path       string            `db:"path"`
	Price      int64             `db:"price"`
	Currency   money.Currency    `db:"currency"`
	TaxClass   catalog.TaxClass  `db:"tax_class"`
	Grams      int64             `db:"grams"`
	ForSale    bool              `db:"for_sale"`
	OnHand     int64             `db:"on_hand"`
	Held       int64             `db:"held"`
	Allocated  int64             `db:"allocated"`
}

// selectOffers reads variants as something to buy, as they are at that moment.
func selectOffers(q store.Queryer, variants []catalog.VariantID, now clock.Time) (map[catalog.VariantID]catalog.Offer, error) {
	query, args, err := store.In(`SELECT v.id, v.listing_id, v.seller_id, s.name AS seller_name, s.slug AS seller_slug, s.legal, s.commission,
			l.title, v.options, v.sku, l.image, coalesce(c.path, '') AS path, v.price, v.currency, l.tax_class, v.grams,
			v.withdrawn = 0 AND l.status = 'active' AND s.status = 'approved' AS for_sale, t.on_hand, t.held, t.allocated
		FROM variants v JOIN stock t ON t.variant_id = v.id JOIN listings l ON l.id = v.listing_id JOIN sellers s ON s.id = l.seller_id
			LEFT JOIN categories c ON c.id = l.category_id WHERE v.id IN (?)`, variants)
	if err != nil {
		return nil, err
	}
	var rows []offerRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select offers: %w", err)
	}
	var held []catalog.VariantID
	for _, row := range rows {
		if row.Held > 0 {
			held = append(held, row.Variant)
		}
	}
	terms, err := selectTerms(q, now, held)
	if err != nil {
		return nil, err
	}
	offers := make(map[catalog.VariantID]catalog.Offer, len(rows))
	for _, row := range rows {
		row.Held -= terms[row.Variant].Over
		if offers[row.Variant], err = row.offer(); err != nil {
			return nil, err
		}
	}
	return offers, nil
}

func (r offerRow) offer() (catalog.Offer, error) {
	o := catalog.Offer{
		Variant: r.Variant, Listing: r.Listing, Seller: r.Seller, SellerName: r.SellerName, SellerSlug: r.SellerSlug, Commission: r.Commission,
		Title: r.Title, SKU: r.SKU, Image: r.Image, Path: r.Path, Price: money.Money{Minor: r.Price, Currency: r.Currency},
		TaxClass: r.TaxClass, Grams: r.Grams, ForSale: r.ForSale,
		Available: available(catalog.Stock{OnHand: r.OnHand, Held: r.Held, Allocated: r.Allocated}),
	}
	if err := fromJSON(r.Legal, &o.Legal); err != nil {
		return o, err
	}
	return o, fromJSON(r.Options, &o.Options)
}
