// Package pgcluster runs a PostgreSQL of one's own from what is installed on this machine: made
// in a folder, reached over a socket there by whoever may enter the folder, and stopped when the process that
// started it ends, however that ends. Tests use it, and `souk up replicas`; a marketplace that matters has a
// PostgreSQL that somebody looks after.
package pgcluster

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
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrNotInstalled says that there is no PostgreSQL on this machine.
var ErrNotInstalled = errors.New("no PostgreSQL is installed: there is no initdb")

// Config says what cluster.
type Config struct {
	Dir      string // holds everything; made if need be. The cluster in it, if there is one, is started again
	Settings string // lines of postgresql.conf, of the first start
	Quick    bool   // what it has need not survive a crash of the machine
	Remove   bool   // the folder goes when the cluster stops
}

// Cluster is a PostgreSQL that runs.
type Cluster struct {
	bin, dir string
	name     string // its keeper's
	as       *syscall.SysProcAttr
	keeper   *exec.Cmd
	input    io.Closer    // its keeper's: what is not closed by Stop is closed by the end of this process alone
	killed   func() error // ends what a killed keeper has left
}

// superuser is who may do everything in a cluster.
const superuser = "souk"

// longestSocket is what the path of a socket may have, on every system.
const longestSocket = 103

// Start makes the cluster, if the folder has none, and runs it until Stop or the end of this process.
func Start(ctx context.Context, c Config) (_ *Cluster, err error) {
	s := &Cluster{dir: c.Dir, name: rand.Text()}
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if path := filepath.Join(c.Dir, ".s.PGSQL.5432"); len(path) > longestSocket {
		return nil, fmt.Errorf("the path of the folder is too long for a socket in it: %s", c.Dir)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of PostgreSQL: %w", err)
	}
	own, err := lock(ctx, c.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.Close()) }() // by then the keeper has it, or nobody needs it
	if s.as, err = who(ctx, c.Dir); err != nil {
		return nil, err
	}
	if err := s.make(ctx, c); err != nil {
		return nil, err
	}
	if err := forget(c.Dir); err != nil {
		return nil, err
	}
	if err := s.leftover(ctx); err != nil {
		return nil, err
	}
	mode, after := "fast", "keep"
	if c.Quick {
		mode = "immediate"
	}
	if c.Remove {
		after = "remove"
	}
	s.killed = func() error { return s.unkept(context.WithoutCancel(ctx)) }
	s.keeper = s.command(context.WithoutCancel(ctx), "/bin/sh", "-c", keeper, "keeper", s.bin, c.Dir, mode, after, s.ended())
	if s.input, err = s.keeper.StdinPipe(); err != nil {
		return nil, err
	}
	s.keeper.ExtraFiles = []*os.File{own}
	if err := s.keeper.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.await(ctx, func() bool { _, err := os.Stat(s.ended()); return err == nil }); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Installed says whether there is a PostgreSQL on this machine to start.
func Installed() bool {
	_, err := binaries()
	return err == nil
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
		return "", ErrNotInstalled
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

// who PostgreSQL runs as: not root, which it refuses. Where root starts it, the folder becomes that user's.
func who(ctx context.Context, dir string) (*syscall.SysProcAttr, error) {
	own := &syscall.SysProcAttr{Setsid: true} // a Ctrl-C is for who started it, which then stops it
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
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		look := exec.CommandContext(ctx, "/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
		look.SysProcAttr = own
		if err := look.Run(); err != nil {
			return nil, fmt.Errorf("PostgreSQL refuses to run as root, and the user %s cannot enter %s: run this as an ordinary user, or in a folder that everybody can pass through", name, dir)
		}
		return own, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is no other user")
}

func (s *Cluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.SysProcAttr, c.Env = "/", s.as, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	return c
}

func (s *Cluster) data() string { return filepath.Join(s.dir, "data") }

// endings is what the names of files begin with that say that a server has ended.
const endings = "ended."

// ended is the one that says it of the server which the keeper started.
func (s *Cluster) ended() string { return filepath.Join(s.dir, endings+s.name) }

// forget removes those of servers whose keepers were killed before they could.
func forget(dir string) error {
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if strings.HasPrefix(f.Name(), endings) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.Name())))
		}
	}
	return err
}

// make makes a cluster where there is none. One that was cut off while it was made is made anew.
func (s *Cluster) make(ctx context.Context, c Config) error {
	if _, err := os.Stat(s.data()); err == nil {
		return nil
	}
	part := s.data() + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("clear a cluster that was begun: %w", err)
	}
	args := []string{"-D", part, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-instructions"}
	if c.Quick {
		args = append(args, "--no-sync")
	}
	if out, err := s.command(ctx, filepath.Join(s.bin, "initdb"), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	settings := "\nlisten_addresses = ''\nunix_socket_directories = " + quoted(`"`+s.dir+`"`) + "\n" + c.Settings
	if c.Quick {
		settings += "\nfsync = off\nfull_page_writes = off\n"
	}
	conf, err := os.OpenFile(filepath.Join(part, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write the settings of PostgreSQL: %w", err)
	}
	_, err = conf.WriteString(settings)
	if err := errors.Join(err, conf.Close()); err != nil {
		return fmt.Errorf("write the settings of PostgreSQL: %w", err)
	}
	return os.Rename(part, s.data())
}

// quoted is a text as postgresql.conf takes it.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}

// keeper runs the server for as long as whoever started it lives: it waits for the end of its
// input, which the kernel closes however that process ends, and then stops the server, whichever process that is by
// then. One that has hardly begun cannot be told yet, so it is told until it has ended. It alone has the lock: when it is
// killed, the next one finds the server and stops it.
const keeper = `
( "$1/postgres" -D "$2/data" >>"$2/log" 2>&1; : >"$5" ) 3>&- &
pid=$!
read -r _
while
	"$1/pg_ctl" stop -s -D "$2/data" -m "$3" -t 60 >>"$2/log" 2>&1
	kill -0 $pid 2>&-
do sleep 0.1; done
rm -f "$5"
[ ! -e "$2/data/postmaster.pid" ] || exit 1
[ "$4" != remove ] || rm -rf "$2"
`

// lock returns once no other keeper is at work on the folder, which may take it a while to stop its server. Ours holds
// the lock until it has ended.
func lock(ctx context.Context, dir string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	f, err := lockFile(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := tryLock(f)
		if err == nil {
			return f, nil
		}
		look := time.NewTimer(50 * time.Millisecond)
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("another process has the PostgreSQL in %s: %w", dir, err), f.Close())
		}
	}
}

func lockFile(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder of PostgreSQL: %w", err)
	}
	return f, nil
}

// tryLock locks the file if nobody else has.
func tryLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// unkept stops the server of our keeper, which was killed, unless another keeper has taken it over: then it is that one's.
func (s *Cluster) unkept(ctx context.Context) (err error) {
	own, err := lockFile(s.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, own.Close()) }()
	if tryLock(own) != nil {
		return nil
	}
	return s.leftover(ctx)
}

// leftover stops a server that still runs on the folder: of a keeper that was killed.
func (s *Cluster) leftover(ctx context.Context) error {
	runs := s.command(ctx, filepath.Join(s.bin, "pg_ctl"), "status", "-s", "-D", s.data()).Run() == nil
	if !runs {
		return nil
	}
	return s.control(ctx, "stop", "fast")
}

func (s *Cluster) control(ctx context.Context, what, mode string) error {
	out, err := os.CreateTemp("", "souk-pg-ctl-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) //nolint:errcheck // only what it says
	defer out.Close()           //nolint:errcheck // only what it says
	c := s.command(ctx, filepath.Join(s.bin, "pg_ctl"), what, "-s", "-w", "-D", s.data(), "-m", mode, "-t", "60")
	c.Stdout, c.Stderr = out, out // a file: the server that it starts inherits it, and nobody waits for that one's end
	if err := c.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s PostgreSQL: %w: %s", what, err, bytes.TrimSpace(text))
	}
	return nil
}

// Restart stops the server in one of PostgreSQL's ways, fast or immediate, and starts it again.
func (s *Cluster) Restart(ctx context.Context, mode string) error {
	if err := s.control(ctx, "restart", mode); err != nil {
		return err
	}
	return s.await(ctx, func() bool { return false })
}

// Halt stops the server in one of PostgreSQL's ways; Resume starts it again.
func (s *Cluster) Halt(ctx context.Context, mode string) error { return s.control(ctx, "stop", mode) }

// Resume starts a server that was halted.
func (s *Cluster) Resume(ctx context.Context) error {
	if err := s.control(ctx, "start", "fast"); err != nil {
		return err
	}
	return s.await(ctx, func() bool { return false })
}

// Stop stops the server, and returns when it has stopped.
func (s *Cluster) Stop() error {
	if err := s.input.Close(); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	if err := s.keeper.Wait(); err != nil { // it was killed, perhaps, and the server runs still
		return errors.Join(fmt.Errorf("stop PostgreSQL: %w: %s", err, s.log()), s.killed())
	}
	return nil
}

// Ended says whether the server that Start started has ended by itself, and in its log why.
func (s *Cluster) Ended() (ended bool, log string) {
	_, err := os.Stat(s.ended())
	return err == nil, filepath.Join(s.dir, "log")
}

// Address is that of a database of the cluster.
func (s *Cluster) Address(database string) string {
	query := url.Values{"host": {s.dir}, "user": {superuser}}.Encode()
	return "postgres:///" + database + "?" + strings.ReplaceAll(query, "+", "%20") // pgx leaves a plus as it is
}

// duplicateDatabase is PostgreSQL's code of that error.
const duplicateDatabase = "42P04"

// Create makes a database if there is none of that name, which is a plain word.
func (s *Cluster) Create(ctx context.Context, database string) (err error) {
	c, err := pgx.Connect(ctx, s.Address("postgres"))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	_, err = c.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{database}.Sanitize()+` TEMPLATE template0 ENCODING 'UTF8'`)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == duplicateDatabase {
		err = nil
	}
	return err
}

// Drop drops a database, whoever is connected to it.
func (s *Cluster) Drop(ctx context.Context, database string) (err error) {
	c, err := pgx.Connect(ctx, s.Address("postgres"))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	_, err = c.Exec(ctx, `DROP DATABASE IF EXISTS `+pgx.Identifier{database}.Sanitize()+` WITH (FORCE)`)
	return err
}

// startTime is how long a server may take to answer; after a crash it first mends itself.
const startTime = time.Minute

// await returns when the server answers, or has ended.
func (s *Cluster) await(ctx context.Context, ended func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.Address("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		if ended() {
			return fmt.Errorf("PostgreSQL did not start: %s", s.log())
		}
		look := time.NewTimer(20 * time.Millisecond)
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w: %s", err, s.log())
		}
	}
}

// log is the end of what the server had to say.
func (s *Cluster) log() []byte {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(text[max(0, len(text)-4000):])
}
