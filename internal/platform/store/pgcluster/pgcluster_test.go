package pgcluster_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgcluster"
)

// start starts a cluster in dir, or skips the test.
func start(t *testing.T, dir string, settings string) *pgcluster.Cluster {
	t.Helper()
	c, err := pgcluster.Start(t.Context(), pgcluster.Config{Dir: dir, Quick: true, Settings: settings})
	if errors.Is(err, pgcluster.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip("skipped: install Debian's postgresql")
	}
	require.NoError(t, err)
	return c
}

// folder is one that everybody can pass through.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "souk pg's \\ ") //nolint:usetesting // nobody but its owner passes through that one
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o711))
	return filepath.Join(dir, "here")
}

func do(t *testing.T, c *pgcluster.Cluster, statement string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.Address("shop"))
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	require.NoError(t, conn.QueryRow(t.Context(), statement).Scan(&n))
	return n
}

func TestAClusterKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir, "max_connections = 10\n")
	require.NoError(t, c.Create(t.Context(), "shop"))
	require.NoError(t, c.Create(t.Context(), "shop"), "once more changes nothing")
	count := `SELECT count(*) FROM pg_class WHERE relname = 'kept'`
	conn, err := pgx.Connect(t.Context(), c.Address("shop"))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `CREATE TABLE kept (n INTEGER)`)
	require.NoError(t, err)
	for _, mode := range []string{"fast", "immediate"} {
		require.NoError(t, c.Restart(t.Context(), mode))
		assert.Equal(t, 1, do(t, c, count), mode)
	}
	require.Error(t, conn.Ping(t.Context()), "who was connected is not any more")
	require.NoError(t, c.Halt(t.Context(), "fast"))
	_, err = pgx.Connect(t.Context(), c.Address("shop"))
	require.Error(t, err)
	require.NoError(t, c.Resume(t.Context()))
	assert.Equal(t, 1, do(t, c, count))
	require.NoError(t, c.Stop())
	_, err = pgx.Connect(t.Context(), c.Address("shop"))
	require.Error(t, err)

	c = start(t, dir, "no_such_setting = 1\n") // settings are those of the first start
	assert.Equal(t, 1, do(t, c, count))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = pgcluster.Start(ended, pgcluster.Config{Dir: dir})
	require.ErrorContains(t, err, "another process has the PostgreSQL in "+dir)
	require.NoError(t, c.Drop(t.Context(), "shop"))
	_, err = pgx.Connect(t.Context(), c.Address("shop"))
	require.Error(t, err)

	stopped := make(chan error, 1)
	go func() { stopped <- c.Stop() }()
	successor := start(t, dir, "") // waits for that one, and is not stopped with it
	require.NoError(t, <-stopped)
	require.NoError(t, successor.Create(t.Context(), "shop"))
	require.NoError(t, successor.Stop())
}

func TestAClusterThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	require.NoError(t, start(t, dir, "").Stop())
	conf, err := os.OpenFile(filepath.Join(dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = conf.WriteString("no_such_setting = 1\n")
	require.NoError(t, err)
	require.NoError(t, conf.Close())
	_, err = pgcluster.Start(t.Context(), pgcluster.Config{Dir: dir})
	require.ErrorContains(t, err, `unrecognized configuration parameter "no_such_setting"`)

	_, err = pgcluster.Start(t.Context(), pgcluster.Config{Dir: filepath.Join(dir, strings.Repeat("long", 30))})
	require.ErrorContains(t, err, "too long for a socket")
}

// A keeper that is killed leaves a server that nobody keeps: the next one stops it, and has what it had.
func TestAServerWithoutItsKeeperIsTakenOver(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir, "")
	require.NoError(t, c.Create(t.Context(), "shop"))
	ended, _ := c.Ended()
	assert.False(t, ended)
	require.NoError(t, c.Keeper().Kill())

	successor := start(t, dir, "")
	assert.Equal(t, 1, do(t, successor, `SELECT 1`))
	require.Eventually(t, func() bool { ended, _ := c.Ended(); return ended }, time.Minute, time.Millisecond, "and whoever had it can tell")
	require.Error(t, c.Stop())
	ended, _ = successor.Ended()
	assert.False(t, ended)
	assert.Equal(t, 1, do(t, successor, `SELECT 1`), "the server is not that one's any more")
	require.NoError(t, successor.Stop())
	require.NoError(t, start(t, dir, "").Stop())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range left {
		assert.NotContains(t, f.Name(), "ended")
	}
}

func TestWithoutItsKeeperAServerStopsAllTheSame(t *testing.T) {
	t.Parallel()
	c := start(t, folder(t), "")
	require.NoError(t, c.Keeper().Kill())
	require.Error(t, c.Stop())
	_, err := pgx.Connect(t.Context(), c.Address("postgres"))
	require.Error(t, err)
	require.Eventually(t, func() bool { ended, _ := c.Ended(); return ended }, time.Minute, time.Millisecond, "the last that is written there")
}
