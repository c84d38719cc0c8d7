package catalogsvc_test

import (
	"testing"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogrpc"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/rpctest"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// newService is catalog on a database of the test's own, with its clock.
func newService(t *testing.T, env catalogtest.Env, options ...storetest.Option) (*catalogsvc.Service, *store.DB) {
	t.Helper()
	db := storetest.Open(t, "catalog", append([]storetest.Option{storetest.Clock(env.Clock.Now)}, options...)...)
	return catalogsvc.New(catalogsvc.Config{DB: db}), db
}

func TestContract(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(t *testing.T, env catalogtest.Env) catalog.Service {
		s, _ := newService(t, env)
		return s
	})
}

// TestContractStrict does without the kept listings, so that both ways of reading are tried.
func TestContractStrict(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(t *testing.T, env catalogtest.Env) catalog.Service {
		db := storetest.Open(t, "catalog", storetest.Clock(env.Clock.Now))
		return catalogrpc.Strict(catalogsvc.New(catalogsvc.Config{DB: db, Keep: -1}), rpc.StrictOptions{})
	})
}

func TestContractRemote(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(t *testing.T, env catalogtest.Env) catalog.Service {
		s, _ := newService(t, env)
		return rpctest.Remote(t, func(o rpc.ServerOptions) *rpc.Server { return catalogrpc.Server(s, o) }, catalogrpc.Remote)
	})
}

func TestContractWithEveryCallRepeated(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(t *testing.T, env catalogtest.Env) catalog.Service {
		s, _ := newService(t, env)
		return catalogrpc.Strict(s, rpc.StrictOptions{Faults: rpc.Always{Repeat: true}})
	})
}
