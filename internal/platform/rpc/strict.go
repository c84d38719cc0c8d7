package rpc

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/errs"
	"souk/internal/platform/reqid"
)

// StrictOptions say what the strict wrapper does beside copying. The zero value does nothing
// else.
type StrictOptions struct {
	Faults Faults // what goes wrong; nil for nothing
	// Wait passes the time of a delay, or returns early with the error of ctx. Default: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// OnFailure hears of what the caller cannot be told: panics (err is or wraps a *Panic), the
	// causes of internal errors, and repeats that answered otherwise. It logs and counts.
	// Default: nothing.
	OnFailure func(ctx context.Context, m Method, err error)
}

// Strict stands between two modules of one process as a network would. The generated
// wrappers (cartrpc.Strict) hand every call to CallStrict with one of these.
type Strict struct {
	contract Contract
	codec    *Codec
	options  StrictOptions
}

// NewStrict is the machinery of one contract's strict wrapper.
func NewStrict(contract Contract, codec *Codec, o StrictOptions) *Strict {
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.OnFailure == nil {
		o.OnFailure = func(context.Context, Method, error) {}
	}
	return &Strict{contract: contract, codec: codec, options: o}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// CallStrict makes one call through the wire encoding: request, reply and error are copies,
// of the context only deadline, cancellation, trace and request id arrive, and a Fault may
// happen to it. The callee's context ends with the call, as a server's does.
func CallStrict[Request, Reply any](
	ctx context.Context, s *Strict, m Method, r Request, ask func(context.Context, Request) (Reply, error),
) (Reply, error) {
	var reply Reply
	body, err := s.codec.Marshal(r)
	if err != nil {
		return reply, malformed(err)
	}
	a, err := s.send(ctx, m, func(ctx context.Context) answer { return serve(ctx, s.codec, body, ask) })
	if err != nil {
		return reply, err
	}
	if err := a.err(s.codec); err != nil {
		return reply, err
	}
	if err := s.codec.Unmarshal(a.body, &reply); err != nil {
		err = fmt.Errorf("decode the reply of %s.%s: %w", s.contract.Module, m.Name, err)
		s.options.OnFailure(ctx, m, err)
		return *new(Reply), ErrInternal.With("something went wrong on our side").Because(err)
	}
	return reply, nil
}

// send delivers a request as its fault says.
func (s *Strict) send(ctx context.Context, m Method, deliver func(context.Context) answer) (answer, error) {
	var f Fault
	if s.options.Faults != nil {
		f = s.options.Faults.Next(m)
	}
	if f.Delay > 0 {
		if err := s.options.Wait(ctx, f.Delay); err != nil {
			return answer{}, s.unavailable(err)
		}
	}
	if err := ctx.Err(); err != nil {
		return answer{}, s.unavailable(err)
	}
	if f.Unavailable {
		return answer{}, s.unavailable(nil)
	}
	a := s.deliver(ctx, m, deliver)
	if f.Repeat {
		again := s.deliver(ctx, m, deliver)
		if how := a.differs(again); m.Command && how != "" {
			err := ErrRepeatDiffers.With("something went wrong on our side").Because(
				fmt.Errorf("%s.%s was repeated with the same key and answered otherwise: %s", s.contract.Module, m.Name, how))
			s.options.OnFailure(ctx, m, err)
			return answer{}, err
		}
		a = again
	}
	if f.LoseReply {
		return answer{}, ErrReplyLost.With("%s did not answer", s.contract.Module)
	}
	return a, nil
}

func (s *Strict) unavailable(cause error) error {
	return ErrUnavailable.With("%s cannot be reached", s.contract.Module).Because(cause)
}

func (s *Strict) deliver(ctx context.Context, m Method, deliver func(context.Context) answer) answer {
	inner, end := across(ctx)
	defer end()
	a := deliver(inner)
	if a.failed && errs.KindOf(a.cause) == errs.Internal {
		s.options.OnFailure(ctx, m, a.cause)
	}
	return a
}

// across is ctx as it arrives in another process: deadline and cancellation, the trace as a
// remote one, and the request's id; nothing else. end ends it.
func across(ctx context.Context) (inner context.Context, end context.CancelFunc) {
	inner, end = context.WithCancel(bare{ctx})
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		inner = trace.ContextWithRemoteSpanContext(inner, span)
	}
	return reqid.With(inner, reqid.From(ctx)), end
}

// bare is a context without values.
type bare struct{ outer context.Context } //nolint:containedctx // it is a context itself

// Deadline is that of the outer context.
func (b bare) Deadline() (time.Time, bool) { return b.outer.Deadline() }

// Done is that of the outer context.
func (b bare) Done() <-chan struct{} { return b.outer.Done() }

// Err is that of the outer context.
func (b bare) Err() error { return b.outer.Err() }

// Value is always nil.
func (b bare) Value(any) any { return nil }

// AfterFunc lets a context derived from b end with it without a goroutine that waits.
func (b bare) AfterFunc(f func()) func() bool { return context.AfterFunc(b.outer, f) }
