// Package load reads from disk what package arch checks: the Go files of a tree, whatever
// their build tags, tests included, and the tables that its migrations make.
//
// It asks neither the go command nor the compiler, so it takes a second and also works on a
// tree that does not build. Constant strings are evaluated by go/types over the tree's own
// packages; what comes from elsewhere is unknown to it, which only means that a constant
// built from a foreign constant is read in parts.
package load

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"souk/internal/platform/arch"
)

// Options say where things lie below the root.
type Options struct {
	Root       string // the Go module's path
	Migrations string // folder with one folder of SQL for each module
	Platform   string // folder of the platform's own SQL
}

// Tree reads the tree below dir. testdata, vendor, hidden folders and nested Go modules are
// left out, as the go command does.
func Tree(dir string, o Options) (arch.Tree, error) {
	l := &loader{dir: dir, root: o.Root, fset: token.NewFileSet(), folders: map[string]*folder{}}
	if err := filepath.WalkDir(dir, l.visit); err != nil {
		return arch.Tree{}, fmt.Errorf("read the tree below %s: %w", dir, err)
	}
	l.evaluate()
	tree := arch.Tree{}
	for _, name := range slices.Sorted(maps.Keys(l.folders)) {
		tree.Packages = append(tree.Packages, l.read(l.folders[name]))
	}
	var err error
	tree.Tables, err = tables(dir, o)
	return tree, err
}

type loader struct {
	dir     string
	root    string
	fset    *token.FileSet
	folders map[string]*folder
	values  values
}

// folder is one directory's parsed files.
type folder struct {
	dir   string // slash-separated, relative
	files []*file
}

type file struct {
	name string // slash-separated, relative
	test bool
	ast  *ast.File
}

func (l *loader) visit(at string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(l.dir, at)
	if err != nil {
		return err
	}
	name := filepath.ToSlash(rel)
	if d.IsDir() {
		return l.visitFolder(at, name, d.Name())
	}
	if !strings.HasSuffix(name, ".go") || strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), ".") {
		return nil
	}
	parsed, err := parser.ParseFile(l.fset, at, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	if dir == "." {
		dir = ""
	}
	f := l.folders[dir]
	if f == nil {
		f = &folder{dir: dir}
		l.folders[dir] = f
	}
	f.files = append(f.files, &file{name: name, test: strings.HasSuffix(name, "_test.go"), ast: parsed})
	return nil
}

func (l *loader) visitFolder(at, rel, base string) error {
	if rel == "." {
		return nil
	}
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

func (l *loader) read(f *folder) arch.Package {
	p := arch.Package{Dir: f.dir}
	for _, file := range f.files {
		p.Files = append(p.Files, arch.File{
			Name:    file.name,
			Test:    file.test,
			Imports: l.imports(file),
			Uses:    l.uses(file),
			Strings: l.strings(file),
		})
	}
	return p
}

func (l *loader) line(n ast.Node) int { return l.fset.Position(n.Pos()).Line }

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value // the parser has let it through; no rule will know it
	}
	return p
}

func (l *loader) imports(f *file) []arch.Import {
	var out []arch.Import
	for _, spec := range f.ast.Imports {
		out = append(out, arch.Import{Path: importPath(spec), Line: l.line(spec)})
	}
	return out
}

// uses are the selectors on imported packages, by the import's name in this file. A dot
// import is the use of ".".
func (l *loader) uses(f *file) []arch.Use {
	named := map[string]string{}
	var out []arch.Use
	for _, spec := range f.ast.Imports {
		p := importPath(spec)
		switch {
		case spec.Name == nil:
			named[l.packageName(p)] = p
		case spec.Name.Name == ".":
			out = append(out, arch.Use{Path: p, Name: ".", Line: l.line(spec)})
		default:
			named[spec.Name.Name] = p
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && named[x.Name] != "" {
				out = append(out, arch.Use{Path: named[x.Name], Name: s.Sel.Name, Line: l.line(s)})
			}
		}
		return true
	})
	return out
}

// packageName is what an import is called when the file gives it no name.
func (l *loader) packageName(importPath string) string {
	if dir, ours := strings.CutPrefix(importPath, l.root+"/"); ours && l.folders[dir] != nil {
		for _, f := range l.folders[dir].files {
			if !f.test {
				return f.ast.Name.Name
			}
		}
	}
	name := path.Base(importPath)
	if v, ok := strings.CutPrefix(name, "v"); ok && strings.Trim(v, "0123456789") == "" {
		name = path.Base(path.Dir(importPath)) // huma/v2
	}
	return strings.TrimPrefix(name, "go-")
}

// tables are those that the migrations make, by module.
func tables(dir string, o Options) (map[string][]string, error) {
	made := map[string][]string{}
	collect := func(folder string, owner func(rel string) string) error {
		err := fs.WalkDir(os.DirFS(filepath.Join(dir, folder)), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".sql") {
				return err
			}
			sql, err := os.ReadFile(filepath.Join(dir, folder, name))
			if err != nil {
				return err
			}
			made[owner(name)] = append(made[owner(name)], arch.TablesIn(string(sql))...)
			return nil
		})
		if os.IsNotExist(err) {
			return nil // none yet
		}
		return err
	}
	if err := collect(o.Migrations, func(rel string) string { module, _, _ := strings.Cut(rel, "/"); return module }); err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	if err := collect(o.Platform, func(string) string { return "" }); err != nil {
		return nil, fmt.Errorf("read the platform's migrations: %w", err)
	}
	return made, nil
}
