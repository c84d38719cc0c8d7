package contract_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc/contract"
)

func TestParseReadsWhatGoldenWrites(t *testing.T) {
	t.Parallel()
	c := shop(t)
	back, err := contract.Parse(c.Golden())
	require.NoError(t, err)
	assert.Equal(t, string(c.Golden()), string(back.Golden()))
	assert.Equal(t, c.Hash(), back.Hash())
	assert.Empty(t, contract.Compatible(back, c))
	assert.Empty(t, contract.Compatible(c, back))
}

func TestParseRefusesAnEditedGolden(t *testing.T) {
	t.Parallel()
	golden := shop(t).Golden()
	edits := map[string][]byte{
		"a changed field": bytes.Replace(golden, []byte("\tlong int64"), []byte("\tlong int32"), 1),
		"a lost line":     bytes.Replace(golden, []byte("\tlong int64\n"), nil, 1),
		"an unknown word": append(bytes.Clone(golden), "promise nothing\n"...),
		"a bare field":    []byte("hash x\n\ta int64\n"),
		"a bad fallback":  []byte("enum X fallback grey\n"),
		"a bad value":     []byte("enum X\n\tgrey\n"),
		"a bad field":     []byte("struct X\n\tgrey\n"),
	}
	for name, edited := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotEqual(t, golden, edited)
			_, err := contract.Parse(edited)
			assert.Error(t, err)
		})
	}
}
