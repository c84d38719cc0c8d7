package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// upped is a `souk up` in a process of its own.
type upped struct {
	dir  string
	cmd  *exec.Cmd
	out  io.Closer // where it writes to
	said *safeText
	done chan error
}

// startUp runs `souk up` on dir, and waits until it is open.
func startUp(t *testing.T, topology, dir string, more ...string) *upped {
	t.Helper()
	cmd, err := soukAgain(context.WithoutCancel(t.Context()), append([]string{"up", topology, "--data", dir, "--listen", "localhost:0"}, more...))
	require.NoError(t, err)
	u := &upped{dir: dir, cmd: cmd, said: &safeText{}, done: make(chan error, 1)}
	cmd.Stderr = u.said
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	u.out = out
	hangups := make(chan os.Signal, 1) // what is ignored here, as under nohup, a child ignores too, but not what is heard
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		scanner := bufio.NewScanner(out)
		scanner.Buffer(nil, 2*longestLine)
		for scanner.Scan() {
			_, _ = fmt.Fprintln(u.said, scanner.Text())
		}
		u.done <- cmd.Wait()
	}()
	untilWithin(t, "souk up is open", 2*patience, func() bool { // it may fill a demo, and make a PostgreSQL for it
		select {
		case err := <-u.done:
			t.Fatalf("souk up ended: %v\n%s", err, u.said)
		default:
		}
		return strings.Contains(u.said.String(), "\nsouk is open at http://")
	})
	return u
}

// end stops it as Ctrl-C does.
func (u *upped) end(t *testing.T) {
	t.Helper()
	require.NoError(t, u.cmd.Process.Signal(os.Interrupt))
	u.ends(t)
}

// ends waits until it has ended. If it does not, what each process is at is told.
func (u *upped) ends(t *testing.T) {
	t.Helper()
	select {
	case err := <-u.done:
		require.NoError(t, err, u.said)
		return
	case <-time.After(patience):
	}
	for _, row := range regexp.MustCompile(`(?m)^\S+ +(\d+) +\S+:\d+ |again, as process (\d+)$`).FindAllStringSubmatch(u.said.String(), -1) {
		if pid, err := strconv.Atoi(row[1] + row[2]); err == nil {
			_ = syscall.Kill(pid, syscall.SIGQUIT) // it may have ended
		}
	}
	select {
	case <-u.done:
	case <-time.After(10 * time.Second):
	}
	logs, err := filepath.Glob(filepath.Join(u.dir, logsFolder, "*.log"))
	require.NoError(t, err)
	for _, path := range logs {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		t.Logf("%s ends with:\n%s", path, text[max(0, len(text)-64<<10):])
	}
	t.Fatalf("souk up did not stop: %s", u.said)
}

// row finds where the table says that a process is.
func (u *upped) row(t *testing.T, process string) (pid int, public string) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + process + ` +(\d+) +(\S+:\d+) `).FindStringSubmatch(u.said.String())
	require.NotNil(t, found, u.said)
	pid, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return pid, "http://" + found[2]
}

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func TestASoukOfTwoProcessesSellsAndSurvivesOneOfThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var lamps shopOf
	setup(t, dir, func(a *app) { lamps = seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 1, 10) })
	u := startUp(t, "payments-out", dir)
	main, url := u.row(t, "main")
	payments, _ := u.row(t, "payments")
	buy := func() answer {
		g := newGuest(t, url)
		a, err := g.add(t.Context(), string(lamps.listings[0].Variants[0].ID), 1)
		require.NoError(t, err)
		require.Less(t, a.status, 300, string(a.body))
		q, err := g.quote(t.Context())
		require.NoError(t, err)
		k := key()
		_, first, err := g.checkout(t.Context(), q, "sandbox_ok", k)
		require.NoError(t, err)
		c, _ := g.follow(t, q, "sandbox_ok", k)
		require.Equal(t, "placed", c.Status, c.Message)
		return first
	}
	first := buy()

	info, err := os.Stat(filepath.Join(dir, peerSecret))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	request := first.header.Get("X-Request-Id")
	until(t, "the logs say what payments did for the request", func() bool {
		got := souk(t, nil, "logs", "--data", dir, "--request", request)
		return regexp.MustCompile(`"process":"payments".*"request_id":"`+request+`".*"from":"orders","method":"Authorize","code":"ok"`).MatchString(got.stdout) &&
			regexp.MustCompile(`"process":"main".*"route":"/api/v1/orders/checkouts"`).MatchString(got.stdout)
	})

	require.NoError(t, syscall.Kill(payments, syscall.SIGKILL))
	again := regexp.MustCompile(`payments runs again, as process (\d+)`)
	until(t, "payments runs again", func() bool { return again.MatchString(u.said.String()) })
	assert.Contains(t, u.said.String(), "payments has ended (signal: killed)")
	successor, err := strconv.Atoi(again.FindStringSubmatch(u.said.String())[1])
	require.NoError(t, err)
	buy()

	require.NoError(t, u.out.Close()) // as the terminal goes: nobody reads what it says from here on
	require.NoError(t, u.cmd.Process.Signal(syscall.SIGHUP))
	u.ends(t)
	for _, pid := range []int{main, payments, successor} {
		assert.True(t, gone(pid), "process %d is still there", pid)
	}
	report := verifyAt(t, dir)
	assert.True(t, report.Sound(), broken(report))
}

func TestMistakesOfUp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		says string
	}{
		"no topology":             {says: "say which topology: one, "},
		"one that is not known":   {args: []string{"replica"}, says: "there is no topology replica; there are one, catalog-out, "},
		"no address":              {args: []string{"apart", "--listen", "8080"}, says: "--listen 8080 is not host:port"},
		"an unknown level":        {args: []string{"apart", "--log-level", "loud"}, says: `"loud" is none of`},
		"an unknown balancer":     {args: []string{"replicas", "--balancer", "nginx"}, says: "--balancer nginx is none of auto, haproxy and souk"},
		"a demo that is too open": {args: []string{"apart", "--demo", "--listen", ":8080"}, says: "can be reached by others"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := souk(t, nil, append([]string{"up", "--data", t.TempDir()}, tt.args...)...)
			assert.Equal(t, exitMistake, got.status)
			assert.Contains(t, got.stderr, tt.says)
		})
	}
	got := souk(t, nil, "up", "--list")
	assert.Equal(t, exitOK, got.status)
	for _, as := range upTopologies() {
		assert.Regexp(t, fmt.Sprintf(`(?m)^%s +%d +%s$`, as.Name, len(as.Processes), as.Says), got.stdout)
	}
}

func TestASecondUpOnTheSameFolderIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir())
	got := souk(t, nil, "up", "payments-out", "--data", r.dir)
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, "another souk is running on "+r.dir+" (souk)")
}

// upWith runs `souk up one` with a shell's script in souk's place.
func upWith(t *testing.T, script string) result {
	t.Helper()
	var stdout, stderr safeText
	w := &world{
		getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		again: func(ctx context.Context, _ []string) (*exec.Cmd, error) {
			return exec.CommandContext(ctx, "sh", "-c", script), nil
		},
	}
	status := w.run(t.Context(), []string{"up", "one", "--data", t.TempDir(), "--listen", "localhost:0"})
	return result{status, stdout.String(), stderr.String()}
}

func TestAProcessThatDoesNotComeUpStopsTheWhole(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		script string
		status int
		says   string
	}{
		"it could not":  {script: "echo 'souk: localhost:1 is taken' >&2; exit 1", status: exitFailed, says: "souk: souk did not come up: localhost:1 is taken\n"},
		"a mistake":     {script: "echo 'souk: there is no such thing' >&2; exit 2", status: exitMistake, says: "souk: souk: there is no such thing\n"},
		"a panic":       {script: "echo 'panic: lost' >&2; exit 2", status: exitFailed, says: "souk: souk did not come up: exit status 2\n"},
		"it just ends":  {script: "exit 0", status: exitFailed, says: "souk: souk did not come up: exit status 0\n"},
		"it was killed": {script: "kill -9 $$", status: exitFailed, says: "souk: souk did not come up: signal: killed\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := upWith(t, tt.script)
			assert.Equal(t, tt.status, got.status)
			assert.Equal(t, tt.says, got.stderr)
			assert.Contains(t, got.stdout, "up   | stopping")
		})
	}
}

func TestAProcessSaysWhyItIsNotReady(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), "--log-level", "error")
	p := &process{public: strings.TrimPrefix(r.url, "http://")}
	until(t, "it is ready", func() bool { return p.unready(t.Context()) == "" })
	r.stop()
	<-r.status
	assert.Equal(t, "it does not answer yet", p.unready(t.Context()))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"ready":false,"modules":[{"module":"cart","ready":true},{"module":"payments","ready":false,"code":"souk.not_connected"}]}`))
	})}
	ln, err := listenTCP(t.Context(), "localhost:0")
	require.NoError(t, err)
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	p.public = ln.Addr().String()
	assert.Equal(t, "payments is not ready (souk.not_connected)", p.unready(t.Context()))
}

func TestWhatWouldMakeAChildSomethingElseIsNotHandedOn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SOUK_PEER_SECRET", "SOUK_MODULES", "SOUK_REMOTE", "SOUK_PRIVATE", "SOUK_PEER_CERT"} {
		assert.True(t, unfit(name+"=x"), name)
	}
	for _, name := range []string{"PATH", "SOUK_PROXIES", "SOUK_TEMPLATES"} {
		assert.False(t, unfit(name+"=x"), name)
	}
}

// A port that was found free for a process stays free for it: nobody else is given it, before it is there and after it has died.
func TestUpKeepsThePortsOfItsProcesses(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux keeps them")
	}
	u := &upping{}
	free, err := u.freeAddresses(2)
	require.NoError(t, err)
	assert.NotEqual(t, free[0], free[1])
	stranger := &net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { // one that is given a port does not share it
		return c.Control(func(fd uintptr) {
			require.NoError(t, syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0))
		})
	}}
	for range 2 {
		_, err = stranger.Listen(t.Context(), "tcp", free[0])
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		_, err = net.Dial("tcp", free[0])
		require.ErrorIs(t, err, syscall.ECONNREFUSED, "while nobody listens, calls end at once, and balancers ask others")
		ln, err := listenTCP(t.Context(), free[0])
		require.NoError(t, err, "the process itself gets it")
		conn, err := net.Dial("tcp", free[0])
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.NoError(t, ln.Close())
	}
	require.NoError(t, u.close())
}
