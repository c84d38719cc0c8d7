// Package tags has fields that would be lost or renamed on the way.
package tags

import "context"

type Service interface {
	//rpc:read
	Get(ctx context.Context, r GetRequest) (Reply, error)
}

type GetRequest struct{}

type Base struct {
	A string `json:"a"`
}

type Reply struct {
	Base              // want "is embedded"
	hidden   string   // want "is not exported"
	Untagged string   // want "has no json tag"
	Dropped  string   `json:"-"`                 // want "would be lost on the way"
	Omitted  []string `json:"omitted,omitempty"` // want "has the json option \"omitempty\""
	Zero     *string  `json:"zero,omitzero"`     // want "has the json option \"omitzero\""
	Nameless string   `json:",string"`           // want "has the json option"
	Camel    string   `json:"camelCase"`         // want "lower case with underscores"
	One      string   `json:"one"`
	Other    string   `json:"one"`              // want "as has One"
	Secret   string   `json:"secret" pii:"yes"` // want "write pii:\"true\""
}

func (r Reply) String() string { return r.hidden }
