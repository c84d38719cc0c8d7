package contract

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Load reads the contract package in dir. The error is Violations when the package is Go but
// no contract.
func Load(dir string) (*Contract, error) {
	fset := token.NewFileSet()
	loaded, err := packages.Load(&packages.Config{
		Mode:       packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports,
		Dir:        dir,
		Fset:       fset,
		BuildFlags: []string{"-tags=sqlite_fts5"},
	}, ".")
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", dir, err)
	}
	if len(loaded) != 1 {
		return nil, fmt.Errorf("load %s: %d packages, not one", dir, len(loaded))
	}
	p := loaded[0]
	if len(p.Errors) > 0 {
		problems := make([]error, len(p.Errors))
		for i, e := range p.Errors {
			problems[i] = e
		}
		return nil, fmt.Errorf("load %s: %w", dir, errors.Join(problems...))
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", dir, err)
	}
	l := &loader{
		pkg: p, fset: fset, seen: map[string]*types.Named{}, parsed: map[string]*ast.File{},
		contract: &Contract{Module: p.Name, path: p.PkgPath, dir: abs},
	}
	l.service()
	l.declarations()
	l.directives()
	l.contract.sort()
	if len(l.violations) > 0 {
		slices.SortStableFunc(l.violations, func(a, b Violation) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
		return nil, slices.Compact(l.violations)
	}
	return l.contract, nil
}

// loader is one reading of a contract package.
type loader struct {
	pkg        *packages.Package
	fset       *token.FileSet
	contract   *Contract
	violations Violations
	seen       map[string]*types.Named // named types by the name the contract gives them
	parsed     map[string]*ast.File    // files of other packages, read for their comments
}

func (l *loader) refuse(pos token.Pos, format string, args ...any) {
	at := l.fset.Position(pos)
	file := at.Filename
	if rel, err := filepath.Rel(l.contract.dir, file); err == nil && !strings.HasPrefix(rel, "..") {
		file = rel
	}
	l.violations = append(l.violations, Violation{File: file, Line: at.Line, What: fmt.Sprintf(format, args...)})
}

// own says whether an object is declared in the contract package itself.
func (l *loader) own(o types.Object) bool { return o.Pkg() == l.pkg.Types }

// name is a type's name as the contract writes it: bare when it is its own.
func (l *loader) name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == l.pkg.Types {
			return ""
		}
		return p.Name()
	})
}

// inGo is a type as a generated package writes it.
func inGo(t types.Type) goType {
	var g goType
	g.name = types.TypeString(t, func(p *types.Package) string {
		g.imports = append(g.imports, p.Path())
		return p.Name()
	})
	return g
}

// enumValues are the constants of a named string type, in its own package.
func enumValues(named *types.Named) []*types.Const {
	scope := named.Obj().Pkg().Scope()
	var out []*types.Const
	for _, n := range scope.Names() {
		if c, ok := scope.Lookup(n).(*types.Const); ok && types.Identical(c.Type(), named) && c.Val().Kind() == constant.String {
			out = append(out, c)
		}
	}
	return out
}

// Is says whether dir holds a contract package, that is, one with an interface named Service.
func Is(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return false
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			continue // the compiler says it better
		}
		for _, decl := range f.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				s, ok := spec.(*ast.TypeSpec)
				if !ok || s.Name.Name != "Service" {
					continue
				}
				if _, iface := s.Type.(*ast.InterfaceType); iface {
					return true
				}
			}
		}
	}
	return false
}
