package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/module"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

func bareApp(t *testing.T) (*app, net.Listener) {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	set, err := module.NewSet(tel.Log)
	require.NoError(t, err)
	ln, err := listenTCP(t.Context(), "localhost:0")
	require.NoError(t, err)
	return &app{tel: tel, modules: set, neighbours: newNeighbours(oneProcess(), proofs{}, tel)}, ln
}

func untilDone(ctx context.Context) error { <-ctx.Done(); return nil }

func untilShut(ctx, _ context.Context) error { return untilDone(ctx) }

func TestStoppingFinishesWhatIsInFlightBeforeTheWorkersStop(t *testing.T) {
	t.Parallel()
	a, ln := bareApp(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	var workersRest bool
	a.workers = []worker{{name: "worker", run: func(ctx context.Context) error {
		<-ctx.Done()
		workersRest = true
		return ctx.Err()
	}}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		_, _ = fmt.Fprintf(w, "finished: %v, workers rest: %v", r.Context().Err(), workersRest)
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- a.serve(ctx, &world{stdout: io.Discard}, ln, handler, []side{{what: "serve commands", serve: untilShut}})
	}()

	answer := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + ln.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	<-begun
	stop()
	// Nobody new gets in while the old one is still there.
	for {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
	}
	close(finish)
	assert.Equal(t, "finished: <nil>, workers rest: false", <-answer)
	require.NoError(t, <-ended)
	assert.True(t, workersRest)
}

// What a neighbour has asked may wait for events and jobs, as a checkout does.
func TestTheWorkersStopAfterWhatNeighboursAsked(t *testing.T) {
	t.Parallel()
	a, ln := bareApp(t)
	resting := make(chan struct{})
	a.workers = []worker{{name: "worker", run: func(ctx context.Context) error {
		<-ctx.Done()
		close(resting)
		return ctx.Err()
	}}}
	ctx, stop := context.WithCancel(t.Context())
	neighbours := side{what: "serve neighbours", needsWork: true, serve: func(ctx, finish context.Context) error {
		<-ctx.Done()
		assert.Never(t, func() bool {
			select {
			case <-resting:
				return true
			default:
				return false
			}
		}, 50*time.Millisecond, time.Millisecond)
		return finish.Err()
	}}
	stop()
	require.NoError(t, a.serve(ctx, &world{stdout: io.Discard}, ln, http.NotFoundHandler(), []side{neighbours}))
	<-resting
}

// Whoever stops a souk of docs/deploy kills it only when it could have stopped by itself.
func TestWhoStopsSoukWaitsLongEnough(t *testing.T) {
	t.Parallel()
	patience := regexp.MustCompile(`(?:TimeoutStopSec=|terminationGracePeriodSeconds: |stop_grace_period: )(\d+)`)
	notice := regexp.MustCompile(`--drain\W+(\d+)s`)
	seconds := func(all [][]string) (out []time.Duration) {
		for _, one := range all {
			n, err := strconv.Atoi(one[1])
			require.NoError(t, err)
			out = append(out, time.Duration(n)*time.Second)
		}
		return out
	}
	found := 0
	require.NoError(t, filepath.WalkDir(filepath.Join("..", "..", "docs", "deploy"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		longest := stopTime + slices.Max(append(seconds(notice.FindAllStringSubmatch(string(text), -1)), 0))
		for _, waits := range seconds(patience.FindAllStringSubmatch(string(text), -1)) {
			found++
			assert.GreaterOrEqual(t, waits, longest+5*time.Second, path) // it may be late itself
		}
		return err
	}))
	assert.Positive(t, found)
	assert.Greater(t, killAfter, stopTime+replicaNotice)
}

// A worker inside a Write waits for its database server, whoever tells it to stop, until the connection is cut.
func TestAWorkerThatWaitsForItsDatabaseDoesNotKeepSoukFromStopping(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		cut := make(chan struct{})
		a := &app{tel: tel, closers: []func() error{func() error { close(cut); return nil }}}
		lost := errors.New("lost its connection")
		a.workers = []worker{{name: "stuck", run: func(context.Context) error { <-cut; return lost }}, {name: "jobs", run: untilDone}}
		ended := make(chan error, 2)
		ctx, rest := context.WithCancel(t.Context())
		go func() { ended <- a.work(ctx) }()
		ended <- nil
		rest()
		require.ErrorIs(t, a.collect(ended), lost)
		require.NoError(t, a.close(), "is closed already")
	})
}

// What closing does not free either is named, and left behind.
func TestAWorkerThatNothingFreesDoesNotKeepSoukFromStopping(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		const closing = store.ClosePatience
		a := &app{tel: tel, closers: []func() error{func() error { time.Sleep(closing); return nil }}}
		release := make(chan struct{})
		a.workers = []worker{{name: "stuck", run: func(context.Context) error { <-release; return nil }}, {name: "jobs", run: untilDone}}
		ended := make(chan error, 2)
		ctx, rest := context.WithCancel(t.Context())
		go func() { ended <- a.unended.run("background work", func() error { return a.work(ctx) }) }()
		lost := errors.New("lost")
		ended <- lost
		rest()
		began := time.Now()
		err := a.collect(ended)
		require.ErrorIs(t, err, lost)
		require.ErrorContains(t, err, "still running though the databases are closed: background work, stuck")
		assert.Equal(t, stopTime-drain-traceTime, time.Since(began))
		close(release)
		require.NoError(t, <-ended)
		assert.Empty(t, a.unended.names())
	})
}

// Behind a balancer, the door stays open until the last one inside has gone.
func TestWhoeverIsInsideKeepsTheDoorOpen(t *testing.T) {
	t.Parallel()
	a, ln := bareApp(t)
	a.notice = time.Millisecond
	begun, finish := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		_, _ = fmt.Fprintf(w, "finished: %v", r.Context().Err())
	})
	mux.HandleFunc("/quick", func(http.ResponseWriter, *http.Request) {})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- a.serve(ctx, &world{stdout: io.Discard}, ln, mux, []side{{what: "serve commands", serve: untilShut}})
	}()
	get := func(path string) (*http.Response, error) { return http.Get("http://" + ln.Addr().String() + path) }
	answer := make(chan string, 1)
	go func() {
		res, err := get("/slow")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	<-begun
	stop()
	until(t, "answers say that the connection closes", func() bool {
		res, err := get("/quick")
		require.NoError(t, err)
		return res.Close
	})
	for range 50 { // longer than the notice
		res, err := get("/quick")
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	close(finish)
	assert.Equal(t, "finished: <nil>", <-answer)
	require.NoError(t, <-ended)
	_, err := get("/quick")
	require.Error(t, err)
}

func TestAWorkerThatCannotGoOnStopsSouk(t *testing.T) {
	t.Parallel()
	a, ln := bareApp(t)
	lost := errors.New("lost its place")
	a.workers = []worker{
		{name: "bus", run: func(context.Context) error { return lost }},
		{name: "jobs", run: untilDone},
	}
	err := a.serve(t.Context(), &world{stdout: io.Discard}, ln, http.NotFoundHandler(), []side{{what: "serve commands", serve: untilShut}})
	require.ErrorIs(t, err, lost)
	assert.ErrorContains(t, err, "background work: bus: lost its place")
}

func TestWhatWasOpenedIsClosedTheLastFirst(t *testing.T) {
	t.Parallel()
	a, ln := bareApp(t)
	require.NoError(t, ln.Close())
	var order []string
	for _, name := range []string{"first", "second"} {
		a.closers = append(a.closers, func() error { order = append(order, name); return errors.New(name) })
	}
	err := a.close()
	assert.Equal(t, []string{"second", "first"}, order)
	require.EqualError(t, err, "second\nfirst")
	assert.NoError(t, a.close(), "once only")
}

// TestBeingToldToStopWhileItBeginsIsNoFailure stops souk when its modules are there and have not begun.
func TestBeingToldToStopWhileItBeginsIsNoFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var log safeText
	w := &world{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &log, probes: probes{wired: func(*app) { stop() }}}
	assert.Equal(t, exitOK, w.run(ctx, []string{"serve", "--data", dir, "--listen", "localhost:0", "--demo"}), log.String())
	assert.Contains(t, log.String(), "told to stop before it had begun")

	r := start(t, dir, "--demo") // and it begins anew
	status, _ := r.get(t, "/")
	assert.Equal(t, http.StatusOK, status)
}
