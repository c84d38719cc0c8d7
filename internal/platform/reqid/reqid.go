// Package reqid carries the id of a request through everything that is done for it, so that
// all its log lines can be found together. It is the one value besides the trace that
// crosses from module to module in a context; it decides nothing.
package reqid

import "context"

type key struct{}

// With is ctx with the request's id. An empty id changes nothing.
func With(ctx context.Context, id string) context.Context {
	if id == "" {
		return ctx
	}
	return context.WithValue(ctx, key{}, id)
}

// From is the id of the request that ctx belongs to, "" for none.
func From(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}
