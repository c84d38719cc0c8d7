package module_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/module"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/platform/telemetry"
)

func serve(t *testing.T, modules ...module.Module) (*module.Set, func(path string) (int, string)) {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	set, err := module.NewSet(zerolog.Nop(), modules...)
	require.NoError(t, err)
	require.NoError(t, set.Show(tel))
	server := httpx.New(httpx.Config{Meter: tel.Meter()})
	require.NoError(t, set.Mount(server, tel.Metrics()))
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	return set, func(path string) (int, string) {
		res, err := http.Get(ts.URL + path)
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(body)
	}
}

type empty struct{}

// saying is a module whose one route says its name, or panics.
func saying(name string, panics bool) module.Module {
	return module.Module{Name: name, Routes: func(api httpx.API) {
		httpx.Route(api, httpx.Op{Method: "GET", Path: "/api/v1/" + name + "/name", Who: httpx.Anyone, Summary: "Say the name"},
			func(context.Context, actor.Actor, empty) (empty, error) {
				if panics {
					panic(name)
				}
				return empty{}, nil
			})
	}}
}

func TestAPanicInOneModuleLeavesTheOtherServing(t *testing.T) {
	t.Parallel()
	_, get := serve(t, saying("broken", true), saying("sound", false))
	status, _ := get("/api/v1/broken/name")
	assert.Equal(t, 500, status)
	status, _ = get("/api/v1/sound/name")
	assert.Equal(t, 204, status)
	_, figures := get("/metrics")
	assert.Contains(t, figures, `souk_door_panics_total{module="broken"} 1`)
	assert.Contains(t, figures, `souk_door_panics_total{module="sound"} 0`)
	assert.Contains(t, figures, `souk_http_request_duration_seconds_count{method="GET",module="broken",route="/api/v1/broken/name",status="500"} 1`)
}

func TestReadinessIsToldPerModule(t *testing.T) {
	t.Parallel()
	lost := errs.Refusal(errs.Unavailable, "lame.lost").With("a reason not for everybody")
	set, get := serve(t,
		module.Module{Name: "fit", Ready: func(context.Context) error { return nil }},
		module.Module{Name: "lame", Ready: func(context.Context) error { return lost }, MaxInFlight: 3},
		module.Module{Name: "mad", Ready: func(context.Context) error { panic("mad") }},
	)
	status, text := get("/readyz")
	assert.Equal(t, 503, status)
	assert.NotContains(t, text, "not for everybody")
	var got struct {
		Ready   bool
		Modules []module.Health
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	assert.False(t, got.Ready)
	assert.Equal(t, []module.Health{
		{Module: "fit", Ready: true, Max: door.DefaultMax},
		{Module: "lame", Code: "lame.lost", Max: 3},
		{Module: "mad", Code: "souk.panic", Max: door.DefaultMax},
	}, got.Modules)
	status, _ = get("/healthz")
	assert.Equal(t, 200, status, "a process with a lame module lives")
	assert.Len(t, set.Health(t.Context()), 3)
}

// A database that processes share is away for all of them: that none of them is taken away for it, as long as it has
// answered once. One's own is one's own. A balancer that goes back to all when nobody is ready may ask to be told.
func TestASharedDatabaseThatGoesAwayLeavesOneReady(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		open   func(t testing.TB, module string, options ...storetest.Option) *store.DB
		asked  bool // before it goes away
		status int
		alone  int // for a balancer that has others
		outage bool
	}{
		"shared":               {open: storetest.Postgres, asked: true, status: 200, alone: 404, outage: true},
		"shared and never met": {open: storetest.Postgres, status: 503, alone: 503},
		"one's own":            {open: ownFiles, asked: true, status: 503, alone: 503},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := tt.open(t, "catalog")
			_, get := serve(t, module.Module{Name: "catalog", DB: db}, module.Module{Name: "fit"})
			if tt.asked {
				status, _ := get("/readyz?outage=0s")
				require.Equal(t, 200, status)
			}
			require.NoError(t, db.Close())
			status, text := get("/readyz")
			assert.Equal(t, tt.status, status)
			var got struct{ Modules []module.Health }
			require.NoError(t, json.Unmarshal([]byte(text), &got))
			assert.False(t, got.Modules[0].Ready)
			assert.NotEmpty(t, got.Modules[0].Code)
			assert.Equal(t, tt.outage, got.Modules[0].Outage)
			for asked, want := range map[string]int{"1h": tt.status, "0s": tt.alone, "soon": 400} {
				status, _ := get("/readyz?outage=" + asked)
				assert.Equal(t, want, status, asked)
			}
			assert.True(t, got.Modules[1].Ready)
		})
	}
}

func ownFiles(t testing.TB, module string, options ...storetest.Option) *store.DB {
	t.Helper()
	return storetest.Open(t, module, append(options, storetest.SQLite())...)
}

func TestASetThatStopsIsNotReady(t *testing.T) {
	t.Parallel()
	set, get := serve(t, module.Module{Name: "fit"})
	status, _ := get("/readyz")
	assert.Equal(t, 200, status)
	set.Stopping()
	status, text := get("/readyz")
	assert.Equal(t, 404, status, "a balancer is to leave what is under way")
	assert.Contains(t, text, `"stopping":true`)
}

func TestPagesAndRoutesShareTheDoor(t *testing.T) {
	t.Parallel()
	d := door.New("front", 1, zerolog.Nop())
	m := saying("front", false)
	m.Door = d
	m.Pages = func(r chi.Router) { r.Get("/", func(http.ResponseWriter, *http.Request) {}) }
	_, get := serve(t, m)
	leave, err := d.Enter(t.Context())
	require.NoError(t, err)
	status, _ := get("/")
	assert.Equal(t, 503, status)
	status, _ = get("/api/v1/front/name")
	assert.Equal(t, 503, status)
	leave()
	status, _ = get("/")
	assert.Equal(t, 200, status)
}

func TestASetThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for name, modules := range map[string][]module.Module{
		"two of a name":  {{Name: "a"}, {Name: "a"}},
		"no name":        {{}},
		"another's door": {{Name: "a", Door: door.New("b", 0, zerolog.Nop())}},
	} {
		_, err := module.NewSet(zerolog.Nop(), modules...)
		require.Error(t, err, name)
	}
}

func TestThatAModuleIsNotReadyIsSaidOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	failing := errors.New("not yet")
	set, err := module.NewSet(zerolog.New(&log), module.Module{Name: "cart", Ready: func(context.Context) error { return failing }})
	require.NoError(t, err)
	for range 3 {
		require.False(t, set.Health(t.Context())[0].Ready)
	}
	failing = nil
	for range 3 {
		require.True(t, set.Health(t.Context())[0].Ready)
	}
	assert.Equal(t, 1, strings.Count(log.String(), "module not ready"), "whoever polls asks every second")
	assert.Equal(t, 1, strings.Count(log.String(), "module ready again"))
}
