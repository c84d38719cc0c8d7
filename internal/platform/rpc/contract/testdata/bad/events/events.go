// Package events has events that break the rules.
package events

import (
	"context"
	"fmt"
)

type Service interface {
	//rpc:read
	Get(ctx context.Context, r GetRequest) (Reply, error)
}

type GetRequest struct{}

type Reply struct{}

type Fact interface {
	EventName() string
	EventKey() string
}

type Keyless struct{} // want "has only one of EventName and EventKey"

func (Keyless) EventName() string { return "events.keyless.v1" }

type Named string // want "is not a struct"

func (Named) EventName() string { return "events.named.v1" }
func (Named) EventKey() string  { return "" }

type Unversioned struct{}

func (Unversioned) EventName() string { return "events.unversioned" } // want "of the form \"events.what_happened.v1\""
func (Unversioned) EventKey() string  { return "" }

type Foreign struct{}

func (Foreign) EventName() string { return "orders.placed.v1" } // want "EventName of Foreign is \"orders.placed.v1\""
func (Foreign) EventKey() string  { return "" }

type Computed struct{}

func (Computed) EventName() string { return fmt.Sprint("events.computed.v1") } // want "return a constant"
func (Computed) EventKey() string  { return "" }

type First struct{}

func (First) EventName() string { return "events.same.v1" }
func (First) EventKey() string  { return "" }

type Second struct{}

func (Second) EventName() string { return "events.same.v1" } // want "as has First"
func (Second) EventKey() string  { return "" }

type Pointed struct{}

func (*Pointed) EventName() string { return "events.pointed.v1" } // want "has a pointer receiver"
func (Pointed) EventKey() string   { return "" }

type Involved struct {
	A string `json:"a"`
}

func (Involved) EventName() string { return "events.involved.v1" }
func (e Involved) EventKey() string { // want "over several lines"
	key := e.A
	return key
}

type Personal struct { // want "holds personal data in Personal.buyers.name"
	Buyers []*Buyer `json:"buyers"`
}

func (Personal) EventName() string { return "events.personal.v1" }
func (Personal) EventKey() string  { return "" }

type Buyer struct {
	ID   string `json:"id"`
	Name string `json:"name" pii:"true"`
}

type Imprecise struct {
	Weight float32 `json:"weight"` // want "field Weight of Imprecise is a float32"
}

func (Imprecise) EventName() string { return "events.imprecise.v1" }
func (Imprecise) EventKey() string  { return "" }
