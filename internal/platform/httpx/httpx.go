// Package httpx is where HTTP ends and souk begins. It decodes a request, finds out who is
// asking, checks that they may, calls one handler and encodes what it says; modules write
//
//	httpx.Route(api, httpx.Op{Method: "POST", Path: "/api/v1/orders/checkouts", Who: httpx.Shoppers, Summary: "Check out"},
//		func(ctx context.Context, by actor.Actor, in checkoutIn) (checkoutOut, error) { … })
//
// and never see a status, a header or a cookie unless it is part of what they mean.
//
// Around every request, in this order: its id, one log line, metrics and a trace; the
// panic's catch; bounds on time and size; the check that no other site is behind a write;
// limits; who is asking; whether they may; the module's door. Errors are RFC 9457 problems
// with the stable code; only this package turns a kind into a status.
//
// huma stands underneath, for decoding, validation and the OpenAPI document; no other
// package imports it.
package httpx

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/errs"
)

// Resolver finds out who is asking, from the credential that Credential finds in r. A
// request without one is from nobody, which is no error; a credential that is
// wrong or has ended is nobody for a cookie, and errs.Unauthenticated for a token.
type Resolver func(ctx context.Context, r *http.Request) (actor.Actor, error)

// Config is what a Server stands on. All of it may be left out.
type Config struct {
	Log      zerolog.Logger
	Tracer   trace.Tracer
	Meter    metric.Meter
	Resolver Resolver // default: everybody is nobody, or a guest
	Now      func() clock.Time
	Version  string // of souk, for the OpenAPI document

	// Proxies are the addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
	Proxies []netip.Prefix

	// PageError draws an error for a browser; default: a plain page.
	PageError func(w http.ResponseWriter, r *http.Request, status int, err *errs.Error)
}

// Server is souk's HTTP side: what modules register with, and the handler that serves it.
// Everything is registered before the first request.
type Server struct {
	cfg     Config
	router  *chi.Mux
	huma    huma.API
	origins *http.CrossOriginProtection
	meters  *meters

	mu          sync.Mutex // while registering
	routes      []RouteInfo
	registering string // the module whose types are being named
}

// New is a server without routes.
func New(cfg Config) *Server {
	if cfg.Resolver == nil {
		cfg.Resolver = func(context.Context, *http.Request) (actor.Actor, error) { return actor.Nobody(), nil }
	}
	if cfg.Now == nil {
		cfg.Now = clock.Now
	}
	if cfg.Tracer == nil {
		cfg.Tracer = nooptrace.NewTracerProvider().Tracer("")
	}
	if cfg.Meter == nil {
		cfg.Meter = noopmetric.NewMeterProvider().Meter("")
	}
	if cfg.PageError == nil {
		cfg.PageError = plainPageError
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	speakForHuma()
	s := &Server{cfg: cfg, router: chi.NewRouter(), origins: http.NewCrossOriginProtection(), meters: newMeters(cfg.Meter)}
	s.router.Use(middleware.GetHead)
	s.router.NotFound(func(w http.ResponseWriter, r *http.Request) { s.refuse(w, r, ErrNoRoute) })
	s.router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if s.router.Match(chi.NewRouteContext(), method, r.URL.Path) {
				w.Header().Add("Allow", method)
			}
		}
		s.refuse(w, r, ErrMethod)
	})
	s.huma = s.newHuma()
	return s
}

// API is what a module registers its routes with.
type API struct {
	server  *Server
	door    *door.Door
	forward http.Handler // where requests are passed on to; nil for a module of this process
}

// API is for the routes of the module behind that door.
func (s *Server) API(d *door.Door) API { return API{server: s, door: d} }

// Module is the name of the module whose routes these are.
func (a API) Module() string { return a.door.Module() }

// Routes are all routes registered until now.
func (s *Server) Routes() []RouteInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]RouteInfo(nil), s.routes...)
}

// Handle serves a path of the platform itself (health, metrics), without a door and logged at
// debug level only.
func (s *Server) Handle(path string, h http.Handler) {
	s.router.Method(http.MethodGet, path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.module, x.route, x.quiet = "platform", path, true
		apiHeaders(w.Header())
		h.ServeHTTP(w, r)
	}))
}

// Handler serves everything that was registered.
func (s *Server) Handler() http.Handler { return s.edge(s.router) }

// refuse answers with err as the address suggests: a problem under /api, else a page.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	if x.page || !strings.HasPrefix(r.URL.Path, "/api/") {
		s.refusePage(w, r, err)
		return
	}
	apiHeaders(w.Header())
	x.answer(r.Context(), err).write(w)
}

// Bounds of the server itself. A body has its own time, counted from the end of the head.
const (
	headerTime = 10 * time.Second
	bodyTime   = 15 * time.Second
	writeTime  = 60 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 32 << 10
)

// HTTPServer is an http.Server with souk's bounds. What serves longer than a minute
// moves its own write deadline.
func HTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
	}
}
