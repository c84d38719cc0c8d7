package catalogtest

import (
	"souk/internal/catalog"
	"souk/internal/catalog/catalogrpc"
	"souk/internal/platform/rpc"
)

// Strict stands before next as a network would, with what o.Faults says going wrong: for the
// tests of modules that ask catalog, which see its contract and this package alone.
func Strict(next catalog.Service, o rpc.StrictOptions) catalog.Service {
	return catalogrpc.Strict(next, o)
}
