// Package rpctest puts a contract's server and client into a test, with a real socket between
// them.
package rpctest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"souk/internal/platform/rpc"
)

// Serve serves s on a port of this machine until the test ends, and says how to reach it.
func Serve(t testing.TB, s http.Handler) rpc.RemoteOptions {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 64} // as many as there are callers at once
	t.Cleanup(transport.CloseIdleConnections)
	return rpc.RemoteOptions{
		URL: server.URL, HTTP: &http.Client{Transport: transport}, From: "test",
		MaxInFlight: 1000, // suites have hundreds ask at once, and mean the module's answer
	}
}

// Remote is the client that connect makes of a server: cartrpc.Remote of cartrpc.Server. What
// the caller cannot be told fails the test.
func Remote[Client any](
	t testing.TB, server func(rpc.ServerOptions) *rpc.Server, connect func(rpc.RemoteOptions) (Client, error),
) Client {
	t.Helper()
	s := server(rpc.ServerOptions{
		OnFailure: func(_ context.Context, m rpc.Method, err error) { t.Errorf("%s: %v", m.Name, err) },
	})
	client, err := connect(Serve(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return client
}
