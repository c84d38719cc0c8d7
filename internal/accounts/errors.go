package accounts

import "souk/internal/platform/errs"

// What accounts refuses.
var (
	ErrInvalid      = errs.Refusal(errs.Invalid, "accounts.invalid")
	ErrNotFound     = errs.Refusal(errs.NotFound, "accounts.not_found")
	ErrForbidden    = errs.Refusal(errs.Forbidden, "accounts.forbidden")
	ErrVersion      = errs.Refusal(errs.Conflict, "accounts.version")
	ErrEmailTaken   = errs.Refusal(errs.Conflict, "accounts.email_taken")
	ErrCredentials  = errs.Refusal(errs.Unauthenticated, "accounts.credentials")
	ErrSession      = errs.Refusal(errs.Unauthenticated, "accounts.session")
	ErrTooManyTries = errs.Refusal(errs.Exhausted, "accounts.too_many_tries")
	ErrLimit        = errs.Refusal(errs.Conflict, "accounts.limit")
	ErrLastOperator = errs.Refusal(errs.Conflict, "accounts.last_operator")
	ErrKeyReused    = errs.Refusal(errs.Mismatch, "accounts.key_reused")
	ErrKeyUndone    = errs.Refusal(errs.Conflict, "accounts.key_undone")
)
