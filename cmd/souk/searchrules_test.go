package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestServeDoesNotStartWithRulesThatAreWrong says which lines of the file are.
func TestServeDoesNotStartWithRulesThatAreWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "rules.txt")
	require.NoError(t, os.WriteFile(file, []byte("same: sofa, couch\n\nsame: alone\nwhat: is this\n"), 0o600))
	for name, want := range map[string]string{
		file:            "line 3: words should be two or more that mean the same; line 4: should begin with same:",
		file + ".there": "no such file",
	} {
		got := souk(t, map[string]string{"SOUK_SEARCH_RULES": name}, "serve", "--data", t.TempDir(), "--listen", "localhost:0")
		assert.Equal(t, exitFailed, got.status)
		assert.Contains(t, got.stderr, want)
		assert.NotContains(t, got.stdout, "souk is open")
	}
}

// TestRulesAsJSON looks at what programs read: names as everywhere, and lists where there is nothing.
func TestRulesAsJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	setup(t, dir, func(*app) {})
	file := filepath.Join(t.TempDir(), "rules.txt")
	require.NoError(t, os.WriteFile(file, []byte("same: sofa, couch\n"), 0o600))
	rules := func(args ...string) string {
		got := souk(t, nil, append(append([]string{"search", "rules"}, args...), "--json", "--data", dir)...)
		require.Equal(t, exitOK, got.status, got.stderr)
		assert.NotContains(t, got.stdout, "null")
		return got.stdout
	}
	assert.JSONEq(t, `[]`, rules("list"))
	var preview struct {
		Added []string
		Named int
		Moved struct{ Asked int }
	}
	text := rules("preview", "--file", file)
	require.NoError(t, json.Unmarshal([]byte(text), &preview))
	assert.Equal(t, []string{"same: sofa, couch"}, preview.Added)
	assert.Positive(t, preview.Named)
	for _, name := range []string{`"added"`, `"removed"`, `"kept"`, `"moved"`, `"named"`, `"tried"`} {
		assert.Contains(t, text, name)
	}
	assert.JSONEq(t, `{"added":["same: sofa, couch"],"removed":[],"kept":0}`, rules("import", file))
	assert.JSONEq(t, `{"added":[],"removed":[],"kept":1}`, rules("import", file, "--dry-run"))
	assert.Contains(t, rules("list"), `"line": "same: sofa, couch"`)
}
