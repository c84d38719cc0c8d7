package httpx

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/rs/zerolog"

	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
)

// exchange is one request and its answer, as the edge follows them.
type exchange struct {
	server *Server
	id     string
	module string
	route  string
	page   bool // answered with a page, errors too
	quiet  bool // not worth a line above debug
	secure bool // came over TLS
	actor  actor.Actor
	code   errs.Code // of the error that was answered
	err    error     // its cause, if someone must look
	w      middleware.WrapResponseWriter

	request *http.Request // as it arrived, for its headers
}

type exchangeKey struct{}

// exchangeOf is the exchange that the edge put into ctx. Without one (a handler called by
// itself in a test) it is an empty one.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{actor: actor.Nobody()}
}

// enter notes which module serves, for the request's own line and for all that it logs.
func (x *exchange) enter(ctx context.Context, module, route string) {
	x.module, x.route = module, route
	zerolog.Ctx(ctx).UpdateContext(func(c zerolog.Context) zerolog.Context { return c.Str("module", module) })
}

// ActorFrom says who asks for a page. API handlers are given their actor.
func ActorFrom(r *http.Request) actor.Actor { return exchangeOf(r.Context()).actor }

// adapter is how huma registers operations with the router.
type adapter struct{ server *Server }

// Handle registers op.
func (a adapter) Handle(op *huma.Operation, next func(huma.Context)) {
	rt, ok := op.Metadata[metaRoute].(*route)
	if !ok {
		panic("httpx: " + op.Path + " was not registered through Route")
	}
	if rt.api.forward != nil {
		a.server.router.Method(op.Method, op.Path, rt.api.forward)
		return
	}
	a.server.router.MethodFunc(op.Method, op.Path, func(w http.ResponseWriter, r *http.Request) { rt.serve(w, r, op, next) })
}

// ServeHTTP serves what is registered.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.server.Handler().ServeHTTP(w, r)
}

// metaRoute is where an operation keeps its route.
const metaRoute = "souk"

// serve is everything between the edge and huma.
func (rt *route) serve(w http.ResponseWriter, r *http.Request, op *huma.Operation, next func(huma.Context)) {
	x := exchangeOf(r.Context())
	x.enter(r.Context(), rt.api.Module(), rt.Path)
	apiHeaders(w.Header())
	ctx, cancel := context.WithTimeout(r.Context(), rt.Timeout)
	defer cancel()
	r = r.WithContext(ctx)

	if err := rt.admit(x, r); err != nil {
		x.answer(ctx, err).write(w)
		return
	}
	if err := rt.readBody(w, r); err != nil {
		x.answer(ctx, err).write(w)
		return
	}
	leave, err := rt.api.door.Enter(ctx)
	if err != nil {
		x.answer(ctx, err).write(w)
		return
	}
	defer leave()
	defer x.recover(ctx, w, rt.api.door, rt.Method+" "+rt.Path)
	next(&humaContext{humachi.NewContext(op, r, w)})
}

// admit says whether the request may go on to the handler.
func (rt *route) admit(x *exchange, r *http.Request) error {
	s := rt.api.server
	kind, _ := Credential(r)
	if kind != ByToken {
		if err := s.origins.Check(r); err != nil {
			return ErrCrossOrigin.Because(err)
		}
	}
	if rt.limiter != nil { // before the credential is looked up, which costs too
		if err := rt.limiter.Allow("address " + s.clientNetwork(r)); err != nil {
			return err
		}
	}
	by, err := s.resolve(r)
	if err != nil {
		return err
	}
	x.actor = by
	if err := rt.Who.admits(by, rt.Scope); err != nil {
		return err
	}
	if owner := by.Owner(); rt.limiter != nil && owner != "" {
		return rt.limiter.Allow("owner " + owner)
	}
	return nil
}

// inner is huma.Context under a name that does not hide its method Context.
type inner = huma.Context

// humaContext keeps a 304 free of what only a body has.
type humaContext struct{ inner }

// SetStatus sends the status.
func (c *humaContext) SetStatus(status int) {
	if status == http.StatusNotModified {
		_, w := humachi.Unwrap(c.inner)
		w.Header().Del("Content-Type")
	}
	c.inner.SetStatus(status)
}
