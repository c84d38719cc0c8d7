// Package door is the way into a module, for requests from outside and for calls from
// other modules alike. It holds the module's own bound on work in flight, and catches what
// panics inside, so that a module that is slow or broken harms only its own callers.
//
//	leave, err := d.Enter(ctx) // errs.Unavailable past the bound
//	if err != nil {
//		return err
//	}
//	defer leave()
//
// Do and Call enter, run, leave, and turn a panic into an internal error.
package door

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"souk/internal/platform/errs"
)

// DefaultMax is the bound on work in flight of a module that does not say otherwise.
const DefaultMax = 256

// retryAfter is how long a caller who was turned away should wait. Work is short, so the
// crowd has moved on by then.
const retryAfter = time.Second

// What the door itself says.
var (
	errCancelled = errs.Refusal(errs.Unavailable, "souk.cancelled").With("the caller had gone before it began")
	errPanic     = errs.Refusal(errs.Internal, "souk.panic").With("something went wrong on our side")
)

// Busy is the error of a module at its bound. It says when to come again.
type Busy struct{ err *errs.Error }

// Error is the message.
func (b *Busy) Error() string { return b.err.Error() }

// Unwrap gives the error as other modules know it.
func (b *Busy) Unwrap() error { return b.err }

// RetryAfter is how long to wait.
func (b *Busy) RetryAfter() time.Duration { return retryAfter }

// Door is one module's door. It may be used by many goroutines.
type Door struct {
	module string
	max    int64
	log    zerolog.Logger
	busy   *Busy

	inFlight atomic.Int64
	refused  atomic.Int64
	panics   atomic.Int64
}

// New is the door of a module that does at most maxInFlight things at once; 0 stands for DefaultMax.
func New(module string, maxInFlight int, log zerolog.Logger) *Door {
	if maxInFlight <= 0 {
		maxInFlight = DefaultMax
	}
	return &Door{
		module: module, max: int64(maxInFlight), log: log.With().Str("module", module).Logger(),
		busy: &Busy{errs.Refusal(errs.Unavailable, errs.Code(module+".busy")).
			With("too much is going on here just now; try again in a moment")},
	}
}

// Module is the name of the module behind the door.
func (d *Door) Module() string { return d.module }

// Enter lets one piece of work in, or turns it away before anything began. Whoever got in
// calls leave exactly once.
func (d *Door) Enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, errCancelled.Because(err)
	}
	if d.inFlight.Add(1) > d.max {
		d.inFlight.Add(-1)
		d.refused.Add(1)
		return nil, d.busy
	}
	return d.leave, nil
}

func (d *Door) leave() { d.inFlight.Add(-1) }

// Caught notes a panic in what the module calls where, and returns it as an internal error.
// It is for a deferred function that has recovered p. http.ErrAbortHandler is passed on.
func (d *Door) Caught(where string, p any) error {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	d.panics.Add(1)
	// The type and the stack, not the value: a panic may hold what must not be logged.
	d.log.Error().Str("where", where).Str("panic", describe(p)).Bytes("stack", debug.Stack()).Msg("panic caught at the module's door")
	return errPanic.Because(fmt.Errorf("panic in %s of %s", where, d.module))
}

// describe is a panic's text if the runtime made it, else its type alone.
func describe(p any) string {
	if e, ok := p.(interface {
		error
		RuntimeError()
	}); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", p)
}

// Do runs fn behind the door.
func (d *Door) Do(ctx context.Context, where string, fn func(ctx context.Context) error) (err error) {
	leave, err := d.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	defer func() {
		if p := recover(); p != nil {
			err = d.Caught(where, p)
		}
	}()
	return fn(ctx)
}

// Call runs one method of a contract behind the door.
func Call[Request, Reply any](ctx context.Context, d *Door, method string,
	fn func(context.Context, Request) (Reply, error), r Request,
) (reply Reply, err error) {
	err = d.Do(ctx, method, func(ctx context.Context) error {
		var err error
		reply, err = fn(ctx, r)
		return err
	})
	if err != nil {
		var none Reply
		return none, err
	}
	return reply, nil
}

// Stats is what a door has seen.
type Stats struct {
	InFlight, Max   int64
	Refused, Panics int64
}

// Stats says what the door has seen until now.
func (d *Door) Stats() Stats {
	return Stats{InFlight: d.inFlight.Load(), Max: d.max, Refused: d.refused.Load(), Panics: d.panics.Load()}
}
