package orderstest_test

import (
	"context"
	"testing"

	"souk/internal/orders"
	"souk/internal/orders/orderstest"
)

func TestFake(t *testing.T) {
	t.Parallel()
	orderstest.RunFake(t, func(*testing.T) (orderstest.Env, orders.Service) {
		env := orderstest.NewEnv()
		env.Hooks.RunDue = func(context.Context) error { return nil }
		return env, orderstest.NewFake(env.Clock.Now, env.Carts)
	})
}
