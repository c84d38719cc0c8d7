package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgtest"
)

// TestUpReplicasGoesOnWithoutOneOfThem starts three replicas with the demo on a PostgreSQL of their own, kills one, and
// goes on shopping.
func TestUpReplicasGoesOnWithoutOneOfThem(t *testing.T) {
	t.Parallel()
	pgtest.Installed(t)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711)) // PostgreSQL passes through, where this runs as root
	u := startUp(t, "replicas", dir, "--demo")
	_, url := u.row(t, "front")
	killed, at := u.row(t, "b")
	l := goods(t, url, 1, 10)[0]
	buy := func(what string) {
		t.Helper()
		var g *shopper
		var q quoteSeen
		until(t, what+" begins", func() bool { // again, if it was at the one that was killed
			var err error
			if g, err = guest(t.Context(), url, nil); err != nil {
				return false
			}
			if a, err := g.add(t.Context(), l.Variants[0].ID, 1); err != nil || a.status >= 300 {
				return false
			}
			q, err = g.quote(t.Context())
			return err == nil
		})
		c, _ := g.follow(t, q, "sandbox_ok", key())
		require.Equal(t, "placed", c.Status, "%s: %s", what, c.Message)
	}
	buy("a purchase")
	require.NoError(t, syscall.Kill(killed, syscall.SIGKILL))
	until(t, "it is gone", func() bool { return gone(killed) })
	buy("a purchase without it")
	again := regexp.MustCompile(`b runs again, as process (\d+)`)
	until(t, "it runs again", func() bool { return again.MatchString(u.said.String()) })
	assert.Contains(t, u.said.String(), "b has ended (signal: killed)")
	p := &process{public: at[len("http://"):]}
	until(t, "it is ready", func() bool { return p.unready(t.Context()) == "" })
	buy("a purchase with it")
	report := verifyAt(t, filepath.Join(dir, "b"))
	assert.True(t, report.Sound(), broken(report))

	told, _ := u.row(t, "c")
	require.NoError(t, syscall.Kill(told, syscall.SIGTERM))
	until(t, "one that was told to stop has ended well", func() bool {
		return regexp.MustCompile(`c has ended \(exit status 0\)`).MatchString(u.said.String())
	})
	buy("a purchase then")
	until(t, "it runs again", func() bool { return regexp.MustCompile(`c runs again`).MatchString(u.said.String()) })
	_, at = u.row(t, "c")
	p = &process{public: at[len("http://"):]}
	until(t, "it is ready", func() bool { return p.unready(t.Context()) == "" })
	u.end(t)
	assert.NoFileExists(t, filepath.Join(dir, ownPostgreSQL, "data", "postmaster.pid"), "its PostgreSQL has ended too")
	got := souk(t, nil, "verify", "--data", dir)
	assert.Contains(t, got.stderr, "are in a PostgreSQL database")
}

// TestReplicasShareRequestsOutThemselves where there is no haproxy.
func TestReplicasShareRequestsOutThemselves(t *testing.T) {
	t.Parallel()
	one, two := start(t, t.TempDir(), "--log-level", "error"), start(t, t.TempDir(), "--log-level", "error")
	u := &upping{w: &world{}, o: upOptions{listen: "localhost:0", balancer: "souk"}, dir: t.TempDir(), show: newShow(&world{stdout: &safeText{}, getenv: os.Getenv})}
	for _, r := range []*running{one, two} {
		u.processes = append(u.processes, &process{name: "a", public: r.url[len("http://"):]})
	}
	require.NoError(t, u.raiseFront(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- u.front.run(ctx) }()
	require.True(t, u.untilReady(t.Context(), u.front.process))
	one.stop()
	<-one.status
	until(t, "the other serves", func() bool {
		res, err := http.Get("http://" + u.front.process.public + "/search?q=lamp")
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode == http.StatusOK
	})
	stop()
	require.NoError(t, <-ended)
}

// TestHAProxyFallsBack has the real haproxy, told as in docs/deploy, share requests out over servers that say how they are: one without its
// database gets nothing as long as another has one, and what is under way there goes on; when nobody has, all are asked.
func TestHAProxyFallsBack(t *testing.T) {
	t.Parallel()
	program := haproxyProgram()
	if program == "" {
		require.Empty(t, os.Getenv("CI"), "CI has no haproxy")
		t.Skip("there is no haproxy: install Debian's package haproxy")
	}
	hold, arrived := make(chan struct{}), make(chan struct{}, 1)
	settings := haproxySettings{Local: true, Bind: "unix@" + filepath.Join(t.TempDir(), "front")}
	without := map[string]*atomic.Bool{}
	for _, name := range []string{"a", "b"} {
		lost := new(atomic.Bool)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/slow":
				arrived <- struct{}{}
				<-hold
			case r.URL.RequestURI() == "/readyz?outage=5s" && lost.Load():
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, name)
		}))
		t.Cleanup(server.Close)
		without[name] = lost
		settings.Servers = append(settings.Servers, haproxyServer{name, server.Listener.Addr().String()})
	}
	text, err := settings.text()
	require.NoError(t, err)
	const check = "timeout check 1s" // whose servers are only slow here has no reason to take them for broken
	require.Contains(t, string(text), check)
	text = bytes.Replace(text, []byte(check), []byte("timeout check 1m"), 1)
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	front := exec.CommandContext(t.Context(), program, "-db", "-f", path)
	said := &safeText{}
	front.Stdout, front.Stderr = said, said
	require.NoError(t, front.Start())
	t.Cleanup(func() { _ = front.Process.Kill(); _ = front.Wait() })

	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(settings.Bind, "unix@"))
	}}}
	ask := func(path string) string {
		res, err := client.Get("http://souk.example" + path)
		if err != nil {
			return err.Error()
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return fmt.Sprint(res.StatusCode, string(body), err)
	}
	askedAre := func(want ...string) {
		t.Helper()
		until(t, fmt.Sprint("asked are ", want), func() bool {
			got := map[string]bool{}
			for range 4 {
				got[ask("/")] = true
			}
			return slices.Equal(want, slices.Sorted(maps.Keys(got)))
		})
	}
	askedAre("200a<nil>", "200b<nil>")
	without["b"].Store(true)
	askedAre("200a<nil>")
	open := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(open) // or no server would end
	slow := make(chan string, 1)
	go func() { slow <- ask("/slow") }()
	<-arrived
	without["a"].Store(true)
	askedAre("200a<nil>", "200b<nil>")
	open()
	assert.Equal(t, "200a<nil>", <-slow, "what is under way at one that loses its database goes on")
	without["b"].Store(false)
	askedAre("200b<nil>")
	without["a"].Store(false)
	askedAre("200a<nil>", "200b<nil>")
	if t.Failed() {
		t.Log(said.String())
	}
}

func TestReplicasDoNotBeginWhereTheDataAreElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "orders.db"), nil, 0o600))
	got := souk(t, nil, "up", "replicas", "--data", dir, "--listen", "localhost:0")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, "holds the databases of a souk on files: choose another --data")

	dir = t.TempDir()
	require.NoError(t, rememberDB(dir, "postgres://"))
	got = souk(t, nil, "up", "replicas", "--data", dir, "--listen", "localhost:0")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, "give its address by --db or in SOUK_DB")

	require.NoError(t, os.WriteFile(filepath.Join(dir, demoFilling), nil, 0o600))
	got = souk(t, nil, "serve", "--demo", "--db", "postgres://localhost:1/none", "--data", dir, "--listen", "localhost:0")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, "drop that database and make it anew")
}
