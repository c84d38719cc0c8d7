// Package module is what a module hands to the program, and how a set of them is run: each
// behind its own door, each answering for its own health.
package module

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"

	"souk/internal/platform/bus"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// Module is what one module hands over. Only Name is required.
type Module struct {
	Name        string
	DB          *store.DB                   // its own database; its migrations ran when that was opened
	Routes      func(httpx.API)             // registers its API
	Pages       func(chi.Router)            // registers its pages
	Assets      func(chi.Router)            // registers what is the same for everybody: stylesheets, scripts
	Subscribers []*bus.Subscriber           // what it hears
	Jobs        *job.Runner                 // its own future work
	Start       func(context.Context) error // puts its recurring work on its way, before anything runs
	Ready       func(context.Context) error // whether it can do its work just now, besides reading its database
	MaxInFlight int                         // bound on work in flight; default door.DefaultMax

	// Elsewhere says that the module is in another process: Routes only describes its API, and
	// what is asked of it is passed on.
	Elsewhere *Elsewhere

	// Door, if the wiring has made one for calls between modules; else one is made. All ways
	// into a module lead through the same door, or its bound would not bound it.
	Door *door.Door
}

// Elsewhere is where a module of another process is reached.
type Elsewhere struct {
	At    *url.URL          // of what it serves in public, on that process's private side
	Over  http.RoundTripper // proves to it who passes a request on
	Pages []string          // prefixes of its pages' paths
}

// Door is the way into a module.
type Door = door.Door

// Set is the modules of this process.
type Set struct {
	modules []Module
	log     zerolog.Logger
	state   stopping
	unready sync.Map          // names of the modules that were not when last asked
	reached map[string]*reach // by module: its database, if processes share that
}

// NewSet puts modules together, and gives a door to each that has none.
func NewSet(log zerolog.Logger, modules ...Module) (*Set, error) {
	s := &Set{log: log, reached: map[string]*reach{}}
	seen := map[string]bool{}
	for _, m := range modules {
		if m.Name == "" || seen[m.Name] {
			return nil, fmt.Errorf("there are two modules named %q, or one without a name", m.Name)
		}
		seen[m.Name] = true
		if m.Door == nil {
			m.Door = door.New(m.Name, m.MaxInFlight, log)
		}
		if m.Door.Module() != m.Name {
			return nil, fmt.Errorf("module %s has the door of %s", m.Name, m.Door.Module())
		}
		s.modules = append(s.modules, m)
		s.reached[m.Name] = new(reach)
	}
	return s, nil
}

// Modules are the modules, in the order in which they were given.
func (s *Set) Modules() []Module { return append([]Module(nil), s.modules...) }

// Start puts every module's recurring work on its way. What then runs it is not its concern.
func (s *Set) Start(ctx context.Context) error {
	for _, m := range s.modules {
		if m.Start == nil {
			continue
		}
		if err := m.Start(ctx); err != nil {
			return fmt.Errorf("start %s: %w", m.Name, err)
		}
	}
	return nil
}

// Mount registers every module's routes and pages, and the addresses of the platform itself:
// /healthz (the process lives), /readyz (each module can work), /metrics, the API's reference.
func (s *Set) Mount(server *httpx.Server, metrics http.Handler) error {
	for _, m := range s.modules {
		api := server.API(m.Door)
		if m.Elsewhere != nil {
			there := server.Forward(m.Name, m.Elsewhere.At, m.Elsewhere.Over)
			for _, prefix := range m.Elsewhere.Pages {
				there.Pages(prefix)
			}
			api = there.API(api)
		}
		if m.Routes != nil {
			m.Routes(api)
		}
	}
	for _, m := range s.modules {
		if m.Pages != nil {
			server.Pages(m.Door, m.Pages)
		}
		if m.Assets != nil {
			server.Assets(m.Door, m.Assets)
		}
	}
	server.Handle("/healthz", http.HandlerFunc(alive))
	server.Handle("/readyz", http.HandlerFunc(s.serveReady))
	if metrics != nil {
		server.Handle("/metrics", metrics)
	}
	return server.MountReference()
}

// Show adds the figures of doors, databases and jobs to what Prometheus reads.
func (s *Set) Show(t *telemetry.Telemetry) error {
	for _, m := range s.modules {
		to := t.Module(m.Name)
		to.Gauge("souk.door.in_flight", "Work in flight behind a module's door.", func() int64 { return m.Door.Stats().InFlight })
		to.Total("souk.door.refused", "Work turned away at a module's bound.", func() int64 { return m.Door.Stats().Refused })
		to.Total("souk.door.panics", "Panics caught at a module's door.", func() int64 { return m.Door.Stats().Panics })
		if m.DB != nil {
			to.Total("souk.store.writes", "Writes that are durable.", func() int64 { return m.DB.Stats().Writes })
			to.Total("souk.store.commits", "Transactions committed; fewer than writes when they share.", func() int64 { return m.DB.Stats().Commits })
			to.Total("souk.store.failed_commits", "Commits that failed, their writes unknown.", func() int64 { return m.DB.Stats().FailedCommits })
			to.Total("souk.store.reads", "Snapshots read.", func() int64 { return m.DB.Stats().Reads })
			to.Total("souk.store.reruns", "Times that a write ran again because of others.", func() int64 { return m.DB.Stats().Reruns })
			to.Total("souk.store.horizon_held", "Times that an old transaction was found to hold events back, on PostgreSQL.",
				func() int64 { return m.DB.Stats().HeldBack })
			to.Gauge("souk.store.queued", "Writes waiting for their turn.", func() int64 { return m.DB.Stats().Queued })
		}
		if m.Jobs != nil {
			if err := m.Jobs.Instrument(t.Meter(), t.Traces); err != nil {
				return fmt.Errorf("show the jobs of %s: %w", m.Name, err)
			}
		}
	}
	return nil
}
