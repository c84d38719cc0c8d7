package house_test

import (
	"os"
	"path/filepath"
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
