package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgtest"
)

// replicas are three full souks, each a process of its own, on one database and behind a balancer.
type replicas struct {
	*balancer
	args     []string
	dirs     []string
	children []*child
	crew     crew
	listings []listingSeen
}

func openReplicas(t *testing.T, more ...string) *replicas {
	t.Helper()
	db := pgtest.Database(t)
	r := &replicas{
		dirs: []string{t.TempDir(), t.TempDir(), t.TempDir()},
		args: append([]string{"--db", db, "--proxies", "127.0.0.0/8"}, more...),
	}
	r.crew = fillForCrashesOn(t, r.dirs[0], db)
	urls := make([]string, len(r.dirs))
	for i, dir := range r.dirs {
		r.children = append(r.children, spawn(t, dir, "", r.args...))
		urls[i] = r.children[i].url
	}
	r.balancer = frontOf(t, urls...)
	r.listings = goods(t, r.url, 8, 1)
	return r
}

// comingFrom is the transport of a client with an address of its own, as the first proxy says it: limits count by it.
type comingFrom string

func (f comingFrom) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(f))
	return http.DefaultTransport.RoundTrip(r)
}

// load is what buyers, sellers and an operator have done and know of, while they go on.
type load struct {
	stop   context.CancelFunc
	acting sync.WaitGroup

	mu    sync.Mutex
	next  int
	made  []*bought
	deeds []*orderAct
	acked int
}

// settling is how long a buyer waits for its money to be taken before it goes on without acting.
const settling = 5 * time.Second

// press has so many people buy, and act on what was bought, until the load is stopped.
func (r *replicas) press(t *testing.T, people int, random *rand.Rand) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	methods := []string{"sandbox_ok", "sandbox_ok", "sandbox_ok", "sandbox_declined", "sandbox_lost_reply"}
	for range people {
		mine := rand.New(rand.NewPCG(random.Uint64(), 3))
		l.acting.Go(func() {
			for ctx.Err() == nil {
				b, err := begin(t.Context(), r.url, l.client(), r.listings, methods[mine.IntN(len(methods))], mine)
				if err != nil {
					continue // the balancer has noted why
				}
				l.add(b)
				said, a, err := b.shopper.checkout(t.Context(), b.quote, b.method, b.key)
				if err != nil || a.status >= 300 {
					continue
				}
				l.heard(b, said)
				if said.Status == "placed" && said.Link != "" {
					acts, end := context.WithTimeout(t.Context(), settling)
					r.crew.acts(acts, b, mine, l.did)
					end()
				}
			}
		})
	}
	t.Cleanup(func() { stop(); l.acting.Wait() })
	return l
}

// client is one whom no limit has counted yet.
func (l *load) client() *http.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	return &http.Client{Transport: comingFrom(fmt.Sprintf("10.1.%d.%d", l.next/250, 1+l.next%250))}
}

func (l *load) add(b *bought) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made = append(l.made, b)
}

func (l *load) heard(b *bought, said checkoutSeen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.said, b.acked = said, true
	l.acked++
}

func (l *load) did(d *orderAct) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deeds = append(l.deeds, d)
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked
}

// more waits until so many more checkouts were acknowledged.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	least := l.count() + n
	until(t, "the marketplace goes on", func() bool { return l.count() >= least })
}

// halted stops the load and says what it knows.
func (l *load) halted() ([]*bought, []*orderAct) {
	l.stop()
	l.acting.Wait()
	return l.made, l.deeds
}

// purchase buys something, and returns when its money was taken.
func (r *replicas) purchase(t *testing.T, l *load, random *rand.Rand) {
	t.Helper()
	var b *bought
	until(t, "a whole purchase", func() bool {
		if b == nil {
			var err error
			if b, err = begin(t.Context(), r.url, l.client(), r.listings, "sandbox_ok", random); err != nil {
				b = nil
				return false
			}
			l.add(b)
		}
		said, a, err := b.shopper.checkout(t.Context(), b.quote, b.method, b.key)
		if err != nil || a.status >= 300 {
			return false
		}
		l.heard(b, said)
		if said.Status == "rejected" {
			b = nil // and begin anew
		}
		return said.Status == "placed"
	})
	ctx, end := context.WithTimeout(t.Context(), patience)
	defer end()
	_, ok := b.settled(ctx)
	require.True(t, ok, "order %s is not paid for", b.said.Order)
}

func replicaRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SOUK_REPLICA_ROUNDS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// TestThreeReplicasUnderLoad kills one of three processes on one database and stops another, while
// people buy, cancel, ship and deliver; later the stopped one wakes, not knowing that time has passed,
// and the killed one is started again. Nothing acknowledged may be lost and nothing done twice,
// and clients may see fail only what was at these two.
func TestThreeReplicasUnderLoad(t *testing.T) {
	rounds, seed := replicaRounds(t), uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	r := openReplicas(t, "--bus", startNATS(t), "--bus-prefix", key())
	t.Logf("seed %d, %d rounds", seed, rounds)
	for round := range rounds {
		r.badMinute(t, random, fmt.Sprintf("round %d", round))
	}
}

// badMinute is one round of it.
func (r *replicas) badMinute(t *testing.T, random *rand.Rand, when string) {
	t.Helper()
	before := len(r.mishaps())
	l := r.press(t, 6, random)
	l.more(t, 10)
	who := random.Perm(len(r.members))
	killed, stopped, left := who[0], who[1], who[2]
	struck := time.Now()
	r.members[killed].strike(r.children[killed].kill)
	r.members[stopped].strike(func() { r.signal(t, stopped, syscall.SIGSTOP) })
	until(t, when+": both get nothing any more", func() bool {
		one, _ := r.members[killed].given()
		other, _ := r.members[stopped].given()
		return !one.IsZero() && !other.IsZero()
	})
	given := time.Since(struck)
	r.purchase(t, l, random)
	served := time.Since(struck)
	l.mu.Lock()
	cut := append([]*bought(nil), l.made...)
	l.mu.Unlock()
	r.rest(t, cut, when)
	rested := time.Since(struck)
	l.more(t, 5)

	r.signal(t, stopped, syscall.SIGCONT)
	r.children[killed].gone(t)
	r.children[killed] = spawn(t, r.dirs[killed], "", r.args...)
	r.members[killed].moved(t, r.children[killed].url)
	r.members[killed].well()
	r.members[stopped].well()
	until(t, when+": all three serve", func() bool { return r.serving() == len(r.members) })
	l.more(t, 10)
	made, deeds := l.halted()

	placed := 0
	for _, b := range made {
		b.settle(t, when)
		placed += r.paidOnce(t, b, when)
	}
	for _, d := range deeds {
		d.settle(t, r.url, when)
	}
	for _, i := range []int{left, stopped, killed} {
		report := verifyAt(t, r.dirs[i])
		require.True(t, report.Sound(), "%s, asked of replica %d: %+v", when, i, broken(report))
	}
	assert.Positive(t, placed)
	seen := map[string]int{}
	for _, m := range r.mishaps()[before:] {
		seen[m.excused]++
		assert.NotEmpty(t, m.excused, "%s: a client saw fail at %s, %s after the strike (replica %d was killed, %d stopped): %s", when, m.member, m.began.Sub(struck), killed, stopped, m.what)
	}
	t.Logf("%s: replica %d killed, %d stopped; given up after %s, a whole purchase after %s, all that was under way at rest after %s", when, killed, stopped,
		given.Round(time.Millisecond), served.Round(time.Millisecond), rested.Round(time.Millisecond))
	t.Logf("%s: %d checkouts, %d placed, %d acts; failures that clients saw: %v", when, len(made), placed, len(deeds), seen)
}

func (r *replicas) signal(t *testing.T, i int, s syscall.Signal) {
	t.Helper()
	require.NoError(t, r.children[i].cmd.Process.Signal(s))
}

// rest waits until none of these checkouts is under way, and what was placed has been paid for.
func (r *replicas) rest(t *testing.T, all []*bought, when string) {
	t.Helper()
	for _, b := range all {
		at := &bought{shopper: b.shopper} // b's own is its buyer's to write
		until(t, when+": a checkout comes to rest", func() bool {
			said, a, err := b.shopper.checkout(t.Context(), b.quote, b.method, b.key)
			at.said = said
			return err == nil && a.status < 300 && said.Status != "pending"
		})
		if at.said.Status == "rejected" {
			continue
		}
		ctx, end := context.WithTimeout(t.Context(), patience)
		_, ok := at.settled(ctx)
		end()
		require.True(t, ok, "%s: order %s is not paid for", when, at.said.Order)
	}
}

// paidOnce says, as a number, whether b was placed, which takes one payment and no more.
func (r *replicas) paidOnce(t *testing.T, b *bought, when string) int {
	t.Helper()
	if b.said.Status != "placed" && b.said.Status != "completed" {
		return 0
	}
	var payments struct {
		Payments []struct {
			ID string `json:"id"`
		} `json:"payments"`
	}
	operator := &shopper{url: r.url, bearer: r.crew.operator}
	operator.must(t, http.MethodGet, "/api/v1/payments/orders/"+b.said.Order+"/payments", "", nil, &payments)
	assert.Len(t, payments.Payments, 1, "%s: payments of order %s", when, b.said.Order)
	return 1
}
