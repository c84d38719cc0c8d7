package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"souk/internal/orders"
	"souk/internal/platform/clock"
	"souk/internal/platform/config"
	"souk/internal/platform/rpc"
)

// The exit statuses.
const (
	exitOK      = 0
	exitFailed  = 1 // souk could not do it
	exitMistake = 2 // what was asked makes no sense
)

// world is what a command may touch of the world outside.
type world struct {
	getenv func(string) string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	// at is called at each named point of a checkout; tests end the process there.
	at     func(point string, order orders.OrderID)
	probes probes

	// again is this program once more, with other arguments, where that is not what os.Executable says.
	again func(ctx context.Context, args []string) (*exec.Cmd, error)

	began bool // arguments and settings made sense; what fails now is souk
}

// probes are where tests reach in; the zero value changes nothing.
type probes struct {
	now   func() clock.Time        // by which processes sign and check what they send each other
	edge  func(*rpc.RemoteOptions) // changes how patiently modules of other processes are asked
	wired func(*app)               // sees what is wired, before it serves
}

// commands are all commands. Each lives in a file of its own and is added here.
func commands(w *world) []*cobra.Command {
	return []*cobra.Command{
		serveCommand(w), upCommand(w), logsCommand(w), adminCommand(w), importCommand(w), exportCommand(w), searchCommand(w),
		verifyCommand(w), backupCommand(w), restoreCommand(w),
		eventsCommand(w), jobsCommand(w), migrateCommand(w), dbCommand(w), modulesCommand(w), completionCommand(w), versionCommand(w),
	}
}

// run does what the arguments ask, and says with which status to exit.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	w := &world{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	return w.run(ctx, args)
}

func (w *world) run(ctx context.Context, args []string) int {
	root := rootCommand(w) //nolint:contextcheck // cobra hands ctx to the command that runs
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	// One line, whatever it is made of.
	_, _ = fmt.Fprintln(w.stderr, "souk: "+strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
	if config.IsMistake(err) || !w.began {
		return exitMistake
	}
	return exitFailed
}

func rootCommand(w *world) *cobra.Command {
	root := &cobra.Command{
		Use:   "souk",
		Short: "An online marketplace in one binary",
		Long: "souk is an online marketplace: many sellers list goods, a buyer fills one cart across them\n" +
			"and pays once, each seller ships its part and is paid out.\n\n" +
			"Every setting is a flag, else an environment variable (SOUK_LISTEN for --listen), else a line of\n" +
			"the file that --config names (listen = …), else its default.",
		Example:       "  souk serve --data ./data --listen localhost:8080",
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	root.CompletionOptions.DisableDefaultCmd = true // completionCommand refuses a shell that it does not know
	root.PersistentFlags().String("config", "", "`FILE` with settings, one name = value a line")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return config.Mistakef("%v (see %s --help)", err, cmd.CommandPath())
	})
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return w.begin(cmd) }
	root.AddCommand(commands(w)...)
	root.SetHelpCommand(helpCommand())
	for _, cmd := range root.Commands() {
		refuseUnknown(cmd)
	}
	return root
}

// refuseUnknown has commands that only hold others refuse what they do not know: cobra shows their
// help and takes that for success. Those that hold none have no unknown commands: what is too much is an argument.
func refuseUnknown(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		refuseUnknown(sub)
	}
	if check := cmd.Args; check != nil && !cmd.HasSubCommands() {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err != nil && !config.IsMistake(err) {
				return misused(cmd)
			}
			return err
		}
	}
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args, cmd.RunE = cobra.NoArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		cmd.Annotations = map[string]string{worksAnyway: "help"}
	}
}

// helpCommand is cobra's own, but one that does not take help about nothing for success.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command", Example: "  souk help events retry",
		Annotations:      map[string]string{worksAnyway: "help"},
		PersistentPreRun: func(*cobra.Command, []string) {}, // settings that cannot be read are no reason to be silent
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return config.Mistakef("there is no command %q (see souk --help)", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// begin fills in the settings and looks whether this binary can work at all.
func (w *world) begin(cmd *cobra.Command) error {
	all := map[string]bool{}
	visit(cmd.Root(), func(f *pflag.Flag) { all[f.Name] = true })
	sources := config.Sources{Getenv: w.getenv, Known: func(name string) bool { return all[name] }}

	file := cmd.Flags().Lookup("config")
	if !file.Changed {
		if named := w.getenv(config.Variable("config")); named != "" {
			if err := cmd.Flags().Set("config", named); err != nil {
				return err
			}
		}
	}
	sources.File = file.Value.String()
	if err := sources.Fill(cmd.Flags()); err != nil {
		return err
	}
	w.began = true
	if cmd.Annotations[worksAnyway] == "" {
		return checkBuild(missingTags())
	}
	return nil
}

// worksAnyway marks commands that do not need what a build tag brings.
const worksAnyway = "works-without-build-tags"

// visit calls fn with every flag of cmd and of the commands below it.
func visit(cmd *cobra.Command, fn func(*pflag.Flag)) {
	cmd.Flags().VisitAll(fn)
	cmd.PersistentFlags().VisitAll(fn)
	for _, sub := range cmd.Commands() {
		visit(sub, fn)
	}
}

// checkBuild says how to build souk so that it has what is missing.
func checkBuild(missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	return config.Mistakef("this souk was built without %s; build it with: CGO_ENABLED=1 go build -tags sqlite_fts5 ./cmd/souk",
		strings.Join(missing, " and "))
}

// addData gives cmd the flag --data.
func addData(cmd *cobra.Command) *string {
	return cmd.Flags().String("data", "./data", "folder that holds everything: `DIR`")
}

// writeJSON writes v for programs, and so that people can read it.
func writeJSON(to io.Writer, v any) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// openFolder makes the data folder if need be, and says plainly when it cannot be used.
func openFolder(dir string) (string, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the data folder %s: %w", dir, err)
	}
	if err := os.MkdirAll(full, 0o700); err != nil {
		return "", fmt.Errorf("the data folder %s cannot be made: %w", dir, bare(err))
	}
	probe, err := os.CreateTemp(full, ".probe-*")
	if err != nil {
		return "", fmt.Errorf("the data folder %s cannot be written: %w", dir, bare(err))
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return "", fmt.Errorf("the data folder %s cannot be written: %w", dir, bare(err))
	}
	return full, nil
}

// bare is err without the path, where the message names it already.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
