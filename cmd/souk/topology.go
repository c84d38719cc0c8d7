package main

import (
	"fmt"
	"slices"
	"strings"

	"souk/internal/house"
)

// topology says which processes a souk is made of, and which modules each has. The first has the pages,
// and so the address that people go to.
type topology struct {
	Name      string     `json:"name"`
	Says      string     `json:"says"`
	Processes [][]string `json:"processes"`
	Replicas  bool       `json:"-"` // each process has everything, on one PostgreSQL database
}

// topologies are those that souk is tried in, from one process to one for every module.
func topologies() []topology {
	all := oneProcess().here
	list := []topology{{Name: "one", Says: "everything in one process, which is the default", Processes: [][]string{all}}}
	for _, out := range moduleNames {
		rest := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == out })
		list = append(list, topology{
			Name: out + "-out", Says: out + " in a process of its own, the rest in another", Processes: [][]string{rest, {out}},
		})
	}
	apart := topology{Name: "apart", Says: "every module in a process of its own", Processes: [][]string{{pagesModule}}}
	for _, name := range moduleNames {
		apart.Processes = append(apart.Processes, []string{name})
	}
	return append(list, apart)
}

// upTopologies are those that `souk up` starts: these, and one of full processes.
func upTopologies() []topology {
	all := oneProcess().here
	return append(topologies(), topology{
		Name: "replicas", Says: "three processes with everything, on one PostgreSQL database and behind a balancer",
		Processes: [][]string{all, all, all}, Replicas: true,
	})
}

// topologyNamed finds one by its name.
func topologyNamed(name string) (topology, bool) {
	all := upTopologies()
	i := slices.IndexFunc(all, func(t topology) bool { return t.Name == name })
	if i < 0 {
		return topology{}, false
	}
	return all[i], true
}

// arguments are those of `souk serve` that make process i what it is, beside where it listens to the
// public: at[i] is the address of process i's private side.
func (t topology) arguments(i int, at []string) []string {
	if len(t.Processes) == 1 || t.Replicas {
		return nil
	}
	here := t.Processes[i]
	args := []string{"--modules", strings.Join(here, ","), "--private", at[i]}
	for j, modules := range t.Processes {
		if j == i {
			continue
		}
		var asked []string
		for _, name := range modules {
			if name != pagesModule && t.asks(i, name) {
				asked = append(asked, name)
			}
		}
		if len(asked) > 0 {
			args = append(args, "--remote", fmt.Sprintf("%s=http://%s", strings.Join(asked, "+"), at[j]))
		}
	}
	return args
}

// asks says whether anything in process i asks that module. Whoever serves requests asks accounts.
func (t topology) asks(i int, module string) bool {
	return module == "accounts" || slices.ContainsFunc(house.AskedBy(module), func(by string) bool { return slices.Contains(t.Processes[i], by) })
}
