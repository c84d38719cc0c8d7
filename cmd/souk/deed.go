package main

import (
	"context"
	"errors"
	"fmt"

	"souk/internal/platform/control"
	"souk/internal/platform/telemetry"
)

// deed is what a command does with the marketplace: within the running souk, if one runs on
// the data folder, else in this process, which opens the folder for it.
type deed[In, Out any] struct {
	name string // "events.list"
	do   func(ctx context.Context, a *app, in In, say control.Say) (Out, error)
}

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
	client, err := control.Dial(ctx, dir)
	if err == nil {
		defer client.Close()
		return control.Call[In, Out](ctx, client, d.name, in, heard)
	}
	if !errors.Is(err, control.ErrNoServer) {
		return out, err
	}
	a, err := w.openApp(ctx, dir)
	if err != nil {
		return out, err
	}
	defer closing(&err, a.close)
	return d.do(ctx, a, in, func(format string, args ...any) { heard(fmt.Sprintf(format, args...)) })
}

// openApp wires the modules on a folder that no souk serves, for one command. Only what goes
// wrong is logged.
func (w *world) openApp(ctx context.Context, dir string) (*app, error) {
	full, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{Out: w.stderr, Level: "error", Version: soukVersion()})
	if err != nil {
		return nil, err
	}
	a, err := wire(ctx, full, tel, wireOptions{})
	if err != nil {
		return nil, errors.Join(err, tel.Stop(context.WithoutCancel(ctx)))
	}
	a.closers = append([]func() error{func() error { return tel.Stop(context.WithoutCancel(ctx)) }}, a.closers...)
	return a, nil
}

// none is for deeds that take or give nothing.
type none struct{}
