package pgtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// ByHand is a PostgreSQL that is used as somebody would who has nothing of souk's: what benchmarks
// compare souk with.
type ByHand struct{ pool *pgxpool.Pool }

// Statement is one with its arguments, each a text as the server writes it, or nil.
type Statement struct {
	SQL  string
	Args []any
}

// Transaction is what is done at once.
type Transaction struct {
	Schema     string // whose tables its statements name
	Reads      bool   // it only reads: one snapshot, where others are SERIALIZABLE
	Statements []Statement
}

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

// Tables are the names of all tables, each with its schema's: orders.jobs.
func (h *ByHand) Tables(ctx context.Context) ([]string, error) {
	rows, err := h.pool.Query(ctx, `SELECT schemaname || '.' || tablename FROM pg_catalog.pg_tables`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Do runs a transaction, and again for as long as the server cannot serialise it. It says how many of its
// statements found nothing to change.
func (h *ByHand) Do(ctx context.Context, t Transaction) (missed int, err error) {
	options := pgx.TxOptions{IsoLevel: pgx.Serializable}
	if t.Reads {
		options = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	}
	for {
		missed = 0
		err := pgx.BeginTxFunc(ctx, h.pool, options, func(tx pgx.Tx) error {
			for _, s := range t.Statements {
				done, err := tx.Exec(ctx, s.SQL, s.Args...)
				if err != nil {
					return err
				}
				if done.RowsAffected() == 0 && (done.Update() || done.Delete()) {
					missed++
				}
			}
			return nil
		})
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "40001" && refused.Code != "40P01" {
			return missed, err
		}
	}
}

// Recorded is a line of the server's log (log_destination = jsonlog, log_statement = all).
type Recorded struct {
	PID         int    `json:"pid"`
	Application string `json:"application_name"`
	Message     string `json:"message"`
	Detail      string `json:"detail"`
}

// Statement is what the line says was run; ok is false if it is about something else.
func (r Recorded) Statement() (s Statement, ok bool) {
	kind, text, found := strings.Cut(r.Message, ": ")
	if !found || kind != "statement" && !strings.HasPrefix(kind, "execute ") {
		return Statement{}, false
	}
	s.SQL = text
	for rest, more := strings.CutPrefix(r.Detail, "parameters: "); more; {
		_, value, _ := strings.Cut(rest, " = ")
		if rest, more = strings.CutPrefix(value, "NULL"); more {
			s.Args = append(s.Args, nil)
		} else {
			var arg string
			arg, rest = unquote(value)
			s.Args = append(s.Args, arg)
		}
		rest, more = strings.CutPrefix(rest, ", ")
	}
	return s, true
}

// unquote is the text in quotes at the beginning of s, in which a quote is written twice, and what follows.
func unquote(s string) (text, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] == '\'' {
			if i+1 == len(s) || s[i+1] != '\'' {
				return b.String(), s[i+1:]
			}
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
