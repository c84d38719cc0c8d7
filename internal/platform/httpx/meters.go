package httpx

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// meters are the figures of the HTTP side. Labels come from fixed sets: the route's pattern,
// not its path; the status, not the text.
type meters struct {
	took     metric.Float64Histogram
	inFlight atomic.Int64
	labels   sync.Map // labelKey → metric.MeasurementOption, since making a set costs
}

type labelKey struct {
	module, route, method string
	status                int
}

func newMeters(m metric.Meter) *meters {
	took, err := m.Float64Histogram("souk.http.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Time to answer a request, by module, route, method and status."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	if err != nil {
		panic(fmt.Sprintf("httpx: %v", err)) // a wrong name: a defect of the program
	}
	all := &meters{took: took}
	// Looked at when someone asks: cheaper for every request than to tell of each.
	_, err = m.Int64ObservableUpDownCounter("souk.http.requests.in_flight", metric.WithDescription("Requests being answered."),
		metric.WithInt64Callback(func(_ context.Context, to metric.Int64Observer) error {
			to.Observe(all.inFlight.Load())
			return nil
		}))
	if err != nil {
		panic(fmt.Sprintf("httpx: %v", err))
	}
	return all
}

func (m *meters) record(ctx context.Context, module, route, method string, status int, took time.Duration) {
	key := labelKey{module, route, method, status}
	labels, ok := m.labels.Load(key)
	if !ok {
		labels, _ = m.labels.LoadOrStore(key, metric.WithAttributeSet(attribute.NewSet(
			attribute.String("module", module), attribute.String("route", route),
			attribute.String("method", method), attribute.String("status", strconv.Itoa(status)))))
	}
	m.took.Record(ctx, took.Seconds(), labels.(metric.MeasurementOption))
}
