package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/v1"
	"github.com/rs/zerolog"

	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

// Subscriber follows one log. Its name is a constant for ever: the cursor hangs on it.
type Subscriber struct {
	bus    *Bus
	name   string
	log    Log
	db     *store.DB
	source Source
	logger zerolog.Logger

	handlers map[string]func(tx *store.Tx, body string) error
	settle   func(tx *store.Tx) error
	rebuild  func(ctx context.Context) error
	linger   time.Duration

	turn     sync.Mutex    // one step at a time
	place    *cursor       // as last seen by this process; nil when it must be read
	rebuilds int           // since its place was last there
	stale    atomic.Bool   // place must be read again
	poke     chan struct{} // holds one token when the subscriber is to look at once
}

// NewSubscriber makes a subscriber of a log, with its cursor in db: its own module's
// database. One that has never run begins with the first event of the log.
func NewSubscriber(b *Bus, name string, log Log, db *store.DB) *Subscriber {
	s := &Subscriber{
		bus: b, name: name, log: log, db: db, source: b.o.Sources[log],
		logger:   b.o.Log.With().Str("module", db.Module()).Str("subscriber", name).Str("log", string(log)).Logger(),
		handlers: map[string]func(*store.Tx, string) error{},
		poke:     make(chan struct{}, 1),
	}
	b.register(s)
	return s
}

// On has fn called for every event of E's name, in the transaction that moves the cursor:
// what STYLE says of a Write's function holds for it. It panics if the name is heard already.
func On[E store.Event](s *Subscriber, fn func(tx *store.Tx, e E) error) {
	var zero E
	name := zero.EventName()
	if s.handlers[name] != nil {
		panic(fmt.Sprintf("subscriber %s hears %s twice", s.name, name))
	}
	s.handlers[name] = func(tx *store.Tx, body string) error {
		var e E
		if err := json.Unmarshal([]byte(body), &e); err != nil { // twice as fast as encoding/json, and reads the same
			return fmt.Errorf("read %s: %w", name, err)
		}
		return fn(tx, e)
	}
}

// OnBatch has fn called once after the handlers of each batch, in the same transaction: for
// what costs less for many events than for each. It is no event's own, so its error parks
// nothing: the batch is undone and the subscriber stops for a while.
func (s *Subscriber) OnBatch(fn func(tx *store.Tx) error) { s.settle = fn }

// settled calls what OnBatch has registered.
func (s *Subscriber) settled(tx *store.Tx) error {
	if s.settle == nil {
		return nil
	}
	if err := s.settle(tx); err != nil {
		return fmt.Errorf("settle a batch of %s: %w", s.name, err)
	}
	return nil
}

// OnPlaceGone registers what is done when the cursor's place is not in the log any more: fn
// rebuilds from the reads of the publisher's contract. The subscriber goes on from
// where the log's head was before fn began, so nothing is lost; what fn has read already is
// applied again on top. What was parked is dropped, since it is older than what fn reads.
func (s *Subscriber) OnPlaceGone(fn func(ctx context.Context) error) { s.rebuild = fn }

// Linger has what is published wait so long for more, which is then applied together: for what nobody waits for. Each batch
// is a Write of its own, so a busy log costs its followers one for every few events otherwise. Drain does not linger, nor does who is
// to look again at once. Call it before Run.
func (s *Subscriber) Linger(d time.Duration) { s.linger = d }

// Name is the subscriber's name.
func (s *Subscriber) Name() string { return s.name }

// Log is the log that it follows.
func (s *Subscriber) Log() Log { return s.log }

// Hears are the names of the events that it acts on, in no order.
func (s *Subscriber) Hears() []string {
	names := make([]string, 0, len(s.handlers))
	for name := range s.handlers {
		names = append(names, name)
	}
	return names
}

// run follows the log until ctx ends.
func (s *Subscriber) run(ctx context.Context) {
	stops := 0 // in a row
	for ctx.Err() == nil {
		r, err := s.step(ctx)
		if err == nil {
			err = r.stopped
		}
		if r.moved {
			stops = 0
		}
		switch {
		case errors.Is(err, errMoved):
		case err != nil:
			stops++
			s.rest(ctx, s.bus.pauseAfterStop(stops), err)
		case r.tried != nil:
			s.rest(ctx, s.bus.pauseAfterTry(r.tries), nil)
		case r.atHead:
			stops = 0
			switch poked, err := s.wait(ctx, r.state); {
			case err != nil:
				stops++
				s.rest(ctx, s.bus.pauseAfterStop(stops), err)
			case !poked && s.linger > 0:
				s.rest(ctx, s.linger, nil)
			}
		}
	}
}

// rest says why the subscriber stops, and pauses until the time is over, it is poked or
// ctx ends.
func (s *Subscriber) rest(ctx context.Context, pause time.Duration, why error) {
	if ctx.Err() != nil {
		return
	}
	if why != nil {
		level := zerolog.WarnLevel
		if errs.KindOf(why) == errs.Internal {
			level = zerolog.ErrorLevel
		}
		s.logger.WithLevel(level).Err(why).Dur("pause", pause).Msg("subscriber stopped for a while")
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.poke:
	case <-ctx.Done():
	}
}

// wait returns when the log has news, or the subscriber is poked.
func (s *Subscriber) wait(ctx context.Context, seen State) (poked bool, err error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	was := make(chan bool)
	go func() {
		select {
		case <-s.poke:
			cancel()
			was <- true
		case <-waiting.Done():
			was <- false
		}
	}()
	err = s.source.Wait(waiting, seen)
	cancel()
	if poked = <-was; poked || ctx.Err() != nil {
		return poked, nil
	}
	return false, err
}

// wake has the subscriber look again from its cursor on, whatever it is waiting for.
func (s *Subscriber) wake() {
	s.stale.Store(true)
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// drain applies what there is without a pause.
func (s *Subscriber) drain(ctx context.Context) (moved bool, err error) {
	rebuilt := false
	for {
		r, err := s.step(ctx)
		moved, rebuilt = moved || r.moved, rebuilt || r.rebuilt
		switch {
		case errors.Is(err, errMoved):
			continue
		case err != nil:
			return moved, err
		case r.stopped != nil:
			return moved, r.stopped
		case r.atHead:
			return moved || rebuilt, nil
		}
	}
}

// passing says whether err is about the moment and not about the event: trying the same
// event later may go well, and every other event would have met it too.
func passing(err error) bool {
	switch errs.KindOf(err) {
	case errs.Unavailable, errs.Unknown, errs.Exhausted:
		return true
	default:
		return errors.Is(err, store.ErrCorrupt) || errors.Is(err, errMoved)
	}
}
