package contract

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is a change that the last release could not live with.
type Difference struct {
	Where string // "Quote request: lines.quantity"
	What  string
}

// String is where and what.
func (d Difference) String() string { return d.Where + ": " + d.What }

// role is the way in which a type crosses, which decides what may change in it.
type role string

const (
	request role = "request" // old callers ask new modules, and new callers old modules
	reply   role = "reply"
	fact    role = "event"
)

// Compatible says what in the new contract breaks the old one; nothing means that processes
// of both releases can speak. New methods, events and codes are compatible, and so are new
// fields of replies and events, pointers added to requests, and values added to an enum
// that the old release has a fallback for. Everything else is not.
func Compatible(old, next *Contract) []Difference {
	c := comparison{old: old, next: next, seen: map[string]bool{}}
	if old.Module != next.Module {
		c.differ("contract", "it was that of %s and is that of %s", old.Module, next.Module)
		return c.found
	}
	c.methods()
	c.events()
	for _, code := range old.Codes {
		i := slices.IndexFunc(next.Codes, func(n Code) bool { return n.Code == code.Code })
		switch {
		case i < 0:
			c.differ("code "+code.Code, "callers of the last release may test for it: keep it declared")
		case next.Codes[i].Kind != code.Kind:
			c.differ("code "+code.Code, "it was %s and is %s: declare a new code for the new meaning", code.Kind, next.Codes[i].Kind)
		}
	}
	return c.found
}

type comparison struct {
	old, next *Contract
	found     []Difference
	seen      map[string]bool
}

func (c *comparison) differ(where, format string, args ...any) {
	c.found = append(c.found, Difference{Where: where, What: fmt.Sprintf(format, args...)})
}

func (c *comparison) methods() {
	for _, m := range c.old.Methods {
		i := slices.IndexFunc(c.next.Methods, func(n Method) bool { return n.Name == m.Name })
		if i < 0 {
			c.differ("method "+m.Name, "the last release calls it: keep it for a release")
			continue
		}
		n := c.next.Methods[i]
		if n.Command != m.Command {
			c.differ("method "+m.Name, "a read became a command or the other way round, which changes how it is retried: give the new one another name")
		}
		c.types(request, m.Name+" request", m.Request, n.Request)
		c.types(reply, m.Name+" reply", m.Reply, n.Reply)
	}
}

func (c *comparison) events() {
	for _, e := range c.old.Events {
		i := slices.IndexFunc(c.next.Events, func(n Event) bool { return n.Name == e.Name })
		if i < 0 {
			c.differ("event "+e.Name, "the last release listens to it: publish it beside the new one for a release")
			continue
		}
		n := c.next.Events[i]
		if n.Key != e.Key {
			c.differ("event "+e.Name, "its key was %s and is %s, so old and new events of one thing are no longer in order: publish a new version", e.Key, n.Key)
		}
		c.types(fact, "event "+e.Name, e.Type, n.Type)
	}
}

// types compares two type expressions at one place.
func (c *comparison) types(r role, where, old, next string) {
	if _, known := c.old.Type(old); known {
		pair := string(r) + " " + old + " " + next
		if c.seen[pair] {
			return
		}
		c.seen[pair] = true
	}
	old, next = c.old.travels(old), c.next.travels(next)
	for _, wrap := range []string{"[]", "map[string]", "*"} {
		a, was := strings.CutPrefix(old, wrap)
		b, is := strings.CutPrefix(next, wrap)
		if was && is {
			c.types(r, where, a, b)
			return
		}
		if was != is {
			c.differ(where, "it was %s and is %s", old, next)
			return
		}
	}
	a, known := c.old.Type(old)
	b, stillKnown := c.next.Type(next)
	switch {
	case !known && !stillKnown && old == next:
	case known && stillKnown && a.Kind == Struct && b.Kind == Struct:
		c.structs(r, where, a, b)
	case known && stillKnown && a.Kind == Enum && b.Kind == Enum:
		c.enums(r, where, a, b)
	case known && a.Kind == Enum && next == "string":
		c.differ(where, "it was an enum and is any string, which the last release does not understand")
	case stillKnown && b.Kind == Enum && old == "string":
		c.differ(where, "it was any string and is an enum")
	default:
		c.differ(where, "it was %s and is %s", old, next)
	}
}

// travels is a type expression without a name at its head that means nothing on the wire.
func (c *Contract) travels(expr string) string {
	for {
		t, ok := c.Type(expr)
		if !ok || t.Kind != Scalar {
			return expr
		}
		expr = t.Wire
	}
}

func (c *comparison) structs(r role, where string, old, next Type) {
	for _, f := range old.Fields {
		i := slices.IndexFunc(next.Fields, func(n Field) bool { return n.Name == f.Name })
		at := within(where, f.Name)
		switch {
		case i >= 0:
			c.types(r, at, f.Type, next.Fields[i].Type)
		case r == request:
			c.differ(at, "it is gone, and the last release sends it, which is refused: keep it")
		default:
			c.differ(at, "it is gone, and the last release reads it as zero: keep it")
		}
	}
	if r != request {
		return
	}
	for _, f := range next.Fields {
		known := slices.ContainsFunc(old.Fields, func(o Field) bool { return o.Name == f.Name })
		if !known && !strings.HasPrefix(f.Type, "*") {
			c.differ(within(where, f.Name), "it is new in a request and no pointer, so the last release neither sends nor understands it: make it *%s", f.Type)
		}
	}
}

func (c *comparison) enums(r role, where string, old, next Type) {
	for _, v := range old.Values {
		if !slices.Contains(next.Values, v) {
			c.differ(where, "the value %q is gone from %s, and the last release uses it: keep it", v, old.Name)
		}
	}
	if r == request || old.Fallback != "" {
		return
	}
	for _, v := range next.Values {
		if !slices.Contains(old.Values, v) {
			c.differ(where, "the value %q is new in %s, and the last release has no fallback for it: add one a release before", v, old.Name)
		}
	}
}

func within(where, field string) string {
	if strings.HasSuffix(where, "request") || strings.HasSuffix(where, "reply") || strings.HasPrefix(where, "event ") && !strings.Contains(where, ": ") {
		return where + ": " + field
	}
	return where + "." + field
}
