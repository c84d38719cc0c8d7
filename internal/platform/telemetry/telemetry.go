// Package telemetry is how a running souk shows itself: log lines (zerolog), traces
// (OpenTelemetry, sent by OTLP where an endpoint is given) and metrics (OpenTelemetry, read by
// Prometheus). Whatever a module makes of them carries the module's name.
//
// Info is for operators; error means that someone must act. A body, a token or an
// address is never logged, and metric labels come from fixed sets.
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
)

// Config is what to show where.
type Config struct {
	Out      io.Writer // of log lines
	Level    string    // debug, info, warn, error; default info
	Version  string    // of souk
	Process  string    // what it is called where there are several; empty: souk
	Endpoint string    // OTLP over HTTP, "http://localhost:4318"; empty: no traces
}

// Telemetry is the running whole.
type Telemetry struct {
	Log    zerolog.Logger
	Tracer trace.Tracer         // of souk's own edge
	Traces trace.TracerProvider // for what makes its own tracers

	meters   *sdkmetric.MeterProvider
	traces   *sdktrace.TracerProvider
	registry *prometheus.Registry
}

// Start begins to show. Nothing is sent anywhere unless there is an endpoint.
func Start(ctx context.Context, cfg Config) (*Telemetry, error) {
	log, err := Logger(cfg.Out, cfg.Level)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{Log: log, Traces: nooptrace.NewTracerProvider(), registry: prometheus.NewRegistry()}
	who := resource.NewSchemaless(attribute.String("service.name", "souk"), attribute.String("service.version", cfg.Version),
		attribute.String("service.instance.id", cmp.Or(cfg.Process, "souk")))

	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprom.New(otelprom.WithRegisterer(t.registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("set up metrics: %w", err)
	}
	t.meters = sdkmetric.NewMeterProvider(sdkmetric.WithResource(who), sdkmetric.WithReader(exporter))

	if cfg.Endpoint != "" {
		address, err := url.Parse(cfg.Endpoint)
		if err != nil || address.Host == "" {
			return nil, fmt.Errorf("the address for traces, %q, is not one like http://localhost:4318", cfg.Endpoint)
		}
		if strings.Trim(address.Path, "/") == "" {
			address = address.JoinPath("v1", "traces")
		}
		sender, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(address.String()))
		if err != nil {
			return nil, fmt.Errorf("set up traces to %s: %w", cfg.Endpoint, err)
		}
		t.traces = sdktrace.NewTracerProvider(sdktrace.WithResource(who), sdktrace.WithBatcher(sender))
		t.Traces = t.traces
	}
	t.Tracer = t.Traces.Tracer("souk")
	return t, nil
}

// Stop sends what has not been sent yet.
func (t *Telemetry) Stop(ctx context.Context) error {
	var err error
	if t.traces != nil {
		err = t.traces.Shutdown(ctx)
	}
	return errors.Join(err, t.meters.Shutdown(ctx))
}

// Metrics serves the figures to Prometheus.
func (t *Telemetry) Metrics() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{})
}

// Logger writes for people on a terminal and JSON anywhere else.
func Logger(out io.Writer, level string) (zerolog.Logger, error) {
	if level == "" {
		level = "info"
	}
	var at zerolog.Level
	switch level {
	case "debug":
		at = zerolog.DebugLevel
	case "info":
		at = zerolog.InfoLevel
	case "warn":
		at = zerolog.WarnLevel
	case "error":
		at = zerolog.ErrorLevel
	default:
		return zerolog.Nop(), fmt.Errorf("log level %q is none of debug, info, warn, error", level)
	}
	if out == nil {
		return zerolog.Nop(), nil
	}
	if isTerminal(out) {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(zerolog.SyncWriter(out)).Level(at).Hook(stamp{}), nil
}

// stamp says when a line was written, to the microsecond: lines of several processes are put in order
// by it. (zerolog's own has whole seconds, unless a global variable says otherwise.)
type stamp struct{}

const stampFormat = `"2006-01-02T15:04:05.000000Z07:00"`

// Run adds the time to a line.
func (stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	var text [len(stampFormat)]byte
	e.RawJSON(zerolog.TimestampFieldName, time.Now().AppendFormat(text[:0], stampFormat))
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
