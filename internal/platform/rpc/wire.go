package rpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep a value may be nested, so that neither a loop of pointers nor a
// hostile body can exhaust the stack.
const maxDepth = 64

// Codec is the wire encoding. It knows the fallbacks of one contract's enums; NewCodec()
// knows none. It may be used by many goroutines.
type Codec struct {
	enums map[reflect.Type]Enum
	plans sync.Map // reflect.Type → *plan
}

// Enum is a set of values with a fallback for those not in it.
type Enum struct {
	of       reflect.Type
	fallback string
	known    map[string]bool
}

// EnumOf is the enum of T's known values and the one that stands for all others. The empty
// string is always known: it means that nothing was said.
func EnumOf[T ~string](fallback T, known ...T) Enum {
	e := Enum{of: reflect.TypeFor[T](), fallback: string(fallback), known: map[string]bool{"": true}}
	for _, k := range known {
		e.known[string(k)] = true
	}
	return e
}

// NewCodec is the wire encoding with these enums.
func NewCodec(enums ...Enum) *Codec {
	c := &Codec{enums: make(map[reflect.Type]Enum, len(enums))}
	for _, e := range enums {
		c.enums[e.of] = e
	}
	return c
}

// Problem says what is wrong with a value, and where: Path is like "lines[2].sku".
type Problem struct {
	Path string
	What string
}

// Error is where and what.
func (p *Problem) Error() string {
	if p.Path == "" {
		return p.What
	}
	return p.Path + ": " + p.What
}

func problem(format string, args ...any) error {
	return &Problem{What: fmt.Sprintf(format, args...)}
}

// within puts a part of the path before err's.
func within(part string, err error) error {
	var p *Problem
	if !errors.As(err, &p) {
		return err
	}
	sep := "."
	if p.Path == "" || strings.HasPrefix(p.Path, "[") {
		sep = ""
	}
	return &Problem{Path: part + sep + p.Path, What: p.What}
}

// Marshal encodes v.
func (c *Codec) Marshal(v any) ([]byte, error) {
	value := reflect.ValueOf(v)
	if !value.IsValid() {
		return nil, errors.New("nothing to encode")
	}
	return c.plan(value.Type()).encode(make([]byte, 0, 256), value, 0)
}

// Unmarshal decodes a reply or an event into what v points to: unknown fields are ignored.
func (c *Codec) Unmarshal(data []byte, v any) error { return c.unmarshal(data, v, false) }

// UnmarshalStrict decodes a request into what v points to: a field that is not known, or a
// missing one that is not a pointer, is refused.
func (c *Codec) UnmarshalStrict(data []byte, v any) error { return c.unmarshal(data, v, true) }

func (c *Codec) unmarshal(data []byte, v any, strict bool) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("decode into %T: not a pointer", v)
	}
	r := readers.Get().(*reader)
	defer func() {
		r.src.Reset(nil) // the pool keeps nobody's body
		readers.Put(r)
	}()
	r.src.Reset(data)
	r.text.Reset(&r.src)
	r.strict = strict
	value := target.Elem()
	value.SetZero()
	if err := c.plan(value.Type()).decode(r, value, 0); err != nil {
		return tidy(err)
	}
	if _, err := r.text.ReadToken(); !errors.Is(err, io.EOF) {
		return problem("something follows the value")
	}
	return nil
}

// tidy makes a Problem of whatever the tokenizer says.
func tidy(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Problem{What: "not valid JSON: it ends too early"}
	case errors.As(err, &syntax):
		return &Problem{What: "not valid JSON: " + syntax.Err.Error()}
	default:
		return err
	}
}

// reader is one decoding: its tokens, and how strict it is.
type reader struct {
	src    bytes.Reader
	text   jsontext.Decoder
	strict bool
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// Canonical is v as it arrives after a wire: a copy in which nothing is shared and every
// empty slice and map is nil. Tests compare canonical values.
func Canonical[T any](v T) (T, error) {
	var out T
	c := NewCodec()
	data, err := c.Marshal(v)
	if err != nil {
		return out, err
	}
	return out, c.Unmarshal(data, &out)
}
