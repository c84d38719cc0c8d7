// Package shop is a contract that keeps every rule, for the tests of the generator, the
// wire encoding and the strict wrapper.
package shop

import (
	"context"
	"errors"
	"regexp"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

//go:generate go run souk/internal/platform/rpc/gen

// ThingID names a thing.
type ThingID = id.ID[Thing]

// ThingIDs makes them.
var ThingIDs = id.Maker[Thing]{Prefix: "thg_"}

var slug = regexp.MustCompile(`^[a-z-]+$`) // not exported: nobody else can change it

// Service is what others may ask.
type Service interface {
	// Put keeps a thing.
	Put(ctx context.Context, r PutRequest) (PutReply, error)

	// Get reads a thing.
	//
	//rpc:read
	Get(ctx context.Context, r GetRequest) (GetReply, error)

	// List reads things; a request from another package is allowed.
	//
	//rpc:read
	List(ctx context.Context, r ListRequest) (Page[Thing], error)
}

// Colour is an enum with a fallback.
//
//rpc:fallback grey
type Colour string

// The colours.
const (
	Grey Colour = "grey"
	Red  Colour = "red"
)

// Mood is an enum whose fallback stands with its constants, by name.
type Mood string

// The moods.
//
//rpc:fallback MoodUnknown
const (
	MoodUnknown Mood = "unknown"
	MoodGood    Mood = "good"
)

// Size is an enum without a fallback: any string passes.
type Size string

// The sizes.
const (
	Small Size = "s"
	Large Size = "l"
)

// Tags are a slice with a name.
type Tags []string

// Count is an integer with a name.
type Count int32

// Thing has a field of every kind.
type Thing struct {
	ID      ThingID           `json:"id"`
	Owner   id.Ref            `json:"owner"`
	Name    string            `json:"name" pii:"true"`
	Colour  Colour            `json:"colour"`
	Mood    Mood              `json:"mood"`
	Size    Size              `json:"size"`
	Ready   bool              `json:"ready"`
	Tiny    int8              `json:"tiny"`
	Short   int16             `json:"short"`
	Count   Count             `json:"count"`
	Long    int64             `json:"long"`
	Byte    uint8             `json:"byte"`
	Port    uint16            `json:"port"`
	Mask    uint32            `json:"mask"`
	Huge    uint64            `json:"huge"`
	Raw     []byte            `json:"raw"`
	At      clock.Time        `json:"at"`
	Price   money.Money       `json:"price"`
	Was     *money.Money      `json:"was"`
	Tags    Tags              `json:"tags"`
	Parts   []Thing           `json:"parts"` // recursion through a slice
	Twin    *Thing            `json:"twin"`  // and through a pointer
	Likes   []*Thing          `json:"likes"`
	Stock   map[ThingID]int64 `json:"stock"`
	Owners  map[id.Ref]Tags   `json:"owners"`
	Note    *string           `json:"note"`
	Choices *[]string         `json:"choices"`
	Nested  [][]Tags          `json:"nested"`
}

// PutRequest is a command's.
type PutRequest struct {
	By    actor.Actor `json:"by"`
	Key   string      `json:"key"`
	Thing Thing       `json:"thing"`
	Limit *int64      `json:"limit"` // added later
}

// Validate says what is wrong with a request: a contract may check itself.
func (r PutRequest) Validate() error {
	if !slug.MatchString(r.Key) {
		return errors.New("no key")
	}
	return nil
}

// PutReply is a command's answer.
type PutReply struct {
	ID ThingID `json:"id"`
}

// GetRequest names a thing.
type GetRequest struct {
	ID ThingID `json:"id"`
}

// GetReply has it.
type GetReply struct {
	Thing Thing `json:"thing"`
}

// ListRequest asks for everything.
type ListRequest struct{}

// Page is a generic type.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// Log is a constant: contracts may have them.
const Log = "shop"
