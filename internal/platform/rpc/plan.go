package rpc

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

// plan is how values of one type are encoded and decoded. It is made once per codec and type.
type plan struct {
	encode func(dst []byte, v reflect.Value, depth int) ([]byte, error)
	decode func(r *reader, v reflect.Value, depth int) error
}

var (
	timeType = reflect.TypeFor[clock.Time]()
	refType  = reflect.TypeFor[id.Ref]()
	foreign  = []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	}
)

// plan finds or makes the plan of t. A type that contains itself finds, while its plan is
// being made, a stand-in that waits for it.
func (c *Codec) plan(t reflect.Type) *plan {
	if p, ok := c.plans.Load(t); ok {
		return p.(*plan)
	}
	var making sync.RWMutex
	var made *plan
	ready := func() *plan {
		making.RLock()
		defer making.RUnlock()
		return made
	}
	making.Lock()
	defer making.Unlock()
	stand, raced := c.plans.LoadOrStore(t, &plan{
		encode: func(dst []byte, v reflect.Value, depth int) ([]byte, error) { return ready().encode(dst, v, depth) },
		decode: func(r *reader, v reflect.Value, depth int) error { return ready().decode(r, v, depth) },
	})
	if raced {
		return stand.(*plan)
	}
	made = c.make(t)
	c.plans.Store(t, made)
	return made
}

func (c *Codec) make(t reflect.Type) *plan {
	switch {
	case t == timeType:
		return timePlan
	case t == refType:
		return refPlan
	case hasOwnEncoding(t):
		return unfit(t, "it has an encoding of its own")
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolPlan
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intPlan
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintPlan
	case reflect.String:
		if e, ok := c.enums[t]; ok {
			return enumPlan(e)
		}
		return stringPlan
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesPlan
		}
		return slicePlan(c.plan(t.Elem()))
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return unfit(t, "only strings are keys")
		}
		return mapPlan(t, c.plan(t.Elem()))
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer {
			return unfit(t, "a pointer to a pointer says nothing more")
		}
		return pointerPlan(t, c.plan(t.Elem()))
	case reflect.Struct:
		return c.structPlan(t)
	default:
		return unfit(t, "contracts hold no "+t.Kind().String())
	}
}

func hasOwnEncoding(t reflect.Type) bool {
	for _, own := range foreign {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return t.Kind() != reflect.Pointer // the pointer's own plan finds it
		}
	}
	return false
}

// unfit is the plan of a type that may not travel. The generator has refused it already
// when it is part of a contract.
func unfit(t reflect.Type, why string) *plan {
	err := fmt.Errorf("a %s cannot travel: %s", t, why)
	return &plan{
		encode: func([]byte, reflect.Value, int) ([]byte, error) { return nil, err },
		decode: func(*reader, reflect.Value, int) error { return err },
	}
}

func tooDeep(depth int) error {
	if depth > maxDepth {
		return problem("nested more than %d deep", maxDepth)
	}
	return nil
}
