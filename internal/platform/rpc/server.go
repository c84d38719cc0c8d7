package rpc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/reqid"
)

// ServerOptions say what a server tells. The zero value tells nothing.
type ServerOptions struct {
	Tracer trace.TracerProvider // default: OpenTelemetry's global one
	// OnFailure hears of what the caller cannot be told: panics and the causes of internal
	// errors. It logs and counts.
	OnFailure func(ctx context.Context, m Method, err error)
	// OnServed hears how each call of a method that there is ended, for the log. ctx has the id of the
	// request on whose behalf it was made, and peer.From says which module made it.
	OnServed func(ctx context.Context, m Method, s Served)
	// WriteTime is how long a caller may take to read an answer, or its connection ends. Default: 30 s.
	WriteTime time.Duration
}

// writeTime is enough for the longest answer over a slow network.
const writeTime = 30 * time.Second

// Served is how one call ended on the callee's side.
type Served struct {
	Took time.Duration
	Err  error // nil for a reply; a declared refusal is an answer too (errs.Refused)
}

// Server is the callee's half of a contract: an http.Handler for peer.RPCPath.
// It believes whoever reaches it, so it stands behind what says who may call, on a listener that
// is not the public one.
type Server struct {
	described
	codec   *Codec
	o       ServerOptions
	tracer  trace.Tracer
	methods map[string]func(ctx context.Context, body []byte) answer
}

// NewServer is the machinery of one contract's server; Serve adds the methods.
func NewServer(contract Contract, codec *Codec, o ServerOptions) *Server {
	if o.Tracer == nil {
		o.Tracer = otel.GetTracerProvider()
	}
	if o.OnFailure == nil {
		o.OnFailure = func(context.Context, Method, error) {}
	}
	if o.OnServed == nil {
		o.OnServed = func(context.Context, Method, Served) {}
	}
	if o.WriteTime <= 0 {
		o.WriteTime = writeTime
	}
	return &Server{
		described: describe(contract), codec: codec, o: o, tracer: o.Tracer.Tracer("souk/internal/platform/rpc"),
		methods: map[string]func(context.Context, []byte) answer{},
	}
}

// Serve has ask answer the calls of a method.
func Serve[Request, Reply any](s *Server, m Method, ask func(context.Context, Request) (Reply, error)) {
	s.methods[m.Name] = func(ctx context.Context, body []byte) answer {
		began := time.Now()
		a := serve(ctx, s.codec, body, ask)
		if a.failed && errs.KindOf(a.cause) == errs.Internal {
			s.o.OnFailure(ctx, m, a.cause)
		}
		s.o.OnServed(ctx, m, Served{Took: time.Since(began), Err: a.cause})
		return a
	}
}

// What a server says itself. Nothing was done.
var (
	errNoMethod = errs.Refusal(errs.Unavailable, "souk.no_method")
	errContract = errs.Refusal(errs.Unavailable, "souk.other_contract")
	errTooLong  = errs.Refusal(errs.Invalid, "souk.malformed")
	errHalf     = errs.Refusal(errs.Unavailable, "souk.half_a_request")
)

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, peer.RPCPath(s.contract.Module, ""))
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx = reqid.With(ctx, reqid.Accept(r.Header.Get(reqid.Header)))
	ctx, span := s.tracer.Start(ctx, s.contract.Module+"."+name, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("souk.module", s.contract.Module), attribute.String("souk.request_id", reqid.From(ctx))))
	defer span.End()
	if within, ok := milliseconds(r.Header, headerTimeout); ok && within > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, within)
		defer end()
	}
	a := s.answer(ctx, name, r)
	if a.failed && !errs.Refused(a.cause) {
		span.SetStatus(codes.Error, string(errs.CodeOf(a.cause)))
	}
	a.write(w, s.o.WriteTime)
}

func (s *Server) answer(ctx context.Context, name string, r *http.Request) answer {
	ask := s.methods[name]
	switch {
	case r.Method != http.MethodPost || ask == nil:
		return fail(s.codec, errNoMethod.With("%s has no %s here", s.contract.Module, name))
	case !s.matches(r.Header.Get(headerContracts)):
		return fail(s.codec, errContract.With("the contracts of %s do not match: one side is more than a release older", s.contract.Module))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	switch {
	case err != nil:
		return fail(s.codec, errHalf.With("the request did not arrive whole").Because(err))
	case len(body) > maxRequest:
		return fail(s.codec, errTooLong.With("the request is longer than %d bytes", maxRequest))
	}
	return ask(ctx, body)
}

// write sends an answer. That it cannot be written is the caller's to notice.
func (a answer) write(w http.ResponseWriter, within time.Duration) {
	to := http.NewResponseController(w)
	_ = to.SetWriteDeadline(time.Now().Add(within)) // where there is no such thing, as in tests, nobody is slow
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	h.Set(headerAnswer, answeredReply)
	if a.failed {
		h.Set(headerAnswer, answeredFailure)
		var later interface{ RetryAfter() time.Duration }
		if errors.As(a.cause, &later) {
			h.Set(headerRetry, strconv.FormatInt(later.RetryAfter().Milliseconds(), 10))
		}
	}
	_, _ = w.Write(a.body)
	_ = to.Flush()
	_ = to.SetWriteDeadline(time.Time{}) // what comes next on the connection has its own time
}
