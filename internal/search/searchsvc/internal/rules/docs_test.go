package rules_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/rules"
)

// block is what docs/search-rules.md has between fences of that name.
func block(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../../../docs/search-rules.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```"+name+"\n")
	require.True(t, found, name)
	inside, _, found := strings.Cut(rest, "```")
	require.True(t, found, name)
	return inside
}

// TestThePageAboutTheFileIsRight reads what the page says can be written, and what is refused.
func TestThePageAboutTheFileIsRight(t *testing.T) {
	t.Parallel()
	all, err := rules.Read(block(t, "rules"))
	require.NoError(t, err)
	require.Len(t, all, 6)
	assert.Equal(t, []string{"notebook", "laptop", "portable computer"}, all[0].Words)
	assert.Equal(t, search.RuleExpansion, all[1].Kind)
	assert.EqualValues(t, 1, all[3].Place, "the first, if none is said")
	kinds := map[search.RuleKind]bool{}
	for _, r := range all {
		kinds[r.Kind] = true
		again, err := rules.ReadLine(rules.Line(r))
		require.NoError(t, err)
		assert.Equal(t, r, again, "what is written is read as it was")
	}
	assert.Len(t, kinds, 5, "every kind is shown")
	for line := range strings.Lines(block(t, "refused")) {
		wrong, says, found := strings.Cut(strings.TrimSpace(line), " => ")
		require.True(t, found, line)
		_, err := rules.ReadLine(wrong)
		assert.EqualError(t, err, says, wrong)
	}
}
