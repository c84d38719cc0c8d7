package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/platform/config"
	"souk/internal/rehearsal"
)

// The environment by which a test has the test binary be the souk that it kills.
const (
	envBe    = "SOUK_TEST_BE_SOUK" // be souk with these arguments, one a line
	envPoint = "SOUK_TEST_KILL_AT" // "after capture 7": die the seventh time that this point is reached
)

func TestMain(m *testing.M) {
	if args := os.Getenv(envBe); args != "" {
		os.Exit(beSouk(strings.Split(args, "\n")))
	}
	os.Exit(m.Run())
}

// beSouk is what main does, and dies where it was told to, as by kill -9.
func beSouk(args []string) int {
	getenv := func(name string) string {
		if name == databaseVariable || name == config.Variable("otlp-endpoint") { // souk up tells its children by it
			return os.Getenv(name)
		}
		return ""
	}
	w := &world{getenv: getenv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	if at := os.Getenv(envPoint); at != "" {
		cut := strings.LastIndex(at, " ")
		left, err := strconv.Atoi(at[cut+1:])
		if err != nil {
			return exitMistake
		}
		var mu sync.Mutex
		w.at = func(point string, _ orders.OrderID) {
			mu.Lock()
			defer mu.Unlock()
			if point != at[:cut] {
				return
			}
			if left--; left == 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // nothing more is done by this process
			}
		}
	}
	w.again = soukAgain
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return w.run(ctx, args)
}

// soukAgain is the test binary once more, as souk with other arguments.
func soukAgain(ctx context.Context, args []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), envBe+"="+strings.Join(args, "\n"))
	return cmd, nil
}

// child is a souk in a process of its own.
type child struct {
	cmd  *exec.Cmd
	url  string
	done chan error
	log  *strings.Builder // to be read after done
}

// spawn starts a souk on dir that dies at the point, or with "" lives until it is killed.
func spawn(t testing.TB, dir, point string, more ...string) *child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envBe+"="+strings.Join(serveArgs(dir, more), "\n"), envPoint+"="+point)
	c := launched(t, cmd)
	if c.url != "" {
		return c
	}
	c.gone(t)
	require.NotEmpty(t, point, "souk did not open: %s", c.log) // it may come to its point before it says that it is open, by what the one before left to do
	at, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok && at.Signal() == syscall.SIGKILL, "souk did not open: %s", c.log)
	return c
}

func serveArgs(dir string, more []string) []string {
	return append([]string{"serve", "--data", dir, "--listen", "localhost:0", "--log-level", "error"}, more...)
}

// launch starts a souk and waits until it is open.
func launch(t testing.TB, cmd *exec.Cmd) *child {
	t.Helper()
	c := launched(t, cmd)
	require.NotEmpty(t, c.url, "souk did not open: %s", c.log)
	return c
}

// launched starts a souk and waits until it is open or has ended.
func launched(t testing.TB, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{cmd: cmd, done: make(chan error, 1), log: &strings.Builder{}}
	cmd.Stderr = c.log
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if url, ok := strings.CutPrefix(scanner.Text(), "souk is open at "); ok {
			c.url = url
			break
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		c.done <- cmd.Wait()
	}()
	return c
}

func (c *child) kill() { _ = c.cmd.Process.Kill() }

// ended says whether the process has ended by itself.
func (c *child) ended() bool {
	select {
	case err := <-c.done:
		c.done <- err
		return true
	default:
		return false
	}
}

// gone waits until the process has ended.
func (c *child) gone(t testing.TB) {
	t.Helper()
	select {
	case err := <-c.done:
		c.done <- err
	case <-time.After(patience):
		t.Fatalf("souk did not die: %s", c.log)
	}
}

// bought is a checkout as its buyer knows it.
type bought struct {
	shopper *shopper
	key     string
	quote   quoteSeen
	method  string
	said    checkoutSeen // what was acknowledged, if anything was
	acked   bool
}

// crashRounds is how often the binary is killed.
func crashRounds(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("SOUK_CRASH_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		return n
	}
	if os.Getenv("CI") != "" {
		return 50
	}
	if testing.Short() {
		return 3
	}
	return 10
}

// points are the named points of a checkout and of what follows it (Config.At of orders).
var points = []string{
	"begun", "before claim", "between claim and freeze", "after claim", "before reserve", "after reserve", "before authorise",
	"after authorise", "parked", "before confirm", "after confirm", "before place", "after place", "before capture", "after capture",
	"after allocate", "after close", "after case", "before undo", "after undo of the payment", "after undo of the reservation", "after undo of the claim",
	"after orders.cancel", "before goods of a refund", "between goods and money of a refund", "after the money of a refund",
	"between money and goods of a case", "after orders.ship", "before ship stock", "after ship stock", "after orders.deliver",
	"before settle", "after settle",
}

// TestCrash kills the real binary at named points and at random moments, while orders are placed,
// cancelled, shipped and delivered, and looks after each restart whether anything acknowledged was
// lost, doubled or left to be mended by hand.
func TestCrash(t *testing.T) {
	rounds := crashRounds(t)
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SOUK_CRASH_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("seed %d, %d rounds", seed, rounds)
	random := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	crew := fillForCrashes(t, dir)

	var all []*bought
	named, reached, deeds := 0, 0, 0
	order := random.Perm(len(points)) // a few rounds come to other points each time
	for round := range rounds {
		point := ""
		if round%3 != 2 {
			point = fmt.Sprintf("%s %d", points[order[named%len(points)]], 1+random.IntN(4))
			named++
		}
		c := spawn(t, dir, point)
		methods := []string{"sandbox_ok", "sandbox_ok", "sandbox_ok", "sandbox_declined", "sandbox_lost_reply"}
		if round%5 == 4 || strings.HasPrefix(point, "parked") {
			methods = append(methods, "sandbox_later") // it takes its seconds
		}
		if round%4 == 3 || strings.Contains(point, "case") {
			methods = append(methods, "sandbox_capture_refused", "sandbox_capture_refused")
		}
		made, done := shop(t, c, random, methods, crew, point != "")
		if point != "" && c.ended() {
			reached++
		}
		c.kill() // where its point was not reached, or there was none
		c.gone(t)

		next := spawn(t, dir, "")
		for _, b := range made {
			b.shopper.url = next.url
			b.settle(t, fmt.Sprintf("round %d, killed %q", round, point))
		}
		for _, d := range done {
			d.settle(t, next.url, fmt.Sprintf("round %d, killed %q", round, point))
		}
		deeds += len(done)
		all = append(all, made...)
		report := verifyAt(t, dir)
		require.True(t, report.Sound(), "round %d, killed %q: %+v", round, point, broken(report))
		next.kill()
		next.gone(t)
	}
	placed := 0
	for _, b := range all {
		if b.said.Status == "placed" || b.said.Status == "completed" {
			placed++
		}
	}
	t.Logf("%d checkouts, %d placed, %d acts on orders; %d of %d named points reached", len(all), placed, deeds, reached, named)
	assert.Positive(t, placed)
	assert.Positive(t, deeds)
}

// How many buy at the same time, and how often each.
const (
	buyers = 6
	each   = 5
)

// shop lets buyers buy for a while, and others act on what was bought, and says what they know.
// Where a point is named the souk dies there; else, half of the time, at a random moment.
func shop(t *testing.T, c *child, random *rand.Rand, methods []string, crew crew, named bool) ([]*bought, []*orderAct) {
	t.Helper()
	var mu sync.Mutex
	var made []*bought
	var deeds []*orderAct
	did := func(d *orderAct) {
		mu.Lock()
		defer mu.Unlock()
		deeds = append(deeds, d)
	}
	var buying sync.WaitGroup
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	go func() { // a killed souk ends all of it
		select {
		case err := <-c.done:
			c.done <- err
			stop()
		case <-ctx.Done():
		}
	}()
	if !named && random.IntN(2) == 0 {
		// A random moment: after a number of checkouts, not after a time.
		killAfter := 1 + random.IntN(buyers*each)
		go func() {
			for ctx.Err() == nil {
				mu.Lock()
				n := len(made)
				mu.Unlock()
				if n >= killAfter {
					c.kill()
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Millisecond):
				}
			}
		}()
	}
	for range buyers {
		mine := rand.New(rand.NewPCG(random.Uint64(), 2))
		buying.Go(func() {
			for range each {
				if ctx.Err() != nil {
					return
				}
				b, err := begin(ctx, c.url, nil, crew.listings, methods[mine.IntN(len(methods))], mine)
				if err != nil {
					continue // the souk is dying, or the goods are sold out
				}
				mu.Lock()
				made = append(made, b)
				mu.Unlock()
				said, a, err := b.shopper.checkout(ctx, b.quote, b.method, b.key)
				if err == nil && a.status < 300 {
					b.said, b.acked = said, true
				}
				if b.acked && said.Status == "placed" && said.Link != "" {
					crew.acts(ctx, b, mine, did)
				}
			}
		})
	}
	buying.Wait()
	return made, deeds
}

var errNothingToBuy = errors.New("nothing to buy")

// begin fills a guest's cart from two sellers and quotes it.
func begin(ctx context.Context, url string, client *http.Client, listings []listingSeen, method string, random *rand.Rand) (*bought, error) {
	s, err := guest(ctx, url, client)
	if err != nil {
		return nil, err
	}
	for range 2 {
		l := listings[random.IntN(len(listings))]
		if a, err := s.add(ctx, l.Variants[0].ID, 1); err != nil || a.status >= 500 {
			return nil, errors.Join(err, errNothingToBuy)
		}
	}
	q, err := s.quote(ctx)
	if err != nil || len(q.Problems) > 0 {
		return nil, errors.Join(err, errNothingToBuy)
	}
	return &bought{shopper: s, key: key(), quote: q, method: method}, nil
}

// settle repeats the checkout by its key until it rests, and compares that with what was
// acknowledged before the crash.
func (b *bought) settle(t *testing.T, when string) {
	t.Helper()
	var now checkoutSeen
	until(t, when+": a checkout comes to rest", func() bool {
		said, a, err := b.shopper.checkout(t.Context(), b.quote, b.method, b.key)
		require.NoError(t, err, when)
		if a.status >= 500 {
			return false
		}
		require.Less(t, a.status, 300, "%s: %s", when, a.body)
		now = said
		return said.Status != "pending"
	})
	if b.acked {
		assert.Equal(t, b.said.Order, now.Order, "%s: the same key made another order", when)
		if b.said.Status == "placed" {
			assert.Contains(t, []string{"placed", "completed"}, now.Status, "%s: an acknowledged order is gone", when)
		}
		if b.said.Status == "rejected" {
			assert.Equal(t, "rejected", now.Status, "%s: a rejected order was placed", when)
		}
	}
	if b.method == "sandbox_declined" {
		assert.Equal(t, "rejected", now.Status, when)
	}
	b.said = now
}

// verifyAt checks the souk that runs on dir.
func verifyAt(t testing.TB, dir string) rehearsal.Report {
	t.Helper()
	var out, errs strings.Builder
	w := &world{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
	report, err := verifying().ask(t.Context(), w, dir, verifyIn{Patience: patience})
	require.NoError(t, err, errs.String())
	return report
}

// broken is what is wrong of a report.
func broken(r rehearsal.Report) []rehearsal.InvariantReport {
	var out []rehearsal.InvariantReport
	for _, i := range r.Invariants {
		if i.Broken > 0 {
			out = append(out, i)
		}
	}
	return out
}
