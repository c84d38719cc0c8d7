package searchsvc

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/search/searchsvc/internal/suggest"
)

// TestTheNextShelfKnowsWhatWasLearntWhileItWasRead learns while a shelf is being filled, which nobody else knows of yet.
func TestTheNextShelfKnowsWhatWasLearntWhileItWasRead(t *testing.T) {
	t.Parallel()
	s := &Service{}
	next := s.emptyShelf(2)
	s.popular.Store(&[]suggest.Popular{{Text: "lantern oak", Searches: 9, Found: 1}})
	s.keepNext(next)
	assert.NotEmpty(t, s.next.completions.complete("lan", 5))
}
