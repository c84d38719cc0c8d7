// Package refusals declares errors that callers cannot rely on.
package refusals

import (
	"context"

	"souk/internal/platform/errs"
)

type Service interface {
	//rpc:read
	Get(ctx context.Context, r GetRequest) (Reply, error)
}

type GetRequest struct{}

type Reply struct{}

var ErrElsewhere = errs.Refusal(errs.Conflict, "refusals.elsewhere") // want "is declared in refusals.go"
