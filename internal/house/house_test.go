package house_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/house"
	"souk/internal/platform/arch"
	"souk/internal/platform/arch/load"
)

// rules are what the tree is held to: the graph, and what is reserved for one place.
func rules() arch.Rules {
	openDatabases := "open databases through platform/store, which sets every pragma and takes the lock"
	r := arch.Rules{
		Root:     "souk",
		Program:  "cmd/souk",
		Platform: "internal/platform",
		Houses:   []string{"internal/house"},
		Reserved: []arch.Reserved{
			{
				Import: "github.com/danielgtaylor/huma/v2", In: []string{"internal/platform/httpx"},
				Why: "register routes with httpx.Route; what httpx lacks, add to httpx",
			},
			{
				Import: "github.com/nats-io/nats.go", In: []string{"internal/platform/bus/natsbus"},
				Why: "publish and read event logs through natsbus; nothing else goes through NATS",
			},
			{Import: "github.com/mattn/go-sqlite3", In: []string{"internal/platform/store"}, Why: openDatabases},
			{Import: "github.com/jackc/pgx/v5", In: []string{"internal/platform/store"}, Why: openDatabases},
			{
				Import: "database/sql", Names: []string{"Open", "OpenDB", "Register"},
				In: []string{"internal/platform/store"}, Why: openDatabases,
			},
			{
				Import: "github.com/jmoiron/sqlx", Names: []string{"Open", "MustOpen", "Connect", "MustConnect", "ConnectContext", "NewDb"},
				In: []string{"internal/platform/store"}, Why: openDatabases,
			},
		},
	}
	for _, m := range house.Modules() {
		r.Modules = append(r.Modules, arch.Module{Name: m.Name, Contract: m.Contract, Asks: m.Asks})
	}
	return r
}

func TestTheTreeKeepsToTheRules(t *testing.T) {
	t.Parallel()
	root := repoRoot(t)
	tree, err := load.Tree(root, load.Options{Root: "souk", Migrations: "migrations", Platform: "internal/platform/store/migrations"})
	require.NoError(t, err)
	require.Greater(t, len(tree.Packages), 5, "this should have found the whole tree")
	for _, v := range arch.Check(rules(), tree) {
		t.Error(v)
	}
}

// What the design draws is what the data says.
func TestTheGraphIsTheDesigns(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, house.Print(&b))
	want, err := os.ReadFile(filepath.Join("testdata", "graph.txt"))
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String(), "who may ask whom has changed: change the design and testdata/graph.txt with it")
}

func TestAskedByIsTheGraphTurnedRound(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"orders", "storefront", "rehearsal", "demo"}, house.AskedBy("cart"))
	assert.Empty(t, house.AskedBy("storefront"))
}

// TestEveryFuzzTestKeepsACorpus holds that what a fuzz test is begun with lies beside it in files, few and small enough to be
// read, and that no folder is left of a test that has gone.
func TestEveryFuzzTestKeepsACorpus(t *testing.T) {
	t.Parallel()
	const most, largest = 64, 16 << 10
	root := repoRoot(t)
	declared := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	tests, kept := map[string]bool{}, map[string]int{}
	for _, top := range []string{"cmd", "internal"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			dir := filepath.Dir(path)
			switch folder := filepath.Dir(dir); {
			case strings.HasSuffix(path, "_test.go"):
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				for _, name := range declared.FindAllStringSubmatch(string(text), -1) {
					tests[filepath.Join(dir, "testdata", "fuzz", name[1])] = true
				}
			case strings.HasSuffix(folder, filepath.Join("testdata", "fuzz")):
				info, err := d.Info()
				if err != nil {
					return err
				}
				assert.LessOrEqual(t, info.Size(), int64(largest), "%s is too large to be read; have the fuzzer minimise it", path)
				kept[dir]++
			}
			return nil
		}))
	}
	require.Greater(t, len(tests), 30)
	for dir := range tests {
		assert.Positive(t, kept[dir], "%s has no corpus: keep what it should always be begun with, as `make fuzz` finds it", dir)
	}
	for dir, n := range kept {
		assert.True(t, tests[dir], "%s is the corpus of no test", dir)
		assert.LessOrEqual(t, n, most, "%s has more than anybody reads: keep what reaches something new", dir)
	}
}

func repoRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test")
		dir = parent
	}
}
