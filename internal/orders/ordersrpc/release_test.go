package ordersrpc_test

import (
	"testing"

	"souk/internal/orders/ordersrpc"
	"souk/internal/platform/rpc/contract/contracttest"
)

func TestTheLastReleaseIsUnderstood(t *testing.T) {
	t.Parallel()
	contracttest.Run(t, "../testdata", ordersrpc.Remote, ordersrpc.Server)
}
