package peer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"souk/internal/platform/clock"
	"souk/internal/platform/reqid"
)

// Signer is as whom a client asks.
type Signer struct {
	Caller  string            // the calling module
	Secrets []Secret          // the first signs; without any the certificate of the connection is the proof
	Now     func() clock.Time // default: clock.Now
}

// Transport sends each request with the proof of who sends it, and with the id and the trace of its
// context. Every try is signed anew, so a client that tries again does so above it.
func Transport(next http.RoundTripper, s Signer) http.RoundTripper {
	if s.Now == nil {
		s.Now = clock.Now
	}
	return &transport{next: next, signer: s}
}

type transport struct {
	next   http.RoundTripper
	signer Signer
}

// RoundTrip signs and sends. The body is read whole first if it cannot be read twice.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !goodName(t.signer.Caller) {
		closeBody(r)
		return nil, fmt.Errorf("%q cannot be the name of a calling module", t.signer.Caller)
	}
	out := r.Clone(r.Context())
	if id := reqid.From(r.Context()); id != "" && out.Header.Get(reqid.Header) == "" {
		out.Header.Set(reqid.Header, id)
	}
	if out.Header.Get("Traceparent") == "" {
		propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(out.Header))
	}
	p := proof{scheme: overTLS, caller: t.signer.Caller}
	if len(t.signer.Secrets) > 0 {
		sum, err := hashBody(out)
		if err != nil {
			closeBody(r)
			return nil, fmt.Errorf("read the body to be signed: %w", err)
		}
		p = newProof(t.signer.Caller, t.signer.Now(), sum)
		p.mac = p.sign(t.signer.Secrets[0], out)
	}
	out.Header.Set(Header, p.String())
	return t.next.RoundTrip(out)
}

// CloseIdleConnections lets go of connections that nobody uses, as http.Client has it.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nothing was sent of it
	}
}

// hashBody is the hash of r's body, which can be sent afterwards all the same.
func hashBody(r *http.Request) ([sha256.Size]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return sha256.Sum256(nil), nil
	}
	h := sha256.New()
	if r.GetBody != nil {
		copied, err := r.GetBody()
		if err != nil {
			return [sha256.Size]byte{}, err
		}
		_, err = io.Copy(h, copied)
		return [sha256.Size]byte(h.Sum(nil)), errors.Join(err, copied.Close())
	}
	body, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return [sha256.Size]byte{}, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.ContentLength = int64(len(body))
	return sha256.Sum256(body), nil
}

// The bounds of a connection between peers. A process that was stopped or unplugged says nothing:
// it is the ping that finds out.
const (
	dialTimeout = 2 * time.Second
	idleTimeout = 90 * time.Second
	pingAfter   = 5 * time.Second // of silence
	pingTimeout = 3 * time.Second
	writeStall  = 10 * time.Second // without a byte being taken
	maxHeaders  = 64 << 10
	maxStreams  = 1000 // on one connection: calls and long polls
	idleConns   = 64   // kept open for calls
)

func http2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: maxStreams, SendPingTimeout: pingAfter, PingTimeout: pingTimeout, WriteByteTimeout: writeStall,
	}
}

// PoolConfig says how connections are made.
type PoolConfig struct {
	TLS  *tls.Config                                                       // for https://; nil trusts the system's authorities
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // default: a net.Dialer with a short timeout
}

// Calls is the connections to one peer for calls of its modules, shared by all that ask it: HTTP/1.1, a call at a time
// on each. That takes half the time of a stream of HTTP/2 (see docs/benchmarks/split.md). A connection that ends
// just as a call begins leaves it unknown, so this is for what is repeated by its key.
func Calls(o PoolConfig) *http.Transport {
	pool := Pool(o)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	pool.Protocols, pool.HTTP2 = protocols, nil
	pool.MaxIdleConnsPerHost = idleConns
	return pool
}

// Pool is the connections to one peer for all that is no call (event logs, what is passed on): HTTP/2, over TLS for
// https:// and without for http://, which is for a private network.
func Pool(o PoolConfig) *http.Transport {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: idleTimeout}).DialContext
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{
		DialContext: o.Dial, TLSClientConfig: o.TLS.Clone(), Protocols: protocols, HTTP2: http2(),
		TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: idleTimeout, MaxResponseHeaderBytes: maxHeaders,
		DisableCompression: true, // and no proxy from the environment: peers are asked directly
	}
}

// Client is an http.Client over a Transport. It follows no redirect, keeps no cookie and sets no
// time limit of its own: the deadline is the caller's context's.
func Client(over http.RoundTripper) *http.Client {
	return &http.Client{Transport: over, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
