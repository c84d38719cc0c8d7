package pgtest

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// ByHand is a PostgreSQL that is used as somebody would who has nothing of souk's: what benchmarks
// compare souk with.
type ByHand struct{ pool *pgxpool.Pool }

// NewByHand connects to address, with at most so many connections, until the end of the test.
func NewByHand(t testing.TB, address string, connections int32) *ByHand {
	t.Helper()
	c, err := pgxpool.ParseConfig(address)
	require.NoError(t, err)
	c.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(t.Context()), c)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return &ByHand{pool: pool}
}

// Exec runs one or more statements without arguments.
func (h *ByHand) Exec(ctx context.Context, statements string) error {
	_, err := h.pool.Exec(ctx, statements)
	return err
}

// Transact runs the statements, all with the same arguments, in one SERIALIZABLE transaction, and again for as
// long as the server cannot serialise it.
func (h *ByHand) Transact(ctx context.Context, statements []string, args ...any) error {
	for {
		err := pgx.BeginTxFunc(ctx, h.pool, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
			for _, statement := range statements {
				if _, err := tx.Exec(ctx, statement, args...); err != nil {
					return err
				}
			}
			return nil
		})
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "40001" && refused.Code != "40P01" {
			return err
		}
	}
}
