package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
)

// shells are those that completions are made for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func completionCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use: "completion SHELL", Short: "Print what completes souk's commands in a shell",
		Long: "Prints a script that lets a shell (" + strings.Join(shells, ", ") + ") complete souk's commands and flags.",
		Example: "  source <(souk completion bash)\n" +
			"  souk completion zsh > \"${fpath[1]}/_souk\"\n" +
			"  souk completion fish > ~/.config/fish/completions/souk.fish",
		ValidArgs:        shells,
		Annotations:      map[string]string{worksAnyway: "yes"},
		PersistentPreRun: func(*cobra.Command, []string) {}, // it needs no settings
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return config.Mistakef("completions are for one of %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(w.stdout, true)
			case "zsh":
				return root.GenZshCompletion(w.stdout)
			case "fish":
				return root.GenFishCompletion(w.stdout, true)
			default:
				return root.GenPowerShellCompletionWithDesc(w.stdout)
			}
		},
	}
}
