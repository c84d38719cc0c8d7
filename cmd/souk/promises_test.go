package main

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/rehearsal"
)

// TestVerifyListsWhatModulesCheckOfThemselves reads the sources: what modules' own audits check, and what rehearsal
// does, is what `souk verify` lists, neither less nor more.
func TestVerifyListsWhatModulesCheckOfThemselves(t *testing.T) {
	t.Parallel()
	rooms, err := filepath.Glob("../../internal/*/*svc")
	require.NoError(t, err)
	require.Greater(t, len(rooms), 5)
	checked := map[string]string{} // and where
	for _, room := range rooms {
		eachSource(t, room, func(file string, f *ast.File) {
			ast.Inspect(f, func(n ast.Node) bool {
				if pair, ok := n.(*ast.KeyValueExpr); ok && isNamed(pair.Key, "Invariant") {
					name, ok := textOf(pair.Value)
					assert.True(t, ok, "%s names an invariant by something that this test cannot read", file)
					checked[name] = file
				}
				return true
			})
		})
	}
	assert.Greater(t, len(checked), 30)

	named, used := map[string]string{}, map[string]bool{} // rehearsal's constants, and those that it calls something with
	eachSource(t, "../../internal/rehearsal", func(_ string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, value := range n.Values {
					if text, ok := textOf(value); ok {
						named[n.Names[i].Name] = text
					}
				}
			case *ast.CallExpr:
				for _, arg := range n.Args {
					if name, ok := arg.(*ast.Ident); ok {
						used[name.Name] = true
					}
				}
			}
			return true
		})
	})
	for name, invariant := range named {
		if used[name] && strings.Contains(invariant, ".") {
			checked[invariant] = "internal/rehearsal"
		}
	}

	listed := rehearsal.Promises()
	for _, name := range slices.Sorted(maps.Keys(checked)) {
		assert.NotEmpty(t, listed[name], "%s checks %s, which verify does not list", checked[name], name)
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		assert.NotEmpty(t, checked[name], "verify lists %s, which nobody checks", name)
	}
}

// eachSource calls fn with every file below dir that is no test.
func eachSource(t *testing.T, dir string, fn func(path string, f *ast.File)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			fn(path, f)
		}
		return err
	}))
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// textOf is what a string literal says.
func textOf(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != gotoken.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
