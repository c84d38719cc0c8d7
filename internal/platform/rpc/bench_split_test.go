package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
	"souk/internal/platform/rpc/contract/testdata/shop/shoprpc"
)

// counted counts the bytes that go over a listener's connections, both ways.
type counted struct {
	net.Listener
	bytes *atomic.Int64
}

func (c counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return countedConn{conn, c.bytes}, err
}

type countedConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	return n, err
}

// served serves on a port of this machine, and counts what goes over it.
func served(b *testing.B, server *http.Server, bytes *atomic.Int64) (url string) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go func() { _ = server.Serve(counted{ln, bytes}) }()
	b.Cleanup(func() { _ = server.Close() })
	return "http://" + ln.Addr().String()
}

// byHand is the same call as somebody writes it who needs only this one.
func byHand(b *testing.B, s shop.Service, bytesOver *atomic.Int64) func(ctx context.Context, r shop.PutRequest) (shop.PutReply, error) {
	b.Helper()
	url := served(b, &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request shop.PutRequest
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := s.Put(r.Context(), request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply)
	})}, bytesOver)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	return func(ctx context.Context, r shop.PutRequest) (reply shop.PutReply, err error) {
		body, err := json.Marshal(r)
		if err != nil {
			return reply, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/put", bytes.NewReader(body))
		if err != nil {
			return reply, err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			return reply, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return reply, fmt.Errorf("status %d", response.StatusCode)
		}
		err = json.NewDecoder(response.Body).Decode(&reply)
		_, _ = io.Copy(io.Discard, response.Body)
		return reply, err
	}
}

// overSocket is souk's own client and server over a socket, with all that stands between processes.
func overSocket(b *testing.B, s shop.Service, pool *http.Transport, bytesOver *atomic.Int64) shop.Service {
	b.Helper()
	secrets, err := peer.ParseSecrets("Zk3vYx0q8Wm2Rt7Lp5Nc1Hb9Js4Dg6Fa")
	require.NoError(b, err)
	mux := peer.NewMux()
	mux.RPC("shop", []string{"orders"}, shoprpc.Server(s, rpc.ServerOptions{}))
	server := peer.Server(peer.ServerConfig{Handler: peer.Require(peer.Rules{Secrets: secrets, Callers: []string{"orders"}, Log: zerolog.Nop()})(mux)})
	url := served(b, server, bytesOver)
	b.Cleanup(pool.CloseIdleConnections)
	client, err := shoprpc.Remote(rpc.RemoteOptions{
		URL: url, From: "orders", HTTP: peer.Client(peer.Transport(pool, peer.Signer{Caller: "orders", Secrets: secrets})),
	})
	require.NoError(b, err)
	return client
}

// BenchmarkSplitCall compares one call direct, through the strict wrapper, to another process, and written by
// hand; in turn within one run, so that a busy machine is as busy for all.
func BenchmarkSplitCall(b *testing.B) {
	const rounds, calls = 9, 2000
	s := &shelf{}
	var handBytes, remoteBytes, streamBytes, none atomic.Int64
	type side struct {
		name             string
		put              func(ctx context.Context, r shop.PutRequest) (shop.PutReply, error)
		over             *atomic.Int64
		ns, allocs, kept []float64
		sent             float64
	}
	sides := []*side{
		{name: "direct", put: s.Put, over: &none},
		{name: "strict", put: shoprpc.Strict(s, rpc.StrictOptions{}).Put, over: &none},
		{name: "by hand", put: byHand(b, s, &handBytes), over: &handBytes},
		{name: "remote", put: overSocket(b, s, peer.Calls(peer.PoolConfig{}), &remoteBytes).Put, over: &remoteBytes},
		{name: "HTTP/2", put: overSocket(b, s, peer.Pool(peer.PoolConfig{}), &streamBytes).Put, over: &streamBytes},
	}
	request := shop.PutRequest{Key: "01k5xk3v8dtq6c9m4j0e7r2a1b", Thing: shop.Thing{
		ID: shop.ThingIDs.New(), Name: "Brass desk lamp", Tags: []string{"lamp", "brass"}, Stock: map[shop.ThingID]int64{"kiel": 4, "bonn": 9}, Count: 3,
	}}
	for b.Loop() {
		for round := range rounds + 1 {
			for _, one := range sides {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				was, began := one.over.Load(), time.Now()
				for range calls {
					if _, err := one.put(b.Context(), request); err != nil {
						b.Fatal(one.name, err)
					}
				}
				took := time.Since(began)
				runtime.ReadMemStats(&after)
				if round == 0 {
					continue // warm
				}
				one.ns = append(one.ns, float64(took.Nanoseconds())/calls)
				one.allocs = append(one.allocs, float64(after.Mallocs-before.Mallocs)/calls)
				one.kept = append(one.kept, float64(after.TotalAlloc-before.TotalAlloc)/calls)
				one.sent = float64(one.over.Load()-was) / calls
			}
		}
	}
	middle := func(of []float64) float64 { return slices.Sorted(slices.Values(of))[len(of)/2] }
	var out strings.Builder
	fmt.Fprintf(&out, "\none call (medians of %d interleaved rounds of %d; allocations of both ends)\n", rounds, calls)
	for _, one := range sides {
		fmt.Fprintf(&out, "  %-8s %9.0f ns  %5.0f allocations, %6.0f B  %5.0f B over the wire\n",
			one.name, middle(one.ns), middle(one.allocs), middle(one.kept), one.sent)
	}
	var ratios []float64
	for i := range sides[2].ns {
		ratios = append(ratios, sides[3].ns[i]/sides[2].ns[i])
	}
	verdict := ""
	if middle(ratios) > 1.5 {
		verdict = "  MISSED"
	}
	fmt.Fprintf(&out, "  remote / by hand ≤ 1.5: %.2f (%.2f to %.2f)%s\n", middle(ratios), slices.Min(ratios), slices.Max(ratios), verdict)
	fmt.Fprint(os.Stdout, out.String())
	b.ReportMetric(middle(ratios), "remote/hand")
}
