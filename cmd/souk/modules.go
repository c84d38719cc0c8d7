package main

import (
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"souk/internal/accounts/accountsrpc"
	"souk/internal/cart/cartrpc"
	"souk/internal/catalog/catalogrpc"
	"souk/internal/house"
	"souk/internal/orders/ordersrpc"
	"souk/internal/payments/paymentsrpc"
	"souk/internal/platform/config"
	"souk/internal/platform/rpc"
	"souk/internal/search/searchrpc"
	"souk/migrations"
)

// moduleInfo is what `souk modules` says of a module.
type moduleInfo struct {
	house.Module
	AskedBy  []string      `json:"asked_by"`
	Contract *rpc.Contract `json:"contract"` // nil for a module that nobody asks
	Hears    []string      `json:"hears"`    // whose events
	Tables   []string      `json:"tables"`
}

// contracts are those of all modules that have one.
func contracts() map[string]rpc.Contract {
	all := map[string]rpc.Contract{}
	for _, c := range []rpc.Contract{
		accountsrpc.Contract, catalogrpc.Contract, searchrpc.Contract, cartrpc.Contract, paymentsrpc.Contract, ordersrpc.Contract,
	} {
		all[c.Module] = c
	}
	return all
}

// hears is whose events each module follows. A test compares it with what is wired.
var hears = map[string][]string{"accounts": {"catalog"}, "search": {"catalog", "orders"}, "orders": {"payments"}}

var createTable = regexp.MustCompile(`(?i)CREATE\s+(?:VIRTUAL\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?["']?([a-z_0-9]+)`)

// tablesOf are the tables that a module's migrations make.
func tablesOf(module string) ([]string, error) {
	files := migrations.SQLite(module)
	tables := []string{}
	if files == nil {
		return tables, nil
	}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		for _, m := range createTable.FindAllStringSubmatch(string(text), -1) {
			tables = append(tables, m[1])
		}
		return nil
	})
	slices.Sort(tables)
	return slices.Compact(tables), err
}

// describeModules collects what there is to say.
func describeModules() ([]moduleInfo, error) {
	all := contracts()
	var out []moduleInfo
	for _, m := range house.Modules() {
		c, known := all[m.Name]
		if m.Contract && !known {
			continue // not built yet
		}
		tables, err := tablesOf(m.Name)
		if err != nil {
			return nil, fmt.Errorf("read the migrations of %s: %w", m.Name, err)
		}
		info := moduleInfo{Module: m, AskedBy: house.AskedBy(m.Name), Hears: append([]string{}, hears[m.Name]...), Tables: tables}
		if known {
			info.Contract = &c
		}
		out = append(out, info)
	}
	return out, nil
}

func modulesCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "modules [MODULE]", Short: "Show the modules: what can be asked of each, its events and tables, and who may ask whom",
		Example: "  souk modules\n  souk modules cart\n  souk modules --format mermaid > modules.mmd", Args: between(0, 1),
	}
	format := cmd.Flags().String("format", "text", "text, json or mermaid")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		all, err := describeModules()
		if err != nil {
			return err
		}
		if len(args) == 1 {
			all = slices.DeleteFunc(all, func(m moduleInfo) bool { return m.Name != args[0] })
			if len(all) == 0 {
				return config.Mistakef("there is no module %s", args[0])
			}
		}
		switch *format {
		case "text":
			return printModules(w.stdout, all)
		case "json":
			return writeJSON(w.stdout, all)
		case "mermaid":
			return printMermaid(w.stdout, all)
		default:
			return config.Mistakef("--format is text, json or mermaid")
		}
	}
	return cmd
}

func printModules(w io.Writer, all []moduleInfo) error {
	var b strings.Builder
	for i, m := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s: %s\n", m.Name, m.Says)
		line := func(what string, names []string) {
			if len(names) > 0 {
				fmt.Fprintf(&b, "  %-10s %s\n", what, strings.Join(names, ", "))
			}
		}
		line("may ask", m.Asks)
		line("asked by", m.AskedBy)
		line("hears", m.Hears)
		line("tables", m.Tables)
		if m.Contract == nil {
			continue
		}
		var events []string
		for _, e := range m.Contract.Events {
			events = append(events, e.Name)
		}
		line("publishes", events)
		var reads, commands []string
		for _, method := range m.Contract.Methods {
			if method.Command {
				commands = append(commands, method.Name)
			} else {
				reads = append(reads, method.Name)
			}
		}
		line("reads", reads)
		line("commands", commands)
		fmt.Fprintf(&b, "  %-10s %s\n", "contract", m.Contract.Hash)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printMermaid draws who asks (solid) and who hears (dotted) whom.
func printMermaid(w io.Writer, all []moduleInfo) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	shown := map[string]bool{}
	for _, m := range all {
		shown[m.Name] = true
		fmt.Fprintf(&b, "  %s[\"%s<br/><small>%s</small>\"]\n", m.Name, m.Name, m.Says)
	}
	for _, m := range all {
		for _, asked := range m.Asks {
			if shown[asked] && !slices.Contains(m.Hears, asked) {
				fmt.Fprintf(&b, "  %s --> %s\n", m.Name, asked)
			}
		}
		for _, heard := range m.Hears {
			if shown[heard] {
				fmt.Fprintf(&b, "  %s -->|asks| %s\n  %s -.->|events| %s\n", m.Name, heard, heard, m.Name)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
