package main

import (
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
