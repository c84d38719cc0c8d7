package search_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/search"
)

func TestNumbersAreReadWithTheirUnits(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][2]any{
		"17": {17.0, ""}, " 15.6 ": {15.6, ""}, "500 g": {500.0, "g"}, `17"`: {17.0, `"`}, "-5°C": {-5.0, "°C"}, ".5 l": {.5, "l"},
	} {
		n, unit, ok := search.NumberOf(value)
		assert.True(t, ok, value)
		assert.Equal(t, want, [2]any{n, unit}, value)
	}
	for _, value := range []string{"", "kg", "1920 x 1080", "1.2.3", "i5-8250U", "10 - 45", "1e5", "5 GB DDR4", "-", "NaN", "Inf"} {
		_, _, ok := search.NumberOf(value)
		assert.False(t, ok, value)
	}
}

func TestRangesAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10..20 kg": "10..20 kg", "10 .. 20kg": "10..20 kg", "10..": "10..", "..20": "..20", "1.5..1.50": "1.5..1.5", "10.. kg": "10.. kg", "-5..5 °C": "-5..5 °C", "100000000..": "100000000..",
	} {
		r, ok := search.ParseRange(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, r.String(), text)
		again, ok := search.ParseRange(r.String())
		assert.True(t, ok, text)
		assert.Equal(t, r, again, text)
	}
	for _, text := range []string{"", "..", "10", "20..10", "a..b", "10 kg..20 kg", "1..2..3", ".. kg", "10..20 kg net"} {
		_, ok := search.ParseRange(text)
		assert.False(t, ok, text)
	}
	r, _ := search.ParseRange("10..20 KG")
	for value, in := range map[string]bool{"10 kg": true, "20kg": true, "15.5 Kg": true, "9.99 kg": false, "20.01 kg": false, "15": false, "15 g": false, "heavy": false} {
		assert.Equal(t, in, r.Has(value), value)
	}
}
