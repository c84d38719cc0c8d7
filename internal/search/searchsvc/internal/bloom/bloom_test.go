package bloom_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search/searchsvc/internal/bloom"
)

func TestWhatWasAddedIsThereAndLittleElse(t *testing.T) {
	var f bloom.Filter
	assert.False(t, f.Has(bloom.Hash("lamp")), "an empty one has nothing")
	var stored []byte
	const words = 200_000
	for i := range words {
		hash := bloom.Hash("word" + strconv.Itoa(i))
		f.Add(hash)
		stored = bloom.Append(stored, hash)
	}
	var again bloom.Filter
	again.AddAll(stored)
	for i := range words {
		hash := bloom.Hash("word" + strconv.Itoa(i))
		require.True(t, f.Has(hash), i)
		require.True(t, again.Has(hash), i)
		require.False(t, f.Add(hash), i)
	}
	wrong := 0
	for i := range words {
		if f.Has(bloom.Hash("other" + strconv.Itoa(i))) {
			wrong++
		}
	}
	assert.Less(t, wrong, words/50, "the package says one in sixty")
}

func TestHashesAreStoredForEver(t *testing.T) {
	assert.Equal(t, []byte{0x94, 0x02, 0x24, 0xd6}, bloom.Append(nil, bloom.Hash("lamp")), "another hash needs an index that is built anew")
}
