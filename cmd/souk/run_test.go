package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/control"
)

// result is what a finished run left.
type result struct {
	status         int
	stdout, stderr string
}

func souk(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, func(name string) string { return env[name] }, strings.NewReader(""), &stdout, &stderr)
	return result{status, stdout.String(), stderr.String()}
}

// running is a souk that serves.
type running struct {
	url, dir string
	stop     func()
	status   chan int
	stderr   text // to be read after status
}

// text takes in what a program says.
type text interface {
	io.Writer
	fmt.Stringer
}

// start runs `souk serve` on a free port until the test ends, or stop.
func start(t testing.TB, dir string, args ...string) *running {
	t.Helper()
	return startSaying(t, dir, &bytes.Buffer{}, args...)
}

// startSaying is start with somewhere else to write the log to.
func startSaying(t testing.TB, dir string, stderr text, args ...string) *running {
	t.Helper()
	return startProbed(t, dir, stderr, probes{}, args...)
}

// startProbed is startSaying with somewhere to reach in.
func startProbed(t testing.TB, dir string, stderr text, p probes, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	r := &running{dir: dir, stop: stop, status: make(chan int, 1), stderr: stderr}
	args = append([]string{"serve", "--data", dir, "--listen", "localhost:0"}, args...)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w := &world{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: in, stderr: r.stderr, probes: p}
		r.status <- w.run(ctx, args)
		_ = in.Close()
	}()
	t.Cleanup(func() { // before its folder is removed
		stop()
		<-ended
	})
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if url, ok := strings.CutPrefix(scanner.Text(), "souk is open at "); ok {
			r.url = url
			break
		}
	}
	if r.url == "" {
		t.Fatalf("souk did not open: status %d, %s", <-r.status, r.stderr)
	}
	go io.Copy(io.Discard, out)
	return r
}

func (r *running) get(t testing.TB, path string) (int, string) {
	t.Helper()
	res, err := http.Get(r.url + path)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestServeOpensAnswersAndStops(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	r := start(t, dir)
	for path, want := range map[string]string{
		"/healthz": "alive", "/readyz": `"ready":true`, "/metrics": "go_goroutines", "/api/openapi.json": `"openapi": "3.1`, "/api/docs": "souk API",
	} {
		status, body := r.get(t, path)
		assert.Equal(t, 200, status, path)
		assert.Contains(t, body, want, path)
	}
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	c, err := control.Dial(t.Context(), dir, "souk")
	require.NoError(t, err)
	c.Close()

	r.stop()
	assert.Equal(t, exitOK, <-r.status, r.stderr)
	assert.Contains(t, r.stderr.String(), `"message":"stopped"`)
	_, err = control.Dial(t.Context(), dir, "souk")
	require.ErrorIs(t, err, control.ErrNoServer)
	start(t, dir) // and it opens again
}

func TestASecondSoukOnTheSameFolderIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir())
	got := souk(t, nil, "serve", "--data", r.dir, "--listen", "localhost:0")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, "another souk is running on")
}

func TestMistakesAreOneClearLine(t *testing.T) {
	t.Parallel()
	busy, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "localhost:0")
	require.NoError(t, err)
	t.Cleanup(func() { busy.Close() })
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("listne = x\n"), 0o600))

	tests := map[string]struct {
		args   []string
		env    map[string]string
		status int
		says   string
	}{
		"an unknown flag":          {args: []string{"serve", "--nope"}, status: 2, says: "unknown flag: --nope"},
		"an unknown command":       {args: []string{"sreve"}, status: 2, says: `unknown command "sreve"`},
		"an unknown command below": {args: []string{"events", "lst"}, status: 2, says: `unknown command "lst"`},
		"help about nothing":       {args: []string{"help", "sreve"}, status: 2, says: `there is no command "sreve"`},
		"nothing to verify":        {args: []string{"verify", "--data", t.TempDir()}, status: 2, says: "there is no marketplace in"},
		"a folder to export from that is not there": {
			args: []string{"export", filepath.Join(t.TempDir(), "goods.tsv"), "--data", "/nowhere"}, status: 2, says: "there is no marketplace in /nowhere",
		},
		"an argument too many":    {args: []string{"version", "x"}, status: 2, says: "usage: souk version [flags] (see --help)"},
		"an argument too few":     {args: []string{"backup"}, status: 2, says: "usage: souk backup DIR [flags] (see --help)"},
		"less patience than none": {args: []string{"verify", "--patience", "-1s"}, status: 2, says: "--patience -1s is less than no time"},
		"fewer events than one":   {args: []string{"events", "show", "x", "--limit", "0"}, status: 2, says: "--after is 0 at least, and --limit 1"},
		"migrations of nothing":   {args: []string{"migrate", "status", "--data", "/none"}, status: 2, says: "there is no marketplace in /none"},
		"up on a busy port":       {args: []string{"up", "one", "--data", filepath.Join(t.TempDir(), "up"), "--listen", busy.Addr().String()}, status: 1, says: "is taken: another program listens there"},
		"a busy port":             {args: []string{"serve", "--data", t.TempDir(), "--listen", busy.Addr().String()}, status: 1, says: "is taken: another program listens there"},
		"no address":              {args: []string{"serve", "--listen", "8080"}, status: 2, says: "--listen 8080 is not host:port"},
		"a port that is none":     {args: []string{"serve", "--data", t.TempDir(), "--listen", "localhost:123456"}, status: 2, says: "cannot listen on localhost:123456"},
		"a folder that is a file": {args: []string{"serve", "--data", filepath.Join(file, "data")}, status: 1, says: "cannot be made: not a directory"},
		"an unknown level":        {args: []string{"serve", "--log-level", "loud"}, status: 2, says: `"loud" is none of`},
		"a proxy without sense":   {args: []string{"serve", "--proxies", "here"}, status: 2, says: "--proxies here is not a network"},
		"a drain without end":     {args: []string{"serve", "--drain", "1h"}, status: 2, says: "--drain 1h0m0s is not between 0 and 1m0s"},
		"nonsense in the environment": {
			args: []string{"serve"}, env: map[string]string{"SOUK_LISTEN": "nowhere"}, status: 2, says: "--listen nowhere is not host:port",
		},
		"nonsense in a file": {args: []string{"serve", "--config", file}, status: 2, says: `file:1: there is no setting "listne"`},
		"a file that is not there": {
			args: []string{"version"}, env: map[string]string{"SOUK_CONFIG": "/none"}, status: 2, says: "/none cannot be read",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := souk(t, tt.env, tt.args...)
			assert.Equal(t, tt.status, got.status, got.stderr)
			assert.Contains(t, got.stderr, tt.says)
			assert.True(t, strings.HasPrefix(got.stderr, "souk: "), got.stderr)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
			assert.Empty(t, got.stdout)
		})
	}
}

func TestHelpNeedsNoSettings(t *testing.T) {
	t.Parallel()
	got := souk(t, map[string]string{"SOUK_CONFIG": "/none"}, "help", "serve")
	assert.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "Runs the marketplace until")
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	t.Parallel()
	all := everyCommand(rootCommand(&world{}))
	require.Greater(t, len(all), 35)
	for _, c := range all {
		assert.NotEmpty(t, c.Short, c.CommandPath())
		assert.Contains(t, c.Example, "souk", "%s has no example", c.CommandPath())
	}
	got := souk(t, nil, "serve", "--help")
	assert.Equal(t, exitOK, got.status)
	assert.Contains(t, got.stdout, "--listen ADDR")
	assert.Contains(t, got.stdout, "Examples:")
}

func TestCompletionsAreForShellsThatThereAre(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"completion"}, {"completion", "nope"}, {"completion", "bash", "zsh"}} {
		got := souk(t, nil, args...)
		assert.Equal(t, exitMistake, got.status, "%v", args)
		assert.Equal(t, "souk: completions are for one of bash, zsh, fish, powershell\n", got.stderr)
		assert.Empty(t, got.stdout)
	}
	for _, shell := range shells {
		got := souk(t, map[string]string{"SOUK_CONFIG": "/none"}, "completion", shell)
		assert.Equal(t, exitOK, got.status, got.stderr)
		assert.Contains(t, got.stdout, "souk", shell)
	}
	assert.Regexp(t, `\n  completion +Print what completes`, souk(t, nil, "help").stdout)
	assert.Contains(t, souk(t, nil, "__complete", "events", "").stdout, "retry", "what the scripts ask")
}

// everyCommand is a command and all below it.
func everyCommand(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, everyCommand(sub)...)
	}
	return all
}

func TestNoCommandTakesNonsense(t *testing.T) {
	t.Parallel()
	for _, c := range everyCommand(rootCommand(&world{})) {
		path := strings.Fields(c.CommandPath())[1:]
		for _, nonsense := range [][]string{{"--nonsense"}, {"one", "two", "three", "four", "five"}} {
			got := souk(t, nil, append(slices.Clone(path), nonsense...)...)
			assert.Equal(t, exitMistake, got.status, "%v %v: %s", path, nonsense, got.stderr)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), "%v %v: %s", path, nonsense, got.stderr)
			assert.Empty(t, got.stdout, "%v %v", path, nonsense)
		}
	}
}

func TestVersionSaysWhichSoukThisIs(t *testing.T) {
	t.Parallel()
	got := souk(t, nil, "version")
	assert.Equal(t, exitOK, got.status)
	assert.Regexp(t, `^souk \S+.* \(go1\.\S+ \w+/\w+\)\n$`, got.stdout)
}

func TestAMissingBuildTagIsSaidPlainly(t *testing.T) {
	t.Parallel()
	require.NoError(t, checkBuild(nil))
	err := checkBuild([]string{"full-text search"})
	assert.ErrorContains(t, err, "this souk was built without full-text search; build it with: CGO_ENABLED=1 go build -tags sqlite_fts5")
}
