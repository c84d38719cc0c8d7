package carttest_test

import (
	"testing"

	"souk/internal/cart"
	"souk/internal/cart/cartrpc"
	"souk/internal/cart/carttest"
	"souk/internal/platform/rpc"
)

func TestFake(t *testing.T) {
	t.Parallel()
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		carttest.RunBasics(t, func(_ *testing.T, env carttest.Env) cart.Service {
			return carttest.NewFake(env.Clock.Now, env.Catalog)
		})
	})
	t.Run("strict, every command repeated", func(t *testing.T) {
		t.Parallel()
		carttest.RunBasics(t, func(_ *testing.T, env carttest.Env) cart.Service {
			return cartrpc.Strict(carttest.NewFake(env.Clock.Now, env.Catalog), rpc.StrictOptions{Faults: rpc.Always{Repeat: true}})
		})
	})
}
