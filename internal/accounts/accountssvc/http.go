package accountssvc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
)

const base = "/api/v1/accounts/"

// Limits of what guesses, costs a hash, or leaves rows behind; the module's own waits stand beside them.
var (
	registerLimit = httpx.Limit{Max: 20, Per: time.Hour}
	guessLimit    = httpx.Limit{Max: 30, Per: 10 * time.Minute}
	writeLimit    = httpx.Limit{Max: 120, Per: time.Hour}
)

func (s *Service) routes(api httpx.API) {
	s.signInRoutes(api)
	s.sessionRoutes(api)
	s.tokenRoutes(api)
	s.bookRoutes(api)
	s.peopleRoutes(api)
}

func (s *Service) signInRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "register", Who: httpx.Anyone, Summary: "Register with an e-mail address and a password",
		Description: "The answer sets the session cookie. Programs make themselves a token with it, and use that.",
		Status:      http.StatusCreated, Limit: registerLimit, MaxBody: 8 << 10,
	}, s.postRegister)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "sign-in", Who: httpx.Anyone, Summary: "Sign in",
		Description: "The answer sets the session cookie. After too many tries per account or client address the code is accounts.too_many_tries, " +
			"with the wait in seconds in the field retry_after and in Retry-After.",
		Limit: guessLimit, MaxBody: 8 << 10,
	}, s.postSignIn)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "sign-out", Who: httpx.People, Summary: "Sign out of this session",
		Scope: actor.ScopeAccount, Status: http.StatusNoContent,
	}, s.postSignOut)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "password", Who: httpx.People, Summary: "Change the password",
		Description: "Every other session of the person ends.", Scope: actor.ScopeAccount, Limit: guessLimit, MaxBody: 8 << 10,
	}, s.putPassword)
}

type registerIn struct {
	httpx.Keyed
	Body struct {
		Email    string `json:"email" maxLength:"254" example:"bea@example.com"`
		Name     string `json:"name" minLength:"1" maxLength:"200" example:"Bea Buyer"`
		Password string `json:"password" minLength:"10" maxLength:"200" example:"correct horse battery" doc:"At least ten characters, and not the e-mail address."`
	}
}

type signInIn struct {
	httpx.Keyed
	Body struct {
		Email    string `json:"email" maxLength:"254" example:"bea@example.com"`
		Password string `json:"password" minLength:"1" maxLength:"200" example:"correct horse battery"`
	}
}

type signedInOut struct {
	SetCookie []http.Cookie `header:"Set-Cookie" doc:"The session, out of reach of scripts."`
	Body      struct {
		Person  personWire  `json:"person"`
		Session sessionWire `json:"session"`
	}
}

type keyedIn struct{ httpx.Keyed }

type cookieOut struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

// newSecret is a session's secret: the same when this process sees the request again.
func (s *Service) newSecret(what, key string, parts ...string) string {
	return derive(s.secrets, append([]string{what, key}, parts...)...)
}

func signedIn(ctx context.Context, secret string, reply accounts.SessionReply) signedInOut {
	var out signedInOut
	out.SetCookie = []http.Cookie{httpx.Cookie(ctx, httpx.SessionCookie, secret, sessionAbsolute)}
	out.Body.Person = toPerson(reply.Person)
	out.Body.Session = toSession(reply.Session, reply.Session.ID)
	return out
}

func (s *Service) postRegister(ctx context.Context, _ actor.Actor, in registerIn) (signedInOut, error) {
	from := httpx.SenderOf(ctx)
	secret := s.newSecret("register", in.Key, in.Body.Email, in.Body.Password)
	reply, err := s.Register(ctx, accounts.RegisterRequest{
		Key: in.Key, Email: in.Body.Email, Name: in.Body.Name, Password: in.Body.Password,
		Session: hashOf(secret), Agent: agentText(from.Agent), Address: from.Network,
	})
	if err != nil {
		return signedInOut{}, later(err)
	}
	return signedIn(ctx, secret, reply), nil
}

func (s *Service) postSignIn(ctx context.Context, _ actor.Actor, in signInIn) (signedInOut, error) {
	from := httpx.SenderOf(ctx)
	secret := s.newSecret("sign in", in.Key, in.Body.Email, in.Body.Password)
	reply, err := s.SignIn(ctx, accounts.SignInRequest{
		Key: in.Key, Email: in.Body.Email, Password: in.Body.Password,
		Session: hashOf(secret), Agent: agentText(from.Agent), Address: from.Network,
	})
	if err != nil {
		return signedInOut{}, later(err)
	}
	return signedIn(ctx, secret, reply), nil
}

// later tells a client that has to wait for how long, as HTTP says it.
func later(err error) error {
	if !errors.Is(err, accounts.ErrTooManyTries) {
		return err
	}
	seconds, e := strconv.Atoi(errs.As(err).Fields["retry_after"])
	if e != nil {
		return err
	}
	return httpx.Later(err, time.Duration(seconds)*time.Second)
}

func (s *Service) postSignOut(ctx context.Context, by actor.Actor, in keyedIn) (cookieOut, error) {
	_, err := s.EndSessions(ctx, accounts.EndSessionsRequest{By: by, Key: in.Key, Hash: currentSession(ctx)})
	return cookieOut{SetCookie: []http.Cookie{httpx.Cookie(ctx, httpx.SessionCookie, "", -1)}}, err
}

// currentSession is the hash of the session that the request came with. Routes that ask for it need the
// scope account, which only sessions have.
func currentSession(ctx context.Context) string { return hashOf(httpx.SenderOf(ctx).Secret) }

type passwordIn struct {
	httpx.Keyed
	Body struct {
		Old string `json:"old" minLength:"1" maxLength:"200" example:"correct horse battery"`
		New string `json:"new" minLength:"10" maxLength:"200" example:"staple correct horse"`
	}
}

func (s *Service) putPassword(ctx context.Context, by actor.Actor, in passwordIn) (personOut, error) {
	reply, err := s.ChangePassword(ctx, accounts.ChangePasswordRequest{
		By: by, Key: in.Key, Old: in.Body.Old, New: in.Body.New, Keep: currentSession(ctx),
	})
	var out personOut
	out.Body = toPerson(reply.Person)
	return out, later(err)
}
