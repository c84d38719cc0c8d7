package payments

import "souk/internal/platform/errs"

// What payments refuses.
var (
	ErrInvalid        = errs.Refusal(errs.Invalid, "payments.invalid")
	ErrNotFound       = errs.Refusal(errs.NotFound, "payments.not_found")
	ErrForbidden      = errs.Refusal(errs.Forbidden, "payments.forbidden")
	ErrStatus         = errs.Refusal(errs.Conflict, "payments.status")
	ErrAmount         = errs.Refusal(errs.Conflict, "payments.amount")
	ErrMethod         = errs.Refusal(errs.Invalid, "payments.method")
	ErrCaptureRefused = errs.Refusal(errs.Conflict, "payments.capture_refused")
	ErrPaused         = errs.Refusal(errs.Unavailable, "payments.paused")
	ErrKeyReused      = errs.Refusal(errs.Mismatch, "payments.key_reused")
	ErrKeyUndone      = errs.Refusal(errs.Conflict, "payments.key_undone")
)
