package accountstest

import (
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
)

var signInTests = map[string]func(*world){
	"registering makes a person who is signed in": func(w *world) {
		hash := freshHash()
		reply, err := w.Register(w.Context(), accounts.RegisterRequest{
			Key: Key(), Email: "  Bea@People.EXAMPLE ", Name: " Bea Buyer ", Password: Password, Session: hash, Agent: "Lynx",
		})
		require.NoError(w, err)
		p := reply.Person
		assert.Equal(w, "Bea@people.example", p.Email)
		assert.Equal(w, "Bea Buyer", p.Name)
		assert.False(w, p.Guest)
		assert.Empty(w, p.Roles)
		assert.Equal(w, int64(1), p.Version)
		assert.Equal(w, "Lynx", reply.Session.Agent)
		assert.Equal(w, p.ID, reply.Session.Person)
		assert.Equal(w, actor.KindPerson, reply.Actor.Kind)
		assert.Equal(w, id.RefOf(p.ID), reply.Actor.Person)
		assert.ElementsMatch(w, []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeAccount}, reply.Actor.Scopes)

		got, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: hash})
		require.NoError(w, err)
		assert.Equal(w, reply.Person, got.Person)
		assert.Equal(w, reply.Actor, got.Actor)
		require.NotNil(w, got.Session)
		assert.Equal(w, reply.Session, *got.Session)
	},
	"registering says everything that is wrong": func(w *world) {
		_, err := w.Register(w.Context(), accounts.RegisterRequest{Email: "bea", Password: "short", Session: "x"})
		w.invalid(err, "key", "email", "name", "password", "session")
		for _, bad := range []string{"bea@localhost", "b a@people.example", "Bea <bea@people.example>", "bea@-x.example", "@people.example", strings.Repeat("b", 65) + "@people.example"} {
			_, err := w.Register(w.Context(), accounts.RegisterRequest{Key: Key(), Email: bad, Name: "B", Password: Password, Session: freshHash()})
			w.invalid(err, "email")
		}
		_, err = w.Register(w.Context(), accounts.RegisterRequest{
			Key: Key(), Email: "bea@people.example", Name: "B", Password: "BEA@people.example", Session: freshHash(),
		})
		w.invalid(err, "password")
		_, err = w.Register(w.Context(), accounts.RegisterRequest{
			Key: Key(), Email: "bea@people.example", Name: "B", Password: strings.Repeat("é", 201), Session: freshHash(),
		})
		w.invalid(err, "password")
	},
	"an address is one person's, however it is written": func(w *world) {
		w.register("bea")
		_, err := w.Register(w.Context(), accounts.RegisterRequest{
			Key: Key(), Email: "BEA@People.example", Name: "B", Password: Password, Session: freshHash(),
		})
		w.refused(accounts.ErrEmailTaken, err)
	},
	"registering twice with one key makes one person": func(w *world) {
		r := accounts.RegisterRequest{Key: Key(), Email: "bea@people.example", Name: "B", Password: Password, Session: freshHash()}
		first, err := w.Register(w.Context(), r)
		require.NoError(w, err)
		second, err := w.Register(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, second)

		other := r
		other.Name = "Another"
		_, err = w.Register(w.Context(), other)
		w.refused(accounts.ErrKeyReused, err)
		other = r
		other.Password = "another password"
		_, err = w.Register(w.Context(), other)
		w.refused(accounts.ErrKeyReused, err)

		r.Key, r.Session = Key(), freshHash()
		_, err = w.Register(w.Context(), r)
		w.refused(accounts.ErrEmailTaken, err)
		_, err = w.Register(w.Context(), r)
		w.refused(accounts.ErrEmailTaken, err)
	},
	"a guest with the same address stays another person": func(w *world) {
		guest, err := w.EnsureGuest(w.Context(), accounts.EnsureGuestRequest{
			By: actor.System(""), Key: Key(), Email: "bea@people.example", Name: "Guest",
		})
		require.NoError(w, err)
		bea := w.register("bea")
		assert.NotEqual(w, guest.Person.ID, bea.Person.ID)
		again, err := w.EnsureGuest(w.Context(), accounts.EnsureGuestRequest{
			By: actor.System(""), Key: Key(), Email: "bea@people.example", Name: "Guest",
		})
		require.NoError(w, err)
		assert.Equal(w, guest.Person.ID, again.Person.ID)
	},
	"a guest cannot sign in": func(w *world) {
		_, err := w.EnsureGuest(w.Context(), accounts.EnsureGuestRequest{By: actor.System(""), Key: Key(), Email: "gus@people.example"})
		require.NoError(w, err)
		_, _, err = w.signIn("gus@people.example", Password, "")
		w.refused(accounts.ErrCredentials, err)
	},
	"signing in starts a session": func(w *world) {
		bea := w.register("bea")
		reply, hash, err := w.signIn("BEA@people.example", Password, "192.0.2.1")
		require.NoError(w, err)
		assert.Equal(w, bea.Person, reply.Person)
		assert.NotEqual(w, bea.Session.ID, reply.Session.ID)
		got, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: hash})
		require.NoError(w, err)
		assert.Equal(w, bea.Person.ID, got.Person.ID)
	},
	"signing in twice with one key starts one session": func(w *world) {
		bea := w.register("bea")
		w.register("ann")
		r := accounts.SignInRequest{Key: Key(), Email: bea.email, Password: Password, Session: freshHash()}
		first, err := w.SignIn(w.Context(), r)
		require.NoError(w, err)
		second, err := w.SignIn(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, second)
		list, err := w.ListSessions(w.Context(), accounts.ListSessionsRequest{By: bea.by()})
		require.NoError(w, err)
		assert.Len(w, list.Sessions, 2)
		r.Email = "ann@people.example"
		_, err = w.SignIn(w.Context(), r)
		w.refused(accounts.ErrKeyReused, err)
	},
	"a wrong address and a wrong password are told in the same words": func(w *world) {
		w.register("bea")
		_, _, wrongPassword := w.signIn("bea@people.example", "wrong password", "")
		_, _, wrongAddress := w.signIn("nobody@people.example", "wrong password", "")
		one, other := w.refusal(accounts.ErrCredentials, wrongPassword), w.refusal(accounts.ErrCredentials, wrongAddress)
		assert.Equal(w, one.Error(), other.Error())
	},
	"signing in says everything that is wrong": func(w *world) {
		_, err := w.SignIn(w.Context(), accounts.SignInRequest{})
		w.invalid(err, "key", "email", "password", "session")
	},
	"too many tries on an account have to wait": func(w *world) {
		w.register("bea")
		wait := w.tryUntilRefused("bea@people.example", func(int) string { return "" })
		_, _, err := w.signIn("bea@people.example", Password, "")
		w.wait(err)
		w.clock.Advance(wait)
		_, _, err = w.signIn("bea@people.example", Password, "")
		require.NoError(w, err)
		_, _, err = w.signIn("bea@people.example", "wrong password", "")
		w.refused(accounts.ErrCredentials, err)
	},
	"the wait grows": func(w *world) {
		w.register("bea")
		first := w.tryUntilRefused("bea@people.example", func(int) string { return "" })
		w.clock.Advance(first)
		_, _, err := w.signIn("bea@people.example", "wrong password", "")
		w.refused(accounts.ErrCredentials, err)
		_, _, err = w.signIn("bea@people.example", "wrong password", "")
		assert.Greater(w, w.wait(err), first)
	},
	"an address that nobody has is limited alike": func(w *world) {
		w.register("bea")
		count := func(email string) (n int) {
			for ; n < 100; n++ {
				_, _, err := w.signIn(email, "wrong password", "")
				if codeOf(err) != "accounts.credentials" {
					w.wait(err)
					return n
				}
			}
			return n
		}
		assert.Equal(w, count("bea@people.example"), count("nobody@people.example"))
	},
	"too many tries from one place have to wait": func(w *world) {
		bea := w.register("bea")
		for i := range 1000 {
			_, _, err := w.signIn("nobody"+id.New("x_")+"@people.example", "wrong password", "192.0.2.1")
			if codeOf(err) == "accounts.too_many_tries" {
				break
			}
			require.Less(w, i, 999)
		}
		_, _, err := w.signIn(bea.email, Password, "192.0.2.1")
		w.wait(err)
		_, _, err = w.signIn(bea.email, Password, "192.0.2.2")
		require.NoError(w, err)
	},
	"another password ends every other session": func(w *world) {
		bea := w.register("bea")
		_, other, err := w.signIn(bea.email, Password, "")
		require.NoError(w, err)
		r := accounts.ChangePasswordRequest{By: bea.by(), Key: Key(), Old: Password, New: "another password", Keep: bea.hash}
		reply, err := w.ChangePassword(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, bea.Person.ID, reply.Person.ID)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Session: other})
		w.refused(accounts.ErrSession, err)
		w.again(bea)
		_, _, err = w.signIn(bea.email, Password, "")
		w.refused(accounts.ErrCredentials, err)
		_, _, err = w.signIn(bea.email, "another password", "")
		require.NoError(w, err)

		again, err := w.ChangePassword(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, reply, again)
		r.New = "yet another password"
		_, err = w.ChangePassword(w.Context(), r)
		w.refused(accounts.ErrKeyReused, err)
	},
	"another password needs the old one": func(w *world) {
		bea := w.register("bea")
		change := func(by actor.Actor, old, other string) error {
			_, err := w.ChangePassword(w.Context(), accounts.ChangePasswordRequest{By: by, Key: Key(), Old: old, New: other})
			return err
		}
		w.refused(accounts.ErrCredentials, change(bea.by(), "wrong password", "another password"))
		w.refused(accounts.ErrForbidden, change(actor.Nobody(), Password, "another password"))
		w.refused(accounts.ErrForbidden, change(limited(bea.by(), actor.ScopeRead, actor.ScopeShop), Password, "another password"))
		w.invalid(change(bea.by(), Password, "short"), "new")
		w.invalid(change(bea.by(), Password, bea.email), "new")
		w.invalid(change(bea.by(), Password, Password), "new")
		_, err := w.ChangePassword(w.Context(), accounts.ChangePasswordRequest{By: bea.by()})
		w.invalid(err, "key", "old", "new")
		w.again(bea)
	},
	"guessing the old password has to wait too": func(w *world) {
		bea := w.register("bea")
		for i := range 100 {
			_, err := w.ChangePassword(w.Context(), accounts.ChangePasswordRequest{By: bea.by(), Key: Key(), Old: "wrong password", New: "another password"})
			if codeOf(err) == "accounts.too_many_tries" {
				w.wait(err)
				return
			}
			require.Less(w, i, 99)
		}
	},
}

// tryUntilRefused guesses until it has to wait, and says how long.
func (w *world) tryUntilRefused(email string, from func(n int) string) time.Duration {
	w.Helper()
	for n := range 100 {
		_, _, err := w.signIn(email, "wrong password", from(n))
		if codeOf(err) == "accounts.too_many_tries" {
			assert.Positive(w, n)
			return w.wait(err)
		}
		w.refused(accounts.ErrCredentials, err)
	}
	require.Fail(w, "nobody ever had to wait")
	return 0
}

// limited is by with a token of these scopes.
func limited(by actor.Actor, scopes ...actor.Scope) actor.Actor {
	by.Scopes = scopes
	return by
}
