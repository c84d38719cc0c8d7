package catalog

import (
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
)

// ListApplicationsRequest asks for what the caller has applied for.
type ListApplicationsRequest struct {
	By   actor.Actor  `json:"by"`
	Page page.Request `json:"page"`
}

// ListApplicationsReply is a page of it.
type ListApplicationsReply struct {
	Sellers []Seller `json:"sellers"`
	Next    string   `json:"next"` // cursor; "" at the end
}

// SellerSort is the order of sellers.
//
//rpc:fallback name_up
type SellerSort string

// The orders of sellers.
const (
	SellersByName     SellerSort = "name_up"
	SellersByNameDown SellerSort = "name_down"
	SellersByAge      SellerSort = "applied_up" // who applied first
	SellersByAgeDown  SellerSort = "applied_down"
)

// SellerSorts are all orders of sellers.
func SellerSorts() []SellerSort {
	return []SellerSort{SellersByName, SellersByNameDown, SellersByAge, SellersByAgeDown}
}

// ListingSort is the order of one seller's listings.
//
//rpc:fallback newest
type ListingSort string

// The orders of one seller's listings.
const (
	ListingsNewest      ListingSort = "newest"
	ListingsByTitle     ListingSort = "title_up"
	ListingsByTitleDown ListingSort = "title_down"
	ListingsByState     ListingSort = "state_up"
	ListingsByStateDown ListingSort = "state_down"
	ListingsByPrice     ListingSort = "price_up" // of the cheapest variant that is not withdrawn
	ListingsByPriceDown ListingSort = "price_down"
	ListingsByStock     ListingSort = "stock_up" // all variants together
	ListingsByStockDown ListingSort = "stock_down"
	ListingsByEdit      ListingSort = "changed_up"
	ListingsByEditDown  ListingSort = "changed_down"
)

// ListingSorts are all orders of one seller's listings.
func ListingSorts() []ListingSort {
	return []ListingSort{
		ListingsNewest, ListingsByTitle, ListingsByTitleDown, ListingsByState, ListingsByStateDown, ListingsByPrice, ListingsByPriceDown,
		ListingsByStock, ListingsByStockDown, ListingsByEdit, ListingsByEditDown,
	}
}
