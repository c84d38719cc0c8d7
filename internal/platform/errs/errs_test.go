package errs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

var (
	errReused = errs.Refusal(errs.Mismatch, "payments.key_reused")
	errGone   = errs.Refusal(errs.NotFound, "orders.not_found")
	errFields = errs.Refusal(errs.Invalid, "orders.invalid")
)

func TestARefusalIsKnownByItsCode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want bool
	}{
		"itself":                       {err: errReused, want: true},
		"with a message":               {err: errReused.With("key %s", "k"), want: true},
		"with a cause":                 {err: errReused.Because(io.EOF), want: true},
		"with a field":                 {err: errReused.WithField("key", "used"), want: true},
		"wrapped":                      {err: fmt.Errorf("authorise: %w", errReused.With("m")), want: true},
		"joined":                       {err: errors.Join(io.EOF, errReused), want: true},
		"made elsewhere":               {err: &errs.Error{Kind: errs.Internal, Code: "payments.key_reused"}, want: true},
		"another code":                 {err: errGone, want: false},
		"the same text":                {err: errors.New(errReused.Error()), want: false},
		"nothing":                      {err: nil, want: false},
		"the same kind without a code": {err: &errs.Error{Kind: errs.Mismatch}, want: false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, errors.Is(tt.err, errReused))
		})
	}
	t.Run("errors without a code are not one another", func(t *testing.T) {
		t.Parallel()
		one, other := &errs.Error{Kind: errs.Internal}, &errs.Error{Kind: errs.Internal}
		require.NotErrorIs(t, one, other)
	})
}

func TestRefusalsAreNotChangedByWhatIsMadeOfThem(t *testing.T) {
	t.Parallel()
	first := errFields.WithField("name", "empty")
	second := first.WithField("price", "negative")
	_ = second.With("other").Because(io.EOF)
	assert.Empty(t, errFields.Fields)
	assert.Equal(t, map[string]string{"name": "empty"}, first.Fields)
	assert.Equal(t, map[string]string{"name": "empty", "price": "negative"}, second.Fields)
	require.NoError(t, second.Err)
	assert.Equal(t, "invalid", errFields.Message)
	assert.Equal(t, "key reused", errReused.Message)
}

func TestTheTextHasFieldsInOrderAndTheCause(t *testing.T) {
	t.Parallel()
	err := errFields.With("no").WithField("b", "two").WithField("a", "one").Because(io.EOF)
	assert.Equal(t, "no; a: one; b: two: EOF", err.Error())
	require.ErrorIs(t, err, io.EOF)
}

func TestACauseThatTheMessageTellsIsNotToldTwice(t *testing.T) {
	t.Parallel()
	err := errFields.With("cannot be read: %v", io.ErrUnexpectedEOF).Because(io.ErrUnexpectedEOF)
	assert.Equal(t, "cannot be read: unexpected EOF", err.Error())
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestKindAndCode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err     error
		kind    errs.Kind
		code    errs.Code
		refused bool
	}{
		"nothing":            {},
		"a refusal":          {err: errGone, kind: errs.NotFound, code: "orders.not_found", refused: true},
		"a wrapped refusal":  {err: fmt.Errorf("x: %w", errGone), kind: errs.NotFound, code: "orders.not_found", refused: true},
		"a refusal because":  {err: errGone.Because(context.Canceled), kind: errs.NotFound, code: "orders.not_found", refused: true},
		"anything":           {err: io.EOF, kind: errs.Internal, code: "souk.internal"},
		"cancelled":          {err: fmt.Errorf("x: %w", context.Canceled), kind: errs.Unknown, code: "souk.deadline"},
		"too late":           {err: context.DeadlineExceeded, kind: errs.Unknown, code: "souk.deadline"},
		"unavailable":        {err: errs.Refusal(errs.Unavailable, "store.full"), kind: errs.Unavailable, code: "store.full"},
		"perhaps done":       {err: errs.Refusal(errs.Unknown, "store.commit"), kind: errs.Unknown, code: "store.commit"},
		"the inner wins not": {err: errReused.Because(errGone), kind: errs.Mismatch, code: "payments.key_reused", refused: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.kind, errs.KindOf(tt.err))
			assert.Equal(t, tt.code, errs.CodeOf(tt.err))
			assert.Equal(t, tt.refused, errs.Refused(tt.err))
		})
	}
	assert.Nil(t, errs.As(nil))
}

func TestEveryKindIsEitherARefusalOrNot(t *testing.T) {
	t.Parallel()
	open := map[errs.Kind]bool{errs.Unavailable: true, errs.Unknown: true, errs.Internal: true}
	seen := map[errs.Kind]bool{}
	for _, kind := range errs.Kinds {
		assert.False(t, seen[kind], "%s is listed twice", kind)
		seen[kind] = true
		assert.Equal(t, !open[kind], errs.Refused(errs.Refusal(kind, "a.b")), kind)
	}
	assert.Len(t, seen, 10)
	assert.False(t, errs.Refused(&errs.Error{Kind: "a kind of a later release"}))
}

func TestTheCauseDoesNotCrossAWire(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(errGone.With("there is no order").WithField("id", "unknown").Because(errors.New("secret")))
	require.NoError(t, err)
	assert.NotContains(t, string(data), "secret")
	var read errs.Error
	require.NoError(t, json.Unmarshal(data, &read))
	require.ErrorIs(t, &read, errGone)
	assert.Equal(t, "there is no order", read.Message)
	assert.Equal(t, map[string]string{"id": "unknown"}, read.Fields)
}

func TestProblemsAreToldAllAtOnce(t *testing.T) {
	t.Parallel()
	var p errs.Problems
	p.Check(true, "title", "is empty")
	require.NoError(t, p.Err(errFields))
	p.Check(false, "title", "is longer than %d", 80)
	p.Add("title", "the second of one field is dropped")
	err := p.Err(errFields)
	require.ErrorIs(t, err, errFields)
	assert.Equal(t, map[string]string{"title": "is longer than 80"}, errs.As(err).Fields)
	p.Add("price", "is negative")
	assert.Len(t, errs.As(p.Err(errFields)).Fields, 2)
	assert.Len(t, errs.As(err).Fields, 1, "an error handed out earlier stays as it was")
	assert.Empty(t, errFields.Fields)
}
