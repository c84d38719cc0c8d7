package main

import (
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer"
)

// lane is the network before one process: what the others ask of it passes through here, and is
// changed, held up or cut off as a test says.
type lane struct {
	t        *testing.T
	at, to   string
	forward  *httputil.ReverseProxy
	outgoing *http.Transport

	mu    sync.Mutex
	rule  func(w http.ResponseWriter, r *http.Request, pass http.Handler) // nil passes on
	ln    net.Listener                                                    // nil while it is cut
	conns map[net.Conn]bool
}

// newLane is one to what will listen at that address.
func newLane(t *testing.T, to string) *lane {
	t.Helper()
	l := &lane{t: t, at: freeAddress(t), to: to, outgoing: peer.Pool(peer.PoolConfig{}), conns: map[net.Conn]bool{}}
	l.forward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { // the host stays, since it is signed
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", l.to, r.In.Host
		},
		Transport:    l.outgoing,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	l.heal()
	t.Cleanup(l.cut)
	return l
}

// ServeHTTP passes r on as the rule says.
func (l *lane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	rule := l.rule
	l.mu.Unlock()
	if rule == nil {
		l.forward.ServeHTTP(w, r)
		return
	}
	rule(w, r, l.forward)
}

// obey has the lane follow a rule from now on; nil passes everything on.
func (l *lane) obey(rule func(w http.ResponseWriter, r *http.Request, pass http.Handler)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rule = rule
}

// cut is a partition: every connection breaks, both ways, and no new one can be made.
func (l *lane) cut() {
	l.mu.Lock()
	ln, conns := l.ln, l.conns
	l.ln, l.conns = nil, map[net.Conn]bool{}
	l.mu.Unlock()
	if ln != nil {
		_ = ln.Close()
	}
	for conn := range conns {
		_ = conn.Close()
	}
	l.outgoing.CloseIdleConnections()
}

// heal ends a partition.
func (l *lane) heal() {
	ln, err := net.Listen("tcp", l.at)
	require.NoError(l.t, err)
	l.mu.Lock()
	l.ln = ln
	l.mu.Unlock()
	server := peer.Server(peer.ServerConfig{Handler: l})
	go func() { _ = server.Serve(&tracked{ln, l}) }()
}

// tracked notes the connections that a lane is to break.
type tracked struct {
	net.Listener
	lane *lane
}

func (t *tracked) Accept() (net.Conn, error) {
	conn, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t.lane.mu.Lock()
	defer t.lane.mu.Unlock()
	if t.lane.ln != t.Listener {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	t.lane.conns[conn] = true
	return conn, nil
}

// isCall says whether r asks that method of a module.
func isCall(r *http.Request, module, method string) bool {
	return r.URL.Path == peer.RPCPath(module, method)
}

// serveOverLanes starts the processes on dir with a lane before each. p says where to reach into which of them.
func (s *street) serveOverLanes(t *testing.T, dir string, log text, p map[int]probes) []*lane {
	t.Helper()
	lanes := s.lay(t)
	s.others = nil
	for i := range lanes {
		process := startProbed(t, dir, log, p[i], s.laneArguments(i, lanes)...)
		if i == 0 {
			s.running = process
		} else {
			s.others = append(s.others, process)
		}
	}
	return lanes
}

// lay makes a lane for each process.
func (s *street) lay(t *testing.T) []*lane {
	t.Helper()
	s.secret = filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(s.secret, []byte(key()+key()), 0o600))
	var lanes []*lane
	for range s.topology.Processes {
		lanes = append(lanes, newLane(t, freeAddress(t)))
	}
	return lanes
}

// laneArguments are those of process i.
func (s *street) laneArguments(i int, lanes []*lane) []string {
	at := make([]string, len(lanes))
	for j, l := range lanes {
		at[j] = l.at
	}
	at[i] = lanes[i].to
	return append(s.topology.arguments(i, at), "--log-level", "warn", "--peer-secret-file", s.secret)
}

// ready waits until every process is.
func (s *street) ready(t testing.TB) {
	t.Helper()
	for _, process := range append([]*running{s.running}, s.others...) {
		until(t, "every process is ready", func() bool {
			status, _ := process.get(t, "/readyz")
			return status == http.StatusOK
		})
	}
}

// openOverLanes fills a folder and serves it in the processes of a topology, with lanes between them.
func openOverLanes(t *testing.T, name string, p map[int]probes) (*street, []*lane, *safeText) {
	t.Helper()
	s := filled(t, mustTopology(t, name))
	log := &safeText{}
	lanes := s.serveOverLanes(t, s.dir, log, p)
	s.ready(t)
	return s, lanes, log
}

// lineOf waits for a line that has all of these in it.
func lineOf(t *testing.T, log *safeText, parts ...string) string {
	t.Helper()
	var found string
	until(t, "the log says "+strings.Join(parts, ", "), func() bool {
	lines:
		for line := range strings.Lines(log.String()) {
			for _, part := range parts {
				if !strings.Contains(line, part) {
					continue lines
				}
			}
			found = line
			return true
		}
		return false
	})
	return found
}
