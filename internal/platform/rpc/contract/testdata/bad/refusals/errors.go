package refusals

import (
	"errors"

	"souk/internal/platform/errs"
)

var (
	ErrFine     = errs.Refusal(errs.Conflict, "refusals.fine")
	ErrAgain    = errs.Refusal(errs.Conflict, "refusals.fine")     // want "as has ErrFine"
	ErrForeign  = errs.Refusal(errs.Conflict, "orders.fine")       // want "begins with \"refusals.\""
	ErrShouting = errs.Refusal(errs.Conflict, "refusals.FINE")     // want "lower case with underscores"
	ErrKind     = errs.Refusal("sideways", "refusals.kind")        // want "which there is not"
	ErrUnknown  = errs.Refusal(errs.Unknown, "refusals.unknown")   // want "is no answer but the lack of one"
	ErrRuntime  = errs.Refusal(errs.Conflict, code())              // want "worked out at run time"
	ErrText     = errors.New("no code")                            // want "would not be recognised after a wire"
	ErrDerived  = ErrFine.With("not declared")                     // want "would not be recognised after a wire"
	Misnamed    = errs.Refusal(errs.Conflict, "refusals.misnamed") // want "begin its name with Err"
)

func code() errs.Code { return "refusals.runtime" }
