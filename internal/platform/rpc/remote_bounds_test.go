package rpc_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
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
