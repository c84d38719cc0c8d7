package load

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"souk/internal/platform/arch"
)

// values are the constant values of expressions, as the type checker found them.
type values map[ast.Expr]types.TypeAndValue

// evaluate type-checks the tree's own packages, each after those that it imports, and keeps
// the value of every constant expression. Errors are expected and passed over: packages from
// elsewhere are empty here.
func (l *loader) evaluate() {
	l.values = values{}
	e := &evaluator{loader: l, done: map[string]*types.Package{}}
	for dir := range l.folders {
		e.folder(dir)
	}
}

type evaluator struct {
	loader *loader
	done   map[string]*types.Package // nil while it is being checked
}

// Import gives the type checker a package of this tree, or an empty one.
func (e *evaluator) Import(path string) (*types.Package, error) {
	dir, ours := strings.CutPrefix(path, e.loader.root+"/")
	if !ours || e.loader.folders[dir] == nil {
		p := types.NewPackage(path, e.loader.packageName(path))
		p.MarkComplete()
		return p, nil
	}
	p := e.folder(dir)
	if p == nil {
		return nil, errors.New("an import cycle")
	}
	return p, nil
}

// folder checks one folder's packages, each by itself and again with its own tests: the
// folder's package, its …_test package, and files kept out of the build (package main in a
// library's folder). It returns the package as others import it.
func (e *evaluator) folder(dir string) *types.Package {
	if p, begun := e.done[dir]; begun {
		return p
	}
	e.done[dir] = nil
	plain, tests := map[string][]*ast.File{}, map[string][]*ast.File{}
	var names []string
	for _, f := range e.loader.folders[dir].files {
		name := f.ast.Name.Name
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if f.test {
			tests[name] = append(tests[name], f.ast)
		} else {
			plain[name] = append(plain[name], f.ast)
		}
	}
	importPath := e.loader.root + "/" + dir
	for _, name := range names {
		if len(plain[name]) == 0 {
			continue
		}
		if p := e.check(importPath, plain[name]); e.done[dir] == nil || name != "main" {
			e.done[dir] = p
		}
	}
	for _, name := range names {
		if len(tests[name]) > 0 {
			e.check(importPath+" [test]", append(tests[name], plain[name]...))
		}
	}
	return e.done[dir]
}

func (e *evaluator) check(path string, files []*ast.File) *types.Package {
	info := &types.Info{Types: e.loader.values}
	config := types.Config{
		Importer:                 e,
		Error:                    func(error) {}, // see evaluate
		DisableUnusedImportCheck: true,
		FakeImportC:              true,
	}
	p, err := config.Check(path, e.loader.fset, files, info)
	if p == nil && err != nil {
		p = types.NewPackage(path, "")
	}
	return p
}

// strings are the largest constant string expressions of a file.
func (l *loader) strings(f *file) []arch.Text {
	var out []arch.Text
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		x, ok := n.(ast.Expr)
		if _, name := n.(*ast.Ident); !ok || name { // a name's value is read where it is declared
			return true
		}
		v, ok := l.values[x]
		if !ok || v.Value == nil || v.Value.Kind() != constant.String {
			return true
		}
		literal, isLiteral := x.(*ast.BasicLit)
		out = append(out, arch.Text{
			Value: constant.StringVal(v.Value),
			Line:  l.line(x),
			Raw:   isLiteral && literal.Kind == token.STRING && strings.HasPrefix(literal.Value, "`"),
		})
		return false
	})
	return out
}
