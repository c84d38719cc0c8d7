package rpc

import (
	"encoding/base64"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

// token reads a token of the wanted kind: 't' for a boolean, '0' a number, '"' a string.
func (r *reader) token(want jsontext.Kind, name string) (jsontext.Token, error) {
	tok, err := r.text.ReadToken()
	if err != nil {
		return tok, tidy(err)
	}
	got := tok.Kind()
	if got == 'f' {
		got = 't'
	}
	if got != want {
		return tok, problem("must be %s, not %s", name, tok.Kind())
	}
	return tok, nil
}

func appendText(dst []byte, s string) ([]byte, error) {
	out, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		return dst, problem("must be valid UTF-8")
	}
	return out, nil
}

func (r *reader) string() (string, error) {
	tok, err := r.token('"', "a string")
	if err != nil {
		return "", err
	}
	return tok.String(), nil
}

var boolPlan = &plan{
	encode: func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
		return strconv.AppendBool(dst, v.Bool()), nil
	},
	decode: func(r *reader, v reflect.Value, _ int) error {
		tok, err := r.token('t', "true or false")
		if err != nil {
			return err
		}
		v.SetBool(tok.Bool())
		return nil
	},
}

var intPlan = &plan{
	encode: func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
		return strconv.AppendInt(dst, v.Int(), 10), nil
	},
	decode: func(r *reader, v reflect.Value, _ int) error {
		tok, err := r.token('0', "a whole number")
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(tok.String(), 10, v.Type().Bits())
		if err != nil {
			return problem("must be a whole number of %d bits", v.Type().Bits())
		}
		v.SetInt(n)
		return nil
	},
}

var uintPlan = &plan{
	encode: func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	},
	decode: func(r *reader, v reflect.Value, _ int) error {
		tok, err := r.token('0', "a whole number")
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(tok.String(), 10, v.Type().Bits())
		if err != nil {
			return problem("must be a whole number of %d bits, not negative", v.Type().Bits())
		}
		v.SetUint(n)
		return nil
	},
}

var stringPlan = &plan{
	encode: func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
		return appendText(dst, v.String())
	},
	decode: func(r *reader, v reflect.Value, _ int) error {
		s, err := r.string()
		if err != nil {
			return err
		}
		v.SetString(s)
		return nil
	},
}

func enumPlan(e Enum) *plan {
	return &plan{
		encode: stringPlan.encode,
		decode: func(r *reader, v reflect.Value, _ int) error {
			s, err := r.string()
			if err != nil {
				return err
			}
			if !e.known[s] {
				if r.strict { // it could be a limit that the fallback would lift
					return problem("%q is not one of the values known here", s)
				}
				s = e.fallback
			}
			v.SetString(s)
			return nil
		},
	}
}

var refPlan = &plan{
	encode: stringPlan.encode,
	decode: func(r *reader, v reflect.Value, _ int) error {
		s, err := r.string()
		if err != nil {
			return err
		}
		if !id.Ref(s).Valid() {
			return problem("%q is not an id", s)
		}
		v.SetString(s)
		return nil
	},
}

var timePlan = &plan{
	encode: func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
		t := clock.Time(v.Int())
		text := t.String()
		if back, err := clock.Parse(text); !t.IsZero() && (err != nil || back != t) {
			return dst, problem("%s is not a time between the years 1 and 9999", text)
		}
		return appendText(dst, text)
	},
	decode: func(r *reader, v reflect.Value, _ int) error {
		s, err := r.string()
		if err != nil || s == "" {
			return err
		}
		t, err := clock.Parse(s)
		if err != nil {
			return problem("%s", err)
		}
		v.SetInt(int64(t))
		return nil
	},
}

var bytesPlan = &plan{
	encode: func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes())
		return append(dst, '"'), nil
	},
	decode: func(r *reader, v reflect.Value, _ int) error {
		s, err := r.string()
		if err != nil || s == "" {
			return err
		}
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil {
			return problem("must be base64")
		}
		v.SetBytes(b)
		return nil
	},
}
