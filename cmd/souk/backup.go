package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/control"
	"souk/internal/platform/store"
)

// manifestName is the file that makes a folder of databases a backup. It is written last.
const manifestName = "manifest.json"

// manifest says what a backup holds: all its files are of one moment.
type manifest struct {
	Souk  string         `json:"souk"` // the version that made it
	At    clock.Time     `json:"at"`
	Held  string         `json:"held"` // how long every writer stood still
	Files []manifestFile `json:"files"`
}

// manifestFile is one module's database in a backup, and its place in events.
type manifestFile struct {
	Module  string         `json:"module"`
	File    string         `json:"file"`
	Bytes   int64          `json:"bytes"`
	SHA256  string         `json:"sha256"`
	Epoch   string         `json:"epoch"`
	Head    int64          `json:"head"`
	Cursors []audit.Cursor `json:"cursors"`
}

type backupIn struct {
	To string `json:"to"`
}

func backingUp() deed[backupIn, manifest] {
	return deed[backupIn, manifest]{name: "backup", do: func(ctx context.Context, a *app, in backupIn, say control.Say) (manifest, error) {
		return a.backup(ctx, in.To, say)
	}}
}

// backup copies every database as it was at one moment: all writers are held between two
// batches while a snapshot is opened on each, and go on while those are copied.
func (a *app) backup(ctx context.Context, to string, say control.Say) (_ manifest, err error) {
	if a.db != "" {
		return manifest{}, errors.New("the data are in a PostgreSQL database, and souk backup copies files: use pg_dump --format=custom --file=FILE \"$" + databaseVariable +
			"\", which has all modules of one moment (docs/operations.md says how to bring it back)")
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		if errors.Is(err, os.ErrExist) {
			return manifest{}, fmt.Errorf("%s is there already; a backup makes its own folder", to)
		}
		return manifest{}, fmt.Errorf("make the folder of the backup: %w", err)
	}
	m := manifest{Souk: soukVersion(), At: clock.Now()}
	began := time.Now()
	snapshots, err := a.snapshots(ctx)
	m.Held = time.Since(began).Round(time.Microsecond).String()
	defer func() { //nolint:contextcheck // snapshots are closed whatever ctx does
		for _, s := range snapshots {
			err = errors.Join(err, s.Close())
		}
	}()
	if err != nil {
		return manifest{}, err
	}
	for i, name := range moduleNames {
		file := manifestFile{Module: name, File: name + ".db"}
		if err := snapshots[i].Read(ctx, func(q store.Queryer) error {
			s, err := bus.Standing(q, m.At)
			file.Epoch, file.Head, file.Cursors = s.Epoch, s.Head, s.Cursors
			return err
		}); err != nil {
			return manifest{}, fmt.Errorf("back up %s: %w", name, err)
		}
		path := filepath.Join(to, file.File)
		if err := snapshots[i].CopyTo(ctx, path); err != nil {
			return manifest{}, fmt.Errorf("back up %s: %w", name, err)
		}
		if file.Bytes, file.SHA256, err = hashFile(path); err != nil {
			return manifest{}, fmt.Errorf("back up %s: %w", name, err)
		}
		m.Files = append(m.Files, file)
		say("%s: %d bytes", name, file.Bytes)
	}
	return m, writeManifest(to, m)
}

// snapshots opens one on every database under one barrier.
func (a *app) snapshots(ctx context.Context) (all []*store.Snapshot, err error) {
	for _, name := range moduleNames { // always in this order, or two backups wait for each other
		release, err := a.dbs[name].Hold(ctx)
		if err != nil {
			return nil, fmt.Errorf("hold the writer of %s: %w", name, err)
		}
		defer release()
	}
	for _, name := range moduleNames {
		s, err := a.dbs[name].Snapshot(ctx)
		if err != nil {
			return all, fmt.Errorf("open a snapshot of %s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func hashFile(path string) (size int64, sum string, err error) {
	f, err := os.Open(path) //nolint:gosec // the operator's choice
	if err != nil {
		return 0, "", fmt.Errorf("hash %s: %w", path, err)
	}
	defer closing(&err, f.Close)
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", fmt.Errorf("hash %s: %w", path, err)
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}

// writeManifest makes the folder a backup: on the disk before it has its name.
func writeManifest(dir string, m manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, manifestName+".part"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	if err := os.Rename(filepath.Join(dir, manifestName+".part"), filepath.Join(dir, manifestName)); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's choice
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func backupCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup DIR", Short: "Copy everything to a new folder, also while souk serves",
		Long: "Writes every database as it was at one moment, and a manifest with their hashes, to DIR, which\n" +
			"must not be there yet. Writers stand still for some milliseconds; requests only wait.\n\n" +
			"It is done by one process that has all modules. Where they run in several, stop those first; where the data are\n" +
			"in a PostgreSQL database, use pg_dump.",
		Example: "  souk backup /backups/souk-$(date +%F) --data ./data", Args: exactly(1),
	}
	data := addData(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		to, err := filepath.Abs(args[0])
		if err != nil {
			return fmt.Errorf("find the folder %s: %w", args[0], err)
		}
		m, err := backingUp().ask(cmd.Context(), w, *data, backupIn{To: to})
		if err != nil {
			return err
		}
		var bytes int64
		for _, f := range m.Files {
			bytes += f.Bytes
		}
		_, err = fmt.Fprintf(w.stdout, "%d databases, %d bytes, of %s; writers stood still for %s\n", len(m.Files), bytes, m.At, m.Held)
		return err
	}
	return cmd
}
