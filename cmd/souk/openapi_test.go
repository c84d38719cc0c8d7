package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// generator makes clients of OpenAPI documents.
const generator = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"

// command runs a program in dir, and returns what it said and whether it did what it should.
func command(t *testing.T, dir string, env []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// fetched says whether what comes from the network is there. Where it is not, the test says so and is
// skipped, but not in CI.
func fetched(t *testing.T, what, stderr string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("CI cannot fetch %s: %v\n%s", what, err, stderr)
	}
	t.Skipf("%s cannot be fetched, so no client is generated: %v\n%s", what, err, stderr)
}

// TestAGeneratedClientBuysSomething makes a client of the document that a running souk serves, builds
// the program in testdata/shopper with it, and lets that buy.
func TestAGeneratedClientBuysSomething(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a generator and a client")
	}
	s := open(t)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "shopper"))))
	_, stderr, err := command(t, dir, []string{"GOBIN=" + dir, "GOFLAGS="}, "go", "install", generator)
	fetched(t, generator, stderr, err)
	_, stderr, err = command(t, dir, nil, "go", "mod", "download")
	fetched(t, "what a generated client needs", stderr, err)

	status, document := s.get(t, "/api/openapi.json")
	require.Equal(t, 200, status)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "client"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "openapi.json"), []byte(document), 0o600))
	_, stderr, err = command(t, dir, nil, filepath.Join(dir, "oapi-codegen"),
		"-generate", "types,client", "-package", "client", "-o", filepath.Join("client", "client.go"), "openapi.json")
	require.NoError(t, err, stderr)
	_, stderr, err = command(t, dir, []string{"GOFLAGS=", "CGO_ENABLED=0"}, "go", "build", "-o", "shopper", ".")
	require.NoError(t, err, stderr)

	until(t, "search has heard of the lamps", func() bool {
		_, body := s.get(t, "/api/v1/search/listings?q=lamps")
		return !bytes.Contains([]byte(body), []byte(`"total":0`))
	})
	said, stderr, err := command(t, dir, nil, filepath.Join(dir, "shopper"), s.url, "lamps thing")
	require.NoError(t, err, stderr)
	assert.Regexp(t, `^[0-9A-Z]{4}-[0-9A-Z]{4} placed\n$`, said)
	s.sound(t)
}
