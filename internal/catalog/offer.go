package catalog

import "souk/internal/platform/money"

// Offer is a variant as something to buy.
type Offer struct {
	Variant    VariantID   `json:"variant"`
	Listing    ListingID   `json:"listing"`
	Seller     SellerID    `json:"seller"`
	SellerName string      `json:"seller_name"`
	SellerSlug string      `json:"seller_slug"`
	Legal      LegalParty  `json:"legal"`
	Commission int32       `json:"commission"` // basis points of goods
	Title      string      `json:"title"`
	Options    []Option    `json:"options"`
	SKU        string      `json:"sku"`
	Image      string      `json:"image"`
	Path       string      `json:"path"` // category
	Price      money.Money `json:"price"`
	TaxClass   TaxClass    `json:"tax_class"`
	Grams      int64       `json:"grams"`
	Available  int64       `json:"available"`
	ForSale    bool        `json:"for_sale"` // listing active, variant not withdrawn, seller approved
}

// GetOffersRequest names variants, at most 500.
type GetOffersRequest struct {
	Variants []VariantID `json:"variants"`
}

// GetOffersReply has one offer for each variant that ever existed, in the order asked for.
type GetOffersReply struct {
	Offers []Offer `json:"offers"`
}
