package httpx

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/errs"
	"souk/internal/platform/reqid"
)

// What pages are held to.
const (
	pageTime = 30 * time.Second
	pageBody = 1 << 20 // a form, or a small upload
)

// pageCSP lets a page use what souk itself serves and nothing else, no inline script or style,
// and lets nobody frame it.
const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Pages mounts the pages of the module behind that door: plain handlers, that get
// the caller from ActorFrom(r) and answer failures with PageError. Around them is the same as
// around an API route, with the headers that a browser needs. They are sent compressed.
func (s *Server) Pages(d *door.Door, mount func(chi.Router)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.router.Group(func(r chi.Router) {
		r.Use(middleware.Compress(5, "text/html", "text/css", "text/javascript", "image/svg+xml", "text/csv"))
		r.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.servePage(w, r, d, next) })
		})
		mount(r)
	})
}

// Assets mounts what is the same for everybody: stylesheets, scripts, pictures. Nobody asks who
// is asking, and browsers may keep it; an address with a version in its name says so itself
// with a longer Cache-Control.
func (s *Server) Assets(d *door.Door, mount func(chi.Router)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.router.Group(func(r chi.Router) {
		r.Use(middleware.Compress(5, "text/css", "text/javascript", "image/svg+xml"))
		r.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x := exchangeOf(r.Context())
				x.enter(r.Context(), d.Module(), pattern(r))
				x.page, x.quiet = true, true
				pageHeaders(w.Header())
				w.Header().Set("Cache-Control", "public, max-age=300")
				s.behind(w, r, d, next)
			})
		})
		mount(r)
	})
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request, d *door.Door, next http.Handler) {
	x := exchangeOf(r.Context())
	x.enter(r.Context(), d.Module(), pattern(r))
	x.page = true
	ctx, cancel := context.WithTimeout(r.Context(), pageTime)
	defer cancel()
	r = r.WithContext(ctx)
	pageHeaders(w.Header())

	err := s.origins.Check(r)
	if err != nil {
		s.refusePage(w, r, ErrCrossOrigin.Because(err))
		return
	}
	if x.actor, err = s.resolve(r); err != nil {
		s.refusePage(w, r, err)
		return
	}
	body, err := takeBody(w, r, pageBody)
	if err == nil {
		err = checkForm(r.Header, body)
	}
	if err != nil {
		s.refusePage(w, r, err)
		return
	}
	s.behind(w, r, d, next)
}

// behind serves a page or asset behind the module's door.
func (s *Server) behind(w http.ResponseWriter, r *http.Request, d *door.Door, next http.Handler) {
	x := exchangeOf(r.Context())
	defer func() { x.route = pattern(r) }() // routers below may have made it longer
	leave, err := d.Enter(r.Context())
	if err != nil {
		s.refusePage(w, r, err)
		return
	}
	defer leave()
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err := d.Caught(r.Method+" "+x.route, p)
		if x.begun() {
			x.note(err)
			panic(http.ErrAbortHandler)
		}
		clear(w.Header())
		w.Header().Set(reqid.Header, x.id)
		pageHeaders(w.Header())
		s.refusePage(w, r, err)
	}()
	next.ServeHTTP(w, r)
}

// pattern is the route that chi found for r.
func pattern(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		return c.RoutePattern()
	}
	return ""
}

func pageHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pageCSP)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "private, no-cache")
}

// PageError notes err for the log and draws it as a page.
func PageError(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	if x.server == nil {
		plainPageError(w, r, Status(err), errs.As(err))
		return
	}
	x.server.refusePage(w, r, err)
}

// RequestID is the id to show to who asks for help.
func RequestID(r *http.Request) string { return exchangeOf(r.Context()).id }

func (s *Server) refusePage(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	p := x.answer(r.Context(), err)
	pageHeaders(w.Header())
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	s.cfg.PageError(w, r, p.Status, errs.As(x.asRead(err)))
}

var plainPage = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<h1>{{.Title}}</h1>
<p>{{.Message}}</p>
<p>Request {{.ID}}</p>
</html>
`))

func plainPageError(w http.ResponseWriter, r *http.Request, status int, err *errs.Error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = plainPage.Execute(w, map[string]string{ // the client may be gone
		"Title": http.StatusText(status), "Message": err.Message, "ID": exchangeOf(r.Context()).id,
	})
}

// Throttle limits the page or form behind it, per caller and address.
func Throttle(limit Limit, now func() clock.Time) func(http.Handler) http.Handler {
	l := NewLimiter(limit, now)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			err := l.Allow(AddressKey(r))
			if owner := ActorFrom(r).Owner(); err == nil && owner != "" {
				err = l.Allow("owner " + owner)
			}
			if err != nil {
				PageError(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
