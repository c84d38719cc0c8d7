package demo_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/demo"
)

// FuzzPicture: an address is none of ours, or has a picture that can be drawn, and nothing of the address is in it.
func FuzzPicture(f *testing.F) {
	f.Add(demo.PictureURL("mug", "Sage", "Cup"))
	f.Add(demo.Prefix + "mug-<x>-1.svg")
	h := demo.Pictures()
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL.Path = path
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		if out.Code == http.StatusNotFound {
			return
		}
		require.Equal(t, http.StatusOK, out.Code)
		d := xml.NewDecoder(out.Body)
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			require.NoError(t, err)
			if e, ok := token.(xml.StartElement); ok {
				assert.NotEqual(t, "script", e.Name.Local)
			}
		}
	})
}
