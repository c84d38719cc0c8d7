package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker (make build); without, the build info knows it.
var version string

func versionCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which souk this is",
		Example:     "  souk version",
		Args:        cobra.NoArgs,
		Annotations: map[string]string{worksAnyway: "yes"},
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(w.stdout, "souk %s%s (%s %s/%s)\n", soukVersion(), revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// soukVersion is the version in one word.
func soukVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// revision is the commit that souk was built from, as far as it is known.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit, at, changed := "", "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			at = " of " + s.Value
		case "vcs.modified":
			if s.Value == "true" {
				changed = ", changed since"
			}
		}
	}
	if commit == "" {
		return ""
	}
	return ", commit " + commit + at + changed
}

// missingTags is what this binary was built without and cannot do without.
func missingTags() []string {
	var missing []string
	if !hasCgo {
		missing = append(missing, "cgo (SQLite needs a C compiler)")
	}
	if !hasFullText {
		missing = append(missing, "full-text search (the build tag sqlite_fts5)")
	}
	return missing
}
