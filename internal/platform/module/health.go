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
	"souk/internal/platform/httpx"
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
	Outage   bool   `json:"outage,omitempty"` // of a database that processes share: told, and for /readyz alone no reason to take this one away
	InFlight int64  `json:"in_flight"`
	Max      int64  `json:"max_in_flight"`
	Refused  int64  `json:"refused"`
	Panics   int64  `json:"panics"`

	lasts time.Duration // of an outage, since it was first seen
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
			if all[i].Outage = errors.As(err, &away); all[i].Outage {
				all[i].lasts = away.lasts
			}
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
type outageError struct {
	error
	lasts time.Duration
}

func (e *outageError) Unwrap() error { return e.error }

// reach is what is known of how a module reaches a database that processes share.
type reach struct {
	mu   sync.Mutex
	met  bool      // it has answered once
	away time.Time // since when it does not any more; zero while it does
	last *question // under way; nil for none
}

// question is put to a database.
type question struct {
	answered chan struct{} // closed then
	err      error
}

// ask puts a question, but waits for the answer no longer than ctx: a server that is gone without a word keeps who asks
// waiting for longer. Whoever asks meanwhile waits for the same answer.
func (r *reach) ask(ctx context.Context, read func(context.Context) error) error {
	r.mu.Lock()
	q := r.last
	if q == nil {
		q = &question{answered: make(chan struct{})}
		r.last = q
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
			defer cancel()
			q.err = read(ctx)
			r.mu.Lock()
			r.last = nil
			r.mu.Unlock()
			close(q.answered)
		}()
	}
	r.mu.Unlock()
	select {
	case <-q.answered:
		return q.err
	case <-ctx.Done():
		return store.ErrUnreachable.With("storage does not answer").Because(ctx.Err())
	}
}

func (r *reach) hasMet() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.met
}

// note keeps whether the database has answered, and says for how long it has not.
func (r *reach) note(answered bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answered {
		r.met, r.away = true, time.Time{}
		return 0
	}
	if r.away.IsZero() {
		r.away = time.Now()
	}
	return time.Since(r.away)
}

// reads tries the module's database. One that processes share may be away for all of them: a process that called itself
// unready for that would be taken away, as would all others at the same moment, with everything under way and with
// what needs no database. So by itself it counts only until it has answered once; see serveReady.
func (s *Set) reads(ctx context.Context, m Module) error {
	read := func(ctx context.Context) error {
		return m.DB.Read(ctx, func(q store.Queryer) error {
			var one int
			return q.Get(&one, `SELECT 1`)
		})
	}
	r := s.reached[m.Name]
	met := r.hasMet()
	if !m.DB.Shared() || !met {
		err := read(ctx)
		if err == nil && m.DB.Shared() {
			r.note(true)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sharedTime)
	defer cancel()
	err := r.ask(ctx, read)
	if lasts := r.note(err == nil); err != nil {
		return &outageError{err, lasts}
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

// serveReady answers /readyz. A balancer that has somewhere to go when nobody is ready asks for /readyz?outage=5s: then a process
// whose database has been away for that long says 404 too. It gets nothing new as long as others have theirs, and
// finishes what it has; when it is away for all of them, nobody is the worse for it.
func (s *Set) serveReady(w http.ResponseWriter, r *http.Request) {
	atMost, counts := time.Duration(0), r.URL.Query().Has("outage")
	if counts {
		var err error
		if atMost, err = time.ParseDuration(r.URL.Query().Get("outage")); err != nil {
			httpx.WriteProblem(w, r, httpx.ErrInvalid.WithField("outage", "should be a time, as 5s").Because(err))
			return
		}
	}
	all := readiness{Stopping: s.state.Load(), Modules: s.Health(r.Context())}
	leave, broken := all.Stopping, false
	for _, h := range all.Modules {
		leave = leave || h.Outage && counts && h.lasts >= atMost
		broken = broken || !h.Ready && !h.Outage
	}
	all.Ready = !leave && !broken
	w.Header().Set("Content-Type", "application/json")
	switch {
	case all.Stopping, leave && !broken: // not 503: by this a balancer tells who is only to get nothing more from who is broken
		w.WriteHeader(http.StatusNotFound)
	case broken:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(all) // the client may be gone
}
