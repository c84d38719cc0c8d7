package balance_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/balance"
)

// process is a process that can be told how to be.
type process struct {
	*httptest.Server
	name string

	mu     sync.Mutex
	status int
	hold   chan struct{} // what holds up requests; nil for nothing
	got    int
}

func newProcess(t *testing.T, name string) *process {
	t.Helper()
	p := &process{name: name, status: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		status, hold := p.status, p.hold
		if r.URL.Path != "/readyz" {
			p.got++
		}
		p.mu.Unlock()
		if r.URL.Path == "/readyz" {
			assert.Equal(t, "outage=5s", r.URL.RawQuery)
			w.WriteHeader(status)
			return
		}
		if hold != nil {
			<-hold
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, strings.Join([]string{name, r.Method, r.Host, r.Header.Get("X-Forwarded-For"), string(body)}, " "))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *process) be(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

func (p *process) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}

func (p *process) member(t *testing.T) balance.Member {
	t.Helper()
	at, err := url.Parse(p.URL)
	require.NoError(t, err)
	return balance.Member{Name: p.name, At: at}
}

// front is a balancer before processes, which tells what it finds.
type front struct {
	*httptest.Server
	said chan string
}

func before(t *testing.T, processes ...*process) *front {
	t.Helper()
	f := &front{said: make(chan string, 100)}
	var members []balance.Member
	for _, p := range processes {
		members = append(members, p.member(t))
	}
	b := balance.New(balance.Config{
		Members: members, Every: time.Millisecond, Within: time.Minute,
		Said: func(name string, now balance.Health) { f.said <- name + " " + string(now) },
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	f.Server = httptest.NewServer(b)
	t.Cleanup(func() { f.Close(); stop(); <-done })
	for range processes {
		assert.Contains(t, <-f.said, " up")
	}
	return f
}

func (f *front) post(t *testing.T, text string) (int, string) {
	t.Helper()
	status, answer, err := f.ask(text)
	require.NoError(t, err)
	return status, answer
}

func (f *front) ask(text string) (int, string, error) {
	res, err := http.Post(f.URL+"/buy", "text/plain", strings.NewReader(text))
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

func TestRequestsAreSharedOut(t *testing.T) {
	t.Parallel()
	a, b := newProcess(t, "a"), newProcess(t, "b")
	f := before(t, a, b)
	for range 10 {
		status, text := f.post(t, "lamp")
		assert.Equal(t, http.StatusOK, status)
		assert.Regexp(t, `^[ab] POST `+strings.TrimPrefix(f.URL, "http://")+` 127.0.0.1 lamp$`, text)
	}
	assert.Equal(t, 5, a.requests())
	assert.Equal(t, 5, b.requests())
}

func TestWhoLeavesGetsNothingNewAndFinishesWhatItHas(t *testing.T) {
	t.Parallel()
	a, b := newProcess(t, "a"), newProcess(t, "b")
	a.hold = make(chan struct{})
	f := before(t, a, b)
	answers := make(chan string, 2)
	for range 2 {
		go func() {
			_, text, err := f.ask("slow")
			answers <- fmt.Sprint(text, err)
		}()
	}
	assert.Contains(t, <-answers, "b POST", "the other one waits")
	require.Eventually(t, func() bool { return a.requests() == 1 }, time.Minute, time.Millisecond)
	a.be(http.StatusNotFound)
	assert.Equal(t, "a leaving", <-f.said)
	for range 4 {
		_, text := f.post(t, "lamp")
		assert.Contains(t, text, "b POST")
	}
	close(a.hold)
	assert.Contains(t, <-answers, "a POST")
	a.be(http.StatusOK)
	assert.Equal(t, "a up", <-f.said)
}

// Who has lost its database says that it leaves: others get what comes as long as they have theirs, and when nobody has,
// all answer as well as they can.
func TestWhenNobodyIsUpWhoLeavesIsAsked(t *testing.T) {
	t.Parallel()
	a, b, c := newProcess(t, "a"), newProcess(t, "b"), newProcess(t, "c")
	f := before(t, a, b, c)
	a.be(http.StatusNotFound)
	assert.Equal(t, "a leaving", <-f.said)
	c.be(http.StatusServiceUnavailable)
	assert.Equal(t, "c down", <-f.said)
	for range 4 {
		_, text := f.post(t, "lamp")
		assert.Contains(t, text, "b POST", "it alone has its database")
	}
	b.be(http.StatusNotFound)
	assert.Equal(t, "b leaving", <-f.said)
	for range 6 {
		status, text := f.post(t, "lamp")
		assert.Equal(t, http.StatusOK, status)
		assert.Regexp(t, `^[ab] POST`, text)
	}
	assert.Equal(t, 10, a.requests()+b.requests())
	assert.NotZero(t, a.requests())
	assert.Zero(t, c.requests(), "who is given up is not asked")
	a.be(http.StatusOK)
	assert.Equal(t, "a up", <-f.said)
	was := b.requests()
	for range 3 {
		_, text := f.post(t, "lamp")
		assert.Contains(t, text, "a POST")
	}
	assert.Equal(t, was, b.requests())
}

func TestWhoIsGivenUpIsCutOff(t *testing.T) {
	t.Parallel()
	a := newProcess(t, "a")
	a.hold = make(chan struct{})
	defer close(a.hold)
	f := before(t, a)
	statuses := make(chan int, 1)
	go func() {
		status, _, _ := f.ask("slow")
		statuses <- status
	}()
	require.Eventually(t, func() bool { return a.requests() == 1 }, time.Minute, time.Millisecond)
	a.be(http.StatusServiceUnavailable)
	assert.Equal(t, "a down", <-f.said)
	assert.Equal(t, http.StatusBadGateway, <-statuses)
	status, text := f.post(t, "lamp")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, text, "Try again in a moment")
}

// What was not sent goes to another; what was is not repeated, since it may have been done.
func TestOnlyWhatWasNotSentGoesToAnother(t *testing.T) {
	t.Parallel()
	b := newProcess(t, "b")
	gone := newProcess(t, "gone")
	brief := &process{Server: httptest.NewUnstartedServer(nil), name: "brief"}
	var mu sync.Mutex
	cut := 0
	brief.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			return
		}
		mu.Lock()
		cut++
		mu.Unlock()
		panic(http.ErrAbortHandler)
	})
	brief.Start()
	t.Cleanup(brief.Close)

	up := make(chan string, 100)
	balancer := balance.New(balance.Config{
		Members: []balance.Member{gone.member(t), b.member(t), brief.member(t)},
		Every:   time.Hour, Within: time.Minute, Said: func(name string, _ balance.Health) { up <- name },
	})
	go balancer.Run(t.Context())
	for range 3 {
		<-up
	}
	gone.Close() // and nobody looks again
	server := httptest.NewServer(balancer)
	t.Cleanup(server.Close)
	f := &front{Server: server}
	served, failed := 0, 0
	for range 9 {
		switch status, text := f.post(t, "lamp"); status {
		case http.StatusOK:
			assert.Contains(t, text, "b POST")
			assert.Contains(t, text, "lamp", "with its body")
			served++
		default:
			assert.Equal(t, http.StatusBadGateway, status)
			failed++
		}
	}
	assert.Equal(t, 6, served, "those for the one that is gone, and its own")
	assert.Equal(t, 3, failed)
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, 3, cut, "none was tried again")
}

// What went to another because no connection came about is that one's: that the dead one is found down later
// does not cut it off.
func TestWhatWentToAnotherStaysThereWhenTheDeadOneIsFoundDown(t *testing.T) {
	t.Parallel()
	b, gone := newProcess(t, "b"), newProcess(t, "gone")
	b.hold = make(chan struct{})
	open := sync.OnceFunc(func() { close(b.hold) })
	said := make(chan string, 100)
	balancer := balance.New(balance.Config{
		Members: []balance.Member{gone.member(t), b.member(t)}, Every: time.Hour, Within: time.Minute, Falls: 1,
		Said: func(name string, now balance.Health) { said <- name + " " + string(now) },
	})
	looks := func() (end func()) { // once at each, since the next look is an hour away
		ctx, stop := context.WithCancel(t.Context())
		var looking sync.WaitGroup
		looking.Go(func() { balancer.Run(ctx) })
		return func() { stop(); looking.Wait() }
	}
	end := looks()
	assert.ElementsMatch(t, []string{"gone up", "b up"}, []string{<-said, <-said})
	end()
	gone.Close()
	f := &front{Server: httptest.NewServer(balancer)}
	defer f.Close()
	defer open()

	const buyers = 4
	statuses := make(chan int, buyers)
	for range buyers {
		go func() {
			status, _, _ := f.ask("slow")
			statuses <- status
		}()
	}
	require.Eventually(t, func() bool { return b.requests() == buyers }, time.Minute, time.Millisecond, "half of them came after nobody took them")
	defer looks()()
	assert.Equal(t, "gone down", <-said)
	open()
	for range buyers {
		assert.Equal(t, http.StatusOK, <-statuses)
	}
}
