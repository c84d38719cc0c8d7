package rpc_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
	"souk/internal/platform/rpc/contract/testdata/shop/shoprpc"
)

// host is a machine with a server, at the end of a network in memory. When it vanishes, nobody is told: what is sent to it or
// by it is taken and goes nowhere, and what dials it waits. When it is back it knows nothing of the connections of before.
type host struct {
	conns chan net.Conn // made, and not accepted yet

	mu    sync.Mutex
	gone  bool
	open  []*cable
	dials int
}

// cable is one side of a connection.
type cable struct {
	net.Conn
	host *host
}

// Write is taken, as the system's buffers take it.
func (c *cable) Write(p []byte) (int, error) {
	c.host.mu.Lock()
	gone := c.host.gone
	c.host.mu.Unlock()
	if gone {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// dial waits as long as a net.Dialer of peer's does.
func (h *host) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	h.mu.Lock()
	gone := h.gone
	h.dials++
	h.mu.Unlock()
	if gone {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(2 * time.Second):
			return nil, syscall.ETIMEDOUT
		}
	}
	here, there := net.Pipe()
	near, far := &cable{here, h}, &cable{there, h}
	h.mu.Lock()
	h.open = append(h.open, near, far)
	h.mu.Unlock()
	select {
	case h.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *host) vanish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = true
}

func (h *host) comeBack() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = false
	for _, c := range h.open {
		_ = c.Conn.Close()
	}
	h.open = nil
}

// Accept makes a host a net.Listener.
func (h *host) Accept() (net.Conn, error) {
	c, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close ends it.
func (h *host) Close() error { close(h.conns); return nil }

// Addr is nowhere.
func (h *host) Addr() net.Addr { return &net.UnixAddr{Name: "host"} }

// TestAVanishedHost: packets to a machine go nowhere, with nobody to say so. Calls end within their callers' time; one whose request
// was under way, or went out on a connection that seemed to stand, is unknown, one that found no connection is unavailable; after
// a few the breaker answers at once; and when the machine is back, nothing of the connections of before costs anybody an answer.
func TestAVanishedHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers = 12
		at := &host{conns: make(chan net.Conn)}
		inside, gate := make(chan struct{}), make(chan struct{})
		s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) {
			inside <- struct{}{}
			<-gate
			return shop.GetReply{}, nil
		}}
		server := &http.Server{Handler: shoprpc.Server(s, rpc.ServerOptions{}), ReadHeaderTimeout: time.Hour}
		served := make(chan error, 1)
		go func() { served <- server.Serve(at) }()
		pool := peer.Calls(peer.PoolConfig{Dial: at.dial})
		var tries atomic.Int64
		c, err := shoprpc.Remote(rpc.RemoteOptions{
			URL: "http://shop.test", HTTP: peer.Client(peer.Transport(pool, peer.Signer{Caller: "test"})), From: "test", TryFor: time.Second,
			OnCall: func(_ context.Context, _ rpc.Method, c rpc.Called) { tries.Store(int64(c.Tries)) },
		})
		require.NoError(t, err)
		defer func() {
			pool.CloseIdleConnections()
			require.NoError(t, server.Close())
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		}()
		get := func(within time.Duration) error {
			began := time.Now()
			ctx, end := context.WithTimeout(t.Context(), within)
			defer end()
			_, err := c.Get(ctx, shop.GetRequest{})
			assert.LessOrEqual(t, time.Since(began), within, "nobody waits longer than he wants to")
			return err
		}
		all := func(within time.Duration) []error {
			failed := make([]error, callers)
			var calling sync.WaitGroup
			for i := range failed {
				calling.Go(func() { failed[i] = get(within) })
			}
			calling.Wait()
			return failed
		}
		letIn := func() { // all of them at once, so that each has a connection of its own
			for range callers {
				<-inside
			}
			close(gate)
		}
		go letIn()
		require.NoError(t, errors.Join(all(time.Minute)...))
		require.Equal(t, callers, at.dials)

		gate = make(chan struct{})
		under := make(chan error, 1)
		go func() { under <- get(700 * time.Millisecond) }()
		<-inside
		at.vanish()
		require.ErrorIs(t, <-under, rpc.ErrReplyLost, "it was there when the host went")
		close(gate)
		err = get(2500 * time.Millisecond)
		require.ErrorIs(t, err, rpc.ErrReplyLost, "it was sent, for all that anybody knows")
		assert.Equal(t, callers, at.dials, "on connections that seemed to stand")
		for errs.KindOf(err) != errs.Unavailable {
			require.ErrorIs(t, err, rpc.ErrReplyLost)
			err = get(5 * time.Second)
		}
		assert.Zero(t, tries.Load(), "the breaker is open")
		began := time.Now()
		for _, err := range all(time.Minute) {
			require.ErrorIs(t, err, rpc.ErrUnavailable)
		}
		assert.Zero(t, time.Since(began), "and nobody waits")
		time.Sleep(time.Second + time.Millisecond) // of the bubble: now it is looked at again
		require.ErrorIs(t, get(5*time.Second), rpc.ErrUnavailable, "nothing was sent, as no connection came about")
		assert.Greater(t, at.dials, callers)

		at.comeBack()
		gate = make(chan struct{})
		close(gate)
		go func() {
			for range inside { // whoever comes is let in
			}
		}()
		defer close(inside)
		time.Sleep(time.Second + time.Millisecond) // of the bubble
		for range 4 {
			require.NoError(t, get(time.Minute))
			assert.Equal(t, int64(1), tries.Load(), "on a new connection, not on one of before")
		}
		require.NoError(t, errors.Join(all(time.Minute)...))
	})
}
