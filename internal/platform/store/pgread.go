package store

import (
	"context"
	"errors"
	"fmt"
)

// pgRead is one snapshot: a transaction that only reads, on a connection of its own.
type pgRead struct {
	p *postgres
	s *pgSession
}

// beginRead opens a snapshot, on a fresh connection if the one at hand turns out to be dead.
func (p *postgres) beginRead(ctx context.Context) (*pgRead, error) {
	for first := true; ; first = false {
		s, err := pgConnect(ctx, p.readers)
		if err != nil {
			return nil, p.readError(ctx, fmt.Errorf("open a connection to read: %w", err))
		}
		if _, err = s.control(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err == nil {
			return &pgRead{p: p, s: s}, nil
		}
		s.discard()
		if !first || ctx.Err() != nil {
			return nil, p.readError(ctx, fmt.Errorf("begin a read: %w", err))
		}
	}
}

// read is Read on PostgreSQL.
func (p *postgres) read(ctx context.Context, fn func(q Queryer) error) error {
	if ctx.Err() != nil {
		return notBegun(ctx)
	}
	if err := p.turn(ctx, p.readTurns, 1); err != nil {
		return err
	}
	defer p.readTurns.Release(1)
	r, err := p.beginRead(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = r.end() }() //nolint:contextcheck // also when fn panics or ends its goroutine, and whatever ctx does
	p.db.count.reads.Add(1)
	return r.run(ctx, fn)
}

func (r *pgRead) run(ctx context.Context, fn func(q Queryer) error) error {
	q := &snapshotReader{db: r.p.db, c: r.s, ctx: ctx}
	defer func() { q.over = true }()
	if err := fn(q); err != nil {
		return r.p.readError(ctx, err)
	}
	return nil
}

func (r *pgRead) end() error {
	r.s.giveBack()
	return nil
}

// readError is err, and the end of ctx where that is what the server reports, or what has closed the connection.
func (p *postgres) readError(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) && (pgCode(err) == pgCancelled || pgLost(err)) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return p.db.explain(err)
}

// snapshot is Snapshot on PostgreSQL: it is beside the Reads and not among them, but has to
// find a connection.
func (p *postgres) snapshot(ctx context.Context) (*Snapshot, error) {
	r, err := p.beginRead(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a snapshot: %w", err)
	}
	// BEGIN alone fixes nothing: the first reading does.
	if _, err := r.s.control(ctx, "SELECT 1"); err != nil {
		_ = r.end() //nolint:contextcheck // whatever ctx does
		return nil, p.readError(ctx, fmt.Errorf("open a snapshot: %w", err))
	}
	return &Snapshot{db: p.db, pg: r}, nil
}
