package httpx

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"souk/internal/platform/clock"
)

// newHuma is huma with souk's strictness, names and problems, and none of its own routes.
func (s *Server) newHuma() huma.API {
	registry := huma.NewMapRegistry("#/components/schemas/", s.schemaName)
	// On the wire a clock.Time is RFC 3339, though Go keeps it as a number.
	registry.RegisterTypeAlias(reflect.TypeFor[clock.Time](), reflect.TypeFor[time.Time]())
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "souk", Version: s.cfg.Version,
				Description: "An online marketplace: many sellers, one cart, one payment. Errors are RFC 9457 problems; test their code.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"session": {Type: "apiKey", In: "cookie", Name: SessionCookie, Description: "Of who signed in with a browser."},
					"token":   {Type: "http", Scheme: "bearer", Description: "An API token, made under account."},
					"cart":    {Type: "apiKey", In: "header", Name: CartHeader, Description: "A guest's cart token (a browser sends the cookie " + CartCookie + ")."},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": strictJSON, "json": strictJSON},
		DefaultFormat: "application/json",
	}
	return huma.NewAPI(cfg, adapter{server: s})
}

// schemaName names a type in the document: a module's own by module and type, so that two
// modules may both have a listingOut; a platform type (money.Money) by its package and type.
func (s *Server) schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	owner := s.registering
	if t.Name() != "" {
		owner = strings.TrimSuffix(path.Base(t.PkgPath()), "svc")
	}
	if owner == "httpx" || owner == "." || strings.EqualFold(owner, name) {
		return name
	}
	return strings.ToUpper(owner[:min(1, len(owner))]) + owner[min(1, len(owner)):] + name
}

// problemResponse is how every operation may fail.
func (s *Server) problemResponse() *huma.Response {
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{
		Description: "What went wrong, as a problem with a stable code.",
		Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
	}
}

// OpenAPI is the document of everything registered until now.
func (s *Server) OpenAPI() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := json.MarshalIndent(s.huma.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return text, nil
}

// MountReference serves /api/openapi.json and /api/docs. It comes after all routes. Both are
// written when someone first asks for them, since that takes longer than all else at the start.
func (s *Server) MountReference() error {
	page, err := template.New("reference").Parse(referenceHTML)
	if err != nil {
		return fmt.Errorf("read the reference's template: %w", err)
	}
	s.Handle("/api/openapi.json", s.onDemand("application/openapi+json", s.OpenAPI, false))
	s.Handle("/api/docs", s.onDemand("text/html; charset=utf-8", func() ([]byte, error) { return s.reference(page) }, true))
	s.Handle("/api/docs.css", fixed("text/css; charset=utf-8", referenceCSS, true))
	return nil
}

// onDemand serves what write writes, which it is asked for once.
func (s *Server) onDemand(contentType string, write func() ([]byte, error), page bool) http.Handler {
	made := sync.OnceValues(func() (http.Handler, error) {
		body, err := write()
		if err != nil {
			return nil, err
		}
		return fixed(contentType, body, page), nil
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, err := made()
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// fixed serves bytes that never change while the program runs.
func fixed(contentType string, body []byte, page bool) http.Handler {
	tag := Tag(string(body))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page {
			pageHeaders(w.Header())
		}
		w.Header().Set("Cache-Control", "public, no-cache")
		w.Header().Set("ETag", tag)
		if (IfNoneMatch{IfNoneMatch: r.Header.Get("If-None-Match")}).Has(tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body) // the client may be gone
	})
}
