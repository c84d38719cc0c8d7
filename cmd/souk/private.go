package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"souk/internal/accounts/accountsrpc"
	"souk/internal/cart/cartrpc"
	"souk/internal/catalog/catalogrpc"
	"souk/internal/orders/ordersrpc"
	"souk/internal/payments/paymentsrpc"
	"souk/internal/platform/bus"
	"souk/internal/platform/control"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/peer"
	"souk/internal/platform/reqid"
	"souk/internal/platform/rpc"
	"souk/internal/platform/telemetry"
	"souk/internal/search/searchrpc"
)

// private is the side of this process that only its neighbours reach: the contracts and the event
// logs of its modules, and the public side for what they pass on.
func (a *app) private(ctx context.Context, public http.Handler, commands *control.Server) http.Handler {
	mux := peer.NewMux()
	var held []rpc.Contract
	for _, name := range a.neighbours.layout.stored() {
		mux.RPC(name, mayCall(name), a.server(name))
		held = append(held, contracts()[name])
		mux.Events(name, mayCall(name), bus.Feed(ctx, a.sources[bus.Log(name)]))
	}
	mux.Contracts(rpc.ContractsHandler(held...))
	mux.Public(edgeCaller, httpx.Forwarded(public))
	mux.Operations(pagesModule, operationsHandler(commands))
	return peer.Require(peer.Rules{
		Secrets: a.neighbours.proofs.secrets, TLS: a.neighbours.proofs.server != nil, Callers: everyCaller(), Log: a.tel.Log,
		Now: a.neighbours.probes.now,
	})(mux)
}

// server answers the calls of one module's contract.
func (a *app) server(name string) *rpc.Server {
	log := a.tel.Module(name).Log
	o := rpc.ServerOptions{Tracer: a.tel.Traces, OnServed: served(log), OnFailure: func(ctx context.Context, m rpc.Method, err error) {
		log.Error().Str("request_id", reqid.From(ctx)).Str("method", m.Name).Err(err).Msg("a call from another process failed")
	}}
	switch name {
	case "catalog":
		return catalogrpc.Server(a.ask.catalog, o)
	case "accounts":
		return accountsrpc.Server(a.ask.accounts, o)
	case "payments":
		return paymentsrpc.Server(a.ask.payments, o)
	case "search":
		return searchrpc.Server(a.ask.search, o)
	case "cart":
		return cartrpc.Server(a.ask.cart, o)
	case "orders":
		return ordersrpc.Server(a.ask.orders, o)
	default:
		panic("there is no contract of " + name)
	}
}

// slowCall is when a call is worth an operator's look.
const slowCall = time.Second

// served leaves a line for each call that a neighbour made, so that what is done for a request can be
// followed through all processes. A reply or a declared refusal in good time is for debugging only.
func served(log zerolog.Logger) func(ctx context.Context, m rpc.Method, s rpc.Served) {
	return func(ctx context.Context, m rpc.Method, s rpc.Served) {
		level := zerolog.DebugLevel
		if s.Took >= slowCall || s.Err != nil && !errs.Refused(s.Err) {
			level = zerolog.InfoLevel
		}
		code := "ok"
		if s.Err != nil {
			code = string(errs.CodeOf(s.Err))
		}
		log.WithLevel(level).Str("request_id", reqid.From(ctx)).Str("from", peer.From(ctx)).Str("method", m.Name).Str("code", code).
			Dur("took", s.Took).Msg("call")
	}
}

// servePrivate answers neighbours on ln until ctx ends, and finishes what is inside then until finish ends.
func (a *app) servePrivate(ctx, finish context.Context, ln net.Listener, public http.Handler, commands *control.Server) error {
	polls, endPolls := context.WithCancel(ctx)
	defer endPolls()
	server := peer.Server(peer.ServerConfig{Handler: a.private(polls, public, commands), TLS: a.neighbours.proofs.server, Log: a.tel.Log})
	server.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	ended := make(chan error, 1)
	go func() {
		if a.neighbours.proofs.server != nil {
			ended <- server.ServeTLS(ln, "", "")
			return
		}
		ended <- server.Serve(ln)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err := server.Shutdown(finish)
	if finish.Err() != nil {
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// edgeFigures are what one edge between two processes shows: how often, how it ended, how long it
// took and how much went over it.
type edgeFigures struct {
	module telemetry.Module
	to     telemetry.Label
	took   telemetry.Histogram
	sent   telemetry.Counter
	got    telemetry.Counter
	tries  telemetry.Counter
	ended  sync.Map // code → telemetry.Counter
}

var edgeTimes = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newEdgeFigures(m telemetry.Module, to string) *edgeFigures {
	label := telemetry.Label{Name: "to", Value: to}
	return &edgeFigures{
		module: m, to: label,
		took:  m.Histogram("souk.edge.duration", "Time that calls to a module in another process took.", "s", edgeTimes, label),
		sent:  m.Counter("souk.edge.sent", "Bytes of requests to a module in another process.", label),
		got:   m.Counter("souk.edge.received", "Bytes of its answers.", label),
		tries: m.Counter("souk.edge.repeats", "Calls that were sent again.", label),
	}
}

func (f *edgeFigures) called(_ context.Context, _ rpc.Method, c rpc.Called) {
	f.took.Record(c.Took.Seconds())
	f.sent.Add(c.Sent)
	f.got.Add(c.Received)
	f.tries.Add(int64(max(c.Tries-1, 0)))
	code := "ok"
	if c.Err != nil {
		code = string(errs.CodeOf(c.Err)) // declared in contracts, so of a fixed set
	}
	counter, ok := f.ended.Load(code)
	if !ok {
		counter, _ = f.ended.LoadOrStore(code, f.module.Counter("souk.edge.calls", "Calls to a module in another process, by how they ended.",
			f.to, telemetry.Label{Name: "code", Value: code}))
	}
	counter.(telemetry.Counter).Add(1) //nolint:forcetypeassert // nothing else is stored there
}
