package httpx

import (
	"bytes"
	"io"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Encoded is a Body that is JSON already, of a T: for what is asked for so often that encoding
// it anew each time would be most of the work. The OpenAPI document describes the T.
type Encoded[T any] struct{ text []byte }

// Encode makes the body of v, exactly as a plain one would be written. It may be kept and sent
// any number of times.
func Encode[T any](v T) (Encoded[T], error) {
	var b bytes.Buffer
	if err := strictJSON.Marshal(&b, v); err != nil {
		return Encoded[T]{}, err
	}
	return Encoded[T]{text: b.Bytes()}, nil
}

// Tag is an ETag of these very bytes.
func (e Encoded[T]) Tag() string { return Tag(string(e.text)) }

// Schema describes the T.
func (Encoded[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, reflect.TypeFor[T]().Name())
}

func (e Encoded[T]) encoded() []byte { return e.text }

// writeEncoded writes v if it is an Encoded.
func writeEncoded(w io.Writer, v any) (bool, error) {
	e, ok := v.(interface{ encoded() []byte })
	if !ok {
		return false, nil
	}
	_, err := w.Write(e.encoded())
	return true, err
}
