package rpc

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"souk/internal/platform/id"
)

// open reads the token that begins an object or array. absent says that null stood there,
// which is what others may write for an empty one.
func (r *reader) open(want jsontext.Kind, name string) (absent bool, err error) {
	tok, err := r.text.ReadToken()
	switch {
	case err != nil:
		return false, tidy(err)
	case tok.Kind() == 'n':
		return true, nil
	case tok.Kind() != want:
		return false, problem("must be %s, not %s", name, tok.Kind())
	default:
		return false, nil
	}
}

func slicePlan(elem *plan) *plan {
	return &plan{
		encode: func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
			if err := tooDeep(depth); err != nil {
				return dst, err
			}
			dst = append(dst, '[')
			for i := range v.Len() {
				if i > 0 {
					dst = append(dst, ',')
				}
				var err error
				if dst, err = elem.encode(dst, v.Index(i), depth+1); err != nil {
					return dst, within(index(i), err)
				}
			}
			return append(dst, ']'), nil
		},
		decode: func(r *reader, v reflect.Value, depth int) error {
			if err := tooDeep(depth); err != nil {
				return err
			}
			if absent, err := r.open('[', "a list"); absent || err != nil {
				return err
			}
			for n := 0; r.text.PeekKind() != ']'; n++ {
				v.Grow(1)
				v.SetLen(n + 1)
				v.Index(n).SetZero()
				if err := elem.decode(r, v.Index(n), depth+1); err != nil {
					return within(index(n), err)
				}
			}
			_, err := r.text.ReadToken()
			return err
		},
	}
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func mapPlan(t reflect.Type, elem *plan) *plan {
	checked := t.Key() == refType
	return &plan{
		encode: func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
			if err := tooDeep(depth); err != nil {
				return dst, err
			}
			keys := v.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			dst = append(dst, '{')
			for i, key := range keys {
				if i > 0 {
					dst = append(dst, ',')
				}
				var err error
				if dst, err = appendText(dst, key.String()); err != nil {
					return dst, within(index(i), err)
				}
				dst = append(dst, ':')
				if dst, err = elem.encode(dst, v.MapIndex(key), depth+1); err != nil {
					return dst, within(key.String(), err)
				}
			}
			return append(dst, '}'), nil
		},
		decode: func(r *reader, v reflect.Value, depth int) error {
			if err := tooDeep(depth); err != nil {
				return err
			}
			if absent, err := r.open('{', "a map"); absent || err != nil {
				return err
			}
			for r.text.PeekKind() != '}' {
				name, err := r.string()
				if err != nil {
					return err
				}
				if checked && !id.Ref(name).Valid() {
					return problem("%q is not an id", name)
				}
				value := reflect.New(t.Elem()).Elem()
				if err := elem.decode(r, value, depth+1); err != nil {
					return within(name, err)
				}
				if v.IsNil() {
					v.Set(reflect.MakeMap(t))
				}
				v.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), value)
			}
			_, err := r.text.ReadToken()
			return err
		},
	}
}

// pointerPlan writes null for nil; a struct leaves its nil pointers out before it comes here.
func pointerPlan(t reflect.Type, elem *plan) *plan {
	return &plan{
		encode: func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
			if v.IsNil() {
				return append(dst, "null"...), nil
			}
			if err := tooDeep(depth); err != nil {
				return dst, err
			}
			return elem.encode(dst, v.Elem(), depth+1)
		},
		decode: func(r *reader, v reflect.Value, depth int) error {
			if r.text.PeekKind() == 'n' {
				_, err := r.text.ReadToken()
				return err
			}
			if err := tooDeep(depth); err != nil {
				return err
			}
			value := reflect.New(t.Elem())
			if err := elem.decode(r, value.Elem(), depth+1); err != nil {
				return err
			}
			v.Set(value)
			return nil
		},
	}
}

// field is one field of a struct: where it is, its name as it is written, and its plan.
type field struct {
	at      int
	name    string
	quoted  string // `"name":`
	pointer bool
	plan    *plan
}

func (c *Codec) structPlan(t reflect.Type) *plan {
	fields := make([]field, t.NumField())
	for i := range fields {
		f := t.Field(i)
		name := f.Tag.Get("json")
		if f.PkgPath != "" || f.Anonymous || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return unfit(t, "its field "+f.Name+" is not plain, exported and tagged with a name")
		}
		fields[i] = field{
			at: i, name: name, quoted: fmt.Sprintf("%q:", name),
			pointer: f.Type.Kind() == reflect.Pointer, plan: c.plan(f.Type),
		}
	}
	s := structFields{fields: fields, byName: make(map[string]*field, len(fields))}
	for i := range fields {
		s.byName[fields[i].name] = &fields[i]
	}
	return &plan{encode: s.encode, decode: s.decode}
}

type structFields struct {
	fields []field
	byName map[string]*field
}

func (s structFields) encode(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if err := tooDeep(depth); err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		value := v.Field(f.at)
		if f.pointer && value.IsNil() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, f.quoted...)
		var err error
		if dst, err = f.plan.encode(dst, value, depth+1); err != nil {
			return dst, within(f.name, err)
		}
	}
	return append(dst, '}'), nil
}

func (s structFields) decode(r *reader, v reflect.Value, depth int) error {
	if err := tooDeep(depth); err != nil {
		return err
	}
	if tok, err := r.text.ReadToken(); err != nil {
		return tidy(err)
	} else if tok.Kind() != '{' {
		return problem("must be an object, not %s", tok.Kind())
	}
	seen := make([]bool, len(s.fields))
	for r.text.PeekKind() != '}' {
		tok, err := r.token('"', "a name")
		if err != nil {
			return err
		}
		name := tok.String()
		f := s.byName[name]
		if f == nil {
			if r.strict {
				return &Problem{Path: name, What: "is not known here"}
			}
			if err := r.text.SkipValue(); err != nil {
				return tidy(err)
			}
			continue
		}
		seen[f.at] = true
		if err := f.plan.decode(r, v.Field(f.at), depth+1); err != nil {
			return within(name, err)
		}
	}
	if _, err := r.text.ReadToken(); err != nil {
		return tidy(err)
	}
	return s.complete(r, seen)
}

// complete refuses a request in which a field is missing that every release has sent.
func (s structFields) complete(r *reader, seen []bool) error {
	if !r.strict {
		return nil
	}
	for i := range s.fields {
		if f := &s.fields[i]; !seen[f.at] && !f.pointer {
			return &Problem{Path: f.name, What: "is missing"}
		}
	}
	return nil
}
