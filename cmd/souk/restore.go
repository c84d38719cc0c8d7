package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"souk/internal/platform/clock"
	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/rehearsal"
)

func restoreCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "restore DIR", Short: "Bring a backup back into an empty data folder",
		Long: "Checks the backup's manifest, copies its databases into the data folder, pauses payments and\n" +
			"verifies the result. Payments stay paused until `souk admin resume-payments`: what happened at\n" +
			"the payment provider since the backup is not in it.",
		Example: "  souk restore /backups/souk-2026-05-04 --data ./data\n  souk admin resume-payments --data ./data", Args: exactly(1),
	}
	data := addData(cmd)
	replace := cmd.Flags().Bool("replace", false, "move what is in the data folder aside first")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return w.restore(cmd.Context(), args[0], *data, *replace)
	}
	return cmd
}

func (w *world) restore(ctx context.Context, from, data string, replace bool) error {
	if running, err := control.Running(ctx, data); err != nil {
		return err
	} else if len(running) > 0 {
		return fmt.Errorf("%s is running on %s; stop it first", strings.Join(running, ", "), data)
	}
	m, err := readManifest(from)
	if err != nil {
		return err
	}
	dir, err := openFolder(data)
	if err != nil {
		return err
	}
	if err := w.makeRoom(dir, replace); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := copyFile(filepath.Join(from, f.File), filepath.Join(dir, f.File)); err != nil {
			return err
		}
		if _, sum, err := hashFile(filepath.Join(dir, f.File)); err != nil || sum != f.SHA256 {
			return errors.Join(err, fmt.Errorf("%s was not copied whole", f.File))
		}
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	report, err := w.comeUp(ctx, dir)
	if err != nil {
		return err
	}
	if err := printReport(w.stdout, report); err != nil {
		return err
	}
	if !report.Sound() {
		return errUnsound
	}
	_, err = fmt.Fprintf(w.stdout, "restored the backup of %s; payments are paused until: souk admin resume-payments --data %s\n", m.At, data)
	return err
}

// readManifest reads a backup's manifest and checks every file against it.
func readManifest(dir string) (manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName)) //nolint:gosec // the operator's choice
	if errors.Is(err, os.ErrNotExist) {
		return manifest{}, fmt.Errorf("%s is no backup, or one that was not finished: it has no %s", dir, manifestName)
	}
	if err != nil {
		return manifest{}, fmt.Errorf("read the manifest: %w", err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return manifest{}, err
	}
	for _, f := range m.Files {
		size, sum, err := hashFile(filepath.Join(dir, f.File))
		if err != nil {
			return manifest{}, err
		}
		if size != f.Bytes || sum != f.SHA256 {
			return manifest{}, fmt.Errorf("%s is damaged: it is not what the manifest says", filepath.Join(dir, f.File))
		}
	}
	return m, nil
}

// parseManifest reads a manifest. It names the database of each module, once, and no other file: what it names is
// written into the data folder.
func parseManifest(text []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return manifest{}, fmt.Errorf("read the manifest: %w", err)
	}
	have := map[string]bool{}
	for _, f := range m.Files {
		switch {
		case f.File != f.Module+".db" || !slices.Contains(moduleNames, f.Module):
			return manifest{}, fmt.Errorf("the manifest names a file that is no database of souk: %q", f.File)
		case have[f.Module]:
			return manifest{}, fmt.Errorf("the manifest names %s twice", f.File)
		}
		have[f.Module] = true
	}
	for _, name := range moduleNames {
		if !have[name] {
			return manifest{}, fmt.Errorf("the backup has no database of %s", name)
		}
	}
	return m, nil
}

// makeRoom moves databases that are in the way aside, if it may.
func (w *world) makeRoom(dir string, replace bool) error {
	aside := filepath.Join(dir, "replaced-"+clock.Now().Std().Format("20060102-150405"))
	for _, name := range moduleNames {
		for _, suffix := range []string{".db", ".db-wal", ".db-shm"} {
			path := filepath.Join(dir, name+suffix)
			if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
				continue
			}
			if !replace {
				return config.Mistakef("%s is not empty (%s%s is there); give another --data, or --replace to move what is there aside", dir, name, suffix)
			}
			if err := os.MkdirAll(aside, 0o700); err != nil {
				return fmt.Errorf("make %s: %w", aside, err)
			}
			if err := os.Rename(path, filepath.Join(aside, name+suffix)); err != nil {
				return fmt.Errorf("move %s aside: %w", path, err)
			}
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // the operator's choice
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	defer closing(&err, in.Close)
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator's choice
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("copy %s to %s: %w", from, to, err)
	}
	return nil
}

// comeUp opens what was restored with payments paused, and verifies it.
func (w *world) comeUp(ctx context.Context, dir string) (_ rehearsal.Report, err error) {
	a, err := w.openApp(ctx, dir)
	if err != nil {
		return rehearsal.Report{}, err
	}
	defer closing(&err, a.close)
	if err := a.payments.Pause(ctx, byCommandLine(), "restored from a backup"); err != nil {
		return rehearsal.Report{}, err
	}
	return a.verify(ctx, 0)
}
