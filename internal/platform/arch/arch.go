// Package arch holds a tree of Go packages to a stated architecture.
//
// Rules say which modules there are, who may ask whom and what is reserved for one place;
// package load reads what a tree really imports and which tables its SQL names; Check
// compares the two and denies by default. It knows the rooms that every module has, and
// nothing of any module:
//
//	internal/cart            the contract     may be imported by those who may ask cart
//	internal/cart/cartsvc    the module       New is called by the program and by cart's own tests
//	internal/cart/cartrpc    generated        for the program, and for cart's own tests
//	internal/cart/carttest   suite and fake   for the tests of cart and of those who may ask it
package arch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Rules are an architecture as data.
type Rules struct {
	Root     string     // the Go module's path
	Modules  []Module   // every module there is
	Program  string     // the folder of the program that wires the modules: "cmd/souk"
	Platform string     // the folder of what every module stands on: "internal/platform"
	Reserved []Reserved // what only some folders may use
	Houses   []string   // folders that are no module, ask none, and serve the Program: the rules, say
}

// Module is one module and whom it may ask or hear.
type Module struct {
	Name     string   // its folder under internal/
	Contract bool     // whether others can ask it; without, it has no rooms
	Asks     []string // the modules whose contracts it may import
}

// Reserved is something that only some folders may use.
type Reserved struct {
	Import string   // an import path, with everything below it …
	Names  []string // … or only these names of it
	In     []string // the folders that may, with everything below them
	Why    string   // what to do instead, for the message
}

// Violation is one place where the tree breaks a rule, and how to mend it.
type Violation struct {
	File string // relative to the tree's root
	Line int
	Rule string // which kind of rule: "import", "cycle", "module", "reserved", "new", "test", "table", "sql", "rules"
	What string
	Mend string
}

// String is the violation as one line that editors can jump from.
func (v Violation) String() string {
	return fmt.Sprintf("%s:%d: [%s] %s. To mend it: %s", v.File, v.Line, v.Rule, v.What, v.Mend)
}

// Tree is what was read from disk.
type Tree struct {
	Packages []Package
	Tables   map[string][]string // by module, from its migrations; "" are the platform's
}

// Package is one folder's Go files.
type Package struct {
	Dir   string // slash-separated, relative to the tree's root; "" is the root itself
	Files []File
}

// File is what Check needs to know of one Go file.
type File struct {
	Name    string // relative to the tree's root
	Test    bool
	Imports []Import
	Uses    []Use
	Strings []Text // constant strings, concatenated as the compiler does
}

// Import is one import declaration.
type Import struct {
	Path string
	Line int
}

// Use is one mention of another package's exported name.
type Use struct {
	Path, Name string
	Line       int
}

// Text is one constant string of a file.
type Text struct {
	Value string
	Line  int
	Raw   bool // one back-quoted literal, so that a line inside it is a line of the file
}

// Check compares a tree with the rules and returns every violation, by file and line.
func Check(rules Rules, tree Tree) []Violation {
	c := newChecker(rules, tree)
	c.checkRules()
	for _, p := range tree.Packages {
		for _, f := range p.Files {
			c.checkFile(p.Dir, f)
		}
	}
	c.checkCycles()
	slices.SortFunc(c.found, func(a, b Violation) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.What, b.What))
	})
	return slices.Compact(c.found)
}

type checker struct {
	rules   Rules
	tree    Tree
	modules map[string]Module
	edges   map[string]map[string]place // which module really imports which, and where first
	tables  map[string]string           // table → the module whose migrations make it
	made    map[string]map[string]bool  // by folder: tables that its constant SQL makes
	found   []Violation
}

type place struct {
	file string
	line int
}

func newChecker(rules Rules, tree Tree) *checker {
	c := &checker{
		rules: rules, tree: tree,
		modules: map[string]Module{}, edges: map[string]map[string]place{},
		tables: map[string]string{}, made: map[string]map[string]bool{},
	}
	for _, m := range rules.Modules {
		c.modules[m.Name] = m
	}
	for owner, tables := range tree.Tables {
		for _, t := range tables {
			c.tables[strings.ToLower(t)] = owner
		}
	}
	for _, p := range tree.Packages {
		c.made[p.Dir] = tablesMade(p, within(p.Dir, rules.Platform))
	}
	return c
}

func (c *checker) report(f string, line int, rule, what, mend string) {
	c.found = append(c.found, Violation{File: f, Line: line, Rule: rule, What: what, Mend: mend})
}

// checkRules looks at the rules themselves: names that exist, and a graph without a cycle.
func (c *checker) checkRules() {
	const file = "the rules"
	asks := map[string]map[string]place{}
	for _, m := range c.rules.Modules {
		asks[m.Name] = map[string]place{}
		for _, asked := range m.Asks {
			other, known := c.modules[asked]
			switch {
			case !known:
				c.report(file, 0, "rules", fmt.Sprintf("%s may ask %s, which is no module", m.Name, asked), "name a module, or add it")
			case !other.Contract:
				c.report(file, 0, "rules", fmt.Sprintf("%s may ask %s, which has no contract", m.Name, asked), "take the arrow out")
			}
			asks[m.Name][asked] = place{file: file}
		}
	}
	for _, ring := range cycles(asks) {
		c.report(file, 0, "cycle", "who may ask whom goes round: "+strings.Join(ring, " → "),
			"take one arrow out; what flows back is an event that the other module hears")
	}
}

// checkCycles looks for rings among the modules' real imports, allowed or not.
func (c *checker) checkCycles() {
	for _, ring := range cycles(c.edges) {
		at := c.edges[ring[0]][ring[1]]
		c.report(at.file, at.line, "cycle", "the modules import each other in a ring: "+strings.Join(ring, " → "),
			"let one of them hear the other's events instead of asking it")
	}
}

// cycles returns each ring of a graph once, from its smallest name back to it.
func cycles(graph map[string]map[string]place) [][]string {
	var rings [][]string
	seen := map[string]bool{}
	var path []string
	var visit func(string)
	visit = func(n string) {
		if i := slices.Index(path, n); i >= 0 {
			ring := fromSmallest(path[i:])
			if key := strings.Join(ring, " "); !seen[key] {
				seen[key] = true
				rings = append(rings, append(ring, ring[0]))
			}
			return
		}
		path = append(path, n)
		for _, next := range sortedKeys(graph[n]) {
			visit(next)
		}
		path = path[:len(path)-1]
	}
	for _, n := range sortedKeys(graph) {
		visit(n)
	}
	return rings
}

func fromSmallest(ring []string) []string {
	i := slices.Index(ring, slices.Min(ring))
	return append(slices.Clone(ring[i:]), ring[:i]...)
}
