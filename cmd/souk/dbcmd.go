package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
	"souk/migrations"
)

func dbCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "db", Short: "Move the data between files and PostgreSQL",
		Example: "  souk db copy --from ./data --to postgres://souk@db.internal/souk",
	}
	cmd.AddCommand(dbCopyCommand(w))
	return cmd
}

func dbCopyCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "copy --from DIR --to postgres://…", Short: "Copy the databases from files to PostgreSQL, or back, while no souk runs on either",
		Long: "Copies every row of the modules' databases into databases of the other kind, which must be empty,\n" +
			"and then compares them row by row. Events, cursors, jobs and keys go on where they were. The source\n" +
			"stays as it is, and nobody can open the target before all is copied and compared.\n\n" +
			"The same command once more goes on with a copy that was interrupted. The search index is not copied:\n" +
			"it is a file in every data folder, and follows the catalogue's log by itself.\n\n" +
			"A password is out of sight in SOUK_FROM or SOUK_TO.",
		Example: "  souk db copy --from ./data --to postgres://souk@db.internal/souk\n" +
			"  souk db copy --from postgres://souk@db.internal/souk --to ./data2\n" +
			"  souk db copy --from ./data --to postgres://souk@db.internal/souk --modules cart,orders",
		Args: cobra.NoArgs,
	}
	from := cmd.Flags().String("from", "", "what is copied: a data folder, or postgres://…")
	to := cmd.Flags().String("to", "", "where it is copied to: the other of the two")
	modules := cmd.Flags().StringSlice("modules", nil, "only these `MODULES`, with commas between; default: all that keep something there")
	restart := cmd.Flags().Bool("restart", false, "throw away what an interrupted copy has brought, and begin anew")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		names, err := copiedModules(*modules)
		if err != nil {
			return err
		}
		return w.copyDatabases(cmd.Context(), *from, *to, names, *restart)
	}
	return cmd
}

// copiedModules are those asked for, or all that keep something in PostgreSQL.
func copiedModules(asked []string) ([]string, error) {
	all := slices.DeleteFunc(slices.Clone(moduleNames), func(name string) bool { return migrations.Postgres(name) == nil })
	for _, name := range asked {
		switch {
		case slices.Contains(all, name):
		case slices.Contains(moduleNames, name):
			return nil, config.Mistakef("--modules: %s keeps nothing in PostgreSQL; its file stays in the data folder and follows the log by itself", name)
		default:
			return nil, config.Mistakef("--modules: there is no module %q that keeps data; there are %s", name, strings.Join(all, ", "))
		}
	}
	if len(asked) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(asked, name) }), nil
}

// copyEnd is one end of a copy: a folder or an address.
type copyEnd struct{ dir, address string }

func isAddress(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// copyEnds reads --from and --to, and makes the target's folder.
func copyEnds(ctx context.Context, from, to string) (ends [2]copyEnd, err error) {
	switch {
	case from == "" || to == "":
		return ends, config.Mistakef("db copy wants --from and --to")
	case isAddress(from) == isAddress(to):
		return ends, config.Mistakef("one of --from and --to is a data folder, and the other an address like postgres://user@host/souk")
	case isAddress(from):
		ends[0].address = from
		ends[1].dir, err = openFolder(to)
	default:
		ends[1].address = to
		if ends[0].dir, err = filepath.Abs(from); err == nil {
			err = checkDB(ends[0].dir, "")
		}
	}
	if err != nil {
		return ends, err
	}
	dir := ends[0].dir + ends[1].dir
	running, err := control.Running(ctx, dir)
	if err == nil && len(running) > 0 {
		err = fmt.Errorf("%s is running on %s; stop it first", strings.Join(running, ", "), dir)
	}
	return ends, err
}

// copyDatabases copies all or nothing: no target can be opened before the last is compared.
func (w *world) copyDatabases(ctx context.Context, from, to string, names []string, restart bool) (err error) {
	ends, err := copyEnds(ctx, from, to)
	if err != nil {
		return err
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{Out: w.stderr, Level: "error", Version: soukVersion()})
	if err != nil {
		return err
	}
	defer closing(&err, func() error { return tel.Stop(context.WithoutCancel(ctx)) })
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w.stderr, format+"\n", args...) }
	var copies []*store.Copy
	var moved []string
	for _, name := range names {
		c, err := store.BeginCopy(ctx, store.CopyOptions{
			From: storeOptions(ends[0].dir, ends[0].address, name, tel), To: storeOptions(ends[1].dir, ends[1].address, name, tel),
			Restart: restart, Say: say,
		})
		if err != nil {
			return err
		}
		defer closing(&err, c.Close)
		if at := c.Finished(); !at.IsZero() {
			say("%s: was copied already, at %s; left as it is", name, at.UTC().Format("2006-01-02 15:04:05"))
			continue
		}
		copies, moved = append(copies, c), append(moved, name)
	}
	if len(copies) == 0 {
		return errors.New("everything was copied already, and is perhaps in use since; give another target, or remove it first")
	}
	t := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "MODULE\tTABLE\tROWS\tSHA-256") // Flush says what went wrong
	for i, c := range copies {
		tables, err := c.Run(ctx)
		if err != nil {
			return err
		}
		for _, table := range tables {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", moved[i], table.Name, table.Rows, table.Sum[:16])
		}
	}
	for _, c := range copies {
		if err := c.Finish(ctx); err != nil {
			return err
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return w.sayCopied(ends, names, moved)
}

// sayCopied says how to go on. Once all modules are in it, the target's folder no longer points to PostgreSQL;
// before that a souk on it would begin with empty files.
func (w *world) sayCopied(ends [2]copyEnd, names, moved []string) error {
	all, err := copiedModules(nil)
	if err != nil {
		return err
	}
	next := "Go on with: souk serve --data " + ends[1].dir
	switch {
	case len(names) < len(all):
		next = "The other modules have to follow before a souk is served from there."
	case ends[0].dir != "":
		next = "Go on with: SOUK_DB='postgres://…' souk serve --data " + ends[0].dir
	default:
		if err := os.Remove(filepath.Join(ends[1].dir, elsewhere)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("change the data folder: %w", err)
		}
	}
	_, err = fmt.Fprintf(w.stdout, "%s: the same in both databases now; the source was not changed. %s\n", strings.Join(moved, ", "), next)
	return err
}
