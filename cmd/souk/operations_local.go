package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"souk/internal/platform/actor"
	"souk/internal/platform/bus"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/storefront"
)

// local is what operators' pages show of the platform and do with it, over the modules of this
// process; operations puts it together with what other processes have.
type local struct{ a *app }

// Modules says how each module is.
func (o local) Modules(ctx context.Context) ([]storefront.ModuleHealth, error) {
	var out []storefront.ModuleHealth
	for _, h := range o.a.modules.Health(ctx) {
		if o.a.neighbours.layout.remote[h.Module] != nil {
			continue // it says so itself
		}
		m := storefront.ModuleHealth{
			Name: h.Module, Ready: h.Ready, Problem: h.Code, InFlight: h.InFlight, Max: h.Max, Refused: h.Refused, Panics: h.Panics,
		}
		if db := o.a.dbs[h.Module]; db != nil {
			m.Dead = -1
			if stats, err := job.StatsOf(ctx, db); err == nil {
				m.Dead = 0
				for _, s := range stats {
					m.Dead += s.Dead
				}
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// Subscribers says where each subscriber is.
func (o local) Subscribers(ctx context.Context) ([]storefront.SubscriberState, error) {
	all, err := o.a.bus.List(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]storefront.SubscriberState, len(all))
	for i, s := range all {
		out[i] = storefront.SubscriberState{
			Name: s.Subscriber, Module: s.Module, Log: string(s.Log), Position: s.Position, Head: s.Head, Lag: s.Lag,
			Parked: s.Parked, State: s.State, Error: s.Error,
		}
	}
	slices.SortFunc(out, func(x, y storefront.SubscriberState) int { return cmp.Compare(x.Name, y.Name) })
	return out, nil
}

// maxParked is how many parked events of one subscriber are looked at.
const maxParked = 1000

// ParkedEvents reads the first parked event of each key.
func (o local) ParkedEvents(ctx context.Context, limit int) ([]storefront.ParkedEvent, error) {
	all, err := o.a.bus.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []storefront.ParkedEvent
	for _, s := range all {
		if s.Parked == 0 {
			continue
		}
		parked, err := o.a.bus.Show(ctx, s.Subscriber, 0, maxParked)
		if err != nil {
			return nil, err
		}
		at := map[string]int{}
		for _, p := range parked {
			if i, known := at[p.Key]; known {
				out[i].Behind++
				continue
			}
			at[p.Key] = len(out)
			out = append(out, storefront.ParkedEvent{
				Subscriber: s.Subscriber, Module: s.Module, Position: p.Position, Name: p.Name, Key: p.Key, Tries: p.Tries,
				Error: p.Error, ParkedAt: p.ParkedAt, Body: p.Body,
			})
		}
	}
	slices.SortFunc(out, func(x, y storefront.ParkedEvent) int { return cmp.Compare(x.ParkedAt, y.ParkedAt) })
	return out[:min(limit, len(out))], nil
}

// RetryParked applies the parked events of a key.
func (o local) RetryParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	return toDrained(o.a.bus.Retry(ctx, subscriber, key, bus.Change{By: by, Why: why}))
}

// SkipParked forgets the first parked event of a key.
func (o local) SkipParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	return toDrained(o.a.bus.Skip(ctx, subscriber, key, bus.Change{By: by, Why: why}))
}

func toDrained(d bus.Drained, err error) (storefront.Drained, error) {
	return storefront.Drained{Applied: int64(d.Applied), Skipped: int64(d.Skipped), Left: int64(d.Left), Error: d.Error}, err
}

// DeadJobs reads the jobs that gave up.
func (o local) DeadJobs(ctx context.Context, limit int) ([]storefront.DeadJob, error) {
	all, err := o.a.listJobs(ctx, jobsIn{State: job.StateDead})
	if err != nil {
		return nil, err
	}
	var out []storefront.DeadJob
	for _, j := range all[:min(limit, len(all))] {
		runner := o.runner(j.Module)
		out = append(out, storefront.DeadJob{
			Module: j.Module, Kind: j.Kind, Key: j.Key, Tries: int64(j.Tries), Error: j.Error, At: j.UpdatedAt,
			Periodic: runner != nil && runner.Periodic(j.Kind),
		})
	}
	return out, nil
}

// runner is what runs a module's jobs in this process; nil where nothing does.
func (o local) runner(module string) *job.Runner {
	for _, m := range o.a.modules.Modules() {
		if m.Name == module {
			return m.Jobs
		}
	}
	return nil
}

func (o local) db(module string) (*store.DB, error) {
	db := o.a.dbs[module]
	if db == nil {
		return nil, job.ErrNoJob.With("there is no module %s in this process", module)
	}
	return db, nil
}

// RetryJob makes a dead job due now.
func (o local) RetryJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error {
	db, err := o.db(module)
	if err != nil {
		return err
	}
	return job.Retry(ctx, db, kind, key, job.Change{By: by, Why: why})
}

// DropJob forgets a job for good, unless it is one that comes round by itself.
func (o local) DropJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error {
	db, err := o.db(module)
	if err != nil {
		return err
	}
	c := job.Change{By: by, Why: why}
	if runner := o.runner(module); runner != nil {
		return runner.Drop(ctx, kind, key, c)
	}
	return job.Drop(ctx, db, kind, key, c)
}

// AuditRows reads one module's audit log, newest first.
func (o local) AuditRows(ctx context.Context, module, subject string, before int64, limit int) (rows []store.AuditRow, err error) {
	db, err := o.db(module)
	if err != nil {
		return nil, err
	}
	err = db.Read(ctx, func(q store.Queryer) error {
		rows, err = store.AuditRows(q, subject, before, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was done in %s: %w", module, err)
	}
	return rows, nil
}
