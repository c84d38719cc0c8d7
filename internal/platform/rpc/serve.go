package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"souk/internal/platform/errs"
)

// answer is what comes back over the wire: a reply or a failure, encoded.
type answer struct {
	failed bool
	body   []byte
	cause  error // what the failure was before it was encoded; stays on the callee's side
}

// Panic is a panic of a module, caught at its door.
type Panic struct {
	Value any
	Stack []byte
}

// Error is what the module panicked with.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// serve is the callee's half of a call: it decodes the request, asks the module, and encodes
// what it says.
func serve[Request, Reply any](
	ctx context.Context, c *Codec, body []byte, ask func(context.Context, Request) (Reply, error),
) answer {
	var request Request
	if err := c.UnmarshalStrict(body, &request); err != nil {
		return fail(c, malformed(err))
	}
	reply, err := guarded(ctx, request, ask)
	if err != nil {
		return fail(c, err)
	}
	encoded, err := c.Marshal(reply)
	if err != nil {
		return fail(c, ErrInternal.With("something went wrong on our side").
			Because(fmt.Errorf("encode the reply: %w", err)))
	}
	return answer{body: encoded}
}

func guarded[Request, Reply any](
	ctx context.Context, request Request, ask func(context.Context, Request) (Reply, error),
) (reply Reply, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = ErrInternal.With("something went wrong on our side").
				Because(&Panic{Value: value, Stack: debug.Stack()})
		}
	}()
	return ask(ctx, request)
}

func fail(c *Codec, err error) answer {
	encoded, wire := c.Marshal(failureOf(err))
	if wire != nil { // a failure is strings that were mended: it always encodes
		return answer{failed: true, body: nil, cause: errors.Join(err, wire)}
	}
	return answer{failed: true, body: encoded, cause: err}
}

// err is the failure as the caller sees it, nil for a reply.
func (a answer) err(c *Codec) error {
	if !a.failed {
		return nil
	}
	var f failure
	if err := c.Unmarshal(a.body, &f); err != nil {
		return ErrReplyLost.With("the answer could not be read").Because(err)
	}
	return f.err()
}

// conclusive says that a repeat must answer the same: it is a reply or a declared refusal.
// Unavailable, unknown and internal may go better the next time, a quota worse.
func (a answer) conclusive() bool {
	return !a.failed || errs.Refused(a.cause) && errs.KindOf(a.cause) != errs.Exhausted
}

// differs says how a repeat answered otherwise, "" if it did not.
func (a answer) differs(again answer) string {
	switch {
	case !a.conclusive() || !again.conclusive():
		return ""
	case a.failed != again.failed:
		return fmt.Sprintf("first %s, then %s", a, again)
	case a.failed && errs.CodeOf(a.cause) == errs.CodeOf(again.cause):
		return ""
	case bytes.Equal(a.body, again.body):
		return ""
	default:
		return fmt.Sprintf("first %s, then %s", a, again)
	}
}

// String is the body, for a developer to compare.
func (a answer) String() string {
	if a.failed {
		return "refused with " + string(a.body)
	}
	return string(a.body)
}
