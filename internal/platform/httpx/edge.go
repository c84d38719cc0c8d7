package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/reqid"
)

// edge is around everything: the request's id, its log line, metrics and trace, the time
// for its body, and the catch for what panics outside of any module.
func (s *Server) edge(next http.Handler) http.Handler {
	var traces propagation.TraceContext
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		start := time.Now()
		w := middleware.NewWrapResponseWriter(plain, r.ProtoMajor)
		x := &exchange{server: s, id: reqid.Accept(r.Header.Get(reqid.Header)), actor: actor.Nobody(), secure: s.overTLS(r), w: w, request: r}
		w.Header().Set(reqid.Header, x.id)
		if x.secure {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}

		ctx := r.Context()
		if r.Header.Get("Traceparent") != "" {
			ctx = traces.Extract(ctx, propagation.HeaderCarrier(r.Header))
		}
		ctx, span := s.cfg.Tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		ctx = context.WithValue(reqid.With(ctx, x.id), exchangeKey{}, x)
		log := s.cfg.Log.With().Str("request_id", x.id).Logger()
		ctx = log.WithContext(ctx)
		r = r.WithContext(ctx)

		s.meters.inFlight.Add(1)
		defer func() {
			s.meters.inFlight.Add(-1)
			x.finish(ctx, r.Method, time.Since(start), span)
		}()
		defer x.recoverOutside(w, r)
		if r.ContentLength != 0 {
			deadline := start.Add(bodyTime)
			if err := http.NewResponseController(w).SetReadDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
				x.answer(ctx, fmt.Errorf("set the read deadline: %w", err)).write(w)
				return
			}
		}
		if err := checkAddress(r.URL); err != nil {
			s.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// finish writes the line, the figures and the end of the trace.
func (x *exchange) finish(ctx context.Context, method string, took time.Duration, span trace.Span) {
	status := x.w.Status()
	if status == 0 {
		status = http.StatusOK
	}
	if x.route == "" {
		method = "other" // what nobody serves must not make labels
	}
	x.server.meters.record(ctx, x.module, x.route, method, status, took)

	if span.IsRecording() {
		span.SetName(method + " " + x.route)
		span.SetAttributes(attribute.String("souk.module", x.module), attribute.String("souk.request_id", x.id),
			attribute.String("http.route", x.route), attribute.Int("http.response.status_code", status))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, string(x.code))
	}

	log := &x.server.cfg.Log
	event := log.Info()
	switch {
	case status == http.StatusInternalServerError:
		event = log.Error()
	case x.quiet && x.module == "platform": // who polls readiness is told; the module has said why in the log
		event = log.Debug()
	case status >= http.StatusInternalServerError:
		event = log.Warn()
	case x.quiet:
		event = log.Debug()
	}
	event = event.Str("request_id", x.id).Str("module", x.module).Str("method", method).Str("route", x.route).
		Int("status", status).Dur("took", took).Int("bytes", x.w.BytesWritten())
	if x.code != "" {
		event = event.Str("code", string(x.code))
	}
	if x.err != nil {
		event = event.AnErr("cause", x.err)
	}
	event.Msg("request")
}

// recover answers a panic behind a module's door. If the answer had begun, the
// connection is cut, so that nobody takes half an answer for a whole one.
func (x *exchange) recover(ctx context.Context, w http.ResponseWriter, d *door.Door, where string) {
	p := recover()
	if p == nil {
		return
	}
	err := d.Caught(where, p)
	if x.begun() {
		x.note(err)
		panic(http.ErrAbortHandler)
	}
	clear(w.Header())
	w.Header().Set(reqid.Header, x.id)
	apiHeaders(w.Header())
	x.answer(ctx, err).write(w)
}

// recoverOutside does the same for what is no module's.
func (x *exchange) recoverOutside(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	x.server.cfg.Log.Error().Str("request_id", x.id).Str("panic", fmt.Sprintf("%T", p)).Bytes("stack", debug.Stack()).
		Msg("panic caught at the edge")
	err := fmt.Errorf("panic outside of any module")
	if x.begun() {
		x.note(err)
		panic(http.ErrAbortHandler)
	}
	x.server.refuse(w, r, err)
}

func (x *exchange) begun() bool { return x.w != nil && x.w.Status() != 0 }

// apiHeaders are for answers that no browser shows as a page.
func apiHeaders(h http.Header) { // names as Set would write them, values that every answer shares
	h["X-Content-Type-Options"], h["Content-Security-Policy"], h["Cache-Control"] = noSniffing, noContent, noStore
}

// Each has no room behind it, so that Add copies it.
var (
	noSniffing = []string{"nosniff"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noStore    = []string{"no-store"}
)
