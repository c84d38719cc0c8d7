// Package peer says who may call between souk's processes.
//
// Modules that live in different processes talk over a private listener, and every request
// there proves which module sends it. Two proofs exist, and a server demands each that it is
// given the means to check:
//
//   - a shared secret: the request is signed (HMAC-SHA256) over the method, the host and
//     address asked, the body, the time, a nonce, the calling module and every header that
//     could change what the request means;
//   - mTLS: the client's certificate says in its URI names ("souk://orders") which modules its
//     process holds.
//
// Transport signs, Require checks, before anything is decoded or read. What
// was let in is remembered until its time has passed, so that it cannot be sent a second
// time. From says which module asks; that is all it says. On whose behalf is a field of
// the request, part of its body and so covered by the signature.
//
// With one shared secret any process that has it may call itself any module: the name
// orders the house, the secret guards the door. Where processes do not trust each other,
// give them certificates.
//
// The signature does not hide anything and does not prove the answer. Without TLS both are the
// private network's business.
//
//	server := peer.Server(peer.ServerConfig{Handler: require(mux)})
//	client := peer.Client(peer.Transport(peer.Calls(peer.PoolConfig{}), peer.Signer{Caller: "orders", Secrets: secrets}))
package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"souk/internal/platform/errs"
)

// What peer itself answers. Each is given before the request reaches any module, and each but
// ErrReplayed means that nothing was done.
var (
	// ErrBadSignature: the request does not prove who sends it.
	ErrBadSignature = errs.Refusal(errs.Unauthenticated, "peer.bad_signature")
	// ErrClockSkew: the two processes' clocks differ by too much to tell old from new.
	ErrClockSkew = errs.Refusal(errs.Unauthenticated, "peer.clock_skew")
	// ErrUnknownCaller: the caller has proved to be someone who may not ask this.
	ErrUnknownCaller = errs.Refusal(errs.Forbidden, "peer.unknown_caller")
	// ErrReplayed: this very request was let in before. This copy did nothing, but what became of the
	// first is not known to who sends this one: a proxy that sends a request again
	// after a broken connection leads here. So it is unknown, not refused.
	ErrReplayed = errs.Refusal(errs.Unknown, "peer.replayed")
	// ErrStale: the request was signed before what this process can remember, and may be a
	// replay. Signed anew, it will do.
	ErrStale = errs.Refusal(errs.Unavailable, "peer.stale")
	// ErrTooLarge: the body is longer than anyone's may be.
	ErrTooLarge = errs.Refusal(errs.Invalid, "peer.too_large")
	// ErrBody: the body did not arrive whole, or not in time.
	ErrBody = errs.Refusal(errs.Unavailable, "peer.body")
	// ErrNotHere: this process does not hold what is asked.
	ErrNotHere = errs.Refusal(errs.Unavailable, "peer.not_here")
)

// Own says whether a failure is peer's and not a module's. A client then tells its caller that
// the module is unavailable (unknown, if that is the failure's kind): that a
// secret is wrong is no answer to the question that was asked.
func Own(code errs.Code) bool { return strings.HasPrefix(string(code), "peer.") }

// BadAnswer is the code of an answer that is none of souk's.
const BadAnswer errs.Code = "souk.bad_answer"

type callerKey struct{}

// From is the module that sent the request served under ctx, "" where none did. It gives no authority.
func From(ctx context.Context) string {
	caller, _ := ctx.Value(callerKey{}).(string)
	return caller
}

// statuses are the HTTP statuses of the kinds that peer answers with.
var statuses = map[errs.Kind]int{
	errs.Invalid:         http.StatusBadRequest,
	errs.Unauthenticated: http.StatusUnauthorized,
	errs.Forbidden:       http.StatusForbidden,
	errs.Unavailable:     http.StatusServiceUnavailable,
	errs.Unknown:         http.StatusGatewayTimeout,
}

// refused is what Header says in an answer of WriteError: it is from souk itself, and not from
// what a module serves to the public.
const refused = "refused"

// Refused says whether an answer to something passed on was written by WriteError, and so is not for
// whoever sent it.
func Refused(h http.Header) bool { return h.Get(Header) == refused }

// WriteError answers with err as {"kind","code","message","fields"}; its cause stays here.
func WriteError(w http.ResponseWriter, err error) {
	e := *errs.As(err)
	if e.Fields == nil {
		e.Fields = map[string]string{}
	}
	status, ok := statuses[e.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set(Header, refused)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(e) // the caller may be gone
}

// maxError is how much of an answer is read in search of an error.
const maxError = 64 << 10

// ReadError is the error that an answer other than 200 carries. An answer that is none of
// souk's (a proxy's page, say) is unavailable when its status says that it was turned
// away, and unknown otherwise.
func ReadError(res *http.Response) *errs.Error {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxError))
	var e errs.Error
	if err == nil && json.Unmarshal(body, &e) == nil && slices.Contains(errs.Kinds, e.Kind) && e.Code != "" {
		return &e
	}
	kind := errs.Unknown
	if res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusNotFound {
		kind = errs.Unavailable
	}
	return &errs.Error{
		Kind: kind, Code: BadAnswer, Message: "the answer is not one of souk's",
		Fields: map[string]string{}, Err: fmt.Errorf("status %d with %d bytes of %q", res.StatusCode, len(body), res.Header.Get("Content-Type")),
	}
}
