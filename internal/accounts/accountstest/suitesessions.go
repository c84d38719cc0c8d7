package accountstest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
)

const day = 24 * time.Hour

var sessionTests = map[string]func(*world){
	"nobody holds a secret that was never given": func(w *world) {
		w.register("bea")
		_, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: freshHash()})
		w.refused(accounts.ErrSession, err)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Token: freshHash()})
		w.refused(accounts.ErrSession, err)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{})
		w.invalid(err, "session")
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Session: "secret"})
		w.invalid(err, "session")
	},
	"a session that nobody uses ends after a fortnight": func(w *world) {
		bea := w.register("bea")
		w.clock.Advance(14*day - time.Second)
		w.again(bea)
		w.clock.Advance(14*day - time.Second)
		w.again(bea)
		w.clock.Advance(14 * day)
		_, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: bea.hash})
		w.refused(accounts.ErrSession, err)
	},
	"a session ends after ninety days whatever happens": func(w *world) {
		bea := w.register("bea")
		for range 9 {
			w.clock.Advance(10*day - time.Second)
			w.again(bea)
		}
		w.clock.Advance(time.Minute)
		_, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: bea.hash})
		w.refused(accounts.ErrSession, err)
	},
	"the time of use is kept to the minute": func(w *world) {
		bea := w.register("bea")
		used := func() time.Duration {
			reply, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: bea.hash})
			require.NoError(w, err)
			return reply.Session.UsedAt.Sub(bea.Session.CreatedAt)
		}
		w.clock.Advance(30 * time.Second)
		assert.Less(w, used(), time.Minute)
		w.clock.Advance(5 * time.Minute)
		assert.InDelta(w, 330, used().Seconds(), 60)
	},
	"rotation replaces the secret, and the old one is good for a minute": func(w *world) {
		bea := w.register("bea")
		assert.Equal(w, day, bea.Session.RotateAt.Sub(bea.Session.CreatedAt))
		w.clock.Advance(day)
		r := accounts.RotateSessionRequest{Key: Key(), Old: bea.hash, New: freshHash()}
		reply, err := w.RotateSession(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, bea.Session.ID, reply.Session.ID)
		assert.Equal(w, day, reply.Session.RotateAt.Sub(w.clock.Now()))
		again, err := w.RotateSession(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, reply, again)

		w.clock.Advance(59 * time.Second)
		for _, hash := range []string{r.Old, r.New} {
			got, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: hash})
			require.NoError(w, err)
			assert.Equal(w, bea.Person.ID, got.Person.ID)
		}
		w.clock.Advance(time.Second)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Session: r.Old})
		w.refused(accounts.ErrSession, err)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Session: r.New})
		require.NoError(w, err)
	},
	"a secret that has been replaced is not replaced again": func(w *world) {
		bea := w.register("bea")
		rotate := func(old string) error {
			_, err := w.RotateSession(w.Context(), accounts.RotateSessionRequest{Key: Key(), Old: old, New: freshHash()})
			return err
		}
		require.NoError(w, rotate(bea.hash))
		w.refused(accounts.ErrSession, rotate(bea.hash))
		w.refused(accounts.ErrSession, rotate(freshHash()))
		_, err := w.RotateSession(w.Context(), accounts.RotateSessionRequest{})
		w.invalid(err, "key", "old", "new")
	},
	"rotation does not make a session live longer": func(w *world) {
		bea := w.register("bea")
		hash := bea.hash
		for range 9 {
			w.clock.Advance(10*day - time.Second)
			next := freshHash()
			_, err := w.RotateSession(w.Context(), accounts.RotateSessionRequest{Key: Key(), Old: hash, New: next})
			require.NoError(w, err)
			hash = next
		}
		w.clock.Advance(time.Minute)
		_, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: hash})
		w.refused(accounts.ErrSession, err)
	},
	"signing out ends a session at once": func(w *world) {
		bea := w.register("bea")
		r := accounts.EndSessionsRequest{By: bea.by(), Key: Key(), Hash: bea.hash}
		reply, err := w.EndSessions(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, int64(1), reply.Ended)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Session: bea.hash})
		w.refused(accounts.ErrSession, err)
		again, err := w.EndSessions(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, reply, again)
		r.Hash = freshHash()
		_, err = w.EndSessions(w.Context(), r)
		w.refused(accounts.ErrKeyReused, err)
	},
	"signing out everywhere keeps the session one sits at": func(w *world) {
		bea := w.register("bea")
		ann := w.register("ann")
		for range 3 {
			_, _, err := w.signIn(bea.email, Password, "")
			require.NoError(w, err)
		}
		reply, err := w.EndSessions(w.Context(), accounts.EndSessionsRequest{By: bea.by(), Key: Key(), Except: bea.hash})
		require.NoError(w, err)
		assert.Equal(w, int64(3), reply.Ended)
		w.again(bea)
		w.again(ann)
	},
	"a session can be ended by its id, by its person alone": func(w *world) {
		bea, ann := w.register("bea"), w.register("ann")
		end := func(by actor.Actor, session accounts.SessionID) error {
			_, err := w.EndSessions(w.Context(), accounts.EndSessionsRequest{By: by, Key: Key(), ID: session})
			return err
		}
		w.refused(accounts.ErrNotFound, end(ann.by(), bea.Session.ID))
		w.refused(accounts.ErrForbidden, end(actor.Nobody(), bea.Session.ID))
		w.refused(accounts.ErrForbidden, end(limited(bea.by(), actor.ScopeRead), bea.Session.ID))
		w.again(bea)
		require.NoError(w, end(bea.by(), bea.Session.ID))
		_, err := w.EndSessions(w.Context(), accounts.EndSessionsRequest{By: ann.by(), Key: Key()})
		w.invalid(err, "id")
		_, err = w.EndSessions(w.Context(), accounts.EndSessionsRequest{By: ann.by(), Key: Key(), Hash: freshHash(), Except: ann.hash})
		w.invalid(err, "id")
		reply, err := w.EndSessions(w.Context(), accounts.EndSessionsRequest{By: ann.by(), Key: Key(), Hash: bea.hash})
		require.NoError(w, err)
		assert.Zero(w, reply.Ended)
	},
	"live sessions are listed, the latest used first": func(w *world) {
		bea := w.register("bea")
		w.clock.Advance(time.Hour)
		second, _, err := w.signIn(bea.email, Password, "")
		require.NoError(w, err)
		w.clock.Advance(time.Hour)
		w.again(bea)
		list, err := w.ListSessions(w.Context(), accounts.ListSessionsRequest{By: bea.by()})
		require.NoError(w, err)
		require.Len(w, list.Sessions, 2)
		assert.Equal(w, bea.Session.ID, list.Sessions[0].ID)
		assert.Equal(w, second.Session.ID, list.Sessions[1].ID)
		w.clock.Advance(14*day - 30*time.Minute)
		list, err = w.ListSessions(w.Context(), accounts.ListSessionsRequest{By: bea.by()})
		require.NoError(w, err)
		assert.Len(w, list.Sessions, 1)
		_, err = w.ListSessions(w.Context(), accounts.ListSessionsRequest{By: actor.Nobody()})
		w.refused(accounts.ErrForbidden, err)
	},
}

var tokenTests = map[string]func(*world){
	"a token acts within its scopes": func(w *world) {
		bea := w.register("bea")
		hash := freshHash()
		r := w.token(bea, hash, actor.ScopeRead)
		reply, err := w.CreateToken(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, []actor.Scope{actor.ScopeRead}, reply.Token.Scopes)
		assert.Equal(w, "abcd", reply.Token.Hint)
		assert.Zero(w, reply.Token.UsedAt)
		got, err := w.Resolve(w.Context(), accounts.ResolveRequest{Token: hash})
		require.NoError(w, err)
		assert.Nil(w, got.Session)
		assert.Equal(w, bea.Person.ID, got.Person.ID)
		assert.Equal(w, []actor.Scope{actor.ScopeRead}, got.Actor.Scopes)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Session: hash})
		w.refused(accounts.ErrSession, err)

		again, err := w.CreateToken(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, reply.Token.ID, again.Token.ID)
		r.Name = "another"
		_, err = w.CreateToken(w.Context(), r)
		w.refused(accounts.ErrKeyReused, err)
	},
	"a token loses what its person may no longer do": func(w *world) {
		w.operator("ann")
		bea := w.operator("bea")
		hash := freshHash()
		_, err := w.CreateToken(w.Context(), w.token(bea, hash, actor.ScopeRead, actor.ScopeOperate))
		require.NoError(w, err)
		got, err := w.Resolve(w.Context(), accounts.ResolveRequest{Token: hash})
		require.NoError(w, err)
		assert.True(w, got.Actor.IsOperator())
		_, err = w.RevokeRole(w.Context(), accounts.RevokeRoleRequest{
			By: actor.System(""), Key: Key(), Person: bea.Person.ID, Role: accounts.Role{Kind: accounts.RoleOperator},
		})
		require.NoError(w, err)
		got, err = w.Resolve(w.Context(), accounts.ResolveRequest{Token: hash})
		require.NoError(w, err)
		assert.Equal(w, actor.KindPerson, got.Actor.Kind)
		assert.Equal(w, []actor.Scope{actor.ScopeRead}, got.Actor.Scopes)
	},
	"a token cannot do what its maker may not": func(w *world) {
		bea := w.register("bea")
		_, err := w.CreateToken(w.Context(), w.token(bea, freshHash(), actor.ScopeOperate))
		w.refused(accounts.ErrForbidden, err)
		_, err = w.CreateToken(w.Context(), w.token(bea, freshHash(), actor.ScopeAccount))
		w.invalid(err, "scopes[0]")
		r := w.token(bea, freshHash(), actor.ScopeRead)
		r.By = limited(bea.by(), actor.ScopeRead, actor.ScopeShop)
		_, err = w.CreateToken(w.Context(), r)
		w.refused(accounts.ErrForbidden, err)
		_, err = w.CreateToken(w.Context(), accounts.CreateTokenRequest{By: bea.by(), ExpiresAt: 1})
		w.invalid(err, "key", "name", "scopes", "expires_at", "hash", "hint")
	},
	"a token expires and can be revoked at once": func(w *world) {
		bea := w.register("bea")
		short, long := freshHash(), freshHash()
		r := w.token(bea, short, actor.ScopeRead)
		r.ExpiresAt = w.clock.Now().Add(time.Hour)
		_, err := w.CreateToken(w.Context(), r)
		require.NoError(w, err)
		w.clock.Advance(time.Minute)
		made, err := w.CreateToken(w.Context(), w.token(bea, long, actor.ScopeRead))
		require.NoError(w, err)
		w.clock.Advance(time.Hour)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Token: short})
		w.refused(accounts.ErrSession, err)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Token: long})
		require.NoError(w, err)

		ann := w.register("ann")
		revoke := accounts.RevokeTokenRequest{By: ann.by(), Key: Key(), ID: made.Token.ID}
		_, err = w.RevokeToken(w.Context(), revoke)
		w.refused(accounts.ErrNotFound, err)
		revoke.By = bea.by()
		gone, err := w.RevokeToken(w.Context(), revoke)
		require.NoError(w, err)
		assert.Equal(w, w.clock.Now(), gone.Token.RevokedAt)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Token: long})
		w.refused(accounts.ErrSession, err)
		again, err := w.RevokeToken(w.Context(), revoke)
		require.NoError(w, err)
		assert.Equal(w, gone, again)
		_, err = w.RevokeToken(w.Context(), accounts.RevokeTokenRequest{By: bea.by()})
		w.invalid(err, "key", "id")
	},
	"tokens are listed with when they were used, ended ones for a month": func(w *world) {
		bea := w.register("bea")
		hash := freshHash()
		first, err := w.CreateToken(w.Context(), w.token(bea, hash, actor.ScopeRead))
		require.NoError(w, err)
		w.clock.Advance(time.Hour)
		second, err := w.CreateToken(w.Context(), w.token(bea, freshHash(), actor.ScopeShop))
		require.NoError(w, err)
		_, err = w.Resolve(w.Context(), accounts.ResolveRequest{Token: hash})
		require.NoError(w, err)
		list := w.tokens(bea)
		require.Len(w, list, 2)
		assert.Equal(w, second.Token.ID, list[0].ID)
		assert.Equal(w, first.Token.ID, list[1].ID)
		assert.InDelta(w, 0, w.clock.Now().Sub(list[1].UsedAt).Seconds(), 60)
		_, err = w.RevokeToken(w.Context(), accounts.RevokeTokenRequest{By: bea.by(), Key: Key(), ID: first.Token.ID})
		require.NoError(w, err)
		w.clock.Advance(29 * day)
		assert.Len(w, w.tokens(bea), 2)
		w.clock.Advance(day)
		assert.Len(w, w.tokens(bea), 1)
		assert.Empty(w, w.tokens(w.register("ann")))
	},
	"there is a limit to tokens": func(w *world) {
		bea := w.register("bea")
		for range accounts.MaxTokens {
			_, err := w.CreateToken(w.Context(), w.token(bea, freshHash(), actor.ScopeRead))
			require.NoError(w, err)
		}
		_, err := w.CreateToken(w.Context(), w.token(bea, freshHash(), actor.ScopeRead))
		w.refused(accounts.ErrLimit, err)
		_, err = w.RevokeToken(w.Context(), accounts.RevokeTokenRequest{By: bea.by(), Key: Key(), ID: w.tokens(bea)[0].ID})
		require.NoError(w, err)
		_, err = w.CreateToken(w.Context(), w.token(bea, freshHash(), actor.ScopeRead))
		require.NoError(w, err)
	},
}

func (w *world) token(s someone, hash string, scopes ...actor.Scope) accounts.CreateTokenRequest {
	return accounts.CreateTokenRequest{
		By: s.by(), Key: Key(), Name: fmt.Sprintf("with %d scopes", len(scopes)), Scopes: scopes, Hash: hash, Hint: "abcd",
	}
}

func (w *world) tokens(s someone) []accounts.Token {
	w.Helper()
	list, err := w.ListTokens(w.Context(), accounts.ListTokensRequest{By: s.by()})
	require.NoError(w, err)
	return list.Tokens
}
