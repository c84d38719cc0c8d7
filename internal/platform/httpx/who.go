package httpx

import (
	"net/http"

	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
)

// Who is the sort of caller that a route is for. Whether a thing is the caller's own is
// for the module's WHERE clauses.
type Who int

// The sorts of callers.
const (
	Anyone    Who = iota + 1 // also nobody
	Shoppers                 // a guest with a cart token, or a person
	People                   // who is signed in
	Sellers                  // staff of a seller
	Operators                // who run the marketplace
)

var everyone = []Who{Anyone, Shoppers, People, Sellers, Operators}

// What a caller is told who may not ask.
var (
	ErrUnauthenticated = errs.Refusal(errs.Unauthenticated, "souk.unauthenticated").With("sign in first")
	ErrNoCart          = errs.Refusal(errs.Unauthenticated, "souk.no_cart").With("sign in, or send a cart token")
	ErrForbidden       = errs.Refusal(errs.Forbidden, "souk.forbidden").With("this is not for you")
	ErrScope           = errs.Refusal(errs.Forbidden, "souk.scope")
)

// String says who is meant.
func (w Who) String() string {
	switch w {
	case Anyone:
		return "anyone"
	case Shoppers:
		return "guests with a cart, and people"
	case People:
		return "people who are signed in"
	case Sellers:
		return "staff of a seller"
	case Operators:
		return "operators"
	default:
		return "nobody"
	}
}

// scope is what a token needs for a route of that method unless its Op says otherwise.
func (w Who) scope(method string) actor.Scope {
	switch {
	case w == Operators:
		return actor.ScopeOperate
	case w == Anyone:
		return ""
	case method == http.MethodGet || method == http.MethodHead:
		return actor.ScopeRead
	case w == Sellers:
		return actor.ScopeSell
	default:
		return actor.ScopeShop
	}
}

// admits says whether by may ask what is for w and needs scope.
func (w Who) admits(by actor.Actor, scope actor.Scope) error {
	switch w {
	case Anyone:
	case Shoppers:
		if !by.SignedIn() && by.Owner() == "" {
			return ErrNoCart
		}
	case People, Sellers, Operators:
		if !by.SignedIn() {
			return ErrUnauthenticated
		}
	default:
		return ErrForbidden
	}
	if w == Sellers && by.Seller == "" {
		return ErrForbidden.With("only staff of a seller may do this")
	}
	if w == Operators && by.Kind != actor.KindOperator {
		return ErrForbidden.With("only an operator may do this")
	}
	if scope != "" && by.SignedIn() && !by.Has(scope) {
		return ErrScope.With("this token does not have the scope %q", scope)
	}
	return nil
}

// security is how callers prove who they are, for the reference.
func (w Who) security() []map[string][]string {
	session, token, cart := map[string][]string{"session": {}}, map[string][]string{"token": {}}, map[string][]string{"cart": {}}
	switch w {
	case Anyone:
		return []map[string][]string{{}, session, token}
	case Shoppers:
		return []map[string][]string{session, token, cart}
	default:
		return []map[string][]string{session, token}
	}
}
