package bus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// maxTurn is how long a batch may take of the writer's time before it leaves the rest for
// the next one, unless Config.Turn says otherwise.
const maxTurn = 20 * time.Millisecond

// The states of a subscriber, for people to read.
const (
	stateFollowing = "following"
	stateRetrying  = "retrying" // the event after the cursor has failed and will be tried again
	stateWaiting   = "waiting"  // stopped by circumstances, will go on by itself
	stateGone      = "gone"     // its place is not in the log; rebuilding, or waiting for someone
)

// cursor is a row of event_cursors.
type cursor struct {
	Subscriber string     `db:"subscriber"`
	Log        Log        `db:"log"`
	Epoch      string     `db:"epoch"`
	Position   int64      `db:"position"`
	Start      int64      `db:"start"`
	Applied    int64      `db:"applied"`
	Skipped    int64      `db:"skipped"`
	Parked     int64      `db:"parked"`
	State      string     `db:"state"`
	Error      string     `db:"error"`
	ErrorAt    clock.Time `db:"error_at"`
	Tries      int64      `db:"tries"`
	UpdatedAt  clock.Time `db:"updated_at"`
}

const cursorColumns = `subscriber, log, epoch, position, start, applied, skipped, parked, state, error, error_at, tries, updated_at`

// result is what a step has come to.
type result struct {
	state   State
	moved   bool  // the cursor or a count of tries has moved
	rebuilt bool  // the place was gone, and there is a new one
	atHead  bool  // nothing is left
	tried   error // the next event has failed and is to be tried again after a pause
	tries   int
	stopped error // circumstances: the same again after a pause
}

// step applies one batch.
func (s *Subscriber) step(ctx context.Context) (result, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	at, err := s.whereabouts(ctx)
	if err != nil {
		return result{}, err
	}
	page, err := s.source.Page(ctx, at.Position, s.bus.o.Batch)
	if err != nil {
		return result{}, err
	}
	if why := lost(*at, page.State); why != "" {
		return s.regain(ctx, *at, page.State, why)
	}
	s.rebuilds = 0
	if at.Epoch == "" {
		return s.start(ctx, *at, page.State)
	}
	if err := sound(*at, page); err != nil {
		return result{}, err
	}
	if len(page.Events) == 0 {
		return result{state: page.State, atHead: true}, nil
	}
	return s.apply(ctx, *at, page)
}

// whereabouts is the cursor as this process knows it. Without one its Epoch is empty.
func (s *Subscriber) whereabouts(ctx context.Context) (*cursor, error) {
	if s.stale.Swap(false) {
		s.place = nil
	}
	if s.place != nil {
		return s.place, nil
	}
	at := cursor{Subscriber: s.name, Log: s.log}
	err := s.db.Read(ctx, func(q store.Queryer) error {
		c, err := selectCursor(q, s.name)
		if err == nil {
			at = c
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the cursor of %s: %w", s.name, err)
	}
	if at.Log != s.log {
		return nil, fmt.Errorf("the cursor of %s is one of the log %q, not of %q: a subscriber keeps its log for ever", s.name, at.Log, s.log)
	}
	s.place = &at
	return s.place, nil
}

// lost says why the cursor's place is not in the log; "" if it is.
func lost(at cursor, log State) string {
	switch {
	case at.Epoch == "" && log.Trimmed > 0:
		return fmt.Sprintf("it is new, and the log has been trimmed up to %d", log.Trimmed)
	case at.Epoch == "":
		return ""
	case at.Epoch != log.Epoch:
		return fmt.Sprintf("it is at %d of epoch %s, and the log is of epoch %s", at.Position, at.Epoch, log.Epoch)
	case at.Position > log.Head:
		return fmt.Sprintf("it is at %d, and the log ends at %d", at.Position, log.Head)
	case at.Position < log.Trimmed:
		return fmt.Sprintf("it is at %d, and the log has been trimmed up to %d", at.Position, log.Trimmed)
	}
	return ""
}

// sound checks that a source has given what was asked for: an event left out would be lost.
func sound(at cursor, page Page) error {
	if len(page.Events) == 0 && at.Position < page.Head {
		return fmt.Errorf("the log %s reaches to %d, but there is nothing after %d", at.Log, page.Head, at.Position)
	}
	for i, e := range page.Events {
		if want := at.Position + int64(i) + 1; e.Position != want {
			return fmt.Errorf("the log %s gave position %d in place of %d", at.Log, e.Position, want)
		}
	}
	return nil
}

// start makes the cursor of a subscriber that has never run.
func (s *Subscriber) start(ctx context.Context, at cursor, log State) (result, error) {
	s.place = nil
	at.Epoch = log.Epoch
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO event_cursors (subscriber, log, epoch, position, start, updated_at)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (subscriber) DO NOTHING`,
			at.Subscriber, string(at.Log), at.Epoch, at.Position, at.Position, tx.Now())
		return err
	})
	return result{state: log}, err
}

// batch is one Write's worth of events, and what has become of them.
type batch struct {
	cursor  cursor // where it ends
	tried   error
	stopped error
	parked  []Event // with the reason below
	reason  error
}

// apply applies a page, or as much of it as fits into one turn.
func (s *Subscriber) apply(ctx context.Context, at cursor, page Page) (result, error) {
	s.place = nil // whatever happens now, it is read again unless all goes well
	var b batch
	err := s.write(ctx, func(tx *store.Tx, v *verdict) (err error) {
		b, err = s.batch(tx, at, page.Events, v)
		return err
	})
	if err != nil {
		if !errors.Is(err, errMoved) {
			err = fmt.Errorf("apply events after %d: %w", at.Position, err)
		}
		return result{}, err
	}
	s.place = &b.cursor
	s.bus.moved.ring()
	s.say(b)
	return result{
		state:   page.State,
		moved:   b.cursor.Position != at.Position || b.tried != nil,
		atHead:  b.cursor.Position == page.Head && b.stopped == nil,
		tried:   b.tried,
		tries:   int(b.cursor.Tries),
		stopped: b.stopped,
	}, nil
}

// say logs what a person should know of a batch.
func (s *Subscriber) say(b batch) {
	for _, e := range b.parked {
		s.logger.Error().Err(b.reason).Int64("position", e.Position).Str("event", e.Name).Str("key", e.Key).
			Int("tries", MaxTries).Msg("event parked")
	}
	if b.tried != nil {
		s.logger.Warn().Err(b.tried).Int64("position", b.cursor.Position+1).Int64("tries", b.cursor.Tries).
			Msg("event failed and will be tried again")
	}
}

// verdict is how an event is known by which a whole Write was lost: a handler that ends
// its goroutine or its transaction leaves no error where it was called.
type verdict struct {
	at    int64           // the event being handled, or that was the last and failed; 0 otherwise
	guilt map[int64]error // the events to blame, and for what; their handlers are not called again
}

// write is s.db.Write, once more without the handler that spoilt it.
func (s *Subscriber) write(ctx context.Context, fn func(tx *store.Tx, v *verdict) error) error {
	v := verdict{guilt: map[int64]error{}}
	for {
		err := s.db.Write(ctx, func(tx *store.Tx) error {
			v.at = 0
			return fn(tx, &v)
		})
		if err == nil || v.at == 0 || v.guilt[v.at] != nil || passing(err) {
			return err
		}
		v.guilt[v.at] = err
	}
}

func (s *Subscriber) batch(tx *store.Tx, from cursor, events []Event, v *verdict) (batch, error) {
	at, err := selectCursor(tx, s.name)
	if err != nil {
		return batch{}, fmt.Errorf("read the cursor: %w", err)
	}
	if at.Epoch != from.Epoch || at.Position != from.Position {
		return batch{}, errMoved
	}
	b := batch{cursor: at}
	began := time.Now()
	for i, e := range events {
		if i > 0 && time.Since(began) > s.bus.o.Turn {
			break
		}
		if err := s.one(tx, &b, e, v); err != nil {
			return batch{}, err
		}
		if b.tried != nil || b.stopped != nil {
			break
		}
	}
	if err := s.settled(tx); err != nil {
		return batch{}, err
	}
	return b, moveCursor(tx, at, b.cursor)
}

// one passes an event, or notes in b why it cannot.
func (s *Subscriber) one(tx *store.Tx, b *batch, e Event, v *verdict) error {
	c := &b.cursor
	if c.Parked > 0 {
		behind, err := isParked(tx, s.name, e.Key)
		if err != nil {
			return err
		}
		if behind {
			c.pass(&c.Parked)
			return insertParked(tx, *c, e, 0, "")
		}
	}
	if s.handlers[e.Name] == nil {
		c.pass(&c.Skipped)
		return nil
	}
	v.at = e.Position
	err := s.handle(tx, e, v)
	switch {
	case err == nil:
		v.at = 0
		c.pass(&c.Applied)
	case passing(err):
		b.stopped = err
		c.State, c.Error, c.ErrorAt = stateWaiting, text(err), tx.Now()
	case c.Tries+1 < MaxTries:
		b.tried = err
		c.Tries++
		c.State, c.Error, c.ErrorAt = stateRetrying, text(err), tx.Now()
	default:
		b.parked, b.reason = append(b.parked, e), err
		c.pass(&c.Parked)
		if err := insertParked(tx, *c, e, MaxTries, text(err)); err != nil {
			return err
		}
		v.at = 0
	}
	return nil
}

// pass moves the cursor over one event and counts it.
func (c *cursor) pass(count *int64) {
	c.Position++
	*count++
	c.Tries, c.State, c.Error, c.ErrorAt = 0, stateFollowing, "", 0
}

// handle calls the event's handler in a savepoint of its own, under the event's trace.
func (s *Subscriber) handle(tx *store.Tx, e Event, v *verdict) error {
	if err := v.guilt[e.Position]; err != nil {
		return err
	}
	ctx := propagation.TraceContext{}.Extract(tx.Context(), propagation.MapCarrier{"traceparent": e.Trace})
	ctx, span := s.bus.tracer.Start(ctx, "hear "+e.Name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("souk.subscriber", s.name), attribute.Int64("souk.position", e.Position)))
	defer span.End()
	err := tx.Under(ctx, func() error {
		return tx.Savepoint(func() error { return s.handlers[e.Name](tx, e.Body) })
	})
	if err != nil {
		span.SetStatus(codes.Error, "the event was not applied")
	}
	return err
}

// text is an error as it is kept in a row: not longer than a person would read.
func text(err error) string {
	const longest = 2000
	s := err.Error()
	if len(s) > longest {
		s = s[:longest] + "…"
	}
	return s
}
