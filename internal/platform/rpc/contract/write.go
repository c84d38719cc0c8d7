package contract

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed templates/*.tmpl
var sources embed.FS

// outputs are the generated files of <module>rpc by their templates.
var outputs = map[string]string{
	"contract_gen.go": "contract.tmpl",
	"strict_gen.go":   "strict.tmpl",
	"guard_gen.go":    "guard.tmpl",
	"client_gen.go":   "client.tmpl",
	"server_gen.go":   "server.tmpl",
}

// Release is a golden contract frozen with a release.
type Release struct {
	Name     string // v1, v1.2.0
	File     string
	Contract *Contract
}

var frozen = regexp.MustCompile(`^contract\.(v[0-9]+(?:\.[0-9]+)*)\.golden$`)

// LastRelease reads the latest frozen golden contract; ok is false before the first.
func (c *Contract) LastRelease() (last Release, ok bool, err error) {
	return LastFrozen(filepath.Join(c.dir, "testdata"))
}

// LastFrozen reads the latest golden contract that was frozen in dir; ok is false if none was.
func LastFrozen(dir string) (last Release, ok bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Release{}, false, fmt.Errorf("look for frozen contracts: %w", err)
	}
	for _, e := range entries {
		if m := frozen.FindStringSubmatch(e.Name()); m != nil && (!ok || newer(m[1], last.Name)) {
			last, ok = Release{Name: m[1], File: filepath.Join(dir, e.Name())}, true
		}
	}
	if !ok {
		return Release{}, false, nil
	}
	golden, err := os.ReadFile(last.File)
	if err != nil {
		return Release{}, false, fmt.Errorf("read the frozen contract: %w", err)
	}
	if last.Contract, err = Parse(golden); err != nil {
		return Release{}, false, fmt.Errorf("%s: %w", last.File, err)
	}
	return last, true, nil
}

// newer compares versions by their numbers.
func newer(a, b string) bool {
	return slices.Compare(numbers(a), numbers(b)) > 0
}

func numbers(version string) []int {
	var out []int
	for _, part := range strings.Split(strings.TrimPrefix(version, "v"), ".") {
		n, _ := strconv.Atoi(part) // digits, by the name's pattern
		out = append(out, n)
	}
	return out
}

// view is what the templates see.
type view struct {
	Package, Module, Hash, Previous string
	Path                            string // of the contract package
	Text                            string // of the contract
	Methods                         []methodView
	Events                          []Event
	Codes                           []Code
	Enums                           []enumView
	EnumImports, MethodImports      []string
}

type methodView struct {
	Method
	GoRequest, GoReply string
}

type enumView struct {
	GoName, Fallback string
	Values           []string
}

func (c *Contract) view(previous string) view {
	v := view{
		Package: c.Module + "rpc", Module: c.Module, Hash: c.Hash(), Previous: previous, Path: c.path, Text: c.text(),
		Events: c.Events, Codes: c.Codes,
	}
	methods, enums := map[string]bool{c.path: true}, map[string]bool{}
	for _, m := range c.Methods {
		v.Methods = append(v.Methods, methodView{Method: m, GoRequest: m.request.name, GoReply: m.reply.name})
		for _, path := range slices.Concat(m.request.imports, m.reply.imports) {
			methods[path] = true
		}
	}
	for _, t := range c.Types {
		if t.Kind != Enum || t.Fallback == "" {
			continue
		}
		v.Enums = append(v.Enums, enumView{GoName: t.goType.name, Fallback: t.Fallback, Values: t.Values})
		for _, path := range t.goType.imports {
			enums[path] = true
		}
	}
	v.MethodImports, v.EnumImports = slices.Sorted(maps.Keys(methods)), slices.Sorted(maps.Keys(enums))
	return v
}

// Files are what is generated from the contract, by absolute path.
func (c *Contract) Files() (map[string][]byte, error) {
	release, ok, err := c.LastRelease()
	if err != nil {
		return nil, err
	}
	previous := ""
	if ok {
		previous = release.Contract.Hash()
	}
	templates, err := template.ParseFS(sources, "templates/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	files := map[string][]byte{filepath.Join(c.dir, "testdata", "contract.golden"): c.Golden()}
	for name, from := range outputs {
		var text bytes.Buffer
		if err := templates.ExecuteTemplate(&text, from, c.view(previous)); err != nil {
			return nil, fmt.Errorf("generate %s: %w", name, err)
		}
		source, err := format.Source(text.Bytes())
		if err != nil {
			return nil, fmt.Errorf("generate %s: %w", name, err)
		}
		files[filepath.Join(c.dir, c.Module+"rpc", name)] = source
	}
	return files, nil
}

// Write brings what is generated up to date and names the files that it changed.
func (c *Contract) Write() (changed []string, err error) {
	stale, err := c.Stale()
	if err != nil {
		return nil, err
	}
	files, err := c.Files()
	if err != nil {
		return nil, err
	}
	for _, path := range stale {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // source, for everyone
			return changed, fmt.Errorf("write %s: %w", path, err)
		}
		if err := os.WriteFile(path, files[path], 0o644); err != nil { //nolint:gosec // source, for everyone
			return changed, fmt.Errorf("write %s: %w", path, err)
		}
		changed = append(changed, path)
	}
	return changed, nil
}

// Stale names the generated files that are missing or not what would be generated.
func (c *Contract) Stale() ([]string, error) {
	files, err := c.Files()
	if err != nil {
		return nil, err
	}
	var stale []string
	for path, want := range files {
		got, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("compare with what is there: %w", err)
		}
		if err != nil || !bytes.Equal(got, want) {
			stale = append(stale, path)
		}
	}
	slices.SortFunc(stale, cmp.Compare)
	return stale, nil
}

// Broken says what breaks the last release.
func (c *Contract) Broken() ([]Difference, error) {
	release, ok, err := c.LastRelease()
	if err != nil || !ok {
		return nil, err
	}
	return Compatible(release.Contract, c), nil
}

// Freeze keeps the contract as that of a release, for ever.
func (c *Contract) Freeze(version string) (path string, err error) {
	name := "contract." + version + ".golden"
	if !frozen.MatchString(name) {
		return "", fmt.Errorf("%q is not a version like v1.2", version)
	}
	path = filepath.Join(c.dir, "testdata", name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // source, for everyone
	if err != nil {
		return "", fmt.Errorf("freeze the contract (a frozen one is never written again): %w", err)
	}
	_, err = f.Write(c.Golden())
	return path, errors.Join(err, f.Close())
}
