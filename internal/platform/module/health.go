package module

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

// readyTime is how long a module may take to say that it is ready.
const readyTime = 2 * time.Second

// stopping is whether the process has begun to stop.
type stopping struct{ atomic.Bool }

// Health is how one module is.
type Health struct {
	Module   string `json:"module"`
	Ready    bool   `json:"ready"`
	Code     string `json:"code"` // why not; "" when ready
	InFlight int64  `json:"in_flight"`
	Max      int64  `json:"max_in_flight"`
	Refused  int64  `json:"refused"`
	Panics   int64  `json:"panics"`
}

// Stopping makes /readyz say no from now on, so that nobody sends more. It says so by 404, which balancers
// take as: nothing new, and leave what is under way.
func (s *Set) Stopping() { s.state.Store(true) }

// Health asks every module, all at the same time.
func (s *Set) Health(ctx context.Context) []Health {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	all := make([]Health, len(s.modules))
	var asking sync.WaitGroup
	for i, m := range s.modules {
		asking.Go(func() {
			stats := m.Door.Stats()
			all[i] = Health{
				Module: m.Name, Ready: true, InFlight: stats.InFlight, Max: stats.Max, Refused: stats.Refused, Panics: stats.Panics,
			}
			err := m.ready(ctx)
			if err != nil {
				all[i].Ready, all[i].Code = false, string(errs.CodeOf(err))
			}
			s.notice(m.Name, err)
		})
	}
	asking.Wait()
	return all
}

// notice leaves a line when a module stops being ready, or is again: whoever polls asks every second.
func (s *Set) notice(module string, err error) {
	_, was := s.unready.Load(module)
	switch {
	case err != nil && !was:
		s.unready.Store(module, true)
		s.log.Warn().Str("module", module).Err(err).Msg("module not ready")
	case err == nil && was:
		s.unready.Delete(module)
		s.log.Info().Str("module", module).Msg("module ready again")
	}
}

// ready says why m cannot work. It goes around the door: a busy module is ready, and a
// full one must still be able to say how it is.
func (m Module) ready(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = m.Door.Caught("readiness", p)
		}
	}()
	if m.DB != nil {
		err := m.DB.Read(ctx, func(q store.Queryer) error {
			var one int
			return q.Get(&one, `SELECT 1`)
		})
		if err != nil {
			return err
		}
	}
	if m.Ready != nil {
		return m.Ready(ctx)
	}
	return nil
}

// alive answers as long as the process serves at all.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("alive\n")) // the client may be gone
}

type readiness struct {
	Ready    bool     `json:"ready"`
	Stopping bool     `json:"stopping"`
	Modules  []Health `json:"modules"`
}

func (s *Set) serveReady(w http.ResponseWriter, r *http.Request) {
	all := readiness{Ready: !s.state.Load(), Stopping: s.state.Load(), Modules: s.Health(r.Context())}
	for _, h := range all.Modules {
		all.Ready = all.Ready && h.Ready
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case all.Stopping: // not 503: by this a balancer tells who is only to get nothing more from who is broken
		w.WriteHeader(http.StatusNotFound)
	case !all.Ready:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(all) // the client may be gone
}
