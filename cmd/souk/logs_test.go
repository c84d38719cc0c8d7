package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func keepLogs(t *testing.T, files map[string][]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, logsFolder), 0o700))
	for name, lines := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, logsFolder, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	}
	return dir
}

var twoLogs = map[string][]string{
	"main.log": {
		`{"level":"info","request_id":"request-1","time":"2026-11-23T05:00:00.000001Z","message":"one"}`,
		`{"level":"info","request_id":"request-2","time":"2026-11-23T05:00:00.000004Z","message":"four"}`,
		`panic: lost`,
		`{"level":"info","request_id":"request-1","time":"2026-11-23T05:00:00.000005Z","message":"five"}`,
		`{"level":"info","request_id":"request-1","time":"2026-1`, // it was killed in the middle of a line
	},
	"payments.log": {
		`{"level":"debug","request_id":"request-1","time":"2026-11-23T07:00:00.000002+02:00","message":"two"}`,
		`{"level":"debug","request_id":"request-1","time":"2026-11-23T05:00:00.000002Z","message":"three, at the same time"}`,
	},
	"payments.log.1": {`{"level":"debug","request_id":"request-1","time":"2026-11-22T05:00:00Z","message":"the day before"}`},
	"notes.txt":      {"no log"},
}

func TestLogsOfOneRequestAreGatheredInOrder(t *testing.T) {
	t.Parallel()
	dir := keepLogs(t, twoLogs)
	got := souk(t, nil, "logs", "--data", dir, "--request", "request-1")
	require.Equal(t, exitOK, got.status, got.stderr)
	assert.Equal(t, []string{
		`{"process":"payments","level":"debug","request_id":"request-1","time":"2026-11-22T05:00:00Z","message":"the day before"}`,
		`{"process":"main","level":"info","request_id":"request-1","time":"2026-11-23T05:00:00.000001Z","message":"one"}`,
		`{"process":"payments","level":"debug","request_id":"request-1","time":"2026-11-23T07:00:00.000002+02:00","message":"two"}`,
		`{"process":"payments","level":"debug","request_id":"request-1","time":"2026-11-23T05:00:00.000002Z","message":"three, at the same time"}`,
		`{"process":"main","level":"info","request_id":"request-1","time":"2026-11-23T05:00:00.000005Z","message":"five"}`,
	}, strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n"))
}

func TestAllLogsTogether(t *testing.T) {
	t.Parallel()
	got := souk(t, nil, "logs", "--data", keepLogs(t, twoLogs))
	require.Equal(t, exitOK, got.status, got.stderr)
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	require.Len(t, lines, 8)
	assert.Contains(t, lines[4], `"message":"four"`)
	assert.JSONEq(t, `{"process":"main","message":"panic: lost"}`, lines[5], "it stays behind the line before it")
	assert.JSONEq(t, `{"process":"main","message":"{\"level\":\"info\",\"request_id\":\"request-1\",\"time\":\"2026-1"}`, lines[7])
}

func TestLogsForPeopleBeginWithTheProcess(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, showLogs(&show{out: &out, terminal: true}, []logged{
		{process: "payments", text: []byte(`{"level":"info","message":"said"}`)}, {process: "cart", text: []byte(`x`)},
	}))
	assert.Equal(t, "payments | <nil> INF said\ncart     | x\n", out.String())
}

func TestLogsThatAreNotThere(t *testing.T) {
	t.Parallel()
	dir := keepLogs(t, twoLogs)
	tests := map[string]struct {
		args   []string
		status int
		says   string
	}{
		"no logs":            {args: []string{"--data", t.TempDir()}, status: exitFailed, says: "there are no logs in "},
		"no such request":    {args: []string{"--data", dir, "--request", "request-3"}, status: exitFailed, says: "none of the 3 logs in "},
		"no id of a request": {args: []string{"--data", dir, "--request", "x y"}, status: exitMistake, says: "--request x y is no id of a request"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := souk(t, nil, append([]string{"logs"}, tt.args...)...)
			assert.Equal(t, tt.status, got.status)
			assert.Contains(t, got.stderr, tt.says)
			assert.Empty(t, got.stdout)
		})
	}
}
