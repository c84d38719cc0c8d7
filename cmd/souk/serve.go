package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/httpx"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// drain is how long what is in flight may take to finish when souk stops.
const drain = 10 * time.Second

// How long souk takes to stop at most, beyond what --drain says: for requests; for jobs, for those that are cancelled, and a little for
// other workers; for a database that does not answer, and for whoever is freed from it; and for traces. Whoever stops it
// and kills it sooner cuts off what would have ended well.
const (
	stopTime  = drain + restTime + store.ClosePatience + freeTime + traceTime
	restTime  = 2*job.Grace + time.Second
	freeTime  = 3 * time.Second // nothing is asked of a database any more
	traceTime = 5 * time.Second
)

// mostNotice is the longest time for which souk says that it stops: whoever stops it does not wait for ever.
const mostNotice = time.Minute

// serveOptions are the settings of `souk serve`.
type serveOptions struct {
	data, listen, logLevel, otlp string
	db                           string // address of a PostgreSQL database
	templates                    string
	demo, demoPublic             bool
	proxies                      []netip.Prefix
	notice                       time.Duration
	private                      string // address for neighbours; "" for none
	layout                       layout
	broker                       brokerOptions
	hedge                        time.Duration // after which a neighbour is asked a read again; 0 for never
	proofs                       proofs
	searchRules                  string // file with the rules of the search; "" for those that operators keep
}

func serveCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the marketplace",
		Long: "Runs the marketplace until it is told to stop (Ctrl-C or SIGTERM). Then it takes no new requests,\n" +
			"gives those in flight ten seconds to finish, and closes its databases. Behind a load balancer, --drain has it\n" +
			"say on /readyz that it stops, and go on taking requests, until nobody sends any more.",
		Example: "  souk serve --data ./data --listen localhost:8080",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	data := addData(cmd)
	db := addDB(cmd)
	listen := flags.String("listen", "localhost:8080", "`ADDR`ess to serve on, host:port")
	level := flags.String("log-level", "info", "least important lines to log: debug, info, warn, error")
	otlp := flags.String("otlp-endpoint", "", "`URL` to send traces to (OTLP over HTTP); also OTEL_EXPORTER_OTLP_ENDPOINT")
	proxies := flags.StringSlice("proxies", nil, "`CIDR`s of reverse proxies whose X-Forwarded headers are believed")
	notice := flags.Duration("drain", 0, "`DURATION` for which /readyz says that souk stops before it takes no new requests: longer than a load balancer takes to notice")
	withDemo := flags.Bool("demo", false, "fill an empty data folder, or database, with a demo marketplace")
	public := flags.Bool("demo-public", false, "allow --demo on an address that others can reach")
	split := addSplit(flags)
	searchRules := flags.String("search-rules", "", "`FILE` with the rules of the search, as `souk search rules export` writes them: they replace those kept, and are changed in the file alone. Of every process with the search the same")
	templates := flags.String("templates", "", "`DIR` of internal/storefront in a source tree, to see changes of pages at once")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o := serveOptions{
			data: *data, db: w.database(*db), listen: *listen, logLevel: *level, otlp: *otlp, templates: *templates, demo: *withDemo, demoPublic: *public,
			notice: *notice, searchRules: *searchRules,
		}
		if o.notice < 0 || o.notice > mostNotice {
			return config.Mistakef("--drain %s is not between 0 and %s", o.notice, mostNotice)
		}
		if o.otlp == "" {
			o.otlp = w.getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
		}
		if _, _, err := net.SplitHostPort(o.listen); err != nil {
			return config.Mistakef("--listen %s is not host:port", o.listen)
		}
		for _, text := range *proxies {
			p, err := netip.ParsePrefix(text)
			if err != nil {
				return config.Mistakef("--proxies %s is not a network like 10.0.0.0/8", text)
			}
			o.proxies = append(o.proxies, p)
		}
		if err := split.read(w.getenv, &o); err != nil {
			return err
		}
		return serve(cmd.Context(), w, o)
	}
	return cmd
}

// serve runs souk until ctx ends and then undoes, in reverse, what it did to begin.
func serve(ctx context.Context, w *world, o serveOptions) (err error) {
	if _, err := telemetry.Logger(nil, o.logLevel); err != nil {
		return config.Mistakef("%v", err)
	}
	if o.demo {
		if err := checkDemoAddress(o.listen, o.demoPublic); err != nil {
			return err
		}
	}
	dir, err := openFolder(o.data)
	if err != nil {
		return err
	}
	ln, err := listenTCP(ctx, o.listen)
	if err != nil {
		return err
	}
	defer closing(&err, ln.Close)

	tel, err := telemetry.Start(ctx, telemetry.Config{Out: w.stderr, Level: o.logLevel, Version: soukVersion(), Process: o.layout.process(), Endpoint: o.otlp})
	if err != nil {
		return err
	}
	defer closing(&err, func() error { return limited(ctx, tel.Stop) })

	if client, err := control.Dial(ctx, dir, o.layout.process()); err == nil {
		client.Close()
		return fmt.Errorf("another souk is running on %s", o.data)
	}
	private := net.Listener(nil)
	if o.private != "" {
		if private, err = listenTCP(ctx, o.private); err != nil {
			return err
		}
		defer closing(&err, private.Close)
	}
	if o.demo {
		if err := clearHalfDemo(dir, o.db); err != nil {
			return err
		}
	}
	if err := checkDB(dir, o.db); err != nil {
		return err
	}
	a, err := wire(ctx, dir, tel, wireOptions{
		db: o.db, demo: o.demo, templates: o.templates, at: w.at, layout: o.layout, proofs: o.proofs, broker: o.broker, hedge: o.hedge, probes: w.probes,
		fixedRules: o.searchRules != "",
	})
	if err != nil {
		return err
	}
	defer closing(&err, a.close)
	if err := rememberDB(dir, o.db); err != nil {
		return err
	}
	if err := a.adoptRules(ctx, w, o.searchRules); err != nil {
		return err
	}
	if w.probes.wired != nil {
		w.probes.wired(a)
	}
	if err := a.begin(ctx, w, o.demo); toldToStop(ctx, err) {
		tel.Log.Info().Err(err).Msg("told to stop before it had begun") // also what failed when it was told
		return nil
	} else if err != nil {
		return err
	}
	a.serving.Store(true)
	a.notice = o.notice

	a.http.Log, a.http.Tracer, a.http.Meter = tel.Log, tel.Tracer, tel.Meter()
	a.http.Version, a.http.Proxies = soukVersion(), o.proxies
	server := httpx.New(a.http)
	if err := a.modules.Mount(server, tel.Metrics()); err != nil { //nolint:contextcheck // what is passed on has the context of its own request
		return err
	}
	socket, err := control.Listen(ctx, dir, o.layout.process())
	if err != nil {
		return err
	}
	defer closing(&err, socket.Close)
	commands := control.NewServer(tel.Log)
	a.register(commands)
	sides := []side{{what: "serve commands", serve: func(ctx, _ context.Context) error { return commands.Serve(ctx, socket, drain) }}}
	if private != nil {
		sides = append(sides, side{what: "serve neighbours", needsWork: true, serve: func(ctx, finish context.Context) error {
			return a.servePrivate(ctx, finish, private, server.Handler(), commands)
		}})
	}
	return a.serve(ctx, w, ln, server.Handler(), sides)
}

// begin is what is done before anybody is let in.
func (a *app) begin(ctx context.Context, w *world, withDemo bool) error {
	if withDemo {
		if err := a.fillDemo(ctx, w); err != nil {
			return err
		}
	}
	if err := a.neighbours.greet(ctx); err != nil {
		return err
	}
	return a.modules.Start(ctx)
}

// toldToStop says whether what was begun was cut off since ctx has ended.
func toldToStop(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// side is one more way in, beside the public one: it lets in until ctx ends, and what is inside then finishes until finish ends.
type side struct {
	what      string
	serve     func(ctx, finish context.Context) error
	needsWork bool // what is inside may wait for events and jobs, as a checkout does
}

// serve answers on ln, and on the other sides, until ctx ends or something that souk cannot do without fails.
func (a *app) serve(ctx context.Context, w *world, ln net.Listener, h http.Handler, sides []side) error {
	log := a.tel.Log
	running, stop := context.WithCancel(ctx)
	defer stop()
	// Requests and workers outlive ctx: they are told to stop one after the other.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	working, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer rest()

	opened, shut := context.WithCancel(context.WithoutCancel(ctx)) // for neighbours and commands
	defer shut()

	inside := &underway{}
	server := httpx.HTTPServer(inside.counting(h))
	server.BaseContext = func(net.Listener) context.Context { return base }
	ended := make(chan error, 2+len(sides))
	spawn := func(what string, f func() error) {
		go func() {
			err := a.unended.run(what, f)
			if err != nil {
				err = fmt.Errorf("%s: %w", what, err)
			}
			stop()
			ended <- err
		}()
	}
	spawn("serve HTTP", func() error {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	late, over := context.WithCancel(base) // ends when what is in flight has no more time
	defer over()
	var answering sync.WaitGroup
	for _, s := range sides {
		if s.needsWork {
			answering.Add(1)
		}
		spawn(s.what, func() error {
			if s.needsWork {
				defer answering.Done()
			}
			return s.serve(opened, late)
		})
	}
	spawn("background work", func() error { return a.work(working) })

	_, _ = fmt.Fprintf(w.stdout, "souk is open at %s\n", address(ln.Addr()))
	log.Info().Str("listen", ln.Addr().String()).Str("data", a.dir).Stringer("modules", a.neighbours.layout).Str("version", soukVersion()).Msg("serving")

	<-running.Done()
	log.Info().Dur("drain", a.notice).Msg("stopping")
	a.modules.Stopping()
	told := ctx.Err() != nil // else something has failed, and there is nothing to wait for
	inside.leaving.Store(true)
	if told {
		pause(base, a.notice)
	}
	finish, cancel := context.WithTimeout(base, drain)
	defer cancel()
	defer context.AfterFunc(finish, over)()
	if told && a.notice > 0 {
		inside.wait(finish)
	}
	shut()
	err := server.Shutdown(finish)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn().Dur("after", drain).Msg("requests cut off")
		cut()
		err = server.Close()
	}
	answering.Wait()
	rest()
	if err = errors.Join(err, a.collect(ended)); err == nil {
		log.Info().Msg("stopped")
	}
	return err
}

// collect waits until all have ended, and says what they said. A Write waits for its database server as long as the connection stands:
// who has not come to rest in time is freed by closing. Whom that does not free either is named, and left to the end of the process.
func (a *app) collect(ended <-chan error) (err error) {
	patience := time.NewTimer(restTime)
	defer patience.Stop()
	closed := false
	for left := cap(ended); left > 0; {
		select {
		case e := <-ended:
			err = errors.Join(err, e)
			left--
		case <-patience.C:
			if closed {
				return errors.Join(err, fmt.Errorf("still running though the databases are closed: %s", strings.Join(a.unended.names(), ", ")))
			}
			a.tel.Log.Error().Dur("after", restTime).Msg("background work has not come to rest; the databases are closed before it has")
			err = errors.Join(err, a.close())
			closed = true
			patience.Reset(freeTime)
		}
	}
	return err
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// listenTCP opens the address, and says plainly why it cannot.
func listenTCP(ctx context.Context, listen string) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, cannotListen(listen, err)
	}
	return ln, nil
}

// cannotListen says what to do about an address that cannot be had.
func cannotListen(listen string, err error) error {
	var call *os.SyscallError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken: another program listens there; choose another address with --listen", listen)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not be listened on by this user; choose a port above 1023 with --listen", listen)
	case errors.As(err, &call):
		return fmt.Errorf("cannot listen on %s: %w", listen, call.Err)
	default:
		return config.Mistakef("cannot listen on %s: %v", listen, err)
	}
}

// address is where a browser finds what listens at addr.
func address(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsUnspecified() || ip.IsLoopback()) && !strings.Contains(host, ":") {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// closing adds what closing says to err. What is closed already says nothing.
func closing(err *error, closeIt func() error) {
	if e := closeIt(); e != nil && !errors.Is(e, net.ErrClosed) {
		*err = errors.Join(*err, e)
	}
}

// limited calls f with a few seconds of time, also when ctx has ended.
func limited(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceTime)
	defer cancel()
	return f(ctx)
}
