package accountsrpc_test

import (
	"testing"

	"souk/internal/accounts/accountsrpc"
	"souk/internal/platform/rpc/contract/contracttest"
)

func TestTheLastReleaseIsUnderstood(t *testing.T) {
	t.Parallel()
	contracttest.Run(t, "../testdata", accountsrpc.Remote, accountsrpc.Server)
}
