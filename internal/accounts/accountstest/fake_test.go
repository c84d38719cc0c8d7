package accountstest_test

import (
	"testing"

	"souk/internal/accounts"
	"souk/internal/accounts/accountstest"
)

func TestFake(t *testing.T) {
	t.Parallel()
	accountstest.Run(t, func(_ *testing.T, env accountstest.Env) accounts.Service {
		return accountstest.NewFake(env.Clock.Now)
	})
}
