// Package actor says who is asking. It is resolved once, at the door, from a session or
// token; from there on it is a field of every request that depends on it, and nothing reads
// authority from a context.
package actor

import (
	"slices"

	"souk/internal/platform/id"
)

// Kind is the sort of caller.
//
//rpc:fallback nobody
type Kind string

// The kinds of callers.
const (
	KindNobody   Kind = "nobody"   // neither cart nor session
	KindGuest    Kind = "guest"    // a cart token, or the link to an order; not a person yet
	KindPerson   Kind = "person"   // signed in, perhaps as staff of a seller
	KindOperator Kind = "operator" // signed in as one who runs the marketplace
	KindSystem   Kind = "system"   // souk itself: a saga, a job, a command line
)

// Scope is what an API token may do. A session has every scope of its person.
type Scope string

// The scopes of tokens.
const (
	ScopeRead    Scope = "read"    // see what the person sees
	ScopeShop    Scope = "shop"    // fill carts, check out, cancel
	ScopeSell    Scope = "sell"    // manage the seller's listings and orders
	ScopeOperate Scope = "operate" // act as operator
	ScopeAccount Scope = "account" // change the account itself; never given to tokens
)

// Actor is who is asking. The zero value is nobody.
type Actor struct {
	Kind       Kind    `json:"kind"`
	Person     id.Ref  `json:"person"`       // accounts' id of a person or operator
	Guest      string  `json:"guest"`        // hash of a guest's cart token; never the token
	Seller     id.Ref  `json:"seller"`       // the seller whose staff the person acts as, if any
	Scopes     []Scope `json:"scopes"`       // what the credential allows
	OnBehalfOf id.Ref  `json:"on_behalf_of"` // whom the system or an operator acts for
}

// Nobody is a caller of whom nothing is known.
func Nobody() Actor { return Actor{Kind: KindNobody} }

// Guest is the holder of the cart token with this hash.
func Guest(tokenHash string) Actor { return Actor{Kind: KindGuest, Guest: tokenHash} }

// System is souk itself, acting for someone (or for none, with "").
func System(onBehalfOf id.Ref) Actor { return Actor{Kind: KindSystem, OnBehalfOf: onBehalfOf} }

// Owner is the text that owns a caller's rows and idempotency keys: the person, else the
// guest's token hash, else for the system whom it acts for. "" for nobody, and for a guest
// without a token, so that no two of them share anything.
func (a Actor) Owner() string {
	switch a.Kind {
	case KindPerson, KindOperator:
		return string(a.Person)
	case KindGuest:
		if a.Guest == "" {
			return ""
		}
		return "guest:" + a.Guest
	case KindSystem:
		return "system:" + string(a.OnBehalfOf)
	default:
		return ""
	}
}

// IsOperator says whether the caller runs the marketplace, by role and by credential.
func (a Actor) IsOperator() bool { return a.Kind == KindOperator && a.Has(ScopeOperate) }

// IsSystem says whether souk itself is asking.
func (a Actor) IsSystem() bool { return a.Kind == KindSystem }

// SignedIn says whether a person is known.
func (a Actor) SignedIn() bool {
	return (a.Kind == KindPerson || a.Kind == KindOperator) && a.Person != ""
}

// Sells says whether the caller may act for the seller.
func (a Actor) Sells(seller id.Ref) bool {
	return a.SignedIn() && seller != "" && a.Seller == seller && a.Has(ScopeSell)
}

// Has says whether the credential allows the scope.
func (a Actor) Has(s Scope) bool { return slices.Contains(a.Scopes, s) }
