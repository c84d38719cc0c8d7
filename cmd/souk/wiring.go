package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"souk/internal/platform/control"
	"souk/internal/platform/httpx"
	"souk/internal/platform/module"
	"souk/internal/platform/telemetry"
)

// app is a souk that is wired and open: its modules with their databases, and what works in
// the background. Whoever opened it closes it.
type app struct {
	dir     string
	tel     *telemetry.Telemetry
	modules *module.Set
	http    httpx.Config // the resolver and the error page come from modules
	workers []worker
	closers []func() error
}

// worker is something that works until ctx ends.
type worker struct {
	name string
	run  func(ctx context.Context) error
}

// wire opens every module in dir and puts them together: this function is the map of what
// hangs on what. On an error nothing stays open.
func wire(ctx context.Context, dir string, tel *telemetry.Telemetry) (_ *app, err error) {
	a := &app{dir: dir, tel: tel}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a.modules, err = module.NewSet(tel.Log); err != nil {
		return nil, err
	}
	for _, m := range a.modules.Modules() {
		if m.Jobs != nil {
			a.workers = append(a.workers, worker{name: "jobs of " + m.Name, run: m.Jobs.Run})
		}
	}
	return a, a.modules.Show(tel)
}

// register offers what commands beside the running souk ask for.
func (a *app) register(*control.Server) {}

// work runs the workers until ctx ends, and comes back when the last has come to rest. One
// that cannot go on stops all, since half a souk looks like a whole one from outside.
func (a *app) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures := make([]error, len(a.workers))
	var running sync.WaitGroup
	for i, w := range a.workers {
		running.Go(func() {
			if err := w.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				failures[i] = fmt.Errorf("%s: %w", w.name, err)
				cancel()
			}
		})
	}
	<-ctx.Done()
	running.Wait()
	return errors.Join(failures...)
}

// close closes what was opened, the last first.
func (a *app) close() error {
	var all error
	for i := len(a.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, a.closers[i]())
	}
	a.closers = nil
	return all
}
