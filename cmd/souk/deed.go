package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/telemetry"
)

// deed is what a command does with the marketplace: within the running souk, if one runs on
// the data folder, else in this process, which opens the folder for it. Where several processes
// share the folder, it is done by the one that has the module which it is about.
type deed[In, Out any] struct {
	name  string              // "events.list"
	about func(in In) string  // the module; nil for what only a process that has all can do
	merge func(all []Out) Out // puts together what every process answers; nil for what one does
	do    func(ctx context.Context, a *app, in In, say control.Say) (Out, error)

	// begins says that it may be done on a folder in which there is no marketplace yet. For anything else such
	// a folder is the wrong one: a check of it would find everything in order.
	begins bool
}

// of is a deed that is always about the same module.
func of[In any](module string) func(In) string { return func(In) string { return module } }

// offer lets commands beside the running souk ask for it.
func (d deed[In, Out]) offer(server *control.Server, a *app) {
	control.Handle(server, d.name, func(ctx context.Context, in In, say control.Say) (Out, error) { return d.do(ctx, a, in, say) })
}

// ask has it done; how far it is goes to standard error.
func (d deed[In, Out]) ask(ctx context.Context, w *world, dir string, in In) (Out, error) {
	return d.asking(ctx, w, dir, in, func(line string) { _, _ = fmt.Fprintln(w.stderr, line) }) // progress, not the result
}

// asking has it done, and tells heard how far it is.
func (d deed[In, Out]) asking(ctx context.Context, w *world, dir string, in In, heard func(line string)) (out Out, err error) {
	running, err := control.Running(ctx, dir)
	if err != nil {
		return out, err
	}
	if len(running) > 0 {
		return d.callAll(ctx, dir, running, in, heard)
	}
	if !d.begins {
		if err := checkBegun(dir, w.database("")); err != nil {
			return out, err
		}
	}
	a, err := w.openApp(ctx, dir)
	if err != nil {
		return out, err
	}
	defer closing(&err, a.close)
	return d.do(ctx, a, in, func(format string, args ...any) { heard(fmt.Sprintf(format, args...)) })
}

// checkBegun refuses a folder that has no database of a marketplace. Where the data are in PostgreSQL only
// the search index is in the folder, and it is made anew where it is missing.
func checkBegun(dir, db string) error {
	if db != "" {
		return nil
	}
	for _, name := range append([]string{elsewhere}, databaseFiles()...) {
		_, err := os.Stat(filepath.Join(dir, name))
		if !errors.Is(err, os.ErrNotExist) {
			return nil // what is wrong with it, if anything, opening it says
		}
	}
	return config.Mistakef("there is no marketplace in %s; --data says where one is, and souk serve begins one", dir)
}

// databaseFiles are the files in which modules keep what they have.
func databaseFiles() []string {
	var files []string
	for _, name := range moduleNames {
		files = append(files, name+".db")
	}
	return files
}

// callAll has it done by the processes that run on the folder.
func (d deed[In, Out]) callAll(ctx context.Context, dir string, running []string, in In, heard func(line string)) (Out, error) {
	chosen := running
	if d.merge == nil {
		about := ""
		if d.about != nil {
			about = d.about(in)
		}
		chosen = slices.DeleteFunc(slices.Clone(running), func(process string) bool { return !holds(process, about) })
		if len(chosen) == 0 {
			return *new(Out), d.nobody(running, about)
		}
		chosen = chosen[:1]
	}
	var all []Out
	for _, process := range chosen {
		client, err := control.Dial(ctx, dir, process)
		if err != nil {
			return *new(Out), err
		}
		out, err := control.Call[In, Out](ctx, client, d.name, in, heard)
		client.Close()
		if err != nil {
			return out, err
		}
		all = append(all, out)
	}
	if d.merge == nil {
		return all[0], nil
	}
	return d.merge(all), nil
}

func (d deed[In, Out]) nobody(running []string, about string) error {
	if about == "" {
		return fmt.Errorf("%s is of all modules at one moment, which needs them in one process, and here run %s; stop them first, and it is done on the folder",
			d.name, strings.Join(running, ", "))
	}
	return fmt.Errorf("%s is done by the process that has %s, and here run only %s", d.name, about, strings.Join(running, ", "))
}

// openApp wires the modules on a folder that no souk serves, for one command. Only what goes
// wrong is logged.
func (w *world) openApp(ctx context.Context, dir string) (*app, error) {
	return w.openAppOn(ctx, dir, w.database(""))
}

// openAppOn is openApp with the data in a PostgreSQL database, where db names one.
func (w *world) openAppOn(ctx context.Context, dir, db string) (*app, error) {
	return w.openAppWith(ctx, dir, wireOptions{db: db})
}

// openAppWith is openApp with other options than usual.
func (w *world) openAppWith(ctx context.Context, dir string, o wireOptions) (*app, error) {
	full, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{Out: w.stderr, Level: "error", Version: soukVersion()})
	if err != nil {
		return nil, err
	}
	if err := checkDB(full, o.db); err != nil {
		return nil, errors.Join(err, tel.Stop(context.WithoutCancel(ctx)))
	}
	o.alone = o.db == "" // processes on other machines may serve a PostgreSQL database
	a, err := wire(ctx, full, tel, o)
	if err != nil {
		return nil, errors.Join(err, tel.Stop(context.WithoutCancel(ctx)))
	}
	a.closers = append([]func() error{func() error { return tel.Stop(context.WithoutCancel(ctx)) }}, a.closers...)
	return a, nil
}

// none is for deeds that take or give nothing.
type none struct{}
