package contract_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc/contract"
)

func shop(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Load(filepath.Join("testdata", "shop"))
	require.NoError(t, err)
	return c
}

var want = regexp.MustCompile(`// want(?:\+(\d))? "((?:[^"\\]|\\.)*)"`)

// wants are the places in a fixture that must be refused: `// want "part of the sentence"`
// at the end of the line, or `// want+2 …` so many lines above it.
func wants(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	found := map[string]string{}
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan(); n++ {
			if m := want.FindStringSubmatch(lines.Text()); m != nil {
				line := n
				if m[1] != "" {
					line += int(m[1][0] - '0')
				}
				found[fmt.Sprintf("%s:%d", filepath.Base(name), line)] = strings.ReplaceAll(m[2], `\"`, `"`)
			}
		}
		require.NoError(t, lines.Err())
		require.NoError(t, f.Close())
	}
	return found
}

func TestEveryViolationIsRefusedWhereItStands(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join("testdata", "bad", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			expected := wants(t, dir)
			require.NotEmpty(t, expected)
			_, err := contract.Load(dir)
			var violations contract.Violations
			require.ErrorAs(t, err, &violations)
			for _, v := range violations {
				at := fmt.Sprintf("%s:%d", v.File, v.Line)
				if filepath.IsAbs(v.File) { // a type of the platform, refused where it is declared
					assert.Contains(t, v.What, "errs.Error", "refused outside the fixture")
					continue
				}
				if assert.Contains(t, expected, at, v.What) {
					assert.Contains(t, v.What, expected[at])
				}
				delete(expected, at)
			}
			assert.Empty(t, expected, "not refused")
		})
	}
}

func TestLoadSaysThatAPackageDoesNotCompile(t *testing.T) {
	t.Parallel()
	_, err := contract.Load(t.TempDir())
	require.Error(t, err)
	assert.NotErrorAs(t, err, &contract.Violations{})
}

func TestIs(t *testing.T) {
	t.Parallel()
	assert.True(t, contract.Is(filepath.Join("testdata", "shop")))
	assert.False(t, contract.Is(filepath.Join("testdata", "bad", "structservice")))
	assert.False(t, contract.Is("."))
}

func TestWhatIsGeneratedForTheFixtureIsUpToDate(t *testing.T) {
	t.Parallel()
	stale, err := shop(t).Stale()
	require.NoError(t, err)
	assert.Empty(t, stale, "run go generate in testdata/shop")
}

func TestViolationsInNamesFilesFromWhereTheDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	vs := contract.Violations{{File: "cart.go", Line: 3, What: "a"}, {File: "/x/y.go", Line: 4, What: "b"}}
	assert.EqualError(t, vs.In("internal/cart"), "internal/cart/cart.go:3: a\n/x/y.go:4: b")
}
