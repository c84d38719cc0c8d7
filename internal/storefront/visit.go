package storefront

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

// flashCookie carries what the last act did over the redirect that follows it. The next
// page shows it and takes it away.
const flashCookie = "souk_flash"

// flashTime is how long a notice waits for its page.
const flashTime = 2 * time.Minute

// errNoCart answers a form about a cart from a browser that has none (any more).
var errNoCart = errs.Refusal(errs.NotFound, "storefront.no_cart").
	With("this browser has no cart; it may have been empty for long, or its cookies were cleared")

// visit is one request for a page, and what has been found out about who sends it.
type visit struct {
	*Storefront
	w  http.ResponseWriter
	r  *http.Request
	by actor.Actor

	person   *accounts.Person
	staffOf  []catalog.Seller // the sellers that the caller may act for; see shops
	basket   *cart.Cart
	resolved bool
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// field is what was typed into a field of a form, without the space around it.
func (v *visit) field(name string) string { return tidy(v.r.PostFormValue(name)) }

// query is a parameter of the address.
func (v *visit) query(name string) string { return tidy(v.r.URL.Query().Get(name)) }

// param is a part of the path.
func (v *visit) param(name string) string {
	text := chi.URLParam(v.r, name)
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return tidy(text)
}

// fields are what was typed into several fields.
func (v *visit) fields(names ...string) map[string]string {
	out := make(map[string]string, len(names))
	for _, name := range names {
		out[name] = v.field(name)
	}
	return out
}

func tidy(s string) string { return strings.TrimSpace(strings.ToValidUTF8(s, string(utf8.RuneError))) }

// key is the idempotency key of the form; a form without one gets a key for this time.
func (v *visit) key() string { return cmp.Or(v.field("key"), v.Renderer.NewKey()) }

// keyAfter is the key for showing a form again after err: the same while it is not known
// whether the act was done, a new one after a refusal, which is remembered under the old.
func (v *visit) keyAfter(err error) string {
	if errs.Refused(err) {
		return ""
	}
	return v.field("key")
}

// htmx says whether a part of a page is asked for.
func (v *visit) htmx() bool { return v.r.Header.Get("HX-Request") == "true" }

// cursor is the page that a list is asked for.
func (v *visit) cursor(limit int32) page.Request {
	return page.Request{Cursor: v.query("cursor"), Limit: limit}
}

// show renders a page.
func (v *visit) show(status int, view views.View) error {
	return v.pages.Render(v.w, v.r, status, view)
}

// see sends the browser to another page of this site.
func (v *visit) see(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// done sends the browser to another page, which says what was done.
func (v *visit) done(to string, f views.Flash) error {
	text, err := cookieText(f)
	if err != nil {
		return err
	}
	v.setCookie(flashCookie, text, flashTime)
	return v.see(to)
}

// maxFlash is how long a notice's cookie may be: browsers drop one that has more than 4096 bytes with its name and attributes.
const maxFlash = 3900

func cookieText(f views.Flash) (string, error) {
	text, err := json.Marshal(f)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// fitsCookie says whether browsers keep the notice.
func fitsCookie(f views.Flash) bool {
	text, err := cookieText(f)
	return err == nil && len(text) <= maxFlash
}

func (v *visit) setCookie(name, value string, age time.Duration) {
	c := httpx.Cookie(v.ctx(), name, value, age)
	http.SetCookie(v.w, &c)
}

// flash takes the notice that waits for this page, if one does.
func (v *visit) flash() *views.Flash {
	c, err := v.r.Cookie(flashCookie)
	if err != nil || c.Value == "" {
		return nil
	}
	v.setCookie(flashCookie, "", -1)
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	var f views.Flash
	if json.Unmarshal(text, &f) != nil || f.Text == "" {
		return nil
	}
	if f.Undo != nil && f.Undo.URL != local(f.Undo.URL) || f.Link != nil && f.Link.URL != local(f.Link.URL) {
		return nil // not ours
	}
	return &f
}

// day is a day as the pages write it.
func (v *visit) day(t clock.Time) string { return FormatDay(t, v.pages.options.Zone) }

// warn notes a failure that the page is shown without.
func (v *visit) warn(err error, what string) {
	zerolog.Ctx(v.ctx()).Warn().Str("code", string(errs.CodeOf(err))).Err(err).Msg(what)
}

// fail answers with a page that says what went wrong, or with the way to sign in.
func (v *visit) fail(err error) {
	if errs.KindOf(err) == errs.Unauthenticated && !v.by.SignedIn() {
		back := ""
		if v.r.Method == http.MethodGet || v.r.Method == http.MethodHead {
			back = "?back=" + url.QueryEscape(v.r.URL.RequestURI())
		}
		http.Redirect(v.w, v.r, views.PathSignIn+back, http.StatusSeeOther)
		return
	}
	httpx.PageError(v.w, v.r, err)
}

// local is where on this site back leads; "/" for anywhere else, and for where one
// would only sign in or out again.
func local(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || len(back) > 2000 ||
		!strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\r\n\t") {
		return views.PathHome
	}
	if u.Path == views.PathSignIn || u.Path == views.PathSignUp || u.Path == views.PathSignOut {
		return views.PathHome
	}
	return back
}

// PageError draws an error that no page of ours caught; it is for httpx.Config. It asks
// no module, since one of them may be what fails.
func (s *Storefront) PageError(w http.ResponseWriter, r *http.Request, status int, err *errs.Error) {
	by, area := httpx.ActorFrom(r), areaOf(r.URL.Path)
	seen, _ := s.window.kept(s.Now())
	v := views.Failure{
		Page: views.Page{
			Title: http.StatusText(status), Area: area, Here: r.URL.RequestURI(), Hidden: true, Demo: s.Demo,
			Viewer: views.Viewer{SignedIn: by.SignedIn(), Operator: by.IsOperator()}, Departments: seen.departments(""),
		},
		Status: status, Request: httpx.RequestID(r),
	}
	if errs.Refused(err) && err.Kind != errs.NotFound {
		v.Text = sentence(err.Message)
	}
	if area == views.AreaSeller || area == views.AreaOperator {
		v.Actions = []views.Link{{Text: "Back to the overview", URL: "/" + strings.SplitN(r.URL.Path, "/", 3)[1]}, {Text: "To the front of the shop", URL: views.PathHome}}
	}
	if wait, bad := strconv.Atoi(w.Header().Get("Retry-After")); bad == nil {
		v.Retry = wait
	}
	w.Header().Set("Content-Security-Policy", ContentPolicy)
	if broken := s.pages.Render(w, r, status, v); broken != nil {
		zerolog.Ctx(r.Context()).Error().Err(broken).Msg("page of a failure not rendered")
		http.Error(w, http.StatusText(status), status)
	}
}

func areaOf(path string) views.Area {
	switch {
	case strings.HasPrefix(path, views.PathOperator):
		return views.AreaOperator
	case strings.HasPrefix(path, views.PathSell):
		return views.AreaSeller
	default:
		return views.AreaShop
	}
}

// capital is s with its first letter as a capital.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// sentence is a message of the modules as a sentence of its own.
func sentence(message string) string {
	message = capital(strings.TrimSpace(message))
	if message == "" {
		return ""
	}
	if !strings.ContainsAny(message[len(message)-1:], ".!?") {
		message += "."
	}
	return message
}

// fieldName says how a field of a request is called in a form, and what people call it.
type fieldName struct{ request, form, label string }

// refusedForm is a form shown again after err: with what was typed, what is wrong with which
// field, and what is wrong with the whole. names are in the order of the form.
func (v *visit) refusedForm(err error, typed map[string]string, names []fieldName) views.Form {
	e := errs.As(err)
	wrong, order := map[string]string{}, make([]string, 0, len(names))
	rest := map[string]string{}
	for field, problem := range e.Fields {
		rest[field] = problem
	}
	for _, n := range names {
		order = append(order, n.form)
		if problem, ok := rest[n.request]; ok {
			wrong[n.form] = beside(n.label, problem)
			if strings.HasSuffix(n.request, ".country") && strings.Contains(problem, "two capital") { // forms have a list to choose from
				wrong[n.form] = "Choose a country."
			}
			delete(rest, n.request)
		}
	}
	f := views.NewForm(typed, wrong, order...)
	f.Key = v.keyAfter(err)
	if len(wrong) == 0 {
		f.Problem = problemText(e)
	}
	for field, problem := range rest {
		f.Problem = strings.TrimSpace(f.Problem + " " + sentence(field+" "+problem))
	}
	return f
}

// beside is what is said beside a field: its label and what is wrong with it, unless that is a sentence already.
func beside(label, problem string) string {
	if first, _ := utf8.DecodeRuneInString(problem); unicode.IsUpper(first) {
		return sentence(problem)
	}
	return sentence(label + " " + problem)
}

// problemText is what is said of a failure that belongs to no field.
func problemText(e *errs.Error) string {
	switch {
	case e.Kind == errs.Mismatch || strings.HasSuffix(string(e.Code), ".key_reused"):
		return "This form was sent before with something else in it. Look whether that was done; if not, send it again."
	case e.Kind == errs.Unavailable:
		return "A part of the shop is not answering just now. Nothing was done and nothing is lost; try again shortly."
	default:
		return sentence(e.Message)
	}
}

// formFails says whether err is for the form that was sent: to be shown there, with what was
// typed, and not on a page of its own.
func formFails(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Mismatch, errs.Conflict, errs.Exhausted, errs.Unavailable, errs.Forbidden:
		return !errors.Is(err, page.ErrCursor)
	case errs.Unauthenticated:
		return errors.Is(err, accounts.ErrCredentials)
	default:
		return false
	}
}
