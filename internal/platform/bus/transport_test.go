package bus_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/bus/bustest"
	"souk/internal/platform/peer"
)

func TestTheTransportWithinOneProcess(t *testing.T) {
	t.Parallel()
	bustest.Transport(t, newWithin)
}

func TestASlowReaderWithinOneProcess(t *testing.T) { bustest.SlowReader(t, newWithin) }

func newWithin(*testing.T) bustest.Link {
	l := &within{}
	return bustest.Link{
		Serve:   func(log bus.Source) func() { l.set(log); return func() { l.set(nil) } },
		Connect: func() (bus.Source, func()) { return l, func() {} },
	}
}

// within is the log of this process, which may be restarted.
type within struct {
	mu      sync.Mutex
	log     bus.Source
	changed chan struct{}
}

func (l *within) set(log bus.Source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed != nil {
		close(l.changed)
	}
	l.log, l.changed = log, make(chan struct{})
}

func (l *within) get() (bus.Source, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.log == nil {
		return nil, nil, bus.ErrNotReachable.With("the log is not open")
	}
	return l.log, l.changed, nil
}

func (l *within) Page(ctx context.Context, after int64, limit int) (bus.Page, error) {
	log, _, err := l.get()
	if err != nil {
		return bus.Page{}, err
	}
	return log.Page(ctx, after, limit)
}

func (l *within) Wait(ctx context.Context, seen bus.State) error {
	log, changed, err := l.get()
	if err != nil {
		return err
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-changed:
			cancel()
		case <-waiting.Done():
		}
	}()
	err = log.Wait(waiting, seen)
	cancel()
	<-done
	return err
}

func TestTheTransportOverHTTP(t *testing.T) {
	t.Parallel()
	bustest.Transport(t, newLink)
}

func TestASlowReaderOverHTTP(t *testing.T) { bustest.SlowReader(t, newLink) }

func newLink(t *testing.T) bustest.Link { return newWire(t).link() }

// wire is a private listener at one address, and the network before it.
type wire struct {
	t       *testing.T
	address string
	secrets []peer.Secret

	mu     sync.Mutex
	broken bool
	open   map[net.Conn]bool
}

func newWire(t *testing.T) *wire {
	t.Helper()
	secrets, err := peer.ParseSecrets("0123456789abcdef0123456789abcdef")
	require.NoError(t, err)
	return &wire{t: t, address: bustest.Address(t), secrets: secrets, open: map[net.Conn]bool{}}
}

func (w *wire) link() bustest.Link {
	return bustest.Link{Serve: w.serve, Connect: w.connect, Break: w.cut}
}

func (w *wire) serve(log bus.Source) func() {
	listener, err := net.Listen("tcp", w.address)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	mux := peer.NewMux()
	mux.Events(string(bustest.Log), []string{"reader"}, bus.Feed(ctx, log))
	server := peer.Server(peer.ServerConfig{
		Handler: peer.Require(peer.Rules{Secrets: w.secrets, Callers: []string{"reader"}})(mux), Log: zerolog.Nop(),
	})
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	return func() {
		cancel()
		require.NoError(w.t, server.Shutdown(context.Background()), "no wait holds up the end")
		require.ErrorIs(w.t, <-done, http.ErrServerClosed)
	}
}

func (w *wire) connect() (bus.Source, func()) {
	pool := peer.Pool(peer.PoolConfig{Dial: w.dial})
	client := peer.Client(peer.Transport(pool, peer.Signer{Caller: "reader", Secrets: w.secrets}))
	return bus.RemoteSource(bus.RemoteConfig{Client: client, URL: "http://" + w.address, Log: bustest.Log}), pool.CloseIdleConnections
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return nil, errors.New("the network is down")
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		w.open[conn] = true
	}
	return conn, err
}

// cut breaks every connection and lets none be made.
func (w *wire) cut() (mend func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = true
	for conn := range w.open {
		_ = conn.Close()
	}
	clear(w.open)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.broken = false
	}
}
