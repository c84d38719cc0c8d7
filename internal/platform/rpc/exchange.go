package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/reqid"
)

// What a request and its answer bring beside the body.
const (
	headerAnswer    = "Souk-Answer"    // reply or failure: this comes from souk and from nothing between
	headerContracts = "Souk-Contracts" // the caller's own contract's hash and the last release's
	headerTimeout   = "Souk-Timeout"   // milliseconds that the caller will still wait; clocks may differ
	headerRetry     = "Souk-Retry"     // milliseconds after which one who was turned away may come again

	answeredReply, answeredFailure = "reply", "failure"
)

// Bounds on what travels.
const (
	maxRequest = 8 << 20
	maxReply   = 64 << 20
)

// longestSaid is as long as anyone is believed to wait: many more milliseconds would be no time.Duration, and
// come out as a time that is over.
const longestSaid = 24 * time.Hour

// milliseconds is the time that a header says, and whether it says one.
func milliseconds(h http.Header, name string) (time.Duration, bool) {
	ms, err := strconv.ParseInt(h.Get(name), 10, 64)
	if err != nil || ms < 0 {
		return 0, false
	}
	return time.Duration(min(ms, longestSaid.Milliseconds())) * time.Millisecond, true
}

// errDead says that the breaker is open: the module has not answered for a while.
var errDead = errors.New("it has not answered for a while")

// errFull says that so many calls of it are under way that one more would only wait.
var errFull = errors.New("too many calls to it are under way")

// errGone says that the caller did not wait for the answer: that tells nothing of the module.
var errGone = errors.New("the caller went away")

// exchanged is what went over the wire in one try.
type exchanged struct {
	tried          bool
	sent, received int64
}

// attempt sends a request once. What it returns says whether it may have been done: an error
// before a connection was there is ErrUnavailable, any later one ErrReplyLost.
func (r *Remote) attempt(ctx context.Context, m Method, body []byte) (answer, exchanged, error) {
	var x exchanged
	if err := ctx.Err(); err != nil {
		return answer{}, x, r.unavailable(err)
	}
	done, err := r.breaker.Allow()
	if err != nil {
		return answer{}, x, r.unavailable(fmt.Errorf("%w: %w", errDead, err))
	}
	x.tried = true
	tryCtx, end := context.WithTimeout(ctx, r.o.TryFor)
	defer end()
	a, err := r.exchange(tryCtx, m, body, &x)
	var away *turnedAway
	switch {
	case errors.As(err, &away): // it has much to do, and is not dead for that
		done(nil)
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		done(errGone)
	default:
		done(err)
	}
	return a, x, err
}

func (r *Remote) exchange(ctx context.Context, m Method, body []byte, x *exchanged) (answer, error) {
	// Once there is a connection the request may be on its way, also when an error says
	// otherwise: writing goes on while the caller's context ends.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	request, err := r.request(ctx, m, body)
	if err != nil {
		return answer{}, r.unavailable(err)
	}
	response, err := r.o.HTTP.Do(request)
	if connected.Load() {
		x.sent += int64(len(body))
	}
	if err != nil {
		if !connected.Load() {
			return answer{}, r.unavailable(err)
		}
		return answer{}, r.lost(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written to it
	got, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	x.received += int64(len(got))
	if err != nil {
		return answer{}, r.lost(err)
	}
	if len(got) > maxReply {
		return answer{}, r.lost(fmt.Errorf("the answer is longer than %d bytes", maxReply))
	}
	return r.read(response, got)
}

func (r *Remote) request(ctx context.Context, m Method, body []byte) (*http.Request, error) {
	target := *r.base
	target.Path = strings.TrimSuffix(target.Path, "/") + peer.RPCPath(r.contract.Module, m.Name)
	// The standard client repeats by itself only what never reached the wire, since this is
	// a POST without an Idempotency-Key header.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	h := request.Header
	h.Set("Content-Type", "application/json")
	h.Set(headerContracts, r.hashes)
	if id := reqid.From(ctx); id != "" {
		h.Set(reqid.Header, id)
	}
	if deadline, ok := ctx.Deadline(); ok {
		h.Set(headerTimeout, strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 1), 10))
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
	return request, nil
}

// read tells the module's answers from those of anything in between.
func (r *Remote) read(response *http.Response, body []byte) (answer, error) {
	switch response.Header.Get(headerAnswer) {
	case answeredReply:
		return answer{body: body}, nil
	case answeredFailure:
		a := answer{failed: true, body: body}
		var f failure
		if err := r.codec.Unmarshal(body, &f); err != nil {
			return answer{}, r.lost(fmt.Errorf("read the failure: %w", err))
		}
		if after, ok := milliseconds(response.Header, headerRetry); ok && f.Kind == errs.Unavailable {
			return answer{}, &turnedAway{err: f.err(), after: after}
		}
		return a, nil
	default:
		return answer{}, r.notLetIn(response, body)
	}
}

// notLetIn reads what stands before the modules of the other process: it says why a request
// was not let in. Whoever asked for something can do nothing about that, so to them the module is
// unavailable. Anything else comes from who knows where.
func (r *Remote) notLetIn(response *http.Response, body []byte) error {
	var f failure
	if err := r.codec.Unmarshal(body, &f); err != nil || !peer.Own(f.Code) {
		return r.lost(fmt.Errorf("the answer, %s, does not come from souk", response.Status))
	}
	if f.Kind == errs.Unknown {
		return r.lost(f.err())
	}
	return r.unavailable(f.err())
}

func (r *Remote) unavailable(cause error) error {
	return ErrUnavailable.With("%s cannot be reached just now", r.contract.Module).Because(cause)
}

func (r *Remote) lost(cause error) error {
	return ErrReplyLost.With("%s did not answer", r.contract.Module).Because(cause)
}

// turnedAway is the answer of a module that has too much to do.
type turnedAway struct {
	err   *errs.Error
	after time.Duration
}

// Error is the message.
func (t *turnedAway) Error() string { return t.err.Error() }

// Unwrap gives the error as the caller knows it.
func (t *turnedAway) Unwrap() error { return t.err }

// RetryAfter is how long to wait.
func (t *turnedAway) RetryAfter() time.Duration { return t.after }
