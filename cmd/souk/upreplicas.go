package main

import (
	"bytes"
	"context"
	_ "embed" // the configuration of haproxy
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"text/template"
	"time"

	"souk/internal/platform/balance"
	"souk/internal/platform/config"
	"souk/internal/platform/httpx"
	"souk/internal/platform/store/pgcluster"
)

// replicaNotice is how long a replica of `souk up` says that it stops: both balancers ask every half second.
const replicaNotice = 2 * time.Second

// replicate prepares three full processes on one database, and runs them until ctx ends.
func (u *upping) replicate(ctx context.Context) error {
	if u.o.db == "" {
		if err := u.ownPostgreSQL(ctx); err != nil {
			return err
		}
	}
	as := u.o.topology
	if u.o.demo {
		if err := u.fillAlone(ctx, filepath.Join(u.dir, as.processName(0))); err != nil {
			return err
		}
	}
	free, err := u.freeAddresses(len(as.Processes))
	if err != nil {
		return err
	}
	for i, modules := range as.Processes {
		p := &process{name: as.processName(i), modules: modules, public: free[i], colour: palette[i%len(palette)]}
		dir := filepath.Join(u.dir, p.name)
		if _, err := openFolder(dir); err != nil {
			return err
		}
		u.begin(p, dir, replicaNotice)
		p.args = append(p.args, "--proxies", "127.0.0.0/8",
			fmt.Sprintf("--demo=%t", u.o.demo), fmt.Sprintf("--demo-public=%t", u.o.demoPublic))
		if err := u.add(p); err != nil {
			return err
		}
	}
	if err := u.raiseFront(ctx); err != nil {
		return err
	}
	return u.run(ctx)
}

// ownPostgreSQL is the folder in the data folder with the PostgreSQL of `souk up replicas`. It has the name of the file by
// which a folder says that its data are on PostgreSQL, and so says the same.
const ownPostgreSQL = elsewhere

// ownDatabase is the database in it.
const ownDatabase = "souk"

// clusterSettings are for three processes with all their connections.
const clusterSettings = "max_connections = 300\nshared_buffers = 64MB\njit = off\n"

// ownPostgreSQL starts a PostgreSQL in the data folder.
func (u *upping) ownPostgreSQL(ctx context.Context) error {
	for _, name := range moduleNames {
		if _, err := os.Stat(filepath.Join(u.dir, name+".db")); err == nil {
			return fmt.Errorf("%s holds the databases of a souk on files: choose another --data (`souk db copy` moves them to PostgreSQL)", u.o.data)
		}
	}
	dir := filepath.Join(u.dir, ownPostgreSQL)
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("the data of %s are in a PostgreSQL database: give its address by --db or in %s", u.o.data, databaseVariable)
	}
	if os.Geteuid() == 0 { // PostgreSQL then runs as somebody else, who has to pass through; what is in the folder is closed
		if err := os.Chmod(u.dir, 0o711); err != nil { //nolint:gosec // to be passed through
			return fmt.Errorf("let PostgreSQL into the data folder: %w", err)
		}
	}
	var err error
	u.cluster, err = pgcluster.Start(ctx, pgcluster.Config{Dir: dir, Settings: clusterSettings})
	switch {
	case errors.Is(err, pgcluster.ErrNotInstalled):
		return errors.New("replicas need PostgreSQL, and none is installed: install Debian's postgresql (its own server need not run), or name a database by --db postgres://…")
	case err != nil:
		return err
	}
	u.show.note("PostgreSQL runs in %s", dir)
	if err := u.clearOwnDemo(ctx); err != nil {
		return err
	}
	if err := u.cluster.Create(ctx, ownDatabase); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	u.o.db = u.cluster.Address(ownDatabase)
	return nil
}

// sayWhenClusterEnds watches PostgreSQL until ctx ends: without it souk goes on, and answers that storage does not.
func (u *upping) sayWhenClusterEnds(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ended, log := u.cluster.Ended(); ended {
			u.show.note("PostgreSQL has ended by itself: %s says why. Stop souk up and start it again", log)
			return
		}
	}
}

// clearOwnDemo drops the database if filling the demo into it was cut off.
func (u *upping) clearOwnDemo(ctx context.Context) error {
	folder := filepath.Join(u.dir, u.o.topology.processName(0))
	if _, err := os.Stat(filepath.Join(folder, demoFilling)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := u.cluster.Drop(ctx, ownDatabase); err != nil {
		return fmt.Errorf("clear a demo that was cut off: %w", err)
	}
	if err := os.RemoveAll(folder); err != nil { // the mark and the search index
		return fmt.Errorf("clear a demo that was cut off: %w", err)
	}
	return nil
}

// front is what people reach of several processes that serve the same.
type front struct {
	process *process
	run     func(ctx context.Context) error
	close   func() error
}

//go:embed haproxy.cfg.tmpl
var haproxyTemplate string

// haproxySettings are what haproxy is told, here or where docs/deploy has it.
type haproxySettings struct {
	Local   bool
	Bind    string
	Servers []haproxyServer
}

type haproxyServer struct{ Name, At string }

// Backends are the same servers twice: those that are ready with their database, and those that are ready.
func (s haproxySettings) Backends() []haproxyBackend {
	return []haproxyBackend{{"souk", "/readyz?outage=5s"}, {"souk-without", "/readyz"}}
}

type haproxyBackend struct{ Name, Check string }

func (s haproxySettings) text() ([]byte, error) {
	t, err := template.New("haproxy.cfg").Parse(haproxyTemplate)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = t.Execute(&text, s)
	return text.Bytes(), err
}

// raiseFront puts a balancer before the processes.
func (u *upping) raiseFront(ctx context.Context) error {
	program := ""
	if u.o.balancer != "souk" {
		program = haproxyProgram()
	}
	if program == "" && u.o.balancer == "haproxy" {
		return config.Mistakef("haproxy is not installed; leave --balancer out, and souk shares the requests out itself")
	}
	p := &process{name: "front", colour: palette[len(u.processes)%len(palette)]}
	u.show.width = max(u.show.width, len(p.name))
	if program == "" {
		ln, err := listenTCP(ctx, u.o.listen)
		if err != nil {
			return err
		}
		p.public = ln.Addr().String()
		return u.balanceItself(p, ln)
	}
	wanted, err := net.ResolveTCPAddr("tcp", u.o.listen)
	if err != nil {
		return cannotListen(u.o.listen, err)
	}
	at, err := u.hold(wanted)
	if err != nil {
		return cannotListen(u.o.listen, err)
	}
	p.public = at.String()
	settings := haproxySettings{Local: true, Bind: p.public}
	if at.IP == nil || at.IP.IsUnspecified() {
		settings.Bind = fmt.Sprintf("*:%d", at.Port)
	}
	for _, m := range u.processes {
		settings.Servers = append(settings.Servers, haproxyServer{m.name, m.public})
	}
	text, err := settings.text()
	if err != nil {
		return err
	}
	path := filepath.Join(u.dir, "haproxy.cfg")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write what haproxy is told: %w", err)
	}
	p.modules, p.program, p.args, p.stopBy = []string{"haproxy"}, program, []string{"-db", "-f", path}, syscall.SIGUSR1
	if p.kept, err = openLog(u.dir, p.name); err != nil {
		return err
	}
	u.front = &front{process: p, run: func(ctx context.Context) error { return u.keep(ctx, p) }, close: p.kept.close}
	return nil
}

// haproxyProgram is where haproxy is, "" if it is not installed.
func haproxyProgram() string {
	for _, name := range []string{"haproxy", "/usr/sbin/haproxy"} { // the latter is on root's path alone
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// balanceItself shares requests out in this process.
func (u *upping) balanceItself(p *process, ln net.Listener) error {
	c := balance.Config{Said: func(name string, now balance.Health) {
		u.show.line(p.name, p.colour, fmt.Appendf(nil, "%s is %s", name, now))
	}}
	for _, m := range u.processes {
		c.Members = append(c.Members, balance.Member{Name: m.name, At: &url.URL{Scheme: "http", Host: m.public}})
	}
	p.modules = []string{"a balancer of souk's own"}
	p.pid.Store(int64(os.Getpid()))
	u.front = &front{process: p, close: func() error { return nil }, run: func(ctx context.Context) error {
		b := balance.New(c)
		go b.Run(ctx)
		server := httpx.HTTPServer(b)
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ln) }()
		select {
		case err := <-ended:
			return fmt.Errorf("serve the balancer: %w", err)
		case <-ctx.Done():
		}
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := server.Shutdown(finish); !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return server.Close()
	}}
	return nil
}
