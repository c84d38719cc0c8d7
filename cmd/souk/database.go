package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// databaseVariable names a PostgreSQL database in the environment, where a password is out of sight.
const databaseVariable = "SOUK_DB"

// addDB gives cmd the flag --db.
func addDB(cmd *cobra.Command) *string {
	return cmd.Flags().String("db", "", "PostgreSQL database to keep everything in but the search index: `URL`, postgres://…; also "+databaseVariable)
}

// database is the address of the PostgreSQL database, by flag or environment; "" for files.
func (w *world) database(flag string) string {
	if flag != "" {
		return flag
	}
	return w.getenv(databaseVariable)
}

// elsewhere is a file in a data folder that says that the data are on PostgreSQL: a command that
// was not told would work on empty files, and say so of the marketplace.
const elsewhere = "postgresql"

// rememberDB leaves that file, once the databases could be opened.
func rememberDB(dir, db string) error {
	if db == "" {
		return nil
	}
	text := "The data of this souk are in a PostgreSQL database; only the search index is here.\nCommands need --db or " + databaseVariable + ".\n"
	if err := os.WriteFile(filepath.Join(dir, elsewhere), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write into the data folder: %w", bare(err))
	}
	return nil
}

// checkDB refuses to work on files where the data are on PostgreSQL.
func checkDB(dir, db string) error {
	if db != "" {
		return nil
	}
	_, err := os.Stat(filepath.Join(dir, elsewhere))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look into the data folder: %w", bare(err))
	}
	return fmt.Errorf("the data of %s are in a PostgreSQL database: give its address in %s (a souk that begins anew with files wants another folder)", dir, databaseVariable)
}
