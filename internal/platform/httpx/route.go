package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"souk/internal/platform/actor"
	"souk/internal/platform/page"
)

// Op describes one route of a module's API.
type Op struct {
	Method  string // "GET"
	Path    string // "/api/v1/orders/orders/{id}"
	Who     Who    // who may ask at all; whose thing it is, the module decides
	Summary string // one line for the reference

	Description string        // more for the reference
	ID          string        // operationId; default: made from method and path
	Status      int           // on success; default 200, 204 without a Body. Out's Status field overrides it
	AlsoStatus  []int         // other statuses of success, for the reference (202)
	Scope       actor.Scope   // what a token needs; default by Method and Who
	Limit       Limit         // for what costs or guesses; the zero Limit is none
	MaxBody     int64         // bytes; default 64 KiB
	Timeout     time.Duration // of the handler; default 30 s
}

// Keyed is embedded in the In of every command that creates something.
type Keyed struct {
	Key string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"200" example:"5f1c9a52-9a1e-4a0e-8d0c-1f4d9c0b7a11" doc:"Made by the client, once per thing that it wants done. Repeating the request with the same key and body does nothing more and answers as the first time."`
}

// Page is embedded in the In of a list.
type Page struct {
	Cursor string `query:"cursor" maxLength:"8192" doc:"Where to go on: the next_cursor of the page before. Leave out for the first page."`
	Limit  int32  `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"Rows on a page, at most."`
}

// Request is the page as contracts ask for it.
func (p Page) Request() page.Request { return page.Request{Cursor: p.Cursor, Limit: p.Limit} }

// Handler does what a route is for: it calls its module once.
type Handler[In, Out any] func(ctx context.Context, by actor.Actor, in In) (Out, error)

// RouteInfo is what is known of a registered route.
type RouteInfo struct {
	Module, Method, Path, ID string
	Who                      Who
	Scope                    actor.Scope
	Keyed                    bool
	Limited                  bool
}

// route is an Op as it is served.
type route struct {
	Op
	api     API
	limiter *Limiter
	hasBody bool
	raw     bool // the body is not JSON
}

// Route registers an operation: its address, its part of the OpenAPI document, and the
// handler with everything around it. In and Out are structs with huma's tags: fields of In
// are `path:"id"`, `query:"q"`, `header:"…"` or Body, fields of Out `header:"…"`, Status or
// Body. A mistake in an Op is a defect of the program and panics at start.
func Route[In, Out any](api API, op Op, handler Handler[In, Out]) {
	rt := api.newRoute(op, reflect.TypeFor[In]())
	s := api.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registering = api.Module()
	defer func() { s.registering = "" }()

	info := RouteInfo{
		Module: api.Module(), Method: rt.Method, Path: rt.Path, ID: rt.ID, Who: rt.Who, Scope: rt.Scope,
		Keyed: embeds[Keyed](reflect.TypeFor[In]()), Limited: rt.limiter != nil,
	}
	s.routes = append(s.routes, info)
	described := rt.operation(info)
	huma.Register(s.huma, described, func(ctx context.Context, in *In) (*Out, error) {
		x := exchangeOf(ctx)
		out, err := handler(ctx, x.actor, *in)
		if err != nil {
			return nil, x.answer(ctx, err)
		}
		return &out, nil
	})
	rt.alsoAnswer(described)
}

// alsoAnswer gives the other statuses of success the body of the usual one, which huma has described by now.
func (rt *route) alsoAnswer(op huma.Operation) {
	usual := op.Responses[strconv.Itoa(rt.Status)]
	if usual == nil {
		return
	}
	for _, status := range rt.AlsoStatus {
		op.Responses[strconv.Itoa(status)].Content = usual.Content
	}
}

// newRoute checks op and fills in what it leaves open.
func (a API) newRoute(op Op, in reflect.Type) *route {
	prefix := "/api/v1/" + a.Module() + "/"
	switch {
	case op.Method == "" || !strings.HasPrefix(op.Path, prefix):
		panic(fmt.Sprintf("httpx: %s %s: routes of %s lie under %s", op.Method, op.Path, a.Module(), prefix))
	case op.Summary == "":
		panic(fmt.Sprintf("httpx: %s %s has no summary", op.Method, op.Path))
	case !slices.Contains(everyone, op.Who):
		panic(fmt.Sprintf("httpx: %s %s does not say who may ask", op.Method, op.Path))
	}
	if op.ID == "" {
		op.ID = operationID(op.Method, strings.TrimPrefix(op.Path, "/api/v1/"))
	}
	if op.MaxBody == 0 {
		op.MaxBody = 64 << 10
	}
	if op.Timeout == 0 {
		op.Timeout = 30 * time.Second
	}
	if op.Scope == "" {
		op.Scope = op.Who.scope(op.Method)
	}
	rt := &route{Op: op, api: a}
	if op.Limit != (Limit{}) {
		rt.limiter = NewLimiter(op.Limit, a.server.cfg.Now)
	}
	_, rt.hasBody = in.FieldByName("Body")
	if _, raw := in.FieldByName("RawBody"); raw {
		rt.hasBody, rt.raw = true, true
	}
	return rt
}

// operation is the route as huma and the OpenAPI document know it.
func (rt *route) operation(info RouteInfo) huma.Operation {
	responses := map[string]*huma.Response{"default": rt.api.server.problemResponse()}
	for _, status := range rt.AlsoStatus {
		responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status)}
	}
	op := huma.Operation{
		OperationID: rt.ID, Method: rt.Method, Path: rt.Path, DefaultStatus: rt.Status,
		Summary: rt.Summary, Description: rt.describe(), Tags: []string{info.Module},
		MaxBodyBytes: rt.MaxBody + 1, BodyReadTimeout: -1, // both are done before huma reads
		RejectUnknownQueryParameters: true,
		Responses:                    responses,
		Metadata:                     map[string]any{metaRoute: rt},
		Security:                     rt.Who.security(),
	}
	return op
}

func (rt *route) describe() string {
	parts := []string{}
	if rt.Description != "" {
		parts = append(parts, rt.Description)
	}
	parts = append(parts, "Who: "+rt.Who.String()+".")
	if rt.limiter != nil {
		parts = append(parts, fmt.Sprintf("Limited to %d in %s per caller and address.", rt.Limit.Max, rt.Limit.Per))
	}
	return strings.Join(parts, "\n\n")
}

// operationID makes "get-orders-orders-by-id" of GET and orders/orders/{id}.
func operationID(method, path string) string {
	words := []string{strings.ToLower(method)}
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			part = "by-" + strings.Trim(part, "{}")
		}
		words = append(words, strings.ReplaceAll(strings.ToLower(part), "_", "-"))
	}
	return strings.Join(words, "-")
}

// embeds says whether struct type t has an embedded T.
func embeds[T any](t reflect.Type) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && (f.Type == reflect.TypeFor[T]() || f.Type.Kind() == reflect.Struct && embeds[T](f.Type)) {
			return true
		}
	}
	return false
}

// notModified is the answer to a read whose client has the thing already.
type notModified struct{ tag string }

func (n *notModified) Error() string { return "not modified: " + n.tag }

// asNotModified finds a notModified in err's chain.
func asNotModified(err error) (*notModified, bool) {
	var n *notModified
	return n, errors.As(err, &n)
}
