package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgtest"
)

// A marketplace goes from files to PostgreSQL and back to files in another folder. It is served
// and bought from after each journey, and everything adds up.
func TestAMarketplaceMovesToPostgreSQLAndBack(t *testing.T) {
	t.Parallel()
	address, dir, back := pgtest.Database(t), t.TempDir(), filepath.Join(t.TempDir(), "back")
	var lamps shopOf
	setup(t, dir, func(a *app) { lamps = seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 2, 10) })
	lamp := seen(lamps.listings[0])
	buyAndVerify := func(dir string, args ...string) (order checkoutSeen) {
		r := start(t, dir, append(args, "--log-level", "error")...)
		order = newGuest(t, r.url).buy(t, "sandbox_ok", lamp)
		require.Equal(t, "placed", order.Status, order.Message)
		report := verifyAt(t, dir)
		assert.True(t, report.Sound(), broken(report))
		got := souk(t, nil, "db", "copy", "--from", dir, "--to", address)
		assert.Equal(t, exitFailed, got.status)
		if len(args) == 0 {
			assert.Contains(t, got.stderr, "is running on")
		} else {
			got = souk(t, nil, "db", "copy", "--from", address, "--to", filepath.Join(t.TempDir(), "unused"))
			assert.Equal(t, exitFailed, got.status)
			assert.Contains(t, got.stderr, "a souk has it open")
		}
		ended(t, r)
		return order
	}
	first := buyAndVerify(dir)
	got := souk(t, nil, "db", "copy", "--from", dir, "--to", address, "--modules", "orders,cart")
	require.Equal(t, exitOK, got.status, got.stderr)
	got = souk(t, nil, "db", "copy", "--from", dir, "--to", address)
	require.Equal(t, exitOK, got.status, got.stderr)
	assert.Contains(t, got.stderr, "orders: was copied already")
	assert.Regexp(t, `catalog\s+movements\s+[1-9]`, got.stdout)
	got = souk(t, nil, "db", "copy", "--from", dir, "--to", address)
	assert.Equal(t, exitFailed, got.status)
	second := buyAndVerify(dir, "--db", address)

	require.NoError(t, os.MkdirAll(back, 0o700))
	require.NoError(t, rememberDB(back, address))
	got = souk(t, nil, "db", "copy", "--from", address, "--to", back, "--modules", "cart")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.FileExists(t, filepath.Join(back, elsewhere), "a souk on it would begin with empty files")
	assert.NotContains(t, got.stdout, "Go on with")
	got = souk(t, nil, "db", "copy", "--from", address, "--to", back)
	require.Equal(t, exitOK, got.status, got.stderr)
	assert.Regexp(t, `(?m)^catalog, accounts, .*: the same in both databases now.* Go on with: `, got.stdout)
	assert.NotRegexp(t, `(?m)\bcart\b.*: the same in both`, got.stdout)
	third := buyAndVerify(back)
	r := start(t, back, "--log-level", "error")
	for _, order := range []checkoutSeen{first, second, third} {
		assert.Equal(t, "placed", (&shopper{url: r.url}).order(t, order.Order, order.Link).Status)
	}
	ended(t, r)
}

// What was interrupted is not served, and goes on where it was.
func TestAnUnfinishedCopyIsNotServed(t *testing.T) {
	t.Parallel()
	address, dir := pgtest.Database(t), t.TempDir()
	setup(t, dir, func(a *app) { seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 2, 10) })
	ctx, cancel := context.WithCancel(t.Context())
	var out strings.Builder
	errs := &endsAt{line: "payments", cancel: cancel}
	require.Equal(t, exitFailed, run(ctx, []string{"db", "copy", "--from", dir, "--to", address}, func(string) string { return "" }, strings.NewReader(""), &out, errs))
	got := souk(t, nil, "serve", "--data", dir, "--db", address, "--listen", "localhost:0")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, "unfinished copy")
	require.NoFileExists(t, filepath.Join(dir, elsewhere))
	got = souk(t, nil, "db", "copy", "--from", dir, "--to", address)
	require.Equal(t, exitOK, got.status, got.stderr)
	assert.NotContains(t, got.stderr, "catalog: listings, 2 rows copied")
	ended(t, start(t, dir, "--db", address, "--log-level", "error"))
}

// endsAt ends a context when a line begins with a word.
type endsAt struct {
	strings.Builder
	line   string
	cancel func()
}

func (e *endsAt) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), e.line) {
		e.cancel()
	}
	return e.Builder.Write(p)
}

func TestMistakesInCopying(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{},
		{"--from", "a"},
		{"--from", "a", "--to", "b"},
		{"--from", "postgres:///a", "--to", "postgres:///b"},
		{"--from", "a", "--to", "postgres:///b", "--modules", "search"},
		{"--from", "a", "--to", "postgres:///b", "--modules", "nothing"},
	} {
		assert.Equal(t, exitMistake, souk(t, nil, append([]string{"db", "copy"}, args...)...).status, args)
	}
}
