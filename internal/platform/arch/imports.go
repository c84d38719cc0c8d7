package arch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// within says whether a slash-separated path is folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func withinAny(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return within(path, f) })
}

// The rooms of a module, and the other places a folder can be.
const (
	roomContract = "contract"
	roomService  = "svc"
	roomRPC      = "rpc"
	roomTest     = "test"
	roomOther    = "other" // a folder below a module that is none of its rooms
	roomPages    = "whole" // a module without a contract is one room
	atProgram    = "program"
	atPlatform   = "platform"
	atHouse      = "house"
	atData       = "migrations"
	atUnknown    = "unknown"
)

// where says what a folder is: a room of a module, or another place of the tree.
func (c *checker) where(dir string) (module, room string) {
	switch {
	case within(dir, c.rules.Program):
		return "", atProgram
	case within(dir, c.rules.Platform):
		return "", atPlatform
	case withinAny(dir, c.rules.Houses):
		return "", atHouse
	case within(dir, "migrations"):
		return "", atData
	}
	rest, ok := strings.CutPrefix(dir, "internal/")
	if !ok {
		return "", atUnknown
	}
	name, below, _ := strings.Cut(rest, "/")
	m, known := c.modules[name]
	switch {
	case !known:
		return "", atUnknown
	case !m.Contract:
		return name, roomPages
	case below == "":
		return name, roomContract
	case within(below, name+roomService):
		return name, roomService
	case within(below, name+roomRPC):
		return name, roomRPC
	case within(below, name+roomTest):
		return name, roomTest
	}
	return name, roomOther
}

func (c *checker) checkFile(dir string, f File) {
	module, room := c.where(dir)
	switch room {
	case atUnknown:
		c.report(f.Name, 1, "module", fmt.Sprintf("the rules know no module at %q", orRoot(dir)),
			"move it into a module or the platform, or add the module to the rules and to the design with what it may ask")
		return
	case roomOther:
		c.report(f.Name, 1, "module", fmt.Sprintf("%s is none of the rooms of %s", dir, module),
			fmt.Sprintf("move it to %[1]s, %[1]ssvc (or %[1]ssvc/internal), %[1]srpc or %[1]stest", module))
	}
	for _, i := range f.Imports {
		c.checkReservedImport(dir, f, i)
		if to, ours := c.ours(i.Path); ours {
			c.checkImport(dir, f, i, to)
		}
	}
	for _, u := range f.Uses {
		c.checkUse(dir, f, u)
	}
	for _, t := range f.Strings {
		c.checkSQL(dir, f, t)
	}
}

func orRoot(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

// ours is the folder of an import path of this tree.
func (c *checker) ours(path string) (dir string, ours bool) {
	if path == c.rules.Root {
		return "", true
	}
	return strings.CutPrefix(path, c.rules.Root+"/")
}

// place of the file that imports, in the words of a message.
func (c *checker) name(dir string) string {
	module, room := c.where(dir)
	if module != "" {
		return module
	}
	switch room {
	case atPlatform:
		return "the platform"
	case atProgram:
		return "the program"
	}
	return dir
}

func (c *checker) checkImport(dir string, f File, i Import, to string) {
	from, fromRoom := c.where(dir)
	target, toRoom := c.where(to)
	if target != "" && from != "" && target != from {
		c.edge(from, target, f, i)
	}
	deny := func(rule, what, mend string) { c.report(f.Name, i.Line, rule, what, mend) }

	switch toRoom {
	case atUnknown:
		deny("module", fmt.Sprintf("%s imports %q, and the rules know no module there", c.name(dir), i.Path),
			"add the module to the rules with what it may ask, or move the package")
	case atPlatform:
		c.checkPlatformImport(dir, f, i, to)
	case atProgram:
		if fromRoom != atProgram {
			deny("import", fmt.Sprintf("%s imports the program", c.name(dir)), "move what it needs to a package below internal/")
		}
	case atHouse:
		if fromRoom != atProgram && !within(dir, to) {
			deny("import", fmt.Sprintf("%s imports %s, which is for the program alone", c.name(dir), to), "pass in what it needs as a value")
		}
	case atData:
		c.checkDataImport(dir, f, i)
	default:
		c.checkModuleImport(dir, f, i, to)
	}
}

func (c *checker) edge(from, to string, f File, i Import) {
	if c.edges[from] == nil {
		c.edges[from] = map[string]place{}
	}
	if _, ok := c.edges[from][to]; !ok {
		c.edges[from][to] = place{file: f.Name, line: i.Line}
	}
}

// isTestPackage says whether a folder is for tests: a module's …test or the platform's.
func (c *checker) isTestPackage(dir string) bool {
	_, room := c.where(dir)
	if room == roomTest {
		return true
	}
	if room != atPlatform {
		return false
	}
	for _, part := range strings.Split(dir, "/") {
		if strings.HasSuffix(part, "test") {
			return true
		}
	}
	return false
}

// checkPlatformImport lets everyone use the platform, but its …test packages only in tests.
func (c *checker) checkPlatformImport(dir string, f File, i Import, to string) {
	if c.isTestPackage(to) && !f.Test && !c.isTestPackage(dir) {
		c.report(f.Name, i.Line, "test", fmt.Sprintf("%s imports %q outside its tests", c.name(dir), i.Path),
			"use it in a _test.go file or in a …test package only")
	}
}

// checkDataImport keeps the embedded migrations to those who open databases for modules.
func (c *checker) checkDataImport(dir string, f File, i Import) {
	_, room := c.where(dir)
	if room != atProgram && room != atData && !(room == atPlatform && c.isTestPackage(dir)) {
		c.report(f.Name, i.Line, "import", fmt.Sprintf("%s imports %q", c.name(dir), i.Path),
			"take the opened database in Config; the program opens it, and in tests the platform's …test package")
	}
}

// checkModuleImport is the heart: who may import which room of which module.
func (c *checker) checkModuleImport(dir string, f File, i Import, to string) {
	from, fromRoom := c.where(dir)
	target, toRoom := c.where(to)
	test := f.Test || fromRoom == roomTest
	deny := func(rule, what, mend string) { c.report(f.Name, i.Line, rule, what, mend) }

	if fromRoom == atPlatform || fromRoom == atData || fromRoom == atHouse {
		deny("import", fmt.Sprintf("%s imports the module %s", c.name(dir), target),
			"turn it round: let the module hand in a value, an interface or a function")
		return
	}
	if toRoom == roomTest && !test {
		deny("test", fmt.Sprintf("%s imports %q outside its tests", c.name(dir), i.Path),
			"use it in a _test.go file or in a …test package only")
		return
	}
	if fromRoom == atProgram {
		return // it wires every room
	}
	if from == target {
		c.checkOwnImport(dir, f, i, to)
		return
	}
	if !slices.Contains(c.modules[from].Asks, target) {
		deny("import", fmt.Sprintf("%s imports %s, which it may not ask (it may ask %s)", from, target, listOf(c.modules[from].Asks)),
			fmt.Sprintf("let the caller pass in what is needed from %s, hear its events where that is allowed, or change the graph in the rules and the design", target))
		return
	}
	switch toRoom {
	case roomContract, roomTest:
	default:
		deny("import", fmt.Sprintf("%s imports %q, a room of %s other than its contract", from, i.Path, target),
			fmt.Sprintf("import %s/internal/%s and ask through its Service", c.rules.Root, target))
	}
}

// checkOwnImport keeps the direction inside a module: the contract stands alone, what is
// generated and what tests stand on the contract, the service on the contract.
func (c *checker) checkOwnImport(dir string, f File, i Import, to string) {
	module, fromRoom := c.where(dir)
	_, toRoom := c.where(to)
	if f.Test || fromRoom == toRoom || toRoom == roomContract || fromRoom == roomPages {
		return
	}
	if fromRoom == roomTest && toRoom == roomRPC {
		return
	}
	mend := fmt.Sprintf("only the program and %s's own _test.go files put %s's rooms together", module, module)
	if fromRoom == roomContract {
		mend = "a contract is types and their validation: move what it needs into it, or the code that needs it into the service"
	}
	c.report(f.Name, i.Line, "import", fmt.Sprintf("%s imports %q from its %s room", module, i.Path, fromRoom), mend)
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// checkReservedImport keeps whole packages to the folders that they are reserved for.
func (c *checker) checkReservedImport(dir string, f File, i Import) {
	for _, r := range c.rules.Reserved {
		if len(r.Names) == 0 && within(i.Path, r.Import) && !withinAny(dir, r.In) {
			c.report(f.Name, i.Line, "reserved", fmt.Sprintf("%s imports %q, which only %s may", c.name(dir), i.Path, strings.Join(r.In, ", ")), r.Why)
		}
	}
}

// checkUse keeps names of packages to the folders that they are reserved for, and
// <m>svc.New to the program and the module's own tests.
func (c *checker) checkUse(dir string, f File, u Use) {
	for _, r := range c.rules.Reserved {
		if u.Path != r.Import || withinAny(dir, r.In) || len(r.Names) == 0 {
			continue
		}
		switch {
		case u.Name == ".":
			c.report(f.Name, u.Line, "reserved", fmt.Sprintf("%s imports %q with a dot, which hides what it uses of it", c.name(dir), u.Path), "give the import its name back")
		case slices.Contains(r.Names, u.Name):
			c.report(f.Name, u.Line, "reserved", fmt.Sprintf("%s uses %s.%s, which only %s may", c.name(dir), u.Path, u.Name, strings.Join(r.In, ", ")), r.Why)
		}
	}
	to, ours := c.ours(u.Path)
	target, toRoom := c.where(to)
	if !ours || toRoom != roomService || to != "internal/"+target+"/"+target+roomService || (u.Name != "New" && u.Name != ".") {
		return
	}
	from, fromRoom := c.where(dir)
	if fromRoom != atProgram && !(f.Test && from == target) {
		c.report(f.Name, u.Line, "new", fmt.Sprintf("%s uses %ssvc.New", c.name(dir), target),
			fmt.Sprintf("take a %s.Service in Config; the program makes it, and a test takes %stest's fake", target, target))
	}
}
