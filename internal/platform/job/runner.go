package job

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// Config is what a Runner is made of.
type Config struct {
	DB     *store.DB
	Log    zerolog.Logger       // default: silent
	Now    func() clock.Time    // default: the database's clock
	Rand   func() float64       // jitter of pauses, in [0,1); default: math/rand
	Tracer trace.TracerProvider // default: OpenTelemetry's global one

	Concurrency int           // jobs at once; default 64: they wait for others most of the time
	MaxTries    int           // failures after which a job is dead; default 20, some two hours
	Timeout     time.Duration // of one run; default 5 minutes
	Grace       time.Duration // for running jobs when Run is to end, and once more when they are cancelled; default Grace

	// Lease is how long a run belongs to this runner without being renewed; default 30 seconds, and 6
	// where it is Shared: buyers wait that long for what was under way in a process that died.
	Lease time.Duration
	// Shared says that other processes run jobs of this database too: what is found running is
	// theirs until its lease ends, and what they enqueued and died over is looked for. Always so
	// where the database says it.
	Shared bool
}

func (o Config) withDefaults() Config {
	if o.Now == nil {
		o.Now = o.DB.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Tracer == nil {
		o.Tracer = otel.GetTracerProvider()
	}
	o.Shared = o.Shared || o.DB.Shared()
	if o.Concurrency <= 0 {
		o.Concurrency = 64
	}
	if o.MaxTries <= 0 {
		o.MaxTries = 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Grace <= 0 {
		o.Grace = Grace
	}
	if o.Lease <= 0 && o.Shared {
		o.Lease = 6 * time.Second
	}
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	return o
}

// Grace is how long jobs may take to finish when their Run is to end, and to notice then that they are cancelled. What is cut off is
// done again by another, or after the next start.
const Grace = 5 * time.Second

// The pauses after failures, and the longest time that a timer is trusted for: one that
// runs while the machine sleeps comes late.
const (
	firstPause   = time.Second // twice as long after each failure
	longestPause = 15 * time.Minute
	longestTimer = 10 * time.Minute
	stopPause    = 200 * time.Millisecond // when the database fails; twice as long each time
	longestStop  = 30 * time.Second
	settleAgain  = 5 * time.Second // between tries to write the end of a run down
)

const tracerName = "souk/internal/platform/job"

// Runner runs the jobs of one module. Make it, give it its handlers, then Run it.
type Runner struct {
	o        Config
	log      zerolog.Logger
	tracer   trace.Tracer
	runs     metric.Int64Counter // nil unless instrumented
	handlers map[string]Handler
	kinds    []string
	periodic []string // of these, those whose job comes round by itself

	wake chan struct{} // holds one token when there may be something to do

	claiming  sync.Mutex // one claim at a time
	recovered bool       // what a crash cut off has been taken up

	mu        sync.Mutex
	running   map[name]bool // claimed by this process, and not settled yet
	missed    bool          // something may be due that had to wait for one of these
	unsettled []settlement  // runs whose end could not be written down
}

// name is what a job is known by.
type name struct{ kind, key string }

// NewRunner makes a runner. Nothing happens before Run or RunDue.
func NewRunner(o Config) *Runner {
	o = o.withDefaults()
	r := &Runner{
		o: o, log: o.Log.With().Str("module", o.DB.Module()).Logger(),
		tracer:   o.Tracer.Tracer(tracerName),
		handlers: map[string]Handler{}, wake: make(chan struct{}, 1), running: map[name]bool{},
	}
	o.DB.OnCommit(func(c store.Commit) {
		if c.Jobs {
			r.poke()
		}
	})
	return r
}

// Handle says who does the work of a kind; call it before Run. It panics if somebody does already.
func (r *Runner) Handle(kind string, h Handler) {
	if r.handlers[kind] != nil {
		panic(fmt.Sprintf("jobs %s are handled twice", kind))
	}
	r.handlers[kind] = h
	r.kinds = append(r.kinds, kind)
	slices.Sort(r.kinds)
}

// HandlePeriodic is Handle for a kind whose one job comes round by itself, by Again: expiring, tidying up.
// Nobody may drop it, since nothing would ask for it again before the next start.
func (r *Runner) HandlePeriodic(kind string, h Handler) {
	r.Handle(kind, h)
	r.periodic = append(r.periodic, kind)
}

// Periodic says whether the job of a kind comes round by itself, so that Drop refuses it.
func (r *Runner) Periodic(kind string) bool { return slices.Contains(r.periodic, kind) }

// Kinds are the kinds that somebody handles, in order.
func (r *Runner) Kinds() []string { return slices.Clone(r.kinds) }

func (r *Runner) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run runs jobs as they become due until ctx ends. Then it begins no more, lets those that
// run finish for as long as Grace says, cancels the rest, and puts back what was cut off. Its error
// says how many did not even end then.
func (r *Runner) Run(ctx context.Context) error {
	if len(r.kinds) == 0 {
		<-ctx.Done()
		return nil
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var jobs sync.WaitGroup
	stops := 0
	for ctx.Err() == nil {
		next, err := r.pass(ctx, work, &jobs)
		if err != nil {
			stops++
			pause := r.jitter(min(stopPause<<min(stops-1, 16), longestStop))
			if ctx.Err() == nil {
				r.log.Warn().Err(err).Dur("pause", pause).Msg("jobs stopped for a while")
			}
			r.rest(ctx, pause, false)
			continue
		}
		stops = 0
		r.rest(ctx, next, true)
	}
	return r.end(&jobs, cancel) //nolint:contextcheck // what is left to do begins when ctx has ended
}

// pass begins what is due, and says how long nothing else will be; 0 for as long as nobody wakes.
func (r *Runner) pass(ctx, work context.Context, jobs *sync.WaitGroup) (time.Duration, error) {
	again := time.Duration(0)
	if err := r.settle(ctx); err != nil { // what else is due does not wait for it
		r.log.Warn().Err(err).Dur("pause", settleAgain).Msg("the end of a job could not be written down yet")
		again = settleAgain
	}
	for {
		free := r.free()
		if free <= 0 {
			return again, nil // whoever ends wakes us
		}
		found, err := r.claim(ctx, free)
		if err != nil {
			return 0, err
		}
		for _, j := range found.due {
			jobs.Go(func() { r.work(work, j) })
		}
		if !found.more {
			return sooner(r.restUntil(found.next), again), nil
		}
	}
}

// sooner is the shorter of two rests, where 0 has no end.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// restUntil is how long to rest when nothing is due before next; 0 for as long as nobody wakes.
// Nobody here is woken by what another process enqueued: it looks for that itself, and when it
// dies somebody must.
func (r *Runner) restUntil(next clock.Time) time.Duration {
	longest := longestTimer
	if r.o.Shared {
		longest = r.o.Lease
	} else if next.IsZero() {
		return 0
	}
	if next.IsZero() {
		return longest
	}
	return min(max(next.Sub(r.o.Now()), time.Millisecond), longest)
}

// work runs a job to its end, and has the runner look again if that leaves something to do.
func (r *Runner) work(ctx context.Context, j Job) {
	err := r.call(ctx, j)
	left, err := r.finish(ctx, r.judge(j, err, ctx.Err() != nil))
	if err != nil {
		r.log.Error().Err(err).Str("job", j.Kind).Str("key", j.Key).Msg("the end of a job could not be written down yet")
	}
	if left {
		r.poke()
	}
}

// rest waits for a pause (0 for none to wait for), for ctx, and, if asked, for somebody to wake the runner.
func (r *Runner) rest(ctx context.Context, pause time.Duration, wakeable bool) {
	var over <-chan time.Time
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		over = timer.C
	}
	var wake <-chan struct{}
	if wakeable {
		wake = r.wake
	}
	select {
	case <-over:
	case <-wake:
	case <-ctx.Done():
	}
}

// end waits for the jobs that run, with and then without mercy.
func (r *Runner) end(jobs *sync.WaitGroup, cancel func()) error {
	done := make(chan struct{})
	go func() {
		jobs.Wait()
		close(done)
	}()
	patience := time.NewTimer(r.o.Grace)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		r.log.Warn().Int("running", r.busy()).Msg("jobs are cancelled, for the time to finish is over")
		cancel()
		patience.Reset(r.o.Grace)
		select {
		case <-done:
		case <-patience.C:
			return fmt.Errorf("%d jobs of %s do not end when cancelled", r.busy(), r.o.DB.Module())
		}
	}
	return r.settle(context.Background())
}

// RunDue runs what is due now by the runner's clock, one after the other in the order of their times,
// until nothing is, and says how many runs that took. What a job returns is kept with the job and
// is no error here. It is for tests and commands.
func (r *Runner) RunDue(ctx context.Context) (n int, err error) {
	for {
		if err := r.settle(ctx); err != nil {
			return n, err
		}
		found, err := r.claim(ctx, 1)
		if err != nil || len(found.due) == 0 && !found.more {
			return n, err
		}
		for _, j := range found.due {
			n++
			left, err := r.finish(ctx, r.judge(j, r.call(ctx, j), ctx.Err() != nil))
			if left { // Run may wait for that
				r.poke()
			}
			if err != nil {
				return n, err
			}
		}
	}
}

// free is how many more jobs may run. If that is none, whoever ends wakes the runner.
func (r *Runner) free() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.o.Concurrency - len(r.running)
	r.missed = r.missed || n <= 0
	return n
}

func (r *Runner) busy() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.running)
}

// pauseAfter is how long a job rests after so many failures.
func (r *Runner) pauseAfter(failures int) time.Duration {
	return r.jitter(min(firstPause<<min(max(failures-1, 0), 20), longestPause))
}

// jitter is d less up to a quarter.
func (r *Runner) jitter(d time.Duration) time.Duration {
	return d - time.Duration(float64(d)*r.o.Rand()/4)
}

// judge decides what becomes of a job after a run. One that was cut off by the runner's own end did not fail.
func (r *Runner) judge(j Job, err error, cut bool) settlement {
	s := settlement{job: j, now: r.o.Now()}
	var more again
	var over dead
	switch {
	case err == nil:
		s.fate = fateDone
	case errors.As(err, &more):
		// Never at once, or a handler that says so every time would leave no rest to anyone.
		s.fate, s.at = fateAgain, max(more.at, s.now+1)
	case cut:
		s.fate, s.at, s.tries, s.reason = fateBack, s.now, j.Tries-1, text(err)
	case errors.As(err, &over), j.Tries >= r.o.MaxTries:
		s.fate, s.tries, s.reason = fateDead, j.Tries, text(err)
	default:
		s.fate, s.at, s.tries, s.reason = fateFailed, s.now.Add(r.pauseAfter(j.Tries)), j.Tries, text(err)
	}
	return s
}
