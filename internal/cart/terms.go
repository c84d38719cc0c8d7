package cart

import (
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// Coupon takes something off for whoever has its code. Either Percent or Amount is set.
type Coupon struct {
	ID          CouponID         `json:"id"`
	Code        string           `json:"code"` // capitals and digits, unique
	Label       string           `json:"label"`
	Seller      catalog.SellerID `json:"seller"` // only on this seller's goods; "" site-wide
	Funder      Funder           `json:"funder"`
	Percent     int32            `json:"percent"` // basis points of the goods; 0 if Amount
	Amount      money.Money      `json:"amount"`  // off the goods, never more than they cost
	Minimum     money.Money      `json:"minimum"` // goods that it applies to cost at least this
	From        clock.Time       `json:"from"`    // zero: at once
	Until       clock.Time       `json:"until"`   // zero: without end
	Limit       int64            `json:"limit"`   // uses in all; 0 is without limit
	LimitPerson int64            `json:"limit_person"`
	Used        int64            `json:"used"` // claimed, given-back ones not counted
	Ended       bool             `json:"ended"`
	CreatedAt   clock.Time       `json:"created_at"`
	Version     int64            `json:"version"`
}

// PutCouponRequest makes a coupon, or changes the one with Coupon.ID and Coupon.Version.
// Used and CreatedAt are not taken from it.
type PutCouponRequest struct {
	By     actor.Actor `json:"by"`
	Key    string      `json:"key"`
	Coupon Coupon      `json:"coupon"`
}

// CouponReply is a coupon after a change.
type CouponReply struct {
	Coupon Coupon `json:"coupon"`
}

// ShippingKind is how a zone's price is found.
//
//rpc:fallback flat
type ShippingKind string

// The ways to price shipping.
const (
	ShippingFlat     ShippingKind = "flat"      // one price
	ShippingByWeight ShippingKind = "by_weight" // the first step that the parcel's grams do not exceed
	ShippingByPrice  ShippingKind = "by_price"  // the last step that the goods' price reaches
)

// ShippingTable is how one seller ships.
type ShippingTable struct {
	Seller  catalog.SellerID `json:"seller"` // "" is the marketplace's own table
	Zones   []ShippingZone   `json:"zones"`  // the first that has the destination and the cart's currency applies
	Version int64            `json:"version"`
}

// ShippingZone is a set of destinations with one way to price.
type ShippingZone struct {
	Label        string         `json:"label"`     // "Standard, 2 to 4 days"
	Countries    []string       `json:"countries"` // ISO 3166-1 alpha-2; empty is everywhere
	Currency     money.Currency `json:"currency"`  // of its prices; "" for any, and then all are zero
	Kind         ShippingKind   `json:"kind"`
	Steps        []ShippingStep `json:"steps"`         // one for flat
	GramsUnknown int64          `json:"grams_unknown"` // weight taken for goods that say none
}

// ShippingStep is one row of a price table. Of a flat zone only Price counts.
type ShippingStep struct {
	Grams int64       `json:"grams"` // by_weight: up to and with
	From  money.Money `json:"from"`  // by_price: goods cost this or more
	Price money.Money `json:"price"`
}

// PutShippingRequest replaces a table.
type PutShippingRequest struct {
	By    actor.Actor   `json:"by"`
	Key   string        `json:"key"`
	Table ShippingTable `json:"table"` // Version as read
}

// ShippingReply is a table after a change.
type ShippingReply struct {
	Table ShippingTable `json:"table"`
}

// GetShippingRequest names sellers, at most 200.
type GetShippingRequest struct {
	Sellers []catalog.SellerID `json:"sellers"`
}

// GetShippingReply has a table for each, in the order asked for.
type GetShippingReply struct {
	Tables []ShippingTable `json:"tables"`
}

// TaxTable is the rates of one country.
type TaxTable struct {
	Country  string    `json:"country"`  // "" applies where no other table does
	Included bool      `json:"included"` // prices contain the tax (VAT), or it is added (sales tax)
	Rates    []TaxRate `json:"rates"`
	Version  int64     `json:"version"`
}

// TaxRate is the rate of a class in a region.
type TaxRate struct {
	Region      string           `json:"region"` // "" for the whole country
	Class       catalog.TaxClass `json:"class"`
	BasisPoints int32            `json:"basis_points"`
}

// PutTaxesRequest replaces a country's table.
type PutTaxesRequest struct {
	By    actor.Actor `json:"by"`
	Key   string      `json:"key"`
	Table TaxTable    `json:"table"`
}

// TaxesReply is a table after a change.
type TaxesReply struct {
	Table TaxTable `json:"table"`
}

// ListTaxesRequest asks for all tables.
type ListTaxesRequest struct{}

// ListTaxesReply has them.
type ListTaxesReply struct {
	Tables []TaxTable `json:"tables"`
}
