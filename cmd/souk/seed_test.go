package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// setup opens the marketplace in dir, with nothing running, for a test to fill.
func setup(t testing.TB, dir string, fill func(a *app)) {
	t.Helper()
	setupOn(t, dir, "", fill)
}

// setupOn is setup with the data in a PostgreSQL database, where db names one.
func setupOn(t testing.TB, dir, db string, fill func(a *app)) {
	t.Helper()
	var errs strings.Builder
	getenv := func(name string) string {
		if name == databaseVariable {
			return db
		}
		return ""
	}
	w := &world{getenv: getenv, stdin: strings.NewReader(""), stdout: &errs, stderr: &errs}
	a, err := w.openApp(t.Context(), dir)
	require.NoError(t, err, errs.String())
	defer func() { require.NoError(t, a.close(), errs.String()) }()
	fill(a)
	require.NoError(t, a.bus.Drain(t.Context()))
}

// everything is what a session of a seller's staff may do.
func everything() []actor.Scope {
	return []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell, actor.ScopeAccount}
}

// someone is a registered person with a session, and with an API token once token was called.
type someone struct {
	actor          actor.Actor
	session, token string
}

// register makes a person who buys.
func register(t testing.TB, a *app, email string) someone {
	t.Helper()
	who := person(t, a, email)
	who.token = token(t, a, who.actor, actor.ScopeRead, actor.ScopeShop)
	return who
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func person(t testing.TB, a *app, email string) someone {
	t.Helper()
	session := rand.Text()
	reply, err := a.ask.accounts.Register(t.Context(), accounts.RegisterRequest{
		Key: key(), Email: email, Name: "Someone", Password: "a long enough password", Session: hashOf(session), Agent: "test",
	})
	require.NoError(t, err)
	return someone{session: session, actor: actor.Actor{Kind: actor.KindPerson, Person: id.RefOf(reply.Person.ID), Scopes: everything()}}
}

// token makes an API token with these scopes, which the person must have by then.
func token(t testing.TB, a *app, by actor.Actor, scopes ...actor.Scope) string {
	t.Helper()
	secret := rand.Text()
	_, err := a.ask.accounts.CreateToken(t.Context(), accounts.CreateTokenRequest{
		By: by, Key: key(), Name: "test", Hash: hashOf(secret), Hint: secret[len(secret)-4:], Scopes: scopes,
	})
	require.NoError(t, err)
	return secret
}

// operator makes someone an operator.
func operator(t testing.TB, a *app, email string) someone {
	t.Helper()
	who := person(t, a, email)
	_, err := a.ask.accounts.GrantRole(t.Context(), accounts.GrantRoleRequest{
		By: actor.System(""), Key: key(), Person: accounts.PersonID(who.actor.Person), Role: accounts.Role{Kind: accounts.RoleOperator},
	})
	require.NoError(t, err)
	who.actor.Kind = actor.KindOperator
	who.actor.Scopes = append(who.actor.Scopes, actor.ScopeOperate)
	who.token = token(t, a, who.actor, actor.ScopeRead, actor.ScopeShop, actor.ScopeOperate)
	return who
}

// shopOf is an approved seller with listings, each of one variant.
type shopOf struct {
	owner    someone
	seller   catalog.Seller
	listings []catalog.Listing
}

// seller opens a shop with so many listings at 10.00 EUR, 11.00 EUR and so on, and stock of each.
func seller(t testing.TB, a *app, by someone, name string, listings int, stock int64) shopOf {
	t.Helper()
	s := shopOf{owner: person(t, a, strings.ToLower(name)+"@example.com")}
	applied, err := a.ask.catalog.ApplySeller(t.Context(), catalog.ApplySellerRequest{
		By: s.owner.actor, Key: key(), Name: name, Currency: "EUR",
		Legal: catalog.LegalParty{Name: name, Line1: "Weg 1", PostalCode: "24103", City: "Kiel", Country: "DE", Email: "x@example.com"},
	})
	require.NoError(t, err)
	approved, err := a.ask.catalog.ChangeSellerStatus(t.Context(), catalog.ChangeSellerStatusRequest{
		By: by.actor, Key: key(), Seller: applied.Seller.ID, Status: catalog.SellerApproved, Why: "a test",
	})
	require.NoError(t, err)
	s.seller = approved.Seller
	s.owner.actor.Seller = id.RefOf(s.seller.ID)
	require.NoError(t, a.bus.Drain(t.Context())) // accounts hears of it and makes the owner its staff
	s.owner.token = token(t, a, s.owner.actor, actor.ScopeRead, actor.ScopeShop, actor.ScopeSell)
	for i := range listings {
		reply, err := a.ask.catalog.CreateListing(t.Context(), catalog.CreateListingRequest{
			By: s.owner.actor, Key: key(), Seller: s.seller.ID, Publish: true, Draft: catalog.Draft{
				ExternalID: fmt.Sprintf("%s-%d", name, i), Title: fmt.Sprintf("%s thing %d", name, i),
				Variants: []catalog.VariantDraft{{
					SKU: fmt.Sprintf("%s-%d", name, i), Price: money.Money{Minor: int64(1000 + 100*i), Currency: "EUR"}, Grams: 500, Quantity: &stock,
				}},
			},
		})
		require.NoError(t, err)
		s.listings = append(s.listings, reply.Listing)
	}
	return s
}

// seen is a listing as shoppers ask for it.
func seen(l catalog.Listing) listingSeen {
	out := listingSeen{ID: string(l.ID), Title: l.Title, Seller: string(l.Seller)}
	for _, v := range l.Variants {
		out.Variants = append(out.Variants, variantSeen{ID: string(v.ID)})
	}
	return out
}
