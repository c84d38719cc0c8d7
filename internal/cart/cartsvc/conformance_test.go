package cartsvc_test

import (
	"context"
	"testing"

	"souk/internal/cart"
	"souk/internal/cart/cartrpc"
	"souk/internal/cart/cartsvc"
	"souk/internal/cart/carttest"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/rpctest"
	"souk/internal/platform/store/storetest"
)

// newService is cart on a database of its own.
func newService(t testing.TB, env carttest.Env, options ...storetest.Option) *cartsvc.Service {
	t.Helper()
	db := storetest.Open(t, "cart", append([]storetest.Option{storetest.Clock(env.Clock.Now)}, options...)...)
	return cartsvc.New(cartsvc.Config{DB: db, Catalog: env.Catalog})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		carttest.Run(t, func(t *testing.T, env carttest.Env) cart.Service { return newService(t, env) })
	})
	t.Run("in another process", func(t *testing.T) {
		t.Parallel()
		carttest.Run(t, func(t *testing.T, env carttest.Env) cart.Service {
			return rpctest.Remote(t, func(o rpc.ServerOptions) *rpc.Server { return cartrpc.Server(newService(t, env), o) }, cartrpc.Remote)
		})
	})
	t.Run("strict, every command repeated", func(t *testing.T) {
		t.Parallel()
		carttest.Run(t, func(t *testing.T, env carttest.Env) cart.Service {
			return cartrpc.Strict(newService(t, env), rpc.StrictOptions{
				Faults:    rpc.Always{Repeat: true},
				OnFailure: func(_ context.Context, m rpc.Method, err error) { t.Errorf("%s: %v", m.Name, err) },
			})
		})
	})
}
