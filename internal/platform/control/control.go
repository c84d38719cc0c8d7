// Package control is how a command talks to the souk that is running on the same data
// folder: HTTP over DATA/souk.sock, which only the folder's owner can open. The running
// process owns the databases; a command beside it asks, and opens them itself only when
// Running says that there is none. Several processes that share a folder, each with modules of its
// own, have a socket each, named after the process.
//
//	control.Handle(server, "jobs.retry", func(ctx context.Context, in retryIn, say control.Say) (retryOut, error) { … })
//
//	client, err := control.Dial(ctx, dataDir, "souk") // control.ErrNoServer when it does not run
//	out, err := control.Call[retryIn, retryOut](ctx, client, "jobs.retry", in, print)
//
// What a handler says while it works reaches the client line by line.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
)

// suffix ends the names of sockets: that of the process "souk" is souk.sock.
const suffix = ".sock"

// Path is where the socket of a process lies.
func Path(dataDir, process string) string { return filepath.Join(dataDir, process+suffix) }

// What dialling and calling may say.
var (
	ErrNoServer = errors.New("no souk is running on this data folder")
	ErrNoSuch   = errs.Refusal(errs.NotFound, "control.no_such")
)

// maxRequest bounds the request of a command, with a text of its own such as the rules of the search; long input goes by file name.
const maxRequest = 8 << 20

// Say tells the client how far the work is, as one line.
type Say func(format string, args ...any)

// frame is one line of the answer's stream: something said, or the end.
type frame struct {
	Said   string          `json:"said,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Failed *errs.Error     `json:"failed,omitempty"`
}

type handler func(ctx context.Context, in []byte, say Say) (json.RawMessage, error)

// Server answers commands. Handlers are registered before Serve.
type Server struct {
	log      zerolog.Logger
	handlers map[string]handler
}

// NewServer is a server that knows no command yet.
func NewServer(log zerolog.Logger) *Server {
	return &Server{log: log.With().Str("module", "control").Logger(), handlers: map[string]handler{}}
}

// Handle registers the command with that name, like "events.list".
func Handle[In, Out any](s *Server, name string, do func(ctx context.Context, in In, say Say) (Out, error)) {
	if _, twice := s.handlers[name]; twice {
		panic("control: " + name + " is registered twice")
	}
	s.handlers[name] = func(ctx context.Context, body []byte, say Say) (json.RawMessage, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fmt.Errorf("read the request of %s: %w", name, err)
		}
		out, err := do(ctx, in, say)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}
}

// Names are the commands it knows.
func (s *Server) Names() []string {
	names := make([]string, 0, len(s.handlers))
	for name := range s.handlers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Listen opens the socket of a process in dataDir, readable by its owner alone. What one that
// died left behind is cleared away; a living one is an error.
func Listen(ctx context.Context, dataDir, process string) (net.Listener, error) {
	c, err := Dial(ctx, dataDir, process)
	switch {
	case err == nil:
		c.Close()
		return nil, fmt.Errorf("another souk is running on %s", dataDir)
	case !errors.Is(err, ErrNoServer):
		return nil, err
	}
	// Made under another name in a folder of its own and then moved, so that it is never
	// open to others, and a client never meets a socket that nobody serves yet.
	private, err := os.MkdirTemp(dataDir, ".sock-*")
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	defer os.RemoveAll(private) //nolint:errcheck // empty by then, or of no use
	made := filepath.Join(private, "s")
	address, release, err := short(made)
	if err != nil {
		return nil, err
	}
	defer release()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", address)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	final := Path(dataDir, process)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, final)); err != nil {
		return nil, errors.Join(fmt.Errorf("open the control socket: %w", err), ln.Close())
	}
	return &listener{Listener: ln, path: final}, nil
}

// listener takes its socket away when it closes.
type listener struct {
	net.Listener
	path string
	once sync.Once
}

// Close stops listening and removes the socket.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.once.Do(func() {
		if gone := os.Remove(l.path); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	})
	return err
}

// short is a way to path that fits into a socket's address of some hundred bytes: path
// itself, or through a descriptor of its folder where the system has those.
func short(path string) (address string, release func(), err error) {
	if len(path) < 100 {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	through := fmt.Sprintf("/proc/self/fd/%d", dir.Fd())
	if _, err := os.Stat(through); err != nil {
		return "", nil, errors.Join(fmt.Errorf("%s is too long for a socket's address; use a shorter data folder", path), dir.Close())
	}
	return filepath.Join(through, filepath.Base(path)), func() { _ = dir.Close() }, nil
}

// Serve answers commands that come through ln until ctx ends; then it finishes what is in
// flight for as long as grace, and cuts off the rest.
func (s *Server) Serve(ctx context.Context, ln net.Listener, grace time.Duration) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, whole) }),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limited, cancel := context.WithTimeout(base, grace)
		defer cancel()
		stopped <- server.Shutdown(limited)
	})
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("serve the control socket: %w", err)
	}
	err := <-stopped
	if errors.Is(err, context.DeadlineExceeded) {
		cut()
		return errors.Join(fmt.Errorf("a command was cut off after %s", grace), server.Close())
	}
	return err
}

// Handler serves the commands that may be asked for another way than through the socket. It stands
// behind what proves who asks, and tells no more of what went wrong than a client may hear.
func (s *Server) Handler(may func(name string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !may(filepath.Base(r.URL.Path)) {
			peer.WriteError(w, peer.ErrNotHere.With("this process does not do %s", r.URL.Path))
			return
		}
		s.serve(w, r, func(err error) string { return errs.As(err).Message })
	})
}

// whole is an error with its cause, for an operator on the machine itself.
func whole(err error) string { return err.Error() }

func (s *Server) serve(w http.ResponseWriter, r *http.Request, text func(error) string) {
	name := filepath.Base(r.URL.Path)
	stream := &stream{w: w, to: http.NewResponseController(w), text: text}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		stream.fail(fmt.Errorf("read the request of %s: %w", name, err))
		return
	}
	result, err := s.run(r.Context(), name, body, stream.say)
	if err != nil {
		s.log.Warn().Str("command", name).Err(err).Msg("command failed")
		stream.fail(err)
		return
	}
	s.log.Info().Str("command", name).Msg("command done")
	stream.write(frame{Result: result})
}

func (s *Server) run(ctx context.Context, name string, body []byte, say Say) (result json.RawMessage, err error) {
	do, ok := s.handlers[name]
	if !ok {
		return nil, ErrNoSuch.With("the running souk does not know the command %q; is it another version?", name)
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error().Str("command", name).Str("panic", fmt.Sprintf("%T", p)).Bytes("stack", debug.Stack()).Msg("panic in a command")
			err = fmt.Errorf("the command %s panicked", name)
		}
	}()
	return do(ctx, body, say)
}

// stream is the answer on its way.
type stream struct {
	mu   sync.Mutex
	w    io.Writer
	to   *http.ResponseController
	text func(error) string // what is told of an error
}

func (s *stream) say(format string, args ...any) { s.write(frame{Said: fmt.Sprintf(format, args...)}) }

// fail ends with err.
func (s *stream) fail(err error) {
	e := *errs.As(err)
	e.Message = s.text(err)
	s.write(frame{Failed: &e})
}

func (s *stream) write(f frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := json.NewEncoder(s.w).Encode(f); err == nil {
		_ = s.to.Flush() // the client may be gone; the handler hears that from its context
	}
}

// connect opens a connection to the socket in dataDir.
func connect(ctx context.Context, dataDir, process string) (net.Conn, error) {
	path := Path(dataDir, process)
	address, release, err := short(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoServer
	}
	if err != nil {
		return nil, err
	}
	defer release()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", address)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, ErrNoServer // never there, or left behind by one that died
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s belongs to another user: run the command as the one who runs souk", path)
	case err != nil:
		return nil, fmt.Errorf("reach the running souk through %s: %w", path, err)
	}
	return conn, nil
}
