package arch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"souk/internal/platform/arch"
	"souk/internal/platform/arch/load"
)

// shop is the architecture of the fixtures.
func shop() arch.Rules {
	return arch.Rules{
		Root:     "shop",
		Program:  "cmd/shop",
		Platform: "internal/platform",
		Houses:   []string{"internal/rules"},
		Modules: []arch.Module{
			{Name: "catalog", Contract: true},
			{Name: "cart", Contract: true, Asks: []string{"catalog"}},
			{Name: "orders", Contract: true},
			{Name: "pages", Asks: []string{"cart", "catalog"}},
		},
		Reserved: []arch.Reserved{
			{Import: "example.com/huma/v2", In: []string{"internal/platform/httpx"}, Why: "use httpx"},
			{Import: "example.com/driver/sqlite", In: []string{"internal/platform/store"}, Why: "use store"},
			{Import: "database/sql", Names: []string{"Open"}, In: []string{"internal/platform/store"}, Why: "use store"},
		},
	}
}

func TestASoundTreeHasNoViolation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unpack(t, dir, filepath.Join("testdata", "sound.txtar"))
	assert.Empty(t, check(t, dir, shop()))
}

// Each archive is laid over the sound tree; its comment says which violations are planted,
// and each must be found, where it is, and nothing else.
func TestPlantedViolationsAreCaught(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join("testdata", "planted", "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			unpack(t, dir, filepath.Join("testdata", "sound.txtar"))
			wants, rules := plan(t, unpack(t, dir, archive))
			found := check(t, dir, rules)
			for _, w := range wants {
				at := -1
				for i, v := range found {
					if fmt.Sprintf("%s:%d [%s]", v.File, v.Line, v.Rule) == w.at && strings.Contains(v.What, w.what) {
						at = i
						break
					}
				}
				if assert.GreaterOrEqual(t, at, 0, "not caught: %s %s", w.at, w.what) {
					assert.NotEmpty(t, found[at].Mend, "every failure says how to mend it")
					found = append(found[:at], found[at+1:]...)
				}
			}
			assert.Empty(t, found, "more was found than was planted")
		})
	}
}

// A rule that names a module that does not exist, or asks one that cannot be asked, is itself wrong.
func TestRulesThatContradictThemselvesAreCaught(t *testing.T) {
	t.Parallel()
	rules := shop()
	rules.Modules[0].Asks = []string{"pages", "wishes"}
	var found []string
	for _, v := range arch.Check(rules, arch.Tree{}) {
		found = append(found, v.What)
	}
	assert.ElementsMatch(t, []string{
		"catalog may ask wishes, which is no module",
		"catalog may ask pages, which has no contract",
		"who may ask whom goes round: cart → catalog → pages → cart",
		"who may ask whom goes round: catalog → pages → catalog",
	}, found)
}

func TestAViolationIsALineThatEditorsFollow(t *testing.T) {
	t.Parallel()
	v := arch.Violation{File: "a/b.go", Line: 3, Rule: "import", What: "a imports b", Mend: "do not"}
	assert.Equal(t, "a/b.go:3: [import] a imports b. To mend it: do not", v.String())
}

func check(t *testing.T, dir string, rules arch.Rules) []arch.Violation {
	t.Helper()
	tree, err := load.Tree(dir, load.Options{Root: rules.Root, Migrations: "migrations", Platform: "internal/platform/store/migrations"})
	require.NoError(t, err)
	return arch.Check(rules, tree)
}

func unpack(t *testing.T, dir, archive string) *txtar.Archive {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	require.NoError(t, err)
	for _, f := range a.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, f.Data, 0o644))
	}
	return a
}

type want struct{ at, what string }

// plan reads an archive's comment: "want FILE:LINE [RULE] words", and changes to the rules.
func plan(t *testing.T, a *txtar.Archive) (wants []want, rules arch.Rules) {
	t.Helper()
	rules = shop()
	for line := range strings.Lines(string(a.Comment)) {
		line = strings.TrimSpace(line)
		if m := wantLine.FindStringSubmatch(line); m != nil {
			wants = append(wants, want{at: m[1], what: m[2]})
		}
		var from, to string
		if n, _ := fmt.Sscanf(line, "rule %s asks %s", &from, &to); n == 2 {
			for i, m := range rules.Modules {
				if m.Name == from {
					rules.Modules[i].Asks = append(rules.Modules[i].Asks, to)
				}
			}
		}
	}
	require.NotEmpty(t, wants, "an archive without a planted violation shows nothing")
	return wants, rules
}

var wantLine = regexp.MustCompile(`^want (.+:\d+ \[\w+\]) ?(.*)$`)
