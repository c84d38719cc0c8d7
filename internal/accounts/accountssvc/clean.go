package accountssvc

import (
	"context"
	"fmt"
	"time"

	"souk/internal/platform/clock"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
)

const (
	jobClean   = "accounts.clean"
	cleanEvery = 6 * time.Hour
	cleanBatch = 500
)

// cleaning says what is dropped when: rows of a table whose time lies before now less keep.
var cleaning = []struct {
	query string
	keep  time.Duration
}{
	{`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE used_at <= ? LIMIT ?)`, sessionIdle},
	{`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ends_at <= ? LIMIT ?)`, 0},
	{`DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE expires_at > 0 AND expires_at <= ? LIMIT ?)`, endedShown},
	{`DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE revoked_at > 0 AND revoked_at <= ? LIMIT ?)`, endedShown},
	{`DELETE FROM addresses WHERE id IN (SELECT id FROM addresses WHERE removed_at > 0 AND removed_at <= ? LIMIT ?)`, endedShown},
	{`DELETE FROM tries WHERE subject IN (SELECT subject FROM tries WHERE last_at <= ? LIMIT ?)`, triesForgotten},
}

// clean drops what has ended, in small Writes. It comes again as long as there is anything that
// will end, and is enqueued anew by the command that makes the next.
func (s *Service) clean(ctx context.Context, _ job.Job) error {
	now := s.now()
	for more := true; more; {
		err := s.db.Write(ctx, func(tx *store.Tx) error {
			var err error
			more, err = cleanSome(tx, now)
			return err
		})
		if err != nil {
			return err
		}
	}
	var left bool
	err := s.db.Read(ctx, func(q store.Queryer) error {
		return q.Get(&left, `
			SELECT EXISTS (SELECT 1 FROM sessions) OR EXISTS (SELECT 1 FROM tries)
				OR EXISTS (SELECT 1 FROM tokens WHERE expires_at > 0) OR EXISTS (SELECT 1 FROM tokens WHERE revoked_at > 0)
				OR EXISTS (SELECT 1 FROM addresses WHERE removed_at > 0)
				OR EXISTS (SELECT 1 FROM idempotency WHERE expires_at > 0)`)
	})
	if err != nil {
		return fmt.Errorf("look for what will end: %w", err)
	}
	if left {
		return job.Again(now.Add(cleanEvery))
	}
	return nil
}

// cleanSome drops a batch of each, and says whether there may be more.
func cleanSome(tx *store.Tx, now clock.Time) (bool, error) {
	more := false
	for _, c := range cleaning {
		n, err := tx.Exec(c.query, now.Add(-c.keep), cleanBatch)
		if err != nil {
			return false, fmt.Errorf("drop what has ended: %w", err)
		}
		more = more || n == cleanBatch
	}
	n, err := tx.ForgetKeys(cleanBatch)
	return more || n == cleanBatch, err
}
