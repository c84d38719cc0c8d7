package contract

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// moved is the fixture's contract as if it stood in a folder of its own.
func moved(t *testing.T) *Contract {
	t.Helper()
	c, err := Load(filepath.Join("testdata", "shop"))
	require.NoError(t, err)
	c.dir = t.TempDir()
	return c
}

func TestWriteWritesWhatIsStaleAndNothingElse(t *testing.T) {
	t.Parallel()
	c := moved(t)
	changed, err := c.Write()
	require.NoError(t, err)
	assert.Len(t, changed, 6)

	changed, err = c.Write()
	require.NoError(t, err)
	assert.Empty(t, changed)

	edited := filepath.Join(c.dir, "shoprpc", "strict_gen.go")
	require.NoError(t, os.WriteFile(edited, []byte("package shoprpc\n"), 0o600))
	stale, err := c.Stale()
	require.NoError(t, err)
	assert.Equal(t, []string{edited}, stale)
	changed, err = c.Write()
	require.NoError(t, err)
	assert.Equal(t, []string{edited}, changed)
}

func TestAFrozenContractIsHeldToAndNamedInWhatIsGenerated(t *testing.T) {
	t.Parallel()
	c := moved(t)
	_, ok, err := c.LastRelease()
	require.NoError(t, err)
	assert.False(t, ok)
	_, err = c.Write()
	require.NoError(t, err)

	first := c.Hash()
	for _, version := range []string{"v2", "v10", "v9.9"} {
		_, err = c.Freeze(version)
		require.NoError(t, err)
	}
	_, err = c.Freeze("v2")
	require.ErrorIs(t, err, os.ErrExist, "a frozen contract is never written again")
	_, err = c.Freeze("next")
	require.Error(t, err)

	release, ok, err := c.LastRelease()
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, "v10", release.Name, "versions are numbers")
	assert.Equal(t, first, release.Contract.Hash())
	broken, err := c.Broken()
	require.NoError(t, err)
	assert.Empty(t, broken)

	c.Methods = slices.Delete(c.Methods, 0, 1)
	broken, err = c.Broken()
	require.NoError(t, err)
	require.Len(t, broken, 1)
	assert.Equal(t, "method Get", broken[0].Where)
	stale, err := c.Stale()
	require.NoError(t, err)
	assert.Len(t, stale, 6, "the golden text, the hash, and a method less everywhere")

	files, err := c.Files()
	require.NoError(t, err)
	source := string(files[filepath.Join(c.dir, "shoprpc", "contract_gen.go")])
	assert.Contains(t, source, first, "the last release's hash")
	assert.Contains(t, source, c.Hash())

	require.NoError(t, os.WriteFile(release.File, []byte("hash x\ncontract shop\n"), 0o600))
	_, err = c.Broken()
	require.ErrorContains(t, err, "it was edited")
}
