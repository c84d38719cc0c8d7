package ranking_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/search/searchsvc/internal/ranking"
	"souk/internal/search/searchsvc/internal/words"
)

// TestIsAccessory asks with the stems that titles are kept as, which the list has to have as they are.
func TestIsAccessory(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"sleeves": true, "Messenger": true, "adapter": true, "Adaptors": true, "chargers": true, "batteries": true, "cables": true,
		"replacement": true, "accessories": true, "remote": true, "cartridges": true, "docking": true, "privacy": true, "refills": true,
		"laptop": false, "controller": false, "computer": false, "projector": false,
	} {
		assert.Equal(t, want, ranking.IsAccessory(words.Tokens(nil, text)[0].Term), text)
	}
}
