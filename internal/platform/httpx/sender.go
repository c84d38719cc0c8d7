package httpx

import (
	"context"
	"net/http"
)

// How staff of several sellers say for which of them they act.
const (
	SellerHeader = "Souk-Seller" // a program
	SellerCookie = "souk_seller" // a browser
)

// SellerAsked is the seller for which r's sender wants to act, or "". It gives no right: whether
// the sender is staff there is for the resolver to find out.
func SellerAsked(r *http.Request) string {
	if seller := r.Header.Get(SellerHeader); seller != "" {
		return seller
	}
	if c, err := r.Cookie(SellerCookie); err == nil {
		return c.Value
	}
	return ""
}

// Sender is what a request says of where it comes from, beside who is asking. It is for the
// module whose business credentials are; all of it is personal or secret, and none for logs.
type Sender struct {
	Proof   Proof
	Secret  string // the session's or token's
	Network string // the client's address, of IPv6 its /64: what limits count by
	Agent   string // what the browser or program calls itself
}

// SenderOf is who sent the request that is served under ctx; empty where none is.
func SenderOf(ctx context.Context) Sender {
	x := exchangeOf(ctx)
	if x.request == nil {
		return Sender{}
	}
	proof, secret := Credential(x.request)
	return Sender{Proof: proof, Secret: secret, Network: x.server.clientNetwork(x.request), Agent: x.request.UserAgent()}
}
