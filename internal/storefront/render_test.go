package storefront_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/money"
	"souk/internal/storefront"
	"souk/internal/storefront/views"
)

func TestMoneyIsWrittenForPeople(t *testing.T) {
	t.Parallel()
	tests := map[string]money.Money{
		"€0.05": {Minor: 5, Currency: "EUR"}, "−€1,250.00": {Minor: -125000, Currency: "EUR"}, "¥1,234,567": {Minor: 1234567, Currency: "JPY"},
		"CHF\u00a012.50": {Minor: 1250, Currency: "CHF"}, "KWD\u00a01.234": {Minor: 1234, Currency: "KWD"}, "$999.00": {Minor: 99900, Currency: "USD"},
	}
	for want, amount := range tests {
		assert.Equal(t, want, storefront.FormatMoney(amount))
	}
}

func TestMomentsSayTheirZone(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "4 May 2026, 14:05 UTC", storefront.FormatMoment(sampleTime, time.UTC))
	assert.Equal(t, "4 May 2026, 16:05 CEST", storefront.FormatMoment(sampleTime, time.FixedZone("CEST", 7200)))
}

func TestErrorsOfAFormComeInTheOrderOfItsFields(t *testing.T) {
	t.Parallel()
	f := views.NewForm(nil, map[string]string{"zeta": "z", "city": "c", "name": "n", "alpha": "a"}, "name", "city")
	assert.Equal(t, []views.FieldError{{Field: "name", Text: "n"}, {Field: "city", Text: "c"}, {Field: "alpha", Text: "a"}, {Field: "zeta", Text: "z"}}, f.Errors)
	assert.Equal(t, "f-price-1", f.FieldID("price.1"))
}

// TestACheckoutWithoutDeadlineNamesNone: while payments are paused nothing is due at any time.
func TestACheckoutWithoutDeadlineNamesNone(t *testing.T) {
	t.Parallel()
	r := newRenderer(t)
	for _, name := range []string{"waiting", "waiting-approve"} {
		page := samples()[name].(views.Waiting)
		assert.Contains(t, render(t, r, page), "If nothing comes back by <time")
		page.Until = 0
		body := render(t, r, page)
		assert.Contains(t, body, "If nothing comes back in time, everything is undone")
		assert.NotContains(t, body, "until never")
	}
}

// copySource is this package's templates and assets in a folder that a test may change.
func copySource(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"templates", "assets"} {
		require.NoError(t, os.CopyFS(filepath.Join(dir, part), os.DirFS(part)))
	}
	return dir
}

func TestAChangedTemplateShowsAtOnceWhereFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir := copySource(t)
	r, err := storefront.NewRenderer(storefront.RenderOptions{Dir: dir, NewKey: func() string { return "k" }})
	require.NoError(t, err)
	empty := samples()["cart-empty"]
	require.Contains(t, render(t, r, empty), "Your cart is empty")
	before, err := r.Assets().URL("souk.css")
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "templates", "cart.html"), []byte(`{{define "cart"}}<h1>Changed</h1>{{end}}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "assets", "souk.css"), []byte(`a{}`), 0o600))
	body := render(t, r, empty)
	assert.Contains(t, body, "<h1>Changed</h1>")
	assert.NotContains(t, body, before, "a changed stylesheet has another address")
}

func TestATemplateOfTwoFilesIsFoundAtStart(t *testing.T) {
	t.Parallel()
	dir := copySource(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "templates", "again.html"), []byte(`{{define "flash"}}<p>mine</p>{{end}}`), 0o600))
	_, err := storefront.NewRenderer(storefront.RenderOptions{Dir: dir, NewKey: func() string { return "k" }})
	require.ErrorContains(t, err, `parse templates/again.html: another file has a template "flash", too`)
}

func TestAFailingTemplateWritesNothing(t *testing.T) {
	t.Parallel()
	dir := copySource(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "templates", "cart.html"), []byte(`{{define "cart"}}<h1>Half {{.NoSuchField}}</h1>{{end}}`), 0o600))
	r, err := storefront.NewRenderer(storefront.RenderOptions{Dir: dir, NewKey: func() string { return "k" }})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.Error(t, r.Render(w, httptest.NewRequest(http.MethodGet, "/cart", nil), http.StatusOK, samples()["cart-empty"]))
	assert.Zero(t, w.Body.Len())
	assert.Empty(t, w.Header(), "not even a header")
}

func TestAnotherPageThanThePartIsShownWhole(t *testing.T) {
	t.Parallel()
	req := httptest.NewRequest(http.MethodGet, "/sign-in?back=/cart", nil)
	req.Header.Set("HX-Request", "true")
	req.Header.Set("HX-Target", "cart")
	w := httptest.NewRecorder()
	require.NoError(t, newRenderer(t).Render(w, req, http.StatusOK, samples()["sign-in"]))
	assert.Equal(t, "body", w.Header().Get("HX-Retarget"))
	assert.Equal(t, "/sign-in?back=/cart", w.Header().Get("HX-Push-Url"))
	assert.Contains(t, w.Body.String(), "<!doctype html>")
}

func TestAssetsAreKeptForEverUnderTheirHash(t *testing.T) {
	t.Parallel()
	assets := newRenderer(t).Assets()
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodGet, path, nil)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		assets.ServeHTTP(w, req)
		return w
	}
	for _, name := range []string{"souk.css", "htmx.min.js", "souk.js", "icon.svg"} {
		url, err := assets.URL(name)
		require.NoError(t, err)
		w := get(url, "Accept-Encoding", "gzip")
		require.Equal(t, http.StatusOK, w.Code, url)
		assert.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
		assert.Equal(t, http.StatusNotModified, get(url, "Accept-Encoding", "gzip", "If-None-Match", w.Header().Get("ETag")).Code)

		w = get(views.PathAssetPrefix + name)
		require.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "no-cache", w.Header().Get("Cache-Control"), "a name without its hash may change")
		stem, ext := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
		assert.Equal(t, http.StatusNotFound, get(views.PathAssetPrefix+stem+".000000000000"+ext).Code)
	}
	assert.Equal(t, http.StatusNotFound, get(views.PathAssetPrefix+"../render.go").Code)
}
