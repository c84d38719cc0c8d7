package store

import "context"

// session is one connection inside one transaction: what a Tx and a Queryer ask, whatever
// the engine.
type session interface {
	get(ctx context.Context, dest any, query string, args []any) error
	all(ctx context.Context, dest any, query string, args []any) error
	exec(ctx context.Context, query string, args []any) (int64, error)
	do(what control) error
	// over says, after a statement has failed with err, whether nothing more may run in this
	// transaction, not even after going back to a savepoint.
	over(err error) bool
}
