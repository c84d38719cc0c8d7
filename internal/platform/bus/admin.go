package bus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// Change says who has an operator's act done, and why. It goes into the audit log.
type Change struct {
	By  actor.Actor
	Why string
}

// Status is where a subscriber stands. Position − Start = Applied + Skipped + Parked, and
// Parked is the number of events that lie parked.
type Status struct {
	Subscriber string
	Module     string // whose database holds the cursor
	Log        Log
	Epoch      string
	Position   int64
	Start      int64
	Head       int64 // of the log; -1 if it could not be read
	Lag        int64 // events still to come; -1 if that is not known
	Applied    int64
	Skipped    int64
	Parked     int64
	State      string // "following", "retrying", "waiting", "gone", or "new" before its first event
	Error      string
	ErrorAt    clock.Time
	Tries      int64
	UpdatedAt  clock.Time
}

func (c cursor) status(module string) Status {
	return Status{
		Subscriber: c.Subscriber, Module: module, Log: c.Log, Epoch: c.Epoch, Position: c.Position, Start: c.Start,
		Head: -1, Lag: -1, Applied: c.Applied, Skipped: c.Skipped, Parked: c.Parked,
		State: c.State, Error: c.Error, ErrorAt: c.ErrorAt, Tries: c.Tries, UpdatedAt: c.UpdatedAt,
	}
}

// Cursors are the subscribers that have a cursor in db, without what only their logs know.
func Cursors(ctx context.Context, db *store.DB) ([]Status, error) {
	var rows []cursor
	err := db.Read(ctx, func(q store.Queryer) error {
		return q.Select(&rows, `SELECT `+cursorColumns+` FROM event_cursors ORDER BY subscriber`)
	})
	if err != nil {
		return nil, fmt.Errorf("read the cursors of %s: %w", db.Module(), err)
	}
	out := make([]Status, len(rows))
	for i, c := range rows {
		out[i] = c.status(db.Module())
	}
	return out, nil
}

// List is where every subscriber of the bus stands. A log that cannot be read leaves its
// head unknown and is no error.
func (b *Bus) List(ctx context.Context) ([]Status, error) {
	subscribers, err := b.all()
	if err != nil {
		return nil, err
	}
	out := make([]Status, 0, len(subscribers))
	for _, s := range subscribers {
		status, err := s.status(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, status)
	}
	return out, nil
}

func (s *Subscriber) status(ctx context.Context) (Status, error) {
	c := cursor{Subscriber: s.name, Log: s.log, State: "new"}
	err := s.db.Read(ctx, func(q store.Queryer) error {
		found, err := selectCursor(q, s.name)
		if err == nil {
			c = found
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return Status{}, fmt.Errorf("read the cursor of %s: %w", s.name, err)
	}
	status := c.status(s.db.Module())
	page, err := s.source.Page(ctx, c.Position, 1)
	if err != nil {
		s.logger.Warn().Err(err).Msg("log could not be read")
		return status, ctx.Err()
	}
	status.Head = page.Head
	if why := lost(c, page.State); why == "" {
		status.Lag = page.Head - c.Position
	} else if status.State != stateGone {
		status.State, status.Error = stateGone, why
	}
	return status, nil
}

// Parked is an event that lies parked. One without Error only waits behind another of its key.
type Parked struct {
	Event
	Tries    int64      `db:"tries"`
	Error    string     `db:"error"`
	ParkedAt clock.Time `db:"parked_at"`
	Epoch    string     `db:"epoch"`
}

const parkedColumns = `position, name, key, body, trace, at, tries, error, parked_at, epoch`

// Show is a page of what a subscriber has parked in db, in the order of the log, from after
// a position.
func Show(ctx context.Context, db *store.DB, subscriber string, after int64, limit int) ([]Parked, error) {
	var out []Parked
	err := db.Read(ctx, func(q store.Queryer) error {
		out = nil
		return q.Select(&out, `SELECT `+parkedColumns+` FROM event_parked
			WHERE subscriber = ? AND position > ? ORDER BY position LIMIT ?`, subscriber, after, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read what %s has parked: %w", subscriber, err)
	}
	return out, nil
}

// Show is a page of what a subscriber of the bus has parked.
func (b *Bus) Show(ctx context.Context, subscriber string, after int64, limit int) ([]Parked, error) {
	s, err := b.named(subscriber)
	if err != nil {
		return nil, err
	}
	return Show(ctx, s.db, subscriber, after, limit)
}

// Drained is what has become of the parked events of a key.
type Drained struct {
	Applied int
	Skipped int
	Left    int    // still parked
	Error   string // why, if any is
}

// Retry applies what a subscriber has parked under key, in order, until nothing is left or
// an event fails once more.
func (b *Bus) Retry(ctx context.Context, subscriber, key string, c Change) (Drained, error) {
	return b.drainKey(ctx, subscriber, key, false, store.Audit{By: c.By, Action: "events.retry", Why: c.Why})
}

// Skip drops the first event that a subscriber has parked under key for ever, and goes on
// with those behind it as Retry does.
func (b *Bus) Skip(ctx context.Context, subscriber, key string, c Change) (Drained, error) {
	return b.drainKey(ctx, subscriber, key, true, store.Audit{By: c.By, Action: "events.skip", Why: c.Why})
}

// RetryAll is Retry for every key under which the subscriber has parked something.
func (b *Bus) RetryAll(ctx context.Context, subscriber string, c Change) (Drained, error) {
	s, err := b.named(subscriber)
	if err != nil {
		return Drained{}, err
	}
	var keys []string
	err = s.db.Read(ctx, func(q store.Queryer) error {
		keys = nil
		return q.Select(&keys, `SELECT key FROM event_parked WHERE subscriber = ? GROUP BY key ORDER BY MIN(position)`, subscriber)
	})
	if err != nil {
		return Drained{}, fmt.Errorf("read what %s has parked: %w", subscriber, err)
	}
	var total Drained
	for _, key := range keys {
		d, err := b.Retry(ctx, subscriber, key, c)
		if errors.Is(err, ErrNotParked) {
			continue // somebody else was quicker
		}
		if err != nil {
			return total, err
		}
		total.Applied, total.Skipped, total.Left = total.Applied+d.Applied, total.Skipped+d.Skipped, total.Left+d.Left
		if total.Error == "" {
			total.Error = d.Error
		}
	}
	return total, nil
}

func (b *Bus) drainKey(ctx context.Context, subscriber, key string, skip bool, act store.Audit) (Drained, error) {
	s, err := b.named(subscriber)
	if err != nil {
		return Drained{}, err
	}
	act.Subject = subscriber + " " + key
	var total Drained
	for first := true; ; first = false {
		var turn drainTurn
		err := s.write(ctx, func(tx *store.Tx, v *verdict) (err error) {
			turn = drainTurn{skip: skip && first}
			if err := s.drainSome(tx, key, &turn, v); err != nil {
				return err
			}
			if !first {
				return nil
			}
			act.Before = turn.before
			act.After = fmt.Sprintf("%d applied, %d skipped, %d left", turn.Applied, turn.Skipped, turn.Left)
			return tx.Audit(act)
		})
		if err != nil {
			return total, fmt.Errorf("take up what %s has parked under %s: %w", subscriber, key, err)
		}
		total.Applied, total.Skipped = total.Applied+turn.Applied, total.Skipped+turn.Skipped
		total.Left, total.Error = turn.Left, turn.Error
		if turn.Left == 0 || turn.Error != "" {
			return total, turn.stopped
		}
	}
}

// drainTurn is one Write of drainKey.
type drainTurn struct {
	Drained
	skip    bool   // the first is dropped
	before  string // the first
	stopped error  // circumstances: nothing is the event's fault
}

const drainChunk = 100

func (s *Subscriber) drainSome(tx *store.Tx, key string, turn *drainTurn, v *verdict) error {
	var rows []Parked
	err := tx.Select(&rows, `SELECT `+parkedColumns+` FROM event_parked
		WHERE subscriber = ? AND key = ? ORDER BY position LIMIT ?`, s.name, key, drainChunk)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return ErrNotParked.With("%s has parked nothing under %q", s.name, key)
	}
	turn.before = fmt.Sprintf("%d %s: %s", rows[0].Position, rows[0].Name, rows[0].Error)
	began := time.Now()
	for i, e := range rows {
		if i > 0 && time.Since(began) > maxTurn {
			break
		}
		if err := s.unpark(tx, e, turn, v); err != nil {
			return err
		}
		if turn.Error != "" {
			break
		}
	}
	if err := s.settled(tx); err != nil {
		return err
	}
	done := turn.Applied + turn.Skipped
	_, err = tx.Exec(`UPDATE event_cursors SET applied = applied + ?, skipped = skipped + ?, parked = parked - ?, updated_at = ?
		WHERE subscriber = ?`, turn.Applied, turn.Skipped, done, tx.Now(), s.name)
	if err != nil {
		return err
	}
	return tx.Get(&turn.Left, `SELECT COUNT(*) FROM event_parked WHERE subscriber = ? AND key = ?`, s.name, key)
}

// unpark takes one parked event up, or notes in turn why it stays.
func (s *Subscriber) unpark(tx *store.Tx, e Parked, turn *drainTurn, v *verdict) error {
	var err error
	switch {
	case turn.skip || s.handlers[e.Name] == nil:
		turn.Skipped++
		turn.skip = false
	default:
		v.at = e.Position
		if err = s.handle(tx, e.Event, v); err == nil {
			turn.Applied++
		}
	}
	switch {
	case err == nil:
		_, err = tx.Exec(`DELETE FROM event_parked WHERE subscriber = ? AND position = ?`, s.name, e.Position)
	case passing(err):
		turn.Error, turn.stopped = text(err), err
		err = nil
	default:
		turn.Error = text(err)
		_, err = tx.Exec(`UPDATE event_parked SET tries = tries + 1, error = ? WHERE subscriber = ? AND position = ?`,
			turn.Error, s.name, e.Position)
	}
	if err == nil {
		v.at = 0
	}
	return err
}

// Replay puts a subscriber's cursor at a position of its log. Moved back, it hears the
// events after it once more: its handlers must bear that, and the counts begin anew. Moved
// forward, what lies between counts as skipped. The cursor takes on the log's epoch, so
// this is also how a subscriber without a rebuild gets a new place.
func (b *Bus) Replay(ctx context.Context, subscriber string, to int64, c Change) error {
	s, err := b.named(subscriber)
	if err != nil {
		return err
	}
	page, err := s.source.Page(ctx, to, 1)
	if err != nil {
		return err
	}
	if to < page.Trimmed || to > page.Head {
		return ErrPosition.With("the log %s has positions %d to %d, not %d", s.log, page.Trimmed, page.Head, to)
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		return s.replay(tx, page.State, to, store.Audit{By: c.By, Action: "events.replay", Subject: subscriber, Why: c.Why})
	})
	if err != nil {
		return fmt.Errorf("replay %s: %w", subscriber, err)
	}
	s.wake()
	return nil
}

func (s *Subscriber) replay(tx *store.Tx, log State, to int64, act store.Audit) error {
	at, err := selectCursor(tx, s.name)
	if errors.Is(err, sql.ErrNoRows) {
		at = cursor{Subscriber: s.name, Log: s.log, Epoch: log.Epoch, State: stateFollowing}
		_, err = tx.Exec(`INSERT INTO event_cursors (subscriber, log, epoch, position, start) VALUES (?, ?, ?, 0, 0)`,
			s.name, string(s.log), log.Epoch)
	}
	if err != nil {
		return err
	}
	next := at
	next.Epoch, next.Position = log.Epoch, to
	next.State, next.Error, next.ErrorAt, next.Tries = stateFollowing, "", 0, 0
	dropped := int64(0)
	if at.Epoch == log.Epoch && to >= at.Position {
		next.Skipped += to - at.Position
	} else {
		// What was parked after the new place will be heard again, and what is of another log's
		// epoch means nothing any more.
		dropped, err = tx.Exec(`DELETE FROM event_parked WHERE subscriber = ? AND (position > ? OR epoch <> ?)`, s.name, to, log.Epoch)
		if err != nil {
			return err
		}
		next.Applied, next.Skipped, next.Parked = 0, 0, at.Parked-dropped
		next.Start = to - next.Parked
	}
	act.Before = fmt.Sprintf("%s:%d", at.Epoch, at.Position)
	act.After = fmt.Sprintf("%s:%d, %d parked dropped", log.Epoch, to, dropped)
	if err := moveCursor(tx, at, next); err != nil {
		return err
	}
	return tx.Audit(act)
}

// Rebuild has a subscriber do on request what it does when its place is gone: rebuild from
// the publisher's reads and go on from where the log ended before that began.
func (b *Bus) Rebuild(ctx context.Context, subscriber string, c Change) error {
	s, err := b.named(subscriber)
	if err != nil {
		return err
	}
	if s.rebuild == nil {
		return ErrNoRebuild.With("subscriber %s has nothing to rebuild from", subscriber)
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	s.stale.Store(true)
	at, err := s.whereabouts(ctx)
	if err != nil {
		return err
	}
	from := *at
	s.place = nil
	page, err := s.source.Page(ctx, from.Position, 1)
	if err != nil {
		return err
	}
	defer s.wake()
	return s.rebuildAt(ctx, from, page.State, store.Audit{By: c.By, Action: "events.rebuild", Subject: subscriber, Why: c.Why})
}
