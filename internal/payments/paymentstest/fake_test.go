package paymentstest_test

import (
	"testing"

	"souk/internal/payments"
	"souk/internal/payments/paymentstest"
)

func TestFake(t *testing.T) {
	t.Parallel()
	paymentstest.Run(t, func(_ *testing.T, env paymentstest.Env) payments.Service {
		fake := paymentstest.NewFake(env.Clock.Now)
		fake.Fill(env.Hooks)
		return fake
	})
}
