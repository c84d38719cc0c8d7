// Package catalog is what is for sale, by whom, and how much of it there is.
//
// A seller applies, is approved, and lists goods. A listing has one or more variants; a
// variant is what is bought: it has the price, the SKU and the stock.
//
//	seller:   applied → approved ⇄ suspended
//	             └→ declined
//	listing:  draft → active ⇄ archived
//
// Stock is an append-only journal of movements, and
//
//	available = max(0, on hand − held − allocated)
//
// A checkout reserves (a hold with a term), confirms (a hold without), and after placement
// allocates; shipping takes the goods from the shelf. Under any concurrency no more is
// held than is there.
package catalog

import (
	"context"

	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
)

//go:generate go run souk/internal/platform/rpc/gen

// SellerID names a seller.
type SellerID = id.ID[Seller]

// ListingID names a listing.
type ListingID = id.ID[Listing]

// VariantID names a variant.
type VariantID = id.ID[Variant]

// CategoryID names a category.
type CategoryID = id.ID[Category]

// Makers of ids.
var (
	SellerIDs   = id.Maker[Seller]{Prefix: "sel_"}
	ListingIDs  = id.Maker[Listing]{Prefix: "lst_"}
	VariantIDs  = id.Maker[Variant]{Prefix: "var_"}
	CategoryIDs = id.Maker[Category]{Prefix: "cat_"}
)

// Service is what other modules may ask of catalog.
type Service interface {
	// ApplySeller asks for a new seller in the name of the signed-in caller. The seller is
	// applied until an operator approves it. ErrNameTaken when another seller has the name.
	ApplySeller(ctx context.Context, r ApplySellerRequest) (SellerReply, error)

	// ChangeSellerStatus approves an application or declines it, suspends or reinstates a
	// seller. Operators and the system only. ErrSellerStatus when the seller cannot go there from
	// where it is. Declining is the end of an application and gives its name free: its
	// applicant may apply again.
	ChangeSellerStatus(ctx context.Context, r ChangeSellerStatusRequest) (SellerReply, error)

	// EditSeller changes what a seller says of itself. Its staff and operators only.
	// ErrVersion when it was changed since r.Version was read; ErrSellerStatus when it was declined.
	EditSeller(ctx context.Context, r EditSellerRequest) (SellerReply, error)

	// GetSellers reads sellers by id or by slug, in batch; what is not there is left out.
	//
	//rpc:read
	GetSellers(ctx context.Context, r GetSellersRequest) (GetSellersReply, error)

	// ListSellers pages through sellers by name. Callers other than operators see approved ones only.
	//
	//rpc:read
	ListSellers(ctx context.Context, r ListSellersRequest) (ListSellersReply, error)

	// ListApplications pages through the sellers that the signed-in caller has applied for,
	// newest first, wherever they stand and with the reason.
	//
	//rpc:read
	ListApplications(ctx context.Context, r ListApplicationsRequest) (ListApplicationsReply, error)

	// PutCategory makes a category at a path, with all above it, or renames it. Operators
	// and the system only.
	PutCategory(ctx context.Context, r PutCategoryRequest) (CategoryReply, error)

	// ListCategories reads the whole tree, parents before children, siblings by name.
	//
	//rpc:read
	ListCategories(ctx context.Context, r ListCategoriesRequest) (ListCategoriesReply, error)

	// CreateListing makes a draft, or an active listing when r.Publish. Staff of the seller
	// and the system only. ErrSellerStatus unless the seller is approved.
	CreateListing(ctx context.Context, r CreateListingRequest) (ListingReply, error)

	// EditListing replaces what a listing says. Variants are matched by id, then by SKU;
	// those left out are withdrawn, never deleted. ErrVersion when it was changed since
	// r.Version was read.
	EditListing(ctx context.Context, r EditListingRequest) (ListingReply, error)

	// ChangeListingStatus publishes, archives or restores. ErrListingStatus when it cannot
	// go there; ErrVersion when r.Version is given and stale.
	ChangeListingStatus(ctx context.Context, r ChangeListingStatusRequest) (ListingReply, error)

	// GetListings reads listings in batch, whole, in the order asked for; what is not there
	// or not for the caller's eyes is left out. Everyone sees the active listings of
	// approved sellers; staff also their own; operators and the system all.
	//
	//rpc:read
	GetListings(ctx context.Context, r GetListingsRequest) (GetListingsReply, error)

	// ListListings pages through listings, newest first. Who sees what is as in GetListings.
	//
	//rpc:read
	ListListings(ctx context.Context, r ListListingsRequest) (ListListingsReply, error)

	// GetOffers reads variants in batch as something to buy: price, seller, stock and
	// whether it can be bought now, also when it cannot. What never existed is left out.
	//
	//rpc:read
	GetOffers(ctx context.Context, r GetOffersRequest) (GetOffersReply, error)

	// AdjustStock books a receipt, a count or a write-off. Staff of the seller only. A count
	// at r.CountedAt is booked less what was sold or held since then.
	AdjustStock(ctx context.Context, r AdjustStockRequest) (StockReply, error)

	// ListMovements pages through the journal of one variant, newest first. Staff of its
	// seller and operators only.
	//
	//rpc:read
	ListMovements(ctx context.Context, r ListMovementsRequest) (ListMovementsReply, error)

	// Reserve holds all items until r.Until, or none: ErrOutOfStock names in Fields each
	// variant that is short and how many there are; ErrNotForSale those withdrawn.
	// Repeating the key with the same body answers as the first time. The system only.
	Reserve(ctx context.Context, r ReserveRequest) (ReservationReply, error)

	// Confirm takes the term off the reservation made under r.Reservation, so that it holds
	// until allocated or released. ErrExpired when the term was over first.
	Confirm(ctx context.Context, r ConfirmRequest) (ReservationReply, error)

	// Release undoes Reserve by the key it was made with: the goods can be bought again.
	// A key never seen succeeds and a late Reserve is then refused with ErrKeyUndone.
	// ErrReservation when it has been allocated: that is undone by Deallocate.
	Release(ctx context.Context, r ReleaseRequest) (ReservationReply, error)

	// Allocate turns a confirmed reservation into goods set aside for a placed order.
	Allocate(ctx context.Context, r AllocateRequest) (ReservationReply, error)

	// ShipStock books items of an allocated reservation as having left the shelf.
	// ErrReservation when more would leave than is allocated.
	ShipStock(ctx context.Context, r MoveAllocatedRequest) (ReservationReply, error)

	// Deallocate gives items of an allocated reservation, not yet shipped, back for sale.
	Deallocate(ctx context.Context, r MoveAllocatedRequest) (ReservationReply, error)

	// Audit streams every reservation that holds or has allocated something, in the order of
	// their keys, and with the pages what catalog finds wrong within itself. The system only.
	//
	//rpc:read
	Audit(ctx context.Context, r audit.Request) (AuditReply, error)
}

// SellerStatus is where a seller stands.
//
//rpc:fallback suspended
type SellerStatus string

// The states of a seller.
const (
	SellerApplied   SellerStatus = "applied"
	SellerApproved  SellerStatus = "approved"
	SellerSuspended SellerStatus = "suspended"
	SellerDeclined  SellerStatus = "declined"
)

// LegalParty is who a seller is by law, as published with every offer and frozen in orders.
type LegalParty struct {
	Name       string `json:"name" pii:"true"`
	Line1      string `json:"line1" pii:"true"`
	Line2      string `json:"line2" pii:"true"`
	PostalCode string `json:"postal_code" pii:"true"`
	City       string `json:"city" pii:"true"`
	Country    string `json:"country"` // ISO 3166-1 alpha-2
	TaxID      string `json:"tax_id" pii:"true"`
	Email      string `json:"email" pii:"true"`
}

// Seller is one who sells here.
type Seller struct {
	ID          SellerID       `json:"id"`
	Slug        string         `json:"slug"` // its part of an address: "north-lamp-works"
	Name        string         `json:"name"`
	About       string         `json:"about"`
	Status      SellerStatus   `json:"status"`
	Why         string         `json:"why"` // reason of the last change of status
	Legal       LegalParty     `json:"legal"`
	Currency    money.Currency `json:"currency"`   // of its prices
	Commission  int32          `json:"commission"` // of goods, in basis points
	AppliedBy   id.Ref         `json:"applied_by"` // the person; visible to staff and operators only
	CreatedAt   clock.Time     `json:"created_at"`
	Version     int64          `json:"version"`
	ExternalID  string         `json:"external_id"` // its name in product feeds
	ActiveCount int64          `json:"active_count"`
}

// ApplySellerRequest asks for a new seller.
type ApplySellerRequest struct {
	By       actor.Actor    `json:"by"`
	Key      string         `json:"key"`
	Name     string         `json:"name"`
	About    string         `json:"about"`
	Legal    LegalParty     `json:"legal"`
	Currency money.Currency `json:"currency"`
}

// SellerReply is a seller after a change.
type SellerReply struct {
	Seller Seller `json:"seller"`
}

// ChangeSellerStatusRequest says where a seller shall stand, and why.
type ChangeSellerStatusRequest struct {
	By     actor.Actor  `json:"by"`
	Key    string       `json:"key"`
	Seller SellerID     `json:"seller"`
	Status SellerStatus `json:"status"`
	Why    string       `json:"why"` // required to suspend and to decline
}

// EditSellerRequest is what a seller says of itself now.
type EditSellerRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Seller  SellerID    `json:"seller"`
	Version int64       `json:"version"`
	Name    string      `json:"name"`
	About   string      `json:"about"`
	Legal   LegalParty  `json:"legal"`
}

// GetSellersRequest names sellers, at most 200 in all.
type GetSellersRequest struct {
	By    actor.Actor `json:"by"`
	IDs   []SellerID  `json:"ids"`
	Slugs []string    `json:"slugs"`
}

// GetSellersReply has those that there are.
type GetSellersReply struct {
	Sellers []Seller `json:"sellers"`
}

// ListSellersRequest filters sellers.
type ListSellersRequest struct {
	By     actor.Actor  `json:"by"`
	Status SellerStatus `json:"status"` // "" for all that the caller may see
	Text   string       `json:"text"`   // in the name
	Page   page.Request `json:"page"`
	Sort   *SellerSort  `json:"sort"` // nil: by name
}

// ListSellersReply is a page of sellers.
type ListSellersReply struct {
	Sellers []Seller `json:"sellers"`
	Next    string   `json:"next"` // cursor; "" at the end
}

// Category is a shelf in the tree of goods.
type Category struct {
	ID     CategoryID `json:"id"`
	Parent CategoryID `json:"parent"` // "" at the root
	Path   string     `json:"path"`   // slugs from the root: "home/lighting/desk-lamps"
	Name   string     `json:"name"`
	Depth  int32      `json:"depth"` // 0 at the root
	Hue    int32      `json:"hue"`   // of its drawn tiles, 0 to 359; children inherit
}

// PutCategoryRequest makes or renames a category.
type PutCategoryRequest struct {
	By    actor.Actor `json:"by"`
	Key   string      `json:"key"`
	Names []string    `json:"names"` // from the root: {"Home", "Lighting"}
	Hue   int32       `json:"hue"`   // 0 inherits
}

// CategoryReply is a category after a change.
type CategoryReply struct {
	Category Category `json:"category"`
}

// ListCategoriesRequest asks for the tree.
type ListCategoriesRequest struct{}

// ListCategoriesReply is the tree.
type ListCategoriesReply struct {
	Categories []Category `json:"categories"`
}

// ListingStatus is whether a listing is shown.
//
//rpc:fallback archived
type ListingStatus string

// The states of a listing.
const (
	ListingDraft    ListingStatus = "draft"
	ListingActive   ListingStatus = "active"
	ListingArchived ListingStatus = "archived"
)

// Condition is how used the goods are.
//
//rpc:fallback used
type Condition string

// The conditions of the Google Merchant convention.
const (
	ConditionNew         Condition = "new"
	ConditionRefurbished Condition = "refurbished"
	ConditionUsed        Condition = "used"
)

// TaxClass says which rate applies.
//
//rpc:fallback standard
type TaxClass string

// The tax classes.
const (
	TaxStandard TaxClass = "standard"
	TaxReduced  TaxClass = "reduced"
	TaxZero     TaxClass = "zero"
)

// Attribute is one fact about goods, in the order its seller gave.
type Attribute struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Value   string `json:"value"`
}

// Image is a picture by its address.
type Image struct {
	URL    string `json:"url"`
	Alt    string `json:"alt"`
	Width  int32  `json:"width"`  // pixels; 0 when not known
	Height int32  `json:"height"` // pixels; 0 when not known
}

// Option is one choice that tells variants apart.
type Option struct {
	Name  string `json:"name"`  // "Size"
	Value string `json:"value"` // "M"
}

// Listing is goods offered by one seller.
type Listing struct {
	ID          ListingID     `json:"id"`
	Seller      SellerID      `json:"seller"`
	SellerName  string        `json:"seller_name"`
	SellerSlug  string        `json:"seller_slug"`
	ExternalID  string        `json:"external_id"` // the seller's own id in feeds
	Title       string        `json:"title"`
	Description string        `json:"description"` // plain text
	Brand       string        `json:"brand"`
	Category    CategoryID    `json:"category"` // "" when it has none
	Path        string        `json:"path"`     // of the category
	Condition   Condition     `json:"condition"`
	TaxClass    TaxClass      `json:"tax_class"`
	Attributes  []Attribute   `json:"attributes"`
	Images      []Image       `json:"images"`
	Status      ListingStatus `json:"status"`
	Variants    []Variant     `json:"variants"` // never empty; withdrawn ones only for staff
	CreatedAt   clock.Time    `json:"created_at"`
	ChangedAt   clock.Time    `json:"changed_at"`
	Version     int64         `json:"version"`
}

// Variant is one thing that can be bought.
type Variant struct {
	ID        VariantID    `json:"id"`
	SKU       string       `json:"sku"`  // unique within the seller, "" allowed
	GTIN      string       `json:"gtin"` // GS1, 8 to 14 digits, "" allowed
	Options   []Option     `json:"options"`
	Price     money.Money  `json:"price"`
	WasPrice  *money.Money `json:"was_price"` // before a sale, if it is on sale
	Grams     int64        `json:"grams"`     // shipping weight; 0 when not known
	Withdrawn bool         `json:"withdrawn"`
	Stock     Stock        `json:"stock"`
}

// Stock is how much there is of a variant.
type Stock struct {
	OnHand    int64 `json:"on_hand"` // this and the next two: staff and operators only, else 0
	Held      int64 `json:"held"`
	Allocated int64 `json:"allocated"`
	Available int64 `json:"available"`
}

// Draft is what a seller says of a listing.
type Draft struct {
	ExternalID  string         `json:"external_id"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Brand       string         `json:"brand"`
	Category    CategoryID     `json:"category"`
	Condition   Condition      `json:"condition"` // "" is new
	TaxClass    TaxClass       `json:"tax_class"` // "" is standard
	Attributes  []Attribute    `json:"attributes"`
	Images      []Image        `json:"images"`
	Variants    []VariantDraft `json:"variants"`
}

// VariantDraft is what a seller says of a variant.
type VariantDraft struct {
	ID       VariantID    `json:"id"` // "" for a new one
	SKU      string       `json:"sku"`
	GTIN     string       `json:"gtin"`
	Options  []Option     `json:"options"`
	Price    money.Money  `json:"price"`
	WasPrice *money.Money `json:"was_price"`
	Grams    int64        `json:"grams"`
	Quantity *int64       `json:"quantity"` // counted now; nil leaves stock untouched
}

// CreateListingRequest makes a listing.
type CreateListingRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Seller  SellerID    `json:"seller"`
	Draft   Draft       `json:"draft"`
	Publish bool        `json:"publish"`
}

// EditListingRequest replaces a listing's content.
type EditListingRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Listing ListingID   `json:"listing"`
	Version int64       `json:"version"`
	Draft   Draft       `json:"draft"`
}

// ChangeListingStatusRequest publishes, archives or restores a listing.
type ChangeListingStatusRequest struct {
	By      actor.Actor   `json:"by"`
	Key     string        `json:"key"`
	Listing ListingID     `json:"listing"`
	Status  ListingStatus `json:"status"`
	Version *int64        `json:"version"` // nil does not care
}

// ListingReply is a listing after a change.
type ListingReply struct {
	Listing Listing `json:"listing"`
}

// GetListingsRequest names listings, at most 200.
type GetListingsRequest struct {
	By  actor.Actor `json:"by"`
	IDs []ListingID `json:"ids"`
}

// GetListingsReply has those that there are.
type GetListingsReply struct {
	Listings []Listing `json:"listings"`
}

// ListListingsRequest filters listings.
type ListListingsRequest struct {
	By     actor.Actor   `json:"by"`
	Seller SellerID      `json:"seller"` // "" for all sellers
	Status ListingStatus `json:"status"` // "" for all that the caller may see
	Path   string        `json:"path"`   // category and below
	Text   string        `json:"text"`   // in title, SKU or external id; for sellers' own lists
	Page   page.Request  `json:"page"`
	Sort   *ListingSort  `json:"sort"` // nil: newest first; another needs a seller
}

// ListListingsReply is a page of listings.
type ListListingsReply struct {
	Listings []Listing `json:"listings"`
	Next     string    `json:"next"`
}
