package searchrpc_test

import (
	"testing"

	"souk/internal/search/searchrpc"
	"souk/internal/platform/rpc/contract/contracttest"
)

func TestTheLastReleaseIsUnderstood(t *testing.T) {
	t.Parallel()
	contracttest.Run(t, "../testdata", searchrpc.Remote, searchrpc.Server)
}
