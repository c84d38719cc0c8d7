package catalogrpc_test

import (
	"testing"

	"souk/internal/catalog/catalogrpc"
	"souk/internal/platform/rpc/contract/contracttest"
)

func TestTheLastReleaseIsUnderstood(t *testing.T) {
	t.Parallel()
	contracttest.Run(t, "../testdata", catalogrpc.Remote, catalogrpc.Server)
}
