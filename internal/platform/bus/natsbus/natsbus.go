// Package natsbus carries event logs through NATS JetStream, for marketplaces that have outgrown
// reading them over HTTP.
//
// The log in the module's own database stays the truth, and each subscriber's cursor in its
// own database stays the guarantee. A stream is a copy of a log that many can read without
// asking its owner: it may lag, be cut short or be lost, and nothing comes of it but waiting.
//
//	broker, err := natsbus.Connect(natsbus.Config{URL: "nats://…"})
//	go broker.Publish(ctx, catalog.Log, bus.LocalSource(catalogDB)) // where the log is
//	source := broker.Source(catalog.Log)                            // anywhere
//
// Each log has one stream, whose sequence numbers are the log's positions: it begins where
// it must (FirstSeq), each event is published on condition that the one before it is the stream's
// last, and what does not fit ends in a refusal, not in a gap. So any number of
// publishers of one log may run; they cannot disorder it, and those that lose a race stand back.
// The subject has the log's epoch in it, so that a publisher of an old epoch has
// nowhere to publish to.
//
// A reader fetches by position and keeps nothing in the broker: no durable consumer, since a second
// cursor could only disagree with the first. What the stream does not hold, before
// its beginning, beyond its end or while it is rebuilt, the reader asks of the log itself, whose
// publisher answers over NATS. Only the log says that a place is gone.
//
//	PREFIX_LOG (stream)           what was published, bounded
//	PREFIX.events.LOG.EPOCH       its subject
//	PREFIX.news.LOG               the position reached, to wake readers; may get lost
//	PREFIX.log.LOG                requests to the log itself
package natsbus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/bus"
)

// Config says which broker, and how much of it to use.
type Config struct {
	URL       string               // "nats://user:password@host:4222", several with commas between
	Prefix    string               // of every name in the broker; default "souk". Two marketplaces on one broker need two
	Replicas  int                  // of each stream; default 1, in a cluster of three 3
	MaxEvents int64                // that a stream keeps; default 100 000
	MaxBytes  int64                // that a stream keeps; default 256 MiB
	Log       zerolog.Logger       // default: silent
	Tracer    trace.TracerProvider // default: OpenTelemetry's global one
	Options   []nats.Option        // credentials, TLS
}

// The pauses and bounds.
const (
	askTimeout   = 5 * time.Second  // for an answer of the broker or the log
	firstTimeout = time.Second      // for the log to say which epoch it is of
	storeTimeout = 30 * time.Second // for a batch of events to be on the broker's disk
	dialTimeout  = 2 * time.Second
	reconnect    = 250 * time.Millisecond
	pingEvery    = 5 * time.Second
	lookAgain    = 30 * time.Second // at a stream where nothing happens: news can get lost
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
	standBack    = time.Second // after another publisher has won
	batch        = 256         // events
	maxPending   = 16 * batch  // of all logs together
	pageBytes    = 4 << 20
)

// Broker is a connection to NATS. It connects by itself, again and again.
type Broker struct {
	o      Config
	nc     *nats.Conn
	js     jetstream.JetStream
	tracer trace.Tracer

	mu   sync.Mutex
	back chan struct{} // closed when a connection was made again
}

var goodPrefix = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Connect begins to connect and does not wait for it: a broker that is away when souk starts
// is one that will come. It refuses what can never work.
func Connect(o Config) (*Broker, error) {
	if o.Prefix == "" {
		o.Prefix = "souk"
	}
	if !goodPrefix.MatchString(o.Prefix) {
		return nil, fmt.Errorf("the prefix %q for NATS should be letters, digits, - and _", o.Prefix)
	}
	if o.Replicas <= 0 {
		o.Replicas = 1
	}
	if o.MaxEvents <= 0 {
		o.MaxEvents = 100_000
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 256 << 20
	}
	if o.Tracer == nil {
		o.Tracer = otel.GetTracerProvider()
	}
	b := &Broker{o: o, back: make(chan struct{}), tracer: o.Tracer.Tracer("souk/internal/platform/bus/natsbus")}
	nc, err := nats.Connect(o.URL, append(b.options(), o.Options...)...)
	var address *url.Error
	if errors.As(err, &address) { // it holds the address whole, and so the password
		return nil, errors.New("the address of NATS is not one like nats://user:password@host:4222")
	}
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(maxPending), jetstream.WithPublishAsyncTimeout(storeTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	b.nc, b.js = nc, js
	return b, nil
}

func (b *Broker) options() []nats.Option {
	return []nats.Option{
		nats.Name(b.o.Prefix), nats.Timeout(dialTimeout), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnect), nats.ReconnectJitter(reconnect, reconnect), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1), // what cannot be sent now is an error now
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(2),
		nats.ConnectHandler(func(nc *nats.Conn) {
			b.o.Log.Info().Str("server", nc.ConnectedServerName()).Msg("connected to NATS")
			b.comeBack()
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			b.o.Log.Info().Str("server", nc.ConnectedServerName()).Msg("connected to NATS again")
			b.comeBack()
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.o.Log.Warn().Err(err).Msg("connection to NATS lost; events wait in their logs")
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.o.Log.Warn().Err(err).Msg("NATS reports an error")
		}),
	}
}

// comeBack wakes whoever waits: what the broker holds may be another now.
func (b *Broker) comeBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.back)
	b.back = make(chan struct{})
}

// again is closed when the next connection is made.
func (b *Broker) again() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.back
}

// Ready says what keeps the broker from being used, nil if nothing does.
func (b *Broker) Ready(ctx context.Context) error {
	if status := b.nc.Status(); status != nats.CONNECTED {
		return bus.ErrNotReachable.With("NATS is not connected: %s", status).Because(b.nc.LastError())
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if _, err := b.js.AccountInfo(ctx); err != nil {
		return bus.ErrNotReachable.With("JetStream does not answer").Because(err)
	}
	return nil
}

// Close ends the connection. What uses it ends with errors.
func (b *Broker) Close() { b.nc.Close() }

func (b *Broker) stream(log bus.Log) string       { return b.o.Prefix + "_" + string(log) }
func (b *Broker) newsOf(log bus.Log) string       { return b.o.Prefix + ".news." + string(log) }
func (b *Broker) theLogItself(log bus.Log) string { return b.o.Prefix + ".log." + string(log) }

func (b *Broker) subject(log bus.Log, epoch string) string {
	sum := sha256.Sum256([]byte(epoch)) // an epoch could be any text, a subject's word cannot
	return b.o.Prefix + ".events." + string(log) + "." + hex.EncodeToString(sum[:8])
}

// The headers of a message.
const (
	epochHeader    = "Souk-Epoch"
	positionHeader = "Souk-Position"
	epochKey       = "souk-epoch" // of a stream's metadata
)

// away is what went wrong with the broker, as a circumstance that no event is to blame for.
func away(log bus.Log, err error) error {
	return bus.ErrNotReachable.With("the event log of %s cannot be reached through NATS", log).Because(err)
}

// missing says whether err is that there is no such stream, or nobody to answer for it.
func missing(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, nats.ErrNoResponders)
}
