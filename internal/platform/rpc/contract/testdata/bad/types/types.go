// Package types has types that cannot travel.
package types

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"souk/internal/platform/errs"
)

type Service interface {
	//rpc:read
	Get(ctx context.Context, r GetRequest) (Reply, error)
}

type GetRequest struct{}

type Reply struct {
	Any      any                `json:"any"`      // want "is an interface"
	Err      error              `json:"err"`      // want "is an interface"
	Float    float64            `json:"float"`    // want "count in whole units"
	Complex  complex64          `json:"complex"`  // want "count in whole units"
	Int      int                `json:"int"`      // want "make it int64"
	Uint     uint               `json:"uint"`     // want "make it uint64"
	Uintptr  uintptr            `json:"uintptr"`  // want "make it uint64"
	Chan     chan string        `json:"chan"`     // want "is a channel"
	Func     func()             `json:"func"`     // want "is a function"
	Array    [4]string          `json:"array"`    // want "is an array"
	Time     time.Time          `json:"time"`     // want "make it clock.Time"
	Duration time.Duration      `json:"duration"` // want "that has the unit in its name"
	Address  netip.Addr         `json:"address"`  // want "souk's own types only"
	Keys     map[int64]string   `json:"keys"`     // want "on the wire every key is a string"
	Twice    **string           `json:"twice"`    // want "pointer to a pointer"
	Unnamed  struct{ A string } `json:"unnamed"`  // want "struct without a name"
	Custom   Custom             `json:"custom"`   // want "has a MarshalJSON of its own"
	Texts    *Texts             `json:"texts"`    // want "has a UnmarshalText of its own"
	Deep     map[string][]Deep  `json:"deep"`
	Handler  Handler            `json:"handler"` // want "is a function"
	Failure  errs.Error         `json:"failure"`
	Hidden   hidden             `json:"hidden"` // want "other packages cannot name"
	Ratio    Ratio              `json:"ratio"`  // want "count in whole units"
	List     List               `json:"list"`   // want "is an interface"
}

type Deep struct {
	Inner *Deep `json:"inner"`
	Count int   `json:"count"` // want "field Count of Deep is a plain int"
}

type Custom struct {
	A string `json:"a"`
}

func (c Custom) MarshalJSON() ([]byte, error) { return json.Marshal(c.A) }

type Texts string

func (t *Texts) UnmarshalText(b []byte) error { *t = Texts(b); return nil }

type Handler func()

type hidden string

type Ratio float32

type List []any
