// Command gen writes what is generated from a contract package: the <module>rpc package and
// the golden contract. In the contract package:
//
//	//go:generate go run souk/internal/platform/rpc/gen
//
// It refuses a contract that breaks a rule, with file, line and how to mend it. Arguments
// are directories of contract packages, by default the current one; of several, those
// without a Service interface are passed over.
//
//	gen [-check] [-freeze vX] [DIR …]
//
// -check writes nothing and fails when something would be written, or when the contract
// breaks that of the last release. -freeze keeps the contract as that of a release.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"souk/internal/platform/rpc/contract"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "write nothing; fail when something would be written or the last release is broken")
	freeze := flags.String("freeze", "", "keep the contract as that of this `release` (v1, v1.2)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	dirs := flags.Args()
	if len(dirs) == 0 {
		dirs = []string{"."}
	}
	status := 0
	for _, dir := range dirs {
		if len(dirs) > 1 && !contract.Is(dir) {
			continue
		}
		if err := one(dir, *check, *freeze, stdout); err != nil {
			_, _ = fmt.Fprintln(stderr, err)
			status = 1
		}
	}
	return status
}

// one generates from, or checks, the contract in one directory.
func one(dir string, check bool, freeze string, stdout io.Writer) error {
	c, err := contract.Load(dir)
	var violations contract.Violations
	if errors.As(err, &violations) {
		return violations.In(dir)
	}
	if err != nil {
		return err
	}
	if check {
		return verify(c)
	}
	if freeze != "" {
		path, err := c.Freeze(freeze)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(stdout, "froze", short(path))
	}
	changed, err := c.Write()
	for _, path := range changed {
		_, _ = fmt.Fprintln(stdout, "wrote", short(path))
	}
	return err
}

func verify(c *contract.Contract) error {
	stale, err := c.Stale()
	if err != nil {
		return err
	}
	var problems []error
	for _, path := range stale {
		problems = append(problems, fmt.Errorf("%s is not what the contract of %s generates: run go generate there", short(path), c.Module))
	}
	broken, err := c.Broken()
	if err != nil {
		return err
	}
	for _, d := range broken {
		problems = append(problems, fmt.Errorf("the contract of %s breaks the last release: %s", c.Module, d))
	}
	return errors.Join(problems...)
}

// short is a path as seen from here.
func short(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil {
		return rel
	}
	return path
}
