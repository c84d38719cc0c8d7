package contracttest

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/rpc/contract"
)

// What stands for a value of each kind.
const (
	aText  = "text"
	anID   = "abc_01k5xk3v8dtq6c9m4j0e7r2a1b"
	aTime  = "2026-01-02T03:04:05.678Z"
	bytes3 = "AQID"
	depth  = 5 // of types that contain themselves
)

// sampler makes up values of a contract's types, with every field set.
type sampler struct {
	contract *contract.Contract
	turn     int // which value of each enum
}

func (s sampler) value(expr string, at int) any {
	if elem, ok := strings.CutPrefix(expr, "[]"); ok {
		if at > depth {
			return []any{}
		}
		return []any{s.value(elem, at+1)}
	}
	if elem, ok := strings.CutPrefix(expr, "map[string]"); ok {
		if at > depth {
			return map[string]any{}
		}
		return map[string]any{anID: s.value(elem, at+1)} // keys may be ids
	}
	if elem, ok := strings.CutPrefix(expr, "*"); ok {
		return s.value(elem, at)
	}
	t, named := s.contract.Type(expr)
	switch {
	case named && t.Kind == contract.Scalar:
		return s.value(t.Wire, at)
	case named && t.Kind == contract.Enum:
		return t.Values[s.turn%len(t.Values)]
	case named:
		fields := map[string]any{}
		for _, f := range t.Fields {
			if at > depth && strings.HasPrefix(f.Type, "*") {
				continue
			}
			fields[f.Name] = s.value(f.Type, at+1)
		}
		return fields
	}
	switch word(expr) {
	case "bool":
		return true
	case "number":
		return 7
	case "time":
		return aTime
	case "bytes":
		return bytes3
	case "id":
		return anID
	default:
		return aText
	}
}

// word says which of the wire's own types it is.
func word(expr string) string {
	switch {
	case expr == "bool":
		return "bool"
	case strings.HasPrefix(expr, "int"), strings.HasPrefix(expr, "uint"):
		return "number"
	case expr == "clock.Time":
		return "time"
	case expr == "bytes":
		return "bytes"
	case expr == "id.Ref", strings.HasPrefix(expr, "id.ID["):
		return "id"
	default:
		return "string"
	}
}

// reader looks whether a value is what a contract says. Strictly, there may be nothing else in it.
type reader struct {
	contract *contract.Contract
	strict   bool
	say      func(format string, args ...any)
}

func (r reader) value(where, expr string, v any) {
	if elem, ok := strings.CutPrefix(expr, "[]"); ok {
		list, ok := v.([]any)
		if !ok {
			r.wrong(where, "a list", v)
		}
		for _, one := range list {
			r.value(where, elem, one)
		}
		return
	}
	if elem, ok := strings.CutPrefix(expr, "map[string]"); ok {
		all, ok := v.(map[string]any)
		if !ok {
			r.wrong(where, "a map", v)
		}
		for _, one := range all {
			r.value(where, elem, one)
		}
		return
	}
	if elem, ok := strings.CutPrefix(expr, "*"); ok {
		if v != nil { // in a list it may stand for nothing
			r.value(where, elem, v)
		}
		return
	}
	if t, named := r.contract.Type(expr); named {
		switch t.Kind {
		case contract.Scalar:
			r.value(where, t.Wire, v)
		case contract.Enum:
			r.own(where, "string", v)
		case contract.Struct:
			r.object(where, t, v)
		}
		return
	}
	r.own(where, expr, v)
}

func (r reader) object(where string, t contract.Type, v any) {
	fields, ok := v.(map[string]any)
	if !ok {
		r.wrong(where, "an object", v)
		return
	}
	for _, f := range t.Fields {
		one, there := fields[f.Name]
		switch {
		case there:
			r.value(where+"."+f.Name, f.Type, one)
		case !strings.HasPrefix(f.Type, "*"):
			r.say("%s.%s: it is missing", where, f.Name)
		}
		delete(fields, f.Name)
	}
	if !r.strict {
		return
	}
	for name := range fields {
		r.say("%s.%s: the last release does not know it and would refuse it", where, name)
	}
}

// own checks a value of one of the wire's own types.
func (r reader) own(where, expr string, v any) {
	switch kind := word(expr); kind {
	case "bool":
		if _, ok := v.(bool); !ok {
			r.wrong(where, "true or false", v)
		}
	case "number":
		n, ok := v.(json.Number)
		if !ok {
			r.wrong(where, "a number", v)
			return
		}
		bits, _ := strconv.Atoi(strings.TrimLeft(expr, "uint")) // every name ends in its size
		_, err := strconv.ParseInt(n.String(), 10, bits)
		if strings.HasPrefix(expr, "u") {
			_, err = strconv.ParseUint(n.String(), 10, bits)
		}
		if err != nil {
			r.wrong(where, "a whole number of "+strconv.Itoa(bits)+" bits", v)
		}
	default:
		s, ok := v.(string)
		if !ok {
			r.wrong(where, "a string", v)
			return
		}
		_, badTime := clock.Parse(s)
		_, badBytes := base64.StdEncoding.DecodeString(s)
		switch {
		case kind == "time" && s != "" && badTime != nil:
			r.wrong(where, "a time", v)
		case kind == "bytes" && badBytes != nil:
			r.wrong(where, "base64", v)
		}
	}
}

func (r reader) wrong(where, want string, v any) {
	r.say("%s: it is %T where the last release has %s", where, v, want)
}

// fill sets every field of v, and what may be left out only if everything is to be set.
func fill(v reflect.Value, everything bool, at int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.String:
		v.SetString(aText)
		if v.Type() == reflect.TypeFor[id.Ref]() {
			v.SetString(anID)
		}
	case reflect.Slice:
		if at > depth {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), everything, at+1)
	case reflect.Map:
		if at > depth {
			return
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		fill(elem, everything, at+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(anID).Convert(v.Type().Key()), elem)
	case reflect.Pointer:
		if !everything || at > depth {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), everything, at+1)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), everything, at+1)
		}
	default: // contracts hold nothing else
	}
}
