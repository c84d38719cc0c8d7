package telemetry

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
)

// Module is what one module shows itself with. The zero Module shows nothing, so that
// a test need not set it up.
type Module struct {
	Log  zerolog.Logger
	name string
	from metric.Meter
}

// Module is for the module with that name.
func (t *Telemetry) Module(name string) Module {
	return Module{Log: t.Log.With().Str("module", name).Logger(), name: name, from: t.meters.Meter("souk")}
}

// Meter makes instruments that carry no module name.
func (t *Telemetry) Meter() metric.Meter { return t.meters.Meter("souk") }

// meter is what instruments are made from.
func (m Module) meter() metric.Meter {
	if m.from == nil {
		return noopmetric.NewMeterProvider().Meter("")
	}
	return m.from
}

func (m Module) labels(more []Label) metric.MeasurementOption {
	set := []attribute.KeyValue{attribute.String("module", m.name)}
	for _, l := range more {
		set = append(set, attribute.String(l.Name, l.Value))
	}
	return metric.WithAttributeSet(attribute.NewSet(set...))
}

// Label is one more thing to tell figures apart by. Its values come from a small fixed set.
type Label struct{ Name, Value string }

// Counter counts what only grows.
type Counter struct {
	add    metric.Int64Counter
	labels metric.MeasurementOption
}

// Counter is a counter named like "souk.orders.placed" ("souk_orders_placed_total" in Prometheus).
// A wrong name is a defect of the program and panics at start.
func (m Module) Counter(name, help string, labels ...Label) Counter {
	c, err := m.meter().Int64Counter(name, metric.WithDescription(help))
	if err != nil {
		panic(fmt.Sprintf("telemetry: counter %s: %v", name, err))
	}
	return Counter{add: c, labels: m.labels(labels)}
}

// Add counts n more. The zero Counter counts nothing.
func (c Counter) Add(n int64) {
	if c.add != nil {
		c.add.Add(context.Background(), n, c.labels)
	}
}

// Histogram tells how a size or a time spreads.
type Histogram struct {
	record metric.Float64Histogram
	labels metric.MeasurementOption
}

// Histogram is a histogram with those bucket bounds, in a unit as "s" or "By".
func (m Module) Histogram(name, help, unit string, bounds []float64, labels ...Label) Histogram {
	h, err := m.meter().Float64Histogram(name, metric.WithDescription(help), metric.WithUnit(unit),
		metric.WithExplicitBucketBoundaries(bounds...))
	if err != nil {
		panic(fmt.Sprintf("telemetry: histogram %s: %v", name, err))
	}
	return Histogram{record: h, labels: m.labels(labels)}
}

// Record notes one value. The zero Histogram notes nothing.
func (h Histogram) Record(v float64) {
	if h.record != nil {
		h.record.Record(context.Background(), v, h.labels)
	}
}

// Gauge shows what read says whenever someone looks. read must be quick.
func (m Module) Gauge(name, help string, read func() int64, labels ...Label) {
	gauge, err := m.meter().Int64ObservableGauge(name, metric.WithDescription(help))
	if err != nil {
		panic(fmt.Sprintf("telemetry: gauge %s: %v", name, err))
	}
	m.observe(name, gauge, read, labels)
}

// Total shows a counter that something else keeps.
func (m Module) Total(name, help string, read func() int64, labels ...Label) {
	total, err := m.meter().Int64ObservableCounter(name, metric.WithDescription(help))
	if err != nil {
		panic(fmt.Sprintf("telemetry: total %s: %v", name, err))
	}
	m.observe(name, total, read, labels)
}

// observe is registered apart from the instrument, which several modules share by its name:
// of callbacks given with the instrument itself, only the first module's would be called.
func (m Module) observe(name string, what metric.Int64Observable, read func() int64, labels []Label) {
	with := m.labels(labels)
	_, err := m.meter().RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(what, read(), with)
		return nil
	}, what)
	if err != nil {
		panic(fmt.Sprintf("telemetry: observe %s: %v", name, err))
	}
}
