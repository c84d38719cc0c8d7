package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/telemetry"
)

func meeting(log *bytes.Buffer, edges ...*edge) *neighbours {
	at := map[string]*url.URL{}
	for _, e := range edges {
		at[e.module] = &url.URL{Scheme: "http", Host: e.module + ".test"}
	}
	n := newNeighbours(layout{remote: at}, proofs{}, &telemetry.Telemetry{Log: zerolog.New(zerolog.SyncWriter(log))})
	n.edges = edges
	return n
}

// A neighbour that takes connections and says nothing keeps nobody from meeting the others, and is met when it
// does speak.
func TestANeighbourThatSaysNothingHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var speaks atomic.Bool
		late := 0
		silent := &edge{module: "payments", connect: func(ctx context.Context) error {
			if speaks.Load() {
				return nil
			}
			<-ctx.Done()
			return rpc.ErrUnavailable.Because(ctx.Err())
		}}
		starting := &edge{module: "catalog", connect: func(context.Context) error {
			if late++; late < 3 {
				return rpc.ErrUnavailable.Because(errors.New("connection refused"))
			}
			return nil
		}}
		n := meeting(&bytes.Buffer{}, silent, starting)
		require.NoError(t, n.greet(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- n.wait(ctx) }()
		time.Sleep(time.Minute) // in the bubble
		assert.True(t, starting.connected.Load())
		assert.False(t, silent.connected.Load())
		speaks.Store(true)
		time.Sleep(time.Minute)
		assert.True(t, silent.connected.Load())
		cancel()
		require.NoError(t, <-done)
	})
}

// What keeps a neighbour from being met is said once, and again when it is something else.
func TestWhyANeighbourIsNotMetIsSaidWhenItChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		refused := rpc.ErrUnavailable.Because(errors.New("connection refused"))
		wrong := rpc.ErrUnavailable.Because(errors.Join(errors.New("ask for its contract"), rpc.ErrUnavailable.Because(peer.ErrBadSignature)))
		answers := []error{refused, refused, wrong, wrong, refused, nil}
		n := meeting(&log, &edge{module: "payments", connect: func(context.Context) error {
			next := answers[0]
			answers = answers[1:]
			return next
		}})
		require.NoError(t, n.greet(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- n.wait(ctx) }()
		time.Sleep(time.Minute)
		cancel()
		require.NoError(t, <-done)
		assert.Equal(t, 3, strings.Count(log.String(), "waiting for a module"), log.String())
		assert.Equal(t, 1, strings.Count(log.String(), "connected"), log.String())
		assert.Equal(t, errs.Code("peer.bad_signature"), rootCode(wrong))
	})
}

// heldOptions is a client that keeps what it was made with.
type heldOptions struct{ rpc.RemoteOptions }

func (heldOptions) Connect(context.Context) error { return nil }

func TestReadsAreHedgedWhenThatIsAsked(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Out: io.Discard, Level: "error"})
	require.NoError(t, err)
	defer func() { require.NoError(t, tel.Stop(context.Background())) }()
	for _, after := range []time.Duration{0, 50 * time.Millisecond} {
		n := newNeighbours(layout{remote: map[string]*url.URL{"payments": {Scheme: "http", Host: "payments.test"}}}, proofs{}, tel)
		n.hedge = after
		made := clientOf(n, "orders", "payments", func(o rpc.RemoteOptions) (heldOptions, error) { return heldOptions{o}, nil })
		assert.Equal(t, after, made.Hedge)
	}
}
