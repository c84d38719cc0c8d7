package shop

import "souk/internal/platform/errs"

// What shop refuses.
var (
	ErrNotFound  = errs.Refusal(errs.NotFound, "shop.not_found")
	ErrKeyReused = errs.Refusal(errs.Mismatch, "shop.key_reused")
	ErrBusy      = errs.Refusal(errs.Unavailable, "shop.busy")
)
