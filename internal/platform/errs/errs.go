// Package errs is the one error type that crosses between modules and out to clients.
//
// A Kind says what class of failure it is and whether trying again can help; a
// Code, declared in a contract's errors.go, is what callers test with errors.Is;
// the Message is safe to show to a client; the cause is for the log and never
// crosses a wire.
//
//	var ErrKeyReused = errs.Refusal(errs.Mismatch, "payments.key_reused")
//
//	return payments.ErrKeyReused.With("key %s was used for another amount", key)
//
// A refusal is a declared answer: the request was understood and nothing was done.
// Unavailable says the same of a request that never began. Everything else is
// unknown: it may have been done, and is settled by repeating its key or undoing it.
package errs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the class of a failure. It decides the HTTP status and whether trying again helps.
type Kind string

// The kinds, and whether the same request may be tried again.
const (
	Invalid         Kind = "invalid"         // malformed or bad fields: no
	Mismatch        Kind = "mismatch"        // a key used before with another body: no
	Unauthenticated Kind = "unauthenticated" // nobody is signed in: no
	Forbidden       Kind = "forbidden"       // not for this caller: no
	NotFound        Kind = "not_found"       // no such thing, or not the caller's: no
	Conflict        Kind = "conflict"        // state, version or in flight: after a look
	Exhausted       Kind = "exhausted"       // rate or quota: later
	Unavailable     Kind = "unavailable"     // not done: yes
	Unknown         Kind = "unknown"         // perhaps done: by its key
	Internal        Kind = "internal"        // a defect: by its key
)

// Kinds are all kinds, for tables and tests that must cover each.
var Kinds = []Kind{
	Invalid, Mismatch, Unauthenticated, Forbidden, NotFound,
	Conflict, Exhausted, Unavailable, Unknown, Internal,
}

// Code names one failure for ever, as "module.what".
type Code string

// Error is a failure whose Message is safe to show to a client.
// Err, if any, is the cause; it is logged, never shown, and does not cross a wire.
type Error struct {
	Kind    Kind              `json:"kind"`
	Code    Code              `json:"code"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"` // problems by request field
	Err     error             `json:"-"`
}

// Refusal declares an error of a contract. Callers compare with errors.Is.
func Refusal(kind Kind, code Code) *Error {
	return &Error{Kind: kind, Code: code, Message: strings.ReplaceAll(afterDot(string(code)), "_", " ")}
}

func afterDot(code string) string {
	if _, after, ok := strings.Cut(code, "."); ok {
		return after
	}
	return code
}

// Error is the message, and the cause if there is one: it is for logs, not for clients.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		fmt.Fprintf(&b, "; %s: %s", field, e.Fields[field])
	}
	if e.Err != nil {
		if cause := e.Err.Error(); !strings.Contains(e.Message, cause) { // said already, where a client may know it
			b.WriteString(": " + cause)
		}
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is compares codes, so that a refusal is recognised whatever its message, also after a wire.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code != "" && t.Code == e.Code
}

// With is e with a message for the client.
func (e *Error) With(format string, args ...any) *Error {
	c := e.copy()
	c.Message = fmt.Sprintf(format, args...)
	return c
}

// WithField is e with a problem of one request field added.
func (e *Error) WithField(field, problem string) *Error {
	c := e.copy()
	c.Fields[field] = problem
	return c
}

// Because is e with the cause for the log.
func (e *Error) Because(cause error) *Error {
	c := e.copy()
	c.Err = cause
	return c
}

func (e *Error) copy() *Error {
	c := *e
	c.Fields = maps.Clone(e.Fields)
	if c.Fields == nil {
		c.Fields = map[string]string{}
	}
	return &c
}

// As finds the Error in err's chain, or makes one: a context's end is unknown,
// since the work may have been done, and anything without a kind is internal.
// It returns nil only for nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Unknown, Code: "souk.deadline", Message: "the answer did not come in time", Err: err}
	}
	return &Error{Kind: Internal, Code: "souk.internal", Message: "something went wrong on our side", Err: err}
}

// KindOf is the kind of err; "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	return As(err).Kind
}

// CodeOf is the code of err; "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return As(err).Code
}

// Refused says that err is a declared answer to a request that did nothing:
// neither unknown nor internal nor unavailable.
func Refused(err error) bool {
	switch KindOf(err) {
	case Invalid, Mismatch, Unauthenticated, Forbidden, NotFound, Conflict, Exhausted:
		return true
	default:
		return false
	}
}

// Problems collects every bad field of a request, so that a client hears of all at once.
type Problems struct{ fields map[string]string }

// Add notes a problem of one field. The first problem of a field is kept.
func (p *Problems) Add(field, format string, args ...any) {
	if p.fields == nil {
		p.fields = map[string]string{}
	}
	if _, ok := p.fields[field]; !ok {
		p.fields[field] = fmt.Sprintf(format, args...)
	}
}

// Check adds the problem unless ok.
func (p *Problems) Check(ok bool, field, format string, args ...any) {
	if !ok {
		p.Add(field, format, args...)
	}
}

// Err is nil without problems, else refusal with all of them in its Fields.
func (p *Problems) Err(refusal *Error) error {
	if len(p.fields) == 0 {
		return nil
	}
	e := refusal.copy()
	maps.Copy(e.Fields, p.fields)
	if len(p.fields) == 1 {
		e.Message = "one field needs another look"
	} else {
		e.Message = fmt.Sprintf("%d fields need another look", len(p.fields))
	}
	return e
}
