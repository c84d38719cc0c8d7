package accountssvc

import (
	"slices"
	"strings"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
)

// actorOf is who a person is as a caller: an operator if it has that role, staff of the seller asked
// for if it is, else of the first. scopes are those of a token; a session (nil) has all
// that the person's roles allow.
func actorOf(person accounts.PersonID, roles []accounts.Role, seller catalog.SellerID, scopes []actor.Scope) actor.Actor {
	a := actor.Actor{Kind: actor.KindPerson, Person: id.RefOf(person)}
	for _, r := range roles {
		switch {
		case r.Kind == accounts.RoleOperator:
			a.Kind = actor.KindOperator
		case a.Seller == "" || r.Seller == seller:
			a.Seller = id.RefOf(r.Seller)
		}
	}
	a.Scopes = allowed(roles)
	if scopes != nil {
		a.Scopes = slices.DeleteFunc(a.Scopes, func(s actor.Scope) bool {
			return s == actor.ScopeAccount || !slices.Contains(scopes, s)
		})
	}
	return a
}

// allowed are the scopes that roles come to.
func allowed(roles []accounts.Role) []actor.Scope {
	out := []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeAccount}
	if slices.ContainsFunc(roles, func(r accounts.Role) bool { return r.Seller != "" }) {
		out = append(out, actor.ScopeSell)
	}
	if slices.Contains(roles, operatorRole) {
		out = append(out, actor.ScopeOperate)
	}
	return out
}

var operatorRole = accounts.Role{Kind: accounts.RoleOperator}

// seesAll says whether by may look at everybody.
func seesAll(by actor.Actor) bool { return by.IsOperator() || by.IsSystem() }

// seenBy leaves out of p what is no business of somebody who merely shares a seller with it.
func seenBy(by actor.Actor, p accounts.Person) accounts.Person {
	if seesAll(by) || by.Person == id.RefOf(p.ID) {
		return p
	}
	p.Roles = slices.DeleteFunc(slices.Clone(p.Roles), func(r accounts.Role) bool {
		return r.Seller == "" || id.RefOf(r.Seller) != by.Seller
	})
	return p
}

// owner is the person whose things by means: itself, with a credential that allows it, or
// whom the system acts for.
func owner(by actor.Actor, scope actor.Scope) (accounts.PersonID, error) {
	switch {
	case by.IsSystem() && by.OnBehalfOf.HasPrefix(accounts.PersonIDs.Prefix):
		return accounts.PersonID(by.OnBehalfOf), nil
	case by.IsSystem() || !by.SignedIn():
		return "", accounts.ErrForbidden.With("sign in first")
	case !by.Has(scope):
		return "", accounts.ErrForbidden.With("this needs the scope %q", scope)
	default:
		return accounts.PersonID(by.Person), nil
	}
}

// mayAppoint says whether by may give or take the role. owns tells whether it owns the seller.
func mayAppoint(by actor.Actor, role accounts.Role, owns func() (bool, error)) error {
	switch {
	case seesAll(by):
		return nil
	case role.Kind != accounts.RoleStaff || !by.SignedIn() || !by.Has(actor.ScopeAccount):
		return accounts.ErrForbidden.With("only an operator may do this")
	case by.Seller != id.RefOf(role.Seller):
		return accounts.ErrNotFound.With("there is no such seller among yours")
	}
	ok, err := owns()
	if err != nil {
		return err
	}
	if !ok {
		return accounts.ErrForbidden.With("only an owner of the seller may do this")
	}
	return nil
}

// parseRoles reads a person's roles from one column: "operator:,owner:sel_…".
func parseRoles(text string) []accounts.Role {
	if text == "" {
		return nil
	}
	var out []accounts.Role
	for part := range strings.SplitSeq(text, ",") {
		kind, seller, _ := strings.Cut(part, ":")
		out = append(out, accounts.Role{Kind: accounts.RoleKind(kind), Seller: catalog.SellerID(seller)})
	}
	return out
}

// describe is a role for the audit log.
func describe(r accounts.Role) string {
	return strings.TrimSuffix(string(r.Kind)+" "+string(r.Seller), " ")
}
