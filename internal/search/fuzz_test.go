package search_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search"
)

// FuzzRange: what is read as a range is written so that it is read the same, and takes the same values.
func FuzzRange(f *testing.F) {
	f.Add("10..20 kg", "15 kg")
	f.Add("..17\"", "15.6\"")
	f.Fuzz(func(t *testing.T, text, value string) {
		r, ok := search.ParseRange(text)
		if !ok {
			return
		}
		require.True(t, r.Least == nil || r.Most == nil || *r.Least <= *r.Most, "%q", text)
		again, ok := search.ParseRange(r.String())
		require.True(t, ok, "%q of %q", r.String(), text)
		assert.Equal(t, r, again)
		assert.Equal(t, r.Has(value), again.Has(value))
		if n, unit, ok := search.NumberOf(value); ok && r.Has(value) {
			assert.True(t, (r.Least == nil || n >= *r.Least) && (r.Most == nil || n <= *r.Most), "%q %q", unit, value)
		}
	})
}
