// Package enums has fallbacks that say nothing.
package enums

import "context"

type Service interface {
	//rpc:read
	Get(ctx context.Context, r GetRequest) (Reply, error)
}

type GetRequest struct{}

type Reply struct {
	Status Status `json:"status"`
	Open   Open   `json:"open"`
	Both   Both   `json:"both"`
}

//rpc:fallback gone
type Status string // want "is none of its values: name one of new, old"

const (
	New Status = "new"
	Old Status = "old"
)

//rpc:fallback x
type Open string // want "has an //rpc:fallback and no values"

//rpc:fallback a
type Both string // want "has two fallbacks"

//rpc:fallback b
const (
	A Both = "a"
	B Both = "b"
)

// want+1 "not in the comment of a type or its constants"
//rpc:fallback lonely

func nothing() {}
