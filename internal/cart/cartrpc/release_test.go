package cartrpc_test

import (
	"testing"

	"souk/internal/cart/cartrpc"
	"souk/internal/platform/rpc/contract/contracttest"
)

func TestTheLastReleaseIsUnderstood(t *testing.T) {
	t.Parallel()
	contracttest.Run(t, "../testdata", cartrpc.Remote, cartrpc.Server)
}
