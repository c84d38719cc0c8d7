package searchrpc_test

import (
	"testing"

	"souk/internal/platform/rpc/contract/contracttest"
	"souk/internal/search/searchrpc"
)

func TestTheLastReleaseIsUnderstood(t *testing.T) {
	t.Parallel()
	contracttest.Run(t, "../testdata", searchrpc.Remote, searchrpc.Server)
}
