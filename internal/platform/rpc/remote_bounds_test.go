package rpc_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
	"souk/internal/platform/rpc/contract/testdata/shop/shoprpc"
	"souk/internal/platform/rpc/rpctest"
)

func TestNoMoreCallsAreUnderWayThanMayBe(t *testing.T) {
	t.Parallel()
	inside, gate := make(chan struct{}), make(chan struct{})
	s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) {
		inside <- struct{}{}
		<-gate
		return shop.GetReply{}, nil
	}}
	var tries atomic.Int64
	c := remote(t, s, func(o *rpc.RemoteOptions) {
		o.MaxInFlight = 2
		o.OnCall = func(_ context.Context, _ rpc.Method, c rpc.Called) { tries.Add(int64(c.Tries)) }
	})
	answers := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := c.Get(t.Context(), shop.GetRequest{})
			answers <- err
		}()
		<-inside
	}
	_, err := c.Get(t.Context(), shop.GetRequest{})
	require.ErrorIs(t, err, rpc.ErrUnavailable)
	require.ErrorContains(t, err, "too many calls to it are under way")
	assert.Zero(t, tries.Load(), "it was never sent")
	close(gate)
	for range 2 {
		require.NoError(t, <-answers)
	}
	go func() { <-inside }()
	_, err = c.Get(t.Context(), shop.GetRequest{})
	require.NoError(t, err, "there is room again")
}

func TestAnUnknownOutcomeIsNotWaitedForAtADeadModule(t *testing.T) {
	t.Parallel()
	pauses := 0
	s := &shelf{}
	c := through(t, s, loseReply, func(o *rpc.RemoteOptions) {
		o.MaxTries = 100
		o.Wait = func(context.Context, time.Duration) error { pauses++; return nil }
	})
	_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
	require.ErrorIs(t, err, rpc.ErrReplyLost, "the first may have been done, whatever the breaker says since")
	assert.Equal(t, int64(8), s.puts.Load())
	assert.Equal(t, 8, pauses, "and then nobody tries in vain")
}

func TestACallerThatDoesNotReadItsAnswerHoldsNothing(t *testing.T) {
	t.Parallel()
	s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) {
		return shop.GetReply{Thing: shop.Thing{Name: strings.Repeat("x", 32<<20)}}, nil // more than any buffer takes
	}}
	server, done := shoprpc.Server(s, rpc.ServerOptions{WriteTime: time.Millisecond}), make(chan struct{}, 1)
	o := rpctest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.ServeHTTP(w, r)
		done <- struct{}{}
	}))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.URL+peer.RPCPath("shop", "Get"), strings.NewReader(`{"id":""}`))
	require.NoError(t, err)
	request.Header.Set("Souk-Contracts", shoprpc.Contract.Hash)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", request.URL.Host)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, request.Write(conn))
	<-done // for ever, if it waited for the caller
}

// deadlines is what a connection was told of its writes.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error { d.set = append(d.set, at); return nil }

func TestTheTimeForAnAnswerIsNotThatOfTheNextOne(t *testing.T) {
	t.Parallel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	shoprpc.Server(&shelf{}, rpc.ServerOptions{}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, peer.RPCPath("shop", "Get"), nil))
	require.Len(t, w.set, 2)
	assert.False(t, w.set[0].IsZero())
	assert.True(t, w.set[1].IsZero(), "a connection is used again, and not only by calls")
	assert.True(t, w.Flushed)
}
