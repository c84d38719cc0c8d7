package searchsvc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/job"
	"souk/internal/platform/module"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/suggest"
	"souk/internal/search/searchsvc/internal/words"
)

const moduleName = "search"

// analyser is what words come from.
var analyser = fmt.Sprint("words ", words.Version, ", facts 1, said 1")

// Config is what the module stands on.
type Config struct {
	DB        *store.DB
	Bus       *bus.Bus        // nil: it hears nothing, for what only reads
	Catalog   catalog.Service // asked to rebuild, and only then
	Orders    orders.Service  // asked to count again what was sold, and only then; nil: orders are not heard
	Telemetry telemetry.Module
	Now       func() clock.Time // default: the database's clock
	Part      bool              // other processes serve the same marketplace, each with a search of its own
	Close     int               // results that are looked at closely to put them in order; 0: as many as is quick
	Fixed     bool              // rules come from a file (AdoptRules), and nobody changes them here; so it is also with Part
}

// Service is search.
type Service struct {
	db         *store.DB
	catalog    catalog.Service
	now        func() clock.Time
	telemetry  telemetry.Module
	limits     limits
	sets       map[string]*set
	subscriber *bus.Subscriber
	orders     orders.Service
	sales      *bus.Subscriber
	reading    sync.Mutex // of orders: what it has read is not forgotten before it is counted
	jobs       *job.Runner
	counting   *counting
	rules      atomic.Pointer[rules.Book]
	part       bool
	fixed      bool // rules are not changed here
	adopted    bool // they are those of a file
	popular    atomic.Pointer[[]suggest.Popular]
	outcomes   sync.Map // of outcome to telemetry.Counter
	took       telemetry.Histogram
	unsettled  unsettled
	telling    telling

	process  string        // names this process as the builder of a set
	building chan struct{} // full while this process builds
	broken   chan struct{} // holds a token when building has failed

	mem   sync.RWMutex
	shelf *shelf
	next  *shelf // of the set that is about to become active
}

var _ search.Service = (*Service)(nil)

// New builds the module; nothing runs yet.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = c.DB.Now
	}
	s := &Service{
		db: c.DB, catalog: c.Catalog, orders: c.Orders, now: c.Now, telemetry: c.Telemetry, limits: usualLimits,
		sets: map[string]*set{"a": newSet("a"), "b": newSet("b")}, process: id.New("prc_"), building: make(chan struct{}, 1), broken: make(chan struct{}, 1), telling: telling{wake: make(chan struct{}, 1)},
		took: c.Telemetry.Histogram("souk.search.query.duration", "Time that a query takes.", "s",
			[]float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1}),
	}
	if c.Close > 0 {
		s.limits.close = c.Close
	}
	if c.Bus != nil {
		s.hear(c.Bus)
	}
	if c.Bus != nil && c.Orders != nil {
		s.hearOrders(c.Bus)
	}
	s.counting, s.part, s.fixed = newCounting(), c.Part, c.Fixed || c.Part
	s.jobs = job.NewRunner(job.Config{DB: c.DB, Log: c.Telemetry.Log, Now: c.Now})
	s.jobs.HandlePeriodic(jobForget, s.forget)
	s.jobs.HandlePeriodic(jobRenew, s.renewDaily)
	return s
}

// Module is what the program runs.
func (s *Service) Module() module.Module {
	m := module.Module{Name: moduleName, DB: s.db, Routes: s.routes, Jobs: s.jobs, Start: s.Start, Ready: s.Ready}
	for _, one := range []*bus.Subscriber{s.subscriber, s.sales} {
		if one != nil {
			m.Subscribers = append(m.Subscribers, one)
		}
	}
	return m
}

// done counts how a call ended, by its code.
func (s *Service) done(operation string, err *error) {
	code := "ok"
	if *err != nil {
		code = string(errs.CodeOf(*err))
	}
	name := [2]string{operation, code}
	counter, ok := s.outcomes.Load(name)
	if !ok {
		counter, _ = s.outcomes.LoadOrStore(name, s.telemetry.Counter("souk.search.calls", "Calls to search by how they ended.",
			telemetry.Label{Name: "call", Value: operation}, telemetry.Label{Name: "code", Value: code}))
	}
	counter.(telemetry.Counter).Add(1) //nolint:forcetypeassert // nothing else is stored there
}

// errOvertaken says that memory is of a later time than the snapshot read.
var errOvertaken = errors.New("the index has changed since the snapshot was taken")

// errBusy is for a read that was overtaken again and again.
var errBusy = errs.Refusal(errs.Unavailable, "search.busy").With("the index is changing; try again")

// tries is how often a read begins anew because it was overtaken.
const tries = 8

// view is one snapshot of the active set.
type view struct {
	s *Service
	q store.Queryer
	*set
	marks marks
}

// read runs fn on one snapshot. It runs again if memory has gone ahead of the snapshot
// in a way that shows.
func (s *Service) read(ctx context.Context, fn func(v view) error) error {
	var err error
	for range tries {
		err = s.db.Read(ctx, func(q store.Queryer) error {
			m, err := selectMarks(q)
			if err != nil {
				return err
			}
			return fn(view{s: s, q: q, set: s.sets[m.Active], marks: m})
		})
		if !errors.Is(err, errOvertaken) {
			return err
		}
	}
	return errBusy.Because(err)
}

// atHand is the shelf, at least as new as the snapshot.
func (v view) atHand() (*shelf, error) {
	if err := v.s.catchUp(v); err != nil {
		return nil, err
	}
	v.s.mem.RLock()
	defer v.s.mem.RUnlock()
	if v.s.shelf.generation != v.marks.Generation {
		return nil, errOvertaken
	}
	return v.s.shelf, nil
}

// locked runs fn while nobody changes the shelf. fn asks no database.
func (s *Service) locked(fn func() error) error {
	s.mem.RLock()
	defer s.mem.RUnlock()
	return fn()
}

// withShelf runs fn with the shelf at least as new as the snapshot. fn asks no database.
func (v view) withShelf(fn func(sh *shelf) error) error {
	sh, err := v.atHand()
	if err != nil {
		return err
	}
	return v.s.locked(func() error { return fn(sh) })
}

// catchUp takes onto the shelf what the snapshot has and the shelf has not.
func (s *Service) catchUp(v view) error {
	s.mem.RLock()
	ready := s.shelf != nil && s.shelf.generation == v.marks.Generation && s.shelf.seen.covers(v.marks)
	s.mem.RUnlock()
	if ready {
		return nil
	}
	s.mem.Lock()
	defer s.mem.Unlock()
	switch {
	case s.shelf != nil && s.shelf.generation > v.marks.Generation:
		return errOvertaken
	case s.shelf == nil || s.shelf.generation < v.marks.Generation:
		s.shelf = s.emptyShelf(v.marks.Generation)
		if s.next != nil && s.next.generation == v.marks.Generation {
			s.shelf = s.next
		}
		s.next = nil
	}
	defer s.wakeTeller()
	return s.shelf.load(v.q, v.set, v.marks)
}

// load takes over everything up to now, part by part: what is taken stays taken when it is
// interrupted.
func (s *shelf) load(q store.Queryer, from *set, now marks) error {
	for !s.seen.covers(now) {
		w, err := from.selectWritten(q, s.seen, now, &s.facts)
		if err != nil {
			return err
		}
		s.take(w)
	}
	return nil
}

// Warm reads the index's columns into memory before anyone searches. A search that comes
// meanwhile waits for it; what it cannot read now, the first search reads. An index that another
// analyser has made it builds anew.
func (s *Service) Warm(ctx context.Context) error {
	began := time.Now()
	err := s.read(ctx, func(v view) error { return v.withShelf(func(*shelf) error { return nil }) })
	if err != nil && ctx.Err() == nil {
		s.telemetry.Log.Warn().Err(err).Msg("index not read ahead")
	}
	s.telemetry.Log.Debug().Dur("took", time.Since(began)).Msg("index read ahead")
	return s.renew(ctx)
}

// Query finds listings.
func (s *Service) Query(ctx context.Context, r search.QueryRequest) (_ search.QueryReply, err error) {
	defer s.done("query", &err)
	began := time.Now()
	a, err := askOf(r)
	if err != nil {
		return search.QueryReply{}, err
	}
	var reply search.QueryReply
	var whole bool
	err = s.read(ctx, func(v view) (err error) {
		reply, whole, err = v.query(a)
		return err
	})
	if err != nil {
		return search.QueryReply{}, err
	}
	s.took.Record(time.Since(began).Seconds())
	s.count(ctx, r, &reply, whole)
	return reply, nil
}
