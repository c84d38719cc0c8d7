package accountssvc

import (
	"context"
	"net/http"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
)

func (s *Service) sessionRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "sessions", Who: httpx.People, Summary: "List one's sessions, the latest used first"}, s.getSessions)
	httpx.Route(api, httpx.Op{
		Method: http.MethodDelete, Path: base + "sessions", Who: httpx.People, Summary: "Sign out everywhere but here",
		Scope: actor.ScopeAccount, Status: http.StatusOK,
	}, s.deleteOtherSessions)
	httpx.Route(api, httpx.Op{
		Method: http.MethodDelete, Path: base + "sessions/{id}", Who: httpx.People, Summary: "End a session",
		Scope: actor.ScopeAccount, Status: http.StatusNoContent,
	}, s.deleteSession)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "sessions/rotate", Who: httpx.People, Summary: "Replace this session's secret",
		Description: "Due at the session's rotate_at. The answer sets the new cookie; the old one is good for another minute.",
		Scope:       actor.ScopeAccount, Limit: writeLimit,
	}, s.postRotation)
}

type sessionWire struct {
	ID        accounts.SessionID `json:"id" example:"ses_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	CreatedAt clock.Time         `json:"created_at"`
	UsedAt    clock.Time         `json:"used_at" doc:"To the minute."`
	ExpiresAt clock.Time         `json:"expires_at" doc:"If it is not used again."`
	RotateAt  clock.Time         `json:"rotate_at" doc:"When its secret should be replaced."`
	Agent     string             `json:"agent" doc:"What the browser calls itself." example:"Mozilla/5.0"`
	Current   bool               `json:"current" doc:"It is the one of this request."`
}

func toSession(s accounts.Session, current accounts.SessionID) sessionWire {
	return sessionWire{
		ID: s.ID, CreatedAt: s.CreatedAt, UsedAt: s.UsedAt, ExpiresAt: s.ExpiresAt, RotateAt: s.RotateAt, Agent: s.Agent,
		Current: s.ID == current,
	}
}

type noIn struct{}

type sessionsOut struct {
	Body struct {
		Sessions []sessionWire `json:"sessions"`
	}
}

type sessionIn struct {
	httpx.Keyed
	ID accounts.SessionID `path:"id" maxLength:"40" example:"ses_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type endedOut struct {
	Body struct {
		Ended int64 `json:"ended" doc:"How many sessions ended." example:"2"`
	}
}

type nothingOut struct{}

func (s *Service) getSessions(ctx context.Context, by actor.Actor, _ noIn) (sessionsOut, error) {
	var out sessionsOut
	reply, err := s.ListSessions(ctx, accounts.ListSessionsRequest{By: by})
	if err != nil {
		return out, err
	}
	var current accounts.SessionID
	if from := httpx.SenderOf(ctx); from.Proof == httpx.BySession {
		me, err := s.Resolve(ctx, accounts.ResolveRequest{Session: hashOf(from.Secret)})
		if err != nil {
			return out, err
		}
		current = me.Session.ID
	}
	for _, session := range reply.Sessions {
		out.Body.Sessions = append(out.Body.Sessions, toSession(session, current))
	}
	return out, nil
}

func (s *Service) deleteOtherSessions(ctx context.Context, by actor.Actor, in keyedIn) (endedOut, error) {
	reply, err := s.EndSessions(ctx, accounts.EndSessionsRequest{By: by, Key: in.Key, Except: currentSession(ctx)})
	var out endedOut
	out.Body.Ended = reply.Ended
	return out, err
}

func (s *Service) deleteSession(ctx context.Context, by actor.Actor, in sessionIn) (nothingOut, error) {
	if !accounts.SessionIDs.Valid(in.ID) {
		return nothingOut{}, accounts.ErrNotFound.With("there is no such session")
	}
	_, err := s.EndSessions(ctx, accounts.EndSessionsRequest{By: by, Key: in.Key, ID: in.ID})
	return nothingOut{}, err
}

func (s *Service) postRotation(ctx context.Context, _ actor.Actor, in keyedIn) (signedInOut, error) {
	old := httpx.SenderOf(ctx).Secret
	secret := s.newSecret("rotate", in.Key, old)
	reply, err := s.RotateSession(ctx, accounts.RotateSessionRequest{Key: in.Key, Old: hashOf(old), New: hashOf(secret)})
	if err != nil {
		return signedInOut{}, err
	}
	return signedIn(ctx, secret, reply), nil
}

func (s *Service) tokenRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "tokens", Who: httpx.People, Summary: "List one's tokens, newest first"}, s.getTokens)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "tokens", Who: httpx.People, Summary: "Make a token for a program",
		Description: "The secret is in this answer and nowhere else; the same request with the same key in the same session gives it again. " +
			"It goes into the header Authorization, after Bearer.",
		Scope: actor.ScopeAccount, Status: http.StatusCreated, Limit: writeLimit,
	}, s.postToken)
	httpx.Route(api, httpx.Op{
		Method: http.MethodDelete, Path: base + "tokens/{id}", Who: httpx.People, Summary: "Revoke a token at once",
		Scope: actor.ScopeAccount, Status: http.StatusOK,
	}, s.deleteToken)
}

type tokenWire struct {
	ID        accounts.TokenID `json:"id" example:"tok_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Name      string           `json:"name" example:"Stock sync"`
	Hint      string           `json:"hint" doc:"The last four characters of its secret." example:"x7Qk"`
	Scopes    []actor.Scope    `json:"scopes"`
	CreatedAt clock.Time       `json:"created_at"`
	ExpiresAt clock.Time       `json:"expires_at,omitempty" doc:"Left out for never."`
	UsedAt    clock.Time       `json:"used_at,omitempty" doc:"To the minute; left out for never."`
	RevokedAt clock.Time       `json:"revoked_at,omitempty" doc:"Left out unless it was."`
}

func toToken(t accounts.Token) tokenWire { return tokenWire(t) }

type tokensOut struct {
	Body struct {
		Tokens []tokenWire `json:"tokens"`
	}
}

type newTokenIn struct {
	httpx.Keyed
	Body struct {
		Name      string        `json:"name" minLength:"1" maxLength:"100" example:"Stock sync"`
		Scopes    []actor.Scope `json:"scopes" minItems:"1" maxItems:"4" doc:"Of read, shop, sell, operate: what its maker may do itself."`
		ExpiresAt clock.Time    `json:"expires_at" required:"false" doc:"Leave out for never."`
	}
}

type newTokenOut struct {
	Body struct {
		Token  tokenWire `json:"token"`
		Secret string    `json:"secret" doc:"Keep it: it is not shown again." example:"souk_5QmH…"`
	}
}

type tokenIn struct {
	httpx.Keyed
	ID accounts.TokenID `path:"id" maxLength:"40" example:"tok_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type tokenOut struct{ Body tokenWire }

func (s *Service) getTokens(ctx context.Context, by actor.Actor, _ noIn) (tokensOut, error) {
	reply, err := s.ListTokens(ctx, accounts.ListTokensRequest{By: by})
	var out tokensOut
	for _, t := range reply.Tokens {
		out.Body.Tokens = append(out.Body.Tokens, toToken(t))
	}
	return out, err
}

// postToken makes the secret from the session's own, which only its browser has: a repetition gives it
// again, and nothing that is kept here would.
func (s *Service) postToken(ctx context.Context, by actor.Actor, in newTokenIn) (newTokenOut, error) {
	from := httpx.SenderOf(ctx)
	if from.Proof != httpx.BySession {
		return newTokenOut{}, accounts.ErrForbidden.With("tokens are made from a session")
	}
	secret := tokenPrefix + derive([]byte(from.Secret), "token", string(by.Person), in.Key)
	reply, err := s.CreateToken(ctx, accounts.CreateTokenRequest{
		By: by, Key: in.Key, Name: in.Body.Name, Scopes: in.Body.Scopes, ExpiresAt: in.Body.ExpiresAt,
		Hash: hashOf(secret), Hint: secret[len(secret)-4:],
	})
	if err != nil {
		return newTokenOut{}, err
	}
	var out newTokenOut
	out.Body.Token, out.Body.Secret = toToken(reply.Token), secret
	return out, nil
}

func (s *Service) deleteToken(ctx context.Context, by actor.Actor, in tokenIn) (tokenOut, error) {
	if !accounts.TokenIDs.Valid(in.ID) {
		return tokenOut{}, accounts.ErrNotFound.With("there is no such token")
	}
	reply, err := s.RevokeToken(ctx, accounts.RevokeTokenRequest{By: by, Key: in.Key, ID: in.ID})
	return tokenOut{Body: toToken(reply.Token)}, err
}
