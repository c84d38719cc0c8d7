package catalogtest_test

import (
	"testing"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
)

func TestFake(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(_ *testing.T, env catalogtest.Env) catalog.Service {
		return catalogtest.NewFake(env.Clock.Now)
	})
}
