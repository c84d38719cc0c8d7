package storefront

import (
	"errors"
	"net/http"
	"strings"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/storefront/views"
)

// signInPage asks for e-mail and password.
func (v *visit) signInPage() error {
	back := local(v.query("back"))
	if v.by.SignedIn() {
		return v.see(back)
	}
	return v.showSignIn(http.StatusOK, back, views.Form{})
}

func (v *visit) showSignIn(status int, back string, form views.Form) error {
	out := views.SignIn{Page: v.frame("Sign in", views.AreaAccount, views.PathSignIn), Form: form, Back: back, Why: whySignIn(back)}
	return v.show(status, out)
}

// whySignIn is why somebody is asked to sign in who meant to go to back.
func whySignIn(back string) string {
	under := func(path string) bool {
		return back == path || strings.HasPrefix(back, path+"/") || strings.HasPrefix(back, path+"?")
	}
	switch {
	case under(views.PathOrders):
		return "Sign in to see your orders. The order of a guest opens with the link that came with it."
	case under(views.PathSell):
		return "Sign in to sell on souk."
	case under(views.PathOperator):
		return "Sign in to run the marketplace."
	case under(views.PathAccount):
		return "Sign in to see your account."
	default:
		return ""
	}
}

// signIn starts a session, takes the guest's cart along and goes back to where one came from.
func (v *visit) signIn() error {
	back, secret := local(v.field("back")), v.NewSecret()
	reply, err := v.Accounts.SignIn(v.ctx(), accounts.SignInRequest{
		Key: v.key(), Email: v.field("email"), Password: v.r.PostFormValue("password"),
		Session: HashSecret(secret), Agent: v.agent(), Address: v.address(),
	})
	if err == nil {
		return v.signedIn(secret, reply, back)
	}
	if !formFails(err) {
		return err
	}
	form := v.refusedForm(err, v.fields("email"), []fieldName{
		{"email", "email", "The e-mail address"}, {"password", "password", "The password"},
	})
	switch {
	case errors.Is(err, accounts.ErrCredentials):
		form.Problem = "The e-mail address or the password is not right."
	case errors.Is(err, accounts.ErrTooManyTries):
		form = views.Form{Values: form.Values, Problem: "There were too many attempts. Wait a little, then try again."}
		if wait := retryAfter(err); wait != "" {
			v.w.Header().Set("Retry-After", wait)
			form.Problem = "There were too many attempts. Try again in " + seconds(wait) + "."
		}
	}
	return v.showSignIn(httpx.Status(err), back, form)
}

// seconds is a wait that retryAfter gave, as a text.
func seconds(wait string) string {
	if wait == "1" {
		return "a second"
	}
	return wait + " seconds"
}

// retryAfter is the wait in seconds that accounts asks for; "" when it does not say.
func retryAfter(err error) string { return errs.As(err).Fields["retry_after"] }

// signUpPage asks for what an account needs.
func (v *visit) signUpPage() error {
	back := local(v.query("back"))
	if v.by.SignedIn() {
		return v.see(back)
	}
	return v.showSignUp(http.StatusOK, back, views.Form{})
}

func (v *visit) showSignUp(status int, back string, form views.Form) error {
	return v.show(status, views.SignUp{Page: v.frame("Make an account", views.AreaAccount, views.PathSignUp), Form: form, Back: back})
}

// signUp makes a person, signed in at once.
func (v *visit) signUp() error {
	back, secret := local(v.field("back")), v.NewSecret()
	reply, err := v.Accounts.Register(v.ctx(), accounts.RegisterRequest{
		Key: v.key(), Email: v.field("email"), Name: v.field("name"), Password: v.r.PostFormValue("password"),
		Session: HashSecret(secret), Agent: v.agent(), Address: v.address(),
	})
	if err == nil {
		return v.signedIn(secret, reply, back)
	}
	if !formFails(err) {
		return err
	}
	form := v.refusedForm(err, v.fields("name", "email"), []fieldName{
		{"name", "name", "The name"}, {"email", "email", "The e-mail address"}, {"password", "password", "The password"},
	})
	if errors.Is(err, accounts.ErrEmailTaken) {
		key := form.Key
		form = views.NewForm(form.Values, map[string]string{"email": "Someone has an account with this address already. If it is you, sign in."})
		form.Key = key
	}
	return v.showSignUp(httpx.Status(err), back, form)
}

// signedIn sets the session's cookie and merges the cart that was filled before.
func (v *visit) signedIn(secret string, reply accounts.SessionReply, back string) error {
	v.setSession(secret, reply.Session)
	v.by = reply.Actor
	kept, err := v.takeCartAlong(reply.Actor)
	if err != nil {
		v.warn(err, "cart not merged on sign-in")
		return v.done(back, views.Flash{
			Text: "You are signed in. What you had put into the cart before could not be moved just now; it is kept.", Tone: views.Warn,
		})
	}
	if len(kept) > 0 {
		return v.done(back, views.Flash{Text: "You are signed in. " + strings.Join(kept, " "), Tone: views.Warn})
	}
	return v.see(back)
}

// keptMost bounds how many sentences about the cart a notice takes: it travels in a cookie.
const keptMost = 5

// takeCartAlong merges the guest's cart into the person's. What stays behind keeps its cookie,
// and is there again after signing out.
func (v *visit) takeCartAlong(by actor.Actor) (kept []string, err error) {
	token := httpx.CartToken(v.r)
	if token == "" {
		return nil, nil
	}
	guest := httpx.GuestOf(token)
	reply, err := v.Cart.Merge(v.ctx(), cart.MergeRequest{By: by, Key: v.Renderer.NewKey(), Guest: guest.Guest})
	if err != nil {
		return nil, err
	}
	if len(reply.Kept) == 0 {
		v.setCookie(httpx.CartCookie, "", -1)
	}
	return reply.Kept[:min(len(reply.Kept), keptMost)], nil
}

// signOut ends the session.
func (v *visit) signOut() error {
	proof, secret := httpx.Credential(v.r)
	if v.by.SignedIn() && proof == httpx.BySession {
		if _, err := v.Accounts.EndSessions(v.ctx(), accounts.EndSessionsRequest{By: v.by, Key: v.key(), Hash: HashSecret(secret)}); err != nil {
			return err
		}
	}
	v.setCookie(httpx.SessionCookie, "", -1)
	v.setCookie(httpx.SellerCookie, "", -1)
	return v.done(views.PathHome, views.Flash{Text: "You are signed out."})
}

// agent is what the browser calls itself, for the list of sessions.
func (v *visit) agent() string {
	agent := []rune(tidy(v.r.UserAgent()))
	return string(agent[:min(len(agent), 200)])
}

// address is where the request comes from, for limits.
func (v *visit) address() string { return strings.TrimPrefix(httpx.AddressKey(v.r), "address ") }

// sessionHash is the hash of the secret of the session that asks.
func (v *visit) sessionHash() string {
	proof, secret := httpx.Credential(v.r)
	if proof != httpx.BySession {
		return ""
	}
	return HashSecret(secret)
}
