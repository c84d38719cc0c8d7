package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/errs"
)

// Doer sends a request: an http.Client, with whatever it signs with.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// RemoteOptions say where a module is and how patiently it is asked. Only URL and HTTP are
// required.
type RemoteOptions struct {
	URL  string // of the other process's private side: http://host:port
	HTTP Doer   // its connections are shared by all that ask that process
	From string // the module that asks, for figures and traces

	Timeout  time.Duration // of a call whose caller sets no deadline; default 30 s
	TryFor   time.Duration // of one try, or the connection hangs; default 10 s
	MaxTries int           // of one call; default 4
	// MaxInFlight is how many calls may be under way at once; one more is unavailable at once. Callers have
	// bounds of their own, and a module that is slow must not fill them. Default 128.
	MaxInFlight int
	// Hedge sends a read a second time when the first has not been answered after this long,
	// and takes what comes first. Default: never.
	Hedge time.Duration

	Wait   func(ctx context.Context, d time.Duration) error // between tries; default: a timer
	Rand   func() float64                                   // jitter, in [0,1); default math/rand
	Tracer trace.TracerProvider                             // default: OpenTelemetry's global one
	// OnCall hears how each call ended: for figures. Default: nothing.
	OnCall func(ctx context.Context, m Method, c Called)
}

// Called is how one call ended.
type Called struct {
	Took     time.Duration
	Tries    int   // how often it was sent or meant to be; 0 when the breaker was open
	Sent     int64 // bytes of requests
	Received int64 // bytes of answers
	Err      error
}

// Remote is the caller's half of a contract whose module is in another process. The
// generated clients (cartrpc.Remote) hand every call to CallRemote with one of these.
//
// A call ends in what the module answered, in ErrUnavailable, when nothing was sent or it was
// turned away before anything began, or in ErrReplyLost, when it may have been done.
// Contracts have reads and keyed commands only, and both may be repeated: so what is
// unavailable or unknown is tried again, with growing pauses, inside the caller's deadline. A module that
// has not answered for a while is left alone by the breaker, and looked at again after a
// second.
type Remote struct {
	contract Contract
	codec    *Codec
	o        RemoteOptions
	base     *url.URL
	hashes   string
	breaker  *gobreaker.TwoStepCircuitBreaker[any]
	inFlight atomic.Int64
	tracer   trace.Tracer
}

// Pauses between tries, and when an edge counts as dead.
const (
	firstPause   = 25 * time.Millisecond // doubled after each try
	longestPause = time.Second
	deadAfter    = 8           // failures in a row
	deadFor      = time.Second // then it is looked at again
	lookWith     = 2           // calls at once, while looking
	maxInFlight  = 128         // half of what a module, or the pages, let in
)

// NewRemote is the machinery of one contract's client. It connects to nothing yet. An error
// says that the address is none.
func NewRemote(contract Contract, codec *Codec, o RemoteOptions) (*Remote, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("the address of %s, %q, is not one like http://host:port", contract.Module, o.URL)
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.TryFor <= 0 {
		o.TryFor = 10 * time.Second
	}
	if o.MaxTries <= 0 {
		o.MaxTries = 4
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = maxInFlight
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Tracer == nil {
		o.Tracer = otel.GetTracerProvider()
	}
	if o.OnCall == nil {
		o.OnCall = func(context.Context, Method, Called) {}
	}
	// What does not answer may be gone, and a connection that stands idle may lead nowhere: whoever took that for
	// his request would have to call it unknown. So a module that is looked at again is looked at on a new one.
	forget := func(_ string, _, to gobreaker.State) {
		if c, ok := o.HTTP.(interface{ CloseIdleConnections() }); ok && to == gobreaker.StateOpen {
			c.CloseIdleConnections()
		}
	}
	return &Remote{
		contract: contract, codec: codec, o: o, base: base, hashes: contract.hashes(),
		tracer: o.Tracer.Tracer("souk/internal/platform/rpc"),
		breaker: gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Name: contract.Module, MaxRequests: lookWith, Timeout: deadFor,
			ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= deadAfter },
			OnStateChange: forget,
			IsExcluded:    func(err error) bool { return errors.Is(err, errGone) },
		}),
	}, nil
}

// CallRemote makes one call of a method in another process.
func CallRemote[Request, Reply any](ctx context.Context, r *Remote, m Method, request Request) (Reply, error) {
	var reply Reply
	body, err := r.codec.Marshal(request)
	if err != nil {
		return reply, malformed(err)
	}
	if len(body) > maxRequest {
		return reply, ErrMalformed.With("the request has %d bytes and may have %d", len(body), maxRequest)
	}
	err = r.call(ctx, m, body, func(answer []byte) error {
		var decoded Reply
		if err := r.codec.Unmarshal(answer, &decoded); err != nil {
			return ErrReplyLost.With("the answer of %s could not be read", r.contract.Module).
				Because(fmt.Errorf("decode the reply of %s.%s: %w", r.contract.Module, m.Name, err))
		}
		reply = decoded
		return nil
	})
	if err != nil {
		return *new(Reply), err
	}
	return reply, nil
}

// call sends until there is an answer that ends it.
func (r *Remote) call(ctx context.Context, m Method, body []byte, decode func([]byte) error) error {
	began := time.Now()
	ctx, span := r.tracer.Start(ctx, r.contract.Module+"."+m.Name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("souk.from", r.o.From), attribute.String("souk.to", r.contract.Module)))
	defer span.End()
	if _, ok := ctx.Deadline(); !ok {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, r.o.Timeout)
		defer end()
	}
	called := Called{}
	if r.inFlight.Add(1) > int64(r.o.MaxInFlight) {
		called.Err = r.unavailable(errFull)
	} else {
		called.Err = r.try(ctx, m, body, decode, &called)
	}
	r.inFlight.Add(-1)
	called.Took = time.Since(began)
	if called.Err != nil && !errs.Refused(called.Err) {
		span.SetStatus(codes.Error, string(errs.CodeOf(called.Err)))
	}
	span.SetAttributes(attribute.Int("souk.tries", called.Tries))
	r.o.OnCall(ctx, m, called)
	return called.Err
}

// try is call without the figures. Once a try may have been done, no later one that was not
// can take that back: the call stays unknown until an answer ends it.
func (r *Remote) try(ctx context.Context, m Method, body []byte, decode func([]byte) error, called *Called) error {
	var lost error
	for {
		a, err := r.send(ctx, m, body, called)
		if err == nil {
			err = a.err(r.codec)
			if err == nil {
				err = decode(a.body)
			}
		}
		if err == nil {
			return nil
		}
		dead := errors.Is(err, errDead)
		switch errs.KindOf(err) {
		case errs.Unknown:
			lost = err
		case errs.Unavailable:
			if lost != nil {
				err = lost
			}
		default:
			return err
		}
		if called.Tries >= r.o.MaxTries || ctx.Err() != nil || dead {
			return err
		}
		if !r.pause(ctx, called.Tries, err) {
			return err
		}
	}
}

// pause waits before the next try, and says whether there is time for one.
func (r *Remote) pause(ctx context.Context, tries int, after error) bool {
	d := min(firstPause<<min(tries-1, 10), longestPause)
	d = d/2 + time.Duration(float64(d/2)*r.o.Rand())
	var later interface{ RetryAfter() time.Duration }
	if errors.As(after, &later) {
		d = max(d, later.RetryAfter())
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	return r.o.Wait(ctx, d) == nil
}

// send makes one try, or two of a read that is hedged.
func (r *Remote) send(ctx context.Context, m Method, body []byte, called *Called) (answer, error) {
	if m.Command || r.o.Hedge <= 0 {
		a, sent, err := r.attempt(ctx, m, body)
		called.add(sent)
		return a, err
	}
	type result struct {
		a    answer
		sent exchanged
		err  error
	}
	ctx, end := context.WithCancel(ctx)
	defer end() // of two, the one that comes later is not waited for
	results := make(chan result, 2)
	start := func() {
		a, sent, err := r.attempt(ctx, m, body)
		results <- result{a, sent, err}
	}
	go start()
	timer := time.NewTimer(r.o.Hedge)
	defer timer.Stop()
	flying := 1
	for {
		select {
		case <-timer.C:
			flying++
			go start()
		case got := <-results:
			called.add(got.sent)
			flying--
			if got.err == nil || flying == 0 {
				return got.a, got.err
			}
		}
	}
}

func (c *Called) add(x exchanged) {
	if x.tried {
		c.Tries++
	}
	c.Sent += x.sent
	c.Received += x.received
}
