package searchsvc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/clock"
)

// TestTheBeginningOfAModelNumberFindsIt looks for what people remember of a number: not all of it.
func TestTheBeginningOfAModelNumberFindsIt(t *testing.T) {
	t.Parallel()
	const notebook, printer, brush = "HP Pavilion dv7-1211ea notebook", "Brother HL-1211 printer", "Sonicare HX6730/02 toothbrush"
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for _, title := range []string{notebook, printer, brush} {
		goods.AddListing(by.ID, catalogtest.Draft(title, 1000, 1))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	for text, want := range map[string][]string{
		"dv7-1211ea":     {notebook},
		"dv7-1211":       {notebook},
		"notebook dv7-1": {notebook},
		"hx67":           {brush},
		"hx6730":         {brush},
		"HL-1211":        {printer},
		"dv8-1211":       nil, // another model
		"hx6":            nil, // it could be anything
	} {
		assert.ElementsMatch(t, want, b.titles(t, text), "looking for %q", text)
	}
}
