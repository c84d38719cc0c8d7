package searchtest_test

import (
	"testing"

	"souk/internal/platform/rpc"
	"souk/internal/search"
	"souk/internal/search/searchrpc"
	"souk/internal/search/searchtest"
)

func open(_ *testing.T, env searchtest.Env) search.Service {
	fake := searchtest.NewFake(env.Catalog).Deaf()
	env.Feed.To(fake.Hear)
	env.Sales.To(fake.HearOrders)
	return fake
}

func TestFake(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, open)
}

func TestFakeStrict(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, func(t *testing.T, env searchtest.Env) search.Service {
		return searchrpc.Strict(open(t, env), rpc.StrictOptions{})
	})
}
