package paymentstest

import (
	"souk/internal/payments"
	"souk/internal/payments/paymentsrpc"
	"souk/internal/platform/rpc"
)

// Strict stands before next as a network would, with what o.Faults says going wrong: for the
// tests of modules that ask payments, which see its contract and this package alone.
func Strict(next payments.Service, o rpc.StrictOptions) payments.Service {
	return paymentsrpc.Strict(next, o)
}
