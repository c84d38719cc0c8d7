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
	text := types.TypeString(t, func(p *types.Package) string {
		if p == l.pkg.Types {
			return ""
		}
		return p.Name()
	})
	return strings.ReplaceAll(text, " ", "")
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

// directive is an //rpc: comment: its word and what follows.
type directive struct {
	pos  token.Pos
	word string
	rest string
}

func directivesIn(groups ...*ast.CommentGroup) []directive {
	var out []directive
	for _, group := range groups {
		if group == nil {
			continue
		}
		for _, c := range group.List {
			text, ok := strings.CutPrefix(c.Text, "//rpc:")
			if !ok {
				continue
			}
			word, rest, _ := strings.Cut(text, " ")
			out = append(out, directive{pos: c.Pos(), word: strings.TrimSpace(word), rest: strings.TrimSpace(rest)})
		}
	}
	return out
}

// directives refuses what looks like a directive and is none, for it would say nothing.
func (l *loader) directives() {
	for _, file := range l.pkg.Syntax {
		for _, group := range file.Comments {
			for _, c := range group.List {
				if trimmed := strings.TrimLeft(strings.TrimPrefix(c.Text, "//"), " \t"); strings.HasPrefix(trimmed, "rpc:") &&
					!strings.HasPrefix(c.Text, "//rpc:") {
					l.refuse(c.Pos(), "a directive has no space before it and says nothing like this: write //%s", trimmed)
				}
			}
			for _, d := range directivesIn(group) {
				switch {
				case d.word != "read" && d.word != "fallback":
					l.refuse(d.pos, "there is no directive //rpc:%s: there are //rpc:read, in a method's comment, and //rpc:fallback X, in an enum's", d.word)
				case d.word == "read" && d.rest != "":
					l.refuse(d.pos, "//rpc:read stands alone: put %q on another line", d.rest)
				}
			}
		}
	}
}

// comments finds what is written above a package-level declaration of any package: the
// comment of its own spec, and of the declaration around it.
func (l *loader) comments(o types.Object) []*ast.CommentGroup {
	at := l.fset.Position(o.Pos())
	var out []*ast.CommentGroup
	file := l.file(at.Filename, o)
	if file == nil {
		return nil
	}
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.Name == o.Name() {
					out = append(out, d.Doc, s.Doc)
				}
			case *ast.ValueSpec:
				if slices.ContainsFunc(s.Names, func(n *ast.Ident) bool { return n.Name == o.Name() }) {
					out = append(out, d.Doc, s.Doc)
				}
			}
		}
	}
	return out
}

// file is the syntax of a file: of this package as loaded, of another parsed for its comments.
func (l *loader) file(name string, o types.Object) *ast.File {
	if l.own(o) {
		for _, f := range l.pkg.Syntax {
			if l.fset.Position(f.Package).Filename == name {
				return f
			}
		}
		return nil
	}
	if f, ok := l.parsed[name]; ok {
		return f
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		f = nil // it was compiled a moment ago, so this is a file that is generated elsewhere
	}
	l.parsed[name] = f
	return f
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
