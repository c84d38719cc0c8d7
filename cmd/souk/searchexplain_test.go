package main

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/config"
	"souk/internal/search"
)

func TestNarrowingTakesWhatItIsGivenOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	narrow := func(args ...string) (search.Filter, error) {
		cmd := &cobra.Command{}
		read := addNarrowing(cmd)
		require.NoError(t, cmd.ParseFlags(args))
		return read()
	}
	none, err := narrow()
	require.NoError(t, err)
	assert.Nil(t, none.PriceMin)
	assert.Nil(t, none.PriceMax)

	seller := catalog.SellerIDs.New()
	some, err := narrow("--price-min", "0", "--price-max", "0", "--currency", "EUR", "--seller", string(seller))
	require.NoError(t, err)
	nothing := int64(0)
	assert.Equal(t, search.Filter{PriceMin: &nothing, PriceMax: &nothing, Currency: "EUR", Sellers: []catalog.SellerID{seller}}, some)

	for flag, value := range map[string]string{"--price-min": "-5", "--price-max": "-1", "--seller": "sound-shed", "--attr": "red"} {
		_, err := narrow(flag, value)
		require.ErrorContains(t, err, flag)
		assert.True(t, config.IsMistake(err), flag)
	}
}
