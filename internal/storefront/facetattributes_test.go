package storefront

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search"
)

func TestBarsAreDrawnFromTheLargest(t *testing.T) {
	t.Parallel()
	step := func(low, high, count int64, selected bool) search.FacetValue {
		return search.FacetValue{Min: low, Max: high, Count: count, Selected: selected}
	}
	bars := barsOf(search.Facet{Values: []search.FacetValue{step(100, 199, 1, false), step(200, 299, 50, true), step(300, 399, 0, false)}}, "EUR")
	require.NotNil(t, bars)
	assert.Equal(t, "Prices from €1.00 to €3.99, most of them from €2.00 to €2.99", bars.Title)
	assert.Equal(t, barsHigh, bars.Bars[1].Height)
	assert.Positive(t, bars.Bars[0].Height, "one is seen too")
	assert.Zero(t, bars.Bars[2].Height)
	assert.Equal(t, []bool{true, false, true}, []bool{bars.Bars[0].Out, bars.Bars[1].Out, bars.Bars[2].Out})
	assert.Equal(t, "€1.00 to €1.99: 1 listing", bars.Bars[0].Text)
	assert.Empty(t, bars.Note)
	assert.Nil(t, barsOf(search.Facet{Values: []search.FacetValue{step(1, 1, 1, false)}}, "EUR"), "two steps say nothing")
}

func TestAttributesOfAnAddress(t *testing.T) {
	t.Parallel()
	assert.Nil(t, asked{}.attributes())
	a := asked{attrs: []string{"Colour:Red", "Ratio:16:9", "Colour:Blue", ":x"}}
	assert.Equal(t, []search.AttributeFilter{{Name: "Colour", Values: []string{"Red", "Blue"}}, {Name: "Ratio", Values: []string{"16:9"}}}, *a.attributes())
	b := a
	b.attrs = toggled(a.attrs, attrOf(a.attrs, "colour", "red"))
	assert.Equal(t, []string{"Ratio:16:9", "Colour:Blue", ":x"}, b.attrs, "however it is spelt")
}
