// Package balance shares requests out over processes that serve the same, for `souk up` on a machine
// without a load balancer of its own. It goes by what haproxy is told in docs/deploy/replicas.
//
// A process is asked on /readyz again and again. One that answers 200 gets requests, in turn with the others; one that
// answers 404 is stopping or has lost its database: it gets nothing new as long as there are others, and finishes what
// it has; one that fails twice is given up, and what is under way there is cut off. A request goes to another process only if
// no connection came about: whatever may have been begun is never done again.
package balance

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what is balanced.
type Config struct {
	Members []Member
	Every   time.Duration                 // between two checks; default half a second
	Within  time.Duration                 // how long a check may take; default a second
	Falls   int                           // checks in a row that fail before a process is given up; default 2
	Said    func(name string, now Health) // told when a process changes; nil for nobody
}

// Member is one process.
type Member struct {
	Name string
	At   *url.URL
}

// Health is how a process is.
type Health string

// A process gets requests, gets no new ones, or is given up.
const (
	Up      Health = "up"
	Leaving Health = "leaving"
	Down    Health = "down"
)

// Balancer is a handler in front of the processes. It knows of one what Run found out.
type Balancer struct {
	cfg     Config
	members []*member
	turn    atomic.Uint64
	proxy   *httputil.ReverseProxy
}

type member struct {
	Member
	pool   *http.Transport
	checks *http.Client
	fails  int // in a row; of the goroutine that checks

	mu     sync.Mutex
	health Health
	reign  context.Context // ends when the process is given up
	depose context.CancelFunc
}

// New is a balancer that has asked nobody yet.
func New(c Config) *Balancer {
	if c.Every == 0 {
		c.Every = 500 * time.Millisecond
	}
	if c.Within == 0 {
		c.Within = time.Second
	}
	if c.Falls == 0 {
		c.Falls = 2
	}
	b := &Balancer{cfg: c}
	for _, m := range c.Members {
		b.members = append(b.members, &member{
			Member: m, health: Down, pool: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second},
			checks: &http.Client{Timeout: c.Within, Transport: &http.Transport{DisableKeepAlives: true}},
		})
	}
	b.proxy = &httputil.ReverseProxy{Rewrite: rewrite, Transport: b, ErrorHandler: failed, FlushInterval: -1}
	return b
}

// Run asks every process how it is until ctx ends; then what is under way is left alone.
func (b *Balancer) Run(ctx context.Context) {
	var checking sync.WaitGroup
	for _, m := range b.members {
		checking.Go(func() {
			tick := time.NewTicker(b.cfg.Every)
			defer tick.Stop()
			for {
				b.check(ctx, m)
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	checking.Wait()
}

func (b *Balancer) check(ctx context.Context, m *member) {
	at := m.At.JoinPath("readyz")
	at.RawQuery = "outage=5s" // without its database it is to be left alone, if others have theirs
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return
	}
	status := 0
	if res, err := m.checks.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, res.Body) // only that it came
		_ = res.Body.Close()
		status = res.StatusCode
	}
	switch {
	case ctx.Err() != nil:
	case status == http.StatusOK:
		m.fails = 0
		b.now(m, Up)
	case status == http.StatusNotFound:
		if m.is() == Up {
			b.now(m, Leaving)
		}
	default:
		if m.fails++; m.fails >= b.cfg.Falls {
			b.now(m, Down)
		}
	}
}

func (m *member) is() Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.health
}

// now notes how m is.
func (b *Balancer) now(m *member, h Health) {
	m.mu.Lock()
	was := m.health
	m.health = h
	if h == Up && m.reign == nil {
		m.reign, m.depose = context.WithCancel(context.Background())
	}
	if h == Down && m.reign != nil {
		m.depose()
		m.reign, m.depose = nil, nil
		m.pool.CloseIdleConnections()
	}
	m.mu.Unlock()
	if was != h && b.cfg.Said != nil {
		b.cfg.Said(m.Name, h)
	}
}

// while says whether m is like that, and for how long it may keep a request.
func (m *member) while(h Health) (context.Context, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reign, m.health == h
}

// ServeHTTP passes a request on to a process, and its answer back.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, over := context.WithCancel(r.Context())
	defer over()
	b.proxy.ServeHTTP(w, r.WithContext(ctx))
}

func rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.Host = "http", r.In.Host
	r.SetXForwarded()
}

var errNobody = errors.New("nobody is ready")

// RoundTrip sends a request to the first, in turn, that is up; if nobody is, to the first that leaves: when
// all have lost their database, it is answered there as well as it can be.
func (b *Balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	turn := b.turn.Add(1)
	for _, health := range []Health{Up, Leaving} {
		for i := range b.members {
			m := b.members[(turn+uint64(i))%uint64(len(b.members))] //nolint:gosec // an index
			if res, err := m.try(r, health); !errors.Is(err, errNotSent) {
				return res, err
			}
		}
	}
	return nil, errNobody
}

var errNotSent = errors.New("it was not sent")

// try has m answer r, if it is like that and for as long as it reigns.
func (m *member) try(r *http.Request, health Health) (*http.Response, error) {
	reign, ok := m.while(health)
	if !ok {
		return nil, errNotSent
	}
	ctx, cut := context.WithCancel(r.Context()) // of what m alone does: when m is given up, nobody else is cut off
	forget := context.AfterFunc(reign, cut)     //nolint:contextcheck // no context for a call: it ends when the process is given up
	context.AfterFunc(ctx, func() { forget() }) // at the latest when the request is over
	res, err := m.send(r.WithContext(ctx))
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" && r.Context().Err() == nil {
		err = errNotSent
	}
	if err != nil {
		cut()
	}
	return res, err
}

// send sends r to m.
func (m *member) send(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = m.At.Scheme, m.At.Host
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = io.NopCloser(r.Body) // another may need it, when no connection comes about; its reader closes it
	}
	return m.pool.RoundTrip(out)
}

func failed(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if errors.Is(err, errNobody) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "No process of this souk can answer just now. Try again in a moment.\n") // the client may be gone
		return
	}
	w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(w, "The process that had this request did not answer it.\n") // the client may be gone
}
