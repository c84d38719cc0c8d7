package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/config"
)

// wholeManifest is one of a backup of every module.
func wholeManifest(t testing.TB) string {
	t.Helper()
	m := manifest{Souk: "v1"}
	for _, name := range moduleNames {
		m.Files = append(m.Files, manifestFile{Module: name, File: name + ".db", Bytes: 1, SHA256: "x"})
	}
	text, err := json.Marshal(m)
	require.NoError(t, err)
	return string(text)
}

// FuzzManifest: a manifest that is taken names the database of each module once, and nothing outside the backup's folder.
func FuzzManifest(f *testing.F) {
	f.Add(wholeManifest(f))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseManifest([]byte(text))
		if err != nil {
			return
		}
		var named []string
		for _, f := range m.Files {
			assert.True(t, filepath.IsLocal(f.File) && filepath.Base(f.File) == f.File, "%q", f.File)
			named = append(named, f.Module)
		}
		assert.ElementsMatch(t, moduleNames, named)
	})
}

func TestAManifestNamesNothingOutsideItsBackup(t *testing.T) {
	t.Parallel()
	whole := wholeManifest(t)
	_, err := parseManifest([]byte(whole))
	require.NoError(t, err)
	more := func(file string) string {
		return strings.Replace(whole, `"files":[`, `"files":[`+file+`,`, 1)
	}
	for _, text := range []string{
		more(`{"module":"../../x","file":"../../x.db"}`), more(`{"module":"/x","file":"/x.db"}`), more(`{"module":"notes","file":"notes.db"}`),
		more(`{"module":"cart","file":"cart.db"}`), more(`{"module":"","file":".db"}`), strings.Replace(whole, "cart.db", "orders.db", 1), `{}`, `null`, `[]`,
	} {
		_, err := parseManifest([]byte(text))
		assert.Error(t, err, text)
	}
}

// FuzzLogs: of any log each line that has something is given once, in order, and not changed.
func FuzzLogs(f *testing.F) {
	f.Add("{\"time\":\"2026-03-01T12:00:00Z\",\"request_id\":\"0123456789abcdef\"}\npanic: boom\n\tat x\n", "")
	f.Fuzz(func(t *testing.T, text, request string) {
		all, err := linesOf(strings.NewReader(text), "souk", request)
		require.NoError(t, err)
		rest := []byte(text)
		for _, line := range all {
			_, after, found := bytes.Cut(rest, line.text)
			require.True(t, found, "%q is not what is left of the log: %q", line.text, rest)
			rest = after
		}
		if request == "" {
			var want []string
			for line := range strings.SplitSeq(text, "\n") {
				if line != "" {
					want = append(want, line)
				}
			}
			require.Len(t, all, len(want))
		}
	})
}

// FuzzLayout: --modules and --remote are a mistake, or make a process that can reach all that it asks.
func FuzzLayout(f *testing.F) {
	f.Add("payments", "catalog+accounts=http://127.0.0.1:1")
	f.Add("", "payments=https://[::1]:2\ncart+orders=http://b")
	f.Fuzz(func(t *testing.T, modules, remotes string) {
		list := func(text, by string) []string {
			if text == "" {
				return nil
			}
			return strings.Split(text, by)
		}
		l, err := newLayout(list(modules, ","), list(remotes, "\n"))
		if err != nil {
			require.True(t, config.IsMistake(err), "%v", err)
			return
		}
		require.NoError(t, l.complete())
		for name, to := range l.remote {
			assert.False(t, l.has(name), "%s is here and at %s", name, to)
			assert.NotEmpty(t, to.Host)
		}
	})
}
