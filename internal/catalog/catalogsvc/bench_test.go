package catalogsvc_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
)

// BenchmarkListingByID compares a listing over HTTP with a chi handler that answers the same
// bytes, in one interleaved run: listing/fixed and repeat/listing are ratios of rates.
func BenchmarkListingByID(b *testing.B) {
	s := newShop(b)
	d := catalogtest.Draft("Lamp", 1250, 5)
	for range 24 { // as many facts as the real catalogue's products have
		d.Attributes = append(d.Attributes, catalog.Attribute{Section: "specs", Name: "processor front side bus", Value: "1066.0"})
	}
	reply, err := s.CreateListing(b.Context(), catalog.CreateListingRequest{By: system, Key: catalogtest.Key(), Seller: s.seller, Draft: d, Publish: true})
	require.NoError(b, err)
	path := "/api/v1/catalog/listings/" + string(reply.Listing.ID)
	souk := listen(b, served(s.Service))
	body, tag := fetch(b, souk+path, "")
	fixed := chi.NewRouter()
	fixed.Get("/api/v1/catalog/listings/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	plain := listen(b, fixed)

	var took [3]time.Duration
	measure := func(which int, url, tag string) {
		began := time.Now()
		for range 50 {
			fetch(b, url+path, tag)
		}
		took[which] += time.Since(began)
	}
	n := 0
	for b.Loop() {
		measure(0, plain, "")
		measure(1, souk, "")
		measure(2, souk, tag)
		n += 50
	}
	b.ReportMetric(float64(took[0])/float64(took[1]), "listing/fixed")
	b.ReportMetric(float64(took[1])/float64(took[2]), "repeat/listing")
	b.ReportMetric(float64(n)/took[1].Seconds(), "listings/s")
}

// BenchmarkListingHandler is the same without sockets, where the handler is all there is.
func BenchmarkListingHandler(b *testing.B) {
	s := newShop(b)
	l := s.listing("Lamp", 5)
	h := served(s.Service)
	r := httptest.NewRequest(http.MethodGet, "/api/v1/catalog/listings/"+string(l.ID), nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func served(s *catalogsvc.Service) http.Handler {
	server := httpx.New(httpx.Config{Log: zerolog.Nop(), Resolver: resolve})
	s.Module().Routes(server.API(door.New("catalog", 0, zerolog.Nop())))
	return server.Handler()
}

func listen(b *testing.B, h http.Handler) string {
	b.Helper()
	ts := httptest.NewServer(h)
	b.Cleanup(ts.Close)
	return ts.URL
}

func fetch(b *testing.B, url, tag string) (body []byte, newTag string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	require.NoError(b, err)
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(b, err)
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	require.NoError(b, err)
	return body, res.Header.Get("ETag")
}
