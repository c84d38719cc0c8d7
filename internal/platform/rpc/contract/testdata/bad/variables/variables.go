// Package variables has things that anyone can change.
package variables

import (
	"context"

	"souk/internal/platform/id"
)

type Service interface {
	//rpc:read
	Get(ctx context.Context, r GetRequest) (Reply, error)
}

type GetRequest struct{}

type Reply struct{}

type Thing struct{}

var Sizes = []string{"s", "l"} // want "is a variable that anyone can change"

var Default, other = 1, 2 // want "Default is a variable"

var _ = other

var (
	ThingIDs  = id.Maker[Thing]{Prefix: "thg_"}
	ReplyIDs  = id.Maker[Reply]{Prefix: "thg_"} // want "as does ThingIDs"
	NamelessI = id.Maker[Reply]{}               // want "has no prefix"
	BadIDs    = id.Maker[Reply]{Prefix: "X"}    // want "has no prefix"
)
