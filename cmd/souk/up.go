package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/store/pgcluster"
	"souk/internal/platform/telemetry"
)

// upOptions are the settings of `souk up`.
type upOptions struct {
	topology                     topology
	data, listen, logLevel, otlp string
	db                           string // address of a PostgreSQL database
	balancer                     string // which, before replicas
	demo, demoPublic             bool
	config                       string
	searchRules                  string // file with the rules of the search
}

func upCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "up TOPOLOGY", Short: "Run a souk of several processes on this machine",
		Long: "Starts the processes of a topology on one data folder, each with its modules, and stops them all on\n" +
			"Ctrl-C, SIGTERM or the end of its terminal. One that dies is started again. What each logs is shown with its name before it, and\n" +
			"kept, down to debug, in DIR/logs for `souk logs`.\n\n" +
			"The topology replicas is three processes that each have everything. Without --db it starts a PostgreSQL of its own\n" +
			"from the one that is installed, in DIR/postgresql. Commands are asked of any one of them: souk verify --data DIR/a.\n\n" +
			"This is for one machine. docs/deploy says how to run the same processes on several.",
		Example: "  souk up --list\n  souk up payments-out --demo\n  souk up apart --data ./data --listen localhost:8080\n  souk up replicas --demo",
		Args:    between(0, 1),
	}
	flags := cmd.Flags()
	data := addData(cmd)
	db := addDB(cmd)
	balancer := flags.String("balancer", "auto", "what stands before replicas: haproxy, souk (a small one of its own), or auto: haproxy if it is installed")
	listen := flags.String("listen", "localhost:8080", "`ADDR`ess of the process with the pages, host:port; the others take free ones on this machine")
	level := flags.String("log-level", "info", "least important lines to show: debug, info, warn, error")
	otlp := flags.String("otlp-endpoint", "", "`URL` to send traces to (OTLP over HTTP); also OTEL_EXPORTER_OTLP_ENDPOINT")
	searchRules := flags.String("search-rules", "", "`FILE` with the rules of the search, for every process that has it")
	withDemo := flags.Bool("demo", false, "fill an empty data folder, or database, with a demo marketplace first")
	public := flags.Bool("demo-public", false, "allow --demo on an address that others can reach")
	list := flags.Bool("list", false, "say which topologies there are")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *list {
			return listTopologies(w.stdout)
		}
		if len(args) == 0 {
			return config.Mistakef("say which topology: %s", strings.Join(topologyNames(), ", "))
		}
		as, ok := topologyNamed(args[0])
		if !ok {
			return config.Mistakef("there is no topology %s; there are %s", args[0], strings.Join(topologyNames(), ", "))
		}
		o := upOptions{
			topology: as, data: *data, listen: *listen, logLevel: *level, otlp: *otlp, demo: *withDemo, demoPublic: *public,
			db: w.database(*db), balancer: *balancer, searchRules: *searchRules, config: cmd.Flags().Lookup("config").Value.String(),
		}
		if _, _, err := net.SplitHostPort(o.listen); err != nil {
			return config.Mistakef("--listen %s is not host:port", o.listen)
		}
		if _, err := telemetry.Logger(nil, o.logLevel); err != nil {
			return config.Mistakef("%v", err)
		}
		if !slices.Contains([]string{"auto", "haproxy", "souk"}, o.balancer) {
			return config.Mistakef("--balancer %s is none of auto, haproxy and souk", o.balancer)
		}
		if o.demo {
			if err := checkDemoAddress(o.listen, o.demoPublic); err != nil {
				return err
			}
		}
		return goUp(cmd.Context(), w, o)
	}
	return cmd
}

func topologyNames() []string {
	var names []string
	for _, t := range upTopologies() {
		names = append(names, t.Name)
	}
	return names
}

func listTopologies(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "TOPOLOGY\tPROCESSES\tIS") // into memory until Flush
	for _, as := range upTopologies() {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%s\n", as.Name, len(as.Processes), as.Says)
	}
	return t.Flush()
}

// goUp prepares the folder, and runs the processes on it until ctx ends.
func goUp(ctx context.Context, w *world, o upOptions) error {
	dir, err := openFolder(o.data)
	if err != nil {
		return err
	}
	folders := []string{dir}
	if o.topology.Replicas {
		for i := range o.topology.Processes {
			folders = append(folders, filepath.Join(dir, o.topology.processName(i)))
		}
	}
	for _, folder := range folders {
		running, err := control.Running(ctx, folder)
		if err != nil {
			return err
		}
		if len(running) > 0 {
			return fmt.Errorf("another souk is running on %s (%s)", o.data, strings.Join(running, ", "))
		}
	}
	// A process that cannot have its address is begun again and again; here it can still be said once.
	ln, err := listenTCP(ctx, o.listen)
	if err != nil {
		return err
	}
	if err := ln.Close(); err != nil {
		return fmt.Errorf("see whether %s is free: %w", o.listen, err)
	}
	ctx, alone := withoutTerminal(ctx)
	defer alone()
	u := &upping{w: w, o: o, dir: dir, show: newShow(w)}
	if o.topology.Replicas {
		return errors.Join(u.replicate(ctx), u.close())
	}
	if o.demo {
		if err := u.fillAlone(ctx, dir); err != nil {
			return err
		}
	}
	if err := u.plan(); err != nil {
		return errors.Join(err, u.close())
	}
	return errors.Join(u.run(ctx), u.close())
}

// withoutTerminal has ctx end also when the terminal goes, but for who has asked for the opposite (nohup), and
// nothing end when whoever reads the output does: the processes would be left to themselves.
func withoutTerminal(ctx context.Context) (_ context.Context, stop func()) {
	unread := make(chan os.Signal, 1) // writing is an error then, and no more
	signal.Notify(unread, syscall.SIGPIPE)
	end := func() {}
	if !signal.Ignored(syscall.SIGHUP) {
		ctx, end = signal.NotifyContext(ctx, syscall.SIGHUP)
	}
	return ctx, func() {
		end()
		signal.Stop(unread)
	}
}

// fillAlone fills an empty folder with the demo, as one process that does nothing else.
func (u *upping) fillAlone(ctx context.Context, dir string) (err error) {
	if err := clearHalfDemo(dir, u.o.db); err != nil {
		return err
	}
	a, err := u.w.openAppOn(ctx, dir, u.o.db)
	if err != nil {
		return err
	}
	defer closing(&err, a.close)
	return a.fillDemo(ctx, u.w)
}

// upping is a souk of several child processes.
type upping struct {
	w         *world
	o         upOptions
	dir       string
	show      *show
	processes []*process // the first has the pages
	front     *front     // nil where people reach the first process
	cluster   *pgcluster.Cluster
	opened    atomic.Bool
	held      []io.Closer // addresses
}

// peerSecret is the file in the data folder with what the processes know each other by. It is made anew at
// each start.
const peerSecret = "peer-secret"

// plan says what each process is, and makes what they need.
func (u *upping) plan() error {
	as := u.o.topology
	_, port, err := net.SplitHostPort(u.o.listen)
	if err != nil {
		return config.Mistakef("--listen %s is not host:port", u.o.listen)
	}
	free, err := u.freeAddresses(2 * len(as.Processes))
	if err != nil {
		return err
	}
	private, public := free[:len(as.Processes)], free[len(as.Processes):]
	if port != "0" {
		public[0] = u.o.listen
	}
	secret := filepath.Join(u.dir, peerSecret)
	if len(as.Processes) > 1 {
		if err := writeSecret(secret); err != nil {
			return err
		}
	}
	for i, modules := range as.Processes {
		p := &process{name: as.processName(i), modules: modules, public: public[i], colour: palette[i%len(palette)]}
		u.begin(p, u.dir, 0)
		// --demo also has the pages say that nothing is really sold; a part of a souk knows no demo.
		p.args = append(p.args, fmt.Sprintf("--demo=%t", u.o.demo && len(as.Processes) == 1), fmt.Sprintf("--demo-public=%t", u.o.demoPublic))
		if len(as.Processes) > 1 {
			p.private = private[i]
			p.args = append(append(p.args, as.arguments(i, private)...), "--peer-secret-file", secret)
		}
		if err := u.add(p); err != nil {
			return err
		}
	}
	return nil
}

// begin says what every process is told. How long it says that it stops is not left to the environment: it is killed some time after.
func (u *upping) begin(p *process, dir string, notice time.Duration) {
	p.args = []string{"serve", "--data", dir, "--listen", p.public, "--log-level", "debug", "--drain", notice.String()}
	if u.o.config != "" {
		p.args = append(p.args, "--config", u.o.config)
	}
	if u.o.searchRules != "" {
		p.args = append(p.args, "--search-rules", u.o.searchRules)
	}
	// What may have a password in it goes where it is out of sight.
	if u.o.otlp != "" {
		p.env = append(p.env, config.Variable("otlp-endpoint")+"="+u.o.otlp)
	}
	if u.o.db != "" {
		p.env = append(p.env, databaseVariable+"="+u.o.db)
	}
}

// add opens the log of a process, and has it among those that run.
func (u *upping) add(p *process) (err error) {
	if p.kept, err = openLog(u.dir, p.name); err != nil {
		return err
	}
	u.show.width = max(u.show.width, len(p.name))
	u.processes = append(u.processes, p)
	return nil
}

// close closes the logs, and stops what was started for the processes.
func (u *upping) close() error {
	var all error
	for _, p := range u.processes {
		all = errors.Join(all, p.kept.close())
	}
	if u.front != nil {
		all = errors.Join(all, u.front.close())
	}
	if u.cluster != nil {
		all = errors.Join(all, u.cluster.Stop())
	}
	for _, held := range u.held {
		all = errors.Join(all, held.Close())
	}
	return all
}

// processName is how people call process i: its only module, or main for the one with the pages and
// others, or souk for all; a, b and c for replicas.
func (t topology) processName(i int) string {
	switch modules := t.Processes[i]; {
	case t.Replicas:
		return string(rune('a' + i))
	case len(t.Processes) == 1:
		return "souk"
	case len(modules) == 1:
		return modules[0]
	default:
		return "main"
	}
}

// freeAddresses are n of this machine's own, kept for processes that are to listen there.
func (u *upping) freeAddresses(n int) ([]string, error) {
	addresses := make([]string, n)
	for i := range addresses {
		at, err := u.hold(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		addresses[i] = at.String()
	}
	return addresses, nil
}

// hold keeps an address until all is closed.
func (u *upping) hold(address *net.TCPAddr) (*net.TCPAddr, error) {
	at, held, err := hold(address)
	if err != nil {
		return nil, err
	}
	u.held = append(u.held, held)
	return at, nil
}

// writeSecret makes a new secret, which only the folder's owner can read.
func writeSecret(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replace the peers' secret: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the peers' secret: %w", err)
	}
	if _, err := fmt.Fprintln(f, rand.Text()+rand.Text()); err != nil {
		return errors.Join(fmt.Errorf("write the peers' secret: %w", err), f.Close())
	}
	return f.Close()
}

// run keeps the processes running until ctx ends or one cannot be kept. What people reach stops first, so that
// whom it is serving is still served by the others.
func (u *upping) run(ctx context.Context) error {
	pages, stop := context.WithCancel(ctx)
	defer stop()
	rest, stopRest := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRest()
	var mu sync.Mutex
	var failures []error
	var first, others sync.WaitGroup
	keep := func(of *sync.WaitGroup, running context.Context, run func(ctx context.Context) error) {
		of.Go(func() {
			if err := run(running); err != nil {
				mu.Lock()
				failures = append(failures, err)
				mu.Unlock()
				stop()
			}
		})
	}
	for i, p := range u.processes {
		of, running := &others, rest
		if i == 0 && u.front == nil {
			of, running = &first, pages
		}
		keep(of, running, func(ctx context.Context) error { return u.keep(ctx, p) })
	}
	if u.cluster != nil {
		others.Go(func() { u.sayWhenClusterEnds(rest) })
	}
	ready := u.untilReady(pages, u.processes...)
	if ready && u.front != nil {
		keep(&first, pages, u.front.run)
		ready = u.untilReady(pages, u.front.process)
	}
	var untold error
	if ready {
		u.opened.Store(true)
		if err := u.table(); err != nil {
			untold = fmt.Errorf("say where souk is: %w", err)
			stop()
		}
	}
	<-pages.Done()
	u.show.note("stopping")
	first.Wait()
	stopRest()
	others.Wait()
	return errors.Join(errors.Join(failures...), untold)
}

// How often a process is asked whether it is ready, and when it is said what is waited for.
const (
	askReady   = 250 * time.Millisecond
	sayUnready = 5 * time.Second
)

// untilReady waits until every one of them says that it is ready, or ctx ends.
func (u *upping) untilReady(ctx context.Context, processes ...*process) bool {
	tick := time.NewTicker(askReady)
	defer tick.Stop()
	said := time.Now()
	for _, p := range processes {
		for {
			why := p.unready(ctx)
			if why == "" {
				break
			}
			if time.Since(said) >= sayUnready {
				said = time.Now()
				u.show.note("waiting for %s: %s", p.name, why)
			}
			select {
			case <-ctx.Done():
				return false
			case <-tick.C:
			}
		}
	}
	return ctx.Err() == nil
}

// unready says why the process is not ready, "" when it is.
func (p *process) unready(ctx context.Context) string {
	ctx, end := context.WithTimeout(ctx, 5*time.Second)
	defer end()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.public+"/readyz", nil)
	if err != nil {
		return err.Error()
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "it does not answer yet"
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	var said struct {
		Modules []struct {
			Module, Code string
			Ready        bool
		}
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&said); err != nil {
		return "its answer makes no sense"
	}
	for _, m := range said.Modules {
		if !m.Ready {
			return fmt.Sprintf("%s is not ready (%s)", m.Module, m.Code)
		}
	}
	if res.StatusCode != http.StatusOK {
		return res.Status
	}
	return ""
}

// table says where everything is.
func (u *upping) table() error {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "PROCESS\tPID\tPUBLIC\tPRIVATE\tMODULES") // into memory
	at, all := u.processes[0].public, u.processes
	if u.front != nil {
		at, all = u.front.process.public, append([]*process{u.front.process}, all...)
	}
	for _, p := range all {
		private := p.private
		if private == "" {
			private = "-"
		}
		_, _ = fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\n", p.name, p.pid.Load(), p.public, private, strings.Join(p.modules, ", "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return u.show.plain(fmt.Sprintf("%ssouk is open at %s\n", text.String(), "http://"+browsable(at)))
}

// browsable is an address as a browser takes it: what listens everywhere is reached at localhost.
func browsable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return listen
}
