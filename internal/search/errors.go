package search

import "souk/internal/platform/errs"

// What search refuses.
var (
	ErrInvalid    = errs.Refusal(errs.Invalid, "search.invalid")
	ErrForbidden  = errs.Refusal(errs.Forbidden, "search.forbidden")
	ErrNotFound   = errs.Refusal(errs.NotFound, "search.not_found")
	ErrVersion    = errs.Refusal(errs.Conflict, "search.version")
	ErrRuleExists = errs.Refusal(errs.Conflict, "search.rule_exists")
	ErrRuleLimit  = errs.Refusal(errs.Conflict, "search.rule_limit")
	ErrRulesFixed = errs.Refusal(errs.Conflict, "search.rules_fixed") // they come from a file
	ErrRebuilding = errs.Refusal(errs.Conflict, "search.rebuilding")
	ErrKeyReused  = errs.Refusal(errs.Mismatch, "search.key_reused")
	ErrKeyUndone  = errs.Refusal(errs.Conflict, "search.key_undone")
)
