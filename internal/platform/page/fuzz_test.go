package page_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/page"
)

// place is a key as lists have them: a time, a text that is sorted by and an id.
type place struct {
	At   int64    `json:"at"`
	Text string   `json:"text"`
	Sums []string `json:"sums"`
	Rank *float64 `json:"rank"`
}

// FuzzCursor: what comes as a cursor is refused with one code or read, and what is read makes a cursor
// that is read the same. Plain is the cursor before it is put into letters.
func FuzzCursor(f *testing.F) {
	const filter = "lamps"
	whole, err := page.Cursor(filter, place{At: 7, Text: "brass", Sums: []string{"a"}})
	require.NoError(f, err)
	plain, err := base64.RawURLEncoding.DecodeString(whole)
	require.NoError(f, err)
	f.Add(string(plain), true)
	f.Add(whole, false)
	f.Fuzz(func(t *testing.T, text string, inLetters bool) {
		if inLetters {
			text = base64.RawURLEncoding.EncodeToString([]byte(text))
		}
		var at place
		given, err := page.Request{Cursor: text}.After(filter, &at)
		if text == "" || err != nil {
			assert.False(t, given)
			if err != nil {
				require.ErrorIs(t, err, page.ErrCursor)
			}
			return
		}
		require.True(t, given)
		again, err := page.Cursor(filter, at)
		require.NoError(t, err)
		var back place
		given, err = page.Request{Cursor: again}.After(filter, &back)
		require.NoError(t, err)
		require.True(t, given)
		assert.Equal(t, at, back)
		_, err = page.Request{Cursor: text}.After("mugs", &back)
		require.ErrorIs(t, err, page.ErrCursor, "a cursor of another list was read")
	})
}
