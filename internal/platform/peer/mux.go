package peer

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Where peers find things. Nothing else is served on a private listener.
const (
	rpcPath       = "/souk/v1/rpc/"
	eventsPath    = "/souk/v1/events/"
	contractsPath = "/souk/v1/contracts/"

	// PublicPath is where a process serves what others pass on from their public side: what
	// follows it is the public address.
	PublicPath = "/souk/v1/public"

	// OperationsPath is where a process does for the operators' pages of another what concerns its own modules.
	OperationsPath = "/souk/v1/operations"
)

// RPCPath is where a method of a module is asked.
func RPCPath(module, method string) string { return rpcPath + module + "/" + method }

// EventsPath is where a module's event log is read.
func EventsPath(log string) string { return eventsPath + url.PathEscape(log) }

// ContractsPath is where a process says which contract of a module it holds.
func ContractsPath(module string) string { return contractsPath + module }

// Mux leads peers to what this process holds. It goes behind Require, on the private listener:
// without a proven caller it lets nothing through.
type Mux struct {
	mux    *http.ServeMux
	public http.Handler // nil until there is one
}

// NewMux is an empty one: everything is not here.
func NewMux() *Mux {
	m := &Mux{mux: http.NewServeMux()}
	m.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, ErrNotHere.With("this process does not hold %s", r.URL.Path))
	})
	return m
}

// RPC serves POST /souk/v1/rpc/MODULE/{method} to the callers that may ask the module.
func (m *Mux) RPC(module string, callers []string, h http.Handler) {
	m.handle("POST "+rpcPath+module+"/{method}", callers, h)
}

// Events serves GET /souk/v1/events/LOG to the callers that may hear the module.
func (m *Mux) Events(log string, callers []string, h http.Handler) {
	m.handle("GET "+eventsPath+log, callers, h)
}

// Contracts serves GET /souk/v1/contracts/MODULE to every caller.
func (m *Mux) Contracts(h http.Handler) { m.handle("GET "+contractsPath+"{module}", nil, h) }

// Public serves what the caller passes on from its own public side. h sees the public address as it came: a
// ServeMux would answer one like /a//b or /a/../b itself, and lead to an address of the private side.
func (m *Mux) Public(caller string, h http.Handler) {
	m.public = only([]string{caller}, http.StripPrefix(PublicPath, h))
}

// Operations serves POST /souk/v1/operations/COMMAND to that caller.
func (m *Mux) Operations(caller string, h http.Handler) {
	m.handle("POST "+OperationsPath+"/{command}", []string{caller}, h)
}

// ServeHTTP leads r to its handler.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.public != nil && strings.HasPrefix(r.URL.Path, PublicPath+"/") {
		m.public.ServeHTTP(w, r)
		return
	}
	m.mux.ServeHTTP(w, r)
}

func (m *Mux) handle(pattern string, callers []string, h http.Handler) {
	m.mux.Handle(pattern, only(callers, h))
}

// only lets the callers in; nil are all that Require does.
func only(callers []string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := From(r.Context())
		if caller == "" || callers != nil && !slices.Contains(callers, caller) {
			WriteError(w, ErrUnknownCaller.With("%q may not ask %s", caller, r.URL.Path))
			return
		}
		h.ServeHTTP(w, r)
	})
}
