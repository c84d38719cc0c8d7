package orders

import "souk/internal/platform/errs"

// What orders refuses.
var (
	ErrInvalid      = errs.Refusal(errs.Invalid, "orders.invalid")
	ErrNotFound     = errs.Refusal(errs.NotFound, "orders.not_found")
	ErrForbidden    = errs.Refusal(errs.Forbidden, "orders.forbidden")
	ErrVersion      = errs.Refusal(errs.Conflict, "orders.version")
	ErrStatus       = errs.Refusal(errs.Conflict, "orders.status")
	ErrCheckoutOpen = errs.Refusal(errs.Conflict, "orders.checkout_open")
	ErrUnpaid       = errs.Refusal(errs.Conflict, "orders.unpaid")
	ErrQuantity     = errs.Refusal(errs.Conflict, "orders.quantity")
	ErrKeyReused    = errs.Refusal(errs.Mismatch, "orders.key_reused")
	ErrKeyUndone    = errs.Refusal(errs.Conflict, "orders.key_undone")
)
