package main

import (
	"context"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

func migrateCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "migrate", Short: "Look at the databases' migrations",
		Long:    "Migrations run by themselves when a souk opens its databases; nothing has to be done by hand.",
		Example: "  souk migrate status --data ./data",
	}
	status := &cobra.Command{
		Use: "status", Short: "Say which migrations have run, and which wait for the next start",
		Example: "  souk migrate status --data ./data", Args: cobra.NoArgs,
	}
	data, db := addData(status), addDB(status)
	status.RunE = func(cmd *cobra.Command, _ []string) error {
		return w.migrateStatus(cmd.Context(), *data, w.database(*db))
	}
	cmd.AddCommand(status)
	return cmd
}

func (w *world) migrateStatus(ctx context.Context, data, db string) error {
	dir, err := filepath.Abs(data)
	if err != nil {
		return fmt.Errorf("find the data folder %s: %w", data, err)
	}
	if err := checkDB(dir, db); err != nil {
		return err
	}
	if err := checkBegun(dir, db); err != nil {
		return err
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{Out: w.stderr, Level: "error", Version: soukVersion()})
	if err != nil {
		return err
	}
	defer closing(&err, func() error { return tel.Stop(context.WithoutCancel(ctx)) })
	t := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "DATABASE\tFROM\tVERSION\tFILE\tSTATE") // Flush says what went wrong
	for _, name := range moduleNames {
		o := storeOptions(dir, db, name, tel)
		all, err := store.Migrations(ctx, o)
		if err != nil {
			return err
		}
		for _, m := range all {
			state := "waits"
			if m.Applied {
				state = "done"
			}
			database := name + ".db"
			if o.URL != "" {
				database = "schema " + name
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", database, m.Source, m.Version, m.File, state)
		}
	}
	return t.Flush()
}
