package bus

import (
	"fmt"

	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// Standing is where a module is in its own log, in the logs that it hears, and in its jobs:
// the part of every module's report on itself that is the same for all.
func Standing(q store.Queryer, now clock.Time) (audit.Standing, error) {
	var s struct {
		Epoch   string `db:"epoch"`
		Head    int64  `db:"head"`
		Trimmed int64  `db:"trimmed"`
		Due     int64  `db:"due"`
		Dead    int64  `db:"dead"`
	}
	if err := q.Get(&s, `
		SELECT epoch, head, trimmed,
			(SELECT count(*) FROM jobs WHERE state = 'pending' AND run_at <= ?) AS due,
			(SELECT count(*) FROM jobs WHERE state = 'dead') AS dead
		FROM event_log_state`, now); err != nil {
		return audit.Standing{}, fmt.Errorf("read a module's standing: %w", err)
	}
	var rows []struct {
		Subscriber string     `db:"subscriber"`
		Log        string     `db:"log"`
		Epoch      string     `db:"epoch"`
		Start      int64      `db:"start"`
		Position   int64      `db:"position"`
		Applied    int64      `db:"applied"`
		Skipped    int64      `db:"skipped"`
		Parked     int64      `db:"parked"`
		MovedAt    clock.Time `db:"updated_at"`
	}
	if err := q.Select(&rows, `
		SELECT subscriber, log, epoch, start, position, applied, skipped, parked, updated_at
		FROM event_cursors ORDER BY subscriber`); err != nil {
		return audit.Standing{}, fmt.Errorf("read a module's cursors: %w", err)
	}
	out := audit.Standing{Epoch: s.Epoch, Head: s.Head, Trimmed: s.Trimmed, JobsDue: s.Due, JobsDead: s.Dead}
	for _, r := range rows {
		out.Cursors = append(out.Cursors, audit.Cursor(r))
	}
	return out, nil
}
