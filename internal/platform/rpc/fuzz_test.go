package rpc_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc/contract/testdata/shop"
)

// FuzzWire: whatever is read is written so that it is read the same, by the strict reader
// too, and what is written is JSON to everyone else.
func FuzzWire(f *testing.F) {
	whole, err := codec().Marshal(full())
	require.NoError(f, err)
	f.Add(whole)
	for _, seed := range []string{
		`{}`, `{"tags":["a",""]}`, `{"at":"1969-12-31T23:59:59.999Z"}`, `{"at":"0001-01-01T00:00:00+14:00"}`,
		`{"twin":{"twin":{}}}`, `{"likes":[null,{}]}`, `{"owners":{"":[]}}`, `{"raw":"AA=="}`, `{"huge":18446744073709551615}`,
		`{"price":{"minor":-1,"currency":"\u20ac"}}`, `{"choices":[]}`, `{"nested":[[[]],[]]}`, `{"unknown":[{}]}`, `{"colour":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := codec()
		var first, second, third shop.Thing
		if c.Unmarshal(data, &first) != nil {
			return
		}
		once, err := c.Marshal(first)
		require.NoError(t, err)
		require.NoError(t, c.UnmarshalStrict(once, &second))
		require.NoError(t, c.Unmarshal(once, &third))
		assert.Equal(t, first, second)
		assert.Equal(t, first, third)
		twice, err := c.Marshal(second)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(once, twice), "%s\n%s", once, twice)
		assert.True(t, json.Valid(once))
	})
}

// FuzzText: any string crosses whole, or is refused by its sender.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "a", "\x00", "\u2028", "\ufffd", "\xff", "\xed\xa0\x80", "\U0001F600", `\"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		data, err := codec().Marshal(shop.GetRequest{ID: shop.ThingID(s)})
		if err != nil {
			require.ErrorContains(t, err, "id: must be valid UTF-8")
			return
		}
		var back shop.GetRequest
		require.NoError(t, codec().UnmarshalStrict(data, &back))
		assert.Equal(t, s, string(back.ID))
	})
}
