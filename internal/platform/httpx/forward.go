package httpx

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/reqid"
)

// What a process that passes a request on says of whoever sent it, to the process that serves it.
// Names that begin with Souk- are covered by the signature between processes.
const (
	forwardedFor   = "Souk-Forwarded-For"
	forwardedHost  = "Souk-Forwarded-Host"
	forwardedProto = "Souk-Forwarded-Proto"
)

// What is answered when a module in another process cannot be.
var (
	// ErrElsewhere: the request never reached the module.
	ErrElsewhere = errs.Refusal(errs.Unavailable, "souk.unavailable").With("this part of the marketplace cannot be reached just now; try again in a moment")
	// ErrElsewhereLost: it may have, and no answer came.
	ErrElsewhereLost = errs.Refusal(errs.Unknown, "souk.reply_lost").With("the answer did not arrive; look whether it was done before you try again")
)

// maxForwarded bounds what is passed on; the module's own bounds are narrower.
const maxForwarded = 8 << 20

// forwardTime is how long the other process may take.
const forwardTime = 55 * time.Second

// Forward passes requests on to a module in another process, whose private side lies at to: the
// answer comes back as it is, streamed, and so do errors and the request's id. over
// proves to the other process who passes them on.
type Forward struct {
	module string
	server *Server
	proxy  *httputil.ReverseProxy
}

// Forward is the way to a module that is served at to.
func (s *Server) Forward(module string, to *url.URL, over http.RoundTripper) *Forward {
	f := &Forward{module: module, server: s}
	f.proxy = &httputil.ReverseProxy{
		Transport: over, FlushInterval: -1, // what is streamed there is streamed here
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			h := r.Out.Header
			for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"} {
				h.Del(name)
			}
			h.Set(forwardedFor, s.ClientAddr(r.In).String())
			h.Set(forwardedHost, r.In.Host)
			h.Set(forwardedProto, "http")
			if s.overTLS(r.In) {
				h.Set(forwardedProto, "https")
			}
			h.Set(reqid.Header, reqid.From(r.In.Context()))
		},
		ModifyResponse: func(r *http.Response) error {
			if peer.Refused(r.Header) { // that the other process does not let this one in is nobody else's concern
				return peer.ReadError(r)
			}
			r.Header.Del(reqid.Header) // the edge here has set both
			r.Header.Del("Strict-Transport-Security")
			return nil
		},
		ErrorHandler: f.failed,
	}
	return f
}

// passage is one request on its way to another process.
type passage struct {
	in        *http.Request // as it came
	connected atomic.Bool   // it may have reached the other process
}

type passageKey struct{}

// ServeHTTP passes r on.
func (f *Forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchangeOf(r.Context())
	x.enter(r.Context(), f.module, pattern(r))
	ctx, cancel := context.WithTimeout(r.Context(), forwardTime)
	defer cancel()
	p := &passage{in: r}
	ctx = context.WithValue(ctx, passageKey{}, p)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { p.connected.Store(true) }})
	r = r.WithContext(ctx)
	// It has to be whole before it can be signed; and what is wrong with it is the same here and there.
	if _, err := takeBody(w, r, maxForwarded); err != nil {
		f.server.refuse(w, r, err)
		return
	}
	f.proxy.ServeHTTP(w, r)
}

// failed answers for a process that did not.
func (f *Forward) failed(w http.ResponseWriter, out *http.Request, err error) {
	p, ok := out.Context().Value(passageKey{}).(*passage)
	if !ok {
		panic("httpx: a request was passed on by nobody")
	}
	reads := p.in.Method == http.MethodGet || p.in.Method == http.MethodHead // whatever became of it, nothing was to be done
	turnedAway := peer.Own(errs.CodeOf(err))
	switch {
	case !reads && (turnedAway && errs.KindOf(err) == errs.Unknown || !turnedAway && p.connected.Load()):
		err = ErrElsewhereLost.Because(err)
	default:
		err = ErrElsewhere.Because(err)
	}
	f.server.refuse(w, p.in, err)
}

// Pages passes on everything under a path that belongs to the module's pages.
func (f *Forward) Pages(prefix string) {
	f.server.router.Handle(strings.TrimSuffix(prefix, "/")+"/*", f)
}

// API takes the module's routes into the OpenAPI document, and passes their requests on. What lies under the
// module's address and is no route of this release is passed on too: the other side may be newer.
func (f *Forward) API(a API) API {
	f.server.router.Handle("/api/v1/"+f.module+"/*", f)
	a.forward = f
	return a
}

// Forwarded serves what another process passes on, as if it had come from whoever sent it there. It
// believes what the request says of that, so it stands behind what proves who passes it on.
func Forwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addr, err := netip.ParseAddr(r.Header.Get(forwardedFor))
		host := r.Header.Get(forwardedHost)
		if err != nil || host == "" {
			http.Error(w, "passed on without saying for whom", http.StatusBadRequest)
			return
		}
		out := r.Clone(r.Context())
		out.RemoteAddr, out.Host = netip.AddrPortFrom(addr, 0).String(), host
		out.TLS = nil
		if r.Header.Get(forwardedProto) == "https" {
			out.TLS = &tls.ConnectionState{}
		}
		for name := range out.Header {
			if strings.HasPrefix(name, "Souk-Forwarded-") {
				out.Header.Del(name)
			}
		}
		if out.Body == nil {
			out.Body = io.NopCloser(strings.NewReader(""))
		}
		next.ServeHTTP(w, out)
	})
}
