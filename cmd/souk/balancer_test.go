package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// How a balancer looks after its processes, as docs/deploy has haproxy do it. Only to those to which a test has done something does it
// do so in the end, see well: on a slow machine one that is merely busy is not to be taken for broken, and what it has cut off.
const (
	checkEvery  = 200 * time.Millisecond
	checkWithin = time.Second
	checkFalls  = 2 // failures after which a process gets nothing more, and what it has is cut off
)

// balancer shares requests out, in turn, over the processes that say that they are ready. It never
// repeats one: what goes wrong its client sees. What is under way at a process that it
// gives up is cut off.
type balancer struct {
	url     string
	members []*member
	turn    atomic.Uint64

	mu    sync.Mutex
	wrong []mishap
}

// member is a process behind a balancer.
type member struct {
	name   string
	pool   *http.Transport
	checks *http.Transport
	proxy  *httputil.ReverseProxy
	fails  int // checks in a row, of the goroutine that checks

	mu     sync.Mutex
	to     *url.URL
	up     bool
	leaves bool            // it has said that it stops
	reign  context.Context // ends when the process is given up
	depose context.CancelFunc
	ill    bool               // a test has done something to it, and nothing to make it well again
	struck time.Time          // when a test did something to it; zero while it is well
	gone   time.Time          // when it was given up after that
	back   time.Time          // when it was taken again after that
	look   context.CancelFunc // ends the check that is under way
}

// mishap is a request that a client saw fail.
type mishap struct {
	member  string
	what    string
	began   time.Time
	ended   time.Time
	excused string // why that was to be expected; "" if it was not
}

// routed is what a request through the balancer carries along.
type routed struct {
	began  time.Time
	of     *member
	client context.Context
}

type routedKey struct{}

// frontOf starts a balancer before processes at these addresses, until the test ends.
func frontOf(t testing.TB, urls ...string) *balancer {
	t.Helper()
	b := &balancer{}
	ctx, stop := context.WithCancel(context.Background())
	var checking sync.WaitGroup
	for i, text := range urls {
		m := &member{name: fmt.Sprintf("replica %d", i), pool: &http.Transport{MaxIdleConnsPerHost: 64}}
		m.checks = &http.Transport{DisableKeepAlives: true}
		m.moved(t, text)
		m.proxy = &httputil.ReverseProxy{
			Transport:      m.pool,
			Rewrite:        m.rewrite,
			ModifyResponse: func(res *http.Response) error { b.answered(res); return nil },
			ErrorHandler:   b.failed,
		}
		b.members = append(b.members, m)
		checking.Go(func() { m.watch(ctx) })
	}
	server := httptest.NewServer(b)
	b.url = server.URL
	t.Cleanup(func() {
		server.Close()
		stop()
		checking.Wait()
		for _, m := range b.members {
			m.pool.CloseIdleConnections()
		}
	})
	until(t, "the balancer has found every process", func() bool { return b.serving() == len(urls) })
	return b
}

// serving is how many processes get requests.
func (b *balancer) serving() (n int) {
	for _, m := range b.members {
		if _, up := m.now(); up {
			n++
		}
	}
	return n
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, turn := time.Now(), b.turn.Add(1)
	for i := range b.members {
		m := b.members[(turn+uint64(i))%uint64(len(b.members))]
		reign, up := m.now()
		if !up {
			continue
		}
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), routedKey{}, routed{began, m, r.Context()}))
		defer cancel()
		defer context.AfterFunc(reign, cancel)()
		b.pass(w, r.WithContext(ctx), m)
		return
	}
	b.note(mishap{member: "balancer", what: "nobody is ready", began: began})
	w.WriteHeader(http.StatusServiceUnavailable)
}

// pass hands a request on. An answer that is cut off in its middle is cut off for the client too.
func (b *balancer) pass(w http.ResponseWriter, r *http.Request, m *member) {
	defer func() {
		if p := recover(); p != nil {
			b.blame(r, "the answer was cut off")
			panic(p)
		}
	}()
	m.proxy.ServeHTTP(w, r)
}

// answered notes what a process itself said that it could not do.
func (b *balancer) answered(res *http.Response) {
	if res.StatusCode >= http.StatusInternalServerError {
		b.blame(res.Request, res.Status)
	}
}

// failed answers for a process that did not.
func (b *balancer) failed(w http.ResponseWriter, r *http.Request, err error) {
	b.blame(r, err.Error())
	w.WriteHeader(http.StatusBadGateway)
}

// blame notes a failure, and whether something had been done to the process that explains it.
func (b *balancer) blame(r *http.Request, what string) {
	a, ok := r.Context().Value(routedKey{}).(routed)
	if !ok || a.client.Err() != nil { // whoever has gone away sees nothing fail
		return
	}
	at := mishap{member: a.of.name, what: r.Method + " " + r.URL.Path + ": " + what, began: a.began}
	a.of.mu.Lock()
	struck, gone, back := a.of.struck, a.of.gone, a.of.back
	a.of.mu.Unlock()
	switch {
	case struck.IsZero() || (!back.IsZero() && a.began.After(back)):
	case a.began.Before(struck):
		at.excused = "in flight"
	case gone.IsZero() || a.began.Before(gone):
		at.excused = "sent before the health check removed it"
	}
	b.note(at)
}

func (b *balancer) note(m mishap) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.ended = time.Now()
	b.wrong = append(b.wrong, m)
}

// mishaps are what clients saw fail so far.
func (b *balancer) mishaps() []mishap {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]mishap(nil), b.wrong...)
}

// moved says that the process is now at another address.
func (m *member) moved(t testing.TB, to string) {
	t.Helper()
	u, err := url.Parse(to)
	require.NoError(t, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to = u
}

func (m *member) now() (context.Context, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reign, m.up
}

// strike does something to the process, and remembers when. A check that is under way ends, as it may be a patient one.
func (m *member) strike(do func()) {
	m.mu.Lock()
	m.ill, m.struck, m.gone, m.back = true, time.Now(), time.Time{}, time.Time{}
	look := m.look
	m.mu.Unlock()
	do()
	if look != nil {
		look()
	}
}

// well says that nothing is wrong with the process any more.
func (m *member) well() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ill = false
}

// given says when the process was given up and taken again since it was struck.
func (m *member) given() (gone, back time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gone, m.back
}

func (m *member) rewrite(r *httputil.ProxyRequest) {
	m.mu.Lock()
	to := m.to
	m.mu.Unlock()
	r.SetURL(to)
	r.Out.Host = r.In.Host
	r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	r.SetXForwarded()
}

// watch checks the process until ctx ends.
func (m *member) watch(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		m.check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (m *member) check(ctx context.Context) {
	m.mu.Lock()
	at, within := m.to.String(), patience
	if m.ill {
		within = checkWithin
	}
	looking, end := context.WithTimeout(ctx, within)
	m.look = end
	m.mu.Unlock()
	defer end()
	status := 0
	req, err := http.NewRequestWithContext(looking, http.MethodGet, at+"/readyz", nil)
	if err != nil {
		return
	}
	if res, err := m.checks.RoundTrip(req); err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		status = res.StatusCode
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case status == http.StatusOK:
		m.fails, m.leaves = 0, false
		if !m.up {
			m.up, m.back = true, time.Now()
		}
		if m.reign == nil || m.reign.Err() != nil {
			m.reign, m.depose = context.WithCancel(ctx)
		}
		return
	case status == http.StatusNotFound && m.up: // what is under way stays
		m.up, m.leaves, m.gone = false, true, time.Now()
	}
	if status == http.StatusNotFound || !m.ill {
		return
	}
	if m.fails++; m.fails >= checkFalls && m.reign != nil && m.reign.Err() == nil {
		if m.up {
			m.up, m.gone = false, time.Now()
		}
		m.depose()
		m.pool.CloseIdleConnections()
	}
}

// left says whether the process was seen to say that it stops, since it last served.
func (m *member) left() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leaves
}
