package searchsvc

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search/searchsvc/internal/docset"
)

// TestWhatIsRememberedLeavesRequestsAlone keeps sets by words that are pieces of a long text: the text must not
// stay in memory with them, since memory is counted by the words.
func TestWhatIsRememberedLeavesRequestsAlone(t *testing.T) {
	t.Parallel()
	request := strings.Repeat("x", 30_000) + "lamp"
	word := request[30_000:]
	f := newFound()
	for upto := int64(1); upto < 3; upto++ { // kept, and kept again
		f.keep(word, docset.Of([]uint32{1}, 64), upto)
	}
	require.Len(t, f.sets, 1)
	for key, r := range f.sets {
		assert.Equal(t, word, key)
		assert.NotSame(t, unsafe.StringData(word), unsafe.StringData(key))
		assert.NotSame(t, unsafe.StringData(word), unsafe.StringData(r.key))
	}
	assert.Equal(t, docset.Of([]uint32{1}, 64).Bytes()+len(word), f.bytes)
}

func TestOtherNamesForgetHeadsAlone(t *testing.T) {
	t.Parallel()
	f := newFound()
	f.keep("lamp", docset.Of([]uint32{1}, 64), 1)
	before := f.bytes
	f.keep(headKey+"lamp", docset.Of([]uint32{1}, 64), 1)
	f.forgetHeads()
	_, reach := f.get("lamp")
	assert.EqualValues(t, 1, reach)
	_, reach = f.get(headKey + "lamp")
	assert.Zero(t, reach)
	assert.Equal(t, before, f.bytes)
}
