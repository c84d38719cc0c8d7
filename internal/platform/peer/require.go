package peer

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/propagation"
	"golang.org/x/time/rate"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/reqid"
)

// Rules are what a server demands. The zero value lets nobody in.
type Rules struct {
	Secrets  []Secret          // demanded when there are any
	TLS      bool              // a certificate is demanded, verified by the listener (see ServerTLS)
	Callers  []string          // the modules there are
	Skew     time.Duration     // how far the clocks may differ; default 60 s
	MaxBody  int64             // bytes; default 8 MiB
	BodyTime time.Duration     // in which a body must arrive; default 30 s
	Remember int               // requests within the window at most; default 262144 (about 10 MB)
	Now      func() clock.Time // default: clock.Now
	Log      zerolog.Logger    // hears of who was turned away, at most a line each second
}

const (
	defaultSkew     = time.Minute
	defaultMaxBody  = 8 << 20
	defaultBodyTime = 30 * time.Second
	defaultRemember = 1 << 18
)

// Require lets through what proves to come from one of the callers. The signature is checked before
// the body is read, and the body before next sees any of it.
func Require(rules Rules) func(next http.Handler) http.Handler {
	if rules.Skew <= 0 {
		rules.Skew = defaultSkew
	}
	if rules.MaxBody <= 0 {
		rules.MaxBody = defaultMaxBody
	}
	if rules.BodyTime <= 0 {
		rules.BodyTime = defaultBodyTime
	}
	if rules.Remember <= 0 {
		rules.Remember = defaultRemember
	}
	if rules.Now == nil {
		rules.Now = clock.Now
	}
	d := &door{rules: rules, seen: newMemory(rules.Skew, rules.Remember, rules.Now()), lines: rate.NewLimiter(1, 10)}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			let, err := d.check(w, r)
			if err != nil {
				d.turnedAway(r, err)
				WriteError(w, err)
				return
			}
			next.ServeHTTP(w, let)
		})
	}
}

// door is where requests are checked.
type door struct {
	rules Rules
	seen  *memory
	lines *rate.Limiter
}

// check is r as next may have it.
func (d *door) check(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	p, err := d.who(r)
	if err != nil {
		return nil, err
	}
	body, err := d.body(w, r)
	if err != nil {
		return nil, err
	}
	if len(d.rules.Secrets) > 0 {
		if sum := sha256.Sum256(body); !hmac.Equal(sum[:], p.body[:]) {
			return nil, ErrBadSignature.With("the body is not the one that was signed")
		}
		switch d.seen.see(p.nonce, p.at, d.rules.Now()) {
		case replayed:
			return nil, ErrReplayed.With("this request was sent before and is not taken twice")
		case stale:
			return nil, ErrStale.With("the request was signed at %s, before what this process remembers: sign it anew", p.at)
		case fresh:
		}
	}
	ctx := context.WithValue(r.Context(), callerKey{}, p.caller)
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	if id := r.Header.Get(reqid.Header); reqid.Valid(id) {
		ctx = reqid.With(ctx, id)
	}
	let := r.WithContext(ctx)
	let.Body, let.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return let, nil
}

// who is the proof that r brings, found true.
func (d *door) who(r *http.Request) (proof, error) {
	if len(d.rules.Secrets) == 0 && !d.rules.TLS {
		return proof{}, ErrBadSignature.With("this process has neither a secret nor certificates to know its peers by")
	}
	p, err := parseProof(r.Header)
	if err != nil {
		return proof{}, ErrBadSignature.With("the request does not say who sends it: %s", err)
	}
	if d.rules.TLS {
		if err := certified(r.TLS, p.caller); err != nil {
			return proof{}, ErrBadSignature.With("the certificate does not prove who sends it").Because(err)
		}
	}
	if len(d.rules.Secrets) > 0 {
		if p.scheme != version {
			return proof{}, ErrBadSignature.With("the request is not signed")
		}
		if !slices.ContainsFunc(d.rules.Secrets, func(s Secret) bool {
			mac := p.sign(s, r)
			return hmac.Equal(mac[:], p.mac[:])
		}) {
			return proof{}, ErrBadSignature.With("the signature is not of this process's secret, or something between changed the request for %s", hostOf(r))
		}
		now := d.rules.Now()
		if off := now.Sub(p.at).Abs(); off > d.rules.Skew {
			return proof{}, ErrClockSkew.With("the clock of %s says %s and the one here %s: they differ by %s and may by %s",
				p.caller, p.at, now, off, d.rules.Skew)
		}
	}
	if !slices.Contains(d.rules.Callers, p.caller) {
		return proof{}, ErrUnknownCaller.With("there is no module %s that may ask here", p.caller)
	}
	return p, nil
}

// certified checks that the connection's verified certificate names the module.
func certified(state *tls.ConnectionState, caller string) error {
	if state == nil || len(state.VerifiedChains) == 0 {
		return errors.New("the connection brings no verified certificate")
	}
	var names []string
	for _, uri := range state.VerifiedChains[0][0].URIs {
		if uri.Scheme == "souk" && uri.Host == caller {
			return nil
		}
		names = append(names, uri.String())
	}
	return fmt.Errorf("the certificate names %q, not souk://%s", names, caller)
}

// body reads r's body whole, within bounds.
func (d *door) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > d.rules.MaxBody {
		return nil, ErrTooLarge.With("the body has %d bytes and may have %d", r.ContentLength, d.rules.MaxBody)
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	in := http.NewResponseController(w)
	limited := in.SetReadDeadline(time.Now().Add(d.rules.BodyTime)) == nil // a recorder of a test cannot
	var body bytes.Buffer
	if r.ContentLength > 0 {
		body.Grow(int(r.ContentLength) + bytes.MinRead) // so that it is read in one go; it is within MaxBody
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, d.rules.MaxBody))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return nil, ErrTooLarge.With("the body may have %d bytes", d.rules.MaxBody)
	}
	if err != nil {
		return nil, ErrBody.With("the body did not arrive whole").Because(err)
	}
	if limited && r.ProtoMajor == 1 { // in HTTP/2 the deadline is that of the body, which has been read
		if err := in.SetReadDeadline(time.Time{}); err != nil {
			return nil, ErrBody.With("the connection ended").Because(err)
		}
	}
	return body.Bytes(), nil
}

// turnedAway leaves a line for an operator, not more often than one can read.
func (d *door) turnedAway(r *http.Request, err error) {
	if !d.lines.Allow() {
		return
	}
	e := errs.As(err)
	line := d.rules.Log.Warn().Str("code", string(e.Code)).Str("from", r.RemoteAddr).Str("path", r.URL.Path)
	if e.Err != nil {
		line = line.AnErr("cause", e.Err)
	}
	line.Msg(e.Message)
}
