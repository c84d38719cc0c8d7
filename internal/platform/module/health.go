package module

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

// How long a module may take to say that it is ready, and a database that others share too, once it has answered: less
// than a balancer waits, so that one that is away makes nobody look dead.
const (
	readyTime  = 2 * time.Second
	sharedTime = 500 * time.Millisecond
)

// stopping is whether the process has begun to stop.
type stopping struct{ atomic.Bool }

// Health is how one module is.
type Health struct {
	Module   string `json:"module"`
	Ready    bool   `json:"ready"`
	Code     string `json:"code"`             // why not; "" when ready
	Outage   bool   `json:"outage,omitempty"` // of a database that processes share: told, but no reason to take this one away
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
			err := s.ready(ctx, m)
			var away *outageError
			all[i].Outage = errors.As(err, &away)
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
func (s *Set) ready(ctx context.Context, m Module) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = m.Door.Caught("readiness", p)
		}
	}()
	if m.DB != nil {
		if err := s.reads(ctx, m); err != nil {
			return err
		}
	}
	if m.Ready != nil {
		return m.Ready(ctx)
	}
	return nil
}

// outageError is why a database that processes share does not answer any more.
type outageError struct{ error }

func (e *outageError) Unwrap() error { return e.error }

// reads tries the module's database. One that processes share is away for all of them: a process that called itself
// unready for that would be taken away, as would all others at the same moment, with everything under way and with
// what needs no database. So it counts only until it has answered once.
func (s *Set) reads(ctx context.Context, m Module) error {
	_, met := s.met.Load(m.Name)
	if met {
		short, cancel := context.WithTimeout(ctx, sharedTime)
		defer cancel()
		ctx = short
	}
	err := m.DB.Read(ctx, func(q store.Queryer) error {
		var one int
		return q.Get(&one, `SELECT 1`)
	})
	switch {
	case err == nil && m.DB.Shared():
		s.met.Store(m.Name, true)
	case err != nil && met:
		return &outageError{err}
	}
	return err
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
		all.Ready = all.Ready && (h.Ready || h.Outage)
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
