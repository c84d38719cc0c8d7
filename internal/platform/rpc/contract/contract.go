// Package contract reads a module's contract package, refuses what DESIGN's rules forbid,
// writes down what the contract promises (the golden contract), compares two releases of it,
// and generates the packages that carry it.
//
// A contract package has an interface named Service, in which every method is
// Method(ctx context.Context, r Request) (Reply, error); events, which are structs with
// EventName and EventKey; and refusals in errors.go. What is generated from it:
//
//	<module>rpc/contract_gen.go    templates/contract.tmpl: the contract at run time, its codec
//	<module>rpc/strict_gen.go      templates/strict.tmpl: the strict wrapper
//	<module>rpc/guard_gen.go       templates/guard.tmpl: calls within a process, through the module's door
//	testdata/contract.golden       the contract as others see it, with its hash
//
// The remote client and server are two more templates and two more lines in outputs.
package contract

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

// Contract is what a module promises, in the terms of the wire: Go names are kept only to
// be read. Everything is sorted, so that moving a declaration changes nothing.
type Contract struct {
	Module  string
	Methods []Method
	Types   []Type
	Events  []Event
	Codes   []Code

	path string // import path of the package
	dir  string // where it is
}

// Method is one method of Service.
type Method struct {
	Name    string
	Command bool
	Request string // names of struct types
	Reply   string

	request goType
	reply   goType
}

// TypeKind is the sort of a named type.
type TypeKind string

// The sorts of named types. Scalar stands for one of the wire's own types.
const (
	Struct TypeKind = "struct"
	Enum   TypeKind = "enum"
	Scalar TypeKind = "scalar"
)

// Type is a named type that the contract reaches, its own or another package's.
type Type struct {
	Name     string
	Kind     TypeKind
	Fields   []Field  // of a struct
	Values   []string // of an enum
	Fallback string   // of an enum, "" for none
	Wire     string   // of a scalar: how it travels

	goType goType // of an enum
}

// goType is a type as a generated package writes it, and what that imports.
type goType struct {
	name    string
	imports []string
}

// Field is one field of a struct.
type Field struct {
	Name string // on the wire
	Type string // "[]*Line", "map[string]int64", "id.ID[cart.Cart]"
	PII  bool
}

// Event is a fact that the module publishes.
type Event struct {
	Name string // orders.placed.v1
	Type string // Placed
	Key  string // the expression that gives its key
}

// Code is a declared refusal.
type Code struct {
	Code string
	Kind string
}

func (c *Contract) sort() {
	slices.SortFunc(c.Methods, func(a, b Method) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Types, func(a, b Type) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Events, func(a, b Event) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Codes, func(a, b Code) int { return cmp.Compare(a.Code, b.Code) })
	for i := range c.Types {
		slices.SortFunc(c.Types[i].Fields, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
		slices.Sort(c.Types[i].Values)
	}
}

// Type finds a named type; ok is false when the name is one of the wire's own.
func (c *Contract) Type(name string) (t Type, ok bool) {
	i, ok := slices.BinarySearchFunc(c.Types, name, func(t Type, n string) int { return cmp.Compare(t.Name, n) })
	if !ok {
		return Type{}, false
	}
	return c.Types[i], true
}

// Violation is a place where a contract breaks a rule, and how to mend it.
type Violation struct {
	File string
	Line int
	What string
}

// String is file:line and the sentence.
func (v Violation) String() string { return v.File + ":" + itoa(v.Line) + ": " + v.What }

// Violations are all that is wrong with a contract, in the order of the files.
type Violations []Violation

// Error lists them, one a line.
func (vs Violations) Error() string {
	lines := make([]string, len(vs))
	for i, v := range vs {
		lines[i] = v.String()
	}
	return strings.Join(lines, "\n")
}

// In is the violations with their files as seen from where dir is named from.
func (vs Violations) In(dir string) Violations {
	out := slices.Clone(vs)
	for i := range out {
		if !filepath.IsAbs(out[i].File) {
			out[i].File = filepath.Join(dir, out[i].File)
		}
	}
	return out
}
