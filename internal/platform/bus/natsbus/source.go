package natsbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/bus"
)

// Source is a log as it is read through the broker.
func (b *Broker) Source(log bus.Log) bus.Source {
	return &source{Broker: b, log: log, news: make(chan struct{})}
}

// source reads a stream by position. It has no place of its own.
type source struct {
	*Broker
	log bus.Log

	mu     sync.Mutex
	news   chan struct{} // closed by the next news
	listen *nats.Subscription
	epoch  string // as the log itself has said it, "" when it was not asked yet
}

// Page reads the stream, and asks the log itself for what the stream does not hold or for
// what only the log can know.
func (s *source) Page(ctx context.Context, after int64, limit int) (bus.Page, error) {
	ctx, span := s.tracer.Start(ctx, "read events of "+string(s.log), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("souk.log", string(s.log)), attribute.Int64("souk.position", after)))
	defer span.End()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	page, err := s.page(ctx, max(after, 0), min(max(limit, 1), batch))
	if err != nil {
		span.SetStatus(codes.Error, "the page did not come")
		return bus.Page{}, away(s.log, err)
	}
	return page, nil
}

func (s *source) page(ctx context.Context, after int64, limit int) (bus.Page, error) {
	known := s.known()
	var unsaid error // why the log itself has not said which epoch it is of
	if known == "" {
		page, err := s.askFirst(ctx, after, limit)
		if err == nil {
			return page, nil
		}
		unsaid = err // its process may be away; the stream can be read all the same
	}
	page, ok, err := s.read(ctx, after, limit)
	switch {
	case err != nil:
		return bus.Page{}, errors.Join(err, unsaid)
	case ok && (known == "" || page.Epoch == known):
		return page, nil
	case unsaid != nil:
		return bus.Page{}, unsaid
	}
	return s.ask(ctx, after, limit)
}

// askFirst asks the log with little patience.
func (s *source) askFirst(ctx context.Context, after int64, limit int) (bus.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, firstTimeout)
	defer cancel()
	return s.ask(ctx, after, limit)
}

func (s *source) known() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// ask asks the log itself.
func (s *source) ask(ctx context.Context, after int64, limit int) (bus.Page, error) {
	asked, err := json.Marshal(question{After: after, Limit: limit})
	if err != nil {
		return bus.Page{}, err
	}
	m, err := s.nc.RequestWithContext(ctx, s.theLogItself(s.log), asked)
	if err != nil {
		return bus.Page{}, fmt.Errorf("ask the log itself: %w", err)
	}
	page, err := understand(m.Data)
	if err != nil {
		return bus.Page{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch = page.Epoch
	return page, nil
}

// understand is what the log itself answered.
func understand(data []byte) (bus.Page, error) {
	var answer reply
	if err := json.Unmarshal(data, &answer); err != nil {
		return bus.Page{}, fmt.Errorf("understand the log's answer: %w", err)
	}
	if answer.Error != nil {
		return bus.Page{}, answer.Error
	}
	if answer.Page == nil || answer.Page.Epoch == "" {
		return bus.Page{}, errors.New("the log's answer says nothing")
	}
	return *answer.Page, nil
}

// read reads the stream. It is not ok if the stream cannot tell what comes after the
// position: only the log can then.
func (s *source) read(ctx context.Context, after int64, limit int) (page bus.Page, ok bool, err error) {
	page, err = s.fetch(ctx, after, limit)
	if err != nil || len(page.Events) > 0 {
		return page, err == nil, err
	}
	// Nothing there, for the replica that was asked. What the stream's leader says counts.
	stream, err := s.js.Stream(ctx, s.stream(s.log))
	if missing(err) {
		return bus.Page{}, false, nil
	}
	if err != nil {
		return bus.Page{}, false, fmt.Errorf("look at the stream: %w", err)
	}
	at := copiedOf(stream.CachedInfo())
	switch {
	case at.last == after:
		return bus.Page{State: bus.State{Epoch: at.epoch, Head: at.last}}, at.epoch != "", nil
	case at.last < after || at.first > after+1:
		return bus.Page{}, false, nil
	}
	page, err = s.leader(ctx, stream, after, at.last)
	return page, err == nil && len(page.Events) > 0, err
}

// leader reads one event of the stream's leader.
func (s *source) leader(ctx context.Context, stream jetstream.Stream, after, last int64) (bus.Page, error) {
	raw, err := stream.GetMsg(ctx, uint64(after+1)) //nolint:gosec // a position
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return bus.Page{}, nil
	}
	if err != nil {
		return bus.Page{}, fmt.Errorf("read event %d of the stream: %w", after+1, err)
	}
	e, epoch, err := decode(raw.Header, raw.Data, after+1)
	if err != nil {
		return bus.Page{}, err
	}
	return bus.Page{State: bus.State{Epoch: epoch, Head: last}, Events: []bus.Event{e}}, nil
}

// decode is a message as an event, which must be the one at the position.
func decode(h nats.Header, data []byte, position int64) (e bus.Event, epoch string, err error) {
	if err := json.Unmarshal(data, &e); err != nil {
		return bus.Event{}, "", fmt.Errorf("understand message %d of the stream: %w", position, err)
	}
	if h.Get(positionHeader) != strconv.FormatInt(position, 10) || e.Position != position || h.Get(epochHeader) == "" {
		return bus.Event{}, "", fmt.Errorf("message %d of the stream is event %d, headed %q of epoch %q: something else publishes to it",
			position, e.Position, h.Get(positionHeader), h.Get(epochHeader))
	}
	return e, h.Get(epochHeader), nil
}

// Wait waits for news of the log's publisher, and looks for itself when that
// may have missed some.
func (s *source) Wait(ctx context.Context, seen bus.State) error {
	if err := s.hear(); err != nil {
		return away(s.log, err)
	}
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	for {
		told, again := s.next(), s.again() // before looking, so that nothing falls between
		state, err := s.look(ctx, seen)
		if err != nil {
			return away(s.log, err)
		}
		if state.Epoch != seen.Epoch || state.Head != seen.Head {
			return nil
		}
		timer.Reset(lookAgain)
		select {
		case <-told:
		case <-again:
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look is how far the log reaches. A stream that is not as far as what was seen is being rebuilt, or the log
// itself has changed: the log is asked.
func (s *source) look(ctx context.Context, seen bus.State) (bus.State, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stream, err := s.js.Stream(ctx, s.stream(s.log))
	if err != nil && !missing(err) {
		return bus.State{}, fmt.Errorf("look at the stream: %w", err)
	}
	if err == nil {
		if at := copiedOf(stream.CachedInfo()); at.epoch == seen.Epoch && at.last >= seen.Head {
			return bus.State{Epoch: at.epoch, Head: at.last}, nil
		}
	}
	page, err := s.ask(ctx, seen.Head, 1)
	return page.State, err
}

func (s *source) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.news
}

// hear begins to listen for news, once. The connection ends it.
func (s *source) hear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listen != nil {
		return nil
	}
	sub, err := s.nc.Subscribe(s.newsOf(s.log), func(*nats.Msg) {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.news)
		s.news = make(chan struct{})
	})
	if err != nil {
		return fmt.Errorf("listen for news: %w", err)
	}
	s.listen = sub
	return nil
}
