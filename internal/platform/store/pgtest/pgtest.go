// Package pgtest finds a PostgreSQL for tests: the one that SOUK_TEST_POSTGRES names
// (postgres://…, a role that may make roles and schemas), or a throwaway cluster of an installed
// PostgreSQL, in a temporary folder and on a socket there, which goes when the test's process
// does. Without either a test says so and is skipped; under CI=true it fails.
package pgtest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"souk/internal/platform/store/pgcluster"
)

// Env names the environment variable with the address of a PostgreSQL for tests.
const Env = "SOUK_TEST_POSTGRES"

var cluster = sync.OnceValues(start)

// URL is the address of a PostgreSQL whose user may do everything. Many tests use the same.
func URL(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(Env); given != "" {
		return given
	}
	s, err := cluster()
	if err != nil {
		missing(t, err)
	}
	return s.Address("postgres")
}

// settings make a cluster small.
const settings = `
max_connections = 400
shared_buffers = 32MB
autovacuum_naptime = 10s
jit = off
max_wal_size = 256MB
`

// start makes a cluster that all tests of the process use. What is lost in a crash does not matter to them.
func start() (*pgcluster.Cluster, error) { return throwaway(settings + "synchronous_commit = off\n") }

func throwaway(settings string) (*pgcluster.Cluster, error) {
	dir, err := os.MkdirTemp("", "souk-pg-")
	if err != nil {
		return nil, err
	}
	s, err := pgcluster.Start(context.Background(), pgcluster.Config{Dir: dir, Settings: settings, Quick: true, Remove: true})
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return s, err
}

// Own is a cluster of a test's own, which may be stopped and started: it keeps what it has committed. It needs an
// installed PostgreSQL, whatever the environment names.
func Own(t testing.TB) *pgcluster.Cluster {
	t.Helper()
	s, err := throwaway(settings)
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Installed skips a test that starts an installed PostgreSQL by itself, where there is none.
func Installed(t testing.TB) {
	t.Helper()
	if !pgcluster.Installed() {
		missing(t, pgcluster.ErrNotInstalled)
	}
}

// missing ends a test that needs a PostgreSQL.
func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("there is no PostgreSQL for tests: %v", err)
	}
	t.Skipf("skipped, for there is no PostgreSQL for tests: %v; install Debian's postgresql, or set %s=postgres://…", err, Env)
}

// Database is the address of a database of its own, which goes at the end of the test with the
// roles that souk makes for it.
func Database(t testing.TB) string {
	t.Helper()
	address := URL(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("%s is no address: %v", Env, err)
	}
	ctx := context.Background()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatalf("the PostgreSQL for tests does not answer: %v", err)
	}
	name := "test_" + strings.ToLower(rand.Text())[:12]
	run := func(statement string) {
		if _, err := c.Exec(ctx, statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	run(`CREATE DATABASE ` + name + ` TEMPLATE template0 ENCODING 'UTF8'`)
	t.Cleanup(func() {
		run(`DROP DATABASE ` + name + ` WITH (FORCE)`)
		run(`DO $$ DECLARE r name; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE starts_with(rolname, '` + name + `_')
			LOOP EXECUTE 'DROP ROLE ' || quote_ident(r); END LOOP; END $$`)
		_ = c.Close(ctx)
	})
	u.Path = "/" + name
	return u.String()
}
