package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDemoCutOffWhileFillingIsFilledAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	setup(t, dir, func(a *app) { seller(t, a, operator(t, a, "olive@example.com"), "Half", 1, 1) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, demoFilling), nil, 0o600)) // as a kill in the middle leaves it

	r := start(t, dir, "--demo", "--log-level", "error")
	var sellers struct {
		Sellers []struct {
			Name string `json:"name"`
		} `json:"sellers"`
	}
	(&shopper{url: r.url}).must(t, "GET", "/api/v1/catalog/sellers?limit=100", "", nil, &sellers)
	assert.Len(t, sellers.Sellers, 12)
	for _, s := range sellers.Sellers {
		assert.NotEqual(t, "Half", s.Name)
	}
	r.stop()
	require.Equal(t, exitOK, <-r.status, r.stderr)
	info, err := os.Stat(filepath.Join(dir, demoAccounts))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	assert.NoFileExists(t, filepath.Join(dir, demoFilling))

	again := start(t, dir, "--demo", "--log-level", "error") // and a filled one is left as it is
	(&shopper{url: again.url}).must(t, "GET", "/api/v1/catalog/sellers?limit=100", "", nil, &sellers)
	assert.Len(t, sellers.Sellers, 12)
}

func TestDemoIsRefusedWhereOthersCouldReachIt(t *testing.T) {
	t.Parallel()
	got := souk(t, nil, "serve", "--demo", "--data", t.TempDir(), "--listen", "0.0.0.0:0")
	assert.Equal(t, exitMistake, got.status)
	assert.Contains(t, got.stderr, "--demo-public")
	require.NoError(t, checkDemoAddress("0.0.0.0:0", true))
	require.NoError(t, checkDemoAddress("[::1]:8080", false))
}
