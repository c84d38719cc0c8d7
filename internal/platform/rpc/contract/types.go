package contract

import (
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"regexp"
	"strings"
)

const platform = "souk/internal/platform/"

var (
	wireName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	scalars  = map[types.BasicKind]string{
		types.Bool: "bool", types.String: "string",
		types.Int8: "int8", types.Int16: "int16", types.Int32: "int32", types.Int64: "int64",
		types.Uint8: "uint8", types.Uint16: "uint16", types.Uint32: "uint32", types.Uint64: "uint64",
	}
	ownEncoding = []string{"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText"}
)

// typ is the contract's name of a type, whose parts are checked and noted on the way. what
// names the place for whoever has to mend it: "field Lines of Cart".
func (l *loader) typ(t types.Type, pos token.Pos, what string) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return l.named(t, pos, what)
	case *types.Basic:
		return l.basic(t, pos, what)
	case *types.Slice:
		if b, ok := t.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Uint8 {
			return "bytes"
		}
		return "[]" + l.typ(t.Elem(), pos, what)
	case *types.Map:
		if b, ok := t.Key().Underlying().(*types.Basic); !ok || b.Kind() != types.String {
			l.refuse(pos, "%s is a map whose keys are %s: on the wire every key is a string; make it one, or a slice of structs", what, l.name(t.Key()))
		}
		return "map[string]" + l.typ(t.Elem(), pos, what)
	case *types.Pointer:
		if _, double := t.Elem().Underlying().(*types.Pointer); double {
			l.refuse(pos, "%s is a pointer to a pointer: one is enough to say that something may be absent", what)
		}
		return "*" + l.typ(t.Elem(), pos, what)
	case *types.Struct:
		l.refuse(pos, "%s is a struct without a name: declare a type for it, so that it can be spoken of", what)
	case *types.Array:
		l.refuse(pos, "%s is an array: its length would be part of the contract; make it a slice and check its length", what)
	case *types.Interface:
		l.refuse(pos, "%s is an interface (any, error and their like): what it holds cannot be copied and loses its type on the wire (an int64 becomes a float64); say which type it is", what)
	case *types.Chan:
		l.refuse(pos, "%s is a channel, which cannot leave the process: page through it, or publish events", what)
	case *types.Signature:
		l.refuse(pos, "%s is a function, which cannot leave the process: send the value that it would give", what)
	default:
		l.refuse(pos, "%s is a %s, which cannot travel", what, l.name(t))
	}
	return "?"
}

func (l *loader) basic(t *types.Basic, pos token.Pos, what string) string {
	if name, ok := scalars[t.Kind()]; ok {
		return name
	}
	switch {
	case t.Kind() == types.Int || t.Kind() == types.Uint || t.Kind() == types.Uintptr:
		l.refuse(pos, "%s is a plain %s, whose size depends on the machine: make it %s64", what, t.Name(), strings.TrimSuffix(t.Name(), "ptr"))
	case t.Info()&(types.IsFloat|types.IsComplex) != 0:
		l.refuse(pos, "%s is a %s, which does not say what it means to the last digit: count in whole units (money.Money, basis points, grams)", what, t.Name())
	case t.Kind() != types.Invalid:
		l.refuse(pos, "%s is a %s, which cannot travel", what, t.Name())
	}
	return "?"
}

func (l *loader) named(t *types.Named, pos token.Pos, what string) string {
	o := t.Obj()
	name := l.name(t)
	if o.Pkg() == nil { // error, comparable
		return l.typ(t.Underlying(), pos, what)
	}
	switch o.Pkg().Path() + "." + o.Name() {
	case platform + "clock.Time", platform + "id.Ref", platform + "id.ID":
		return name
	case "time.Time":
		l.refuse(pos, "%s is a time.Time, whose zone and nanoseconds no database gives back: make it clock.Time", what)
		return "?"
	case "time.Duration":
		l.refuse(pos, "%s is a time.Duration, a number that does not say its unit on the wire: make it an int64 that has the unit in its name", what)
		return "?"
	}
	root, _, _ := strings.Cut(l.contract.path, "/")
	if first, _, _ := strings.Cut(o.Pkg().Path(), "/"); first != root {
		l.refuse(pos, "%s is a %s: contracts hold souk's own types only, since others change when they are updated; declare a type for it", what, name)
		return "?"
	}
	if before, ok := l.seen[name]; ok {
		if before.Obj() != o {
			l.refuse(pos, "%s is a %s of %s, and the contract already holds one of %s: two packages of one name cannot be told apart here", what, name, o.Pkg().Path(), before.Obj().Pkg().Path())
		}
		return name
	}
	l.seen[name] = t
	if !o.Exported() {
		l.refuse(pos, "%s is a %s, which other packages cannot name: export the type", what, name)
	}
	methods := types.NewMethodSet(types.NewPointer(t))
	for _, m := range ownEncoding {
		if methods.Lookup(nil, m) != nil {
			l.refuse(pos, "%s is a %s, which has a %s of its own: the wire encoding is one for all; take it out, or use a type without", what, name, m)
			return "?"
		}
	}
	l.define(t, name, pos, what)
	return name
}

// define notes a named type and all that it holds.
func (l *loader) define(t *types.Named, name string, pos token.Pos, what string) {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		fields := l.fields(u, name)
		l.contract.Types = append(l.contract.Types, Type{Name: name, Kind: Struct, Fields: fields})
	case *types.Basic:
		if u.Kind() == types.String {
			if values := enumValues(t); len(values) > 0 {
				l.enum(t, name, values)
				return
			}
		}
		l.noFallback(t, name)
		l.contract.Types = append(l.contract.Types, Type{Name: name, Kind: Scalar, Wire: l.basic(u, pos, what)})
	case *types.Slice, *types.Map:
		l.contract.Types = append(l.contract.Types, Type{Name: name, Kind: Scalar, Wire: l.typ(u, pos, what)})
	default:
		l.typ(u, pos, what) // says why not
	}
}

// fields checks and lists a struct's fields.
func (l *loader) fields(s *types.Struct, owner string) []Field {
	fields := make([]Field, 0, s.NumFields())
	names := map[string]string{}
	for i := range s.NumFields() {
		f, tag := s.Field(i), reflect.StructTag(s.Tag(i))
		what := "field " + f.Name() + " of " + owner
		if f.Embedded() {
			l.refuse(f.Pos(), "%s is embedded, so its fields would mix with those around it: give it a name and a json tag", what)
			continue
		}
		if !f.Exported() {
			l.refuse(f.Pos(), "%s is not exported and would be lost on the way: export it, or keep it out of the contract", what)
			continue
		}
		name := l.tag(f, tag, what)
		if other, twice := names[name]; twice && name != "" {
			l.refuse(f.Pos(), "%s has the json name %q, as has %s: give each its own", what, name, other)
		}
		names[name] = f.Name()
		pii, tagged := tag.Lookup("pii")
		if tagged && pii != "true" {
			l.refuse(f.Pos(), `%s is tagged pii:"%s": write pii:"true" for personal data, and nothing for what is none`, what, pii)
		}
		fields = append(fields, Field{Name: name, Type: l.typ(f.Type(), f.Pos(), what), PII: tagged})
	}
	return fields
}

// tag is a field's name on the wire.
func (l *loader) tag(f *types.Var, tag reflect.StructTag, what string) string {
	value, ok := tag.Lookup("json")
	name, options, more := strings.Cut(value, ",")
	switch {
	case !ok || value == "":
		l.refuse(f.Pos(), "%s has no json tag: add one, so that renaming the field in Go does not rename it on the wire", what)
	case name == "-":
		l.refuse(f.Pos(), `%s is tagged json:"-" and would be lost on the way: keep it out of the contract`, what)
	case more:
		l.refuse(f.Pos(), `%s has the json option %q: write json:"%s" alone; empty values travel (with omitempty [] turns into nil), and of pointers the encoder leaves out nil by itself`, what, options, name)
	case !wireName.MatchString(name):
		l.refuse(f.Pos(), "%s has the json name %q: write it in lower case with underscores, like seller_id", what, name)
	}
	return name
}

// enum notes an enum with its values and fallback.
func (l *loader) enum(t *types.Named, name string, values []*types.Const) {
	e := Type{Name: name, Kind: Enum, goType: inGo(t)}
	for _, v := range values {
		e.Values = append(e.Values, constant.StringVal(v.Val()))
	}
	seen := map[token.Pos]bool{}
	for _, at := range append([]types.Object{t.Obj()}, objects(values)...) {
		for _, d := range directivesIn(l.comments(at)...) {
			if d.word != "fallback" || seen[d.pos] {
				continue
			}
			seen[d.pos] = true
			value, ok := fallback(d.rest, values)
			switch {
			case !ok:
				l.refuse(t.Obj().Pos(), "//rpc:fallback %s of %s is none of its values: name one of %s", d.rest, name, strings.Join(e.Values, ", "))
			case e.Fallback != "" && e.Fallback != value:
				l.refuse(t.Obj().Pos(), "%s has two fallbacks, %s and %s: keep one", name, e.Fallback, value)
			default:
				e.Fallback = value
			}
		}
	}
	l.contract.Types = append(l.contract.Types, e)
}

func objects(values []*types.Const) []types.Object {
	out := make([]types.Object, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// fallback finds the value that a directive names, by the value or by its constant.
func fallback(said string, values []*types.Const) (string, bool) {
	for _, v := range values {
		if value := constant.StringVal(v.Val()); value == said && said != "" || v.Name() == said {
			return value, true
		}
	}
	return "", false
}

func (l *loader) noFallback(t *types.Named, name string) {
	for _, d := range directivesIn(l.comments(t.Obj())...) {
		if d.word == "fallback" {
			l.refuse(t.Obj().Pos(), "%s has an //rpc:fallback and no values: declare string constants of its type", name)
		}
	}
}
