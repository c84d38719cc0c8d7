package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"souk/internal/platform/actor"
	"souk/internal/platform/bus"
	"souk/internal/platform/job"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/storefront"
)

// operations is what operators' pages show of the platform, over the modules of this process.
type operations struct{ a *app }

var _ storefront.Operations = operations{}

// Modules says how each module is.
func (o operations) Modules(ctx context.Context) ([]storefront.ModuleHealth, error) {
	var out []storefront.ModuleHealth
	for _, h := range o.a.modules.Health(ctx) {
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
func (o operations) Subscribers(ctx context.Context) ([]storefront.SubscriberState, error) {
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
func (o operations) ParkedEvents(ctx context.Context, limit int) ([]storefront.ParkedEvent, error) {
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
func (o operations) RetryParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	return toDrained(o.a.bus.Retry(ctx, subscriber, key, bus.Change{By: by, Why: why}))
}

// SkipParked forgets the first parked event of a key.
func (o operations) SkipParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	return toDrained(o.a.bus.Skip(ctx, subscriber, key, bus.Change{By: by, Why: why}))
}

func toDrained(d bus.Drained, err error) (storefront.Drained, error) {
	return storefront.Drained{Applied: int64(d.Applied), Skipped: int64(d.Skipped), Left: int64(d.Left), Error: d.Error}, err
}

// DeadJobs reads the jobs that gave up.
func (o operations) DeadJobs(ctx context.Context, limit int) ([]storefront.DeadJob, error) {
	all, err := o.a.listJobs(ctx, jobsIn{State: job.StateDead})
	if err != nil {
		return nil, err
	}
	var out []storefront.DeadJob
	for _, j := range all[:min(limit, len(all))] {
		out = append(out, storefront.DeadJob{
			Module: j.Module, Kind: j.Kind, Key: j.Key, Tries: int64(j.Tries), Error: j.Error, At: j.UpdatedAt,
		})
	}
	return out, nil
}

func (o operations) db(module string) (*store.DB, error) {
	db := o.a.dbs[module]
	if db == nil {
		return nil, job.ErrNoJob.With("there is no module %s in this process", module)
	}
	return db, nil
}

// RetryJob makes a dead job due now.
func (o operations) RetryJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error {
	db, err := o.db(module)
	if err != nil {
		return err
	}
	return job.Retry(ctx, db, kind, key, job.Change{By: by, Why: why})
}

// DropJob forgets a dead job for good.
func (o operations) DropJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error {
	db, err := o.db(module)
	if err != nil {
		return err
	}
	return job.Drop(ctx, db, kind, key, job.Change{By: by, Why: why})
}

// AuditTrail merges the audit logs of modules by time. Its cursor says how far each is read.
func (o operations) AuditTrail(ctx context.Context, f storefront.AuditFilter) (storefront.AuditPage, error) {
	filter := []string{"audit", f.Module, f.Subject}
	before := map[string]int64{}
	if _, err := (page.Request{Cursor: f.Cursor}).After(filter, &before); err != nil {
		return storefront.AuditPage{}, err
	}
	type row struct {
		module string
		store.AuditRow
	}
	var rows []row
	for _, name := range o.a.here() {
		if f.Module != "" && f.Module != name {
			continue
		}
		err := o.a.dbs[name].Read(ctx, func(q store.Queryer) error {
			found, err := store.AuditRows(q, f.Subject, before[name], f.Limit+1)
			for _, r := range found {
				rows = append(rows, row{module: name, AuditRow: r})
			}
			return err
		})
		if err != nil {
			return storefront.AuditPage{}, fmt.Errorf("read what was done in %s: %w", name, err)
		}
	}
	slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(y.At, x.At) })
	var out storefront.AuditPage
	for i, r := range rows {
		if i == f.Limit {
			next, err := page.Cursor(filter, before)
			if err != nil {
				return storefront.AuditPage{}, err
			}
			out.Next = next
			break
		}
		before[r.module] = r.ID
		out.Rows = append(out.Rows, storefront.AuditEntry{
			Module: r.module, At: r.At, Kind: r.Kind, Person: string(r.Person), OnBehalfOf: string(r.OnBehalfOf), Action: r.Action,
			Subject: r.Subject, Before: r.Before, After: r.After, Why: r.Why,
		})
	}
	return out, nil
}
