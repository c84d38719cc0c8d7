package cart

import "souk/internal/platform/errs"

// What cart refuses.
var (
	ErrInvalid      = errs.Refusal(errs.Invalid, "cart.invalid")
	ErrNotFound     = errs.Refusal(errs.NotFound, "cart.not_found")
	ErrForbidden    = errs.Refusal(errs.Forbidden, "cart.forbidden")
	ErrVersion      = errs.Refusal(errs.Conflict, "cart.version")
	ErrStatus       = errs.Refusal(errs.Conflict, "cart.status")
	ErrClaimed      = errs.Refusal(errs.Conflict, "cart.claimed")
	ErrNotForSale   = errs.Refusal(errs.Conflict, "cart.not_for_sale")
	ErrOutOfStock   = errs.Refusal(errs.Conflict, "cart.out_of_stock")
	ErrCurrency     = errs.Refusal(errs.Conflict, "cart.currency")
	ErrLimit        = errs.Refusal(errs.Conflict, "cart.limit")
	ErrCoupon       = errs.Refusal(errs.Conflict, "cart.coupon")
	ErrCodeTaken    = errs.Refusal(errs.Conflict, "cart.code_taken")
	ErrQuoteChanged = errs.Refusal(errs.Conflict, "cart.quote_changed")
	ErrUnbuyable    = errs.Refusal(errs.Conflict, "cart.unbuyable")
	ErrKeyReused    = errs.Refusal(errs.Mismatch, "cart.key_reused")
	ErrKeyUndone    = errs.Refusal(errs.Conflict, "cart.key_undone")
)
