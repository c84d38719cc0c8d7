package httpx_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A NUL is refused wherever it stands, by the name of the field where it has one.
func TestANULIsNobodysText(t *testing.T) {
	t.Parallel()
	w := orderWorld(t)
	const form = "application/x-www-form-urlencoded"
	tests := map[string]struct {
		path, body, media string
		fields            map[string]string
	}{
		"in the body":        {path: "/api/v1/shop/orders", body: `{"name":"A\u0000da","lines":[{"sku":"a","quantity":1}]}`, fields: map[string]string{"name": ""}},
		"deep in the body":   {path: "/api/v1/shop/orders", body: `{"name":"Ada","lines":[{"sku":"\u0000","quantity":1}]}`, fields: map[string]string{"lines[0].sku": ""}},
		"in a field's name":  {path: "/api/v1/shop/orders", body: `{"na\u0000me":"Ada"}`, fields: map[string]string{"na\uFFFDme": ""}},
		"in what is asked":   {path: "/api/v1/shop/orders?note=%00", body: goodBody, fields: map[string]string{"note": ""}},
		"in the address":     {path: "/api/v1/shop/%00", body: goodBody, fields: map[string]string{}},
		"in a page's":        {path: "/form%00", fields: map[string]string{}},
		"in a page's search": {path: "/form?sort=lamp%00", fields: map[string]string{}},
		"in a form":          {path: "/form", body: "other=1&field=a%00b", media: form, fields: map[string]string{}},
		"bare in a form":     {path: "/form", body: "field=a\x00b", media: form, fields: map[string]string{}},
	}
	pages := pagesWorld(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, headers := w, []string{"Idempotency-Key", key}
			if tt.media != "" || tt.path[:5] == "/form" {
				w, headers = pages, []string{"Content-Type", tt.media}
			}
			got := w.do("POST", tt.path, tt.body, headers...)
			assert.Equal(t, 400, got.StatusCode, string(got.body))
			for field := range tt.fields {
				tt.fields[field] = "has a NUL character, which no text has"
			}
			if len(tt.fields) > 0 {
				assert.Equal(t, tt.fields, got.problem.Fields, string(got.body))
				assert.Equal(t, "souk.invalid", got.problem.Code)
			}
		})
	}
	for _, body := range []string{`{"name":"A\\u0000da","lines":[{"sku":"a","quantity":1}]}`, `{"name":"A\u0001da","lines":[{"sku":"a","quantity":1}]}`} {
		assert.Equal(t, 201, w.do("POST", "/api/v1/shop/orders", body, "Idempotency-Key", key).StatusCode, body)
	}
	assert.Equal(t, "a%00b", string(pages.do("POST", "/form", "field=a%2500b", "Content-Type", form).body), "what only looks like one is let through")
	assert.Equal(t, "lamp  |a  b", string(pages.do("GET", "/echo?q=lamp%00+&other=a++b", "").body), "any text is good enough to look for")
}
