package paymentsrpc_test

import (
	"testing"

	"souk/internal/payments/paymentsrpc"
	"souk/internal/platform/rpc/contract/contracttest"
)

func TestTheLastReleaseIsUnderstood(t *testing.T) {
	t.Parallel()
	contracttest.Run(t, "../testdata", paymentsrpc.Remote, paymentsrpc.Server)
}
