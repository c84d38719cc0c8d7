package catalog

import (
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Log is the name of catalog's event log.
const Log bus.Log = "catalog"

// ListingChanged carries the whole state of a listing that a reader needs to show or find
// it. It is published when anything in it changes, availability included.
type ListingChanged struct {
	ListingID   ListingID        `json:"listing_id"`
	SellerID    SellerID         `json:"seller_id"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Brand       string           `json:"brand"`
	CategoryID  CategoryID       `json:"category_id"`
	Path        string           `json:"path"`
	Condition   Condition        `json:"condition"`
	Attributes  []Attribute      `json:"attributes"`
	Image       string           `json:"image"`
	Status      ListingStatus    `json:"status"`
	Variants    []ListingVariant `json:"variants"` // those not withdrawn
	CreatedAt   clock.Time       `json:"created_at"`
	Version     int64            `json:"version"` // grows with every change of the listing or its availability
}

// ListingVariant is a variant in ListingChanged.
type ListingVariant struct {
	VariantID VariantID   `json:"variant_id"`
	SKU       string      `json:"sku"`
	GTIN      string      `json:"gtin"`
	Options   []Option    `json:"options"`
	Price     money.Money `json:"price"`
	InStock   bool        `json:"in_stock"`
}

// EventName is fixed for ever.
func (ListingChanged) EventName() string { return "catalog.listing_changed.v1" }

// EventKey keeps the events of one listing in order.
func (e ListingChanged) EventKey() string { return string(e.ListingID) }

// SellerChanged says what a seller is called and where it stands.
type SellerChanged struct {
	SellerID  SellerID     `json:"seller_id"`
	Slug      string       `json:"slug"`
	Name      string       `json:"name"`
	Status    SellerStatus `json:"status"`
	AppliedBy id.Ref       `json:"applied_by"` // the person; approval makes it the seller's first staff
	At        clock.Time   `json:"at"`
}

// EventName is fixed for ever.
func (SellerChanged) EventName() string { return "catalog.seller_changed.v1" }

// EventKey keeps the events of one seller in order.
func (e SellerChanged) EventKey() string { return string(e.SellerID) }

// CategoryChanged says that a category was made or renamed.
type CategoryChanged struct {
	Category Category `json:"category"`
}

// EventName is fixed for ever.
func (CategoryChanged) EventName() string { return "catalog.category_changed.v1" }

// EventKey keeps the events of one category in order.
func (e CategoryChanged) EventKey() string { return string(e.Category.ID) }
