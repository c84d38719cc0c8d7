package peer

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"souk/internal/platform/clock"
	"souk/internal/platform/reqid"
)

// Header carries the proof: "v1 CALLER MILLISECONDS NONCE BODYHASH MAC" with a shared secret,
// "tls CALLER" where the certificate is proof enough. The first word is the scheme, so
// that another one can be introduced beside it.
const Header = "Souk-Peer"

const (
	version = "v1"
	overTLS = "tls"
)

// proof is what Header says.
type proof struct {
	scheme string
	caller string
	at     clock.Time
	nonce  [16]byte
	body   [sha256.Size]byte
	mac    [sha256.Size]byte
}

var encoding = base64.RawURLEncoding.Strict()

func newProof(caller string, now clock.Time, body [sha256.Size]byte) proof {
	p := proof{scheme: version, caller: caller, at: now, body: body}
	_, _ = rand.Read(p.nonce[:]) // never fails: crypto/rand ends the program instead
	return p
}

// String is the header's value.
func (p proof) String() string {
	if p.scheme == overTLS {
		return overTLS + " " + p.caller
	}
	return strings.Join([]string{
		p.scheme, p.caller, strconv.FormatInt(int64(p.at), 10),
		encoding.EncodeToString(p.nonce[:]), encoding.EncodeToString(p.body[:]), encoding.EncodeToString(p.mac[:]),
	}, " ")
}

// parseProof reads the one Header of a request.
func parseProof(h http.Header) (proof, error) {
	values := h.Values(Header)
	if len(values) != 1 {
		return proof{}, fmt.Errorf("%d headers %s where one is needed", len(values), Header)
	}
	words := strings.Split(values[0], " ")
	switch {
	case len(words) == 2 && words[0] == overTLS && goodName(words[1]):
		return proof{scheme: overTLS, caller: words[1]}, nil
	case words[0] != version && words[0] != overTLS:
		return proof{}, fmt.Errorf("the scheme is none of %s, %s", version, overTLS)
	case len(words) != 6 || words[0] == overTLS || !goodName(words[1]):
		return proof{}, fmt.Errorf("the header %s is malformed", Header)
	}
	at, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil {
		return proof{}, errors.New("the time is not in milliseconds")
	}
	p := proof{scheme: version, caller: words[1], at: clock.Time(at)}
	for i, into := range [][]byte{p.nonce[:], p.body[:], p.mac[:]} {
		decoded, err := encoding.DecodeString(words[3+i])
		if err != nil || len(decoded) != len(into) {
			return proof{}, fmt.Errorf("the header %s is malformed", Header)
		}
		copy(into, decoded)
	}
	return p, nil
}

// goodName says whether s can be a module's name.
func goodName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// sign is the MAC of p and of what r asks. Every part goes in with its length, so that nothing can
// move from one part into the next.
func (p proof) sign(s Secret, r *http.Request) [sha256.Size]byte {
	text := make([]byte, 0, 512) // enough for most
	text = part(text, p.scheme)
	text = part(text, p.caller)
	text = binary.BigEndian.AppendUint64(text, uint64(p.at))
	text = append(text, p.nonce[:]...)
	text = append(text, p.body[:]...)
	text = part(text, r.Method)
	text = part(text, hostOf(r))
	text = part(text, r.URL.RequestURI())
	for _, name := range signedHeaders(r.Header) {
		text = part(text, name)
		for _, value := range r.Header[name] {
			text = part(text, value)
		}
		text = part(text, "")
	}
	mac := hmac.New(sha256.New, s.key[:])
	_, _ = mac.Write(text) // a hash takes everything
	return [sha256.Size]byte(mac.Sum(nil))
}

func part(text []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(text, uint64(len(s))), s...)
}

// hostOf is whom r asks. It is signed so that what one process was asked cannot be played to another,
// which does not remember it.
func hostOf(r *http.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return strings.ToLower(host)
}

// signedHeaders are the names of the headers that may change what a request means: all of
// souk's own (deadline, contract …), the request's id and how the body is to be read. Not the
// trace, which decides nothing.
func signedHeaders(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		switch {
		case name == Header:
		case strings.HasPrefix(name, "Souk-"), name == reqid.Header, name == "Content-Type", name == "Content-Encoding", name == "Range":
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
