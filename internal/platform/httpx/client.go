package httpx

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"souk/internal/platform/actor"
)

// How callers say who they are.
const (
	SessionCookie = "souk_session" // of who signed in with a browser
	CartCookie    = "souk_cart"    // of a guest's browser
	CartHeader    = "Souk-Cart"    // of a guest's program
)

// Proof is the sort of credential that a request brings.
type Proof int

// The sorts of credentials.
const (
	ByNothing Proof = iota
	BySession       // the session cookie
	ByToken         // Authorization: Bearer
)

// Credential is what r brings as proof. Who sends an Authorization header means that; its
// cookies are not looked at then.
func Credential(r *http.Request) (Proof, string) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return ByToken, strings.TrimSpace(token)
		}
		return ByToken, "" // another scheme is a token that nobody has
	}
	if c, err := r.Cookie(SessionCookie); err == nil && c.Value != "" {
		return BySession, c.Value
	}
	return ByNothing, ""
}

// CartToken is the guest's cart token that r brings, or "".
func CartToken(r *http.Request) string {
	if token := r.Header.Get(CartHeader); token != "" {
		return token
	}
	if c, err := r.Cookie(CartCookie); err == nil {
		return c.Value
	}
	return ""
}

// NewCartToken is a fresh unguessable token for a guest's cart.
func NewCartToken() string {
	var raw [24]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// GuestOf is the guest with that cart token: souk knows only the token's hash.
func GuestOf(token string) actor.Actor {
	sum := sha256.Sum256([]byte(token))
	return actor.Guest(hex.EncodeToString(sum[:]))
}

// minCartToken and maxCartToken bound what counts as a token: a short one could be guessed.
const minCartToken, maxCartToken = 20, 128

// resolve says who sends r: whom the resolver knows, else a guest if there is a cart token.
func (s *Server) resolve(r *http.Request) (actor.Actor, error) {
	by, err := s.cfg.Resolver(r.Context(), r)
	if err != nil {
		return actor.Nobody(), err
	}
	if by.Kind != "" && by.Kind != actor.KindNobody {
		return by, nil
	}
	if token := CartToken(r); len(token) >= minCartToken && len(token) <= maxCartToken {
		return GuestOf(token), nil
	}
	return actor.Nobody(), nil
}

// Cookie is a cookie as souk sets them: for this site only, out of reach of scripts, over TLS
// only when the request came so. An age of 0 ends with the browser, a negative one deletes.
// In an Out it belongs into a field `SetCookie []http.Cookie` tagged `header:"Set-Cookie"`.
func Cookie(ctx context.Context, name, value string, age time.Duration) http.Cookie {
	c := http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: exchangeOf(ctx).secure,
	}
	switch {
	case age < 0:
		c.MaxAge = -1
	case age > 0:
		c.MaxAge = int(age.Seconds())
	}
	return c
}

// ClientAddr is the address that r comes from: the connection's, or what trusted proxies say.
// It is personal data: for limits and audit rows, not for logs.
func (s *Server) ClientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	if !s.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return addr
		}
		addr = hop.Unmap()
		if !s.trusted(addr) {
			return addr
		}
	}
	return addr
}

func (s *Server) trusted(addr netip.Addr) bool {
	for _, p := range s.cfg.Proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// clientNetwork is what limits count by: the address, of IPv6 its /64, which is what one
// household or one attacker has whole.
func (s *Server) clientNetwork(r *http.Request) string {
	addr := s.ClientAddr(r)
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}

// AddressKey is the key under which r's sender counts in a Limiter of one's own.
func AddressKey(r *http.Request) string {
	if s := exchangeOf(r.Context()).server; s != nil {
		return "address " + s.clientNetwork(r)
	}
	return "address " + r.RemoteAddr
}

// overTLS says whether r came to souk, or to a proxy that souk trusts, over TLS.
func (s *Server) overTLS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if len(s.cfg.Proxies) == 0 || r.Header.Get("X-Forwarded-Proto") != "https" {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && s.trusted(peer.Addr().Unmap())
}
