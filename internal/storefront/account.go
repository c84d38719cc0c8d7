package storefront

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/storefront/views"
)

// tokenPrefix begins every API token, so that one that leaks is known for what it is.
const tokenPrefix = "souk_pat_"

// tokenTime is how long an API token lives.
const tokenTime = 365 * 24 * time.Hour

// scopeChoices are what a token can be given.
var scopeChoices = []views.Choice{
	{Value: string(actor.ScopeRead), Text: "Read", Help: "See what you see: orders, carts, listings of your shop."},
	{Value: string(actor.ScopeShop), Text: "Buy", Help: "Fill carts, check out, cancel."},
	{Value: string(actor.ScopeSell), Text: "Sell", Help: "Manage the listings and orders of your shop."},
	{Value: string(actor.ScopeOperate), Text: "Run the marketplace", Help: "For operators."},
}

// account is the caller's own account.
func (v *visit) account() error { return v.showAccount(http.StatusOK, nil) }

func (v *visit) showAccount(status int, with func(*views.Account)) error {
	person, err := v.me()
	if err != nil {
		return err
	}
	sessions, err := v.Accounts.ListSessions(v.ctx(), accounts.ListSessionsRequest{By: v.by})
	if err != nil {
		return err
	}
	tokens, err := v.Accounts.ListTokens(v.ctx(), accounts.ListTokensRequest{By: v.by})
	if err != nil {
		return err
	}
	out := views.Account{
		Page: v.frame("Account", views.AreaAccount, views.PathAccount), Name: person.Name, Email: person.Email,
		Profile: views.Form{ID: "profile", Values: map[string]string{"name": person.Name}}, Password: views.Form{ID: "change"}, Token: views.Form{ID: "token"},
	}
	this := v.thisSession()
	for _, s := range sessions.Sessions {
		out.Sessions = append(out.Sessions, views.Session{
			Device: device(s.Agent), SignedIn: s.CreatedAt, LastUsed: s.UsedAt, This: s.ID == this, EndURL: views.PathSessions + "/" + string(s.ID) + "/end",
		})
	}
	for _, t := range tokens.Tokens {
		if !t.RevokedAt.IsZero() {
			continue
		}
		out.Tokens = append(out.Tokens, views.Token{
			Name: t.Name, Hint: t.Hint, Scopes: scopeText(t.Scopes), Created: t.CreatedAt, LastUsed: t.UsedAt, Expires: t.ExpiresAt,
			RevokeURL: views.PathTokens + "/" + string(t.ID) + "/revoke",
		})
	}
	for _, c := range scopeChoices {
		scope := actor.Scope(c.Value)
		if scope == actor.ScopeSell && v.by.Seller == "" || scope == actor.ScopeOperate && !v.by.IsOperator() {
			continue
		}
		c.Chosen = slices.Contains(v.r.PostForm["scope"], c.Value) || v.r.Method == get && scope == actor.ScopeRead
		out.Scopes = append(out.Scopes, c)
	}
	if with != nil {
		with(&out)
	}
	return v.show(status, out)
}

// me is the person who asks.
func (v *visit) me() (accounts.Person, error) {
	v.resolve()
	if v.person != nil {
		return *v.person, nil
	}
	pid := accounts.PersonID(v.by.Person)
	reply, err := v.Accounts.GetPeople(v.ctx(), accounts.GetPeopleRequest{By: v.by, IDs: []accounts.PersonID{pid}})
	if err != nil {
		return accounts.Person{}, err
	}
	if len(reply.People) == 0 {
		return accounts.Person{}, accounts.ErrNotFound.With("there is no such person")
	}
	return reply.People[0], nil
}

// thisSession is the id of the session that asks; "" when that cannot be found out.
func (v *visit) thisSession() accounts.SessionID {
	hash := v.sessionHash()
	if hash == "" {
		return ""
	}
	reply, err := v.Accounts.Resolve(v.ctx(), accounts.ResolveRequest{Session: hash})
	if err != nil || reply.Session == nil {
		return ""
	}
	return reply.Session.ID
}

func scopeText(scopes []actor.Scope) string {
	var parts []string
	for _, scope := range scopes {
		text := string(scope)
		for _, c := range scopeChoices {
			if c.Value == text {
				text = strings.ToLower(c.Text)
				break
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// device is what a browser calls itself, for people.
func device(agent string) string {
	browser, on := "", ""
	for _, one := range []struct{ mark, name string }{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	} {
		if browser == "" && strings.Contains(agent, one.mark) {
			browser = one.name
		}
	}
	for _, one := range []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS", "macOS"}, {"Linux", "Linux"},
	} {
		if on == "" && strings.Contains(agent, one.mark) {
			on = one.name
		}
	}
	switch {
	case browser != "" && on != "":
		return browser + " on " + on
	case browser+on != "":
		return browser + on
	default:
		return "A browser or program"
	}
}

// editPerson changes the name.
func (v *visit) editPerson() error {
	person, err := v.me()
	if err != nil {
		return err
	}
	_, err = v.Accounts.EditPerson(v.ctx(), accounts.EditPersonRequest{By: v.by, Key: v.key(), Version: person.Version, Name: v.field("name")})
	if err == nil {
		return v.done(views.PathAccount, views.Flash{Text: "The name is saved.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return v.showAccount(httpx.Status(err), func(out *views.Account) {
		out.Profile = v.refusedForm(err, v.fields("name"), []fieldName{{"name", "name", "The name"}})
		out.Profile.ID = "profile"
	})
}

// changePassword sets another password; every other session ends.
func (v *visit) changePassword() error {
	_, err := v.Accounts.ChangePassword(v.ctx(), accounts.ChangePasswordRequest{
		By: v.by, Key: v.key(), Old: v.r.PostFormValue("current"), New: v.r.PostFormValue("password"), Keep: v.sessionHash(),
	})
	if err == nil {
		return v.done(views.PathAccount, views.Flash{Text: "The password is changed. Every other session has ended.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return v.showAccount(httpx.Status(err), func(out *views.Account) {
		out.Password = v.refusedForm(err, nil, []fieldName{{"old", "current", "The password now"}, {"new", "password", "The new password"}})
		if errors.Is(err, accounts.ErrCredentials) {
			out.Password = views.NewForm(nil, map[string]string{"current": "This is not your password now."})
		}
		out.Password.ID = "change"
	})
}

// endOtherSessions signs out everywhere else.
func (v *visit) endOtherSessions() error {
	reply, err := v.Accounts.EndSessions(v.ctx(), accounts.EndSessionsRequest{By: v.by, Key: v.key(), Except: v.sessionHash()})
	if err != nil {
		return err
	}
	return v.done(views.PathAccount, views.Flash{Text: capital(Count(int(reply.Ended), "other session", "other sessions")) + " ended.", Tone: views.Good})
}

// endSession signs out somewhere else.
func (v *visit) endSession() error {
	_, err := v.Accounts.EndSessions(v.ctx(), accounts.EndSessionsRequest{By: v.by, Key: v.key(), ID: accounts.SessionID(v.param("session"))})
	if err != nil {
		return err
	}
	return v.done(views.PathAccount, views.Flash{Text: "Signed out there.", Tone: views.Good})
}

// makeToken makes an API token and shows its secret, this once.
func (v *visit) makeToken() error {
	secret := tokenPrefix + v.NewSecret()
	r := accounts.CreateTokenRequest{
		By: v.by, Key: v.key(), Name: v.field("name"), Hash: HashSecret(secret), Hint: secret[len(secret)-4:], ExpiresAt: v.Now().Add(tokenTime),
	}
	for _, scope := range v.r.PostForm["scope"] {
		r.Scopes = append(r.Scopes, actor.Scope(tidy(scope)))
	}
	_, err := v.Accounts.CreateToken(v.ctx(), r)
	if err == nil {
		v.w.Header().Set("Cache-Control", "no-store")
		return v.showAccount(http.StatusOK, func(out *views.Account) { out.NewToken = secret })
	}
	if !formFails(err) {
		return err
	}
	return v.showAccount(httpx.Status(err), func(out *views.Account) {
		out.Token = v.refusedForm(err, v.fields("name"), []fieldName{{"name", "name", "The name"}, {"scopes", "scope", "What it may do"}})
		if errs.KindOf(err) == errs.Mismatch {
			out.Token.Problem = "This token was made already; its secret was shown then and is not shown again."
		}
		out.Token.ID = "token"
	})
}

// revokeToken ends a token at once.
func (v *visit) revokeToken() error {
	reply, err := v.Accounts.RevokeToken(v.ctx(), accounts.RevokeTokenRequest{By: v.by, Key: v.key(), ID: accounts.TokenID(v.param("token"))})
	if err != nil {
		return err
	}
	return v.done(views.PathAccount, views.Flash{Text: "The token " + reply.Token.Name + " is revoked.", Tone: views.Good})
}
