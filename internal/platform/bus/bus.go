// Package bus carries what one module has published to those that want to know.
//
// A module publishes in its own transaction (store.Tx.Publish), which appends to its event
// log. A subscriber reads one log in order. It keeps its cursor in its own module's
// database and moves it in the transaction of its effects, by compare-and-set: so an event
// takes effect exactly once, whatever crashes, and the publisher knows no subscriber.
//
//	b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{catalog.Log: bus.LocalSource(catalogDB)}})
//	s := bus.NewSubscriber(b, "search.index", catalog.Log, searchDB) // the name is a constant for ever
//	bus.On(s, func(tx *store.Tx, e catalog.ListingChanged) error { return upsert(tx, e) })
//	go b.Run(ctx)
//
// Order holds per key. An event that cannot be applied for a reason of its own is tried five
// times and then parked: it, and every later event of its key, is copied whole into the
// subscriber's database, where an operator retries or skips it, while everything else goes
// on. A reason that is not the event's (storage full or locked, a cancelled context) parks
// nothing and stops that one subscriber for a while.
//
// A cursor of another epoch, beyond the head or behind what was trimmed has lost its place.
// The subscriber then rebuilds from the publisher's contract and follows the log again.
package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
)

// MaxTries is how often an event is tried before it is parked.
const MaxTries = 5

// What the bus itself refuses or reports.
var (
	// ErrPlaceGone says that a cursor's place in its log is not there any more.
	ErrPlaceGone = errs.Refusal(errs.Internal, "bus.place_gone")
	// ErrNoSubscriber says that there is no subscriber of that name here.
	ErrNoSubscriber = errs.Refusal(errs.NotFound, "bus.no_subscriber")
	// ErrNotParked says that the subscriber has parked nothing under that key.
	ErrNotParked = errs.Refusal(errs.NotFound, "bus.not_parked")
	// ErrPosition says that a log has no such position, or not any more.
	ErrPosition = errs.Refusal(errs.Invalid, "bus.position")
	// ErrNoRebuild says that a subscriber cannot be rebuilt: it has registered nothing for that.
	ErrNoRebuild = errs.Refusal(errs.Conflict, "bus.no_rebuild")

	// errMoved says that another process has moved the cursor meanwhile.
	errMoved = errors.New("the cursor has been moved by someone else")
)

// Config is what a Bus is made of.
type Config struct {
	Sources map[Log]Source       // the logs that there are
	Log     zerolog.Logger       // default: silent
	Now     func() clock.Time    // default: clock.Now
	Rand    func() float64       // jitter of pauses, in [0,1); default: math/rand
	Tracer  trace.TracerProvider // default: OpenTelemetry's global one
	Batch   int                  // events in one Write at most; default 256
	Turn    time.Duration        // how long a batch may take of the writer's time; default 20 ms
}

// Bus runs subscribers. Make it, make its subscribers, then Run it.
type Bus struct {
	o      Config
	tracer trace.Tracer

	mu          sync.Mutex
	subscribers []*Subscriber
	byName      map[string]*Subscriber
	wiring      []error // what was wrong with the subscribers registered

	moved bell // a cursor has
}

// New makes a bus. Nothing happens before Run.
func New(o Config) *Bus {
	if o.Now == nil {
		o.Now = clock.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Tracer == nil {
		o.Tracer = otel.GetTracerProvider()
	}
	if o.Batch <= 0 {
		o.Batch = 256
	}
	if o.Turn <= 0 {
		o.Turn = maxTurn
	}
	return &Bus{o: o, tracer: o.Tracer.Tracer("souk/internal/platform/bus"), byName: map[string]*Subscriber{}}
}

// register takes a subscriber in, and notes what is wrong with it for Run to say.
func (b *Bus) register(s *Subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byName[s.name] != nil {
		b.wiring = append(b.wiring, fmt.Errorf("two subscribers are named %q", s.name))
		return
	}
	if s.source == nil {
		b.wiring = append(b.wiring, fmt.Errorf("subscriber %s hears the log %q, which has no source", s.name, s.log))
	}
	b.byName[s.name] = s
	b.subscribers = append(b.subscribers, s)
}

// all are the subscribers in the order in which they were made.
func (b *Bus) all() ([]*Subscriber, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wiring) > 0 {
		return nil, errors.Join(b.wiring...)
	}
	return append([]*Subscriber(nil), b.subscribers...), nil
}

func (b *Bus) named(name string) (*Subscriber, error) {
	if _, err := b.all(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.byName[name]
	if s == nil {
		return nil, ErrNoSubscriber.With("there is no subscriber %q here", name)
	}
	return s, nil
}

// Run has every subscriber follow its log until ctx ends, and returns when the last of them
// has come to rest. It returns an error at once if the subscribers are wired wrongly.
func (b *Bus) Run(ctx context.Context) error {
	subscribers, err := b.all()
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	for _, s := range subscribers {
		running.Go(func() { s.run(ctx) })
	}
	running.Wait()
	return nil
}

// Drain applies everything that there is, also what applying it publishes in turn, and
// returns when all is quiet. It takes the subscribers one after the other and waits for
// nothing: an event that fails is tried again at once until it is parked. What
// stops a subscriber is returned when the others are done. It is for tests and commands.
func (b *Bus) Drain(ctx context.Context) error {
	subscribers, err := b.all()
	if err != nil {
		return err
	}
	for {
		if err := settleLogs(ctx, subscribers); err != nil {
			return err
		}
		moved, stopped := false, []error(nil)
		for _, s := range subscribers {
			m, err := s.drain(ctx)
			moved = moved || m
			if err != nil {
				stopped = append(stopped, fmt.Errorf("subscriber %s: %w", s.name, err))
			}
		}
		if ctx.Err() != nil || !moved {
			return errors.Join(stopped...)
		}
	}
}

// Abreast waits until everyone who follows a log here has passed what is in it now. Whoever publishes very
// much calls it now and then, so that what others publish meanwhile is not heard of late.
// A subscriber that something has stopped is not waited for, and nobody longer than patience while
// nothing moves.
func (b *Bus) Abreast(ctx context.Context, log Log, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for now, best := int64(-1), int64(-1); ; {
		moved, _ := b.moved.wait() // before looking, so that nothing falls between
		last, head, err := b.last(ctx, log)
		if now < 0 {
			now = head
		}
		if err != nil || last >= now {
			return err
		}
		if last > best { // others that move, which follow other logs, are no reason to wait
			best = last
			timer.Reset(patience)
		}
		select {
		case <-moved:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// last is where the last of those is who follow a log, and where it ends.
func (b *Bus) last(ctx context.Context, log Log) (last, head int64, err error) {
	subscribers, err := b.all()
	if err != nil {
		return 0, 0, err
	}
	lag := int64(0)
	for _, s := range subscribers {
		if s.log != log {
			continue
		}
		status, err := s.status(ctx)
		if err != nil {
			return 0, 0, err
		}
		head = max(head, status.Head)
		if status.State == stateFollowing {
			lag = max(lag, status.Head-status.Position)
		}
	}
	return head - lag, head, nil
}

// settleLogs has what was published get its positions, where that happens after the commit.
func settleLogs(ctx context.Context, subscribers []*Subscriber) error {
	for _, s := range subscribers {
		if l, ok := s.source.(*local); ok {
			if err := l.db.Settle(ctx); err != nil {
				return fmt.Errorf("settle the event log of %s: %w", l.db.Module(), err)
			}
		}
	}
	return nil
}

// The pauses. An event's own tries follow each other quickly, for the others wait behind
// it; a subscriber that is stopped by circumstances is patient.
const (
	tryPause    = 100 * time.Millisecond // four times as long after each try
	stopPause   = 200 * time.Millisecond // twice as long after each stop
	longestStop = 30 * time.Second
)

func (b *Bus) pauseAfterTry(tries int) time.Duration {
	return b.jitter(tryPause << (2 * min(max(tries-1, 0), MaxTries)))
}

func (b *Bus) pauseAfterStop(stops int) time.Duration {
	return b.jitter(min(stopPause<<min(max(stops-1, 0), 16), longestStop))
}

// jitter is d less up to a quarter.
func (b *Bus) jitter(d time.Duration) time.Duration {
	return d - time.Duration(float64(d)*b.o.Rand()/4)
}
