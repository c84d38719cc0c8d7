// Package cart is what a buyer means to buy, and exactly what that would cost.
//
// A cart is open, then claimed by one checkout, then closed by its placement, or open again
// when the checkout comes to nothing:
//
//	open ⇄ claimed → closed
//
// A quote is computed from the cart, a destination, the sellers' shipping tables, the
// tax tables and the coupons, and accounts for every unit: the shares of the lines sum to
// those of the sellers, and those to the grand total. A cart has one currency.
package cart

import (
	"context"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
)

//go:generate go run souk/internal/platform/rpc/gen

// CartID names a cart.
type CartID = id.ID[Cart]

// CouponID names a coupon.
type CouponID = id.ID[Coupon]

// Makers of ids.
var (
	CartIDs   = id.Maker[Cart]{Prefix: "crt_"}
	CouponIDs = id.Maker[Coupon]{Prefix: "cpn_"}
)

// Service is what other modules may ask of cart. Whose cart is meant is always said by
// the actor: a person's, or that of a guest's cart token.
type Service interface {
	// GetCart reads the caller's open or claimed cart with what has changed since things were
	// added. A caller without one gets an empty cart without an id.
	//
	//rpc:read
	GetCart(ctx context.Context, r GetCartRequest) (CartReply, error)

	// ChangeLine adds to, sets or removes (quantity 0) a line of the caller's cart, and makes
	// the cart when there is none. ErrNotForSale, ErrOutOfStock (with how many there are),
	// ErrCurrency for goods of another currency than the cart's, ErrLimit past a bound,
	// ErrClaimed while a checkout has the cart.
	ChangeLine(ctx context.Context, r ChangeLineRequest) (CartReply, error)

	// AcceptChanges takes note of changed prices: their notices go. What is to be bought stays
	// the same, so the cart keeps its version. A price in another currency than the cart's
	// counts only when all lines have come to it.
	AcceptChanges(ctx context.Context, r AcceptChangesRequest) (CartReply, error)

	// ApplyCoupon puts a code on the cart. ErrCoupon says why not, in words for the buyer.
	ApplyCoupon(ctx context.Context, r CouponCodeRequest) (CartReply, error)

	// RemoveCoupon takes a code off the cart.
	RemoveCoupon(ctx context.Context, r CouponCodeRequest) (CartReply, error)

	// Merge moves a guest's cart into the cart of the person who signed in. Per variant the
	// larger of both quantities stays, within limits; codes of both are kept, the person's
	// first; what cannot be merged (another currency, past a limit) stays in the guest's
	// cart and is said in Kept. Nothing is lost.
	Merge(ctx context.Context, r MergeRequest) (MergeReply, error)

	// Quote computes what the caller's cart would cost at a destination. It never fails for a
	// line that cannot be bought or sent: that is said in Problems, and such a quote cannot
	// be claimed. Of a cart that a checkout has, it is the quote that was claimed.
	//
	//rpc:read
	Quote(ctx context.Context, r QuoteRequest) (QuoteReply, error)

	// Claim gives the cart to a checkout under r.Key. Cart quotes again and refuses with
	// ErrQuoteChanged when the result differs from r.QuoteHash (Quote then shows the new
	// one); claims the uses of coupons for r.Person, or ErrCoupon; and locks the cart.
	// ErrClaimed when another checkout has it, ErrVersion when the cart changed, ErrUnbuyable
	// for a quote with Problems. Repeating the key answers as the first time until the cart is
	// closed, and then with ErrStatus: the quote is the order's from there on. The system only.
	Claim(ctx context.Context, r ClaimRequest) (ClaimReply, error)

	// Close ends a claimed cart when its order is placed. What is left of it is a new, empty
	// cart. Repeating it changes nothing, whatever the key. ErrNotFound without such a claim,
	// ErrStatus when it was released. The system only.
	Close(ctx context.Context, r CloseRequest) (CloseReply, error)

	// Release undoes Claim by the key it was made with: the cart is open again and coupon
	// uses are given back. A key never seen succeeds and a late Claim is refused with
	// ErrKeyUndone. ErrStatus once closed. The system only.
	Release(ctx context.Context, r ReleaseRequest) (ReleaseReply, error)

	// PutCoupon makes or changes a coupon. A seller's staff for its own goods, funded by the
	// seller; operators site-wide too, funded by whom they say. ErrCodeTaken when another has
	// the code; ErrVersion when it was changed since; ErrStatus for another code, seller or
	// funder than it has; ErrLimit below the uses that are taken.
	PutCoupon(ctx context.Context, r PutCouponRequest) (CouponReply, error)

	// ListCoupons pages through coupons, newest first: a seller's own, or all for operators.
	//
	//rpc:read
	ListCoupons(ctx context.Context, r ListCouponsRequest) (ListCouponsReply, error)

	// PutShipping replaces a seller's shipping table. Its staff and operators only. Without zones
	// it withdraws the table that the seller has: the marketplace's applies again.
	PutShipping(ctx context.Context, r PutShippingRequest) (ShippingReply, error)

	// GetShipping reads sellers' shipping tables in batch. A seller without one of its own
	// has the marketplace's.
	//
	//rpc:read
	GetShipping(ctx context.Context, r GetShippingRequest) (GetShippingReply, error)

	// PutTaxes replaces the tax table of one country. Operators and the system only.
	PutTaxes(ctx context.Context, r PutTaxesRequest) (TaxesReply, error)

	// ListTaxes reads the tax tables of all countries.
	//
	//rpc:read
	ListTaxes(ctx context.Context, r ListTaxesRequest) (ListTaxesReply, error)

	// Audit streams every claim that is not yet closed or released, and with the pages what
	// cart finds wrong within itself. The system only.
	//
	//rpc:read
	Audit(ctx context.Context, r audit.Request) (AuditReply, error)
}

// The bounds of a cart.
const (
	MaxLines    = 100
	MaxQuantity = 999
	MaxCodes    = 5
)

// Status is whether a cart can be changed.
//
//rpc:fallback claimed
type Status string

// The states of a cart.
const (
	StatusOpen    Status = "open"
	StatusClaimed Status = "claimed"
	StatusClosed  Status = "closed"
)

// Cart is what someone means to buy.
type Cart struct {
	ID        CartID         `json:"id"` // "" when there is none yet
	Status    Status         `json:"status"`
	Version   int64          `json:"version"`
	Currency  money.Currency `json:"currency"` // "" while empty
	Lines     []Line         `json:"lines"`    // in the order added, by seller
	Codes     []string       `json:"codes"`    // coupons applied
	Count     int64          `json:"count"`    // pieces
	Goods     money.Money    `json:"goods"`    // at today's prices, before everything else
	ChangedAt clock.Time     `json:"changed_at"`
}

// Line is a quantity of one variant.
type Line struct {
	Offer    catalog.Offer `json:"offer"` // as it is now
	Quantity int64         `json:"quantity"`
	AddedAt  clock.Time    `json:"added_at"`
	Seen     money.Money   `json:"seen"`    // the price when added or last accepted
	Total    money.Money   `json:"total"`   // quantity × today's price
	Notices  []Notice      `json:"notices"` // what changed since it was added
}

// NoticeKind is something that changed since a line was added.
//
//rpc:fallback changed
type NoticeKind string

// The notices.
const (
	NoticeChanged    NoticeKind = "changed"
	NoticePriceUp    NoticeKind = "price_up"
	NoticePriceDown  NoticeKind = "price_down"
	NoticeShort      NoticeKind = "short"        // fewer available than wanted
	NoticeSoldOut    NoticeKind = "sold_out"     // none available
	NoticeNotForSale NoticeKind = "not_for_sale" // withdrawn
)

// Notice says what changed of a line.
type Notice struct {
	Kind      NoticeKind   `json:"kind"`
	Was       *money.Money `json:"was"`       // of a price
	Available int64        `json:"available"` // of a shortage
}

// Destination is what shipping and tax depend on.
type Destination struct {
	Country    string `json:"country"` // ISO 3166-1 alpha-2; "" is not known yet
	Region     string `json:"region"`
	PostalCode string `json:"postal_code"`
}

// GetCartRequest asks for the caller's cart.
type GetCartRequest struct {
	By actor.Actor `json:"by"`
}

// CartReply is a cart, after a change if one was asked for.
type CartReply struct {
	Cart Cart `json:"cart"`
}

// ChangeLineRequest changes one line.
type ChangeLineRequest struct {
	By       actor.Actor       `json:"by"`
	Key      string            `json:"key"`
	Variant  catalog.VariantID `json:"variant"`
	Quantity int64             `json:"quantity"`
	Add      bool              `json:"add"` // add to what is there; else set
}

// AcceptChangesRequest takes note of changed prices.
type AcceptChangesRequest struct {
	By  actor.Actor `json:"by"`
	Key string      `json:"key"`
}

// CouponCodeRequest names a coupon by its code.
type CouponCodeRequest struct {
	By   actor.Actor `json:"by"`
	Key  string      `json:"key"`
	Code string      `json:"code"` // in any case, spaces aside
}

// MergeRequest moves a guest's cart to a person's.
type MergeRequest struct {
	By    actor.Actor `json:"by"` // the person
	Key   string      `json:"key"`
	Guest string      `json:"guest"` // hash of the cart token
}

// MergeReply is the person's cart, and what stayed behind.
type MergeReply struct {
	Cart Cart     `json:"cart"`
	Kept []string `json:"kept"` // sentences for the buyer
}

// QuoteRequest asks what the caller's cart costs.
type QuoteRequest struct {
	By          actor.Actor `json:"by"`
	Destination Destination `json:"destination"`
	Person      id.Ref      `json:"person"` // whose limits on coupons count; "" for the caller
}

// QuoteReply is the quote.
type QuoteReply struct {
	Quote Quote `json:"quote"`
}

// Quote is what a cart costs, with every share accounted for:
//
//	goods − discount + shipping + tax added = total, for every line, seller and the whole.
type Quote struct {
	Hash        string         `json:"hash"` // of everything the buyer sees; names this quote
	Cart        CartID         `json:"cart"`
	CartVersion int64          `json:"cart_version"`
	Currency    money.Currency `json:"currency"`
	Destination Destination    `json:"destination"`
	Sellers     []SellerQuote  `json:"sellers"`
	Sums        Sums           `json:"sums"`
	Codes       []CodeQuote    `json:"codes"`
	Problems    []Problem      `json:"problems"` // why it cannot be bought like this; empty when it can
}

// Sums is a row of a quote. Total = Goods − Discount + Shipping + TaxAdded. TaxIncluded is
// contained in what is above it and shown for information.
type Sums struct {
	Goods       money.Money `json:"goods"`
	Discount    money.Money `json:"discount"` // positive
	Shipping    money.Money `json:"shipping"`
	TaxAdded    money.Money `json:"tax_added"`
	TaxIncluded money.Money `json:"tax_included"`
	Total       money.Money `json:"total"`
}

// SellerQuote is one seller's part of a quote.
type SellerQuote struct {
	Seller   catalog.SellerID   `json:"seller"`
	Name     string             `json:"name"`
	Slug     string             `json:"slug"`
	Legal    catalog.LegalParty `json:"legal"`
	Lines    []LineQuote        `json:"lines"`
	Sums     Sums               `json:"sums"`
	Shipping ShippingQuote      `json:"shipping"`
}

// ShippingQuote says how a seller's shipping was found.
type ShippingQuote struct {
	Label string `json:"label"` // "Standard, 2 to 4 days"
	Rule  string `json:"rule"`  // how it was computed, in words
}

// LineQuote is one line of a quote with its share of everything.
type LineQuote struct {
	Offer       catalog.Offer `json:"offer"`
	Quantity    int64         `json:"quantity"`
	Sums        Sums          `json:"sums"`
	Adjustments []Adjustment  `json:"adjustments"` // sum to Sums.Discount
	TaxRate     int32         `json:"tax_rate"`    // basis points
	TaxIncluded bool          `json:"tax_included"`
	TaxGoods    money.Money   `json:"tax_goods"`    // tax on the goods, added or included
	TaxShipping money.Money   `json:"tax_shipping"` // tax on its share of shipping
}

// Funder is who bears a discount.
//
//rpc:fallback platform
type Funder string

// The funders.
const (
	FunderPlatform Funder = "platform"
	FunderSeller   Funder = "seller"
)

// Adjustment is one discount on one line.
type Adjustment struct {
	Coupon CouponID    `json:"coupon"`
	Code   string      `json:"code"`
	Label  string      `json:"label"`
	Funder Funder      `json:"funder"`
	Amount money.Money `json:"amount"` // positive
}

// CodeQuote says what a code did.
type CodeQuote struct {
	Code    string      `json:"code"`
	Label   string      `json:"label"`
	Amount  money.Money `json:"amount"`
	Applied bool        `json:"applied"`
	Why     string      `json:"why"` // why it did nothing, for the buyer
}

// Problem is why a quote cannot be bought as it is.
type Problem struct {
	Code    string            `json:"code"`    // "out_of_stock", "not_for_sale", "no_shipping", "no_destination", "empty"
	Variant catalog.VariantID `json:"variant"` // of a line
	Seller  catalog.SellerID  `json:"seller"`
	Message string            `json:"message"` // for the buyer
}

// ClaimRequest gives a cart to a checkout.
type ClaimRequest struct {
	By          actor.Actor `json:"by"` // the system, on behalf of the person
	Key         string      `json:"key"`
	Owner       string      `json:"owner"` // actor.Owner() of whoever's cart it is
	Cart        CartID      `json:"cart"`
	CartVersion int64       `json:"cart_version"`
	QuoteHash   string      `json:"quote_hash"` // what the buyer saw
	Destination Destination `json:"destination"`
	Person      id.Ref      `json:"person"` // whose limits on coupons count
	Order       id.Ref      `json:"order"`
}

// ClaimReply is the quote that was claimed.
type ClaimReply struct {
	Quote Quote `json:"quote"`
}

// CloseRequest ends the claimed cart.
type CloseRequest struct {
	By    actor.Actor `json:"by"`
	Key   string      `json:"key"`
	Claim string      `json:"claim"` // the key that Claim was called with
}

// CloseReply says that it is closed.
type CloseReply struct {
	Cart CartID `json:"cart"`
}

// ReleaseRequest undoes a claim.
type ReleaseRequest struct {
	By  actor.Actor `json:"by"`
	Key string      `json:"key"` // the key that Claim was called with
}

// ReleaseReply says what there was to release.
type ReleaseReply struct {
	Known bool   `json:"known"`
	Cart  CartID `json:"cart"`
}

// AuditReply is a page of cart's facts.
type AuditReply struct {
	Claims   []ClaimFact     `json:"claims"`
	Problems []audit.Problem `json:"problems"`
	Standing audit.Standing  `json:"standing"`
	Next     string          `json:"next"`
}

// ClaimFact is a cart that a checkout has.
type ClaimFact struct {
	Key   string     `json:"key"`
	Order id.Ref     `json:"order"`
	Cart  CartID     `json:"cart"`
	At    clock.Time `json:"at"`
}

// ListCouponsRequest filters coupons.
type ListCouponsRequest struct {
	By     actor.Actor      `json:"by"`
	Seller catalog.SellerID `json:"seller"` // "" for all that the caller may see
	Page   page.Request     `json:"page"`
}

// ListCouponsReply is a page of coupons.
type ListCouponsReply struct {
	Coupons []Coupon `json:"coupons"`
	Next    string   `json:"next"`
}
