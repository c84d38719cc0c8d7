// Package pgtest finds a PostgreSQL for tests: the one that SOUK_TEST_POSTGRES names
// (postgres://…, a role that may make roles and schemas), or a throwaway cluster of an installed
// PostgreSQL, in a temporary folder and on a socket there, which goes when the test's process
// does. Without either a test says so and is skipped; under CI=true it fails.
package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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
	if err == nil {
		return s.address
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("there is no PostgreSQL for tests: %v", err)
	}
	t.Skipf("skipped, for there is no PostgreSQL for tests: %v; install Debian's postgresql, or set %s=postgres://…", err, Env)
	return ""
}

// settings make a cluster quick and small: what is lost in a crash of the machine does not matter.
const settings = `
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 400
shared_buffers = 32MB
autovacuum_naptime = 10s
jit = off
max_wal_size = 256MB
`

// start makes a cluster.
func start() (server, error) {
	bin, err := binaries()
	if err != nil {
		return server{}, err
	}
	dir, err := os.MkdirTemp("", "souk-pg-")
	if err != nil {
		return server{}, err
	}
	s, err := run(bin, dir)
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return s, err
}

// binaries is the folder of the newest PostgreSQL that is installed.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("no initdb is installed")
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

func version(initdb string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	if err != nil {
		return 0
	}
	return n
}

// who PostgreSQL runs as: not root, which it refuses.
func who(dir string) (*syscall.SysProcAttr, error) {
	own := &syscall.SysProcAttr{Setsid: true} // a Ctrl-C at the tests is not for the server
	if os.Geteuid() != 0 {
		return own, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return nil, err
		}
		own.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // ids of a user of this system
		return own, os.Chown(dir, uid, gid)
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is no other user")
}

// keeper runs the server for as long as whoever started it lives: it waits for the end of its
// input, which the kernel closes however that process ends, and then leaves nothing behind.
const keeper = `
"$1/postgres" -D "$2/data" -k "$2" >"$2/log" 2>&1 &
pid=$!
read -r _
kill -QUIT $pid
wait $pid
rm -rf "$2"
`

// server is a cluster that runs.
type server struct {
	address string
	input   io.Closer // its keeper's: closed by the end of this process alone, so no garbage collection may find it
}

func run(bin, dir string) (s server, err error) {
	as, err := who(dir)
	if err != nil {
		return s, err
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // the installed PostgreSQL
		c.Dir, c.SysProcAttr, c.Env = dir, as, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := command(filepath.Join(bin, "initdb"), "-D", data, "-U", "souk", "-A", "trust", "--no-sync", "-E", "UTF8",
		"--no-instructions").CombinedOutput(); err != nil {
		return s, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0) //nolint:gosec // just made
	if err != nil {
		return s, err
	}
	_, err = conf.WriteString(settings)
	if err := errors.Join(err, conf.Close()); err != nil {
		return s, err
	}
	c := command("/bin/sh", "-c", keeper, "keeper", bin, dir)
	if s.input, err = c.StdinPipe(); err != nil {
		return s, err
	}
	if err := c.Start(); err != nil {
		return s, err
	}
	q := url.Values{"host": {dir}, "user": {"souk"}}
	s.address = "postgres:///postgres?" + q.Encode()
	return s, await(s.address, filepath.Join(dir, "log"))
}

// await returns when the server answers.
func await(address, log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, address)
		if err == nil {
			return c.Close(ctx)
		}
		look := time.NewTimer(20 * time.Millisecond)
		select {
		case <-look.C:
		case <-ctx.Done():
			text, _ := os.ReadFile(log) //nolint:gosec // just made
			return fmt.Errorf("the throwaway PostgreSQL does not answer: %w: %s", err, text)
		}
	}
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
