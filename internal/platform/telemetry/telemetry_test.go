package telemetry_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/telemetry"
	"souk/internal/platform/telemetry/telemetrytest"
)

func start(t *testing.T, cfg telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), cfg)
	require.NoError(t, err)
	return tel
}

func scrape(t *testing.T, tel *telemetry.Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Metrics().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestFiguresCarryTheModulesName(t *testing.T) {
	t.Parallel()
	tel := start(t, telemetry.Config{})
	m := tel.Module("orders")
	m.Counter("souk.orders.placed", "Orders placed.").Add(2)
	m.Gauge("souk.bus.lag", "Events not applied yet.", func() int64 { return 7 }, telemetry.Label{Name: "subscriber", Value: "orders.payments"})
	m.Total("souk.door.panics", "Panics caught.", func() int64 { return 3 })
	m.Histogram("souk.orders.lines", "Lines of an order.", "", []float64{1, 5}).Record(3)
	text := scrape(t, tel)
	assert.Contains(t, text, `souk_orders_placed_total{module="orders"} 2`)
	assert.Contains(t, text, `souk_bus_lag{module="orders",subscriber="orders.payments"} 7`)
	assert.Contains(t, text, `souk_door_panics_total{module="orders"} 3`)
	assert.Contains(t, text, `souk_orders_lines_bucket{module="orders",le="5"} 1`)
}

func TestTheZeroModuleShowsNothing(t *testing.T) {
	t.Parallel()
	var m telemetry.Module
	m.Counter("souk.x", "").Add(1)
	m.Histogram("souk.y", "", "s", nil).Record(1)
	m.Gauge("souk.z", "", func() int64 { return 0 })
	m.Log.Info().Msg("nobody hears this")
}

func TestLinesAreJSONUnlessOnATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tel := start(t, telemetry.Config{Out: &out, Level: "warn"})
	log := tel.Module("cart").Log
	log.Info().Msg("below the level")
	log.Warn().Msg("said")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, "cart", line["module"])
	assert.Equal(t, "said", line["message"])
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}`, line["time"], "fine enough to put lines of several processes in order")
}

func TestAnUnknownLevelIsRefused(t *testing.T) {
	t.Parallel()
	_, err := telemetry.Start(t.Context(), telemetry.Config{Level: "loud"})
	require.ErrorContains(t, err, `"loud"`)
	_, err = telemetry.Start(t.Context(), telemetry.Config{Endpoint: "collector"})
	assert.ErrorContains(t, err, `"collector"`)
}

func TestTracesAreSentWhereTheEndpointSays(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.URL.Path
	}))
	t.Cleanup(collector.Close)
	tel := start(t, telemetry.Config{Endpoint: collector.URL})
	_, span := tel.Tracer.Start(t.Context(), "something")
	span.End()
	require.NoError(t, tel.Stop(t.Context()))
	assert.Equal(t, "/v1/traces", <-got)
}

// quiet is a testing.TB that only notes whether it was failed.
type quiet struct {
	testing.TB
	failed bool
}

func (q *quiet) Errorf(string, ...any) { q.failed = true }
func (q *quiet) Helper()               {}

func TestTheCanaryFindsASecretAlsoInTwoPieces(t *testing.T) {
	t.Parallel()
	for name, pieces := range map[string][]string{"whole": {`{"x":"hunter2-secret"}`}, "in two": {"aaaaaaaaaaaaaaaaaahunter2", "-secretbbb"}} {
		q := &quiet{TB: t}
		c := telemetrytest.NewCanary(q, "hunter2-secret")
		for _, p := range pieces {
			_, _ = io.WriteString(c, p)
		}
		assert.True(t, q.failed, name)
	}
	q := &quiet{TB: t}
	c := telemetrytest.NewCanary(q, "hunter2-secret")
	_, _ = io.WriteString(c, "nothing to see")
	assert.False(t, q.failed)
	assert.Equal(t, "nothing to see", c.String())
}
