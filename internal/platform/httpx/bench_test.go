package httpx_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"

	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
)

type benchIn struct {
	httpx.IfNoneMatch
	ID string `path:"id" maxLength:"40"`
}

type benchListing struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Price    int64    `json:"price"`
	Currency string   `json:"currency"`
	Brand    string   `json:"brand"`
	Images   []string `json:"images"`
}

type benchOut struct {
	httpx.ETag
	Body benchListing
}

type benchFixed struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// BenchmarkEdge says what the edge and huma cost around a handler that does nothing, beside a
// bare chi handler and a bare huma one that answer the same bytes. No network is in it.
func BenchmarkEdge(b *testing.B) {
	listing := benchListing{
		ID: "lst_01k5xk3v8dtq6c9m4j0e7r2a1b", Title: "A lamp", Price: 1250, Currency: "EUR", Brand: "Lumen",
		Images: []string{"https://img.example/1.jpg", "https://img.example/2.jpg"},
	}
	tag := httpx.Tag(listing.ID, 7)
	s := httpx.New(httpx.Config{Log: zerolog.Nop()})
	httpx.Route(s.API(door.New("shop", 0, zerolog.Nop())), httpx.Op{Method: "GET", Path: "/api/v1/shop/listings/{id}", Who: httpx.Anyone, Summary: "Read"},
		func(_ context.Context, _ actor.Actor, in benchIn) (benchOut, error) {
			if in.Has(tag) {
				return benchOut{}, httpx.NotModified(tag)
			}
			return benchOut{ETag: httpx.Tagged(tag), Body: listing}, nil
		})
	bare := chi.NewRouter()
	fixed := []byte(`{"id":"lst_01k5xk3v8dtq6c9m4j0e7r2a1b","title":"A lamp","price":1250,"currency":"EUR","brand":"Lumen","images":["https://img.example/1.jpg","https://img.example/2.jpg"]}`)
	bare.Get("/api/v1/shop/listings/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(fixed)
	})
	layer := chi.NewRouter()
	huma.Get(humachi.New(layer, huma.DefaultConfig("bench", "1")), "/api/v1/shop/listings/{id}", func(context.Context, *benchIn) (*benchFixed, error) {
		return &benchFixed{ContentType: "application/json", Body: fixed}, nil
	})
	ask := func(h http.Handler, headers ...string) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), "GET", "/api/v1/shop/listings/lst_01k5xk3v8dtq6c9m4j0e7r2a1b", nil)
				for i := 0; i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		}
	}
	b.Run("bare chi", ask(bare))
	b.Run("bare huma", ask(layer))
	b.Run("route", ask(s.Handler()))
	b.Run("route, not modified", ask(s.Handler(), "If-None-Match", tag))
}
