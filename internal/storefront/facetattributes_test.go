package storefront

import (
	"net/url"
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
	bars := barsOf(search.Facet{Values: []search.FacetValue{step(100, 199, 1, false), step(200, 299, 50, true), step(300, 399, 0, false), step(400, 499, 2, false)}}, "EUR")
	require.NotNil(t, bars)
	assert.Equal(t, "Prices from €1.00 to €4.99, most of them from €2.00 to €2.99", bars.Title)
	assert.Equal(t, barsHigh, bars.Bars[1].Height)
	assert.Positive(t, bars.Bars[0].Height, "one is seen too")
	assert.Zero(t, bars.Bars[2].Height)
	assert.Equal(t, []bool{true, false, true, true}, []bool{bars.Bars[0].Out, bars.Bars[1].Out, bars.Bars[2].Out, bars.Bars[3].Out})
	assert.Equal(t, "€1.00 to €1.99: 1 listing", bars.Bars[0].Text)
	assert.Empty(t, bars.Note)
	assert.Nil(t, barsOf(search.Facet{Values: []search.FacetValue{step(1, 1, 1, false), step(2, 2, 0, false), step(3, 3, 1, false)}}, "EUR"), "two steps with anything in them say nothing")
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

func TestRangesOfAnAddress(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{
		"":                     nil,
		"range=Weight:1..2+kg": {"Weight:1..2 kg"},
		"range=Weight:1..2&range=weight:3..4&range=Size:..9":                      {"Weight:1..2", "Size:..9"},
		"range=Weight&range=:1..2&range=Weight:heavy":                             {"Weight:heavy"},
		"of=Weight&from=1,5&to=&unit=kg":                                          {"Weight:1.5.. kg"},
		"of=Weight&from=&to=2":                                                    {"Weight:..2"},
		"of=Weight&from=20&to=3&unit=kg":                                          {"Weight:3..20 kg"},
		"of=Weight&from=&to=&unit=kg":                                             nil,
		"of=Weight&from=some&to=2&unit=kg":                                        {"Weight:some..2 kg"},
		"range=Width:20..3 cm&range=Size&range=Size:1..2":                         {"Width:3..20 cm", "Size:1..2"},
		"of=Weight&from=&to=&range=Size:9..":                                      {"Size:9.."},
		"of=Weight&from=3&to=4&range=weight:1..2&range=S:1..":                     {"Weight:3..4", "S:1.."},
		"range=A:1..&range=B:1..&range=C:1..&range=D:1..&range=E:1..&of=F&from=1": {"F:1..", "A:1..", "B:1..", "C:1.."},
	} {
		q, err := url.ParseQuery(query)
		require.NoError(t, err)
		assert.Equal(t, want, rangesAsked(q), query)
	}
	for one, want := range map[string]string{"W:1..2 kg": "1 to 2 kg", "W:..2": "up to 2", "W:1.5.. kg": "from 1.5 kg", "W:some..2 kg": "not understood: write it as 12.5"} {
		_, text := rangeText(one)
		assert.Equal(t, want, text)
	}
	weight := "1..2 kg"
	assert.Equal(t, []search.AttributeFilter{{Name: "Weight", Range: &weight}}, *asked{ranges: []string{"Size:some..", "Weight:1..2 kg"}}.attributes())
	assert.Nil(t, asked{ranges: []string{"Size:some.."}}.attributes(), "its chip says that it was not understood")
}
