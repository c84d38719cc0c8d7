package search

import "souk/internal/platform/errs"

// What search refuses.
var (
	ErrInvalid    = errs.Refusal(errs.Invalid, "search.invalid")
	ErrForbidden  = errs.Refusal(errs.Forbidden, "search.forbidden")
	ErrRebuilding = errs.Refusal(errs.Conflict, "search.rebuilding")
	ErrKeyReused  = errs.Refusal(errs.Mismatch, "search.key_reused")
	ErrKeyUndone  = errs.Refusal(errs.Conflict, "search.key_undone")
)
