package natsbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"souk/internal/platform/bus"
)

// publisher copies one log into its stream, and answers for the log.
type publisher struct {
	*Broker
	log    bus.Log
	source bus.Source
	logger zerolog.Logger
}

// Publish copies a log into its stream until ctx ends, and answers those who ask for
// what the stream does not hold. Several processes may do so for the same log.
func (b *Broker) Publish(ctx context.Context, log bus.Log, source bus.Source) error {
	p := &publisher{Broker: b, log: log, source: source, logger: b.o.Log.With().Str("log", string(log)).Logger()}
	stop, err := p.answer(ctx)
	if err != nil {
		return err
	}
	defer stop()
	pause := firstPause
	for ctx.Err() == nil {
		moved, err := p.follow(ctx)
		if moved {
			pause = firstPause
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case outrun(err):
			p.logger.Debug().Msg("another process publishes this log")
			p.rest(ctx, standBack, nil)
			continue
		case errors.Is(err, errLook):
			continue
		}
		again := p.again()
		if !errors.Is(err, errRenewed) { // that was said already
			level := zerolog.WarnLevel
			if errors.Is(err, nats.ErrMaxPayload) {
				level = zerolog.ErrorLevel // it does not pass by itself, and the log stands still meanwhile
			}
			p.logger.WithLevel(level).Err(err).Dur("pause", pause).Msg("publishing events to NATS rests for a while")
		}
		p.rest(ctx, pause, again)
		pause = min(2*pause, longestPause)
	}
	return nil
}

// errLook has the publisher look at the stream again: it is time to, or it was changed.
var errLook = errors.New("look at the stream again")

// errRenewed has it make the stream anew, after a pause: should two logs fight over one stream, they
// do it slowly.
var errRenewed = errors.New("the stream was dropped")

// outrun says whether an event was refused because the stream has got on by other hands.
func outrun(err error) bool {
	var refused *jetstream.APIError
	return errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// rest pauses for d and up to as much again, or until the channel says that it is over.
func (p *publisher) rest(ctx context.Context, d time.Duration, over <-chan struct{}) {
	timer := time.NewTimer(d + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
	case <-ctx.Done():
	}
}

// copied is how far the stream is.
type copied struct {
	epoch       string
	first, last int64
}

// follow publishes what comes, until something goes wrong or it is time to look at the
// stream again. moved says that something was published.
func (p *publisher) follow(ctx context.Context) (moved bool, err error) {
	again := p.again() // before looking, so that nothing falls between
	at, err := p.open(ctx)
	if err != nil {
		return false, err
	}
	for {
		page, err := p.source.Page(ctx, at.last, batch)
		if err != nil {
			return moved, err
		}
		if why := spoilt(at, page.State); why != "" {
			return moved, p.renew(ctx, at, page.State, why)
		}
		if err := p.trim(ctx, &at, page.Trimmed); err != nil {
			return moved, err
		}
		if len(page.Events) == 0 {
			if err := p.wait(ctx, page.State, again); err != nil {
				return moved, err
			}
			continue
		}
		page.Events = bus.Cut(page.Events, pageBytes)
		if err := p.publish(ctx, at, page.Events); err != nil {
			return moved, err
		}
		moved = true
		at.last = page.Events[len(page.Events)-1].Position
		if at.last >= page.Head {
			p.tell(at)
		}
	}
}

// spoilt says why a stream is no copy of its log, "" if it is.
func spoilt(at copied, log bus.State) string {
	switch {
	case at.epoch != log.Epoch:
		return "it is of another epoch"
	case at.last > log.Head:
		return "it goes on where the log has ended"
	case at.last < log.Trimmed:
		return "it ends before the log begins"
	}
	return ""
}

// wait returns nil when the log has news, and errLook when the stream may have changed.
func (p *publisher) wait(ctx context.Context, seen bus.State, again <-chan struct{}) error {
	waiting, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		select {
		case <-again:
			cancel()
		case <-waiting.Done():
		}
	}()
	err := p.source.Wait(waiting, seen)
	over := waiting.Err() != nil
	cancel()
	<-changed
	if over && ctx.Err() == nil {
		return errLook
	}
	return err
}

// open is the stream as it is, made if there is none.
func (p *publisher) open(ctx context.Context) (copied, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stream, err := p.js.Stream(ctx, p.stream(p.log))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		page, err := p.source.Page(ctx, 0, 1)
		if err != nil {
			return copied{}, err
		}
		return p.create(ctx, page.State)
	}
	if err != nil {
		return copied{}, fmt.Errorf("look at the stream: %w", err)
	}
	info := stream.CachedInfo()
	if c := info.Config; c.MaxMsgs != p.o.MaxEvents || c.MaxBytes != p.o.MaxBytes || c.Replicas != p.o.Replicas {
		c.MaxMsgs, c.MaxBytes, c.Replicas = p.o.MaxEvents, p.o.MaxBytes, p.o.Replicas
		if _, err := p.js.UpdateStream(ctx, c); err != nil {
			return copied{}, fmt.Errorf("change the stream's bounds: %w", err)
		}
	}
	return copiedOf(info), nil
}

func copiedOf(info *jetstream.StreamInfo) copied {
	return copied{
		epoch: info.Config.Metadata[epochKey],
		first: int64(info.State.FirstSeq), last: int64(info.State.LastSeq), //nolint:gosec // they are positions
	}
}

// create makes the stream of a log, beginning so that what it may keep is what it gets.
func (p *publisher) create(ctx context.Context, log bus.State) (copied, error) {
	first := max(log.Trimmed, log.Head-p.o.MaxEvents) + 1
	stream, err := p.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: p.stream(p.log), Description: "the event log of souk's " + string(p.log) + ", copied",
		Subjects: []string{p.subject(p.log, log.Epoch)}, Metadata: map[string]string{epochKey: log.Epoch},
		FirstSeq: uint64(first), //nolint:gosec // a position
		Storage:  jetstream.FileStorage, Replicas: p.o.Replicas, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxMsgs: p.o.MaxEvents, MaxBytes: p.o.MaxBytes, AllowDirect: true,
	})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return copied{}, errLook // by another process, this moment
	}
	if err != nil {
		return copied{}, fmt.Errorf("make the stream: %w", err)
	}
	p.logger.Info().Int64("from", first).Int64("to", log.Head).Msg("stream of events made")
	at := copiedOf(stream.CachedInfo())
	p.tell(at) // who waits at the end of another epoch's stream must look
	return at, nil
}

// renew throws a stream away that is no copy of its log; the next look makes it anew.
func (p *publisher) renew(ctx context.Context, at copied, log bus.State, why string) error {
	p.logger.Warn().Str("why", why).Str("stream_epoch", at.epoch).Int64("stream_last", at.last).
		Str("epoch", log.Epoch).Int64("head", log.Head).Int64("trimmed", log.Trimmed).Msg("stream of events is rebuilt from the log")
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := p.js.DeleteStream(ctx, p.stream(p.log)); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("drop the stream: %w", err)
	}
	return errRenewed
}

// trim drops from the stream what the log has dropped.
func (p *publisher) trim(ctx context.Context, at *copied, trimmed int64) error {
	if at.first > trimmed {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stream, err := p.js.Stream(ctx, p.stream(p.log))
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSequence(uint64(trimmed+1))) //nolint:gosec // a position
	}
	if err != nil {
		return fmt.Errorf("trim the stream: %w", err)
	}
	at.first = trimmed + 1
	return nil
}

// publish sends events, each on condition that the one before it is the stream's last, and returns
// when all are stored or the first is not.
func (p *publisher) publish(ctx context.Context, at copied, events []bus.Event) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	acks := make([]jetstream.PubAckFuture, 0, len(events))
	for _, e := range events {
		ack, err := p.send(at, e)
		if errors.Is(err, nats.ErrMaxPayload) {
			return fmt.Errorf("publish event %d, which has %d bytes; raise max_payload of NATS, which is %d: %w",
				e.Position, len(e.Body), p.nc.MaxPayload(), err)
		}
		if err != nil {
			return fmt.Errorf("publish event %d: %w", e.Position, err)
		}
		acks = append(acks, ack)
	}
	for i, ack := range acks {
		position := events[i].Position
		select {
		case stored := <-ack.Ok():
			if int64(stored.Sequence) != position { //nolint:gosec // a position
				return fmt.Errorf("event %d was stored as %d: something else publishes to the stream", position, stored.Sequence)
			}
		case err := <-ack.Err():
			return fmt.Errorf("publish event %d: %w", position, err)
		case <-ctx.Done():
			return fmt.Errorf("publish event %d: %w", position, ctx.Err())
		}
	}
	return nil
}

func (p *publisher) send(at copied, e bus.Event) (jetstream.PubAckFuture, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	position := strconv.FormatInt(e.Position, 10)
	m := &nats.Msg{Subject: p.subject(p.log, at.epoch), Data: body, Header: nats.Header{
		epochHeader: {at.epoch}, positionHeader: {position},
	}}
	if e.Trace != "" {
		m.Header.Set("traceparent", e.Trace)
	}
	return p.js.PublishMsgAsync(m, jetstream.WithMsgID(at.epoch+"-"+position), jetstream.WithExpectStream(p.stream(p.log)),
		jetstream.WithExpectLastSequence(uint64(e.Position-1)), jetstream.WithRetryAttempts(0)) //nolint:gosec // a position
}

// tell wakes the readers. Who misses it looks by himself after a while.
func (p *publisher) tell(at copied) {
	if err := p.nc.Publish(p.newsOf(p.log), []byte(strconv.FormatInt(at.last, 10))); err != nil {
		p.logger.Debug().Err(err).Msg("readers are not told of news")
	}
}
