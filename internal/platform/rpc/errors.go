package rpc

import (
	"errors"
	"slices"
	"strings"

	"souk/internal/platform/errs"
)

// What calling another module can end in beside the module's own refusals.
var (
	// ErrMalformed: the request is not what the contract says. Nothing was done.
	ErrMalformed = errs.Refusal(errs.Invalid, "souk.malformed")
	// ErrUnavailable: the request was never sent, or was turned away before anything began.
	ErrUnavailable = errs.Refusal(errs.Unavailable, "souk.unavailable")
	// ErrReplyLost: the request was sent and no reply came. It may have been done.
	ErrReplyLost = errs.Refusal(errs.Unknown, "souk.reply_lost")
	// ErrInternal: the module panicked, or its reply is not what the contract says.
	ErrInternal = errs.Refusal(errs.Internal, "souk.internal")
	// ErrRepeatDiffers: a command was repeated by its key and answered otherwise.
	ErrRepeatDiffers = errs.Refusal(errs.Internal, "souk.repeat_differs")
)

// malformed is a request that could not be encoded or decoded, as a problem of its field.
func malformed(err error) *errs.Error {
	var p *Problem
	if !errors.As(err, &p) {
		return ErrInternal.With("something went wrong on our side").Because(err)
	}
	if p.Path == "" {
		return ErrMalformed.With("the request cannot be read: %s", p.What)
	}
	return ErrMalformed.With("one field needs another look").WithField(p.Path, p.What)
}

// failure is an error on the wire: no cause.
type failure struct {
	Kind    errs.Kind         `json:"kind"`
	Code    errs.Code         `json:"code"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"`
}

// failureOf is what of err may cross. Texts are mended where they are not UTF-8, since an
// error must always get through; a kind that nobody knows is internal.
func failureOf(err error) failure {
	e := errs.As(err)
	f := failure{
		Kind: e.Kind, Code: errs.Code(mend(string(e.Code))), Message: mend(e.Message),
		Fields: make(map[string]string, len(e.Fields)),
	}
	if !slices.Contains(errs.Kinds, f.Kind) {
		f.Kind = errs.Internal
	}
	for name, what := range e.Fields {
		f.Fields[mend(name)] = mend(what)
	}
	return f
}

func mend(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// err is the failure as the caller has it. A kind that only a newer release knows is internal here, whose rule is
// the safe one: it may have been done, and is asked again by its key.
func (f failure) err() *errs.Error {
	if !slices.Contains(errs.Kinds, f.Kind) {
		f.Kind = errs.Internal
	}
	return &errs.Error{Kind: f.Kind, Code: f.Code, Message: f.Message, Fields: f.Fields}
}
