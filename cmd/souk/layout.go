package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"souk/internal/house"
	"souk/internal/platform/config"
)

// pagesModule is the module that has the pages: who has it serves the whole address space.
const pagesModule = "storefront"

// layout says which modules are in this process, and where the others are.
type layout struct {
	here   []string            // in the order in which they are opened, the pages last
	remote map[string]*url.URL // the private side of the process that has a module
}

// oneProcess is the layout of one process that has all.
func oneProcess() layout {
	return layout{here: append(slices.Clone(moduleNames), pagesModule), remote: map[string]*url.URL{}}
}

// newLayout reads --modules and --remote. What souk cannot work with is a mistake that says what to
// add.
func newLayout(modules, remotes []string) (layout, error) {
	l := oneProcess()
	all := l.here
	if len(modules) > 0 {
		for _, name := range modules {
			if !slices.Contains(all, name) {
				return l, config.Mistakef("--modules: there is no module %q; there are %s", name, strings.Join(all, ", "))
			}
		}
		l.here = slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !slices.Contains(modules, name) })
	}
	for _, text := range remotes {
		names, address, ok := strings.Cut(text, "=")
		to, err := url.Parse(address)
		if !ok || err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" || strings.Trim(to.Path, "/") != "" {
			return l, config.Mistakef("--remote %s is not MODULE=http://host:port", text)
		}
		to.Path = "/"
		for name := range strings.SplitSeq(names, "+") {
			switch {
			case !slices.Contains(moduleNames, name):
				return l, config.Mistakef("--remote: there is no module %q to ask; there are %s", name, strings.Join(moduleNames, ", "))
			case l.has(name) && len(modules) == 0:
				l.here = slices.DeleteFunc(l.here, func(h string) bool { return h == name })
			case l.has(name):
				return l, config.Mistakef("%s is in --modules and in --remote; it can be in one process only", name)
			}
			l.remote[name] = to
		}
	}
	return l, l.complete()
}

// complete says what is neither here nor remote and is asked by what is here.
func (l layout) complete() error {
	missing := func(asker, name string) error {
		return config.Mistakef("%s asks %s, which is neither here nor remote: add it to --modules, or say --remote %s=http://host:port",
			asker, name, name)
	}
	for _, m := range house.Modules() {
		if !l.has(m.Name) {
			continue
		}
		for _, asked := range m.Asks {
			if slices.Contains(moduleNames, asked) && !l.knows(asked) {
				return missing(m.Name, asked)
			}
		}
	}
	if !l.knows("accounts") {
		return missing("whoever serves requests", "accounts")
	}
	return nil
}

// has says whether the module is in this process.
func (l layout) has(name string) bool { return slices.Contains(l.here, name) }

// knows says whether the module can be asked.
func (l layout) knows(name string) bool { return l.has(name) || l.remote[name] != nil }

// whole says whether everything is in this process.
func (l layout) whole() bool { return len(l.here) == len(moduleNames)+1 }

// stored are the modules of this process that keep something.
func (l layout) stored() []string {
	return slices.DeleteFunc(slices.Clone(l.here), func(name string) bool { return name == pagesModule })
}

// elsewhere are the modules of other processes, by name.
func (l layout) elsewhere() []string { return slices.Sorted(maps.Keys(l.remote)) }

// processes is one module of each process that is a neighbour.
func (l layout) processes() []string {
	var out []string
	seen := map[string]bool{}
	for _, name := range l.elsewhere() {
		if at := l.remote[name].String(); !seen[at] {
			seen[at] = true
			out = append(out, name)
		}
	}
	return out
}

// process names this process among its neighbours.
func (l layout) process() string {
	if l.whole() {
		return "souk"
	}
	return "souk-" + strings.Join(l.here, "-")
}

// holds says whether the process of that name has the module; "" is all of them.
func holds(process, module string) bool {
	return process == "souk" || module != "" && slices.Contains(strings.Split(process, "-"), module)
}

// mayCall are who may ask a module from another process: its own graph, and the edge where that needs it.
func mayCall(name string) []string {
	by := house.AskedBy(name)
	if name == "accounts" {
		by = append(by, edgeCaller) // who is asking
	}
	return by
}

// edgeCaller is the name by which a process asks for its own HTTP side: who is asking, and
// what is passed on to another process.
const edgeCaller = "edge"

// everyCaller is every name that a neighbour may have.
func everyCaller() []string {
	names := []string{edgeCaller}
	for _, m := range house.Modules() {
		names = append(names, m.Name)
	}
	return names
}

// String says what is where, for the log.
func (l layout) String() string {
	text := strings.Join(l.here, ", ")
	for _, name := range l.elsewhere() {
		text += fmt.Sprintf("; %s at %s", name, l.remote[name])
	}
	return text
}
