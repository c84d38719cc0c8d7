// Package storefront is souk's pages for buyers, sellers and operators: server-rendered HTML,
// one stylesheet, a little htmx. It asks modules through their contracts alone.
//
//	views/       what each page shows, as plain values
//	templates/   how it looks: cart.html has "cart", the page, and "cart/lines", what htmx gets for
//	             the element with the id lines; shared/ is the frame and what pages have in common
//	assets/      the stylesheet and the scripts
//	tile/        the picture of what has no picture
//
// A handler fills a view and renders it; whether the whole page or the part that htmx asked
// for is sent, the Renderer decides:
//
//	return s.pages.Render(w, r, http.StatusOK, views.Cart{Page: s.page(r, "Cart"), …})
package storefront

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"time"

	"souk/internal/storefront/views"
)

//go:embed templates/*.html templates/shared/*.html assets/*
var embedded embed.FS

// RenderOptions are what a Renderer needs. The zero value serves in production, save for NewKey.
type RenderOptions struct {
	// Dir is the folder of this package in a source tree; templates and assets are then read
	// from it again for every request, so that a change shows at once. Empty: as compiled.
	Dir string
	// NewKey makes the idempotency key of a form that has none yet.
	NewKey func() string
	// Zone is the zone in which days and hours are written. Default: UTC.
	Zone *time.Location
}

// Renderer turns views into pages.
type Renderer struct {
	options RenderOptions
	files   fs.FS
	pages   *template.Template // nil when read again for every request
	assets  *Assets
}

// NewRenderer parses every template, so that a broken one is found at start.
func NewRenderer(o RenderOptions) (*Renderer, error) {
	if o.NewKey == nil {
		return nil, errors.New("storefront: a renderer needs a source of keys")
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	r := &Renderer{options: o, files: embedded}
	if o.Dir != "" {
		r.files = os.DirFS(o.Dir)
	}
	assets, err := newAssets(r.files, o.Dir != "")
	if err != nil {
		return nil, err
	}
	r.assets = assets
	pages, err := r.parse()
	if err != nil {
		return nil, err
	}
	if o.Dir == "" {
		r.pages = pages
	}
	return r, nil
}

// Assets serves the stylesheet and the scripts under views.PathAssetPrefix.
func (r *Renderer) Assets() *Assets { return r.assets }

// parse reads all templates into one set, in which pages have what is shared in common: a copy
// of it for each of them was a fifth of what souk kept in memory. So the name of a template
// is its own in all files, and one that is there twice is an error.
func (r *Renderer) parse() (*template.Template, error) {
	set := template.New("").Funcs(r.funcs()).Option("missingkey=error")
	for _, pattern := range []string{"templates/shared/*.html", "templates/*.html"} {
		names, err := fs.Glob(r.files, pattern)
		if err != nil {
			return nil, fmt.Errorf("list templates: %w", err)
		}
		for _, name := range names {
			if err := r.parseFile(set, name); err != nil {
				return nil, fmt.Errorf("parse %s: %w", name, err)
			}
		}
	}
	return set, nil
}

func (r *Renderer) parseFile(set *template.Template, name string) error {
	text, err := fs.ReadFile(r.files, name)
	if err != nil {
		return err
	}
	file, err := template.New(name).Funcs(r.funcs()).Parse(string(text))
	if err != nil {
		return err
	}
	for _, t := range file.Templates() {
		if t.Tree == nil || t.Name() == name { // what is outside of every define: blank lines
			continue
		}
		if set.Lookup(t.Name()) != nil {
			return fmt.Errorf("another file has a template %q, too", t.Name())
		}
		if _, err := set.AddParseTree(t.Name(), t.Tree); err != nil {
			return err
		}
	}
	return nil
}

// Render writes v with the status. A request by htmx for an element of which the page has a
// part (`{{define "cart/lines"}}` of the page cart for id="lines") gets that part, with title, notice and count of
// the cart beside it; every other gets the whole page. When htmx asked for a part and v is
// another page (a redirect led to signing in, or something failed), htmx is told to show that
// page whole. When it returns an error nothing has been written.
func (r *Renderer) Render(w http.ResponseWriter, req *http.Request, status int, v views.View) error {
	want := wantedPart(req)
	body, whole, err := r.execute(v, want)
	if err != nil {
		return err
	}
	h := w.Header()
	if want != "" && whole {
		h.Set("HX-Retarget", "body")
		h.Set("HX-Reswap", "innerHTML show:window:top")
		if req.Method == http.MethodGet && status < http.StatusBadRequest {
			h.Set("HX-Push-Url", req.URL.RequestURI())
		}
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Add("Vary", "HX-Request, HX-Target")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	w.WriteHeader(status)
	if req.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // the reader went away; there is nobody to tell
	}
	return nil
}

// wantedPart is the id of the element that htmx will put the answer into, or "".
func wantedPart(req *http.Request) string {
	h := req.Header
	if h.Get("HX-Request") != "true" || h.Get("HX-History-Restore-Request") == "true" {
		return ""
	}
	return h.Get("HX-Target")
}

// execute renders the part of v, or all of it where it has no such part.
func (r *Renderer) execute(v views.View, part string) (body *bytes.Buffer, whole bool, err error) {
	pages := r.pages
	if pages == nil {
		if pages, err = r.parse(); err != nil {
			return nil, false, err
		}
	}
	if pages.Lookup(v.Template()) == nil {
		return nil, false, fmt.Errorf("there is no template %q", v.Template())
	}
	names, whole := []string{v.Template()}, true
	if own := v.Template() + "/" + part; part != "" && pages.Lookup(own) != nil {
		names, whole = []string{own, "beside"}, false
	}
	body = new(bytes.Buffer)
	for _, name := range names {
		if err := pages.ExecuteTemplate(body, name, v); err != nil {
			return nil, false, fmt.Errorf("render %s: %w", v.Template(), err)
		}
	}
	return body, whole, nil
}

// ContentPolicy is the Content-Security-Policy of every page. Pictures may come from the
// addresses that sellers gave, over TLS; everything else comes from here, and nothing is
// inline.
const ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
