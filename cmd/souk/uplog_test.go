package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLinesAreGivenWhole(t *testing.T) {
	t.Parallel()
	var got []string
	l := &lines{take: func(line []byte) { got = append(got, string(line)) }}
	for _, part := range []string{"on", "e\ntwo\n\nth", "r", "ee\r\nunfini", "shed"} {
		n, err := l.Write([]byte(part))
		require.NoError(t, err)
		assert.Equal(t, len(part), n)
	}
	assert.Equal(t, []string{"one", "two", "", "three"}, got)
	l.end()
	l.end()
	assert.Equal(t, []string{"one", "two", "", "three", "unfinished"}, got)

	got = nil
	_, err := l.Write(bytes.Repeat([]byte("x"), longestLine+1))
	require.NoError(t, err)
	require.Len(t, got, 1, "what never ends is cut")
	assert.Len(t, got[0], longestLine+1)
}

func TestALogIsBegunAnewAndTheOneBeforeIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, "logs", name))
		require.NoError(t, err)
		return string(text)
	}
	for _, run := range []string{"first", "second", "third"} {
		f, err := openLog(dir, "main")
		require.NoError(t, err)
		require.NoError(t, f.write([]byte(run)))
		require.NoError(t, f.close())
		require.NoError(t, f.close())
	}
	assert.Equal(t, "third\n", read("main.log"))
	assert.Equal(t, "second\n", read("main.log.1"))
	info, err := os.Stat(filepath.Join(dir, "logs", "main.log"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	f, err := openLog(dir, "main")
	require.NoError(t, err)
	f.most = 10
	for _, line := range []string{"12345", "67890", "more"} {
		require.NoError(t, f.write([]byte(line)))
	}
	require.NoError(t, f.close())
	assert.Equal(t, "12345\n67890\n", read("main.log.1"))
	assert.Equal(t, "more\n", read("main.log"))
}

func TestALogThatCannotBeKeptIsToldOnce(t *testing.T) {
	t.Parallel()
	f, err := openLog(t.TempDir(), "main")
	require.NoError(t, err)
	require.NoError(t, f.file.Close()) // as if the disk were gone
	require.Error(t, f.write([]byte("a")))
	require.NoError(t, f.write([]byte("b")), "the same again")
	f.file = nil // and a new one can be begun
	require.NoError(t, f.write([]byte("c")))
	require.NoError(t, f.close())
}

func TestLinesAreShownWithTheNameBefore(t *testing.T) {
	t.Parallel()
	line := []byte(`{"level":"info","module":"cart","time":"2026-11-23T05:00:00.000001Z","message":"said"}`)
	tests := map[string]struct {
		show *show
		line []byte
		want string
	}{
		"JSON stays as it is":   {show: &show{width: 4}, line: line, want: "main | " + string(line) + "\n"},
		"names are one column":  {show: &show{width: 8}, line: []byte("x"), want: "main     | x\n"},
		"in colour":             {show: &show{width: 4, terminal: true, colours: true}, line: []byte("x"), want: "\x1b[36mmain |\x1b[0m x\n"},
		"for people, NO_COLOR":  {show: &show{width: 4, terminal: true}, line: []byte(`{"level":"info","module":"cart","message":"said"}`), want: "main | <nil> INF said module=cart\n"},
		"no JSON on a terminal": {show: &show{width: 4, terminal: true}, line: []byte(`{"level":"info",`), want: "main | {\"level\":\"info\",\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			tt.show.out = &out
			tt.show.line("main", 36, tt.line)
			assert.Equal(t, tt.want, out.String())
		})
	}
}

func TestOnlyWhatIsImportantIsShown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		line, least string
		want        bool
	}{
		{`{"level":"debug","message":"x"}`, "info", false},
		{`{"level":"debug","message":"x"}`, "debug", true},
		{`{"level":"info","message":"x"}`, "info", true},
		{`{"level":"info","message":"x"}`, "error", false},
		{`{"level":"error","message":"x"}`, "error", true},
		{`{"level":"fatal","message":"x"}`, "error", true},
		{`goroutine 1 [running]:`, "error", true},
		{``, "error", true},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, important(levelOf([]byte(tt.line)), tt.least), "%s at %s", tt.line, tt.least)
	}
}
