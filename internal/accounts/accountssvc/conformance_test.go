package accountssvc_test

import (
	"testing"

	"souk/internal/accounts"
	"souk/internal/accounts/accountsrpc"
	"souk/internal/accounts/accountssvc"
	"souk/internal/accounts/accountstest"
	"souk/internal/platform/clock"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/rpctest"
	"souk/internal/platform/store/storetest"
)

// quick is hashing that protects nothing and takes no time.
var quick = accountssvc.Hashing{KiB: 8, Passes: 1, Lanes: 1}

func newService(t *testing.T, c *clock.Manual) *accountssvc.Service {
	t.Helper()
	return accountssvc.New(accountssvc.Config{DB: storetest.Open(t, "accounts", storetest.Clock(c.Now)), Hashing: quick})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	accountstest.Run(t, func(t *testing.T, env accountstest.Env) accounts.Service { return newService(t, env.Clock) })
}

func TestConformanceStrict(t *testing.T) {
	t.Parallel()
	accountstest.Run(t, func(t *testing.T, env accountstest.Env) accounts.Service {
		return accountsrpc.Strict(newService(t, env.Clock), rpc.StrictOptions{})
	})
}

func TestConformanceRemote(t *testing.T) {
	t.Parallel()
	accountstest.Run(t, func(t *testing.T, env accountstest.Env) accounts.Service {
		s := newService(t, env.Clock)
		return rpctest.Remote(t, func(o rpc.ServerOptions) *rpc.Server { return accountsrpc.Server(s, o) }, accountsrpc.Remote)
	})
}

// repeated delivers every command twice, as when a client that heard nothing tries again. Tries
// of a password are left alone: each counts, whatever its key, or a key would be good for guessing.
type repeated struct{}

func (repeated) Next(m rpc.Method) rpc.Fault {
	return rpc.Fault{Repeat: m.Name != "SignIn" && m.Name != "ChangePassword"}
}

func TestConformanceRepeated(t *testing.T) {
	t.Parallel()
	accountstest.Run(t, func(t *testing.T, env accountstest.Env) accounts.Service {
		return accountsrpc.Strict(newService(t, env.Clock), rpc.StrictOptions{Faults: repeated{}})
	})
}
