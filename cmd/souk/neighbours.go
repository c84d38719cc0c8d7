package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"souk/internal/accounts/accountsrpc"
	"souk/internal/accounts/accountssvc"
	"souk/internal/cart/cartrpc"
	"souk/internal/cart/cartsvc"
	"souk/internal/catalog/catalogrpc"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/orders/ordersrpc"
	"souk/internal/orders/orderssvc"
	"souk/internal/payments/paymentsrpc"
	"souk/internal/payments/paymentssvc"
	"souk/internal/platform/bus"
	"souk/internal/platform/bus/natsbus"
	"souk/internal/platform/config"
	"souk/internal/platform/door"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/module"
	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/telemetry"
	"souk/internal/search/searchrpc"
	"souk/internal/search/searchsvc"
)

// proofs are what processes know each other by.
type proofs struct {
	secrets []peer.Secret
	client  *tls.Config // nil without certificates
	server  *tls.Config
}

// neighbours are the other processes: the connections to each, and the modules that they have.
type neighbours struct {
	layout layout
	proofs proofs
	hedge  time.Duration // after which a read is asked again; 0 for never
	probes probes
	tel    *telemetry.Telemetry

	mu    sync.Mutex
	pools map[string]*http.Transport // by host
	calls map[string]*http.Transport // the same for calls of modules
	edges []*edge
	wrong []error
}

// edge is one module in another process, and whether it has been reached yet.
type edge struct {
	module    string
	connect   func(ctx context.Context) error
	connected atomic.Bool
	said      errs.Code // why it could not be reached, as last logged
}

func newNeighbours(l layout, p proofs, tel *telemetry.Telemetry) *neighbours {
	return &neighbours{layout: l, proofs: p, tel: tel, pools: map[string]*http.Transport{}, calls: map[string]*http.Transport{}}
}

// over is the way to a process as that caller. All callers share its connections.
func (n *neighbours) over(to *url.URL, caller string) http.RoundTripper {
	return n.by(n.pools, peer.Pool, to, caller)
}

// calling is the same for calls of modules.
func (n *neighbours) calling(to *url.URL, caller string) http.RoundTripper {
	return n.by(n.calls, peer.Calls, to, caller)
}

func (n *neighbours) by(pools map[string]*http.Transport, make func(peer.PoolConfig) *http.Transport, to *url.URL, caller string) http.RoundTripper {
	n.mu.Lock()
	defer n.mu.Unlock()
	pool := pools[to.Host]
	if pool == nil {
		pool = make(peer.PoolConfig{TLS: n.proofs.client})
		pools[to.Host] = pool
	}
	return peer.Transport(pool, peer.Signer{Caller: caller, Secrets: n.proofs.secrets, Now: n.probes.now})
}

// close lets go of the connections.
func (n *neighbours) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, pools := range []map[string]*http.Transport{n.pools, n.calls} {
		for _, pool := range pools {
			pool.CloseIdleConnections()
		}
	}
	return nil
}

// connecting is what every generated client can.
type connecting interface {
	Connect(ctx context.Context) error
}

// clientOf makes the client of a module for one caller.
func clientOf[Client connecting](n *neighbours, from, to string, make func(rpc.RemoteOptions) (Client, error)) Client {
	figures := newEdgeFigures(n.tel.Module(from), to)
	o := rpc.RemoteOptions{
		URL: n.layout.remote[to].String(), HTTP: peer.Client(n.calling(n.layout.remote[to], from)), From: from, Hedge: n.hedge,
		Tracer: n.tel.Traces, OnCall: figures.called,
	}
	if n.probes.edge != nil {
		n.probes.edge(&o)
	}
	client, err := make(o)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		n.wrong = append(n.wrong, err)
	}
	if !slices.ContainsFunc(n.edges, func(e *edge) bool { return e.module == to }) {
		n.edges = append(n.edges, &edge{module: to, connect: client.Connect})
	}
	return client
}

// as is what a module, or whoever else asks, may ask: what is here behind its door, and the rest in
// the other processes.
func (a *app) as(from string) services {
	s, n := a.ask, a.neighbours
	for _, to := range n.layout.elsewhere() {
		if !slices.Contains(mayCall(to), from) {
			continue
		}
		switch to {
		case "catalog":
			s.catalog = clientOf(n, from, to, catalogrpc.Remote)
		case "accounts":
			s.accounts = clientOf(n, from, to, accountsrpc.Remote)
		case "payments":
			s.payments = clientOf(n, from, to, paymentsrpc.Remote)
		case "search":
			s.search = clientOf(n, from, to, searchrpc.Remote)
		case "cart":
			s.cart = clientOf(n, from, to, cartrpc.Remote)
		case "orders":
			s.orders = clientOf(n, from, to, ordersrpc.Remote)
		}
	}
	return s
}

// source is the event log of a module in another process, read as the first of those here that hear it.
func (n *neighbours) source(log string) (bus.Source, bool) {
	i := slices.IndexFunc(n.layout.here, func(name string) bool { return slices.Contains(hears[name], log) })
	if i < 0 {
		return nil, false
	}
	to := n.layout.remote[log]
	return bus.RemoteSource(bus.RemoteConfig{
		Client: peer.Client(n.over(to, n.layout.here[i])), URL: to.String(), Log: bus.Log(log), Tracer: n.tel.Traces,
	}), true
}

// hears says whether anybody here hears that log.
func (n *neighbours) hears(log string) bool {
	return slices.ContainsFunc(n.layout.here, func(name string) bool { return slices.Contains(hears[name], log) })
}

// brokerOptions say through which NATS events go; without a URL through none.
type brokerOptions struct {
	url, prefix string
	replicas    int
}

// connectBroker begins to connect to NATS, if events are to go through it. One that is away is waited for.
func (a *app) connectBroker(o brokerOptions) (*natsbus.Broker, error) {
	if o.url == "" {
		return nil, nil //nolint:nilnil // no broker is what was asked for
	}
	broker, err := natsbus.Connect(natsbus.Config{URL: o.url, Prefix: o.prefix, Replicas: o.replicas, Log: a.tel.Log, Tracer: a.tel.Traces})
	if err != nil {
		return nil, config.Mistakef("--bus: %v", err)
	}
	a.closers = append(a.closers, func() error { broker.Close(); return nil })
	return broker, nil
}

// edgeTo is the edge to a module.
func (n *neighbours) edgeTo(module string) *edge {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.edges {
		if e.module == module {
			return e
		}
	}
	return nil
}

// errNotConnected says that a module in another process has not been reached since the start.
var errNotConnected = errs.Refusal(errs.Unavailable, "souk.not_connected")

// ready says whether the module has been reached. Once it has been, an outage of it is its callers' to
// bear: a process that called itself unready for every neighbour's trouble would be taken away
// from those whom it could still serve.
func (e *edge) ready(context.Context) error {
	if e.connected.Load() {
		return nil
	}
	return errNotConnected.With("%s has not been reached yet", e.module)
}

// How long the start waits for neighbours, how often one who was not there is asked again, and for how long: one that
// takes a connection and says nothing is asked anew.
const (
	firstConnect = 500 * time.Millisecond
	nextConnect  = time.Second
	meetTime     = 3 * time.Second
)

// greet compares contracts with the neighbours that are there already. It fails only where
// contracts do not match.
func (n *neighbours) greet(ctx context.Context) error {
	n.mu.Lock()
	edges, wrong := slices.Clone(n.edges), errors.Join(n.wrong...)
	n.mu.Unlock()
	if wrong != nil {
		return wrong
	}
	ctx, end := context.WithTimeout(ctx, firstConnect)
	defer end()
	_, err := n.meetAll(ctx, edges)
	return err
}

// meetAll meets everybody who has not been met yet, at the same time, and says how many are left. It fails
// only where contracts do not match.
func (n *neighbours) meetAll(ctx context.Context, edges []*edge) (left int, err error) {
	ctx, end := context.WithTimeout(ctx, meetTime)
	defer end()
	results := make([]error, len(edges))
	var asking sync.WaitGroup
	for i, e := range edges {
		asking.Go(func() { results[i] = n.meet(ctx, e) })
	}
	asking.Wait()
	for _, err := range results {
		var mismatch *rpc.ErrContracts
		if errors.As(err, &mismatch) {
			return 0, err
		}
		if err != nil {
			left++
		}
	}
	return left, nil
}

// meet compares contracts with one neighbour. What keeps it from that is logged when it is something else than
// the last time.
func (n *neighbours) meet(ctx context.Context, e *edge) error {
	if e.connected.Load() {
		return nil
	}
	err := e.connect(ctx)
	log := n.tel.Log.With().Str("module", e.module).Stringer("at", n.layout.remote[e.module]).Logger()
	if err == nil {
		e.connected.Store(true)
		log.Info().Msg("connected")
		return nil
	}
	if why := rootCode(err); why != e.said {
		e.said = why
		log.Warn().Err(err).Msg("waiting for a module in another process; what does not need it works")
	}
	return err
}

// rootCode is the code of the cause: of what the other process said, where it said something.
func rootCode(err error) (code errs.Code) {
	for e := (*errs.Error)(nil); errors.As(err, &e); err = e.Err {
		code = e.Code
	}
	return code
}

// wait goes on greeting until everybody has been met. A contract that does not match ends it, and
// with it the process.
func (n *neighbours) wait(ctx context.Context) error {
	timer := time.NewTimer(nextConnect)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		n.mu.Lock()
		edges := slices.Clone(n.edges)
		n.mu.Unlock()
		left, err := n.meetAll(ctx, edges)
		if err != nil {
			return err
		}
		if left == 0 {
			<-ctx.Done()
			return nil
		}
		timer.Reset(nextConnect)
	}
}

// sandboxPages is where the payment provider's own pages lie.
const sandboxPages = "/sandbox/"

// parts stand for the modules of other processes: they are not ready before they have been reached,
// and, where the pages are here, their public addresses lead there.
func (n *neighbours) parts(passOn bool) []module.Module {
	var out []module.Module
	for _, name := range n.layout.elsewhere() {
		part := module.Module{Name: name, Door: door.New(name, 0, n.tel.Log)}
		if e := n.edgeTo(name); e != nil {
			part.Ready = e.ready
		}
		if passOn {
			part.Elsewhere = &module.Elsewhere{
				At: n.layout.remote[name].JoinPath(peer.PublicPath), Over: n.over(n.layout.remote[name], edgeCaller),
			}
			part.Routes = describedBy(name)
			if name == "payments" {
				part.Elsewhere.Pages = []string{sandboxPages}
			}
		}
		out = append(out, part)
	}
	return out
}

// describedBy are the routes of a module that is not here, for the OpenAPI document. They are
// registered by a service that holds nothing and is never asked.
func describedBy(name string) func(httpx.API) {
	switch name {
	case "catalog":
		return new(catalogsvc.Service).Module().Routes
	case "accounts":
		return new(accountssvc.Service).Module().Routes
	case "payments":
		return new(paymentssvc.Service).Module().Routes
	case "search":
		return new(searchsvc.Service).Module().Routes
	case "cart":
		return new(cartsvc.Service).Module().Routes
	case "orders":
		return new(orderssvc.Service).Module().Routes
	default:
		panic("there is no API of " + name)
	}
}
