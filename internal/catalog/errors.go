package catalog

import "souk/internal/platform/errs"

// What catalog refuses.
var (
	ErrInvalid       = errs.Refusal(errs.Invalid, "catalog.invalid")
	ErrNotFound      = errs.Refusal(errs.NotFound, "catalog.not_found")
	ErrForbidden     = errs.Refusal(errs.Forbidden, "catalog.forbidden")
	ErrVersion       = errs.Refusal(errs.Conflict, "catalog.version")
	ErrNameTaken     = errs.Refusal(errs.Conflict, "catalog.name_taken")
	ErrSKUTaken      = errs.Refusal(errs.Conflict, "catalog.sku_taken")
	ErrSellerStatus  = errs.Refusal(errs.Conflict, "catalog.seller_status")
	ErrListingStatus = errs.Refusal(errs.Conflict, "catalog.listing_status")
	ErrOutOfStock    = errs.Refusal(errs.Conflict, "catalog.out_of_stock")
	ErrNotForSale    = errs.Refusal(errs.Conflict, "catalog.not_for_sale")
	ErrExpired       = errs.Refusal(errs.Conflict, "catalog.reservation_expired")
	ErrReservation   = errs.Refusal(errs.Conflict, "catalog.reservation_status")
	ErrKeyReused     = errs.Refusal(errs.Mismatch, "catalog.key_reused")
	ErrKeyUndone     = errs.Refusal(errs.Conflict, "catalog.key_undone")
)
