package accountstest

import (
	"souk/internal/accounts"
	"souk/internal/accounts/accountsrpc"
	"souk/internal/platform/rpc"
)

// Strict stands before next as a network would, with what o.Faults says going wrong: for the
// tests of modules that ask accounts, which see its contract and this package alone.
func Strict(next accounts.Service, o rpc.StrictOptions) accounts.Service {
	return accountsrpc.Strict(next, o)
}
