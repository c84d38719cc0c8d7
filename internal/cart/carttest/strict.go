package carttest

import (
	"souk/internal/cart"
	"souk/internal/cart/cartrpc"
	"souk/internal/platform/rpc"
)

// Strict stands before next as a network would, with what o.Faults says going wrong: for the
// tests of modules that ask cart, which see its contract and this package alone.
func Strict(next cart.Service, o rpc.StrictOptions) cart.Service { return cartrpc.Strict(next, o) }
